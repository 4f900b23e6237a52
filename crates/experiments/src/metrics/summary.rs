//! What metrics a run has, and their extremes: the list that a page of charts starts from.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::columns::Columns;
use super::group::{ChunkStats, ColumnId, RowGroup};
use super::names::{EPOCH, GLOBAL_STEP, STEP, TIME, TS};

/// Below this a second thread costs more than it brings.
const WORTH_TWO_THREADS: usize = 100_000;

/// One numeric metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricSummary {
    /// Its name.
    pub name: String,
    /// Numbers recorded, finite or not.
    pub points: u64,
    /// Of those, NaN and infinities.
    pub non_finite: u64,
    /// Smallest finite value.
    pub min: Option<f64>,
    /// Largest finite value.
    pub max: Option<f64>,
    /// The last number in file order, finite or not.
    pub last: Option<f64>,
    /// Step of the first number.
    pub first_step: Option<f64>,
    /// Step of the last number.
    pub last_step: Option<f64>,
    /// Unix seconds of the first number.
    pub first_time: Option<f64>,
    /// Unix seconds of the last number.
    pub last_time: Option<f64>,
}

/// The metrics of a run, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunMetrics {
    /// Columns that hold numbers.
    pub metrics: Vec<MetricSummary>,
    /// Columns that hold texts only.
    pub texts: Vec<String>,
    /// Columns that are no metrics but serve as x: `epoch`.
    pub axes: Vec<String>,
}

impl RunMetrics {
    /// Looks through all columns; `global_step`, `step`, `epoch` and `time` are no metrics.
    pub fn of(columns: &Columns) -> Self {
        count_by_two_threads(&columns.groups);
        let mut sums: Vec<Option<Sum>> = vec![None; columns.names.len()];
        for (number, group) in columns.groups.iter().enumerate() {
            for (chunk, stats) in group.chunks.iter().zip(group.stats()) {
                sums[chunk.column as usize]
                    .get_or_insert_default()
                    .add(number, stats);
            }
        }
        let mut found = Self::default();
        for (column, name) in columns.names.iter() {
            let Some(sum) = sums[column as usize] else {
                continue;
            };
            match column {
                TS | GLOBAL_STEP | STEP | TIME => (),
                EPOCH => found.axes.extend((sum.points > 0).then(|| name.to_owned())),
                _ if sum.points > 0 => found.metrics.push(sum.describe(columns, column, name)),
                _ if sum.texts => found.texts.push(name.to_owned()),
                _ => (),
            }
        }
        found.metrics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        found.texts.sort_unstable();
        found
    }
}

/// Has the groups count their columns, on two threads when that is much work.
fn count_by_two_threads(groups: &[Arc<RowGroup>]) {
    let cells: usize = groups.iter().map(|group| group.cells.len()).sum();
    if cells < WORTH_TWO_THREADS {
        return; // counted where they are asked
    }
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            group.stats();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
}

#[derive(Clone, Copy, Default)]
struct Sum {
    points: u64,
    non_finite: u64,
    texts: bool,
    min: Option<f64>,
    max: Option<f64>,
    first_group: usize,
    last_group: usize,
}

impl Sum {
    fn add(&mut self, group: usize, stats: &ChunkStats) {
        self.texts |= stats.texts;
        if stats.points == 0 {
            return;
        }
        if self.points == 0 {
            self.first_group = group;
        }
        self.last_group = group;
        self.points += stats.points;
        self.non_finite += stats.non_finite;
        if stats.min <= stats.max {
            self.min = Some(self.min.map_or(stats.min, |min| min.min(stats.min)));
            self.max = Some(self.max.map_or(stats.max, |max| max.max(stats.max)));
        }
    }

    fn describe(&self, columns: &Columns, column: ColumnId, name: &str) -> MetricSummary {
        let row_of = |group: &RowGroup, last: bool| {
            let chunk = group.chunk(column)?;
            let is_number = |row: &u32| group.number(group.cell(chunk, *row)).is_some();
            if last {
                (0..group.rows).rev().find(is_number)
            } else {
                (0..group.rows).find(is_number)
            }
        };
        let first_group = columns.groups.get(self.first_group);
        let last_group = columns.groups.get(self.last_group);
        let first = first_group.and_then(|group| Some((&**group, row_of(group, false)?)));
        let last = last_group.and_then(|group| Some((&**group, row_of(group, true)?)));
        let step = |(group, row): (&RowGroup, u32)| group.number(group.step_cell(row));
        let number = |group: &RowGroup, column, row| {
            group
                .chunk(column)
                .and_then(|chunk| group.number(group.cell(chunk, row)))
        };
        let time = |(group, row): (&RowGroup, u32)| {
            number(group, TIME, row)
                .or_else(|| number(group, TS, row))
                .filter(|time| time.is_finite())
        };
        MetricSummary {
            name: name.to_owned(),
            points: self.points,
            non_finite: self.non_finite,
            min: self.min,
            max: self.max,
            last: last.and_then(|(group, row)| number(group, column, row)),
            first_step: first.and_then(step),
            last_step: last.and_then(step),
            first_time: first.and_then(time),
            last_time: last.and_then(time),
        }
    }
}

/// One point as the 0.6 client wants it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepPoint {
    /// The step.
    pub step: f64,
    /// The value, `None` when it is not finite.
    pub value: Option<f64>,
    /// Unix seconds.
    pub timestamp: Option<f64>,
}

impl Columns {
    /// How many numbers of each metric are NaN or infinite; metrics whose numbers are all finite are left out. Groups that were counted
    /// before are not counted again.
    pub fn non_finite_counts(&self) -> BTreeMap<String, u64> {
        let mut counts = vec![0; self.names.len()];
        for group in &self.groups {
            for (chunk, stats) in group.chunks.iter().zip(group.stats()) {
                counts[chunk.column as usize] += stats.non_finite;
            }
        }
        let is_metric = |column| !matches!(column, TS | GLOBAL_STEP | STEP | TIME | EPOCH);
        let names = self.names.iter().filter(|(column, _)| is_metric(*column));
        names
            .map(|(column, name)| (name.to_owned(), counts[column as usize]))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// The points of a numeric metric ordered by step (file order within one), at most `limit`.
    pub fn points_by_step(&self, metric: &str, limit: usize) -> Vec<StepPoint> {
        let Some(column) = self.names.find(metric).filter(|&column| column != TS) else {
            return Vec::new();
        };
        let mut points = Vec::new();
        for group in &self.groups {
            let Some(chunk) = group.chunk(column) else {
                continue;
            };
            let time = |row| {
                let number = |column| {
                    group
                        .chunk(column)
                        .and_then(|chunk| group.number(group.cell(chunk, row)))
                };
                number(TIME)
                    .or_else(|| number(TS))
                    .filter(|time| time.is_finite())
            };
            group.for_each(chunk, |row, cell| {
                if let (Some(value), Some(step)) =
                    (group.number(cell), group.number(group.step_cell(row)))
                {
                    points.push(StepPoint {
                        step,
                        value: Some(value).filter(|value| value.is_finite()),
                        timestamp: time(row),
                    });
                }
            });
        }
        points.sort_by(|a, b| a.step.total_cmp(&b.step));
        points.truncate(limit);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::hostile::columns_of;

    #[test]
    fn numeric_metrics_are_listed_with_their_extremes_and_ends() {
        let columns = columns_of(&[
            r#"{"loss":3.0,"acc":NaN,"stage":"train","epoch":1,"global_step":1,"time":10.0}"#,
            r#"{"loss":-1,"acc":0.5,"note":"x","global_step":2}"#,
            r#"{"loss":Infinity,"flag":true,"none":null,"global_step":3,"time":12.0}"#,
        ]);
        let found = RunMetrics::of(&columns);
        let names: Vec<_> = found
            .metrics
            .iter()
            .map(|metric| metric.name.as_str())
            .collect();
        assert_eq!(names, ["acc", "flag", "loss"]);
        assert_eq!(found.texts, ["note", "stage"]);
        assert_eq!(found.axes, ["epoch"]);
        let loss = MetricSummary {
            name: "loss".to_owned(),
            points: 3,
            non_finite: 1,
            min: Some(-1.0),
            max: Some(3.0),
            last: Some(f64::INFINITY),
            first_step: Some(1.0),
            last_step: Some(3.0),
            first_time: Some(10.0),
            last_time: Some(12.0),
        };
        assert_eq!(found.metrics[2], loss);
        let acc = &found.metrics[0];
        assert_eq!(
            (acc.points, acc.non_finite, acc.min, acc.last_time),
            (2, 1, Some(0.5), Some(1.5)),
            "the line's ts stands in"
        );
        let counts = columns.non_finite_counts();
        assert_eq!(
            counts,
            BTreeMap::from([("acc".into(), 1), ("loss".into(), 1)])
        );
    }

    #[test]
    fn points_of_the_client_are_by_step_and_limited() {
        let columns = columns_of(&[
            r#"{"loss":3.0,"global_step":3,"time":1.0}"#,
            r#"{"loss":NaN,"global_step":1,"time":2.0}"#,
            r#"{"loss":"x","global_step":2,"time":3.0}"#,
        ]);
        let point = |step, value, timestamp| StepPoint {
            step,
            value,
            timestamp: Some(timestamp),
        };
        assert_eq!(
            columns.points_by_step("loss", 9),
            [point(1.0, None, 2.0), point(3.0, Some(3.0), 1.0)]
        );
        assert_eq!(columns.points_by_step("loss", 1).len(), 1);
        assert_eq!(columns.points_by_step("nothing", 9), []);
    }
}
