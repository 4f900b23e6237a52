//! Which points of a series to keep. Pure and deterministic: the same points give the same answer on every load.
//!
//! Two ways. [`lttb`] is the textbook "largest triangle, three buckets" for the documented `downsample=`: first and last point are
//! kept, each bucket in between gives one point, none is given twice; it takes finite numbers only (the table says 0 for anything
//! else). [`by_pixel`] is for drawing: of each pixel column it keeps the first, smallest, largest and last value, so no spike is lost;
//! `x` must ascend and be finite, `y` must be finite (NaN and infinities travel beside a series, never in it). Outside of the window
//! the nearest point on either side is kept, so that a line runs to the edge.

use std::ops::Range;

/// Indices that LTTB keeps of `count` points. `points(range, xs, ys)` replaces the content of `xs` and `ys` by the points of a range;
/// ranges are asked for in ascending order. With `target` below 3 or not below `count` every point is kept.
pub fn lttb(
    count: usize,
    target: usize,
    mut points: impl FnMut(Range<usize>, &mut Vec<f64>, &mut Vec<f64>),
) -> Vec<usize> {
    if target < 3 || count <= target {
        return (0..count).collect();
    }
    let buckets = target - 2;
    let width = (count - 2) as f64 / buckets as f64;
    let edge = |bucket: usize| {
        if bucket >= buckets {
            count - 1
        } else {
            whole(bucket as f64 * width) + 1
        }
    };
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    let (mut next_xs, mut next_ys) = (Vec::new(), Vec::new());
    points(0..1, &mut xs, &mut ys);
    let mut kept = (first(&xs), first(&ys));
    let mut picks = Vec::with_capacity(target);
    picks.push(0);
    points(1..edge(1), &mut xs, &mut ys);
    for bucket in 0..buckets {
        let start = edge(bucket);
        let next = edge(bucket + 1)..if bucket + 1 == buckets {
            count
        } else {
            edge(bucket + 2)
        };
        points(next, &mut next_xs, &mut next_ys);
        let average = means(&next_xs, &next_ys);
        let best = largest_triangle(kept, average, &xs, &ys);
        kept = (at(&xs, best), at(&ys, best));
        picks.push(start + best);
        std::mem::swap(&mut xs, &mut next_xs);
        std::mem::swap(&mut ys, &mut next_ys);
    }
    picks.push(count - 1);
    picks
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index below the number of points"
)]
fn whole(value: f64) -> usize {
    value as usize
}

fn first(values: &[f64]) -> f64 {
    at(values, 0)
}

fn at(values: &[f64], index: usize) -> f64 {
    values.get(index).copied().unwrap_or(0.0)
}

/// Both averages at once: two sums that do not wait for each other, each in the order of the points.
fn means(xs: &[f64], ys: &[f64]) -> (f64, f64) {
    let (mut x_sum, mut y_sum) = (0.0, 0.0);
    for (&x, &y) in xs.iter().zip(ys) {
        x_sum += x;
        y_sum += y;
    }
    let count = xs.len().max(1) as f64;
    (x_sum / count, y_sum / count)
}

/// So many areas are compared at once.
const LANES: usize = 8;

/// The first point that spans the largest triangle with the point kept before and the average of the next bucket.
fn largest_triangle(a: (f64, f64), c: (f64, f64), xs: &[f64], ys: &[f64]) -> usize {
    let (width, height) = (a.0 - c.0, c.1 - a.1);
    let area = |x: f64, y: f64| (width * (y - a.1) - (a.0 - x) * height).abs();
    let larger = |best: f64, area: f64| if area > best { area } else { best };
    let mut lanes = [-1.0; LANES];
    let (x_chunks, x_rest) = xs.as_chunks::<LANES>();
    let (y_chunks, y_rest) = ys.as_chunks::<LANES>();
    for (x_chunk, y_chunk) in x_chunks.iter().zip(y_chunks) {
        for ((best, &x), &y) in lanes.iter_mut().zip(x_chunk).zip(y_chunk) {
            *best = larger(*best, area(x, y));
        }
    }
    let rest = x_rest.iter().zip(y_rest).map(|(&x, &y)| area(x, y));
    let largest = lanes.into_iter().chain(rest).fold(-1.0, larger);
    let mut points = xs.iter().zip(ys);
    points
        .position(|(&x, &y)| area(x, y) >= largest)
        .unwrap_or(0)
}

/// Rows that stand for `count` rows when there is no number to choose by: evenly spread, with the last one.
pub fn spread(count: usize, target: usize) -> Vec<usize> {
    if target == 0 || count <= target {
        return (0..count).collect();
    }
    let mut picks: Vec<usize> = (0..target)
        .map(|index| whole(index as f64 * (count as f64 / target as f64)))
        .collect();
    if let Some(last) = picks.last_mut() {
        *last = count - 1;
    }
    picks
}

/// The part of the x axis that is drawn, and how finely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Left edge.
    pub from: f64,
    /// Right edge.
    pub to: f64,
    /// Width of the drawing; a point is drawn at the nearest of its `width_px + 1` pixel edges.
    pub width_px: usize,
    /// Columns are equal steps of log₁₀ x; then `from` must be positive.
    pub log_x: bool,
}

impl Window {
    /// The pixel column of an x within the window: the nearest of `0..=width_px`, as the page rounds when it draws.
    pub(crate) fn column(&self, x: f64) -> usize {
        let place = |x: f64| if self.log_x { x.log10() } else { x };
        let (from, to) = (place(self.from), place(self.to));
        // Halves keep the difference finite at the ends of the number line.
        let share = (place(x) / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0);
        if share.is_finite() {
            whole(share * self.width_px as f64 + 0.5).min(self.width_px)
        } else {
            0
        }
    }
}

/// Indices of the points to draw, ascending: at most four for each pixel column (six when a smoothed line is drawn too, whose
/// extremes are kept like those of the values), and one beyond each edge.
pub fn by_pixel(xs: &[f64], ys: &[f64], smooth: Option<&[f64]>, window: &Window) -> Vec<usize> {
    let start = xs.partition_point(|&x| x < window.from);
    let end = xs.partition_point(|&x| x <= window.to).max(start);
    let mut picks: Vec<usize> = start.checked_sub(1).into_iter().collect();
    let mut first = start;
    while let Some(&x) = xs.get(first).filter(|_| first < end) {
        let after = column_end(xs, first..end, window, window.column(x));
        let values = ys.get(first..after).unwrap_or_default();
        let smoothed = smooth.and_then(|smooth| smooth.get(first..after));
        keep_extremes(values, smoothed, first, &mut picks);
        first = after;
    }
    if end < xs.len() {
        picks.push(end);
    }
    picks
}

/// Where the points of a pixel column end, of which `span` starts with the first; looked for in growing steps.
fn column_end(xs: &[f64], span: Range<usize>, window: &Window, column: usize) -> usize {
    let mut known = span.start + 1;
    let mut step = 1;
    while known < span.end {
        let probe = (known + step).min(span.end);
        let part = xs.get(known..probe).unwrap_or_default();
        if part.last().is_some_and(|&x| window.column(x) > column) {
            return known + part.partition_point(|&x| window.column(x) <= column);
        }
        known = probe;
        step *= 4;
    }
    span.end
}

/// Picks the first, smallest, largest and last of some values, of which the first has the index `offset`, and the smallest and largest
/// of what they were smoothed to.
fn keep_extremes(values: &[f64], smooth: Option<&[f64]>, offset: usize, picks: &mut Vec<usize>) {
    let (min, max) = extremes(values);
    let (low, high) = smooth.map_or((min, max), extremes);
    let mut kept = [0, min, max, low, high, values.len().saturating_sub(1)];
    kept.sort_unstable();
    for index in kept.map(|index| index + offset) {
        if picks.last() != Some(&index) {
            picks.push(index);
        }
    }
}

/// Where the smallest and the largest value stand.
fn extremes(values: &[f64]) -> (usize, usize) {
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let position = |wanted: f64| {
        values
            .iter()
            .position(|value| value.to_bits() == wanted.to_bits())
            .unwrap_or(0)
    };
    (position(min), position(max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lttb_of(xs: &[f64], ys: &[f64], target: usize) -> Vec<usize> {
        lttb(xs.len(), target, |range, to_xs, to_ys| {
            *to_xs = xs[range.clone()].to_vec();
            *to_ys = ys[range].to_vec();
        })
    }

    /// The algorithm as the thesis writes it, point by point.
    fn textbook(xs: &[f64], ys: &[f64], target: usize) -> Vec<usize> {
        let (count, buckets) = (xs.len(), target - 2);
        let width = (count - 2) as f64 / buckets as f64;
        let edge = |bucket: usize| {
            if bucket == buckets {
                count - 1
            } else {
                whole(bucket as f64 * width) + 1
            }
        };
        let mut picks = vec![0];
        for bucket in 0..buckets {
            let a = *picks.last().unwrap();
            let next = edge(bucket + 1)..if bucket + 1 == buckets {
                count
            } else {
                edge(bucket + 2)
            };
            let size = next.len() as f64;
            let (cx, cy) = (
                xs[next.clone()].iter().sum::<f64>() / size,
                ys[next].iter().sum::<f64>() / size,
            );
            let area =
                |j: usize| ((xs[a] - cx) * (ys[j] - ys[a]) - (xs[a] - xs[j]) * (cy - ys[a])).abs();
            let mut best = edge(bucket);
            for j in edge(bucket)..edge(bucket + 1) {
                if area(j) > area(best) {
                    best = j;
                }
            }
            picks.push(best);
        }
        picks.push(count - 1);
        picks
    }

    #[test]
    fn downsampling_looks_at_the_first_bucket_and_never_repeats_the_last_row() {
        let xs: Vec<f64> = (0..1000).map(f64::from).collect();
        let mut ys = vec![0.0; 1000];
        ys[2] = 100.0;
        let picks = lttb_of(&xs, &ys, 100);
        assert_eq!(
            (picks.len(), picks[0], picks[1], picks[99]),
            (100, 0, 2, 999)
        );
        assert!(picks.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn rows_without_a_number_are_spread_evenly() {
        assert_eq!(spread(10, 4), [0, 2, 5, 9]);
        assert_eq!(spread(3, 4), [0, 1, 2]);
    }

    fn draw(ys: &[f64], width_px: usize) -> Vec<usize> {
        let xs: Vec<f64> = (0..ys.len()).map(|x| x as f64).collect();
        by_pixel(
            &xs,
            ys,
            None,
            &Window {
                from: 0.0,
                to: (ys.len() - 1) as f64,
                width_px,
                log_x: false,
            },
        )
    }

    #[test]
    fn every_pixel_column_keeps_its_first_smallest_largest_and_last_value() {
        let mut ys: Vec<f64> = (0..1000).map(|x| (f64::from(x) / 50.0).sin()).collect();
        ys[333] = 99.0;
        ys[334] = -99.0;
        let picks = draw(&ys, 10);
        for kept in [0, 333, 334, 999] {
            assert!(picks.contains(&kept), "{kept}");
        }
        assert!(picks.len() <= 44);
    }

    #[test]
    fn few_points_are_all_kept() {
        assert_eq!(draw(&[3.0, 1.0, 2.0], 100), [0, 1, 2]);
        assert_eq!(draw(&[1.0], 100), [0]);
    }

    #[test]
    fn a_window_keeps_one_point_beyond_each_edge() {
        let xs: Vec<f64> = (0..100).map(f64::from).collect();
        let picks = by_pixel(
            &xs,
            &xs,
            None,
            &Window {
                from: 10.0,
                to: 12.0,
                width_px: 100,
                log_x: false,
            },
        );
        assert_eq!(picks, [9, 10, 11, 12, 13]);
        let nothing_inside = by_pixel(
            &xs,
            &xs,
            None,
            &Window {
                from: 10.2,
                to: 10.4,
                width_px: 100,
                log_x: false,
            },
        );
        assert_eq!(nothing_inside, [10, 11]);
    }

    #[test]
    fn columns_of_a_log_axis_are_equal_steps_of_its_logarithm() {
        let window = Window {
            from: 1.0,
            to: 1000.0,
            width_px: 3,
            log_x: true,
        };
        assert_eq!(
            [1.0, 3.1, 3.2, 31.0, 32.0, 1000.0].map(|x| window.column(x)),
            [0, 0, 1, 1, 2, 3]
        );
    }

    #[test]
    fn equal_and_extreme_x_values_do_not_break_the_columns() {
        let window = Window {
            from: -f64::MAX,
            to: f64::MAX,
            width_px: 10,
            log_x: false,
        };
        assert_eq!(
            [-f64::MAX, 0.0, f64::MAX].map(|x| window.column(x)),
            [0, 5, 10]
        );
        let one = by_pixel(
            &[5.0; 1000],
            &[1.0; 1000],
            None,
            &Window {
                from: 5.0,
                to: 5.0,
                width_px: 10,
                log_x: false,
            },
        );
        assert_eq!(one, [0, 999]);
    }

    proptest! {
        #[test]
        fn each_pixel_column_keeps_its_own_extremes(
            ys in prop::collection::vec(-1e3..1e3, 1..2000), width_px in 1_usize..300, from in 0.0..0.5, share in 0.01..1.0
        ) {
            let xs: Vec<f64> = (0..ys.len()).map(|x| (x as f64).sqrt()).collect();
            let end = xs[xs.len() - 1];
            let window = Window { from: from * end, to: (from + share) * end + 1e-9, width_px, log_x: false };
            let smooth = crate::metrics::smooth::Smoothing::Ema(0.8).apply(&ys);
            let span = window.to - window.from;
            let extremes = |of: &[f64], picks: &[usize]| {
                let mut columns = std::collections::BTreeMap::new();
                for &at in picks.iter().filter(|&&at| xs[at] >= window.from && xs[at] <= window.to) {
                    let column = whole(((xs[at] - window.from) / span * width_px as f64).round());
                    let (low, high) = columns.entry(column).or_insert((f64::MAX, f64::MIN));
                    *low = of[at].min(*low);
                    *high = of[at].max(*high);
                }
                columns
            };
            let all: Vec<usize> = (0..ys.len()).collect();
            let raw = by_pixel(&xs, &ys, None, &window);
            prop_assert_eq!(extremes(&ys, &raw), extremes(&ys, &all));
            let both = by_pixel(&xs, &ys, Some(&smooth), &window);
            prop_assert_eq!(extremes(&ys, &both), extremes(&ys, &all));
            prop_assert_eq!(extremes(&smooth, &both), extremes(&smooth, &all));
        }

        #[test]
        fn downsampling_is_the_textbook_algorithm(ys in prop::collection::vec(-1e3..1e3, 10..400), target in 3_usize..50) {
            let xs: Vec<f64> = (0..ys.len()).map(|x| (x * x) as f64).collect();
            prop_assume!(ys.len() > target);
            prop_assert_eq!(lttb_of(&xs, &ys, target), textbook(&xs, &ys, target));
        }

        #[test]
        fn drawing_keeps_the_extremes_and_at_most_four_points_a_column(
            ys in prop::collection::vec(-1e3..1e3, 1..2000), width_px in 1_usize..300
        ) {
            let picks = draw(&ys, width_px);
            prop_assert!(picks.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(picks.len() <= 4 * (width_px + 1));
            let extreme = |pick: fn(f64, f64) -> f64, of: &mut dyn Iterator<Item = f64>| of.reduce(pick);
            prop_assert_eq!(extreme(f64::max, &mut picks.iter().map(|&at| ys[at])), extreme(f64::max, &mut ys.iter().copied()));
            prop_assert_eq!(extreme(f64::min, &mut picks.iter().map(|&at| ys[at])), extreme(f64::min, &mut ys.iter().copied()));
            prop_assert_eq!((picks[0], picks[picks.len() - 1]), (0, ys.len() - 1));
        }
    }
}
