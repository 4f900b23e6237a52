//! Lines of a level and a time.

use super::*;

fn clock() -> LogClock {
    LogClock::of_run("", Some(1_767_225_600.0))
}

/// Line `n` is written `n` seconds after 2026; every 7th is a warning, every 50th an error with a traceback below.
fn spoken(count: u64) -> Vec<u8> {
    let mut text = Vec::new();
    for n in 0..count {
        let time = jiff::Timestamp::from_second(1_767_225_600 + i64::try_from(n).unwrap()).unwrap();
        let level = match n {
            n if n % 50 == 49 => "ERROR",
            n if n % 7 == 6 => "WARNING",
            _ => "INFO",
        };
        writeln!(text, "{time} {level} line {n}").unwrap();
        if level == "ERROR" {
            text.extend(b"Traceback (most recent call last):\n  File \"a.py\"\nValueError: x\n");
        }
    }
    text
}

impl Log {
    fn filtered(&self, filter: LogFilter, start: FilteredStart, count: usize) -> FilteredPage {
        let question = FilteredQuestion {
            filter,
            clock: &clock(),
            start,
            count,
            is_ended: false,
        };
        let limits = ReadLimits {
            time: Duration::from_mins(1),
            is_cancelled: &|| false,
        };
        self.logs.filtered(&self.run, &question, &limits).unwrap()
    }
}

const ERRORS: LogFilter = LogFilter {
    level: Some(Level::Error),
    since: None,
    until: None,
};

#[test]
fn a_filter_shows_the_same_lines_by_pages_as_one_by_one() {
    let text = spoken(40_000);
    let log = Log::of(&text);
    for level in [Level::Info, Level::Warning, Level::Error] {
        let filter = LogFilter {
            level: Some(level),
            ..LogFilter::default()
        };
        let mut reader = line_reader::LineReader::default();
        let clock = clock();
        let expected: Vec<u64> = text
            .split(|byte| *byte == b'\n')
            .map(|line| reader.read(&clock, line))
            .zip(0..)
            .filter(|(facts, _)| filter.shows(facts))
            .map(|(_, line)| line)
            .collect();
        let whole = log.filtered(filter, FilteredStart::Place(0), 0);
        assert_eq!(whole.shown_lines, expected.len() as u64);
        assert_eq!((whole.read_lines, whole.complete), (42_400, true));
        let last = expected.len() - 1;
        for at in [0, 1, 257, last / 3, last - 3] {
            let page = log.filtered(filter, FilteredStart::Place(at as u64), 700);
            let found: Vec<u64> = page.lines.iter().map(|line| line.line).collect();
            let end = (at + 700).min(expected.len());
            assert_eq!(found, expected[at..end], "{level:?} from {at}");
            let line = expected[at];
            let first = log.filtered(filter, FilteredStart::Line(line), 1).first;
            assert_eq!(first, at as u64, "{level:?} at line {line}");
        }
        let tail = log.filtered(filter, FilteredStart::Tail, 5);
        assert_eq!(
            tail.lines.last().map(|line| line.line),
            expected.last().copied()
        );
    }
}

#[test]
fn a_filter_of_time_keeps_what_belongs_to_the_lines() {
    let log = Log::of(&spoken(100));
    let filter = LogFilter {
        level: None,
        since: Some(1_767_225_648.5),
        until: Some(1_767_225_650.0),
    };
    let page = log.filtered(filter, FilteredStart::Place(0), 100);
    let texts: Vec<&str> = page.lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "2026-01-01T00:00:49Z ERROR line 49",
            "Traceback (most recent call last):",
            "  File \"a.py\"",
            "ValueError: x",
            "2026-01-01T00:00:50Z INFO line 50",
        ]
    );
    assert!(page.said.times && page.said.levels);
    let place = log.filtered(filter, FilteredStart::Line(0), 1);
    assert_eq!((place.first, place.lines[0].line), (0, 49));
    assert_eq!(log.filtered(filter, FilteredStart::Line(90), 1).first, 5);
}

#[test]
fn a_filter_goes_on_with_what_is_appended_and_begins_anew_with_another_file() {
    let log = Log::of(b"ERROR one\nplain\nERROR tw");
    let count = |log: &Log| log.filtered(ERRORS, FilteredStart::Tail, 9).shown_lines;
    assert_eq!(count(&log), 1);
    log.append(b"o\nINFO x\n");
    assert_eq!(count(&log), 2);
    let page = log.filtered(ERRORS, FilteredStart::Tail, 1);
    assert_eq!((page.first, page.lines[0].line), (1, 2));
    std::fs::write(log.path(), b"ERROR anew\n").unwrap();
    let page = log.filtered(ERRORS, FilteredStart::Place(0), 9);
    assert_eq!(
        (page.shown_lines, page.lines[0].text.as_str()),
        (1, "ERROR anew")
    );
}

#[test]
fn a_last_line_without_its_end_counts_when_nobody_writes_any_more() {
    let log = Log::of(b"ERROR one\nERROR two");
    let clock = clock();
    let question = |start, is_ended| FilteredQuestion {
        filter: ERRORS,
        clock: &clock,
        start,
        count: 9,
        is_ended,
    };
    let limits = ReadLimits {
        time: Duration::from_mins(1),
        is_cancelled: &|| false,
    };
    let shown = |start, is_ended| {
        let question = question(start, is_ended);
        let page = log.logs.filtered(&log.run, &question, &limits).unwrap();
        (page.shown_lines, page.lines.len())
    };
    assert_eq!(shown(FilteredStart::Place(0), false), (1, 1));
    assert_eq!(shown(FilteredStart::Place(0), true), (2, 2));
    assert_eq!(shown(FilteredStart::Place(1), true), (2, 1));
}

#[test]
fn reading_for_a_filter_stops_in_time_and_goes_on() {
    let log = Log::of(&spoken(50_000));
    let question = FilteredQuestion {
        filter: ERRORS,
        clock: &clock(),
        start: FilteredStart::Place(0),
        count: 3,
        is_ended: false,
    };
    let stopped = ReadLimits {
        time: Duration::from_mins(1),
        is_cancelled: &|| true,
    };
    let first = log.logs.filtered(&log.run, &question, &stopped).unwrap();
    assert!(!first.complete && first.read_bytes < first.total_bytes);
    assert_eq!((first.lines.len(), first.lines[0].line), (3, 49));
    let next = log.logs.filtered(&log.run, &question, &stopped).unwrap();
    assert!(next.read_lines > first.read_lines);
    let all = log.filtered(ERRORS, FilteredStart::Place(0), 3);
    assert_eq!((all.complete, all.shown_lines), (true, 4000));
    assert_eq!(all.lines, first.lines);
}

#[test]
fn a_search_among_shown_lines_gives_their_places() {
    let log = Log::of(&spoken(1000));
    let limits = SearchLimits {
        hits: 100,
        time: Duration::from_mins(1),
        is_cancelled: &|| false,
    };
    let pattern = LogPattern::new("line 9", false, false).unwrap();
    let clock = clock();
    let found = log
        .logs
        .search(&log.run, &pattern, Some((&ERRORS, &clock)), &limits)
        .unwrap();
    let lines: Vec<&str> = found.hits.iter().map(|hit| hit.text.as_str()).collect();
    assert_eq!(
        lines,
        [
            "2026-01-01T00:01:39Z ERROR line 99",
            "2026-01-01T00:15:49Z ERROR line 949",
            "2026-01-01T00:16:39Z ERROR line 999",
        ]
    );
    for hit in found.hits {
        let page = log.filtered(ERRORS, FilteredStart::Place(hit.place), 1);
        assert_eq!(page.lines[0].line, hit.line);
    }
}

#[test]
fn the_line_nearest_to_a_time_is_found() {
    let log = Log::of(&spoken(100));
    let limits = ReadLimits {
        time: Duration::from_mins(1),
        is_cancelled: &|| false,
    };
    let near = |time| log.logs.nearest(&log.run, &clock(), time, &limits).unwrap();
    let line = |time| near(time).0.map(|found| found.line);
    assert_eq!(line(1_767_225_610.4), Some(10));
    assert_eq!(line(1_767_225_650.2), Some(53));
    assert_eq!(line(0.0), Some(0));
    assert_eq!(line(4e9), Some(102));
    let bare = Log::of(b"no times\nhere\n");
    let found = bare.logs.nearest(&bare.run, &clock(), 0.0, &limits);
    assert_eq!(found.unwrap(), (None, true));
}

#[test]
fn a_filter_of_a_missing_log_shows_nothing() {
    let page = Log::new().filtered(ERRORS, FilteredStart::Place(0), 9);
    assert_eq!(
        (page.exists, page.complete, page.shown_lines),
        (false, true, 0)
    );
}
