//! Where a moment lies on an axis, and which moment a place on an axis is: from a spike in a chart to the lines of a log and back.

use super::axis::{Axis, times};
use super::columns::Columns;
use super::names::TS;

/// What is known of the row that is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Near {
    /// Its place on the axis.
    X(f64),
    /// Its time, in Unix seconds.
    Time(f64),
}

/// A recorded row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// On the axis.
    pub x: f64,
    /// Unix seconds.
    pub time: f64,
}

impl Moment {
    /// The row nearest to a place or a time, of several the last one recorded; only rows with both count, and only those with a number for
    /// `metric`, when one is named.
    pub fn find(columns: &Columns, metric: Option<&str>, axis: &Axis, near: Near) -> Option<Self> {
        let xs = axis.values(columns);
        let times = times(columns);
        let mut best: Option<(f64, Self)> = None;
        let mut look = |row: usize| {
            let (Some(&x), Some(&time)) = (xs.get(row), times.get(row)) else {
                return;
            };
            let gap = match near {
                Near::X(wanted) => (x - wanted).abs(),
                Near::Time(wanted) => (time - wanted).abs(),
            };
            if x.is_finite() && time.is_finite() && best.is_none_or(|(least, _)| gap <= least) {
                best = Some((gap, Self { x, time }));
            }
        };
        let Some(metric) = metric else {
            (0..xs.len()).for_each(look);
            return best.map(|(_, moment)| moment);
        };
        let column = columns.names.find(metric).filter(|&column| column != TS)?;
        for (group, &start) in columns.groups.iter().zip(&columns.starts) {
            let Some(chunk) = group.chunk(column) else {
                continue;
            };
            group.for_each(chunk, |at, cell| {
                if group.number(cell).is_some()
                    && let Ok(row) = usize::try_from(start + u64::from(at))
                {
                    look(row);
                }
            });
        }
        best.map(|(_, moment)| moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::tail::MetricTail;
    use std::io::Write;

    fn columns() -> std::sync::Arc<Columns> {
        let mut file = tempfile::tempfile().unwrap();
        for (ts, data) in [
            (100, r#"{"loss":1,"global_step":0}"#),
            (110, r#"{"loss":2,"global_step":5}"#),
            (112, r#"{"lr":2,"global_step":5}"#),
            (120, r#"{"loss":3,"global_step":10}"#),
            (130, r#"{"loss":3,"global_step":5}"#),
        ] {
            writeln!(file, r#"{{"ts":{ts},"type":"metrics","data":{data}}}"#).unwrap();
        }
        let mut tail = MetricTail::default();
        tail.refresh(&file).unwrap();
        tail.columns
    }

    #[track_caller]
    fn check(metric: Option<&str>, axis: &str, near: Near, expected: (f64, f64)) {
        let axis = Axis::parse(axis).unwrap();
        let found = Moment::find(&columns(), metric, &axis, near).unwrap();
        assert_eq!((found.x, found.time), expected);
    }

    #[test]
    fn a_place_has_a_time_and_a_time_a_place() {
        check(Some("loss"), "step", Near::X(9.0), (10.0, 120.0));
        check(Some("lr"), "step", Near::X(0.0), (5.0, 112.0));
        check(Some("loss"), "relative_time", Near::X(11.0), (10.0, 110.0));
        check(Some("loss"), "step", Near::Time(113.0), (5.0, 110.0));
        check(None, "step", Near::Time(113.0), (5.0, 112.0));
        check(None, "wall_time", Near::Time(1e9), (130.0, 130.0));
    }

    #[test]
    fn of_a_step_recorded_twice_the_last_counts() {
        check(Some("loss"), "step", Near::X(5.0), (5.0, 130.0));
    }

    #[test]
    fn without_rows_there_is_no_moment() {
        let axis = Axis::Step;
        let near = Near::X(1.0);
        assert_eq!(Moment::find(&Columns::default(), None, &axis, near), None);
        assert_eq!(Moment::find(&columns(), Some("nope"), &axis, near), None);
    }
}
