//! Which line starts where in a growing file, for every 1,024th line; brought up to date by reading only what is new.

use std::fs::File;
use std::io;

use super::lines::BLOCK_BYTES;
use crate::growing::{Change, FileStamp, Known, read_range};

/// Lines from one remembered place to the next.
const STRIDE: u64 = 1024;

#[derive(Debug, Default)]
pub(super) struct LineIndex {
    known: Option<Known>,
    /// Where lines 0, 1,024, 2,048, … start.
    places: Vec<u64>,
    lines: u64,
    /// After the last newline.
    end: u64,
    /// Up to here there is no newline after `end`.
    looked: u64,
}

impl LineIndex {
    /// Whole lines.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Where the whole lines end.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Size of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.known.map_or(0, |known| known.stamp.bytes)
    }

    /// Length of a last line without its newline.
    pub(super) fn torn_bytes(&self) -> u64 {
        self.bytes().saturating_sub(self.end)
    }

    /// A remembered place at or before a line, and how many lines are between.
    pub(super) fn near(&self, line: u64) -> (u64, u64) {
        let at = usize::try_from(line / STRIDE)
            .unwrap_or(usize::MAX)
            .min(self.places.len().saturating_sub(1));
        (
            self.places.get(at).copied().unwrap_or(0),
            line - at as u64 * STRIDE,
        )
    }

    /// Reads what is new, or everything when the file was cut, replaced or rewritten.
    pub(super) fn refresh(&mut self, file: &File) -> io::Result<()> {
        let mut now = FileStamp::of(file)?;
        let change = match &mut self.known {
            Some(known) => known.change(file, &mut now)?,
            None => Change::Replaced,
        };
        match change {
            Change::None => return Ok(()),
            Change::Grown => (),
            Change::Replaced => {
                *self = Self {
                    places: vec![0],
                    ..Self::default()
                }
            }
        }
        let mut block = Vec::new();
        while self.looked < now.bytes {
            read_range(
                file,
                self.looked,
                (self.looked + BLOCK_BYTES).min(now.bytes),
                &mut block,
            )?;
            if block.is_empty() {
                break;
            }
            for newline in memchr::memchr_iter(b'\n', &block) {
                self.lines += 1;
                self.end = self.looked + newline as u64 + 1;
                if self.lines.is_multiple_of(STRIDE) {
                    self.places.push(self.end);
                }
            }
            self.looked += block.len() as u64;
        }
        self.known = Some(Known::of(file, now, self.end)?);
        Ok(())
    }
}
