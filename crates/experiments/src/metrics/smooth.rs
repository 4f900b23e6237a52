//! Smoothing, always of the full series, before anything is left out of it; so zooming never changes a value. Pure.
//!
//! A value that is not finite is a gap: it stays as it is in the result and has no part in its neighbours'.

/// Largest standard deviation of the Gaussian, in points.
pub const MAX_SIGMA: f64 = 100.0;

/// A way to smooth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Smoothing {
    /// Exponential moving average as `TensorBoard` has it (debiased, so the first value is itself); the weight of the past, 0 to below 1.
    Ema(f64),
    /// Gaussian kernel with this standard deviation in points.
    Gaussian(f64),
    /// Mean of this many points around each, fewer at the ends.
    RunningMean(usize),
}

impl Smoothing {
    /// Whether points that come later leave the values before them as they are.
    pub fn is_causal(self) -> bool {
        matches!(self, Self::Ema(_))
    }

    /// The smoothed series, as long as `values`.
    pub fn apply(self, values: &[f64]) -> Vec<f64> {
        match self {
            Self::Ema(weight) => ema(values, weight.clamp(0.0, 1.0 - 1e-9)),
            Self::Gaussian(sigma) => gaussian(values, sigma.min(MAX_SIGMA)),
            Self::RunningMean(points) => running_mean(values, points),
        }
    }
}

fn ema(values: &[f64], weight: f64) -> Vec<f64> {
    let (mut past, mut past_weight) = (0.0, 0.0);
    values
        .iter()
        .map(|&value| {
            if !value.is_finite() {
                return value;
            }
            past = past * weight + (1.0 - weight) * value;
            past_weight = past_weight * weight + (1.0 - weight);
            past / past_weight
        })
        .collect()
}

fn gaussian(values: &[f64], sigma: f64) -> Vec<f64> {
    if sigma.is_nan() || sigma <= 0.0 {
        return values.to_vec();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most three times the largest sigma"
    )]
    let radius = (3.0 * sigma).ceil() as usize;
    let half: Vec<f64> = (0..=radius)
        .map(|at| (-0.5 * (at as f64 / sigma).powi(2)).exp())
        .collect();
    let kernel: Vec<f64> = half
        .iter()
        .rev()
        .chain(half.iter().skip(1))
        .copied()
        .collect();
    let whole: f64 = kernel.iter().sum();
    let finite = values.iter().all(|value| value.is_finite());
    let all = |at: usize| {
        let window = at
            .checked_sub(radius)
            .and_then(|from| values.get(from..=at + radius))
            .filter(|_| finite)?;
        Some(
            window
                .iter()
                .zip(&kernel)
                .map(|(value, weight)| value * weight)
                .sum::<f64>()
                / whole,
        )
    };
    (0..values.len())
        .map(|at| all(at).unwrap_or_else(|| gaussian_at_edge(values, &half, at)))
        .collect()
}

fn gaussian_at_edge(values: &[f64], half: &[f64], at: usize) -> f64 {
    let value = values.get(at).copied().unwrap_or(f64::NAN);
    if !value.is_finite() {
        return value;
    }
    let from = at.saturating_sub(half.len() - 1);
    let (mut sum, mut weights) = (0.0, 0.0);
    for (index, &value) in values
        .iter()
        .enumerate()
        .skip(from)
        .take(at - from + half.len())
    {
        if let Some(weight) = half.get(index.abs_diff(at)).filter(|_| value.is_finite()) {
            sum += value * weight;
            weights += weight;
        }
    }
    sum / weights
}

fn running_mean(values: &[f64], points: usize) -> Vec<f64> {
    let before = points.saturating_sub(1) / 2;
    let after = points.saturating_sub(1) - before;
    let mut sum = Sum::default();
    let mut count = 0_u64;
    let (mut start, mut end) = (0, 0);
    let mut means = Vec::with_capacity(values.len());
    for (at, &value) in values.iter().enumerate() {
        while end < values.len().min(at.saturating_add(after).saturating_add(1)) {
            count += u64::from(sum.add(values[end], 1.0));
            end += 1;
        }
        while start < at.saturating_sub(before) {
            count -= u64::from(sum.add(values[start], -1.0));
            start += 1;
        }
        means.push(if value.is_finite() {
            sum.total() / count as f64
        } else {
            value
        });
    }
    means
}

/// A sum that loses nothing when large values come and go (Neumaier).
#[derive(Default)]
struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds `sign · value`; `false` for a gap, which adds nothing.
    fn add(&mut self, value: f64, sign: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        let value = sign * value;
        let total = self.high + value;
        self.low += if self.high.abs() >= value.abs() {
            (self.high - total) + value
        } else {
            (value - total) + self.high
        };
        self.high = total;
        true
    }

    fn total(&self) -> f64 {
        self.high + self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!(
                (a - b).abs() < 1e-12 || (a.is_nan() && b.is_nan()) || a.to_bits() == b.to_bits(),
                "{a} {b}"
            );
        }
    }

    #[test]
    fn the_moving_average_is_debiased_as_in_tensorboard() {
        // 0.6: x₀ = 1, x₁ = (0.6·0.4·1 + 0.4·2) / (1 − 0.36), …
        close(
            &Smoothing::Ema(0.6).apply(&[1.0, 2.0, 3.0]),
            &[1.0, 1.04 / 0.64, (0.144 + 0.48 + 1.2) / 0.784],
        );
        close(&Smoothing::Ema(0.0).apply(&[1.0, 2.0]), &[1.0, 2.0]);
        close(&Smoothing::Ema(0.9).apply(&[5.0; 50]), &[5.0; 50]);
    }

    #[test]
    fn a_gap_stays_a_gap_and_has_no_part_in_its_neighbours() {
        let gap = [1.0, f64::NAN, 3.0, f64::INFINITY, 5.0];
        for smoothing in [
            Smoothing::Ema(0.5),
            Smoothing::Gaussian(1.0),
            Smoothing::RunningMean(3),
        ] {
            let smooth = smoothing.apply(&gap);
            assert!(
                smooth[1].is_nan() && smooth[3] == f64::INFINITY,
                "{smoothing:?}"
            );
            assert!(
                [0, 2, 4].iter().all(|&at| smooth[at].is_finite()),
                "{smoothing:?}"
            );
        }
        close(
            &Smoothing::RunningMean(3).apply(&gap),
            &[1.0, f64::NAN, 3.0, f64::INFINITY, 5.0],
        );
        let without = Smoothing::Ema(0.5).apply(&[1.0, 3.0, 5.0]);
        let with = Smoothing::Ema(0.5).apply(&gap);
        close(&[with[0], with[2], with[4]], &without);
    }

    #[test]
    fn the_gaussian_is_the_kernel_everywhere() {
        let values: Vec<f64> = (0..200).map(|at| f64::from(at * at % 17)).collect();
        let smooth = Smoothing::Gaussian(2.5).apply(&values);
        for (at, &smoothed) in smooth.iter().enumerate() {
            let (mut sum, mut weights) = (0.0, 0.0);
            for (other, value) in values.iter().enumerate() {
                let distance = other.abs_diff(at) as f64;
                if distance <= 8.0 {
                    let weight = (-0.5 * (distance / 2.5).powi(2)).exp();
                    sum += value * weight;
                    weights += weight;
                }
            }
            assert!((smoothed - sum / weights).abs() < 1e-9, "{at}");
        }
        close(&Smoothing::Gaussian(0.0).apply(&values), &values);
    }

    #[test]
    fn the_running_mean_is_the_mean_around_each_point_fewer_at_the_ends() {
        close(
            &Smoothing::RunningMean(3).apply(&[1.0, 2.0, 6.0, 4.0]),
            &[1.5, 3.0, 4.0, 5.0],
        );
        close(&Smoothing::RunningMean(1).apply(&[1.0, 2.0]), &[1.0, 2.0]);
        close(&Smoothing::RunningMean(0).apply(&[1.0, 2.0]), &[1.0, 2.0]);
        close(
            &Smoothing::RunningMean(1000).apply(&[1.0, 2.0, 3.0]),
            &[2.0, 2.0, 2.0],
        );
    }

    #[test]
    fn a_huge_value_leaves_no_trace_in_later_means() {
        let mut values = vec![1e-3; 100];
        values[10] = 1e300;
        let smooth = Smoothing::RunningMean(3).apply(&values);
        assert!(
            smooth[20..]
                .iter()
                .all(|value| (value - 1e-3).abs() < 1e-15)
        );
    }

    #[test]
    fn nothing_gives_nothing() {
        for smoothing in [
            Smoothing::Ema(0.5),
            Smoothing::Gaussian(3.0),
            Smoothing::RunningMean(9),
        ] {
            assert!(smoothing.apply(&[]).is_empty());
        }
    }
}
