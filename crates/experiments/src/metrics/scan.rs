//! The fast way through `events.jsonl`: lines of the form that the SDK writes are read in one pass, without building anything between
//! the bytes and the columns. Whatever looks different in any way goes to [`line`], which knows all the rules; so the
//! scanner needs to be right only about what it takes.

use super::cell::Cell;
use super::group::{ColumnId, GroupBuilder, RowGroup};
use super::line::{self, Line, Value};
use super::names::{GLOBAL_STEP, Names, STEP, TIME, TS};
use super::number::{self, Number};

/// Rows read so far, and how the next line will probably look.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    pub(crate) names: Names,
    pub(crate) groups: Vec<RowGroup>,
    /// Lines that are no JSON.
    pub(crate) garbage_lines: u64,
    builder: GroupBuilder,
    /// By column: the two columns that followed it last.
    followers: Vec<[ColumnId; 2]>,
}

/// The line is not of the plain form.
struct Unusual;

impl Scanner {
    /// Reads the bytes between two newlines.
    pub(crate) fn line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if self.plain_line(line).is_err() {
            self.builder.rollback();
            self.unusual_line(line);
        }
        if self.builder.is_full() {
            self.close_group();
        }
    }

    /// Reads lines that each end with a newline.
    pub(crate) fn lines(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end);
            self.line(line);
            bytes = rest.get(1..).unwrap_or_default();
        }
    }

    /// Turns the rows that are left into a group.
    pub(crate) fn close_group(&mut self) {
        self.groups.extend(self.builder.finish());
    }

    /// Reads the bytes between two newlines by all the rules.
    #[cold]
    pub(super) fn unusual_line(&mut self, bytes: &[u8]) {
        let mut lines = Vec::new();
        self.garbage_lines += line::read(bytes, |line| lines.push(line)) as u64;
        for line in &lines {
            self.add(line);
        }
    }

    fn add(&mut self, line: &Line) {
        if self.builder.is_full() {
            self.close_group();
        }
        let mut has_time = false;
        for (name, value) in &line.values {
            let Some(column) = self.names.intern(name) else {
                continue;
            };
            has_time |= column == TIME && matches!(value, Value::Float(_) | Value::Int(_));
            let cell = self.builder.cell(value);
            self.builder.set(column, cell);
        }
        if let Some(ts) = line.ts.filter(|_| !has_time) {
            self.builder.set(TS, Cell::float(ts));
        }
        let step = self.builder.step_cell(&line.step);
        self.builder.commit(step);
    }

    fn plain_line(&mut self, line: &[u8]) -> Result<(), Unusual> {
        let mut at = expect(line, 0, b"{\"ts\":")?;
        at = skip_space(line, at);
        let (ts, length) = scan_number(line, at)?;
        at = skip_space(line, expect(line, at + length, b",")?);
        at = skip_space(line, expect(line, at, b"\"type\":")?);
        at = skip_space(line, expect(line, at, b"\"metrics\",")?);
        at = skip_space(line, expect(line, at, b"\"data\":")?);
        let (row, at) = self.plain_data(line, expect(line, at, b"{")?)?;
        if line.get(at..) != Some(b"}}") {
            return Err(Unusual);
        }
        if !row.has_time {
            let ts = match ts {
                Number::Float(ts) if ts.is_finite() => ts,
                Number::Int(ts) => ts as f64,
                _ => return Err(Unusual),
            };
            self.builder.set(TS, Cell::float(ts));
        }
        let step = self
            .builder
            .int_cell(row.global_step.or(row.step).ok_or(Unusual)?);
        self.builder.commit(step);
        Ok(())
    }

    /// The members of `data`, up to the closing brace.
    fn plain_data(&mut self, line: &[u8], mut at: usize) -> Result<(PlainRow, usize), Unusual> {
        let mut row = PlainRow::default();
        let mut before = TS;
        loop {
            at = expect(line, at, b"\"")?;
            let (column, after) = self.plain_name(line, at, before)?;
            before = column;
            at = skip_space(line, expect(line, after, b":")?);
            at = self.plain_value(line, at, column, &mut row)?;
            match line.get(at) {
                Some(b',') => at = skip_space(line, at + 1),
                Some(b'}') => return Ok((row, at)),
                _ => return Err(Unusual),
            }
        }
    }

    /// The column of the name at `at`, and where its quote ends; the name that came after `before` last time is tried first.
    #[inline]
    fn plain_name(
        &mut self,
        line: &[u8],
        at: usize,
        before: ColumnId,
    ) -> Result<(ColumnId, usize), Unusual> {
        if let Some(&[first, second]) = self.followers.get(before as usize) {
            if let Some(length) = self.names.matches(first, line, at) {
                return Ok((first, at + length));
            }
            if let Some(length) = self.names.matches(second, line, at) {
                self.followers[before as usize] = [second, first];
                return Ok((second, at + length));
            }
        }
        self.other_name(line, at, before)
    }

    fn other_name(
        &mut self,
        line: &[u8],
        at: usize,
        before: ColumnId,
    ) -> Result<(ColumnId, usize), Unusual> {
        let rest = line.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'"', rest).ok_or(Unusual)?;
        let bytes = rest.get(..length).unwrap_or_default();
        if bytes.iter().any(|&byte| byte < 0x20 || byte == b'\\') {
            return Err(Unusual);
        }
        let column = if let Some(column) = self.names.find_bytes(bytes) {
            column
        } else {
            let name = std::str::from_utf8(bytes).or(Err(Unusual))?;
            self.names.intern(name).ok_or(Unusual)?
        };
        if self.followers.len() < self.names.len() {
            self.followers.resize(self.names.len(), [TS, TS]);
        }
        let followers = &mut self.followers[before as usize];
        *followers = [column, followers[0]];
        Ok((column, at + length + 1))
    }

    #[inline]
    fn plain_value(
        &mut self,
        line: &[u8],
        at: usize,
        column: ColumnId,
        row: &mut PlainRow,
    ) -> Result<usize, Unusual> {
        if let Some((number, length)) = number::scan(line.get(at..).unwrap_or_default()) {
            if column <= STEP {
                row.set_step(column, number)?;
                return Ok(at + length);
            }
            row.has_time |= column == TIME;
            let cell = match number {
                Number::Float(value) => Cell::float(value),
                Number::Int(value) => self.builder.int_cell(value),
                Number::Big => return Err(Unusual),
            };
            return if self.builder.set(column, cell) {
                Ok(at + length)
            } else {
                Err(Unusual)
            };
        }
        if column <= STEP {
            return Err(Unusual);
        }
        let (cell, end) = self.plain_word(line, at)?;
        row.has_time |= column == TIME && matches!(cell.kind(), super::cell::Kind::Float(_));
        if self.builder.set(column, cell) {
            Ok(end)
        } else {
            Err(Unusual)
        }
    }

    /// A value that is no number token.
    fn plain_word(&mut self, line: &[u8], at: usize) -> Result<(Cell, usize), Unusual> {
        let rest = line.get(at..).unwrap_or_default();
        let words: [(&[u8], Cell); 6] = [
            (b"NaN", Cell::float(f64::NAN)),
            (b"null", Cell::NULL),
            (b"true", Cell::bool(true)),
            (b"false", Cell::bool(false)),
            (b"Infinity", Cell::float(f64::INFINITY)),
            (b"-Infinity", Cell::float(f64::NEG_INFINITY)),
        ];
        if rest.first() != Some(&b'"') {
            let found = words
                .iter()
                .find(|(word, _)| rest.starts_with(word))
                .ok_or(Unusual)?;
            return Ok((found.1, at + found.0.len()));
        }
        let text = rest.get(1..).unwrap_or_default();
        let length = memchr::memchr(b'"', text).ok_or(Unusual)?;
        let text = text.get(..length).unwrap_or_default();
        if text.iter().any(|&byte| byte < 0x20 || byte == b'\\') {
            return Err(Unusual);
        }
        let text = std::str::from_utf8(text).or(Err(Unusual))?;
        Ok((self.builder.text_cell(text), at + length + 2))
    }
}

/// What a row needs besides its cells.
#[derive(Default)]
struct PlainRow {
    global_step: Option<i64>,
    step: Option<i64>,
    has_time: bool,
}

impl PlainRow {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`int()` cuts the fraction off"
    )]
    fn set_step(&mut self, column: ColumnId, number: Number) -> Result<(), Unusual> {
        let step = match number {
            Number::Int(step) => step,
            Number::Float(step) if step.abs() < 1e15 => step as i64,
            _ => return Err(Unusual),
        };
        let slot = if column == GLOBAL_STEP {
            &mut self.global_step
        } else {
            &mut self.step
        };
        if slot.replace(step).is_some() {
            Err(Unusual)
        } else {
            Ok(())
        }
    }
}

#[inline]
fn expect(line: &[u8], at: usize, token: &[u8]) -> Result<usize, Unusual> {
    let end = at + token.len();
    if line.get(at..end) == Some(token) {
        Ok(end)
    } else {
        Err(Unusual)
    }
}

#[inline]
fn skip_space(line: &[u8], at: usize) -> usize {
    at + usize::from(line.get(at) == Some(&b' '))
}

fn scan_number(line: &[u8], at: usize) -> Result<(Number, usize), Unusual> {
    number::scan(line.get(at..).unwrap_or_default()).ok_or(Unusual)
}
