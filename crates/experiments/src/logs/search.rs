//! Searching a log. Whole blocks go through the pattern first, so a file of a gigabyte takes about a second; only lines with a match
//! are looked at one by one. Escape sequences of terminals are no part of the text that is searched.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use regex::bytes::{Regex, RegexBuilder};

use super::filtered::LogFilter;
use super::line_reader::LineReader;
use super::line_time::LogClock;
use super::lines;
use crate::growing::read_range;

/// Read at once; lines longer than this are searched in their start only.
const BLOCK_BYTES: u64 = 1 << 20;

/// Compiled patterns may take so much.
const PATTERN_BYTES: usize = 1 << 20;

/// What to look for.
#[derive(Debug)]
pub struct LogPattern {
    regex: Regex,
    /// Whether a block can be searched as a whole.
    by_block: bool,
}

impl LogPattern {
    /// A pattern from what a person typed.
    ///
    /// # Errors
    /// What is wrong with a regular expression, in words.
    pub fn new(text: &str, is_regex: bool, is_case_sensitive: bool) -> Result<Self, String> {
        let source = if is_regex {
            text.to_owned()
        } else {
            regex::escape(text)
        };
        let regex = RegexBuilder::new(&source)
            .case_insensitive(!is_case_sensitive)
            .multi_line(true)
            .crlf(true)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| error.to_string())?;
        let by_block = !(is_regex && (source.contains("\\A") || source.contains("\\z")));
        Ok(Self { regex, by_block })
    }
}

/// When to stop.
pub struct SearchLimits<'a> {
    /// Hits to give; more are only counted.
    pub hits: usize,
    /// Time to take.
    pub time: Duration,
    /// Asked now and then; `true` stops at once.
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

/// A line with matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHit {
    /// Number of the line; the first is 0.
    pub line: u64,
    /// Its place among the lines that the filter shows; the same without a filter.
    pub place: u64,
    /// The line as recorded, escape sequences included.
    pub text: String,
    /// Where it matches: start and end in UTF-16 units of the line without its escape sequences.
    pub spans: Vec<(usize, usize)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSearch {
    /// The first lines with matches.
    pub hits: Vec<LogHit>,
    /// All lines with matches in what was searched.
    pub total_hits: u64,
    /// Whether the whole file was searched.
    pub complete: bool,
    /// How much of it was.
    pub scanned_bytes: u64,
}

pub(super) fn search(
    file: &File,
    pattern: &LogPattern,
    among: Option<(&LogFilter, &LogClock)>,
    limits: &SearchLimits<'_>,
) -> io::Result<LogSearch> {
    let deadline = Instant::now() + limits.time;
    let mut run = Run {
        pattern,
        limit: limits.hits,
        among,
        reader: LineReader::default(),
        place: 0,
        found: LogSearch::default(),
        line: 0,
    };
    let end = file.metadata()?.len();
    let mut block = Vec::new();
    let mut at = 0;
    while at < end {
        if Instant::now() >= deadline || (limits.is_cancelled)() {
            run.found.scanned_bytes = at;
            return Ok(run.found);
        }
        read_range(file, at, (at + BLOCK_BYTES).min(end), &mut block)?;
        if block.is_empty() {
            break;
        }
        let last = at + block.len() as u64 >= end;
        match memchr::memrchr(b'\n', &block) {
            Some(newline) if !last => block.truncate(newline + 1),
            None if !last => {
                // One line fills the block: its start is searched, the rest passed over.
                run.line(&block);
                at = lines::for_each(file, at..end, 0, &mut |_, _| ControlFlow::Break(()))?;
                run.line += 1;
                continue;
            }
            _ => (),
        }
        run.block(&block);
        at += block.len() as u64;
    }
    run.found.scanned_bytes = at;
    run.found.complete = true;
    Ok(run.found)
}

struct Run<'a> {
    pattern: &'a LogPattern,
    limit: usize,
    /// Only what this shows is searched.
    among: Option<(&'a LogFilter, &'a LogClock)>,
    reader: LineReader,
    /// Of the next line, among those that are shown.
    place: u64,
    found: LogSearch,
    /// Number of the next line.
    line: u64,
}

impl Run<'_> {
    /// Searches whole lines (the very last may lack its newline).
    fn block(&mut self, mut block: &[u8]) {
        let by_block =
            self.pattern.by_block && self.among.is_none() && memchr::memchr(0x1b, block).is_none();
        while !block.is_empty() {
            if by_block {
                let Some(found) = self.pattern.regex.find(block) else {
                    self.line += memchr::memchr_iter(b'\n', block).count() as u64;
                    return;
                };
                let before = block.get(..found.start()).unwrap_or_default();
                self.line += memchr::memchr_iter(b'\n', before).count() as u64;
                let start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
                block = block.get(start..).unwrap_or_default();
            }
            let end = memchr::memchr(b'\n', block).unwrap_or(block.len());
            self.line(block.get(..end).unwrap_or_default());
            self.line += 1;
            block = block.get(end + 1..).unwrap_or_default();
        }
    }

    /// Searches one line.
    fn line(&mut self, line: &[u8]) {
        let mut place = self.line;
        if let Some((filter, clock)) = self.among {
            if !filter.shows(&self.reader.read(clock, line)) {
                return;
            }
            place = self.place;
            self.place += 1;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let visible = without_escapes(line);
        if !self.pattern.regex.is_match(&visible) {
            return;
        }
        self.found.total_hits += 1;
        if self.found.hits.len() < self.limit {
            let shown = lines::shown(line, line.len() as u64);
            let spans = self
                .pattern
                .regex
                .find_iter(&visible)
                .take(1000)
                .filter(|found| !found.is_empty());
            let units = |bytes: &[u8]| String::from_utf8_lossy(bytes).encode_utf16().count();
            let spans = spans.map(|found| {
                let start = units(visible.get(..found.start()).unwrap_or_default());
                (start, start + units(found.as_bytes()))
            });
            let spans = spans.collect();
            self.found.hits.push(LogHit {
                line: self.line,
                place,
                text: shown.text,
                spans,
            });
        }
    }
}

/// The line without `ESC [ … letter` and `ESC ] … BEL` sequences.
pub(super) fn without_escapes(line: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if memchr::memchr(0x1b, line).is_none() {
        return line.into();
    }
    let mut visible = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(0x1b, rest) {
        visible.extend_from_slice(rest.get(..at).unwrap_or_default());
        let sequence = rest.get(at + 1..).unwrap_or_default();
        let length = match sequence.first() {
            Some(b'[') => sequence
                .iter()
                .skip(1)
                .position(|byte| (0x40..=0x7e).contains(byte))
                .map(|end| end + 2),
            Some(b']') => sequence
                .iter()
                .position(|&byte| byte == 7)
                .map(|end| end + 1),
            Some(_) => Some(1),
            None => Some(0),
        };
        rest = sequence
            .get(length.unwrap_or(sequence.len())..)
            .unwrap_or_default();
    }
    visible.extend_from_slice(rest);
    visible.into()
}
