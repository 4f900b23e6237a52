//! A row group: some thousand consecutive rows of a run, held column by column and never changed again.
//!
//! A column of a group is dense (a cell per row), sparse (cells with their row), constant, or a run of equally spaced integers.
//! All cells of a group lie in one allocation, so thousands of columns cost little more than their cells.

mod builder;

use std::sync::OnceLock;

use super::cell::{Cell, Kind};

pub(crate) use builder::GroupBuilder;

/// Number of a column among the names of a run.
pub(crate) type ColumnId = u32;

/// Rows of a group have 16-bit numbers.
pub(crate) const MAX_ROWS: usize = 65_536;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Dense,
    Sparse,
    /// The first cell, in every row.
    Constant,
    /// 48-bit integers: the first cell, and the second more with every row.
    IntRun,
}

/// Where the cells of one column lie in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) column: ColumnId,
    pub(crate) shape: Shape,
    pub(crate) first: u32,
    pub(crate) len: u32,
    /// Where the row numbers of a sparse column start.
    pub(crate) first_offset: u32,
}

#[derive(Debug, Default)]
pub(crate) struct RowGroup {
    pub(crate) rows: u32,
    /// The step of each row.
    pub(crate) steps: Option<Chunk>,
    /// By column id.
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) cells: Vec<u64>,
    pub(crate) offsets: Vec<u16>,
    pub(crate) wide: Vec<i64>,
    pub(crate) texts: Vec<Box<str>>,
    stats: OnceLock<Box<[ChunkStats]>>,
}

/// Numbers of one column of one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkStats {
    /// Numbers, finite or not.
    pub(crate) points: u64,
    pub(crate) non_finite: u64,
    /// Whether anything but numbers stands in it, null apart.
    pub(crate) texts: bool,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl RowGroup {
    pub(crate) fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().map(|text| text.len() + 16).sum();
        let chunks = (self.chunks.len() + 1) * (size_of::<Chunk>() + size_of::<ChunkStats>());
        size_of::<Self>()
            + self.cells.len() * 8
            + self.offsets.len() * 2
            + self.wide.len() * 8
            + texts
            + chunks
    }

    pub(crate) fn chunk(&self, column: ColumnId) -> Option<&Chunk> {
        let at = self
            .chunks
            .binary_search_by_key(&column, |chunk| chunk.column)
            .ok()?;
        self.chunks.get(at)
    }

    fn span(&self, chunk: &Chunk) -> &[u64] {
        let first = chunk.first as usize;
        self.cells
            .get(first..first + chunk.len as usize)
            .unwrap_or_default()
    }

    fn offsets_of(&self, chunk: &Chunk) -> &[u16] {
        let first = chunk.first_offset as usize;
        self.offsets
            .get(first..first + chunk.len as usize)
            .unwrap_or_default()
    }

    /// The cell of one row.
    #[inline]
    pub(crate) fn cell(&self, chunk: &Chunk, row: u32) -> Cell {
        let span = self.span(chunk);
        let cell = match chunk.shape {
            Shape::Dense => span.get(row as usize).copied(),
            Shape::Constant => span.first().copied(),
            Shape::IntRun => return int_run(span, row),
            Shape::Sparse => u16::try_from(row)
                .ok()
                .and_then(|row| self.offsets_of(chunk).binary_search(&row).ok())
                .and_then(|at| span.get(at).copied()),
        };
        cell.map_or(Cell::ABSENT, Cell)
    }

    /// Every present cell of a column with its row, in order.
    #[inline]
    pub(crate) fn for_each(&self, chunk: &Chunk, found: impl FnMut(u32, Cell)) {
        self.for_each_in(chunk, 0..self.rows, found);
    }

    /// The same for some rows only.
    #[inline]
    pub(crate) fn for_each_in(
        &self,
        chunk: &Chunk,
        rows: std::ops::Range<u32>,
        mut found: impl FnMut(u32, Cell),
    ) {
        let span = self.span(chunk);
        match chunk.shape {
            Shape::Dense => {
                for (row, &cell) in rows
                    .clone()
                    .zip(span.get(rows.start as usize..).unwrap_or_default())
                {
                    if !Cell(cell).is_absent() {
                        found(row, Cell(cell));
                    }
                }
            }
            Shape::Sparse => {
                let offsets = self.offsets_of(chunk);
                let from = offsets.partition_point(|&row| u32::from(row) < rows.start);
                let cells = offsets
                    .iter()
                    .zip(span)
                    .skip(from)
                    .take_while(|(row, _)| u32::from(**row) < rows.end);
                for (&row, &cell) in cells {
                    found(u32::from(row), Cell(cell));
                }
            }
            Shape::Constant => {
                for row in rows {
                    found(row, span.first().map_or(Cell::ABSENT, |&cell| Cell(cell)));
                }
            }
            Shape::IntRun => {
                for row in rows {
                    found(row, int_run(span, row));
                }
            }
        }
    }

    /// Puts the finite numbers of some rows into their places; whatever is none leaves its place as it was. The two shapes that
    /// most series have are taken without looking at each cell's kind.
    pub(crate) fn fill_finite(
        &self,
        chunk: &Chunk,
        rows: std::ops::Range<u32>,
        places: &mut [f64],
    ) {
        match chunk.shape {
            Shape::Dense => {
                let cells = self.span(chunk).get(rows.start as usize..);
                let cells = cells.unwrap_or_default().iter().take(rows.len());
                for (&cell, place) in cells.zip(places) {
                    if let Some(value) = Cell(cell).finite_float() {
                        *place = value;
                    } else if let Some(value) = self.finite(Cell(cell)) {
                        *place = value;
                    }
                }
            }
            Shape::IntRun => match int_run_within(self.span(chunk), &rows) {
                Some((first, step)) => {
                    for (row, place) in rows.zip(places) {
                        *place = (first + i64::from(row) * step) as f64;
                    }
                }
                None => self.fill_slowly(chunk, rows, places),
            },
            Shape::Sparse | Shape::Constant => self.fill_slowly(chunk, rows, places),
        }
    }

    fn fill_slowly(&self, chunk: &Chunk, rows: std::ops::Range<u32>, places: &mut [f64]) {
        let start = rows.start;
        self.for_each_in(chunk, rows, |row, cell| {
            if let Some(value) = self.finite(cell)
                && let Some(place) = places.get_mut((row - start) as usize)
            {
                *place = value;
            }
        });
    }

    fn finite(&self, cell: Cell) -> Option<f64> {
        self.number(cell).filter(|value| value.is_finite())
    }

    /// The step of a row.
    pub(crate) fn step_cell(&self, row: u32) -> Cell {
        self.steps
            .map_or(Cell::ABSENT, |chunk| self.cell(&chunk, row))
    }

    /// The number in a cell: a float (NaN and infinities too), an integer or a bool; `None` for what is no number.
    #[inline]
    pub(crate) fn number(&self, cell: Cell) -> Option<f64> {
        match cell.kind() {
            Kind::Float(value) => Some(value),
            Kind::Int(value) => Some(value as f64),
            Kind::Wide(at) => self.wide.get(at).map(|&value| value as f64),
            Kind::Big(at) => self.texts.get(at).and_then(|digits| digits.parse().ok()),
            Kind::Bool(value) => Some(f64::from(u8::from(value))),
            Kind::Absent | Kind::Null | Kind::Text(_) => None,
        }
    }

    /// Whether all steps are 64-bit integers that grow from row to row, and if so the first and the last.
    pub(crate) fn ascending_steps(&self) -> Option<(i64, i64)> {
        let chunk = self.steps?;
        if chunk.shape == Shape::IntRun {
            let ends = (
                self.small_step(0)?,
                self.small_step(self.rows.checked_sub(1)?)?,
            );
            return (ends.0 < ends.1 || self.rows == 1).then_some(ends);
        }
        let mut last = None;
        for row in 0..self.rows {
            let step = self.small_step(row)?;
            if last.is_some_and(|last| last >= step) {
                return None;
            }
            last = Some(step);
        }
        Some((self.small_step(0)?, last?))
    }

    /// The step of a row, if it has 64 bits.
    #[inline]
    pub(crate) fn small_step(&self, row: u32) -> Option<i64> {
        match self.step_cell(row).kind() {
            Kind::Int(step) => Some(step),
            Kind::Wide(at) => self.wide.get(at).copied(),
            _ => None,
        }
    }

    /// Counts and extremes of each column, in the order of `chunks`; computed once.
    pub(crate) fn stats(&self) -> &[ChunkStats] {
        self.stats.get_or_init(|| {
            self.chunks
                .iter()
                .map(|chunk| self.stats_of(chunk))
                .collect()
        })
    }

    fn stats_of(&self, chunk: &Chunk) -> ChunkStats {
        let mut stats = ChunkStats {
            points: 0,
            non_finite: 0,
            texts: false,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        };
        self.for_each(chunk, |_, cell| match self.number(cell) {
            Some(value) if value.is_finite() => {
                stats.points += 1;
                stats.min = stats.min.min(value);
                stats.max = stats.max.max(value);
            }
            Some(_) => {
                stats.points += 1;
                stats.non_finite += 1;
            }
            None => stats.texts |= cell != Cell::NULL,
        });
        stats
    }
}

/// The first value of a run of integers, and how far it is from one row to the next.
fn int_run_of(span: &[u64]) -> (i64, i64) {
    let int = |at: usize| match span.get(at).map(|&cell| Cell(cell).kind()) {
        Some(Kind::Int(value)) => value,
        _ => 0,
    };
    (int(0), int(1))
}

/// The same when the values of all these rows are integers that a cell can hold.
fn int_run_within(span: &[u64], rows: &std::ops::Range<u32>) -> Option<(i64, i64)> {
    let (first, step) = int_run_of(span);
    let fits = |row: u32| Cell::int(first + i64::from(row) * step).is_some();
    // Between its ends a run is between the values of its ends.
    (fits(rows.start) && fits(rows.end.saturating_sub(1))).then_some((first, step))
}

fn int_run(span: &[u64], row: u32) -> Cell {
    let (first, step) = int_run_of(span);
    Cell::int(first + i64::from(row) * step).unwrap_or(Cell::ABSENT)
}

#[cfg(test)]
mod tests {
    use super::super::line::Value;
    use super::*;

    fn built(rows: &[&[(ColumnId, Value)]]) -> RowGroup {
        let mut builder = GroupBuilder::default();
        for (step, row) in (0..).zip(rows) {
            for (column, value) in *row {
                let cell = builder.cell(value);
                assert!(builder.set(*column, cell));
            }
            builder.commit(Cell::int(step * step).unwrap());
        }
        builder.finish().unwrap()
    }

    fn column(group: &RowGroup, id: ColumnId) -> Vec<(u32, Kind)> {
        let mut cells = Vec::new();
        let chunk = group.chunk(id).unwrap();
        group.for_each(chunk, |row, cell| cells.push((row, cell.kind())));
        for row in 0..group.rows {
            let listed = cells
                .iter()
                .find(|(at, _)| *at == row)
                .map_or(Kind::Absent, |(_, kind)| *kind);
            assert_eq!(
                group.cell(chunk, row).kind(),
                listed,
                "one row at a time says the same"
            );
        }
        cells
    }

    #[test]
    fn each_shape_gives_back_its_cells() {
        let float = |value| Value::Float(value);
        let rows: Vec<Vec<(ColumnId, Value)>> = (0..10)
            .map(|row| {
                let mut values = vec![
                    (0, float(f64::from(row) / 3.0)),
                    (1, Value::Int(7)),
                    (2, Value::Int(i64::from(row) * 5 - 9)),
                ];
                if row == 3 {
                    values.push((5, Value::Text("eval".to_owned())));
                }
                if row != 4 {
                    values.push((4, Value::Int(i64::from(row * row))));
                }
                values
            })
            .collect();
        let rows: Vec<&[_]> = rows.iter().map(Vec::as_slice).collect();
        let group = built(&rows);
        let shapes: Vec<_> = group
            .chunks
            .iter()
            .map(|chunk| (chunk.column, chunk.shape))
            .collect();
        assert_eq!(
            shapes,
            [
                (0, Shape::Dense),
                (1, Shape::Constant),
                (2, Shape::IntRun),
                (4, Shape::Dense),
                (5, Shape::Sparse)
            ]
        );
        assert_eq!(column(&group, 0)[2], (2, Kind::Float(2.0 / 3.0)));
        assert_eq!(
            column(&group, 1),
            (0..10).map(|row| (row, Kind::Int(7))).collect::<Vec<_>>()
        );
        assert_eq!(column(&group, 2)[9], (9, Kind::Int(36)));
        assert_eq!(column(&group, 4).len(), 9);
        assert_eq!(column(&group, 5), [(3, Kind::Text(0))]);
        assert_eq!(group.ascending_steps(), Some((0, 81)));
    }

    #[test]
    fn a_row_that_is_taken_back_leaves_nothing() {
        let mut builder = GroupBuilder::default();
        builder.set(0, Cell::NULL);
        builder.commit(Cell::NULL);
        assert!(builder.set(0, Cell::NULL));
        assert!(builder.set(9, Cell::NULL));
        assert!(
            !builder.set(9, Cell::NULL),
            "a second value of the same row is refused"
        );
        builder.rollback();
        assert!(builder.set(9, Cell::bool(true)));
        builder.commit(Cell::NULL);
        let group = builder.finish().unwrap();
        assert_eq!(group.rows, 2);
        assert_eq!(column(&group, 0), [(0, Kind::Null)]);
        assert_eq!(column(&group, 9), [(1, Kind::Bool(true))]);
    }

    #[test]
    fn joining_groups_keeps_every_kind() {
        let big = "-100000000000000000000";
        let first = built(&[
            &[(0, Value::Int(i64::MAX)), (1, Value::Text("a".to_owned()))],
            &[(0, Value::Big(big.to_owned()))],
        ]);
        let second = built(&[
            &[(1, Value::Text("b".to_owned())), (2, Value::Null)],
            &[(0, Value::Int(i64::MIN))],
        ]);
        let mut builder = GroupBuilder::default();
        builder.extend(&first);
        builder.extend(&second);
        let joined = builder.finish().unwrap();
        let numbers = column(&joined, 0)
            .into_iter()
            .map(|(row, kind)| match kind {
                Kind::Wide(at) => (row, joined.wide[at].to_string()),
                Kind::Big(at) => (row, joined.texts[at].to_string()),
                other => panic!("{other:?}"),
            });
        assert_eq!(
            numbers.collect::<Vec<_>>(),
            [
                (0, i64::MAX.to_string()),
                (1, big.to_owned()),
                (3, i64::MIN.to_string())
            ]
        );
        let texts = column(&joined, 1)
            .into_iter()
            .map(|(row, kind)| match kind {
                Kind::Text(at) => (row, &*joined.texts[at]),
                other => panic!("{other:?}"),
            });
        assert_eq!(texts.collect::<Vec<_>>(), [(0, "a"), (2, "b")]);
        assert_eq!(column(&joined, 2), [(2, Kind::Null)]);
    }

    #[test]
    fn statistics_count_numbers_and_what_is_not_finite() {
        let values = [
            Value::Float(f64::NAN),
            Value::Int(3),
            Value::Bool(true),
            Value::Null,
            Value::Float(f64::INFINITY),
            Value::Float(-2.5),
        ];
        let rows: Vec<Vec<_>> = values.into_iter().map(|value| vec![(0, value)]).collect();
        let rows: Vec<&[_]> = rows.iter().map(Vec::as_slice).collect();
        let group = built(&rows);
        let stats = group.stats()[0];
        assert_eq!((stats.points, stats.non_finite, stats.texts), (5, 2, false));
        assert_eq!((stats.min, stats.max), (-2.5, 3.0));
    }
}
