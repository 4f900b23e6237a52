//! The reader against an oracle that shares no code with it, on lines that training code writes, on lines that it never should, and on
//! files cut at any byte.
//!
//! The oracle is `serde_json` on text in which `NaN` and `Infinity` are made numbers, and the rules of the documented table written down
//! once more.

use std::io::Write;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::cell::{Cell, Kind};
use super::columns::Columns;
use super::group::RowGroup;
use super::line::Value;
use super::names::TS;
use super::scan::Scanner;
use super::tail::MetricTail;

fn value(group: &RowGroup, cell: Cell) -> Value {
    match cell.kind() {
        Kind::Absent => panic!("absent cells are not listed"),
        Kind::Null => Value::Null,
        Kind::Bool(value) => Value::Bool(value),
        Kind::Int(value) => Value::Int(value),
        Kind::Wide(at) => Value::Int(group.wide[at]),
        Kind::Big(at) => Value::Big(group.texts[at].to_string()),
        Kind::Float(value) => Value::Float(value),
        Kind::Text(at) => Value::Text(group.texts[at].to_string()),
    }
}

/// Rows of metrics lines with these `data` objects.
pub(super) fn columns_of(data: &[&str]) -> Columns {
    let mut scanner = Scanner::default();
    for data in data {
        scanner
            .line(format!("{{\"ts\": 1.5, \"type\": \"metrics\", \"data\": {data}}}").as_bytes());
    }
    scanner.close_group();
    Columns::of(
        scanner.names.into(),
        scanner.groups.into_iter().map(Into::into).collect(),
        1,
    )
}

/// Rows as text, so that NaN equals NaN; names in order.
pub(super) fn dump(columns: &Columns) -> Vec<String> {
    let mut rows = Vec::new();
    for group in &columns.groups {
        for row in 0..group.rows {
            let step = value(group, group.step_cell(row));
            let mut values: Vec<_> = group
                .chunks
                .iter()
                .map(|chunk| (chunk, group.cell(chunk, row)))
                .filter(|(_, cell)| !cell.is_absent())
                .map(|(chunk, cell)| {
                    (
                        if chunk.column == TS {
                            "<ts>"
                        } else {
                            columns.names.name(chunk.column)
                        },
                        value(group, cell),
                    )
                })
                .collect();
            values.sort_by_key(|(name, _)| *name);
            rows.push(format!("{step:?} {values:?}"));
        }
    }
    rows
}

/// Numbers that no test writes, in the place of what JSON does not know.
const NAN: &str = "7e-77777771";
const INFINITY: &str = "7e-77777772";

/// `NaN` and `Infinity` outside of strings, where a value may stand, as numbers.
fn without_words(text: &str) -> String {
    let mut out = String::new();
    let (mut in_string, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let before = out.trim_end_matches('-');
        let may_begin = !in_string && before.ends_with([':', ',', '[', ' ', '\t']);
        let word = [("NaN", NAN), ("Infinity", INFINITY)]
            .into_iter()
            .find(|(word, _)| may_begin && rest.starts_with(word));
        if let Some((word, number)) = word
            && rest[word.len()..].starts_with([',', ']', '}', ' ', '\t'])
            && (out.len() == before.len() || (number == INFINITY && out.len() == before.len() + 1))
        {
            out.push_str(number);
            rest = &rest[word.len()..];
            continue;
        }
        in_string ^= letter == '"' && !escaped;
        escaped = in_string && letter == '\\' && !escaped;
        out.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    out
}

/// What Python's `str.strip` takes off.
fn stripped(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// A JSON value as a cell; lists and objects are none.
fn expected_value(value: &serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => return None,
        serde_json::Value::Number(number) => match number.as_str() {
            NAN => Value::Float(f64::NAN),
            INFINITY => Value::Float(f64::INFINITY),
            digits if digits.strip_prefix('-') == Some(INFINITY) => Value::Float(f64::NEG_INFINITY),
            digits if digits.contains(['.', 'e', 'E']) => Value::Float(digits.parse().unwrap()),
            digits => digits
                .parse()
                .map_or_else(|_| Value::Big(digits.to_owned()), Value::Int),
        },
    })
}

/// `int()` of Python.
fn expected_step(value: &Value) -> Option<Value> {
    let digits = match value {
        Value::Int(_) | Value::Big(_) => return Some(value.clone()),
        Value::Bool(value) => return Some(Value::Int(i64::from(*value))),
        Value::Float(value) if value.is_finite() => format!("{:.0}", value.trunc()),
        Value::Text(text) => {
            let text = stripped(text);
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let is_digits =
                |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if !digits.split('_').all(is_digits) {
                return None;
            }
            text.replace(['+', '_'], "")
        }
        Value::Float(_) | Value::Null => return None,
    };
    if let Ok(step) = digits.parse() {
        return Some(Value::Int(step));
    }
    let size = digits.trim_start_matches(['-', '0']);
    let sign = if digits.starts_with('-') { "-" } else { "" };
    Some(Value::Big(format!("{sign}{size}")))
}

/// The row of one line by the rules of the documented table, as [`dump`] shows it.
fn expected_row(line: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(&without_words(stripped(line))).ok()?;
    let data = event.get("data")?.as_object()?;
    if event["type"] != "metrics" {
        return None;
    }
    let given = |name: &str| data.get(name).filter(|value| !value.is_null());
    let recorded = given("global_step").or_else(|| data.get("step"))?;
    let step = expected_step(&expected_value(recorded)?)?;
    let mut values: Vec<(&str, Value)> = data
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "global_step" | "step"))
        .filter_map(|(name, value)| Some((name.as_str(), expected_value(value)?)))
        .collect();
    let is_number = |value: &Value| matches!(value, Value::Int(_) | Value::Float(_));
    let timed = values
        .iter()
        .any(|(name, value)| *name == "time" && is_number(value));
    let ts = match event.get("ts").and_then(expected_value) {
        Some(Value::Int(ts)) => Some(ts as f64),
        Some(Value::Float(ts)) => Some(ts),
        _ => None,
    };
    if let Some(ts) = ts.filter(|ts| ts.is_finite() && !timed) {
        values.push(("<ts>", Value::Float(ts)));
    }
    values.sort_by_key(|(name, _)| *name);
    Some(format!("{step:?} {values:?}"))
}

/// The rows of a text: lines end as Python's universal newlines do, and bytes that are no UTF-8 are left out.
fn oracle(text: &[u8]) -> Vec<String> {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|line| line.utf8_chunks().map(|chunk| chunk.valid()).collect())
        .filter_map(|line: String| expected_row(&line))
        .collect()
}

/// Half of a surrogate pair is text to Python and an error to `serde_json`.
fn is_known_to_serde(text: &[u8]) -> bool {
    !String::from_utf8_lossy(text)
        .to_lowercase()
        .contains("\\ud")
}

/// What [`line::read`] alone finds, to which the fast way hands what is unusual.
fn by_the_rules(text: &[u8]) -> Vec<String> {
    let mut scanner = Scanner::default();
    for line in text.split(|&byte| byte == b'\n') {
        scanner.unusual_line(line);
    }
    shown(scanner)
}

fn fast(text: &[u8]) -> Vec<String> {
    let mut scanner = Scanner::default();
    for line in text.split(|&byte| byte == b'\n') {
        scanner.line(line);
    }
    shown(scanner)
}

fn shown(mut scanner: Scanner) -> Vec<String> {
    scanner.close_group();
    dump(&Columns::of(
        scanner.names.into(),
        scanner.groups.into_iter().map(Into::into).collect(),
        1,
    ))
}

fn read_file(text: &[u8]) -> Vec<String> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    let mut tail = MetricTail::default();
    tail.refresh(&file).unwrap();
    dump(&tail.columns)
}

fn words(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => any::<f64>().prop_map(|value| format!("{value:?}").replace("inf", "Infinity")),
        8 => (-1_000_000_i64..1_000_000).prop_map(|micros| format!("{:?}", micros as f64 / 1e3)),
        4 => any::<i64>().prop_map(|value| value.to_string()),
        2 => "-?[0-9]{1,30}(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,4})?",
        3 => words(&["NaN", "Infinity", "-Infinity", "null", "true", "false"]),
        1 => words(&["nul", "Nan", "-NaN", "NaN1", "-", "inf", "01", "1.", ".5", "+1"]),
        3 => "\"[a-z 0-9\\\\u\"é\u{1}\n\r🚀]{0,6}\"",
        1 => words(&["[]", "[1, 2]", "{\"x\": 1}", "[", "{", "\"\\ud800\"", "\"\\u00e9\"", "\" 7 \"", "\"1_0\""]),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["loss", "acc", "val/loss", "global_step", "step", "epoch", "time", "stage", "准确率", ""])
            .prop_map(str::to_owned),
        1 => "[a-c\\\\\"u0é\u{2}]{0,5}",
    ]
}

fn sdk_line() -> impl Strategy<Value = String> {
    let members = prop::collection::vec((name(), token()), 0..8);
    let ts = prop_oneof![9 => Just("1795187697.6149375".to_owned()), 1 => token()];
    let step = prop_oneof![9 => (-9_i64..100_000).prop_map(|step| step.to_string()), 1 => token()];
    let step = prop::option::weighted(0.8, step);
    let space = prop_oneof![4 => Just(" "), 1 => Just(""), 1 => Just("  "), 1 => Just("\t")];
    let kind = prop_oneof![9 => Just("metrics"), 1 => Just("image")];
    (ts, members, step, space, kind).prop_map(|(ts, mut members, step, space, kind)| {
        members.extend(step.map(|step| ("global_step".to_owned(), step)));
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{space}{value}")).collect();
        let members = members.join(&format!(",{space}"));
        format!("{{\"ts\":{space}{ts},{space}\"type\":{space}\"{kind}\",{space}\"data\":{space}{{{members}}}}}")
    })
}

fn hostile_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => sdk_line().prop_map(String::into_bytes),
        3 => (sdk_line(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(line, at, byte)| {
            let mut line = line.into_bytes();
            let at = at.index(line.len());
            line[at] = byte;
            line
        }),
        2 => (sdk_line(), any::<prop::sample::Index>()).prop_map(|(line, at)| line.as_bytes()[..at.index(line.len())].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..60),
        1 => prop::sample::select(vec!["", " ", "not json", "[1]", "null", "{}", "\u{feff}{}"]).prop_map(|line| line.as_bytes().to_vec()),
    ]
}

fn hostile_text() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")];
    prop::collection::vec((hostile_line(), end), 0..20).prop_map(|lines| {
        lines
            .into_iter()
            .flat_map(|(mut line, end)| {
                line.extend_from_slice(end.as_bytes());
                line
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_finds_exactly_the_rows_of_an_independent_one(text in hostile_text()) {
        prop_assume!(is_known_to_serde(&text));
        prop_assert_eq!(fast(&text), oracle(&text));
    }

    #[test]
    fn the_rules_alone_find_exactly_the_rows_of_an_independent_one(text in hostile_text()) {
        prop_assume!(is_known_to_serde(&text));
        prop_assert_eq!(by_the_rules(&text), oracle(&text));
    }

    #[test]
    fn a_file_says_what_its_lines_say(mut text in hostile_text()) {
        text.push(b'\n');
        prop_assume!(is_known_to_serde(&text));
        prop_assert_eq!(read_file(&text), oracle(&text));
    }

    #[test]
    fn reading_while_the_file_grows_finds_what_reading_it_once_finds(
        text in hostile_text(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6)
    ) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(text.len());
        let mut file = tempfile::tempfile().unwrap();
        let mut tail = MetricTail::default();
        let mut written = 0;
        for cut in cuts {
            file.write_all(&text[written..cut]).unwrap();
            written = cut;
            tail.refresh(&file).unwrap();
        }
        file.write_all(b"\n").unwrap();
        tail.refresh(&file).unwrap();
        let mut whole = text.clone();
        whole.push(b'\n');
        prop_assert_eq!(dump(&tail.columns), by_the_rules(&whole));
    }
}

/// The lines above would prove nothing if few of them were rows, or all of them plain.
#[test]
fn the_made_up_texts_hold_many_rows_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let (mut rows, mut lines, mut words, mut big) = (0, 0, 0, 0);
    for _ in 0..600 {
        let text = hostile_text().new_tree(&mut runner).unwrap().current();
        lines += text.split(|&byte| byte == b'\n').count() - 1;
        let found = oracle(&text);
        rows += found.len();
        words += found
            .iter()
            .filter(|row| row.contains("NaN") || row.contains("inf"))
            .count();
        big += found.iter().filter(|row| row.contains("Big(")).count();
    }
    assert!(rows * 4 > lines, "{rows} rows in {lines} lines");
    assert!(words > 50 && big > 10, "{words} {big}");
}

#[test]
fn every_line_of_the_sdk_is_one_row() {
    let mut text = Vec::new();
    for (step, value) in [
        "1",
        "2.5",
        "NaN",
        "-Infinity",
        "null",
        "true",
        "\"a\"",
        "[1]",
        "1e400",
    ]
    .iter()
    .enumerate()
    {
        let data = format!("{{\"loss\": {value}, \"global_step\": {step}, \"time\": 1.5}}");
        let line = format!("{{\"ts\": 1.5, \"type\": \"metrics\", \"data\": {data}}}\n");
        text.extend_from_slice(line.as_bytes());
    }
    assert_eq!((fast(&text).len(), oracle(&text).len()), (9, 9));
    assert_eq!(fast(&text), oracle(&text));
    assert_eq!(read_file(&text), oracle(&text));
}

#[test]
fn a_long_file_read_by_two_threads_is_read_as_by_one() {
    let mut text = Vec::new();
    for step in 0..60_000 {
        let extra = if step % 7 == 0 {
            format!(", \"only/{}\": {}", step % 91, step)
        } else {
            String::new()
        };
        let line = format!(
            "{{\"ts\": 1.5, \"type\": \"metrics\", \"data\": {{\"loss\": {}.25{extra}, \"global_step\": {step}, \"time\": 2.5}}}}",
            step % 1000
        );
        text.extend_from_slice(line.as_bytes());
        text.extend_from_slice(if step % 5 == 0 { b"\r\n" } else { b"\n" });
    }
    assert!(text.len() > 4 << 20, "more than one piece");
    let rows = oracle(&text);
    assert_eq!(rows.len(), 60_000);
    assert_eq!(read_file(&text), rows);
}
