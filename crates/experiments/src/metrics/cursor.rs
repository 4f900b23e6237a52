//! Where a reader of live series is: which rows of each run it has seen, and of what question.

use super::columns::Columns;

/// A place in the rows of several runs. As text it is opaque to clients: `s1.<question>.<generation>-<rows>…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Hash of everything that was asked.
    pub question: u64,
    /// Of each run: the generation of its rows and how many there were.
    pub runs: Vec<(u64, u64)>,
}

impl Cursor {
    /// The place after all rows of these runs.
    pub fn after<'a>(question: u64, runs: impl Iterator<Item = Option<&'a Columns>>) -> Self {
        let place = |columns: Option<&Columns>| {
            columns.map_or((0, 0), |columns| (columns.generation(), columns.rows()))
        };
        Self {
            question,
            runs: runs.map(place).collect(),
        }
    }

    /// Reads a cursor back; `None` for anything that is not one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("s1.")?.split('.');
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let question = number(parts.next()?)?;
        let runs = parts.map(|part| {
            part.split_once('-')
                .and_then(|(generation, rows)| Some((number(generation)?, number(rows)?)))
        });
        Some(Self {
            question,
            runs: runs.collect::<Option<_>>()?,
        })
    }

    /// From which row on run `at` is new, if it is the same question and the rows seen then still stand.
    pub fn rows_seen(&self, question: u64, at: usize, columns: &Columns) -> Option<u64> {
        let &(generation, rows) = self.runs.get(at)?;
        (self.question == question && generation == columns.generation() && rows <= columns.rows())
            .then_some(rows)
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "s1.{:x}", self.question)?;
        self.runs
            .iter()
            .try_for_each(|(generation, rows)| write!(formatter, ".{generation:x}-{rows:x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_and_foreign_text_is_none() {
        let cursor = Cursor {
            question: u64::MAX,
            runs: vec![(7, 0), (u64::MAX, 1_000_000)],
        };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for foreign in [
            "", "x", "s1.", "s1.zz", "s1.1.2", "s1.1.2-", "s1.1.-2", "s2.1.2-3",
        ] {
            assert_eq!(Cursor::parse(foreign), None, "{foreign}");
        }
    }
}
