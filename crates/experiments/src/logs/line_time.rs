//! The time that a line of a log carries near its start, in the forms that Python's logging, the SDK and common trainers print.
//!
//! A time without a zone is one of this machine's zone. A clock without a date gets the day that lets time go on from the line before;
//! the first one goes on from the start of the run.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Times further right belong to what a line says, not to when it was said.
const HEAD_BYTES: usize = 80;
const DAY_SECS: i64 = 86_400;
/// So much a clock may go back before it is one of the next day: lines of several processes are not in order to the second.
const BACK_SECS: i64 = 3600;
/// Within so much the offset of a zone does not change.
const STEADY_SECS: i64 = 900;

/// What turns the clocks of a log into times.
#[derive(Clone, Debug)]
pub struct LogClock {
    zone: TimeZone,
    start: f64,
}

impl LogClock {
    /// For a run of this id, on a machine of this one's zone. When nobody knows its start, the id tells.
    pub fn of_run(run_id: &str, started_at: Option<f64>) -> Self {
        let zone = TimeZone::system();
        let start = started_at.or_else(|| started_by_id(run_id, &zone));
        Self::in_zone(start.unwrap_or_default(), zone)
    }

    pub(super) fn in_zone(start: f64, zone: TimeZone) -> Self {
        Self { zone, start }
    }
}

/// Unix seconds of a number, or of `2026-01-31T23:59` or `2026-01-31T23:59:59` on this machine's clock.
pub fn time_of(text: &str) -> Option<f64> {
    if let Ok(secs) = text.trim().parse::<f64>() {
        return secs.is_finite().then_some(secs);
    }
    let time = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .into_iter()
        .find_map(|form| DateTime::strptime(form, text.trim()).ok())?;
    let zoned = time.to_zoned(TimeZone::system()).ok()?;
    Some(zoned.timestamp().as_millisecond() as f64 / 1000.0)
}

/// `2026-01-31T23:59:59` on this machine's clock: what `time_of` reads.
pub fn words_of_time(secs: f64) -> Option<String> {
    #[expect(clippy::cast_possible_truncation, reason = "a time of these days")]
    let at = jiff::Timestamp::from_second(secs.floor() as i64).ok()?;
    let zoned = at.to_zoned(TimeZone::system());
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

/// `20260131_235959_…`: local time in Unix seconds.
fn started_by_id(run_id: &str, zone: &TimeZone) -> Option<f64> {
    let time = DateTime::strptime("%Y%m%d_%H%M%S", run_id.get(..15)?).ok()?;
    let start = time.to_zoned(zone.clone()).ok()?;
    Some(start.timestamp().as_second() as f64)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Date {
    Full { year: i16, month: i8, day: i8 },
    MonthDay { month: i8, day: i8 },
    Absent,
}

/// A time as it is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    date: Date,
    secs: i64,
    fraction: f64,
    /// Seconds east of UTC, when it says so.
    offset: Option<i64>,
    /// Where it ends in the line.
    end: usize,
}

impl Stamp {
    /// The first time in the head of a line; `line` has no escape sequences.
    pub(super) fn find(line: &[u8]) -> Option<Self> {
        let head = line.get(..HEAD_BYTES).unwrap_or(line);
        memchr::memchr_iter(b':', head).find_map(|colon| Self::at(head, colon))
    }

    /// Where it ends in the line.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Whether it is only a clock, at the very start of the line.
    pub(super) fn is_clock(&self) -> bool {
        self.date == Date::Absent
    }

    /// The time whose hours stand before this colon.
    fn at(head: &[u8], colon: usize) -> Option<Self> {
        let start = colon.checked_sub(2)?;
        let (hours, minutes) = (two(head, start)?, two(head, colon + 1)?);
        if head.get(colon + 3) != Some(&b':') {
            return None;
        }
        let seconds = two(head, colon + 4)?;
        let mut end = colon + 6;
        let before = head.get(..start)?;
        let is_split = |byte: Option<&u8>| !byte.is_some_and(|b| b.is_ascii_digit() || *b == b':');
        if hours > 23 || minutes > 59 || seconds > 60 || !is_split(before.last()) {
            return None;
        }
        if head.get(end).is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let mut fraction = 0.0;
        if matches!(head.get(end), Some(b'.' | b',')) {
            let digits = head.get(end + 1..)?;
            let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
            let mut unit = 0.1;
            for digit in digits.iter().take(count) {
                fraction += f64::from(digit - b'0') * unit;
                unit /= 10.0;
            }
            end += if count > 0 { count + 1 } else { 0 };
        }
        let date = date_before(before, head.get(end))?;
        let mut offset = None;
        if matches!(date, Date::Full { .. }) {
            let (found, length) = zone_after(head.get(end..).unwrap_or_default());
            offset = found;
            end += length;
        }
        Some(Self {
            date,
            secs: i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds),
            fraction,
            offset,
            end,
        })
    }
}

/// Two digits at a place.
fn two(text: &[u8], at: usize) -> Option<u8> {
    match text.get(at..at + 2)? {
        [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some((a - b'0') * 10 + (b - b'0')),
        _ => None,
    }
}

fn four(text: &[u8], at: usize) -> Option<i16> {
    Some(i16::from(two(text, at)?) * 100 + i16::from(two(text, at + 2)?))
}

/// The date that stands before a clock; `None` when the clock is no time of the line.
fn date_before(before: &[u8], next: Option<&u8>) -> Option<Date> {
    let text = before.trim_ascii_end();
    let text = match text.split_last() {
        Some((b'T' | b't' | b'_' | b'-', rest)) if text.len() == before.len() => rest,
        _ => text,
    };
    if let Some(date) = date_at_end(text) {
        return Some(date);
    }
    let only_signs = before
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || b"[(".contains(byte));
    // "00:01:02<00:03:04" is how long something took.
    (only_signs && next != Some(&b'<')).then_some(Date::Absent)
}

fn date_at_end(text: &[u8]) -> Option<Date> {
    let from_end = |length: usize| {
        let at = text.len().checked_sub(length)?;
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        Some((text.get(at..)?, before.copied()))
    };
    let is_free = |before: Option<u8>| !before.is_some_and(|byte| byte.is_ascii_digit());
    if let Some((date, before)) = from_end(10)
        && is_free(before)
    {
        let sign = date.get(4).copied().unwrap_or(0);
        if b"-/.".contains(&sign)
            && date.get(7) == Some(&sign)
            && let Some(found) = full(four(date, 0), two(date, 5), two(date, 8))
        {
            return Some(found);
        }
        if date.get(2) == Some(&b'/')
            && date.get(5) == Some(&b'/')
            && let Some(found) = full(four(date, 6), two(date, 0), two(date, 3))
        {
            return Some(found);
        }
    }
    if let Some((date, before)) = from_end(8)
        && is_free(before)
        && let Some(found) = full(four(date, 0), two(date, 4), two(date, 6))
    {
        return Some(found);
    }
    if let Some((date, before)) = from_end(5)
        && matches!(date.get(2), Some(b'/' | b'-'))
        && before.is_none_or(|byte| b"[( ".contains(&byte))
    {
        return month_day(two(date, 0), two(date, 3));
    }
    let (date, before) = from_end(4)?;
    if before.is_some_and(|byte| b"DIWEF".contains(&byte)) {
        return month_day(two(date, 0), two(date, 2));
    }
    None
}

fn full(year: Option<i16>, month: Option<u8>, day: Option<u8>) -> Option<Date> {
    let (year, Date::MonthDay { month, day }) = (year?, month_day(month, day)?) else {
        return None;
    };
    (1970..=2200)
        .contains(&year)
        .then_some(Date::Full { year, month, day })
}

fn month_day(month: Option<u8>, day: Option<u8>) -> Option<Date> {
    let (month, day) = (
        i8::try_from(month?).unwrap_or(0),
        i8::try_from(day?).unwrap_or(0),
    );
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Date::MonthDay { month, day })
}

/// `Z`, `+08:00`, `+0800`, ` UTC`: seconds east, and how long the words are.
fn zone_after(text: &[u8]) -> (Option<i64>, usize) {
    let rest = text.strip_prefix(b" ").unwrap_or(text);
    let space = text.len() - rest.len();
    match rest.first() {
        Some(b'Z' | b'z') if space == 0 => return (Some(0), 1),
        Some(b'U') if rest.starts_with(b"UTC") => return (Some(0), space + 3),
        Some(sign @ (b'+' | b'-')) => {
            let wide = rest.get(3) == Some(&b':');
            let minutes = two(rest, if wide { 4 } else { 3 });
            if let (Some(hours @ 0..=14), Some(minutes @ 0..=59)) = (two(rest, 1), minutes) {
                let secs = i64::from(hours) * 3600 + i64::from(minutes) * 60;
                let length = space + if wide { 6 } else { 5 };
                return (Some(if *sign == b'+' { secs } else { -secs }), length);
            }
        }
        _ => (),
    }
    (None, 0)
}

/// How times went on so far: what one needs to read the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ClockState {
    /// The last time, in seconds of the zone's own clock.
    last: Option<i64>,
    /// A stretch of that clock, and its seconds east of UTC.
    steady: Option<(i64, i64)>,
}

impl ClockState {
    /// Unix seconds of a stamp.
    pub(super) fn resolve(&mut self, clock: &LogClock, stamp: &Stamp) -> Option<f64> {
        let local = match stamp.date {
            Date::Full { year, month, day } => days(year, month, day)? * DAY_SECS + stamp.secs,
            Date::MonthDay { month, day } => {
                let near = self.last.unwrap_or_else(|| local_start(clock));
                let year = civil(near)?.year();
                // At the turn of the year the month tells which one is meant.
                [year - 1, year, year + 1]
                    .into_iter()
                    .filter_map(|year| Some(days(year, month, day)? * DAY_SECS + stamp.secs))
                    .min_by_key(|local| local.abs_diff(near))?
            }
            Date::Absent => {
                let near = self.last.unwrap_or_else(|| local_start(clock));
                let same_day = near.div_euclid(DAY_SECS) * DAY_SECS + stamp.secs;
                if same_day < near - BACK_SECS {
                    same_day + DAY_SECS
                } else if same_day > near + DAY_SECS - BACK_SECS {
                    same_day - DAY_SECS
                } else {
                    same_day
                }
            }
        };
        let secs = if let Some(offset) = stamp.offset {
            local - offset
        } else {
            self.last = Some(local);
            local - self.offset(clock, local)?
        };
        Some(secs as f64 + stamp.fraction)
    }

    fn offset(&mut self, clock: &LogClock, local: i64) -> Option<i64> {
        let stretch = local.div_euclid(STEADY_SECS);
        if let Some((known, offset)) = self.steady
            && known == stretch
        {
            return Some(offset);
        }
        let zoned = civil(local)?.to_zoned(clock.zone.clone()).ok()?;
        let offset = i64::from(zoned.offset().seconds());
        self.steady = Some((stretch, offset));
        Some(offset)
    }
}

/// Days from 1970-01-01.
fn days(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = DateTime::new(year, month, day, 0, 0, 0, 0).ok()?;
    let at = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    Some(at.div_euclid(DAY_SECS))
}

fn civil(local: i64) -> Option<DateTime> {
    let at = jiff::Timestamp::from_second(local).ok()?;
    Some(TimeZone::UTC.to_datetime(at))
}

fn local_start(clock: &LogClock) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a time of these days")]
    let at = jiff::Timestamp::from_second(clock.start as i64).unwrap_or_default();
    at.as_second() + i64::from(clock.zone.to_offset(at).seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times of lines, one after the other, of a run that started 2026-01-01 12:00 in a zone 8 hours east.
    fn times(lines: &[&str]) -> Vec<String> {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let start: jiff::Timestamp = "2026-01-01T12:00:00+08".parse().unwrap();
        let clock = LogClock::in_zone(start.as_second() as f64, zone);
        let mut state = ClockState::default();
        let one = |line: &&str| {
            let time = Stamp::find(line.as_bytes()).and_then(|at| state.resolve(&clock, &at));
            time.map_or_else(
                || "none".to_owned(),
                |secs| {
                    #[expect(clippy::cast_possible_truncation, reason = "whole milliseconds")]
                    let millis = (secs * 1000.0).round() as i64;
                    jiff::Timestamp::from_millisecond(millis)
                        .unwrap()
                        .to_string()
                },
            )
        };
        lines.iter().map(one).collect()
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(times(&[line]), [expected], "{line}");
    }

    #[test]
    fn dates_with_a_clock() {
        let ten = "2026-01-02T02:00:00Z";
        check(
            "2026-01-02 10:00:00,250 - INFO - x",
            "2026-01-02T02:00:00.25Z",
        );
        check("[2026-01-02 10:00:00] x", ten);
        check("INFO 2026/01/02 10:00:00 x", ten);
        check("2026.01.02 10:00:00 x", ten);
        check("01/02/2026 10:00:00 - INFO - x", ten);
        check("20260102 10:00:00 x", ten);
        check("2026-01-02_10:00:00 x", ten);
        check("[rank1]: 2026-01-02 10:00:00 x", ten);
        check(
            "I0102 10:00:00.500000 7 a.py:1] x",
            "2026-01-02T02:00:00.5Z",
        );
        check("[01/02 10:00:00 d2.engine]: x", ten);
    }

    #[test]
    fn zones_are_kept() {
        let ten = "2026-01-02T10:00:00Z";
        check("2026-01-02T10:00:00Z INFO x", ten);
        check(
            "2026-01-02T10:00:00.123456+00:00 x",
            "2026-01-02T10:00:00.123Z",
        );
        check("2026-01-02T11:30:00+0130 x", ten);
        check("2026-01-02 05:00:00 -05:00 x", ten);
        check("2026-01-02 10:00:00 UTC x", ten);
        check(
            "2026-01-02 10:00:00 - 1234 is no zone",
            "2026-01-02T02:00:00Z",
        );
    }

    #[test]
    fn clocks_go_on_from_the_line_before() {
        let all = times(&[
            "12:00:05 | first",
            "23:59:58 | late",
            "[00:00:01] next day",
            "23:59:59 | out of order",
            "20:00:00 | a long pause",
        ]);
        assert_eq!(
            all,
            [
                "2026-01-01T04:00:05Z",
                "2026-01-01T15:59:58Z",
                "2026-01-01T16:00:01Z",
                "2026-01-01T15:59:59Z",
                "2026-01-02T12:00:00Z",
            ]
        );
        check("11:59:59 | a little early", "2026-01-01T03:59:59Z");
        check("01:00:00 | after midnight", "2026-01-01T17:00:00Z");
    }

    #[test]
    fn a_month_takes_the_nearest_year() {
        check("I1231 23:00:00.0 7 a.py:1] x", "2025-12-31T15:00:00Z");
    }

    #[test]
    fn the_id_of_a_run_tells_its_start_when_nothing_else_does() {
        let start = started_by_id("20260101_120000_abcdef", &TimeZone::UTC);
        assert_eq!(start, Some(1_767_268_800.0));
        assert_eq!(started_by_id("my run", &TimeZone::UTC), None);
    }

    #[test]
    fn times_are_named_by_a_number_or_by_this_machines_clock() {
        assert_eq!(time_of("1767225600.5"), Some(1_767_225_600.5));
        let words = words_of_time(1_767_225_661.9).unwrap();
        assert_eq!(time_of(&words), Some(1_767_225_661.0));
        assert_eq!(time_of(&words[..16]), Some(1_767_225_660.0));
        for bad in ["", "x", "2026-01-31", "NaN", "2026-13-01T00:00"] {
            assert_eq!(time_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for line in [
            "",
            "loss 0.5",
            " 50%|#####     | 5/10 [00:05<00:05,  1.00it/s]",
            "01:02:03<04:05:06",
            "took 10:00:00 in all",
            "25:00:00 x",
            "2026-13-40 10:00:00",
            "10:00 x",
            "file 2026-01-02.txt",
        ] {
            check(line, "none");
        }
    }

    #[test]
    fn summer_time_is_looked_up() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let clock = LogClock::in_zone(0.0, zone);
        let mut state = ClockState::default();
        let mut at = |line: &str| {
            let stamp = Stamp::find(line.as_bytes()).unwrap();
            state.resolve(&clock, &stamp).unwrap()
        };
        let hour = at("2026-07-01 01:00:00") - at("2026-01-01 00:00:00");
        assert!((hour - 181.0 * 86_400.0).abs() < 1e-6);
    }
}
