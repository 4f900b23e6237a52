//! `logs.txt` of a run: any lines of it by number, the last ones, what is appended, and what matches a pattern; of files of any size, in
//! bounded memory.
//!
//! A line ends with `\n` or `\r\n`; a lone `\r` (a progress bar) stays inside its line, escape sequences stay as recorded. Bytes that
//! are no UTF-8 become U+FFFD. A line without its newline is half written: it waits, unless the caller says that nobody writes any more.

mod follow;
mod line_index;
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

pub use follow::{FollowStep, LogFollower};
pub use lines::MAX_LINE_BYTES;
use lines::last_lines_offset;
pub use search::{LogHit, LogPattern, LogSearch, SearchLimits};
pub use watches::{FolderWatch, FolderWatches};

use line_index::LineIndex;

/// Files whose line numbers are remembered.
const REMEMBERED_FILES: usize = 64;

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

type SharedIndex = Arc<Mutex<LineIndex>>;

/// Logs of runs, with the line numbers of those that were looked at lately.
#[derive(Debug, Default)]
pub struct Logs {
    /// With when each was used last.
    indexes: Mutex<HashMap<PathBuf, (u64, SharedIndex)>>,
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

    /// Everything in a run's log that matches, within limits.
    pub fn search(
        &self,
        run: &RunDir,
        pattern: &LogPattern,
        limits: &SearchLimits<'_>,
    ) -> Result<LogSearch, StoreError> {
        let Some(file) = open(run)? else {
            return Ok(LogSearch {
                complete: true,
                ..LogSearch::default()
            });
        };
        search::search(&file, pattern, limits)
            .map_err(|error| StoreError::io(run.dir.join(layout::LOGS), error))
    }

    /// Watches of folders with logs that are followed.
    pub fn watches(&self) -> &FolderWatches {
        &self.watches
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
