//! One metric of a run over an axis, as a chart draws it: every recorded point counts, in file order; few enough come out.
//!
//! Points are put in the order of x (equal ones stay in file order), smoothed as a whole, and only then reduced to the window and the
//! pixels of the chart. NaN and infinities stand beside the curve as gap marks.

use super::axis::Axis;
use super::columns::Columns;
use super::group::ColumnId;
use super::names::TS;
use super::points::{Points, problem_of};
use super::smooth::Smoothing;

/// How a series is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesView {
    /// What it is drawn over.
    pub axis: Axis,
    /// Left edge of the window; the first point when absent.
    pub from: Option<f64>,
    /// Right edge of the window; the last point when absent.
    pub to: Option<f64>,
    /// Pixel columns of the chart.
    pub width_px: usize,
    /// Whether x is drawn by its logarithm; points at or below 0 are left out then.
    pub log_x: bool,
    /// How to smooth.
    pub smoothing: Option<Smoothing>,
}

/// A value that cannot be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonFinite {
    /// Not a number.
    Nan,
    /// Infinity.
    Infinity,
    /// Minus infinity.
    MinusInfinity,
}

impl NonFinite {
    pub(super) fn of(value: f64) -> Self {
        if value.is_nan() {
            Self::Nan
        } else if value > 0.0 {
            Self::Infinity
        } else {
            Self::MinusInfinity
        }
    }

    /// `nan`, `inf` or `-inf`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nan => "nan",
            Self::Infinity => "inf",
            Self::MinusInfinity => "-inf",
        }
    }
}

/// The last point of a series in file order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LastPoint {
    /// On the axis.
    pub x: f64,
    /// The value, finite or not.
    pub y: f64,
    /// Unix seconds.
    pub time: Option<f64>,
}

/// A series ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// How many points the whole series has on this axis, finite or not.
    pub points: u64,
    /// Smallest x of the whole series.
    pub x_from: Option<f64>,
    /// Largest x of the whole series.
    pub x_to: Option<f64>,
    /// Ascending.
    pub x: Vec<f64>,
    /// Finite, as long as `x`.
    pub y: Vec<f64>,
    /// As long as `x` when smoothing was asked for.
    pub smooth: Option<Vec<f64>>,
    /// Values within the window that cannot be drawn, by x; at most two of a kind in a pixel column. One stands beyond an edge
    /// where the line that runs there would cross a gap.
    pub non_finite: Vec<(f64, NonFinite)>,
    /// How many of those the whole series has.
    pub non_finite_points: u64,
    /// Whether every point of the window is given.
    pub exact: bool,
    /// The last point recorded.
    pub last: Option<LastPoint>,
    /// What a person should know about it.
    pub problem: Option<String>,
}

/// The rows of a run seen over one axis; several series share it.
#[derive(Debug)]
pub struct SeriesSource<'a> {
    columns: &'a Columns,
    view: &'a SeriesView,
    x: Vec<f64>,
}

impl<'a> SeriesSource<'a> {
    /// Prepares the axis.
    pub fn of(columns: &'a Columns, view: &'a SeriesView) -> Self {
        Self {
            columns,
            view,
            x: view.axis.values(columns),
        }
    }

    /// Smallest and largest x of a metric.
    pub fn extent(&self, metric: &str) -> Option<(f64, f64)> {
        let points = self.points(self.column(metric)?, 0);
        Some((points.edge(f64::min)?, points.edge(f64::max)?))
    }

    /// The series of a metric, reduced to the view; none of its points when the run has no such metric.
    pub fn whole(&self, metric: &str) -> Series {
        self.whole_over(metric, None)
    }

    /// The same; where the view says no edge it is that of `extent`, so that several runs share their pixel columns.
    pub fn whole_over(&self, metric: &str, extent: Option<(f64, f64)>) -> Series {
        let Some(column) = self.column(metric) else {
            return Series {
                exact: true,
                smooth: self.view.smoothing.map(|_| Vec::new()),
                ..Series::default()
            };
        };
        let mut points = self.points(column, 0);
        let last = self.last(&points);
        points.sort();
        let smooth = self
            .view
            .smoothing
            .map(|smoothing| smoothing.apply(&points.y));
        let mut series = self.describe(&points, last);
        self.draw(&points, smooth.as_deref(), extent, &mut series);
        series
    }

    /// Only the points in rows from `row` on, unreduced; `None` when they do not simply continue what was drawn before, or are many.
    pub fn appended(&self, metric: &str, row: u64) -> Option<Series> {
        let Some(column) = self.column(metric) else {
            return Some(self.whole(metric));
        };
        let points = self.points(column, row);
        let new = points.x.len() - points.old;
        let causal = self.view.smoothing.is_none_or(Smoothing::is_causal);
        if !points.ascending || new > 4 * self.view.width_px || (new > 0 && !causal) {
            return None;
        }
        let smooth = self
            .view
            .smoothing
            .map(|smoothing| smoothing.apply(&points.y));
        let mut series = self.describe(&points, self.last(&points));
        for index in points.old..points.x.len() {
            let (x, y) = (points.x[index], points.y[index]);
            if !self.view.from.is_none_or(|from| x >= from)
                || !self.view.to.is_none_or(|to| x <= to)
            {
                continue;
            }
            if y.is_finite() {
                series.x.push(x);
                series.y.push(y);
                if let (Some(smooth), Some(to)) = (&smooth, &mut series.smooth) {
                    to.push(smooth[index]);
                }
            } else {
                series.non_finite.push((x, NonFinite::of(y)));
            }
        }
        series.exact = true;
        Some(series)
    }

    fn column(&self, metric: &str) -> Option<ColumnId> {
        self.columns
            .names
            .find(metric)
            .filter(|&column| column != TS)
    }

    /// Every number of a column with its x, in file order; those in rows before `row` are counted as old.
    fn points(&self, column: ColumnId, row: u64) -> Points {
        let mut points = Points {
            ascending: true,
            ..Points::default()
        };
        for (group, &start) in self.columns.groups.iter().zip(&self.columns.starts) {
            let Some(chunk) = group.chunk(column) else {
                continue;
            };
            let xs = usize::try_from(start)
                .ok()
                .and_then(|start| self.x.get(start..))
                .unwrap_or_default();
            points.x.reserve(chunk.len as usize);
            points.y.reserve(chunk.len as usize);
            group.for_each(chunk, |at, cell| {
                if let (Some(y), Some(&x)) = (group.number(cell), xs.get(at as usize)) {
                    points.add(x, y, self.view.log_x);
                    points.last_row = start + u64::from(at);
                    if points.last_row < row {
                        points.old = points.x.len();
                    }
                }
            });
        }
        points
    }

    fn last(&self, points: &Points) -> Option<LastPoint> {
        let (&x, &y) = (points.x.last()?, points.y.last()?);
        let row = points.last_row;
        let mut reader = self.columns.reader(super::names::TIME);
        let time = reader
            .number(row)
            .or_else(|| self.columns.reader(TS).number(row));
        Some(LastPoint {
            x,
            y,
            time: time.filter(|time| time.is_finite()),
        })
    }

    fn describe(&self, points: &Points, last: Option<LastPoint>) -> Series {
        Series {
            points: points.x.len() as u64,
            x_from: points.edge(f64::min),
            x_to: points.edge(f64::max),
            smooth: self.view.smoothing.map(|_| Vec::new()),
            non_finite_points: points.non_finite,
            last,
            problem: problem_of(points.without_x, points.below_log),
            ..Series::default()
        }
    }

    /// Fills in what the window shows.
    fn draw(
        &self,
        points: &Points,
        smooth: Option<&[f64]>,
        extent: Option<(f64, f64)>,
        series: &mut Series,
    ) {
        let drawn = points.drawn(self.view, extent, smooth.as_slice());
        series.x = drawn.picks.iter().map(|&at| points.x[at]).collect();
        series.y = drawn.picks.iter().map(|&at| points.y[at]).collect();
        series.smooth = smooth.map(|smooth| drawn.picks.iter().map(|&at| smooth[at]).collect());
        series.non_finite = drawn.non_finite;
        series.exact = drawn.exact;
    }

    /// Every number of a metric in the order of x; nothing where the run does not have it.
    pub(super) fn sorted(&self, metric: &str) -> Points {
        let mut points = self
            .column(metric)
            .map_or_else(Points::default, |column| self.points(column, 0));
        points.sort();
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::hostile::columns_of;

    fn view(axis: &str) -> SeriesView {
        SeriesView {
            axis: Axis::parse(axis).unwrap(),
            from: None,
            to: None,
            width_px: 1000,
            log_x: false,
            smoothing: None,
        }
    }

    fn points(columns: &Columns, metric: &str, view: &SeriesView) -> Vec<(f64, f64)> {
        let series = SeriesSource::of(columns, view).whole(metric);
        series.x.into_iter().zip(series.y).collect()
    }

    #[test]
    fn every_point_is_kept_duplicates_and_steps_that_go_back_included() {
        let columns = columns_of(&[
            r#"{"loss":1.0,"global_step":1}"#,
            r#"{"loss":3.0,"global_step":3}"#,
            r#"{"loss":30,"global_step":3}"#,
            r#"{"loss":2.0,"global_step":2}"#,
            r#"{"acc":9.0,"global_step":4}"#,
            r#"{"loss":true,"global_step":5}"#,
        ]);
        let expected = [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (3.0, 30.0), (5.0, 1.0)];
        assert_eq!(points(&columns, "loss", &view("step")), expected);
        let series = SeriesSource::of(&columns, &view("step")).whole("loss");
        assert_eq!(
            (series.points, series.x_from, series.x_to, series.exact),
            (5, Some(1.0), Some(5.0), true)
        );
        assert_eq!(
            series.last,
            Some(LastPoint {
                x: 5.0,
                y: 1.0,
                time: Some(1.5)
            }),
            "the last one in the file"
        );
    }

    #[test]
    fn nan_and_infinities_are_gap_marks_beside_the_curve() {
        let columns = columns_of(&[
            r#"{"loss":1.0,"global_step":1}"#,
            r#"{"loss":NaN,"global_step":2}"#,
            r#"{"loss":-Infinity,"global_step":3}"#,
            r#"{"loss":Infinity,"global_step":4}"#,
            r#"{"loss":"text","global_step":5}"#,
            r#"{"loss":null,"global_step":6}"#,
            r#"{"loss":2.0,"global_step":7}"#,
        ]);
        let series = SeriesSource::of(&columns, &view("step")).whole("loss");
        assert_eq!((series.x, series.y), (vec![1.0, 7.0], vec![1.0, 2.0]));
        assert_eq!(
            series.non_finite,
            [
                (2.0, NonFinite::Nan),
                (3.0, NonFinite::MinusInfinity),
                (4.0, NonFinite::Infinity)
            ]
        );
        assert_eq!(
            (series.points, series.non_finite_points, series.exact),
            (5, 3, true)
        );
    }

    #[test]
    fn many_gap_marks_are_thinned_out_too() {
        let data: Vec<String> = (0..5000)
            .map(|step| format!(r#"{{"loss":NaN,"global_step":{step}}}"#))
            .collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        let columns = columns_of(&data);
        let series = SeriesSource::of(
            &columns,
            &SeriesView {
                width_px: 10,
                ..view("step")
            },
        )
        .whole("loss");
        assert_eq!(
            (
                series.non_finite.len(),
                series.non_finite_points,
                series.exact
            ),
            (22, 5000, false)
        );
        assert_eq!(
            (series.non_finite[0].0, series.non_finite[21].0),
            (0.0, 4999.0)
        );
    }

    #[test]
    fn a_gap_just_beyond_the_window_is_told_so_that_no_line_crosses_it() {
        let columns = columns_of(&[
            r#"{"loss":1.0,"global_step":1}"#,
            r#"{"loss":NaN,"global_step":2}"#,
            r#"{"loss":3.0,"global_step":10}"#,
            r#"{"loss":Infinity,"global_step":15}"#,
            r#"{"loss":4.0,"global_step":16}"#,
        ]);
        let view = SeriesView {
            from: Some(5.0),
            to: Some(12.0),
            ..view("step")
        };
        let series = SeriesSource::of(&columns, &view).whole("loss");
        assert_eq!(series.x, [1.0, 10.0, 16.0]);
        assert_eq!(
            series.non_finite,
            [(2.0, NonFinite::Nan), (15.0, NonFinite::Infinity)]
        );
        assert!(series.exact);
    }

    #[test]
    fn several_runs_share_the_pixel_columns_of_one_chart() {
        let columns = sawtooth(1000);
        let view = SeriesView {
            width_px: 100,
            ..view("step")
        };
        let source = SeriesSource::of(&columns, &view);
        assert_eq!(source.extent("loss"), Some((0.0, 999.0)));
        assert_eq!(source.extent("nothing"), None);
        let wide = source.whole_over("loss", Some((0.0, 9990.0)));
        let zoomed = SeriesView {
            from: Some(0.0),
            to: Some(9990.0),
            ..view.clone()
        };
        assert_eq!(wide, SeriesSource::of(&columns, &zoomed).whole("loss"));
        assert!(wide.x.len() <= 44);
    }

    #[test]
    fn each_axis_gives_its_x() {
        let columns = columns_of(&[
            r#"{"loss":1,"epoch":0,"lr":0.5,"global_step":10,"time":100.0}"#,
            r#"{"loss":2,"global_step":20}"#,
            r#"{"loss":3,"epoch":1,"global_step":30,"time":103.5}"#,
            r#"{"lr":0.25,"global_step":30,"time":104.0}"#,
            r#"{"loss":4,"global_step":30,"time":105.0}"#,
        ]);
        let x = |axis: &str| {
            points(&columns, "loss", &view(axis))
                .into_iter()
                .map(|(x, _)| x)
                .collect::<Vec<_>>()
        };
        assert_eq!(x("step"), [10.0, 20.0, 30.0, 30.0]);
        assert_eq!(x("relative_step"), [0.0, 10.0, 20.0, 20.0]);
        assert_eq!(
            x("wall_time"),
            [1.5, 100.0, 103.5, 105.0],
            "the line's ts where the data has no time"
        );
        assert_eq!(x("relative_time"), [-98.5, 0.0, 3.5, 5.0]);
        assert_eq!(
            x("metric:epoch"),
            [0.0, 1.0, 1.0],
            "a row shares what its step recorded before"
        );
        assert_eq!(x("metric:lr"), [0.25, 0.5]);
        assert_eq!(x("metric:nothing"), [0.0; 0]);
        let series = SeriesSource::of(&columns, &view("metric:lr")).whole("loss");
        assert_eq!(
            series.problem.as_deref(),
            Some("2 points have no value on this axis")
        );
        assert_eq!(Axis::parse("date"), None);
    }

    #[test]
    fn a_logarithmic_axis_leaves_out_what_it_cannot_show_and_says_so() {
        let columns = columns_of(&[
            r#"{"loss":1,"global_step":0}"#,
            r#"{"loss":2,"global_step":1}"#,
            r#"{"loss":3,"global_step":100}"#,
        ]);
        let view = SeriesView {
            log_x: true,
            from: Some(0.0),
            ..view("step")
        };
        assert_eq!(points(&columns, "loss", &view), [(1.0, 2.0), (100.0, 3.0)]);
        let series = SeriesSource::of(&columns, &view).whole("loss");
        assert_eq!(
            series.problem.as_deref(),
            Some("1 points are not above 0 on a logarithmic axis")
        );
    }

    fn sawtooth(count: usize) -> Columns {
        let data: Vec<String> = (0..count)
            .map(|step| {
                format!(
                    r#"{{"loss":{}.5,"global_step":{step}}}"#,
                    step * 7919 % 1009
                )
            })
            .collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        columns_of(&data)
    }

    #[test]
    fn zooming_shows_the_same_smoothed_values() {
        let columns = sawtooth(5000);
        for smoothing in [
            Smoothing::Ema(0.9),
            Smoothing::Gaussian(5.0),
            Smoothing::RunningMean(50),
        ] {
            let whole = SeriesView {
                smoothing: Some(smoothing),
                width_px: 5000,
                ..view("step")
            };
            let zoomed = SeriesView {
                from: Some(1000.0),
                to: Some(1100.0),
                ..whole.clone()
            };
            let all = SeriesSource::of(&columns, &whole).whole("loss");
            let part = SeriesSource::of(&columns, &zoomed).whole("loss");
            let all_smooth = all.smooth.unwrap();
            assert!(part.x.len() > 100);
            for (x, smooth) in part.x.iter().zip(part.smooth.unwrap()) {
                let at = all
                    .x
                    .iter()
                    .position(|other| other.to_bits() == x.to_bits())
                    .unwrap();
                assert_eq!(all_smooth[at].to_bits(), smooth.to_bits());
            }
        }
    }

    #[test]
    fn the_same_bytes_give_the_same_picture() {
        let columns = sawtooth(20_000);
        let view = SeriesView {
            width_px: 300,
            smoothing: Some(Smoothing::Ema(0.6)),
            ..view("step")
        };
        let first = SeriesSource::of(&columns, &view).whole("loss");
        assert_eq!(first, SeriesSource::of(&columns, &view).whole("loss"));
        assert!(!first.exact && first.x.len() <= 6 * 301 && first.points == 20_000);
    }

    #[test]
    fn what_was_appended_continues_the_curve_and_nothing_else_travels() {
        let before = sawtooth(500);
        let after = sawtooth(520);
        let view = SeriesView {
            smoothing: Some(Smoothing::Ema(0.5)),
            ..view("step")
        };
        let new = SeriesSource::of(&after, &view)
            .appended("loss", before.rows())
            .unwrap();
        let whole = SeriesSource::of(&after, &view).whole("loss");
        assert_eq!(new.x, whole.x[500..]);
        assert_eq!(new.y, whole.y[500..]);
        assert_eq!(new.smooth.unwrap(), whole.smooth.unwrap()[500..]);
        assert_eq!(new.points, 520);
        let nothing = SeriesSource::of(&after, &view)
            .appended("loss", after.rows())
            .unwrap();
        assert!(nothing.x.is_empty() && nothing.last.is_some());
    }

    #[test]
    fn points_that_change_what_was_drawn_ask_for_the_whole_curve() {
        let columns = columns_of(&[
            r#"{"loss":1,"global_step":5}"#,
            r#"{"loss":2,"global_step":3}"#,
            r#"{"loss":3,"global_step":6}"#,
        ]);
        let step = view("step");
        let source = SeriesSource::of(&columns, &step);
        assert_eq!(source.appended("loss", 1), None, "a step went back");
        let smooth = SeriesView {
            smoothing: Some(Smoothing::RunningMean(3)),
            ..view("step")
        };
        assert_eq!(
            SeriesSource::of(&sawtooth(10), &smooth).appended("loss", 9),
            None,
            "the mean before the new point is another"
        );
        let narrow = SeriesView {
            width_px: 2,
            ..view("step")
        };
        assert_eq!(
            SeriesSource::of(&sawtooth(100), &narrow).appended("loss", 10),
            None,
            "more than the chart can show"
        );
    }

    #[test]
    fn an_unknown_metric_is_an_empty_series() {
        let columns = sawtooth(3);
        let series = SeriesSource::of(&columns, &view("step")).whole("nothing");
        assert_eq!((series.points, series.x.len(), series.last), (0, 0, None));
        assert_eq!(
            SeriesSource::of(&columns, &view("step")).whole("").points,
            0,
            "the unnamed column cannot be asked for"
        );
    }
}
