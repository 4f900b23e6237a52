//! Patterns in a log.

use super::*;

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
