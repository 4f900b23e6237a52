//! Tolerant JSON: what Python's `json` writes, and what a crash leaves of it.
//!
//! Takes `NaN` and `±Infinity` (they become null: JSON has no word for them), lone surrogates and invalid UTF-8 (they become
//! U+FFFD), control characters in strings and a byte order mark. Numbers keep their text, so `1.0`, `1e-300` and integers of any
//! size leave as they came. Depth is limited, and nothing here can panic on hostile bytes.

use std::fmt;

use serde_json::{Map, Number, Value};

/// Deepest nesting that is read.
pub const MAX_DEPTH: usize = 128;

/// Where a text stopped being JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonProblem {
    /// Offset in bytes.
    pub at: usize,
    /// What stood there, in words.
    pub what: &'static str,
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not JSON at byte {}: {}", self.at, self.what)
    }
}

impl std::error::Error for JsonProblem {}

/// Reads one JSON value; white space may surround it, nothing else.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonProblem> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    reader.skip_white();
    if reader.at < bytes.len() {
        return Err(reader.problem("text after the value"));
    }
    Ok(value)
}

/// Reads a JSON object; any other value is a problem.
pub fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, JsonProblem> {
    match parse(bytes)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonProblem {
            at: 0,
            what: "not an object",
        }),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn problem(&self, what: &'static str) -> JsonProblem {
        JsonProblem { at: self.at, what }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, word: &[u8]) -> bool {
        let found = self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(word));
        if found {
            self.at += word.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonProblem> {
        if depth > MAX_DEPTH {
            return Err(self.problem("nested too deeply"));
        }
        self.skip_white();
        match self.peek() {
            None => Err(self.problem("the text ends here")),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b't') if self.take(b"true") => Ok(Value::Bool(true)),
            Some(b'f') if self.take(b"false") => Ok(Value::Bool(false)),
            Some(b'n') if self.take(b"null") => Ok(Value::Null),
            Some(b'N') if self.take(b"NaN") => Ok(Value::Null),
            Some(b'I') if self.take(b"Infinity") => Ok(Value::Null),
            Some(b'-') if self.take(b"-Infinity") => Ok(Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.problem("no value starts like this")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonProblem> {
        self.at += 1;
        let mut object = Map::new();
        self.skip_white();
        if self.take(b"}") {
            return Ok(Value::Object(object));
        }
        loop {
            self.skip_white();
            if self.peek() != Some(b'"') {
                return Err(self.problem("a key was expected"));
            }
            let key = self.string()?;
            self.skip_white();
            if !self.take(b":") {
                return Err(self.problem("a colon was expected"));
            }
            let value = self.value(depth + 1)?;
            object.insert(key, value);
            self.skip_white();
            if self.take(b"}") {
                return Ok(Value::Object(object));
            }
            if !self.take(b",") {
                return Err(self.problem("a comma or a brace was expected"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonProblem> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_white();
        if self.take(b"]") {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.skip_white();
            if self.take(b"]") {
                return Ok(Value::Array(items));
            }
            if !self.take(b",") {
                return Err(self.problem("a comma or a bracket was expected"));
            }
        }
    }

    fn number(&mut self) -> Result<Value, JsonProblem> {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
        ) {
            self.at += 1;
        }
        let text = self.bytes.get(start..self.at).unwrap_or_default();
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<Number>().ok());
        number.map(Value::Number).ok_or(JsonProblem {
            at: start,
            what: "not a number",
        })
    }

    fn string(&mut self) -> Result<String, JsonProblem> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(plain) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else {
                return Err(self.problem("the text ends within a string"));
            };
            text.extend_from_slice(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.take(b"\"") {
                return Ok(match String::from_utf8(text) {
                    Ok(text) => text,
                    Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
                });
            }
            self.at += 1;
            let mut buffer = [0; 4];
            text.extend_from_slice(self.escape()?.encode_utf8(&mut buffer).as_bytes());
        }
    }

    fn escape(&mut self) -> Result<char, JsonProblem> {
        let letter = self
            .peek()
            .ok_or_else(|| self.problem("the text ends within a string"))?;
        self.at += 1;
        Ok(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.problem("no escape starts like this")),
        })
    }

    fn unicode(&mut self) -> Result<char, JsonProblem> {
        let first = self.hex4()?;
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before_second = self.at;
        if self.take(b"\\u") {
            let second = self.hex4()?;
            if (0xDC00..0xE000).contains(&second) {
                let joined = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before_second;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, JsonProblem> {
        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
        let mut value = 0;
        for digit in digits {
            let digit = char::from(*digit)
                .to_digit(16)
                .ok_or_else(|| self.problem("four hexadecimal digits were expected"))?;
            value = value * 16 + digit;
        }
        if digits.len() < 4 {
            return Err(self.problem("the text ends within a string"));
        }
        self.at += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(text: &str, expected: &Value) {
        assert_eq!(&parse(text.as_bytes()).unwrap(), expected, "{text}");
    }

    #[test]
    fn takes_what_python_writes() {
        check(
            r#" {"a": [1, true, null, "x"]} "#,
            &json!({"a": [1, true, null, "x"]}),
        );
        check(
            r#"{"a": NaN, "b": Infinity, "c": -Infinity}"#,
            &json!({"a": null, "b": null, "c": null}),
        );
        check(r#"{"a": 1, "a": 2}"#, &json!({"a": 2}));
        check("\u{feff}{}", &json!({}));
        check("\"\u{1}\"", &json!("\u{1}"));
    }

    #[test]
    fn numbers_keep_their_text() {
        for text in ["1.0", "-0.0", "1e-300", "123456789012345678901234567890"] {
            assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
        }
    }

    #[test]
    fn lone_surrogates_and_invalid_bytes_are_replaced() {
        check(r#""\ud83e\udd84""#, &json!("🦄"));
        check(r#""\ud83ex""#, &json!("\u{fffd}x"));
        check(r#""\ud83e\u0041""#, &json!("\u{fffd}A"));
        check(r#""\udd84""#, &json!("\u{fffd}"));
        assert_eq!(parse(b"\"a\xffb\"").unwrap(), json!("a\u{fffd}b"));
    }

    #[test]
    fn says_where_a_torn_text_ends() {
        assert_eq!(parse(br#"{"a": 1"#).unwrap_err().at, 7);
        for torn in [
            "", "{", "[1,", "\"a", "\"\\u12", "tru", "-", "1 2", "{\"a\"}", "1.", "01",
        ] {
            assert!(parse(torn.as_bytes()).is_err(), "{torn}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_without_a_crash() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(
            parse(deep.as_bytes()).unwrap_err().what,
            "nested too deeply"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(parse(&bytes));
        }

        #[test]
        fn strict_json_reads_the_same(text in "[\\[\\]{}\",:0-9a-z\\\\ .eE+-]{0,40}") {
            if let Ok(strict) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(parse(text.as_bytes()).unwrap(), strict);
            }
        }
    }
}
