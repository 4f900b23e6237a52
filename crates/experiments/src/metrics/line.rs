//! One line of `events.jsonl`, read slowly and by the rules: what Python's `json.loads` takes, what the documented table keeps.
//!
//! The fast scanner hands every line here that is not of the SDK's plain form, and the property test compares the two. It is
//! stricter than [`crate::json`] on purpose (control characters and a byte order mark spoil a line, as they do in Python) and keeps
//! NaN apart from null.

use super::number::{self, MAX_INT_DIGITS, Number};

/// Deepest nesting that is read; a line that goes deeper is skipped.
const MAX_DEPTH: usize = 128;

/// A value that a column can hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above 64 bits, in plain decimal digits.
    Big(String),
    /// May be NaN or infinite.
    Float(f64),
    Text(String),
}

/// A step: any integer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Int(i64),
    Big(String),
}

/// What one metrics line recorded.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) step: Step,
    /// `ts` of the line, for lines whose data has no `time`.
    pub(crate) ts: Option<f64>,
    /// Values by name, each name once, without `global_step` and `step`; lists and objects are left out.
    pub(crate) values: Vec<(String, Value)>,
}

/// Reads bytes between two newlines: none or more metrics lines (a lone carriage return also ends a line).
pub(crate) fn read(bytes: &[u8], mut found: impl FnMut(Line)) -> usize {
    let mut skipped = 0;
    for piece in bytes.split(|&byte| byte == b'\r') {
        let text: String = piece.utf8_chunks().map(|chunk| chunk.valid()).collect();
        let text = text.trim_matches(|letter: char| {
            letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
        });
        match read_line(text) {
            Ok(Some(line)) => found(line),
            Ok(None) => (),
            Err(NotJson) => skipped += usize::from(!text.is_empty()),
        }
    }
    skipped
}

/// Whether a piece without a newline is a whole JSON object all the same.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let text: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
    matches!(parse(text.trim()), Ok(Json::Object(_)))
}

fn read_line(text: &str) -> Result<Option<Line>, NotJson> {
    let Json::Object(mut event) = parse(text)? else {
        return Ok(None);
    };
    if take(&mut event, "type") != Some(Json::Value(Value::Text("metrics".to_owned()))) {
        return Ok(None);
    }
    let Some(Json::Object(mut data)) = take(&mut event, "data") else {
        return Ok(None);
    };
    let recorded = match take(&mut data, "global_step") {
        None | Some(Json::Value(Value::Null)) => take(&mut data, "step"),
        step => step,
    };
    let Some(step) = recorded.and_then(step) else {
        return Ok(None);
    };
    let ts = match take(&mut event, "ts") {
        Some(Json::Value(Value::Float(ts))) => Some(ts),
        Some(Json::Value(Value::Int(ts))) => Some(ts as f64),
        _ => None,
    };
    let values = data.into_iter().filter(|(name, _)| name != "step");
    let values = values.filter_map(|(name, value)| match value {
        Json::Value(value) => Some((name, value)),
        Json::List | Json::Object(_) => None,
    });
    Ok(Some(Line {
        step,
        ts: ts.filter(|ts| ts.is_finite()),
        values: values.collect(),
    }))
}

fn take(members: &mut Vec<(String, Json)>, name: &str) -> Option<Json> {
    let at = members.iter().position(|(key, _)| key == name)?;
    Some(members.remove(at).1)
}

/// Python's `int()` of a JSON value.
fn step(value: Json) -> Option<Step> {
    match value {
        Json::Value(Value::Int(step)) => Some(Step::Int(step)),
        Json::Value(Value::Big(digits)) => Some(Step::Big(digits)),
        Json::Value(Value::Bool(step)) => Some(Step::Int(i64::from(step))),
        Json::Value(Value::Float(step)) if step.is_finite() => {
            Some(step_of_digits(&format!("{:.0}", step.trunc())))
        }
        Json::Value(Value::Text(text)) => step_of_text(&text),
        _ => None,
    }
}

fn step_of_text(text: &str) -> Option<Step> {
    let text = text.trim_matches(|letter: char| {
        letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
    });
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let plain = digits
        .split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !plain || digits.bytes().filter(u8::is_ascii_digit).count() > MAX_INT_DIGITS {
        return None;
    }
    Some(step_of_digits(&text.replace(['_', '+'], "")))
}

fn step_of_digits(digits: &str) -> Step {
    match digits.parse() {
        Ok(step) => Step::Int(step),
        Err(_) => normal_digits(digits).map_or(Step::Int(0), Step::Big),
    }
}

/// Digits without leading zeros; `None` for zero.
fn normal_digits(digits: &str) -> Option<String> {
    let (sign, size) = digits
        .strip_prefix('-')
        .map_or(("", digits), |size| ("-", size));
    let size = size.trim_start_matches('0');
    (!size.is_empty()).then(|| format!("{sign}{size}"))
}

#[derive(Debug, PartialEq)]
enum Json {
    Value(Value),
    List,
    /// Members by name, the last of each name, in the order of the first.
    Object(Vec<(String, Json)>),
}

/// The text is not one JSON value.
#[derive(Debug, PartialEq)]
struct NotJson;

fn parse(text: &str) -> Result<Json, NotJson> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.at == text.len() {
        Ok(value)
    } else {
        Err(NotJson)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), NotJson> {
        self.skip_space();
        if self.take(token) {
            Ok(())
        } else {
            Err(NotJson)
        }
    }

    fn skip_space(&mut self) {
        self.at += self
            .rest()
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count();
    }

    fn value(&mut self, depth: usize) -> Result<Json, NotJson> {
        if depth > MAX_DEPTH {
            return Err(NotJson);
        }
        self.skip_space();
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        for (word, value) in words {
            if self.take(word) {
                return Ok(Json::Value(value));
            }
        }
        match self.rest().as_bytes().first() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => Ok(Json::Value(Value::Text(self.string()?))),
            _ => self.number(),
        }
    }

    fn number(&mut self) -> Result<Json, NotJson> {
        let (number, length) = number::scan(self.rest().as_bytes()).ok_or(NotJson)?;
        let token = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        Ok(Json::Value(match number {
            Number::Int(value) => Value::Int(value),
            Number::Big => Value::Big(token.to_owned()),
            Number::Float(value) => Value::Float(value),
        }))
    }

    fn list(&mut self, depth: usize) -> Result<Json, NotJson> {
        self.expect("[")?;
        self.skip_space();
        if self.take("]") {
            return Ok(Json::List);
        }
        loop {
            self.value(depth + 1)?;
            self.skip_space();
            if self.take("]") {
                return Ok(Json::List);
            }
            self.expect(",")?;
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, NotJson> {
        self.expect("{")?;
        let mut members = Members::default();
        self.skip_space();
        if self.take("}") {
            return Ok(Json::Object(members.list));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.expect(":")?;
            let value = self.value(depth + 1)?;
            members.set(name, value);
            self.skip_space();
            if self.take("}") {
                return Ok(Json::Object(members.list));
            }
            self.expect(",")?;
        }
    }

    fn string(&mut self) -> Result<String, NotJson> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let plain = rest
                .find(|letter: char| letter < ' ' || letter == '"' || letter == '\\')
                .ok_or(NotJson)?;
            text.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.take("\"") {
                return Ok(text);
            }
            if !self.take("\\") {
                return Err(NotJson);
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, NotJson> {
        let letter = self.rest().chars().next().ok_or(NotJson)?;
        self.at += letter.len_utf8();
        Ok(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(NotJson),
        })
    }

    fn unicode(&mut self) -> Result<char, NotJson> {
        let first = self.hex()?;
        let before_second = self.at;
        if (0xd800..0xdc00).contains(&first) && self.take("\\u") {
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before_second;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Result<u32, NotJson> {
        let digits = self.rest().get(..4).ok_or(NotJson)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotJson);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).or(Err(NotJson))
    }
}

/// Members of an object; a name that comes again keeps its place and gets the new value, as in Python.
#[derive(Default)]
struct Members {
    list: Vec<(String, Json)>,
    positions: std::collections::HashMap<String, usize>,
}

impl Members {
    fn set(&mut self, name: String, value: Json) {
        if let Some(known) = self
            .positions
            .get(&name)
            .and_then(|&at| self.list.get_mut(at))
        {
            known.1 = value;
        } else {
            self.positions.insert(name.clone(), self.list.len());
            self.list.push((name, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        read(text, |line| lines.push(line));
        lines
    }

    fn step_in(value: &str) -> Option<Step> {
        let text = format!(r#"{{"type":"metrics","data":{{"global_step":{value},"x":1}}}}"#);
        lines(text.as_bytes()).pop().map(|line| line.step)
    }

    #[test]
    fn a_step_goes_through_int() {
        for (value, step) in [
            ("7", 7),
            ("-3", -3),
            ("0", 0),
            ("true", 1),
            ("false", 0),
            ("3.9", 3),
            ("-3.9", -3),
            ("1e3", 1000),
            ("\"8\"", 8),
            ("\" +08 \"", 8),
            ("\"1_000\"", 1000),
            ("\"-7\\n\"", -7),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(step_in(value), Some(Step::Int(step)), "{value}");
        }
        for value in [
            "NaN",
            "Infinity",
            "-Infinity",
            "null",
            "\"7.5\"",
            "\"\"",
            "\"1__0\"",
            "\"_1\"",
            "\"x\"",
            "[1]",
            "{}",
        ] {
            assert_eq!(step_in(value), None, "{value}");
        }
    }

    #[test]
    fn steps_above_64_bits_are_exact() {
        assert_eq!(
            step_in("100000000000000000000"),
            Some(Step::Big("100000000000000000000".to_owned()))
        );
        assert_eq!(
            step_in("\"-0000100000000000000000000\""),
            Some(Step::Big("-100000000000000000000".to_owned()))
        );
        assert_eq!(
            step_in("1e22"),
            Some(Step::Big("10000000000000000000000".to_owned()))
        );
        assert_eq!(
            step_in("1e23"),
            Some(Step::Big("99999999999999991611392".to_owned()))
        );
    }

    #[test]
    fn step_stands_in_when_global_step_is_absent_or_null() {
        let check = |data: &str, step: Option<i64>| {
            let text = format!(r#"{{"type":"metrics","data":{data}}}"#);
            let found = lines(text.as_bytes()).pop();
            assert_eq!(
                found.as_ref().map(|line| line.step.clone()),
                step.map(Step::Int),
                "{data}"
            );
            found.map_or(0, |line| line.values.len())
        };
        assert_eq!(check(r#"{"step":7,"x":1}"#, Some(7)), 1);
        assert_eq!(check(r#"{"global_step":null,"step":7,"x":1}"#, Some(7)), 1);
        assert_eq!(check(r#"{"global_step":5,"step":7,"x":1}"#, Some(5)), 1);
        check(r#"{"x":1}"#, None);
    }

    #[test]
    fn foreign_blank_and_broken_lines_are_skipped() {
        let text = [
            "",
            " ",
            "not json",
            "[1]",
            "1",
            "\"x\"",
            "null",
            "{}",
            r#"{"type":"image","data":{"global_step":1}}"#,
            r#"{"type":"metrics"}"#,
            r#"{"type":"metrics","data":[1]}"#,
            r#"{"type":"metrics","data":{"global_step":1"#,
            r#"{"type":"metrics","data":{"global_step":1}} x"#,
            "{\"type\":\"metrics\",\"data\":{\"global_step\":1,\"a\nb\":1}}",
            "\u{feff}{\"type\":\"metrics\",\"data\":{\"global_step\":1}}",
        ];
        for line in text {
            assert_eq!(lines(line.as_bytes()), [], "{line}");
        }
        let deep = format!(
            r#"{{"type":"metrics","data":{{"global_step":1,"x":{}1{}}}}}"#,
            "[".repeat(5000),
            "]".repeat(5000)
        );
        assert_eq!(lines(deep.as_bytes()), []);
    }

    #[test]
    fn lists_and_objects_are_dropped_and_a_repeated_key_takes_its_last_value() {
        let found = lines(br#"{"ts":1.5,"type":"x","data":0,"type":"metrics","data":{"a":1,"a":2,"b":3,"b":[1],"c":{"d":[]},"global_step":1}}"#);
        assert_eq!(
            found,
            [Line {
                step: Step::Int(1),
                ts: Some(1.5),
                values: vec![("a".to_owned(), Value::Int(2))]
            }]
        );
    }

    #[test]
    fn escaped_names_carriage_returns_and_invalid_utf8_are_read_as_python_reads_them() {
        let found = lines(b"{\"type\":\"metrics\",\"data\":{\"global_step\":1,\"\\u51c6\\u786e\\ud83d\\ude80\":1,\"a\xffb\xe2\x82c\":2}}\r");
        let names: Vec<_> = found[0]
            .values
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["准确🚀", "abc"]);
        let two = lines(b"{\"type\":\"metrics\",\"data\":{\"step\":1}}\r{\"type\":\"metrics\",\"data\":{\"step\":2}}");
        assert_eq!(two.len(), 2);
        assert_eq!(
            lines(br#"{"type":"metrics","data":{"step":1,"\ud83dx":1}}"#)[0].values[0].0,
            "\u{fffd}x"
        );
    }

    #[test]
    fn a_piece_is_whole_only_as_an_object() {
        assert!(is_whole(br#"{"a": 1} "#));
        for torn in ["", "{", r#"{"a": 1"#, "1", "[1]"] {
            assert!(!is_whole(torn.as_bytes()), "{torn}");
        }
    }
}
