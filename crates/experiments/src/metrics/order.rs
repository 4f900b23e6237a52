//! Rows of a run by step. The documented table merges lines of the same step and sorts by step, however large or out of order the
//! steps are; most runs are in order already and need nothing.

use std::cmp::Ordering;

use super::cell::{Cell, Kind};
use super::columns::Columns;
use super::group::RowGroup;

/// Which lines make which row of the table.
#[derive(Debug)]
pub(crate) enum RowOrder {
    /// Every line is a row; the steps grow.
    AsRecorded,
    /// `lines[starts[i]..starts[i + 1]]` make row i, in file order.
    Sorted { lines: Vec<u32>, starts: Vec<u32> },
}

impl RowOrder {
    pub(crate) fn of(columns: &Columns) -> Self {
        let mut last: Option<i64> = None;
        let in_order = columns
            .groups
            .iter()
            .all(|group| match group.ascending_steps() {
                Some((first, end)) => last.replace(end).is_none_or(|last| last < first),
                None => false,
            });
        if in_order {
            Self::AsRecorded
        } else {
            Self::sorted(columns)
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a run of 2³² lines does not fit into memory"
    )]
    fn sorted(columns: &Columns) -> Self {
        let small: Option<Vec<i64>> = columns
            .groups
            .iter()
            .flat_map(|group| (0..group.rows).map(|row| group.small_step(row)))
            .collect();
        let mut lines: Vec<u32> = (0..columns.rows() as u32).collect();
        let starts = if let Some(steps) = small {
            lines.sort_by_key(|&line| steps[line as usize]);
            starts(&lines, |a, b| steps[a as usize] == steps[b as usize])
        } else {
            let compare = |a: u32, b: u32| compare_steps(columns, u64::from(a), u64::from(b));
            lines.sort_by(|&a, &b| compare(a, b));
            starts(&lines, |a, b| compare(a, b) == Ordering::Equal)
        };
        Self::Sorted { lines, starts }
    }

    /// How many rows the table has.
    pub(crate) fn len(&self, columns: &Columns) -> usize {
        match self {
            Self::AsRecorded => usize::try_from(columns.rows()).unwrap_or(usize::MAX),
            Self::Sorted { starts, .. } => starts.len() - 1,
        }
    }

    /// The lines that make a row, in file order; they are given to `found` until it says that it has enough.
    #[inline]
    pub(crate) fn last_of<T>(
        &self,
        row: usize,
        mut found: impl FnMut(u64) -> Option<T>,
    ) -> Option<T> {
        match self {
            Self::AsRecorded => found(row as u64),
            Self::Sorted { lines, starts } => {
                let span = *starts.get(row)? as usize..*starts.get(row + 1)? as usize;
                lines
                    .get(span)?
                    .iter()
                    .rev()
                    .find_map(|&line| found(u64::from(line)))
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a run of 2³² lines does not fit into memory"
)]
fn starts(lines: &[u32], same: impl Fn(u32, u32) -> bool) -> Vec<u32> {
    let mut starts: Vec<u32> = if lines.is_empty() {
        Vec::new()
    } else {
        vec![0]
    };
    starts.extend(
        lines
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| !same(pair[0], pair[1]))
            .map(|(at, _)| at as u32 + 1),
    );
    starts.push(lines.len() as u32);
    starts
}

fn compare_steps(columns: &Columns, a: u64, b: u64) -> Ordering {
    let mut reader = columns.step_reader();
    let (a, a_group) = reader.cell(a);
    let (b, b_group) = reader.cell(b);
    match (whole(a, a_group), whole(b, b_group)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (a_small, b_small) => {
            let text = |cell, group, small: Option<i64>| {
                small.map_or_else(|| digits(cell, group).to_owned(), |value| value.to_string())
            };
            compare_digits(&text(a, a_group, a_small), &text(b, b_group, b_small))
        }
    }
}

fn whole(cell: Cell, group: Option<&RowGroup>) -> Option<i64> {
    match cell.kind() {
        Kind::Int(value) => Some(value),
        Kind::Wide(at) => group?.wide.get(at).copied(),
        _ => None,
    }
}

fn digits(cell: Cell, group: Option<&RowGroup>) -> &str {
    match (cell.kind(), group) {
        (Kind::Big(at), Some(group)) => group.texts.get(at).map_or("0", |digits| digits),
        _ => "0",
    }
}

/// Compares integers given as plain decimal digits without leading zeros.
fn compare_digits(a: &str, b: &str) -> Ordering {
    let size = |text: &str| {
        (
            text.trim_start_matches('-').len(),
            text.trim_start_matches('-').to_owned(),
        )
    };
    match (a.starts_with('-'), b.starts_with('-')) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => size(a).cmp(&size(b)),
        (true, true) => size(b).cmp(&size(a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_any_size_compare_by_value() {
        let ordered = [
            "-100000000000000000001",
            "-100000000000000000000",
            "-5",
            "0",
            "7",
            "99999999999999999999",
            "100000000000000000000",
        ];
        for (at, a) in ordered.iter().enumerate() {
            for (other, b) in ordered.iter().enumerate() {
                assert_eq!(compare_digits(a, b), at.cmp(&other), "{a} {b}");
            }
        }
    }
}
