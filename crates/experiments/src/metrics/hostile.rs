//! The fast reader against the slow one, on lines that training code writes, on lines that it never should, and on files cut at any byte.

use std::io::Write;

use proptest::prelude::*;

use super::cell::{Cell, Kind};
use super::columns::Columns;
use super::group::RowGroup;
use super::line::{self, Line, Step, Value};
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

fn described(line: &Line) -> String {
    let step = match &line.step {
        Step::Int(step) => Value::Int(*step),
        Step::Big(digits) => Value::Big(digits.clone()),
    };
    let timed = line
        .values
        .iter()
        .any(|(name, value)| name == "time" && matches!(value, Value::Float(_) | Value::Int(_)));
    let ts = line
        .ts
        .filter(|_| !timed)
        .map(|ts| ("<ts>", Value::Float(ts)));
    let mut values: Vec<_> = line
        .values
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .chain(ts)
        .collect();
    values.sort_by_key(|(name, _)| *name);
    format!("{step:?} {values:?}")
}

/// What the slow reader finds in whole lines.
fn slowly(text: &[u8]) -> Vec<String> {
    let mut rows = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        line::read(line, |line| rows.push(described(&line)));
    }
    rows
}

fn fast(text: &[u8]) -> Vec<String> {
    let mut scanner = Scanner::default();
    for line in text.split(|&byte| byte == b'\n') {
        scanner.line(line);
    }
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
        3 => words(&["NaN", "Infinity", "-Infinity", "null", "true", "false", "nul", "Nan", "-", "inf", "01", "1.", ".5", "+1"]),
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
    let space = prop_oneof![4 => Just(" "), 1 => Just(""), 1 => Just("  "), 1 => Just("\t")];
    (ts, members, space, prop_oneof![5 => Just("metrics"), 1 => Just("image")]).prop_map(|(ts, members, space, kind)| {
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
    fn the_fast_reader_finds_exactly_what_the_slow_one_finds(text in hostile_text()) {
        prop_assert_eq!(fast(&text), slowly(&text));
    }

    #[test]
    fn a_file_says_what_its_lines_say(mut text in hostile_text()) {
        text.push(b'\n');
        prop_assert_eq!(read_file(&text), slowly(&text));
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
        prop_assert_eq!(dump(&tail.columns), slowly(&whole));
    }

    #[test]
    fn standard_json_is_read_as_serde_reads_it(text in sdk_line()) {
        // serde_json knows neither NaN nor lone surrogates; on everything it takes, the slow reader must agree.
        if let Ok(event) = serde_json::from_str::<serde_json::Value>(&text) {
            let members = event["data"].as_object().unwrap();
            let mut rows = Vec::new();
            line::read(text.replace('\r', " ").as_bytes(), |line| rows.push(line));
            for line in rows {
                for (name, value) in &line.values {
                    let expected = &members[name];
                    let same = match value {
                        Value::Null => expected.is_null(),
                        Value::Bool(value) => expected == value,
                        Value::Int(value) => expected.to_string().parse() == Ok(*value),
                        Value::Big(digits) => expected.as_number().map(serde_json::Number::as_str) == Some(digits),
                        Value::Float(value) => expected.to_string().parse::<f64>().is_ok_and(|number| number.to_bits() == value.to_bits()),
                        Value::Text(text) => expected == text,
                    };
                    prop_assert!(same, "{} {:?} {}", name, value, expected);
                }
                let listed = members.iter().filter(|(name, value)| {
                    !(value.is_array() || value.is_object() || *name == "step" || *name == "global_step")
                });
                let skipped = usize::from(members.get("global_step").is_some_and(serde_json::Value::is_null) && members.contains_key("step"));
                prop_assert_eq!(line.values.len(), listed.count(), "{}", skipped);
            }
        }
    }
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
    assert_eq!(read_file(&text), slowly(&text));
}
