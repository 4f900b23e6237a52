//! The mean of a metric over the runs of a group, with a band around it. Computed from every point, never from what a chart draws; smoothed as a
//! whole and reduced last, like any series.
//!
//! **The rule.** The mean stands at every x at which any run of the group has a point. A run takes part from its first point to its last one, with
//! the latest value it had there: runs that log at other steps neither drop out between two of their points nor live on after their last one. Of
//! several points of a run at one x the last recorded counts. NaN and infinities are no values: a run that has one is left out until its next
//! number, and where no run is left the mean has a gap.

use super::columns::Columns;
use super::points::{Points, problem_of};
use super::series::{LastPoint, Series, SeriesSource, SeriesView};

/// What the band around a mean shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Band {
    /// From the smallest to the largest value.
    Range,
    /// One standard error of the mean to either side: the standard deviation of the sample over the square root of the number of runs. A run
    /// alone has none.
    StandardError,
}

/// A mean ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeanSeries {
    /// Runs that have the metric.
    pub runs: u64,
    /// The mean; its points are those of the mean, its non-finite ones the gaps.
    pub series: Series,
    /// Lower edge of the band, as long as `series.x`; smoothed as the mean is.
    pub low: Vec<f64>,
    /// Upper edge.
    pub high: Vec<f64>,
}

/// The mean of each metric over these runs. Where the view says no edge it is that of `extents`, in the order of `metrics`, so that all that
/// stands in a chart shares its pixel columns.
pub fn means(
    runs: &[&Columns],
    metrics: &[String],
    view: &SeriesView,
    band: Band,
    extents: &[Option<(f64, f64)>],
) -> Vec<MeanSeries> {
    let mut groups: Vec<Group> = metrics.iter().map(|_| Group::default()).collect();
    // Twice over the runs, so that the points of one are in memory at a time.
    for columns in runs {
        let source = SeriesSource::of(columns, view);
        for (group, metric) in groups.iter_mut().zip(metrics) {
            group.meet(&source.sorted(metric));
        }
    }
    for group in &mut groups {
        group.values = vec![Values::default(); group.places.len()];
    }
    for columns in runs {
        let source = SeriesSource::of(columns, view);
        for (group, metric) in groups.iter_mut().zip(metrics) {
            group.add(&source.sorted(metric));
        }
    }
    let extents = extents.iter().copied().chain(std::iter::repeat(None));
    groups
        .into_iter()
        .zip(extents)
        .map(|(group, extent)| group.series(view, band, extent))
        .collect()
}

/// One metric of a group while its runs are gone through.
#[derive(Default)]
struct Group {
    runs: u64,
    /// Every x of any run, ascending, each once.
    places: Vec<f64>,
    values: Vec<Values>,
    without_x: u64,
    below_log: u64,
}

/// What the runs that take part at one x add up to.
#[derive(Clone, Copy, Default)]
struct Values {
    count: u32,
    sum: f64,
    min: f64,
    max: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl Values {
    fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum += value;
        if self.count == 1 {
            (self.min, self.max) = (value, value);
            return;
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        // Youngs and Cramer: no difference of large squares.
        let count = f64::from(self.count);
        self.squares += (count * value - self.sum).powi(2) / (count * (count - 1.0));
    }

    fn mean(&self) -> f64 {
        if self.count == 0 {
            f64::NAN
        } else {
            self.sum / f64::from(self.count)
        }
    }

    /// The edges of the band; the mean itself where they would be no numbers.
    fn band(&self, band: Band) -> (f64, f64) {
        let mean = self.mean();
        let (low, high) = match band {
            Band::Range => (self.min, self.max),
            Band::StandardError if self.count > 1 => {
                let count = f64::from(self.count);
                let error = (self.squares / (count - 1.0) / count).sqrt();
                (mean - error, mean + error)
            }
            Band::StandardError => (mean, mean),
        };
        if low.is_finite() && high.is_finite() {
            (low, high)
        } else {
            (mean, mean)
        }
    }
}

impl Group {
    fn meet(&mut self, points: &Points) {
        self.runs += u64::from(!points.x.is_empty());
        self.without_x += points.without_x;
        self.below_log += points.below_log;
        self.places = union(std::mem::take(&mut self.places), &points.x);
    }

    fn add(&mut self, points: &Points) {
        let (Some(&first), Some(&last)) = (points.x.first(), points.x.last()) else {
            return;
        };
        let start = self.places.partition_point(|&place| place < first);
        let mut next = 0;
        let mut value = f64::NAN;
        for (&place, values) in self.places.iter().zip(&mut self.values).skip(start) {
            if place > last {
                break;
            }
            while let Some(&y) = points
                .y
                .get(next)
                .filter(|_| points.x.get(next).is_some_and(|&x| x <= place))
            {
                value = y;
                next += 1;
            }
            if value.is_finite() {
                values.add(value);
            }
        }
    }

    fn series(self, view: &SeriesView, band: Band, extent: Option<(f64, f64)>) -> MeanSeries {
        let y: Vec<f64> = self.values.iter().map(Values::mean).collect();
        let non_finite = y.iter().filter(|y| !y.is_finite()).count() as u64;
        let (mut low, mut high): (Vec<f64>, Vec<f64>) =
            self.values.iter().map(|values| values.band(band)).unzip();
        let smooth = view.smoothing.map(|smoothing| {
            low = smoothing.apply(&low);
            high = smoothing.apply(&high);
            smoothing.apply(&y)
        });
        let points = Points {
            x: self.places,
            y,
            ascending: true,
            non_finite,
            ..Points::default()
        };
        let drawn = points.drawn(view, extent, &[&low, &high]);
        let of = |values: &[f64]| drawn.picks.iter().map(|&at| values[at]).collect();
        let last = points.x.last().zip(points.y.last());
        MeanSeries {
            runs: self.runs,
            low: of(&low),
            high: of(&high),
            series: Series {
                points: points.x.len() as u64,
                x_from: points.edge(f64::min),
                x_to: points.edge(f64::max),
                x: of(&points.x),
                y: of(&points.y),
                smooth: smooth.map(|smooth| of(&smooth)),
                non_finite: drawn.non_finite,
                non_finite_points: non_finite,
                exact: drawn.exact,
                last: last.map(|(&x, &y)| LastPoint { x, y, time: None }),
                problem: problem_of(self.without_x, self.below_log),
            },
        }
    }
}

/// Both ascending lists as one, each number once.
fn union(known: Vec<f64>, more: &[f64]) -> Vec<f64> {
    let mut distinct = more.to_vec();
    distinct.dedup();
    if known == distinct || distinct.is_empty() {
        return known;
    }
    let mut all = Vec::with_capacity(known.len() + distinct.len());
    let mut rest = distinct.into_iter().peekable();
    for place in known {
        while let Some(before) = rest.next_if(|&x| x < place) {
            all.push(before);
        }
        rest.next_if(|&x| x <= place);
        all.push(place);
    }
    all.extend(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Axis;
    use crate::metrics::hostile::columns_of;
    use crate::metrics::smooth::Smoothing;
    use proptest::prelude::*;

    fn view() -> SeriesView {
        SeriesView {
            axis: Axis::Step,
            from: None,
            to: None,
            width_px: 8192,
            log_x: false,
            smoothing: None,
        }
    }

    /// A run that logged `loss` at these steps; text such as `NaN` stands as it is.
    fn run<Value: std::fmt::Display>(points: &[(i64, Value)]) -> Columns {
        let lines: Vec<String> = points
            .iter()
            .map(|(step, value)| format!(r#"{{"loss":{value},"global_step":{step}}}"#))
            .collect();
        columns_of(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn mean_of(runs: &[Columns], view: &SeriesView, band: Band) -> MeanSeries {
        let runs: Vec<&Columns> = runs.iter().collect();
        means(&runs, &["loss".to_owned()], view, band, &[]).remove(0)
    }

    #[test]
    fn it_is_the_mean_at_every_step_with_the_smallest_and_largest_value_around_it() {
        let runs = [
            run(&[(1, 1.0), (2, 2.0), (3, 6.0)]),
            run(&[(1, 3.0), (2, 4.0), (3, 3.0)]),
        ];
        let mean = mean_of(&runs, &view(), Band::Range);
        assert_eq!(mean.runs, 2);
        assert_eq!(mean.series.x, [1.0, 2.0, 3.0]);
        assert_eq!(mean.series.y, [2.0, 3.0, 4.5]);
        assert_eq!(mean.low, [1.0, 2.0, 3.0]);
        assert_eq!(mean.high, [3.0, 4.0, 6.0]);
        assert!(mean.series.exact);
    }

    #[test]
    fn a_run_takes_part_from_its_first_to_its_last_point_with_its_latest_value() {
        let runs = [
            run(&[(0, 10.0), (4, 20.0)]),
            run(&[(2, 2.0), (6, 4.0), (8, 6.0)]),
        ];
        let mean = mean_of(&runs, &view(), Band::Range);
        assert_eq!(mean.series.x, [0.0, 2.0, 4.0, 6.0, 8.0]);
        // 10; 10 and 2; 20 and 2; 4 alone, the first run has ended; 6.
        assert_eq!(mean.series.y, [10.0, 6.0, 11.0, 4.0, 6.0]);
    }

    #[test]
    fn of_several_points_at_one_step_the_last_recorded_counts_once() {
        let runs = [
            run(&[(1, 1.0), (1, 5.0), (3, 1.0), (2, 2.0), (2, 8.0)]),
            run(&[(1, 1.0), (2, 2.0), (3, 3.0)]),
        ];
        assert_eq!(
            mean_of(&runs, &view(), Band::Range).series.y,
            [3.0, 5.0, 2.0]
        );
    }

    #[test]
    fn numbers_that_are_none_are_left_out_and_leave_a_gap_where_no_run_is_left() {
        let runs = [
            run(&[(1, "1.0"), (2, "NaN"), (3, "Infinity"), (4, "4.0")]),
            run(&[(1, "3.0"), (2, "5.0"), (3, "NaN"), (4, "8.0")]),
        ];
        let mean = mean_of(&runs, &view(), Band::StandardError);
        assert_eq!(mean.series.x, [1.0, 2.0, 4.0]);
        assert_eq!(mean.series.y, [2.0, 5.0, 6.0]);
        assert_eq!(
            mean.series.non_finite,
            [(3.0, crate::metrics::series::NonFinite::Nan)]
        );
        assert_eq!(
            (mean.low[1], mean.high[1]),
            (5.0, 5.0),
            "a run alone has no error"
        );
    }

    #[test]
    fn the_standard_error_is_that_of_the_sample() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let runs: Vec<Columns> = values.iter().map(|&value| run(&[(1, value)])).collect();
        let mean = mean_of(&runs, &view(), Band::StandardError);
        // Squared distances from 5 add up to 32.
        let error = (32.0_f64 / 7.0 / 8.0).sqrt();
        assert!((mean.low[0] - (5.0 - error)).abs() < 1e-12);
        assert!((mean.high[0] - (5.0 + error)).abs() < 1e-12);
    }

    #[test]
    fn over_the_x_axis_of_its_chart_it_is_what_it_is_in_a_window_of_that_axis() {
        let steps: Vec<(i64, f64)> = (0..5000).map(|step| (step, (step % 7) as f64)).collect();
        let narrow = SeriesView {
            width_px: 50,
            ..view()
        };
        let columns = run(&steps);
        let wide = means(
            &[&columns],
            &["loss".to_owned()],
            &narrow,
            Band::Range,
            &[Some((0.0, 20_000.0))],
        );
        let zoomed = SeriesView {
            from: Some(0.0),
            to: Some(20_000.0),
            ..narrow
        };
        let own = mean_of(&[run(&steps)], &zoomed, Band::Range);
        assert_eq!(wide[0], own);
        assert!(wide[0].series.x.len() < 5000);
    }

    #[test]
    fn it_is_smoothed_as_a_whole_and_reduced_after_that() {
        let long = |shift: f64| -> Columns {
            run(&(0..5000)
                .map(|step| (step, f64::from(u32::try_from(step).unwrap() % 7) + shift))
                .collect::<Vec<_>>())
        };
        let runs = [long(0.0), long(10.0)];
        let smoothed = |width_px| SeriesView {
            width_px,
            smoothing: Some(Smoothing::Ema(0.9)),
            ..view()
        };
        let whole = mean_of(&runs, &smoothed(8192), Band::Range);
        let few = mean_of(&runs, &smoothed(20), Band::Range);
        assert!(whole.series.exact && !few.series.exact);
        assert!(few.series.x.len() <= 240, "{}", few.series.x.len());
        let means: Vec<f64> = (0..5000).map(|step| f64::from(step % 7) + 5.0).collect();
        let expected = Smoothing::Ema(0.9).apply(&means);
        for (x, smooth) in few.series.x.iter().zip(few.series.smooth.unwrap()) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let at = *x as usize;
            assert!((smooth - expected[at]).abs() < 1e-9, "{x}");
        }
        assert_eq!(whole.series.smooth.unwrap().len(), 5000);
    }

    #[test]
    fn a_spike_of_one_run_is_in_the_band_however_few_pixels_there_are() {
        let flat: Vec<(i64, f64)> = (0..10_000).map(|step| (step, 1.0)).collect();
        let mut spiked = flat.clone();
        spiked[4321].1 = -500.0;
        let narrow = SeriesView {
            width_px: 10,
            ..view()
        };
        let mean = mean_of(
            &[run(&flat), run(&spiked), run(&flat)],
            &narrow,
            Band::Range,
        );
        assert!(mean.low.contains(&-500.0));
        let lowest = mean.series.y.iter().copied().fold(1.0, f64::min);
        assert!((lowest + 166.0).abs() < 1e-12);
    }

    #[test]
    fn runs_without_the_metric_change_nothing_and_no_run_gives_no_points() {
        let other = columns_of(&[r#"{"acc":1.0,"global_step":9}"#]);
        let mean = mean_of(&[run(&[(1, 2.0)]), other], &view(), Band::Range);
        assert_eq!((mean.runs, &mean.series.y[..]), (1, &[2.0][..]));
        let none = mean_of(&[], &view(), Band::Range);
        assert_eq!(
            (none.runs, none.series.points, none.series.exact),
            (0, 0, true)
        );
    }

    #[test]
    fn the_largest_numbers_give_a_gap_and_never_a_panic() {
        let runs = [run(&[(1, f64::MAX)]), run(&[(1, f64::MAX)])];
        let mean = mean_of(&runs, &view(), Band::StandardError);
        assert_eq!((mean.series.x.len(), mean.series.non_finite.len()), (0, 1));
    }

    /// The same rule, place by place and run by run.
    fn by_hand(runs: &[Vec<(i64, f64)>]) -> Vec<(f64, f64, f64, f64)> {
        let mut steps: Vec<i64> = runs.iter().flatten().map(|point| point.0).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
            .into_iter()
            .map(|step| {
                let taking_part: Vec<f64> = runs
                    .iter()
                    .filter(|run| run.iter().any(|point| point.0 >= step))
                    .filter_map(|run| {
                        let latest = run.iter().map(|point| point.0).filter(|&at| at <= step);
                        let latest = latest.max()?;
                        run.iter().rfind(|point| point.0 == latest)
                    })
                    .map(|point| point.1)
                    .collect();
                let count = taking_part.len() as f64;
                let mean = taking_part.iter().sum::<f64>() / count;
                let squares: f64 = taking_part.iter().map(|value| (value - mean).powi(2)).sum();
                let error = if count > 1.0 {
                    (squares / (count - 1.0) / count).sqrt()
                } else {
                    0.0
                };
                let min = taking_part.iter().copied().fold(f64::INFINITY, f64::min);
                #[expect(clippy::cast_precision_loss)]
                (step as f64, mean, error, min)
            })
            .collect()
    }

    proptest! {
        #[test]
        fn any_runs_have_the_mean_that_is_found_by_hand(
            runs in prop::collection::vec(prop::collection::vec((0_i64..40, -1e6..1e6_f64), 0..30), 0..6)
        ) {
            let columns: Vec<Columns> = runs.iter().map(|points| run(points)).collect();
            let range = mean_of(&columns, &view(), Band::Range);
            let error = mean_of(&columns, &view(), Band::StandardError);
            let expected = by_hand(&runs);
            prop_assert_eq!(range.series.x.len(), expected.len());
            for (at, (x, mean, wide, min)) in expected.into_iter().enumerate() {
                prop_assert_eq!(range.series.x[at].to_bits(), x.to_bits());
                prop_assert!((range.series.y[at] - mean).abs() < 1e-6);
                prop_assert!((error.high[at] - (mean + wide)).abs() < 1e-6);
                prop_assert!((range.low[at] - min).abs() < 1e-12);
            }
        }
    }
}
