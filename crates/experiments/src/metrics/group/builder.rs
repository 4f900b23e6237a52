//! Rows on their way into a group: cells in the order they are recorded become columns, each in the shape that takes the least room.

use super::super::cell::{Cell, Kind};
use super::super::line::{Step, Value};
use super::{Chunk, ColumnId, MAX_ROWS, RowGroup, Shape};

/// Rows on their way into a group: cells in the order they are recorded, turned into columns at the end.
#[derive(Debug, Default)]
pub(crate) struct GroupBuilder {
    columns: Vec<ColumnId>,
    cells: Vec<u64>,
    row_ends: Vec<u32>,
    steps: Vec<u64>,
    wide: Vec<i64>,
    texts: Vec<Box<str>>,
    /// By column: the row that set it last, one more than its number.
    set_in: Vec<u32>,
    scattered: Scattered,
}

impl GroupBuilder {
    pub(crate) fn rows(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.rows() >= MAX_ROWS
    }

    /// Sets a value of the row that is being built; `false` when the row has one already.
    #[inline]
    pub(crate) fn set(&mut self, column: ColumnId, cell: Cell) -> bool {
        let at = column as usize;
        if at >= self.set_in.len() {
            self.set_in.resize(at + 1, 0);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a group has at most 65,536 rows"
        )]
        let row = self.steps.len() as u32 + 1;
        if self.set_in[at] == row {
            return false;
        }
        self.set_in[at] = row;
        self.columns.push(column);
        self.cells.push(cell.0);
        true
    }

    pub(crate) fn int_cell(&mut self, value: i64) -> Cell {
        Cell::int(value).unwrap_or_else(|| {
            self.wide.push(value);
            Cell::wide(self.wide.len() - 1)
        })
    }

    pub(crate) fn text_cell(&mut self, text: &str) -> Cell {
        // Stages and labels repeat from row to row.
        let known = self
            .texts
            .iter()
            .rev()
            .take(4)
            .position(|known| &**known == text);
        Cell::text(match known {
            Some(back) => self.texts.len() - 1 - back,
            None => self.push_text(text),
        })
    }

    fn push_text(&mut self, text: &str) -> usize {
        self.texts.push(text.into());
        self.texts.len() - 1
    }

    pub(crate) fn cell(&mut self, value: &Value) -> Cell {
        match value {
            Value::Null => Cell::NULL,
            Value::Bool(value) => Cell::bool(*value),
            Value::Int(value) => self.int_cell(*value),
            Value::Big(digits) => Cell::big(self.push_text(digits)),
            Value::Float(value) => Cell::float(*value),
            Value::Text(text) => self.text_cell(text),
        }
    }

    pub(crate) fn step_cell(&mut self, step: &Step) -> Cell {
        match step {
            Step::Int(step) => self.int_cell(*step),
            Step::Big(digits) => Cell::big(self.push_text(digits)),
        }
    }

    /// Ends the row.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a group is closed long before 2³² cells"
    )]
    pub(crate) fn commit(&mut self, step: Cell) {
        self.steps.push(step.0);
        self.row_ends.push(self.cells.len() as u32);
    }

    /// Forgets the values of the row that is being built.
    pub(crate) fn rollback(&mut self) {
        let end = self.row_ends.last().map_or(0, |&end| end as usize);
        for &column in &self.columns[end..] {
            self.set_in[column as usize] = 0;
        }
        self.columns.truncate(end);
        self.cells.truncate(end);
    }

    /// Copies the rows of a finished group.
    pub(crate) fn extend(&mut self, group: &RowGroup) {
        for row in 0..group.rows {
            for chunk in &group.chunks {
                let cell = group.cell(chunk, row);
                if !cell.is_absent() {
                    let cell = self.adopt(group, cell);
                    self.set(chunk.column, cell);
                }
            }
            let step = self.adopt(group, group.step_cell(row));
            self.commit(step);
        }
    }

    fn adopt(&mut self, group: &RowGroup, cell: Cell) -> Cell {
        match cell.kind() {
            Kind::Wide(at) => self.int_cell(group.wide.get(at).copied().unwrap_or_default()),
            Kind::Big(at) => {
                Cell::big(self.push_text(group.texts.get(at).map_or("0", |digits| digits)))
            }
            Kind::Text(at) => self.text_cell(group.texts.get(at).map_or("", |text| text)),
            _ => cell,
        }
    }

    /// Turns the rows into columns and starts anew; `None` when there are no rows.
    pub(crate) fn finish(&mut self) -> Option<RowGroup> {
        if self.steps.is_empty() {
            return None;
        }
        self.rollback();
        let rows = self.steps.len();
        let mut group = RowGroup {
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
            ..RowGroup::default()
        };
        let mut columns = std::mem::take(&mut self.scattered);
        columns.fill(self);
        group.cells.reserve_exact(columns.cells_needed(rows) + rows);
        for part in columns.parts() {
            push_chunk(&mut group, part.column, rows, part.rows, part.cells);
        }
        let all_rows: Vec<u16> = (0..=u16::MAX).take(rows).collect();
        push_chunk(&mut group, 0, rows, &all_rows, &self.steps);
        group.steps = group.chunks.pop();
        group.cells.shrink_to_fit();
        group.offsets.shrink_to_fit();
        group.chunks.shrink_to_fit();
        group.wide = std::mem::take(&mut self.wide);
        group.texts = std::mem::take(&mut self.texts);
        group.wide.shrink_to_fit();
        group.texts.shrink_to_fit();
        self.scattered = columns;
        self.clear();
        Some(group)
    }

    fn clear(&mut self) {
        self.columns.clear();
        self.cells.clear();
        self.row_ends.clear();
        self.steps.clear();
        self.set_in.clear();
    }
}

/// The cells of a builder, sorted by column; kept for the next group.
#[derive(Debug, Default)]
struct Scattered {
    /// By column: where its cells start; one more at the end.
    starts: Vec<u32>,
    next: Vec<u32>,
    rows: Vec<u16>,
    cells: Vec<u64>,
}

struct Part<'a> {
    column: ColumnId,
    rows: &'a [u16],
    cells: &'a [u64],
}

impl Scattered {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "row numbers below 65,536 and cells below 2³²"
    )]
    fn fill(&mut self, builder: &GroupBuilder) {
        self.starts.clear();
        self.starts.resize(builder.set_in.len() + 1, 0);
        for &column in &builder.columns {
            self.starts[column as usize + 1] += 1;
        }
        for at in 1..self.starts.len() {
            self.starts[at] += self.starts[at - 1];
        }
        self.next.clone_from(&self.starts);
        self.rows.resize(builder.cells.len(), 0);
        self.cells.resize(builder.cells.len(), 0);
        let mut from = 0;
        for (row, &end) in builder.row_ends.iter().enumerate() {
            let span = from..end as usize;
            for (&column, &cell) in builder.columns[span.clone()]
                .iter()
                .zip(&builder.cells[span])
            {
                let slot = &mut self.next[column as usize];
                self.rows[*slot as usize] = row as u16;
                self.cells[*slot as usize] = cell;
                *slot += 1;
            }
            from = end as usize;
        }
    }

    fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        (0..)
            .zip(self.starts.windows(2))
            .filter(|(_, ends)| ends[0] < ends[1])
            .map(|(column, ends)| {
                let span = ends[0] as usize..ends[1] as usize;
                Part {
                    column,
                    rows: &self.rows[span.clone()],
                    cells: &self.cells[span],
                }
            })
    }

    fn cells_needed(&self, rows: usize) -> usize {
        self.parts()
            .map(|part| {
                if is_sparse(part.cells.len(), rows) {
                    part.cells.len()
                } else {
                    rows
                }
            })
            .sum()
    }
}

/// A sparse cell takes ten bytes, a dense one eight.
fn is_sparse(present: usize, rows: usize) -> bool {
    present * 5 < rows * 4
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a group is closed long before 2³² cells"
)]
fn push_chunk(group: &mut RowGroup, column: ColumnId, rows: usize, at: &[u16], cells: &[u64]) {
    let first = group.cells.len() as u32;
    let first_offset = group.offsets.len() as u32;
    let full = cells.len() == rows;
    let shape = if full && cells.iter().all(|&cell| Some(&cell) == cells.first()) {
        group.cells.extend(cells.first());
        Shape::Constant
    } else if let Some(stride) = full.then(|| int_stride(cells)).flatten() {
        group.cells.extend(cells.first());
        group.cells.push(stride.0);
        Shape::IntRun
    } else if is_sparse(cells.len(), rows) {
        group.cells.extend_from_slice(cells);
        group.offsets.extend_from_slice(at);
        Shape::Sparse
    } else if full {
        group.cells.extend_from_slice(cells);
        Shape::Dense
    } else {
        let from = group.cells.len();
        group.cells.resize(from + rows, Cell::ABSENT.0);
        for (&row, &cell) in at.iter().zip(cells) {
            group.cells[from + row as usize] = cell;
        }
        Shape::Dense
    };
    let len = group.cells.len() as u32 - first;
    group.chunks.push(Chunk {
        column,
        shape,
        first,
        len,
        first_offset,
    });
}

/// The difference between neighbours, if it is the same everywhere and all are small integers.
fn int_stride(cells: &[u64]) -> Option<Cell> {
    let int = |cell: u64| match Cell(cell).kind() {
        Kind::Int(value) => Some(value),
        _ => None,
    };
    let first = int(*cells.first()?)?;
    let stride = int(*cells.get(1)?)? - first;
    let last = i64::try_from(cells.len()).ok()? - 1;
    let expected = first.checked_add(stride.checked_mul(last)?)?;
    if int(*cells.last()?)? != expected {
        return None;
    }
    let mut next = first;
    for &cell in cells {
        if int(cell)? != next {
            return None;
        }
        next += stride;
    }
    Cell::int(stride)
}
