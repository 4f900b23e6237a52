//! Lines by their numbers.

use std::time::Instant;

use super::*;

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
