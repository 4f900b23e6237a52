//! What is appended to a log, whole lines at a time. A follower is a value that is asked again and again; who asks decides when, so a
//! slow reader simply asks later and nothing is dropped.

use std::fs::File;
use std::io;

use super::lines;
use crate::growing::{Change, FileStamp, Known, read_range};
use crate::layout;
use crate::run_dir::RunDir;

/// One step gives about so many bytes.
const STEP_BYTES: usize = 256 << 10;
const STEP_LINES: usize = 2000;

/// What has happened since the follower was last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FollowStep {
    /// New lines.
    Lines {
        /// Number of the first one.
        first_line: u64,
        /// The lines.
        lines: Vec<String>,
    },
    /// The file was cut, replaced or rewritten: what was given before is void, and it starts anew at line 0.
    Reset,
    /// Nothing.
    Nothing,
    /// There is no file.
    Missing,
}

/// Follows the log of one run.
#[derive(Debug)]
pub struct LogFollower {
    run: RunDir,
    known: Option<Known>,
    /// Where the next line starts.
    offset: u64,
    line: u64,
    /// Up to here there is no newline after `offset`.
    looked: u64,
    /// Whether whole lines after `offset` are known to wait.
    more: bool,
}

impl LogFollower {
    /// A follower that starts at a place of the file: the offset of a line and its number.
    pub fn new(run: RunDir, offset: u64, line: u64) -> Self {
        Self {
            run,
            known: None,
            offset,
            line,
            looked: offset,
            more: false,
        }
    }

    /// What is new. `is_ended` says that nobody writes any more, so a last line without a newline counts.
    pub fn step(&mut self, is_ended: bool) -> io::Result<FollowStep> {
        let file = match self.run.open(layout::LOGS) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.missing()),
            Err(error) => return Err(error),
        };
        let mut now = FileStamp::of(&file)?;
        let change = match &mut self.known {
            Some(known) => known.change(&file, &mut now)?,
            None if now.bytes < self.offset => Change::Replaced,
            None => Change::Grown,
        };
        if change == Change::Replaced {
            *self = Self::new(self.run.clone(), 0, 0);
            return Ok(FollowStep::Reset);
        }
        if change == Change::None && !self.more && !is_ended {
            return Ok(FollowStep::Nothing);
        }
        let step = self.read(&file, now.bytes, is_ended)?;
        self.known = Some(Known::of(&file, now, self.offset)?);
        Ok(step)
    }

    fn missing(&mut self) -> FollowStep {
        if self.offset == 0 && self.known.is_none() {
            return FollowStep::Missing;
        }
        *self = Self::new(self.run.clone(), 0, 0);
        FollowStep::Reset
    }

    fn read(&mut self, file: &File, end: u64, is_ended: bool) -> io::Result<FollowStep> {
        let whole = if is_ended {
            end
        } else {
            self.whole_lines(file, end)?
        };
        let mut found = Vec::new();
        let read_to = lines::read(
            file,
            self.offset..whole,
            0,
            STEP_LINES,
            STEP_BYTES,
            &mut |line| found.push(line.text),
        )?;
        self.more = read_to < whole;
        if found.is_empty() {
            return Ok(FollowStep::Nothing);
        }
        let first_line = self.line;
        self.offset = read_to;
        self.line += found.len() as u64;
        self.looked = self.looked.max(read_to);
        Ok(FollowStep::Lines {
            first_line,
            lines: found,
        })
    }

    /// Where the first whole lines after `offset` end; at least one line, if there is one.
    fn whole_lines(&mut self, file: &File, end: u64) -> io::Result<u64> {
        let mut block = Vec::new();
        while self.looked < end {
            read_range(
                file,
                self.looked,
                (self.looked + STEP_BYTES as u64).min(end),
                &mut block,
            )?;
            if let Some(newline) = memchr::memrchr(b'\n', &block) {
                return Ok(self.looked + newline as u64 + 1);
            }
            if block.is_empty() {
                break;
            }
            self.looked += block.len() as u64;
        }
        Ok(self.offset)
    }
}
