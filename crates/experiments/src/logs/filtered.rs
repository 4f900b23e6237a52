//! A log with only some of its lines: those of a level and of a stretch of time. They are counted once, in steps that end in time, and the
//! places of some are kept, so that any page of them is found as fast as in the whole log; what is appended is read on from the end.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::level::Level;
use super::line_reader::{LineFacts, LineReader};
use super::line_time::LogClock;
use super::lines::{self, MAX_LINE_BYTES};
use crate::growing::{Change, FileStamp, Known};

/// Kept places; when there are more, every second one goes.
const MAX_PLACES: usize = 1 << 15;
/// Places nearer than this are read in one go.
const NEAR_BYTES: u64 = 256 << 10;
/// How often the clock is looked at.
const LINES_BETWEEN_LOOKS: u64 = 4096;

/// Which lines are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogFilter {
    /// This serious or more.
    pub level: Option<Level>,
    /// Not before, in Unix seconds.
    pub since: Option<f64>,
    /// Not after, in Unix seconds.
    pub until: Option<f64>,
}

impl LogFilter {
    /// Whether a line is shown.
    pub(super) fn shows(&self, facts: &LineFacts) -> bool {
        let not_before = |since: f64| facts.time.is_some_and(|time| time >= since);
        let not_after = |until: f64| facts.time.is_some_and(|time| time <= until);
        self.level.is_none_or(|least| facts.level >= Some(least))
            && self.since.is_none_or(not_before)
            && self.until.is_none_or(not_after)
    }

    /// The same for the same filter.
    pub(super) fn key(&self) -> (Option<Level>, Option<u64>, Option<u64>) {
        (
            self.level,
            self.since.map(f64::to_bits),
            self.until.map(f64::to_bits),
        )
    }
}

/// Where a page of shown lines starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilteredStart {
    /// At the shown line with this place among them; the first is 0.
    Place(u64),
    /// At the first shown line at or after this line of the log.
    Line(u64),
    /// So that the last shown line is the last one of the page.
    Tail,
}

/// When to stop reading; the next question goes on from there.
pub struct ReadLimits<'a> {
    /// Time to take.
    pub time: Duration,
    /// Asked now and then; `true` stops at once.
    pub is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl ReadLimits<'_> {
    /// Says when to stop.
    pub(super) fn watch(&self) -> impl FnMut() -> bool {
        let deadline = Instant::now() + self.time;
        let mut lines: u64 = 0;
        move || {
            lines += 1;
            lines.is_multiple_of(LINES_BETWEEN_LOOKS)
                && (Instant::now() >= deadline || (self.is_cancelled)())
        }
    }
}

/// A line that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct FilteredLine {
    /// Number of the line in the log; the first is 0.
    pub line: u64,
    /// As in a page of the whole log.
    pub text: String,
    /// Whether it was too long and ends in a mark.
    pub is_cut: bool,
    /// What the line is.
    pub facts: LineFacts,
}

/// Whether a filter can mean anything for a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaidByLines {
    /// Any line says a time.
    pub times: bool,
    /// Any line says a level.
    pub levels: bool,
}

/// Some of the shown lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilteredPage {
    /// Whether there is a log at all.
    pub exists: bool,
    /// Lines that were looked at so far.
    pub read_lines: u64,
    /// Bytes that were looked at so far.
    pub read_bytes: u64,
    /// Size of the file.
    pub total_bytes: u64,
    /// Whether all of the file was looked at; otherwise the same question goes on.
    pub complete: bool,
    /// Lines that are shown.
    pub shown_lines: u64,
    /// What the lines looked at say of themselves.
    pub said: SaidByLines,
    /// Place of the first line given, among those that are shown.
    pub first: u64,
    /// The lines.
    pub lines: Vec<FilteredLine>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// Where the line starts.
    offset: u64,
    line: u64,
    /// Before the line was read.
    reader: LineReader,
}

#[derive(Debug)]
pub(super) struct FilteredIndex {
    filter: LogFilter,
    known: Option<Known>,
    /// Of the shown lines 0, `stride`, 2 `stride`, …
    places: Vec<Place>,
    stride: u64,
    shown: u64,
    said: SaidByLines,
    /// After the last line that was read.
    end: Place,
    bytes: u64,
}

impl FilteredIndex {
    pub(super) fn new(filter: LogFilter) -> Self {
        Self {
            filter,
            known: None,
            places: Vec::new(),
            stride: 1,
            shown: 0,
            said: SaidByLines::default(),
            end: Place {
                offset: 0,
                line: 0,
                reader: LineReader::default(),
            },
            bytes: 0,
        }
    }

    /// Reads on until the end of the whole lines or until time is up; `true` at the end.
    pub(super) fn refresh(
        &mut self,
        file: &File,
        clock: &LogClock,
        limits: &ReadLimits<'_>,
    ) -> io::Result<bool> {
        let mut now = FileStamp::of(file)?;
        if let Some(known) = &mut self.known
            && known.change(file, &mut now)? == Change::Replaced
        {
            *self = Self::new(self.filter);
        }
        self.bytes = now.bytes;
        let mut stop = limits.watch();
        let mut stopped = false;
        let start = self.end.offset;
        lines::for_each(
            file,
            start..now.bytes,
            MAX_LINE_BYTES,
            &mut |line, bytes| {
                let next = self.end.offset + bytes + 1;
                if next > now.bytes {
                    // Its newline is still to come.
                    return ControlFlow::Break(());
                }
                self.take(clock, line, next);
                stopped = stop();
                if stopped {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )?;
        self.known = Some(Known::of(file, now, self.end.offset)?);
        Ok(!stopped)
    }

    fn take(&mut self, clock: &LogClock, line: &[u8], next: u64) {
        let here = self.end;
        let facts = self.end.reader.read(clock, line);
        self.said.times |= facts.has_own_time;
        self.said.levels |= facts.level.is_some();
        if self.filter.shows(&facts) {
            if self.shown.is_multiple_of(self.stride) {
                self.places.push(here);
                if self.places.len() > MAX_PLACES {
                    let mut odd = false;
                    self.places.retain(|_| {
                        odd = !odd;
                        odd
                    });
                    self.stride *= 2;
                }
            }
            self.shown += 1;
        }
        self.end.offset = next;
        self.end.line += 1;
    }

    /// Up to `count` shown lines. `is_ended` says that nobody writes any more, so a last line without a newline counts.
    pub(super) fn page(
        &self,
        file: &File,
        clock: &LogClock,
        start: FilteredStart,
        count: usize,
        is_ended: bool,
        complete: bool,
    ) -> io::Result<FilteredPage> {
        let torn = self.torn(file, clock, is_ended && complete)?;
        let shown_lines = self.shown + u64::from(torn.is_some());
        let first = match start {
            FilteredStart::Place(place) => place.min(shown_lines),
            FilteredStart::Tail => shown_lines.saturating_sub(count as u64),
            FilteredStart::Line(line) => self.place_of(file, clock, line)?,
        };
        let mut page = FilteredPage {
            exists: true,
            read_lines: self.end.line,
            read_bytes: self.end.offset,
            total_bytes: self.bytes,
            complete,
            shown_lines,
            said: self.said,
            first,
            lines: Vec::new(),
        };
        let mut bytes = 0;
        let end = (first + count as u64).min(self.shown);
        self.visit(file, clock, first..end, &mut |found| {
            bytes += found.text.len();
            page.lines.push(found);
            bytes < super::MAX_PAGE_BYTES
        })?;
        let is_whole = page.first + page.lines.len() as u64 == self.shown;
        if is_whole && page.lines.len() < count {
            page.lines.extend(torn);
        }
        Ok(page)
    }

    /// A last line without its newline, when it is shown.
    fn torn(
        &self,
        file: &File,
        clock: &LogClock,
        counts: bool,
    ) -> io::Result<Option<FilteredLine>> {
        let mut found = None;
        if counts && self.end.offset < self.bytes {
            let span = self.end.offset..self.bytes;
            lines::for_each(file, span, MAX_LINE_BYTES + 1, &mut |line, bytes| {
                let mut reader = self.end.reader;
                let facts = reader.read(clock, line);
                if self.filter.shows(&facts) {
                    found = Some(filtered(self.end.line, line, bytes, facts));
                }
                ControlFlow::Break(())
            })?;
        }
        Ok(found)
    }

    /// The place of the first shown line at or after a line of the log.
    fn place_of(&self, file: &File, clock: &LogClock, line: u64) -> io::Result<u64> {
        let after = self.places.partition_point(|place| place.line <= line) as u64;
        let mut place = after.saturating_sub(1) * self.stride;
        self.visit(file, clock, place..self.shown, &mut |found| {
            let is_before = found.line < line;
            place += u64::from(is_before);
            is_before
        })?;
        Ok(place)
    }

    /// Gives the shown lines with these places, until told to stop.
    fn visit(
        &self,
        file: &File,
        clock: &LogClock,
        wanted: std::ops::Range<u64>,
        found: &mut dyn FnMut(FilteredLine) -> bool,
    ) -> io::Result<()> {
        let mut next = wanted.start;
        while next < wanted.end {
            let group = next / self.stride;
            let Some(&start) = usize::try_from(group)
                .ok()
                .and_then(|at| self.places.get(at))
            else {
                break;
            };
            let (last, until) = self.reach(group, wanted.end);
            let mut place = group * self.stride;
            let mut here = start;
            let mut goes_on = true;
            let span = start.offset..until;
            lines::for_each(file, span, MAX_LINE_BYTES + 1, &mut |line, bytes| {
                let facts = here.reader.read(clock, line);
                let number = here.line;
                here.line += 1;
                if !self.filter.shows(&facts) {
                    return ControlFlow::Continue(());
                }
                place += 1;
                if place > wanted.start {
                    goes_on = found(filtered(number, line, bytes, facts));
                }
                if goes_on && place < last.min(wanted.end) {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            })?;
            // Fewer than were counted: the file is another one by now, and the next question notices it.
            if !goes_on || place <= next {
                break;
            }
            next = place;
        }
        Ok(())
    }

    /// How far one reading from the place of a group goes: up to which shown line, and where that lies at the latest.
    fn reach(&self, group: u64, wanted_end: u64) -> (u64, u64) {
        let mut at = usize::try_from(group).unwrap_or(usize::MAX);
        loop {
            let next = self.places.get(at + 1);
            let last = (at as u64 + 1) * self.stride;
            match (self.places.get(at), next) {
                (Some(here), Some(next))
                    if last < wanted_end && next.offset - here.offset <= NEAR_BYTES =>
                {
                    at += 1;
                }
                (_, next) => {
                    let until = next.map_or(self.end.offset, |next| next.offset);
                    return (last.min(self.shown), until);
                }
            }
        }
    }
}

fn filtered(line: u64, text: &[u8], bytes: u64, facts: LineFacts) -> FilteredLine {
    let shown = lines::shown(text, bytes);
    FilteredLine {
        line,
        text: shown.text,
        is_cut: shown.is_cut,
        facts,
    }
}

/// The line whose own time is nearest to one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearestLine {
    /// Its number; the first is 0.
    pub line: u64,
    /// Its time, in Unix seconds.
    pub time: f64,
}

/// The line nearest to a time, of several the first; with whether the whole file was looked at.
pub(super) fn nearest(
    file: &File,
    clock: &LogClock,
    time: f64,
    limits: &ReadLimits<'_>,
) -> io::Result<(Option<NearestLine>, bool)> {
    let mut stop = limits.watch();
    let mut stopped = false;
    let mut best: Option<NearestLine> = None;
    let mut reader = LineReader::default();
    let mut number = 0;
    let end = file.metadata()?.len();
    lines::for_each(file, 0..end, MAX_LINE_BYTES, &mut |line, _| {
        let facts = reader.read(clock, line);
        if let Some(own) = facts.time.filter(|_| facts.has_own_time) {
            let gap = |other: f64| (other - time).abs();
            if best.is_none_or(|best| gap(own) < gap(best.time)) {
                best = Some(NearestLine {
                    line: number,
                    time: own,
                });
            }
        }
        number += 1;
        stopped = stop();
        if stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    Ok((best, !stopped))
}
