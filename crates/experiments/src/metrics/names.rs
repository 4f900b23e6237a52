//! Names of columns and their numbers. A few numbers are fixed, because the reader treats those names apart.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::group::ColumnId;

/// `ts` of lines whose data has no `time`; no name can reach it.
pub(crate) const TS: ColumnId = 0;
pub(crate) const GLOBAL_STEP: ColumnId = 1;
pub(crate) const STEP: ColumnId = 2;
pub(crate) const EPOCH: ColumnId = 3;
pub(crate) const TIME: ColumnId = 4;

const FIXED: [&str; 5] = ["", "global_step", "step", "epoch", "time"];

/// More names than any training run has; what comes after them is left out.
pub(crate) const MAX_NAMES: usize = 200_000;

/// Append-only list of names, found by their bytes.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Every name followed by a quote, as a line holds it.
    text: String,
    ends: Vec<u32>,
    /// Whether a line holds the name without an escape.
    plain: Vec<bool>,
    found: HashMap<u64, Vec<ColumnId>, SameHash>,
}

/// The key of the table is a hash already.
#[derive(Clone, Copy, Debug, Default)]
struct SameHash;

#[derive(Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl BuildHasher for SameHash {
    type Hasher = Same;

    fn build_hasher(&self) -> Same {
        Same::default()
    }
}

impl Default for Names {
    fn default() -> Self {
        let mut names = Self {
            text: String::new(),
            ends: Vec::new(),
            plain: Vec::new(),
            found: HashMap::default(),
        };
        for name in FIXED {
            names.push(name);
        }
        names.plain[TS as usize] = false;
        names.found.remove(&hash(b""));
        names
    }
}

fn hash(name: &[u8]) -> u64 {
    Xxh3DefaultBuilder.hash_one(name)
}

impl Names {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn quoted(&self, column: ColumnId) -> &str {
        let at = column as usize;
        let from = at
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .map_or(0, |&end| end as usize);
        self.ends
            .get(at)
            .and_then(|&end| self.text.get(from..end as usize))
            .unwrap_or_default()
    }

    /// The name of a column.
    pub(crate) fn name(&self, column: ColumnId) -> &str {
        let quoted = self.quoted(column);
        quoted.strip_suffix('"').unwrap_or(quoted)
    }

    /// Length of the column's name and its quote, if `line` goes on with them at `at`.
    #[inline]
    pub(crate) fn matches(&self, column: ColumnId, line: &[u8], at: usize) -> Option<usize> {
        let quoted = self.quoted(column).as_bytes();
        let same = line.get(at..at + quoted.len()) == Some(quoted);
        (same && self.plain.get(column as usize) == Some(&true)).then_some(quoted.len())
    }

    pub(crate) fn find(&self, name: &str) -> Option<ColumnId> {
        self.find_bytes(name.as_bytes())
    }

    /// The column of a name that a line holds without an escape.
    pub(crate) fn find_bytes(&self, name: &[u8]) -> Option<ColumnId> {
        let known = self.found.get(&hash(name))?;
        known
            .iter()
            .copied()
            .find(|&column| self.name(column).as_bytes() == name)
    }

    /// The column of a name, a new one if need be; `None` when there are too many.
    pub(crate) fn intern(&mut self, name: &str) -> Option<ColumnId> {
        match self.find(name) {
            Some(column) => Some(column),
            None if self.len() >= MAX_NAMES
                || self.text.len() + name.len() >= u32::MAX as usize =>
            {
                None
            }
            None => Some(self.push(name)),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "bounded by `intern`")]
    fn push(&mut self, name: &str) -> ColumnId {
        let column = self.ends.len() as ColumnId;
        self.text.push_str(name);
        self.text.push('"');
        self.ends.push(self.text.len() as u32);
        self.plain.push(
            !name
                .bytes()
                .any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\'),
        );
        self.found
            .entry(hash(name.as_bytes()))
            .or_default()
            .push(column);
        column
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.len() * 64
    }

    /// All columns with their names, the unnamed one left out.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ColumnId, &str)> {
        (0..)
            .zip(&self.ends)
            .skip(1)
            .map(|(column, _)| (column, self.name(column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number_and_the_fixed_ones_are_known() {
        let mut names = Names::default();
        for (column, name) in [
            (GLOBAL_STEP, "global_step"),
            (STEP, "step"),
            (EPOCH, "epoch"),
            (TIME, "time"),
        ] {
            assert_eq!(names.find(name), Some(column));
        }
        let loss = names.intern("loss").unwrap();
        let empty = names.intern("").unwrap();
        assert_ne!(empty, TS, "an empty name is a name like another");
        assert_eq!(names.intern("loss"), Some(loss));
        assert_eq!(names.name(loss), "loss");
        assert_eq!(names.matches(loss, b"{\"loss\": 1", 2), Some(5));
        assert_eq!(names.matches(loss, b"{\"losses\": 1", 2), None);
        assert_eq!(names.matches(loss, b"los", 0), None);
    }

    #[test]
    fn a_name_that_needs_an_escape_is_never_matched_in_a_line() {
        let mut names = Names::default();
        for name in ["a\\b", "a\"b", "a\nb"] {
            let column = names.intern(name).unwrap();
            assert_eq!(
                names.matches(column, format!("{name}\"").as_bytes(), 0),
                None
            );
            assert_eq!(names.find(name), Some(column));
        }
    }
}
