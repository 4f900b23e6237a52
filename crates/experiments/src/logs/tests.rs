//! Logs as programs leave them, and as they grow under the reader.

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::run::Layout;
use crate::run_dir::RootDir;

struct Log {
    folder: tempfile::TempDir,
    run: RunDir,
    logs: Logs,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("runs/id")).unwrap();
        let root = Arc::new(RootDir::open(folder.path()).unwrap());
        let run = RunDir::new(root, "runs/id", Layout::Current, false).unwrap();
        Self {
            folder,
            run,
            logs: Logs::default(),
        }
    }

    fn of(text: &[u8]) -> Self {
        let log = Self::new();
        log.append(text);
        log
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("runs/id/logs.txt")
    }

    fn append(&self, text: &[u8]) {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(self.path())
            .unwrap();
        file.write_all(text).unwrap();
    }

    fn page(&self, start: PageStart, count: usize) -> LogPage {
        self.logs.page(&self.run, start, count, false).unwrap()
    }

    fn follower(&self, line: u64) -> LogFollower {
        let (offset, line) = self.logs.place(&self.run, line).unwrap();
        LogFollower::new(self.run.clone(), offset, line)
    }

    fn search(&self, pattern: &LogPattern) -> LogSearch {
        let limits = SearchLimits {
            hits: 100,
            time: Duration::from_mins(1),
            is_cancelled: &|| false,
        };
        self.logs.search(&self.run, pattern, None, &limits).unwrap()
    }
}

fn numbered(lines: std::ops::Range<u32>) -> Vec<u8> {
    lines
        .flat_map(|line| {
            format!(
                "line {line}
"
            )
            .into_bytes()
        })
        .collect()
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

#[test]
fn any_lines_are_found_by_number_in_a_long_log() {
    let log = Log::of(&numbered(0..10_000));
    for first in [0_u64, 1, 1023, 1024, 1025, 5000, 9998] {
        let page = log.page(PageStart::Line(first), 2);
        assert_eq!(
            page.lines,
            [format!("line {first}"), format!("line {}", first + 1)]
        );
        assert_eq!(
            (page.exists, page.total_lines, page.first_line),
            (true, 10_000, first)
        );
    }
    let tail = log.page(PageStart::Tail, 3);
    assert_eq!(
        (tail.first_line, tail.lines),
        (9997, texts(&["line 9997", "line 9998", "line 9999"]))
    );
    let past_the_end = log.page(PageStart::Line(u64::MAX), 5);
    assert_eq!(
        (past_the_end.first_line, past_the_end.lines.len()),
        (10_000, 0)
    );
}

#[test]
fn a_growing_log_is_counted_on_and_a_cut_or_replaced_one_anew() {
    let log = Log::of(&numbered(0..2000));
    assert_eq!(log.page(PageStart::Tail, 1).total_lines, 2000);
    log.append(&numbered(2000..3000));
    let page = log.page(PageStart::Line(2047), 3);
    assert_eq!(
        (page.total_lines, page.lines[2].as_str()),
        (3000, "line 2049")
    );
    File::options()
        .write(true)
        .open(log.path())
        .unwrap()
        .set_len(14)
        .unwrap();
    assert_eq!(log.page(PageStart::Tail, 9).lines, ["line 0", "line 1"]);
    let other = log.folder.path().join("other");
    std::fs::write(&other, "new\n").unwrap();
    std::fs::rename(&other, log.path()).unwrap();
    assert_eq!(log.page(PageStart::Tail, 9).lines, ["new"]);
}

#[test]
fn a_half_written_line_waits_unless_nobody_writes_any_more() {
    let log = Log::of(b"a\nb");
    assert_eq!(log.page(PageStart::Tail, 9).lines, ["a"]);
    let ended = log.logs.page(&log.run, PageStart::Tail, 9, true).unwrap();
    assert_eq!((ended.total_lines, ended.lines), (2, texts(&["a", "b"])));
    log.append(b"c\n");
    assert_eq!(log.page(PageStart::Tail, 9).lines, ["a", "bc"]);
}

#[test]
fn no_log_is_an_empty_page() {
    let log = Log::new();
    assert_eq!(log.page(PageStart::Tail, 9), LogPage::default());
    assert_eq!(log.logs.last_lines(&log.run, 5).unwrap(), None);
    assert!(
        log.search(&LogPattern::new("x", false, false).unwrap())
            .complete
    );
}

#[test]
fn escape_sequences_and_progress_bars_stay_as_recorded_and_other_bytes_are_replaced() {
    let log = Log::of(b"\x1b[31mred\x1b[0m\r\n10%\r20%\r30%\nbad \xff byte\n\n");
    assert_eq!(
        log.page(PageStart::Tail, 9).lines,
        [
            "\u{1b}[31mred\u{1b}[0m",
            "10%\r20%\r30%",
            "bad \u{fffd} byte",
            ""
        ]
    );
}

#[test]
fn a_very_long_line_is_cut_with_a_mark_at_a_whole_letter() {
    let mut text = b"short\n".to_vec();
    text.extend("é".repeat(MAX_LINE_BYTES).bytes());
    text.insert(6, b'x');
    text.extend(b"\nafter\n");
    let log = Log::of(&text);
    let page = log.page(PageStart::Line(0), 10);
    assert_eq!(
        (page.lines.len(), page.cut.as_slice()),
        (3, [1_u64].as_slice())
    );
    let kept = 1 + (MAX_LINE_BYTES - 1) / 2 * 2;
    let left_out = 1 + 2 * MAX_LINE_BYTES - kept;
    assert!(
        page.lines[1].ends_with(&format!("é… [{left_out} bytes cut]")),
        "{}",
        &page.lines[1][page.lines[1].len() - 40..]
    );
    assert_eq!(page.lines[2], "after");
}

#[test]
fn a_page_of_very_long_lines_is_bounded() {
    let line = "y".repeat(MAX_LINE_BYTES) + "\n";
    let log = Log::of(line.repeat(1000).as_bytes());
    let page = log.page(PageStart::Line(0), 5000);
    assert!(
        page.lines.len() <= MAX_PAGE_BYTES / MAX_LINE_BYTES + 1,
        "{}",
        page.lines.len()
    );
    assert_eq!(page.total_lines, 1000);
}

#[test]
fn the_last_lines_are_found_from_the_end() {
    let check = |text: &[u8], count: u64, expected: &[u8]| {
        let log = Log::of(text);
        let offset = log.logs.last_lines(&log.run, count).unwrap().unwrap();
        assert_eq!(&text[usize::try_from(offset).unwrap()..], expected);
    };
    check(b"a\nb\nc\n", 2, b"b\nc\n");
    check(b"a\nb\nc", 2, b"b\nc");
    check(b"a\nb\nc\n", 0, b"");
    check(b"a\nb\nc\n", 9, b"a\nb\nc\n");
    check(b"\n\n\n", 2, b"\n\n");
    check(b"", 2, b"");
    let long = numbered(0..100_000);
    check(&long, 50_000, &numbered(50_000..100_000));
}

fn lines_of(step: FollowStep) -> Vec<String> {
    match step {
        FollowStep::Lines { lines, .. } => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_follower_gives_whole_lines_only() {
    let log = Log::of(b"old\n");
    let mut follower = log.follower(u64::MAX);
    assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    log.append(b"ha");
    assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    log.append(b"lf\nnext");
    assert_eq!(
        follower.step(false).unwrap(),
        FollowStep::Lines {
            first_line: 1,
            lines: texts(&["half"])
        }
    );
    assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    assert_eq!(
        follower.step(true).unwrap(),
        FollowStep::Lines {
            first_line: 2,
            lines: texts(&["next"])
        }
    );
    assert_eq!(follower.step(true).unwrap(), FollowStep::Nothing);
}

#[test]
fn a_follower_starts_at_any_line_and_drops_none_however_many_there_are() {
    let log = Log::of(&numbered(0..30_000));
    let mut follower = log.follower(7000);
    let mut next = 7000;
    while let FollowStep::Lines { first_line, lines } = follower.step(false).unwrap() {
        assert_eq!(first_line, next);
        for line in lines {
            assert_eq!(line, format!("line {next}"));
            next += 1;
        }
    }
    assert_eq!(next, 30_000);
}

#[test]
fn a_follower_notices_cutting_rotation_and_a_file_that_appears_late() {
    let log = Log::new();
    let mut follower = log.follower(0);
    assert_eq!(follower.step(false).unwrap(), FollowStep::Missing);
    log.append(b"first\n");
    assert_eq!(lines_of(follower.step(false).unwrap()), ["first"]);
    File::options()
        .write(true)
        .open(log.path())
        .unwrap()
        .set_len(0)
        .unwrap();
    assert_eq!(follower.step(false).unwrap(), FollowStep::Reset);
    log.append(b"second\n");
    assert_eq!(
        follower.step(false).unwrap(),
        FollowStep::Lines {
            first_line: 0,
            lines: texts(&["second"])
        }
    );
    std::fs::rename(log.path(), log.folder.path().join("runs/id/logs.txt.1")).unwrap();
    assert_eq!(follower.step(false).unwrap(), FollowStep::Reset);
    assert_eq!(follower.step(false).unwrap(), FollowStep::Missing);
    log.append(b"third\n");
    assert_eq!(lines_of(follower.step(false).unwrap()), ["third"]);
}

/// A system sets the time of a file before its size while it appends: a look in between sees another time and the same size. Here that
/// moment is as long as starting a thread takes.
#[test]
fn a_write_under_way_is_never_taken_for_a_rewrite() {
    let log = Log::of(b"first\n");
    let mut follower = log.follower(0);
    assert_eq!(lines_of(follower.step(false).unwrap()), ["first"]);
    for round in 0..20 {
        let mut file = File::options().append(true).open(log.path()).unwrap();
        file.set_modified(SystemTime::now()).unwrap();
        let writer = std::thread::spawn(move || file.write_all(b"more\n").unwrap());
        let step = follower.step(false).unwrap();
        writer.join().unwrap();
        assert_eq!(lines_of(step), ["more"], "round {round}");
    }
}

#[test]
fn a_line_that_grows_for_long_is_given_once_it_ends() {
    let log = Log::new();
    let mut follower = log.follower(0);
    for percent in 0..2000 {
        log.append(
            format!(
                "\r{percent} of a bar that is redrawn without an end of line, {}",
                "=".repeat(300)
            )
            .as_bytes(),
        );
        assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    }
    log.append(b"\ndone\n");
    let lines = lines_of(follower.step(false).unwrap());
    assert_eq!((lines.len(), lines[1].as_str()), (2, "done"));
    assert!(lines[0].ends_with("bytes cut]"));
}

#[test]
fn a_search_finds_lines_and_places() {
    let log = Log::of("zero\nLoss 准确 loss\r\n\nno hit\nlast loss".as_bytes());
    let found = log.search(&LogPattern::new("loss", false, false).unwrap());
    let hit = |line, text: &str, spans: &[(usize, usize)]| LogHit {
        line,
        place: line,
        text: text.to_owned(),
        spans: spans.to_vec(),
    };
    assert_eq!(
        found.hits,
        [
            hit(1, "Loss 准确 loss", &[(0, 4), (8, 12)]),
            hit(4, "last loss", &[(5, 9)])
        ]
    );
    assert_eq!((found.total_hits, found.complete), (2, true));
    let exact = log.search(&LogPattern::new("loss", false, true).unwrap());
    assert_eq!(exact.hits[0].spans, [(8, 12)]);
    let literal = log.search(&LogPattern::new("l.st", false, false).unwrap());
    assert_eq!(literal.total_hits, 0, "a text is no pattern");
    let regex = log.search(&LogPattern::new("^l.st\\b", true, false).unwrap());
    assert_eq!(regex.hits, [hit(4, "last loss", &[(0, 4)])]);
}

#[test]
fn a_search_never_matches_across_lines_and_knows_their_ends() {
    let log = Log::of(b"a\nb\r\nc\n\n");
    for (pattern, lines) in [
        ("a\\s+b", 0),
        ("^b$", 1),
        ("\\Ab\\z", 1),
        ("^$", 1),
        ("[^x]", 3),
        ("(?s).+", 3),
    ] {
        let found = log.search(&LogPattern::new(pattern, true, true).unwrap());
        assert_eq!(found.total_hits, lines, "{pattern}");
    }
    assert!(LogPattern::new("(", true, false).is_err());
    assert!(
        LogPattern::new("((a{1000}){1000}){1000}", true, false).is_err(),
        "a pattern that would take too much memory"
    );
}

#[test]
fn a_search_looks_at_the_text_without_escape_sequences() {
    let log = Log::of(b"\x1b[1;31mre\x1b[0md text \x1b]0;title\x07end\nred\n");
    let found = log.search(&LogPattern::new("red text end", false, false).unwrap());
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.hits[0].spans, [(0, 12)]);
    assert!(
        found.hits[0].text.starts_with('\u{1b}'),
        "the line is given as recorded"
    );
    assert_eq!(
        log.search(&LogPattern::new("^red", true, false).unwrap())
            .total_hits,
        2
    );
}

#[test]
fn a_search_of_many_blocks_numbers_lines_right_and_counts_beyond_its_limit() {
    let mut text = Vec::new();
    for line in 0..200_000 {
        let ending = if line % 1000 == 999 { "needle" } else { "hay" };
        text.extend(format!("line {line} with some words of {ending}\n").bytes());
        if line == 100_000 {
            text.extend(b"\x1b[32mgreen\x1b[0m\n");
        }
    }
    let log = Log::of(&text);
    let limits = SearchLimits {
        hits: 150,
        time: Duration::from_mins(1),
        is_cancelled: &|| false,
    };
    let pattern = LogPattern::new("needle", false, true).unwrap();
    let found = log.logs.search(&log.run, &pattern, None, &limits).unwrap();
    assert_eq!(
        (found.hits.len(), found.total_hits, found.complete),
        (150, 200, true)
    );
    assert_eq!(found.scanned_bytes, text.len() as u64);
    for hit in found.hits {
        let shown: u64 = hit.text.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(hit.line, shown + u64::from(shown > 100_000));
    }
}

#[test]
fn a_search_stops_in_time_and_when_it_is_not_wanted_any_more() {
    let log = Log::of(&b"abc\n".repeat(1_000_000));
    let pattern = LogPattern::new("abc", false, true).unwrap();
    let none = SearchLimits {
        hits: 1,
        time: Duration::ZERO,
        is_cancelled: &|| false,
    };
    let found = log.logs.search(&log.run, &pattern, None, &none).unwrap();
    assert_eq!((found.complete, found.scanned_bytes), (false, 0));
    let cancelled = SearchLimits {
        hits: 1,
        time: Duration::from_mins(1),
        is_cancelled: &|| true,
    };
    assert!(
        !log.logs
            .search(&log.run, &pattern, None, &cancelled)
            .unwrap()
            .complete
    );
}

#[test]
fn a_line_longer_than_a_block_is_searched_in_its_start_and_passed_over() {
    let mut text = b"needle at the start ".to_vec();
    text.extend(vec![b'y'; 5 << 20]);
    text.extend(b"\nneedle\n");
    let log = Log::of(&text);
    let found = log.search(&LogPattern::new("needle", false, true).unwrap());
    assert_eq!(
        found.hits.iter().map(|hit| hit.line).collect::<Vec<_>>(),
        [0, 1]
    );
    assert!(found.hits[0].text.len() < 20_000);
}

#[test]
fn a_watched_folder_wakes_whoever_follows_and_no_one_else() {
    let log = Log::of(b"a\n");
    let (sender, receiver) = mpsc::channel();
    let watch = log
        .logs
        .watches()
        .watch(&log.run.dir, move || sender.send(()).unwrap_or_default());
    if !watch.works() {
        eprintln!("skipped: this file system reports no changes");
        return;
    }
    log.append(b"b\n");
    receiver.recv_timeout(Duration::from_secs(20)).unwrap();
    drop(watch);
    while receiver.try_recv().is_ok() {}
    log.append(b"c\n");
    assert_eq!(
        receiver.recv(),
        Err(mpsc::RecvError),
        "the sender has gone with the watch"
    );
}

#[test]
fn a_folder_that_is_not_there_is_not_watched() {
    let log = Log::new();
    let watch = log
        .logs
        .watches()
        .watch(&log.folder.path().join("nothing"), || ());
    assert!(!watch.works());
}

#[test]
fn a_large_log_is_paged_and_searched_in_seconds() {
    let log = Log::of(&numbered(0..3_000_000));
    let start = Instant::now();
    assert_eq!(log.page(PageStart::Tail, 1).first_line, 2_999_999);
    assert_eq!(
        log.search(&LogPattern::new("line 2999999", false, true).unwrap())
            .total_hits,
        1
    );
    assert!(start.elapsed() < Duration::from_mins(1));
}

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
