//! All rows of a run as one immutable value: the names and the row groups, in file order. Appending makes a new value that shares the
//! groups of the old one, so readers keep what they hold and nobody waits.

use std::sync::{Arc, OnceLock};

use super::cell::{Cell, Kind};
use super::group::{Chunk, ColumnId, GroupBuilder, RowGroup};
use super::names::{EPOCH, GLOBAL_STEP, Names, STEP, TS};
use super::order::RowOrder;

/// Small groups are joined up to this many cells.
const JOINED_CELLS: usize = 1 << 18;

/// Rows of one run, column by column.
#[derive(Debug, Default)]
pub struct Columns {
    pub(crate) names: Arc<Names>,
    pub(crate) groups: Vec<Arc<RowGroup>>,
    /// First row of each group.
    pub(crate) starts: Vec<u64>,
    rows: u64,
    /// Another number means that rows known before may be gone.
    generation: u64,
    order: OnceLock<RowOrder>,
}

impl Columns {
    pub(crate) fn new(generation: u64) -> Self {
        Self {
            generation,
            ..Self::default()
        }
    }

    /// How many metrics lines the run has.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Changes when rows that were there before may be gone (the file was cut, replaced or rewritten).
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Memory that the rows take, about.
    pub fn bytes(&self) -> u64 {
        let groups: usize = self.groups.iter().map(|group| group.bytes()).sum();
        (groups + self.names.bytes()) as u64
    }

    pub(crate) fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// These rows and then those of `groups`, whose columns count by `names`.
    pub(crate) fn with(&self, names: Arc<Names>, groups: Vec<RowGroup>, generation: u64) -> Self {
        let mut all = self.groups.clone();
        // A live run brings few rows at a time; a long stretch comes in groups that are large enough.
        let is_short = groups.len() == 1;
        all.extend(groups.into_iter().map(Arc::new));
        if is_short {
            join_small(&mut all);
        }
        Self::of(names, all, generation)
    }

    /// The first `count` groups only.
    pub(crate) fn first_groups(&self, count: usize) -> Self {
        Self::of(
            Arc::clone(&self.names),
            self.groups.iter().take(count).cloned().collect(),
            self.generation,
        )
    }

    pub(crate) fn of(names: Arc<Names>, groups: Vec<Arc<RowGroup>>, generation: u64) -> Self {
        let mut rows = 0;
        let mut starts = Vec::with_capacity(groups.len());
        for group in &groups {
            starts.push(rows);
            rows += u64::from(group.rows);
        }
        Self {
            names,
            groups,
            starts,
            rows,
            generation,
            order: OnceLock::new(),
        }
    }

    /// Rows by step, as the documented table wants them; found out once.
    pub(crate) fn order(&self) -> &RowOrder {
        self.order.get_or_init(|| RowOrder::of(self))
    }

    /// The group a row lies in, and its number there.
    pub(crate) fn locate(&self, row: u64) -> Option<(usize, u32)> {
        let group = self
            .starts
            .partition_point(|&start| start <= row)
            .checked_sub(1)?;
        Some((group, u32::try_from(row - self.starts.get(group)?).ok()?))
    }

    /// Replaces `values` by the finite numbers of some rows of a column (or of the steps), `missing` where there is none.
    pub(crate) fn fill(
        &self,
        column: Option<ColumnId>,
        rows: std::ops::Range<u64>,
        missing: f64,
        values: &mut Vec<f64>,
    ) {
        values.clear();
        values.resize(
            usize::try_from(rows.end.saturating_sub(rows.start)).unwrap_or(0),
            missing,
        );
        let first = self.locate(rows.start).map_or(0, |(group, _)| group);
        for (group, &start) in self.groups.iter().zip(&self.starts).skip(first) {
            if start >= rows.end {
                return;
            }
            let chunk = column.map_or(group.steps.as_ref(), |column| group.chunk(column));
            let Some(chunk) = chunk else { continue };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "row numbers of a group have 16 bits"
            )]
            let span = rows.start.saturating_sub(start) as u32
                ..(rows.end - start).min(u64::from(group.rows)) as u32;
            #[expect(clippy::cast_possible_truncation, reason = "an index of `values`")]
            let offset = start.saturating_sub(rows.start) as usize;
            let places = &mut values[offset..];
            group.fill_finite(chunk, span, places);
        }
    }

    /// A reader of one column that is quick when rows are asked for in order.
    pub(crate) fn reader(&self, column: ColumnId) -> ColumnReader<'_> {
        ColumnReader {
            columns: self,
            column: Some(column),
            at: None,
        }
    }

    /// A reader of the steps.
    pub(crate) fn step_reader(&self) -> ColumnReader<'_> {
        ColumnReader {
            columns: self,
            column: None,
            at: None,
        }
    }

    /// Columns with their names that the documented table shows, by name: those that hold any value, without `epoch`.
    pub(crate) fn table_columns(&self) -> Vec<(ColumnId, &str)> {
        let mut used = vec![false; self.names.len()];
        for group in &self.groups {
            for chunk in &group.chunks {
                used[chunk.column as usize] = true;
            }
        }
        let hidden = [TS, GLOBAL_STEP, STEP, EPOCH];
        let mut columns: Vec<_> = self
            .names
            .iter()
            .filter(|(column, _)| used[*column as usize] && !hidden.contains(column))
            .collect();
        columns.sort_unstable_by_key(|(_, name)| *name);
        columns
    }
}

fn join_small(groups: &mut Vec<Arc<RowGroup>>) {
    while let [.., before, last] = groups.as_slice() {
        let rows = (before.rows + last.rows) as usize;
        let cells = rows * before.chunks.len().max(last.chunks.len()).max(1);
        if before.rows > 2 * last.rows || cells > JOINED_CELLS || rows > super::group::MAX_ROWS {
            return;
        }
        let mut builder = GroupBuilder::default();
        builder.extend(before);
        builder.extend(last);
        let Some(joined) = builder.finish() else {
            return;
        };
        groups.truncate(groups.len() - 2);
        groups.push(Arc::new(joined));
    }
}

/// Reads cells of one column (or the steps), remembering the group it is in.
#[derive(Clone, Debug)]
pub(crate) struct ColumnReader<'a> {
    columns: &'a Columns,
    column: Option<ColumnId>,
    at: Option<Position<'a>>,
}

#[derive(Clone, Debug)]
struct Position<'a> {
    rows: std::ops::Range<u64>,
    group: &'a RowGroup,
    chunk: Option<&'a Chunk>,
}

impl<'a> ColumnReader<'a> {
    #[inline]
    fn position(&mut self, row: u64) -> Option<&Position<'a>> {
        if !self.at.as_ref().is_some_and(|at| at.rows.contains(&row)) {
            let (number, _) = self.columns.locate(row)?;
            let group = self.columns.groups.get(number)?;
            let start = *self.columns.starts.get(number)?;
            let chunk = match self.column {
                Some(column) => group.chunk(column),
                None => group.steps.as_ref(),
            };
            self.at = Some(Position {
                rows: start..start + u64::from(group.rows),
                group,
                chunk,
            });
        }
        self.at.as_ref()
    }

    /// The cell of a row and the group that its texts and large integers lie in.
    #[inline]
    pub(crate) fn cell(&mut self, row: u64) -> (Cell, Option<&'a RowGroup>) {
        let Some(at) = self.position(row) else {
            return (Cell::ABSENT, None);
        };
        let group = at.group;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "row numbers of a group have 16 bits"
        )]
        let row = (row - at.rows.start) as u32;
        (
            at.chunk
                .map_or(Cell::ABSENT, |chunk| group.cell(chunk, row)),
            Some(group),
        )
    }

    /// The number of a row, NaN and infinities included; `None` where there is no number.
    #[inline]
    pub(crate) fn number(&mut self, row: u64) -> Option<f64> {
        let (cell, group) = self.cell(row);
        match cell.kind() {
            Kind::Float(value) => Some(value),
            Kind::Int(value) => Some(value as f64),
            _ => group.and_then(|group| group.number(cell)),
        }
    }
}
