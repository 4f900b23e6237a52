//! What each line of a log says of itself, read one after the other: its level and its time. A line that says neither belongs to the one
//! before: it has the same time, and when it is indented or part of a traceback, the same level.

use std::borrow::Cow;

use super::level::Level;
use super::line_time::{ClockState, LogClock, Stamp};
use super::search::without_escapes;

/// Neither a level nor a time stands further right.
const HEAD_BYTES: usize = 240;

/// What a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LineFacts {
    /// How serious it is; `None` when nothing says so.
    pub level: Option<Level>,
    /// When it was written, in Unix seconds: by its own words or those of the last line that tells.
    pub time: Option<f64>,
    /// Whether the line itself says the time.
    pub has_own_time: bool,
}

/// Where reading has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LineReader {
    clock: ClockState,
    time: Option<f64>,
    level: Option<Level>,
    in_traceback: bool,
}

impl LineReader {
    /// Reads the next line, given without its newline.
    pub(super) fn read(&mut self, clock: &LogClock, line: &[u8]) -> LineFacts {
        let head = head_of(line);
        let stamp = Stamp::find(&head);
        let own = stamp.and_then(|stamp| self.clock.resolve(clock, &stamp));
        self.time = own.or(self.time);
        LineFacts {
            level: self.level_of(&head, stamp.as_ref()),
            time: self.time,
            has_own_time: own.is_some(),
        }
    }

    fn level_of(&mut self, head: &[u8], stamp: Option<&Stamp>) -> Option<Level> {
        let body = body_of(head, stamp);
        if body.trim_ascii().is_empty() {
            return None;
        }
        let is_indented = body.first().is_some_and(u8::is_ascii_whitespace);
        if body.starts_with(b"Traceback (most recent call last)") {
            self.in_traceback = true;
            self.level = Some(Level::Error);
            return self.level;
        }
        if is_indented && self.in_traceback {
            return Some(Level::Error);
        }
        let own = Level::of(head);
        let ends_traceback = std::mem::take(&mut self.in_traceback) && own.is_none();
        if is_indented && own.is_none() && memchr::memmem::find(body, b"%|").is_none() {
            return self.level;
        }
        let is_chained = body.starts_with(b"During handling of the above exception")
            || body.starts_with(b"The above exception was the direct cause");
        self.level = if ends_traceback || is_chained {
            Some(Level::Error)
        } else {
            own
        };
        self.level
    }
}

/// The start of what a line shows: of a progress bar, its last state.
fn head_of(line: &[u8]) -> Cow<'_, [u8]> {
    let mut line = line.strip_suffix(b"\r").unwrap_or(line);
    while let Some(at) = memchr::memrchr(b'\r', line) {
        let state = line.get(at + 1..).unwrap_or_default();
        if !state.trim_ascii().is_empty() {
            line = state;
            break;
        }
        line = line.get(..at).unwrap_or_default();
    }
    without_escapes(line.get(..HEAD_BYTES).unwrap_or(line))
}

/// The line without the clock that the SDK puts before what a program prints.
fn body_of<'a>(head: &'a [u8], stamp: Option<&Stamp>) -> &'a [u8] {
    stamp
        .filter(|stamp| stamp.is_clock())
        .and_then(|stamp| head.get(stamp.end()..)?.strip_prefix(b" | "))
        .unwrap_or(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(lines: &[&str]) -> Vec<&'static str> {
        let clock = LogClock::of_run("", Some(0.0));
        let mut reader = LineReader::default();
        let word = |line: &&str| {
            let facts = reader.read(&clock, line.as_bytes());
            facts.level.map_or("", Level::word)
        };
        lines.iter().map(word).collect()
    }

    #[test]
    fn a_traceback_is_an_error_as_a_whole() {
        let lines = [
            "INFO start",
            "Traceback (most recent call last):",
            "  File \"a.py\", line 1, in <module>",
            "    1 / 0",
            "ZeroDivisionError: division by zero",
            "",
            "During handling of the above exception, another exception occurred:",
            "",
            "Traceback (most recent call last):",
            "  File \"b.py\", line 2",
            "mine.Odd",
            "epoch 1",
        ];
        let (no, yes) = ("", "error");
        assert_eq!(
            levels(&lines),
            ["info", yes, yes, yes, yes, no, yes, no, yes, yes, yes, no]
        );
    }

    #[test]
    fn the_sdk_puts_a_clock_before_each_line_of_a_traceback() {
        let lines = [
            "10:00:00 | Traceback (most recent call last):",
            "10:00:00 |   File \"a.py\", line 1",
            "10:00:00 | KeyError: 'x'",
            "10:00:01 | epoch 1",
        ];
        assert_eq!(levels(&lines), ["error", "error", "error", ""]);
    }

    #[test]
    fn indented_lines_belong_to_the_line_above() {
        let lines = [
            "WARNING: several",
            "  one",
            "\ttwo",
            "three",
            "  four",
            "ERROR x",
            "  3%|#   | 3/100 [00:01<00:30]",
        ];
        assert_eq!(
            levels(&lines),
            ["warning", "warning", "warning", "", "", "error", ""]
        );
    }

    #[test]
    fn the_last_state_of_a_progress_bar_counts_and_colours_do_not() {
        let lines = [
            "10%|# |\r20%|## |\rWARNING slow\r",
            "\u{1b}[31mERROR\u{1b}[0m: red",
            "10%|# |\r100%|####|\r   ",
        ];
        assert_eq!(levels(&lines), ["warning", "error", ""]);
    }

    #[test]
    fn lines_without_a_time_have_that_of_the_line_before() {
        let clock = LogClock::of_run("", Some(0.0));
        let mut reader = LineReader::default();
        let mut read = |line: &str| reader.read(&clock, line.as_bytes());
        assert_eq!(read("bare").time, None);
        let own = read("2026-01-01T00:00:01Z x");
        let next = read("bare");
        assert_eq!(next.time, Some(1_767_225_601.0));
        assert!(own.has_own_time && !next.has_own_time && own.time == next.time);
    }
}
