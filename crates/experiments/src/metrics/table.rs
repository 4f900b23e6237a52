//! The documented table of a run: one row per step, lines of the same step merged key by key (the last one wins, an explicit null
//! too), sorted by step, every column in every row. NaN and infinities are null there, because JSON has no word for them.

use std::ops::Range;
use std::sync::mpsc;

use super::cell::{Cell, Kind};
use super::columns::{ColumnReader, Columns};
use super::group::{ColumnId, RowGroup};
use super::number;
use super::order::RowOrder;
use super::reduce;

/// About so many bytes are handed over at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// The table of a run. Making one costs nothing; rows are put together when they are written.
#[derive(Debug)]
pub struct Table<'a> {
    columns: &'a Columns,
    order: &'a RowOrder,
    names: Vec<(ColumnId, &'a str)>,
    total: usize,
}

/// Which rows of a table to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All of so many.
    All(usize),
    /// These, ascending.
    Some(Vec<usize>),
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::All(count) => *count,
            Self::Some(rows) => rows.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn get(&self, at: usize) -> Option<usize> {
        match self {
            Self::All(count) => (at < *count).then_some(at),
            Self::Some(rows) => rows.get(at).copied(),
        }
    }
}

impl<'a> Table<'a> {
    /// The table of these rows.
    pub fn of(columns: &'a Columns) -> Self {
        let order = columns.order();
        Self {
            columns,
            order,
            names: columns.table_columns(),
            total: order.len(columns),
        }
    }

    /// How many steps there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Names of the columns besides `global_step`, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.iter().map(|(_, name)| *name)
    }

    /// The rows to send for `downsample=target`: LTTB by the first column (by name) that holds a number in the first 100 rows.
    pub fn rows(&self, downsample: Option<usize>) -> Rows {
        match downsample {
            Some(target) if self.total > target => Rows::Some(match self.recorded_y() {
                Some(column) => self.lttb(column, target),
                None => reduce::spread(self.total, target),
            }),
            _ => Rows::All(self.total),
        }
    }

    fn recorded_y(&self) -> Option<ColumnId> {
        let first = 0..self.total.min(100);
        self.names
            .iter()
            .map(|(column, _)| *column)
            .find(|&column| {
                let mut reader = self.columns.reader(column);
                first
                    .clone()
                    .any(|row| self.number(&mut reader, row).is_some())
            })
    }

    /// The finite number that the table shows in a row.
    fn number(&self, reader: &mut ColumnReader<'_>, row: usize) -> Option<f64> {
        let shown = self.order.last_of(row, |line| {
            let (cell, _) = reader.cell(line);
            (!cell.is_absent()).then(|| reader.number(line))
        });
        shown.flatten().filter(|value| value.is_finite())
    }

    fn lttb(&self, column: ColumnId, target: usize) -> Vec<usize> {
        let mut y = self.columns.reader(column);
        let mut x = self.columns.step_reader();
        reduce::lttb(self.total, target, |range, xs, ys| {
            if matches!(self.order, RowOrder::AsRecorded) {
                let rows = range.start as u64..range.end as u64;
                self.columns.fill(None, rows.clone(), 0.0, xs);
                self.columns.fill(Some(column), rows, 0.0, ys);
            } else {
                xs.clear();
                xs.extend(range.clone().map(|row| {
                    self.order
                        .last_of(row, |line| x.number(line))
                        .unwrap_or(0.0)
                }));
                ys.clear();
                ys.extend(range.map(|row| self.number(&mut y, row).unwrap_or(0.0)));
            }
        })
    }

    /// The step of the last of these rows, as text.
    pub fn last_step(&self, rows: &Rows) -> Option<String> {
        let row = rows.get(rows.len().checked_sub(1)?)?;
        let mut text = Vec::new();
        push_step(&mut text, self.order, &mut self.columns.step_reader(), row);
        String::from_utf8(text).ok()
    }

    /// Writes `{"columns", "rows", "total", "sampled"}` piece by piece; stops when `sink` says `false`.
    pub fn write_json(&self, rows: &Rows, sink: &mut dyn FnMut(Vec<u8>) -> bool) {
        if self.total == 0 {
            sink(br#"{"columns":[],"rows":[],"total":0,"sampled":0}"#.to_vec());
            return;
        }
        let mut head = br#"{"columns":["global_step""#.to_vec();
        for name in self.names() {
            head.push(b',');
            number::push_string(&mut head, name);
        }
        head.extend_from_slice(br#"],"rows":["#);
        let keys: Vec<Vec<u8>> = self.names().map(json_key).collect();
        let tail = format!(r#"],"total":{},"sampled":{}}}"#, self.total, rows.len());
        self.write(rows, &Format::Json(keys), head, tail.into_bytes(), sink);
    }

    /// Writes the table as CSV with a header, `step` first; empty where there is no value.
    pub fn write_csv(&self, rows: &Rows, sink: &mut dyn FnMut(Vec<u8>) -> bool) {
        let mut head = b"step".to_vec();
        for name in self.names() {
            head.push(b',');
            push_csv(&mut head, name);
        }
        head.extend_from_slice(b"\r\n");
        self.write(rows, &Format::Csv, head, Vec::new(), sink);
    }

    /// Writes blocks of rows in order; a second thread makes every other block when there are several.
    fn write(
        &self,
        rows: &Rows,
        format: &Format,
        head: Vec<u8>,
        tail: Vec<u8>,
        sink: &mut dyn FnMut(Vec<u8>) -> bool,
    ) {
        let block_rows = (BLOCK_BYTES / format.row_bytes(self.names.len())).max(1);
        let blocks = rows.len().div_ceil(block_rows);
        let span = |block: usize| block * block_rows..((block + 1) * block_rows).min(rows.len());
        let mut writer = BlockWriter::of(self, rows, format);
        if blocks <= 2 {
            let mut out = head;
            for block in 0..blocks {
                writer.write(span(block), &mut out);
            }
            out.extend(tail);
            sink(out);
            return;
        }
        let (done, odd_blocks) = mpsc::sync_channel(2);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut writer = BlockWriter::of(self, rows, format);
                let mut odd = (1..blocks).step_by(2);
                // The channel closes when nobody wants the rest.
                odd.all(|block| {
                    let mut out = Vec::with_capacity(BLOCK_BYTES + BLOCK_BYTES / 2);
                    writer.write(span(block), &mut out);
                    done.send(out).is_ok()
                });
            });
            let mut out = head;
            for block in 0..blocks {
                if block % 2 == 1 {
                    let Ok(block) = odd_blocks.recv() else { return };
                    out = block;
                } else {
                    writer.write(span(block), &mut out);
                }
                let next = Vec::with_capacity(if block % 2 == 1 {
                    BLOCK_BYTES + BLOCK_BYTES / 2
                } else {
                    0
                });
                if !sink(std::mem::replace(&mut out, next)) {
                    drop(odd_blocks);
                    return;
                }
            }
            sink(tail);
        });
    }
}

/// How rows are spelled.
enum Format {
    /// With the JSON of each column's name and the signs around it.
    Json(Vec<Vec<u8>>),
    Csv,
}

impl Format {
    /// About how long a row becomes.
    fn row_bytes(&self, columns: usize) -> usize {
        match self {
            Self::Json(keys) => 40 + keys.iter().map(|key| key.len() + 10).sum::<usize>(),
            Self::Csv => 12 * (columns + 1),
        }
    }

    fn write<'a>(
        &self,
        at: usize,
        step: Shown<'a>,
        values: impl Iterator<Item = Shown<'a>>,
        out: &mut Vec<u8>,
    ) {
        match self {
            Self::Json(keys) => {
                out.extend_from_slice(if at == 0 {
                    br#"{"global_step":"#
                } else {
                    br#",{"global_step":"#
                });
                push_json(out, step);
                for (key, value) in keys.iter().zip(values) {
                    out.extend_from_slice(key);
                    push_json(out, value);
                }
                out.push(b'}');
            }
            Self::Csv => {
                push_json(out, step);
                for value in values {
                    out.push(b',');
                    push_csv_value(out, value);
                }
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

/// A cell with the group that its texts and large integers lie in.
type Shown<'a> = (Cell, Option<&'a RowGroup>);

/// Writes rows of a table; cheap when they are asked for in order.
struct BlockWriter<'a> {
    table: &'a Table<'a>,
    rows: &'a Rows,
    format: &'a Format,
    step: ColumnReader<'a>,
    readers: Vec<ColumnReader<'a>>,
    /// Cells of some rows, row by row.
    gathered: Vec<Cell>,
}

impl<'a> BlockWriter<'a> {
    fn of(table: &'a Table<'a>, rows: &'a Rows, format: &'a Format) -> Self {
        Self {
            table,
            rows,
            format,
            step: table.columns.step_reader(),
            readers: table
                .names
                .iter()
                .map(|(column, _)| table.columns.reader(*column))
                .collect(),
            gathered: Vec::new(),
        }
    }

    /// Writes the rows at these places of `rows`.
    fn write(&mut self, span: Range<usize>, out: &mut Vec<u8>) {
        if matches!(
            (self.rows, self.table.order),
            (Rows::All(_), RowOrder::AsRecorded)
        ) {
            return self.write_as_recorded(span, out);
        }
        let order = self.table.order;
        for at in span {
            if let Some(row) = self.rows.get(at) {
                let step = shown(order, &mut self.step, row);
                let values = self
                    .readers
                    .iter_mut()
                    .map(|reader| shown(order, reader, row));
                self.format.write(at, step, values, out);
            }
        }
    }

    /// The same where rows are lines: cells are fetched column by column, because that is how they lie.
    fn write_as_recorded(&mut self, span: Range<usize>, out: &mut Vec<u8>) {
        let columns = self.table.columns;
        let width = self.table.names.len();
        let mut at = span.start;
        while at < span.end {
            let Some((number, first)) = columns.locate(at as u64) else {
                return;
            };
            let Some(group) = columns.groups.get(number) else {
                return;
            };
            let count = (span.end - at).min((group.rows - first) as usize);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a group has at most 65,536 rows"
            )]
            let rows = first..first + count as u32;
            self.gathered.clear();
            self.gathered.resize(count * width, Cell::ABSENT);
            for (place, (column, _)) in self.table.names.iter().enumerate() {
                let Some(chunk) = group.chunk(*column) else {
                    continue;
                };
                group.for_each_in(chunk, rows.clone(), |row, cell| {
                    self.gathered[(row - first) as usize * width + place] = cell;
                });
            }
            for row in 0..count {
                let step = shown(self.table.order, &mut self.step, at + row);
                let cells = self
                    .gathered
                    .get(row * width..(row + 1) * width)
                    .unwrap_or_default();
                self.format.write(
                    at + row,
                    step,
                    cells.iter().map(|&cell| (cell, Some(&**group))),
                    out,
                );
            }
            at += count;
        }
    }
}

fn shown<'a>(order: &RowOrder, reader: &mut ColumnReader<'a>, row: usize) -> Shown<'a> {
    let found = order.last_of(row, |line| {
        let found = reader.cell(line);
        (!found.0.is_absent()).then_some(found)
    });
    found.unwrap_or((Cell::ABSENT, None))
}

fn push_step(out: &mut Vec<u8>, order: &RowOrder, reader: &mut ColumnReader<'_>, row: usize) {
    if let Some(step) = order.last_of(row, |line| Some(reader.cell(line))) {
        push_json(out, step);
    }
}

/// Appends a value as the documented answers spell it.
#[inline]
pub(crate) fn push_json(out: &mut Vec<u8>, (cell, group): (Cell, Option<&RowGroup>)) {
    match (cell.kind(), group) {
        (Kind::Float(value), _) if value.is_finite() => number::push_float(out, value),
        (Kind::Int(value), _) => number::push_int(out, value),
        (Kind::Bool(true), _) => out.extend_from_slice(b"true"),
        (Kind::Bool(false), _) => out.extend_from_slice(b"false"),
        (Kind::Wide(at), Some(group)) => {
            number::push_int(out, group.wide.get(at).copied().unwrap_or_default());
        }
        (Kind::Big(at), Some(group)) => {
            out.extend_from_slice(group.texts.get(at).map_or("0", |digits| digits).as_bytes());
        }
        (Kind::Text(at), Some(group)) => {
            number::push_string(out, group.texts.get(at).map_or("", |text| text));
        }
        _ => out.extend_from_slice(b"null"),
    }
}

fn push_csv_value(out: &mut Vec<u8>, (cell, group): Shown<'_>) {
    match (cell.kind(), group) {
        (Kind::Text(at), Some(group)) => {
            push_csv(out, group.texts.get(at).map_or("", |text| text));
        }
        (Kind::Absent | Kind::Null, _) => (),
        (Kind::Float(value), _) if !value.is_finite() => (),
        _ => push_json(out, (cell, group)),
    }
}

fn json_key(name: &str) -> Vec<u8> {
    let mut key = b",".to_vec();
    number::push_string(&mut key, name);
    key.push(b':');
    key
}

fn push_csv(out: &mut Vec<u8>, text: &str) {
    if !text.contains([',', '"', '\n', '\r']) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metrics::hostile::columns_of;

    fn written(table: &Table<'_>, rows: &Rows) -> String {
        let mut out = Vec::new();
        table.write_json(rows, &mut |piece| {
            out.extend(piece);
            true
        });
        String::from_utf8(out).unwrap()
    }

    fn table_of(data: &[&str]) -> String {
        let columns = columns_of(data);
        let table = Table::of(&columns);
        written(&table, &table.rows(None))
    }

    #[test]
    fn lines_of_one_step_merge_key_by_key_and_the_last_wins_even_when_it_is_null() {
        let text = table_of(&[
            r#"{"a":1,"b":1,"global_step":5}"#,
            r#"{"c":7,"global_step":4}"#,
            r#"{"b":2,"global_step":5}"#,
            r#"{"a":null,"global_step":5}"#,
            r#"{"b":NaN,"global_step":4}"#,
        ]);
        let expected = json!({"columns": ["global_step", "a", "b", "c"], "total": 2, "sampled": 2, "rows": [
            {"global_step": 4, "a": null, "b": null, "c": 7},
            {"global_step": 5, "a": null, "b": 2, "c": null},
        ]});
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn numbers_keep_their_kind_and_what_is_not_finite_is_null() {
        let text = table_of(&[
            r#"{"i":1,"f":1.0,"n":-0.0,"e":1e-300,"big":100000000000000000000,"wide":-9223372036854775808,"t":true,"s":"a\"b","nan":NaN,"inf":-Infinity,"over":1e999,"z":null,"global_step":1}"#,
        ]);
        let row = r#"{"global_step":1,"big":100000000000000000000,"e":1e-300,"f":1.0,"i":1,"inf":null,"n":-0.0,"nan":null,"over":null,"s":"a\"b","t":true,"wide":-9223372036854775808,"z":null}"#;
        assert!(text.contains(row), "{text}");
    }

    #[test]
    fn epoch_lists_and_objects_are_no_columns_and_rows_of_nothing_else_remain() {
        let text = table_of(&[r#"{"epoch":3,"l":[1],"o":{"x":1},"global_step":2}"#]);
        assert_eq!(
            text,
            r#"{"columns":["global_step"],"rows":[{"global_step":2}],"total":1,"sampled":1}"#
        );
        assert_eq!(
            table_of(&[]),
            r#"{"columns":[],"rows":[],"total":0,"sampled":0}"#
        );
    }

    #[test]
    fn steps_above_64_bits_sort_by_value() {
        let columns = columns_of(&[
            r#"{"x":1,"global_step":100000000000000000000}"#,
            r#"{"x":2,"global_step":-100000000000000000000}"#,
            r#"{"x":3,"global_step":99999999999999999999}"#,
            r#"{"x":4,"global_step":0}"#,
            r#"{"y":5,"global_step":"100000000000000000000"}"#,
        ]);
        let table = Table::of(&columns);
        let rows = table.rows(None);
        let text = written(&table, &rows);
        let order: Vec<_> = [
            "-100000000000000000000,",
            "0,",
            "99999999999999999999,",
            "100000000000000000000,",
        ]
        .map(|step| text.find(&format!("\"global_step\":{step}")).unwrap())
        .into();
        assert!(order.is_sorted(), "{text}");
        assert_eq!(
            (table.total(), table.last_step(&rows).unwrap().as_str()),
            (4, "100000000000000000000")
        );
    }

    #[test]
    fn a_large_table_written_by_two_threads_is_in_order() {
        let data: Vec<String> = (0..120_000)
            .map(|step| {
                format!(
                    r#"{{"loss":{step}.5,"acc":{},"global_step":{step}}}"#,
                    step % 7
                )
            })
            .collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        let columns = columns_of(&data);
        let table = Table::of(&columns);
        let answer: Value = serde_json::from_str(&written(&table, &table.rows(None))).unwrap();
        for (step, row) in answer["rows"].as_array().unwrap().iter().enumerate() {
            assert_eq!(
                *row,
                json!({"global_step": step, "acc": step % 7, "loss": step as f64 + 0.5})
            );
        }
        assert_eq!(answer["rows"].as_array().unwrap().len(), 120_000);
    }

    #[test]
    fn writing_stops_when_nobody_listens() {
        let data: Vec<String> = (0..120_000)
            .map(|step| format!(r#"{{"loss":{step}.5,"global_step":{step}}}"#))
            .collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        let columns = columns_of(&data);
        let table = Table::of(&columns);
        let mut pieces = 0;
        table.write_json(&table.rows(None), &mut |_| {
            pieces += 1;
            pieces < 2
        });
        assert_eq!(pieces, 2);
    }

    #[test]
    fn downsampling_goes_by_the_first_column_with_a_number_and_counts_what_is_missing_as_zero() {
        let data: Vec<String> = (0..1000)
            .map(|step| {
                let acc = match step {
                    500 => "9.0".to_owned(),
                    501 => "NaN".to_owned(),
                    502 => "\"text\"".to_owned(),
                    _ => "0.5".to_owned(),
                };
                format!(r#"{{"acc":{acc},"Text":"x","loss":{step},"global_step":{step}}}"#)
            })
            .collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        let columns = columns_of(&data);
        let table = Table::of(&columns);
        let Rows::Some(rows) = table.rows(Some(100)) else {
            panic!("fewer rows than there are")
        };
        assert_eq!((rows.len(), rows[0], rows[99]), (100, 0, 999));
        assert!(rows.contains(&500) && rows.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(table.rows(Some(1000)), Rows::All(1000));
    }

    #[test]
    fn rows_out_of_order_are_thinned_out_like_rows_in_order() {
        let line =
            |step: usize| format!(r#"{{"acc":{},"global_step":{step}}}"#, (step * 7919) % 101);
        let ascending: Vec<String> = (0..500).map(line).collect();
        let mut shuffled = ascending.clone();
        shuffled.reverse();
        let rows = |data: &[String]| {
            let data: Vec<&str> = data.iter().map(String::as_str).collect();
            let columns = columns_of(&data);
            let table = Table::of(&columns);
            written(&table, &table.rows(Some(100)))
        };
        assert_eq!(rows(&ascending), rows(&shuffled));
    }

    #[test]
    fn csv_has_a_header_and_quotes_what_needs_it() {
        let columns = columns_of(&[
            r#"{"a,b":"x \"y\"","loss":1.0,"global_step":1}"#,
            r#"{"loss":NaN,"flag":true,"global_step":2}"#,
        ]);
        let table = Table::of(&columns);
        let mut out = Vec::new();
        table.write_csv(&table.rows(None), &mut |piece| {
            out.extend(piece);
            true
        });
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "step,\"a,b\",flag,loss\r\n1,\"x \"\"y\"\"\",,1.0\r\n2,,true,\r\n"
        );
    }
}
