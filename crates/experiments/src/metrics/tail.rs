//! The metrics of one growing `events.jsonl`: a value that is brought up to date by reading only what is new.
//!
//! A torn last line waits for its rest; it is not consumed until its newline is there. A last line without a newline that is a whole
//! JSON object counts all the same (a program may end without one), as a provisional row. When the file was cut, replaced or rewritten,
//! everything is read again under a new generation.

use std::fs::File;
use std::io;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::columns::Columns;
use super::group::RowGroup;
use super::line;
use super::load::{self, Stretch};
use super::names::Names;
use super::scan::Scanner;
use crate::growing::{Change, FileStamp, Known, read_range};

/// What of a file could not be read as metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Lines that are not JSON.
    pub garbage_lines: u64,
    /// Lines of more than 32 MiB.
    pub long_lines: u64,
    /// Bytes of a torn last line.
    pub torn_bytes: u64,
}

/// The metrics of a file as far as it has been read.
#[derive(Debug, Default)]
pub(crate) struct MetricTail {
    pub(crate) known: Option<Known>,
    pub(crate) in_long_line: bool,
    pub(crate) unread: Unread,
    pub(crate) columns: Arc<Columns>,
    /// Groups that stand; after them there may be one with the provisional row.
    pub(crate) groups: usize,
    provisional: Option<Provisional>,
}

/// A last line without its newline that was taken for a row.
#[derive(Clone, Copy, Debug)]
struct Provisional {
    bytes: u64,
    hash: u64,
}

impl MetricTail {
    /// Reads what is new.
    pub(crate) fn refresh(&mut self, file: &File) -> io::Result<Change> {
        let mut now = FileStamp::of(file)?;
        let mut change = match &mut self.known {
            Some(known) => known.change(file, &mut now)?,
            None => Change::Replaced,
        };
        if change == Change::None {
            return Ok(change);
        }
        if change == Change::Grown && !self.provisional_stands(file)? {
            change = Change::Replaced;
        }
        if change == Change::Replaced {
            *self = Self {
                columns: Arc::new(Columns::new(new_generation())),
                ..Self::default()
            };
        }
        let from = self.known.map_or(0, |known| known.anchors.offset);
        let stretch = load::read_stretch(file, from, now.bytes.max(from), self.in_long_line)?;
        self.known = Some(Known::of(file, now, stretch.end)?);
        self.append(stretch);
        Ok(change)
    }

    /// Whether the row that was taken from a line without its newline is still that line.
    fn provisional_stands(&self, file: &File) -> io::Result<bool> {
        let (Some(provisional), Some(known)) = (self.provisional, self.known) else {
            return Ok(true);
        };
        let start = known.anchors.offset;
        let mut line = Vec::new();
        read_range(file, start, start + provisional.bytes + 1, &mut line)?;
        let (line, next) = line.split_at(
            line.len()
                .min(usize::try_from(provisional.bytes).unwrap_or(usize::MAX)),
        );
        Ok(xxh3_64(line) == provisional.hash && matches!(next, [] | [b'\n' | b'\r']))
    }

    fn append(&mut self, stretch: Stretch) {
        let committed = if self.columns.group_count() > self.groups {
            self.columns.first_groups(self.groups)
        } else {
            Columns::of(
                Arc::clone(&self.columns.names),
                self.columns.groups.clone(),
                self.columns.generation(),
            )
        };
        let mut names = Arc::clone(&committed.names);
        let mut groups = stretch.groups;
        adopt(&mut names, &stretch.names, &mut groups);
        self.unread.garbage_lines += stretch.garbage_lines;
        self.unread.long_lines += stretch.long_lines;
        self.unread.torn_bytes = stretch.torn.len() as u64;
        self.in_long_line = stretch.in_long_line;
        let generation = committed.generation();
        let mut columns = committed.with(Arc::clone(&names), groups, generation);
        self.groups = columns.group_count();
        self.provisional = None;
        if line::is_whole(&stretch.torn) {
            let mut scanner = Scanner::default();
            scanner.line(&stretch.torn);
            scanner.close_group();
            self.unread.torn_bytes = 0;
            if !scanner.groups.is_empty() {
                self.provisional = Some(Provisional {
                    bytes: stretch.torn.len() as u64,
                    hash: xxh3_64(&stretch.torn),
                });
                adopt(&mut names, &scanner.names, &mut scanner.groups);
                let mut all = columns.groups.clone();
                all.extend(scanner.groups.into_iter().map(Arc::new));
                columns = Columns::of(names, all, generation);
            }
        }
        self.columns = Arc::new(columns);
    }

    /// Size of the file when it was read.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.known.map_or(0, |known| known.stamp.bytes)
    }

    /// The rows that stand, without the provisional one.
    pub(crate) fn committed(&self) -> Columns {
        self.columns.first_groups(self.groups)
    }
}

fn adopt(names: &mut Arc<Names>, from: &Names, groups: &mut [RowGroup]) {
    let mut new = from
        .iter()
        .filter(|(_, name)| names.find(name).is_none())
        .map(|(_, name)| name)
        .peekable();
    if new.peek().is_some() && !groups.is_empty() {
        let mut more = Names::clone(names);
        for name in new {
            more.intern(name);
        }
        *names = Arc::new(more);
    }
    load::renumber(names, from, groups);
}

/// A number that no earlier reading of any file has had.
pub(crate) fn new_generation() -> u64 {
    let now = crate::run_dir::nanoseconds(std::time::SystemTime::now());
    xxh3_64(&now.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};
    use std::path::Path;

    use super::*;
    use crate::metrics::hostile::dump;

    fn line(step: u32) -> String {
        format!(
            "{{\"ts\": 1.0, \"type\": \"metrics\", \"data\": {{\"loss\": {step}.5, \"global_step\": {step}, \"time\": 1.0}}}}\n"
        )
    }

    fn lines(steps: std::ops::Range<u32>) -> String {
        steps.map(line).collect()
    }

    fn append(path: &Path, text: &str) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    struct Watched {
        folder: tempfile::TempDir,
        tail: MetricTail,
    }

    impl Watched {
        fn new(text: &str) -> Self {
            let watched = Self {
                folder: tempfile::tempdir().unwrap(),
                tail: MetricTail::default(),
            };
            append(&watched.path(), text);
            watched
        }

        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("events.jsonl")
        }

        fn refresh(&mut self) -> (Change, u64) {
            let change = self
                .tail
                .refresh(&File::open(self.path()).unwrap())
                .unwrap();
            (change, self.tail.columns.rows())
        }
    }

    #[test]
    fn only_what_was_appended_is_read_and_known_rows_stay() {
        let mut watched = Watched::new(&lines(0..3));
        assert_eq!(watched.refresh(), (Change::Replaced, 3));
        let generation = watched.tail.columns.generation();
        assert_eq!(watched.refresh(), (Change::None, 3));
        append(&watched.path(), &lines(3..5));
        assert_eq!(watched.refresh(), (Change::Grown, 5));
        assert_eq!(watched.tail.columns.generation(), generation);
    }

    #[test]
    fn a_torn_last_line_waits_for_its_rest() {
        let last = line(1);
        let (start, rest) = last.split_at(30);
        let mut watched = Watched::new(&line(0));
        append(&watched.path(), start);
        assert_eq!(watched.refresh().1, 1);
        assert_eq!(watched.tail.unread.torn_bytes, 30);
        append(&watched.path(), rest);
        assert_eq!(watched.refresh(), (Change::Grown, 2));
        assert_eq!(watched.tail.unread, Unread::default());
        assert!(dump(&watched.tail.columns)[1].contains("1.5"));
    }

    #[test]
    fn a_whole_last_line_without_a_newline_counts_and_its_newline_changes_nothing() {
        let mut watched = Watched::new(lines(0..2).trim_end());
        assert_eq!(watched.refresh().1, 2);
        let (generation, rows) = (
            watched.tail.columns.generation(),
            dump(&watched.tail.columns),
        );
        append(&watched.path(), "\n");
        assert_eq!(watched.refresh(), (Change::Grown, 2));
        assert_eq!(
            (
                watched.tail.columns.generation(),
                dump(&watched.tail.columns)
            ),
            (generation, rows)
        );
        append(&watched.path(), &line(2));
        assert_eq!(watched.refresh(), (Change::Grown, 3));
    }

    #[test]
    fn a_last_line_that_goes_on_after_it_seemed_whole_is_taken_back() {
        let mut watched = Watched::new(lines(0..2).trim_end());
        assert_eq!(watched.refresh().1, 2);
        append(&watched.path(), " garbage\n");
        assert_eq!(
            watched.refresh(),
            (Change::Replaced, 1),
            "known rows are gone, so the generation is another"
        );
    }

    #[test]
    fn a_cut_file_is_read_from_its_start() {
        let mut watched = Watched::new(&lines(0..9));
        watched.refresh();
        File::options()
            .write(true)
            .open(watched.path())
            .unwrap()
            .set_len(line(0).len() as u64)
            .unwrap();
        assert_eq!(watched.refresh(), (Change::Replaced, 1));
    }

    #[test]
    fn a_replaced_file_is_read_from_its_start_even_when_it_is_longer() {
        let mut watched = Watched::new(&lines(0..3));
        watched.refresh();
        let other = watched.folder.path().join("other");
        append(&other, &lines(10..20));
        std::fs::rename(&other, watched.path()).unwrap();
        assert_eq!(watched.refresh(), (Change::Replaced, 10));
        assert!(dump(&watched.tail.columns)[0].starts_with("Int(10)"));
    }

    #[test]
    fn a_rotated_file_is_read_from_its_start() {
        let mut watched = Watched::new(&lines(0..3));
        watched.refresh();
        std::fs::rename(watched.path(), watched.folder.path().join("events.jsonl.1")).unwrap();
        append(&watched.path(), &lines(3..5));
        assert_eq!(watched.refresh(), (Change::Replaced, 2));
    }

    #[test]
    fn a_rewrite_of_the_same_size_is_noticed() {
        let mut watched = Watched::new(&lines(0..3));
        watched.refresh();
        let mut file = File::options().write(true).open(watched.path()).unwrap();
        file.write_all(lines(5..8).as_bytes()).unwrap();
        assert_eq!(watched.refresh(), (Change::Replaced, 3));
        assert!(dump(&watched.tail.columns)[0].starts_with("Int(5)"));
    }

    #[test]
    fn a_rewrite_in_the_middle_of_the_same_size_is_noticed_by_its_time() {
        let mut watched = Watched::new(&lines(0..1000));
        let file = File::options().write(true).open(watched.path()).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        watched.refresh();
        let mut writer = &file;
        writer
            .seek(SeekFrom::Start(line(0).len() as u64 * 5))
            .unwrap();
        writer.write_all(line(7).as_bytes()).unwrap();
        assert_eq!(watched.refresh(), (Change::Replaced, 1000));
        assert!(dump(&watched.tail.columns)[5].starts_with("Int(7)"));
    }

    #[test]
    fn a_rewrite_that_ends_longer_is_noticed_by_the_bytes_before_the_old_end() {
        let mut watched = Watched::new(&lines(0..3));
        watched.refresh();
        let mut file = File::options().write(true).open(watched.path()).unwrap();
        file.write_all(lines(5..9).as_bytes()).unwrap();
        assert_eq!(watched.refresh(), (Change::Replaced, 4));
    }

    #[test]
    fn a_line_above_the_limit_is_left_out_and_the_next_ones_are_read() {
        let long = format!(
            "{{\"x\": \"{}\"}}\n",
            "y".repeat(usize::try_from(load::MAX_LINE_BYTES).unwrap())
        );
        let mut watched = Watched::new(&line(0));
        append(&watched.path(), &long);
        append(&watched.path(), &line(1));
        assert_eq!(watched.refresh().1, 2);
        assert_eq!(watched.tail.unread.long_lines, 1);
    }

    #[test]
    fn a_line_that_grows_above_the_limit_is_passed_over_without_being_read_again() {
        let mut watched = Watched::new(&line(0));
        append(
            &watched.path(),
            &"y".repeat(usize::try_from(load::MAX_LINE_BYTES).unwrap() + 10),
        );
        assert_eq!(watched.refresh().1, 1);
        assert!(watched.tail.in_long_line);
        append(&watched.path(), "still the same line\n");
        append(&watched.path(), &line(1));
        assert_eq!(watched.refresh().1, 2);
        assert_eq!(
            (
                watched.tail.unread.long_lines,
                watched.tail.unread.garbage_lines
            ),
            (1, 0)
        );
    }

    #[test]
    fn a_run_written_line_by_line_keeps_few_groups() {
        let mut watched = Watched::new("");
        for step in 0..500 {
            append(&watched.path(), &line(step));
            watched.refresh();
        }
        assert_eq!(watched.tail.columns.rows(), 500);
        assert!(
            watched.tail.columns.group_count() < 12,
            "{}",
            watched.tail.columns.group_count()
        );
        let steps: Vec<_> = dump(&watched.tail.columns)
            .iter()
            .map(|row| row.split(' ').next().unwrap().to_owned())
            .collect();
        assert_eq!(
            steps,
            (0..500)
                .map(|step| format!("Int({step})"))
                .collect::<Vec<_>>()
        );
    }

    #[test]
    fn thousands_of_columns_that_are_rarely_set_take_little_memory() {
        let lines = (0..20_000).map(|step| {
                let name = step % 5000;
                format!("{{\"ts\": 1.0, \"type\": \"metrics\", \"data\": {{\"m{name}\": {step}.25, \"global_step\": {step}, \"time\": 1.0}}}}\n")
            });
        let mut watched = Watched::new(&lines.collect::<Vec<_>>().concat());
        assert_eq!(watched.refresh().1, 20_000);
        assert_eq!(watched.tail.columns.table_columns().len(), 5001);
        assert!(
            watched.tail.columns.bytes() < 4 << 20,
            "{}",
            watched.tail.columns.bytes()
        );
    }
}
