//! `logs.txt` of a run: any lines of it by number, the last ones, what is appended, what matches a pattern, and those of a level or a
//! stretch of time; of files of any size, in bounded memory.
//!
//! A line ends with `\n` or `\r\n`; a lone `\r` (a progress bar) stays inside its line, escape sequences stay as recorded. Bytes that
//! are no UTF-8 become U+FFFD. A line without its newline is half written: it waits, unless the caller says that nobody writes any more.

mod filtered;
mod follow;
mod level;
mod line_index;
mod line_reader;
mod line_time;
mod lines;
mod search;
#[cfg(test)]
mod tests;
mod watches;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::StoreError;
use crate::layout;
use crate::run_dir::RunDir;

use filtered::FilteredIndex;
pub use filtered::{
    FilteredLine, FilteredPage, FilteredStart, LogFilter, NearestLine, ReadLimits, SaidByLines,
};
pub use follow::{FollowStep, LogFollower};
pub use level::Level;
pub use line_reader::LineFacts;
pub use line_time::{LogClock, time_of, words_of_time};
pub use lines::MAX_LINE_BYTES;
use lines::last_lines_offset;
pub use search::{LogHit, LogPattern, LogSearch, SearchLimits};
pub use watches::{FolderWatch, FolderWatches};

use line_index::LineIndex;

/// Files whose line numbers are remembered.
const REMEMBERED_FILES: usize = 64;

/// Filters of logs whose places are remembered.
const REMEMBERED_FILTERS: usize = 8;

/// One answer holds at most so much text.
const MAX_PAGE_BYTES: usize = 8 << 20;

/// Where a page of lines starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// At this line; the first is 0.
    Line(u64),
    /// So that the last line is the last one of the page.
    Tail,
}

/// Some lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// Whether there is a log at all.
    pub exists: bool,
    /// Lines the file has.
    pub total_lines: u64,
    /// Size of the file.
    pub total_bytes: u64,
    /// Number of the first line given.
    pub first_line: u64,
    /// The lines; fewer than asked for when they are very long.
    pub lines: Vec<String>,
    /// Numbers of lines that were too long and end in a mark.
    pub cut: Vec<u64>,
}

/// Which of the shown lines are asked for.
#[derive(Clone, Copy, Debug)]
pub struct FilteredQuestion<'a> {
    /// What is shown.
    pub filter: LogFilter,
    /// How to read times.
    pub clock: &'a LogClock,
    /// Where the page starts.
    pub start: FilteredStart,
    /// Lines to give at most.
    pub count: usize,
    /// Nobody writes any more, so a last line without a newline counts.
    pub is_ended: bool,
}

type SharedIndex = Arc<Mutex<LineIndex>>;

/// A log with a filter, and the places of its shown lines.
#[derive(Debug)]
struct RememberedFilter {
    path: PathBuf,
    filter: LogFilter,
    index: Arc<Mutex<FilteredIndex>>,
}

/// Logs of runs, with the line numbers of those that were looked at lately.
#[derive(Debug, Default)]
pub struct Logs {
    /// With when each was used last.
    indexes: Mutex<HashMap<PathBuf, (u64, SharedIndex)>>,
    /// Last used last.
    filters: Mutex<Vec<RememberedFilter>>,
    watches: FolderWatches,
}

impl Logs {
    /// Up to `count` lines of a run's log. `is_ended` says that nobody writes any more, so a last line without a newline counts.
    pub fn page(
        &self,
        run: &RunDir,
        start: PageStart,
        count: usize,
        is_ended: bool,
    ) -> Result<LogPage, StoreError> {
        let Some(file) = open(run)? else {
            return Ok(LogPage::default());
        };
        self.page_of(run.dir.join(layout::LOGS), &file, start, count, is_ended)
    }

    fn page_of(
        &self,
        path: PathBuf,
        file: &File,
        start: PageStart,
        count: usize,
        is_ended: bool,
    ) -> Result<LogPage, StoreError> {
        let index = self.index(path.clone());
        let mut index = index.lock();
        let page = index.refresh(file).and_then(|()| {
            let torn = is_ended && index.torn_bytes() > 0;
            let total_lines = index.lines() + u64::from(torn);
            let first_line = match start {
                PageStart::Line(line) => line.min(total_lines),
                PageStart::Tail => total_lines.saturating_sub(count as u64),
            };
            let mut page = LogPage {
                exists: true,
                total_lines,
                total_bytes: index.bytes(),
                first_line,
                ..LogPage::default()
            };
            let end = if torn { index.bytes() } else { index.end() };
            let (offset, skip) = index.near(first_line);
            lines::read(
                file,
                offset..end,
                skip,
                count,
                MAX_PAGE_BYTES,
                &mut |line| {
                    if line.is_cut {
                        page.cut.push(first_line + page.lines.len() as u64);
                    }
                    page.lines.push(line.text);
                },
            )?;
            Ok(page)
        });
        page.map_err(|error| StoreError::io(path, error))
    }

    /// Up to `count` of the lines that a filter shows, after reading on within limits.
    pub fn filtered(
        &self,
        run: &RunDir,
        question: &FilteredQuestion<'_>,
        limits: &ReadLimits<'_>,
    ) -> Result<FilteredPage, StoreError> {
        let path = run.dir.join(layout::LOGS);
        let Some(file) = open(run)? else {
            return Ok(FilteredPage {
                complete: true,
                ..FilteredPage::default()
            });
        };
        let FilteredQuestion {
            filter,
            clock,
            start,
            count,
            is_ended,
        } = *question;
        let index = self.filtered_index(path.clone(), filter);
        let mut index = index.lock();
        let page = index
            .refresh(&file, clock, limits)
            .and_then(|complete| index.page(&file, clock, start, count, is_ended, complete));
        page.map_err(|error| StoreError::io(path, error))
    }

    /// The line whose time is nearest to one, and whether the whole log was looked at.
    pub fn nearest(
        &self,
        run: &RunDir,
        clock: &LogClock,
        time: f64,
        limits: &ReadLimits<'_>,
    ) -> Result<(Option<NearestLine>, bool), StoreError> {
        let Some(file) = open(run)? else {
            return Ok((None, true));
        };
        filtered::nearest(&file, clock, time, limits)
            .map_err(|error| StoreError::io(run.dir.join(layout::LOGS), error))
    }

    /// How many whole lines a run's log has.
    pub fn count(&self, run: &RunDir) -> Result<u64, StoreError> {
        Ok(self.page(run, PageStart::Tail, 0, false)?.total_lines)
    }

    /// Where line `line` of a run's log starts, for a follower: its offset and its number (smaller when the log is shorter).
    pub fn place(&self, run: &RunDir, line: u64) -> Result<(u64, u64), StoreError> {
        let path = run.dir.join(layout::LOGS);
        let Some(file) = open(run)? else {
            return Ok((0, 0));
        };
        let index = self.index(path.clone());
        let mut index = index.lock();
        let place = index.refresh(&file).and_then(|()| {
            let line = line.min(index.lines());
            let (offset, skip) = index.near(line);
            Ok((lines::skip(&file, offset..index.end(), skip)?, line))
        });
        place.map_err(|error| StoreError::io(path, error))
    }

    /// Where the last `count` lines of a run's log start; `None` when there is no log. Reads from the end only.
    pub fn last_lines(&self, run: &RunDir, count: u64) -> Result<Option<u64>, StoreError> {
        let Some(file) = open(run)? else {
            return Ok(None);
        };
        let offset = file
            .metadata()
            .and_then(|metadata| last_lines_offset(&file, metadata.len(), count));
        offset
            .map(Some)
            .map_err(|error| StoreError::io(run.dir.join(layout::LOGS), error))
    }

    /// Everything in a run's log, or among the lines that a filter shows, that matches, within limits.
    pub fn search(
        &self,
        run: &RunDir,
        pattern: &LogPattern,
        among: Option<(&LogFilter, &LogClock)>,
        limits: &SearchLimits<'_>,
    ) -> Result<LogSearch, StoreError> {
        let Some(file) = open(run)? else {
            return Ok(LogSearch {
                complete: true,
                ..LogSearch::default()
            });
        };
        search::search(&file, pattern, among, limits)
            .map_err(|error| StoreError::io(run.dir.join(layout::LOGS), error))
    }

    /// Watches of folders with logs that are followed.
    pub fn watches(&self) -> &FolderWatches {
        &self.watches
    }

    fn filtered_index(&self, path: PathBuf, filter: LogFilter) -> Arc<Mutex<FilteredIndex>> {
        let mut filters = self.filters.lock();
        let known = filters
            .iter()
            .position(|known| known.path == path && known.filter.key() == filter.key());
        let remembered = match known {
            Some(at) => filters.remove(at),
            None => RememberedFilter {
                path,
                filter,
                index: Arc::new(Mutex::new(FilteredIndex::new(filter))),
            },
        };
        let index = Arc::clone(&remembered.index);
        filters.push(remembered);
        if filters.len() > REMEMBERED_FILTERS {
            filters.remove(0);
        }
        index
    }

    fn index(&self, path: PathBuf) -> SharedIndex {
        let mut indexes = self.indexes.lock();
        let clock = indexes.values().map(|(used, _)| *used).max().unwrap_or(0) + 1;
        if indexes.len() >= REMEMBERED_FILES && !indexes.contains_key(&path) {
            let oldest = indexes
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(path, _)| path.clone());
            oldest.and_then(|oldest| indexes.remove(&oldest));
        }
        let entry = indexes.entry(path).or_default();
        entry.0 = clock;
        Arc::clone(&entry.1)
    }
}

/// Opens a run's log; `None` when there is none.
fn open(run: &RunDir) -> Result<Option<File>, StoreError> {
    match run.open(layout::LOGS) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io(run.dir.join(layout::LOGS), error)),
    }
}
