//! The x of every row of a run: its step, its time, or another metric.

use std::collections::HashMap;

use super::columns::Columns;
use super::names::{TIME, TS};

/// What a series is drawn over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The recorded step.
    Step,
    /// Steps since the first row of the run.
    RelativeStep,
    /// Unix seconds.
    WallTime,
    /// Seconds since the first row of the run that has a time.
    RelativeTime,
    /// The value of another metric in the same row, or the latest one recorded before for the same step.
    Metric(String),
}

impl Axis {
    /// The axis of `step`, `relative_step`, `wall_time`, `relative_time` or `metric:<name>`.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "step" => Self::Step,
            "relative_step" => Self::RelativeStep,
            "wall_time" => Self::WallTime,
            "relative_time" => Self::RelativeTime,
            _ => Self::Metric(text.strip_prefix("metric:")?.to_owned()),
        })
    }

    /// The x of every row, NaN where a row has none.
    pub(crate) fn values(&self, columns: &Columns) -> Vec<f64> {
        match self {
            Self::Step => steps(columns),
            Self::RelativeStep => since_first(steps(columns)),
            Self::WallTime => times(columns),
            Self::RelativeTime => since_first(times(columns)),
            Self::Metric(name) => metric(columns, name),
        }
    }
}

fn steps(columns: &Columns) -> Vec<f64> {
    let mut values = Vec::new();
    columns.fill(None, 0..columns.rows(), f64::NAN, &mut values);
    values
}

/// `time` of the data, else `ts` of the line.
pub(crate) fn times(columns: &Columns) -> Vec<f64> {
    let mut values = Vec::new();
    columns.fill(Some(TIME), 0..columns.rows(), f64::NAN, &mut values);
    for (group, &start) in columns.groups.iter().zip(&columns.starts) {
        let Some(chunk) = group.chunk(TS) else {
            continue;
        };
        group.for_each(chunk, |row, cell| {
            let slot = usize::try_from(start + u64::from(row))
                .ok()
                .and_then(|row| values.get_mut(row));
            if let (Some(slot), Some(ts)) = (slot, group.number(cell))
                && slot.is_nan()
            {
                *slot = ts;
            }
        });
    }
    values
}

fn since_first(mut values: Vec<f64>) -> Vec<f64> {
    let first = values
        .iter()
        .copied()
        .find(|value| !value.is_nan())
        .unwrap_or(0.0);
    for value in &mut values {
        *value -= first;
    }
    values
}

fn metric(columns: &Columns, name: &str) -> Vec<f64> {
    let rows = columns.rows();
    let mut values = Vec::new();
    let Some(column) = columns.names.find(name).filter(|&column| column != TS) else {
        return vec![f64::NAN; usize::try_from(rows).unwrap_or(0)];
    };
    columns.fill(Some(column), 0..rows, f64::NAN, &mut values);
    if values.iter().all(|value| !value.is_nan()) {
        return values;
    }
    // Several `log()` calls of one step make several rows; they share what one of them recorded.
    let mut by_step: HashMap<u64, f64> = HashMap::new();
    for (value, step) in values.iter_mut().zip(steps(columns)) {
        if value.is_nan() {
            *value = by_step.get(&step.to_bits()).copied().unwrap_or(f64::NAN);
        } else {
            by_step.insert(step.to_bits(), *value);
        }
    }
    values
}
