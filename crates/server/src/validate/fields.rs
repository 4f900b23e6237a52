//! Readers of single fields: each returns the value or notes the problem in the words of the documented server.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::secrets;
use crate::error::ApiError;

/// A request input that is read field by field. When any field was wrong, the result is thrown away and the
/// problems are answered instead, so a reader may return any value in its place.
pub(crate) trait Shape: Sized {
    /// True when the body's fields stand for themselves instead of forming one object: a missing one is then
    /// reported with the input `null` instead of the whole body.
    const SEPARATE_FIELDS: bool = false;

    /// Reads the fields.
    fn read(fields: &mut Fields<'_>) -> Self;
}

/// Where the fields come from.
pub(super) enum Source<'a> {
    Query(&'a [(String, String)]),
    Body {
        object: &'a Map<String, Value>,
        separate: bool,
    },
}

/// The input while it is being read, and the problems found so far.
pub(crate) struct Fields<'a> {
    source: Source<'a>,
    problems: Vec<Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(source: Source<'a>) -> Self {
        Self {
            source,
            problems: Vec::new(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<Value> {
        self.problems
    }

    /// A text that must be there.
    pub(crate) fn text(&mut self, name: &str) -> String {
        let value = self.required(name);
        value
            .and_then(|value| self.as_text(&[name], &value))
            .unwrap_or_default()
    }

    /// A text that must be there and hold at least one character.
    pub(crate) fn filled_text(&mut self, name: &str) -> String {
        let text = self
            .required(name)
            .and_then(|value| self.as_text(&[name], &value));
        if text.as_deref() == Some("") {
            self.problem(
                "string_too_short",
                &[name],
                "String should have at least 1 character",
                &json!(""),
                Some(json!({"min_length": 1})),
            );
        }
        text.unwrap_or_default()
    }

    /// A text that must be there and hold so many characters.
    pub(crate) fn text_within(&mut self, name: &str, lengths: RangeInclusive<usize>) -> String {
        let text = self.text(name);
        let (low, high) = (*lengths.start(), *lengths.end());
        let characters = text.chars().count();
        let is_there = self.value(name).is_some_and(|value| value.is_string());
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        if is_there && characters < low {
            let message = format!("String should have at least {low} character{}", plural(low));
            let ctx = json!({"min_length": low});
            self.problem(
                "string_too_short",
                &[name],
                &message,
                &json!(text),
                Some(ctx),
            );
        } else if characters > high {
            let message = format!(
                "String should have at most {high} character{}",
                plural(high)
            );
            let ctx = json!({"max_length": high});
            self.problem(
                "string_too_long",
                &[name],
                &message,
                &json!(text),
                Some(ctx),
            );
        }
        text
    }

    /// A whole number within bounds that must be there.
    pub(crate) fn int(&mut self, name: &str, bounds: RangeInclusive<i64>) -> i64 {
        let value = self.required(name);
        value
            .and_then(|value| self.as_bounded_int(name, &value, &bounds))
            .unwrap_or_default()
    }

    /// A text that may be absent or null.
    pub(crate) fn optional_text(&mut self, name: &str) -> Option<String> {
        let value = self.present(name)?;
        self.as_text(&[name], &value)
    }

    /// A text with a default.
    pub(crate) fn text_or(&mut self, name: &str, default: &str) -> String {
        self.optional_text(name)
            .unwrap_or_else(|| default.to_owned())
    }

    /// A whole number within bounds that may be absent.
    pub(crate) fn optional_int(&mut self, name: &str, bounds: RangeInclusive<i64>) -> Option<i64> {
        let value = self.present(name)?;
        self.as_bounded_int(name, &value, &bounds)
    }

    /// A whole number within bounds, with a default.
    pub(crate) fn int_or(&mut self, name: &str, bounds: RangeInclusive<i64>, default: i64) -> i64 {
        self.optional_int(name, bounds).unwrap_or(default)
    }

    /// A number that may be absent.
    pub(crate) fn optional_float(&mut self, name: &str) -> Option<f64> {
        let value = self.present(name)?;
        let float = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if float.is_none() {
            let (kind, message) = match value {
                Value::String(_) => (
                    "float_parsing",
                    "Input should be a valid number, unable to parse string as a number",
                ),
                _ => ("float_type", "Input should be a valid number"),
            };
            self.problem(kind, &[name], message, &value, None);
        }
        float
    }

    /// A yes or no with a default.
    pub(crate) fn flag_or(&mut self, name: &str, default: bool) -> bool {
        self.optional_flag(name).unwrap_or(default)
    }

    /// A yes or no that may be absent or null.
    pub(crate) fn optional_flag(&mut self, name: &str) -> Option<bool> {
        let value = self.present(name)?;
        let flag = match &value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => flag_from_word(text),
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Some(true),
                Some(0.0) => Some(false),
                _ => None,
            },
            _ => None,
        };
        if flag.is_none() {
            let (kind, message) = match value {
                Value::String(_) | Value::Number(_) => (
                    "bool_parsing",
                    "Input should be a valid boolean, unable to interpret input",
                ),
                _ => ("bool_type", "Input should be a valid boolean"),
            };
            self.problem(kind, &[name], message, &value, None);
        }
        flag
    }

    /// A list of texts that may be absent or null.
    pub(crate) fn optional_texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.present(name)?;
        let Value::Array(items) = &value else {
            self.problem(
                "list_type",
                &[name],
                "Input should be a valid list",
                &value,
                None,
            );
            return None;
        };
        let mut texts = Vec::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            texts.extend(self.as_text_at(json!(["body", name, position]), item));
        }
        Some(texts)
    }

    /// A list of texts that must be there.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        if self.required(name) == Some(Value::Null) {
            let message = "Input should be a valid list";
            self.problem("list_type", &[name], message, &Value::Null, None);
        }
        self.optional_texts(name).unwrap_or_default()
    }

    /// A map from text to whole number that must be there.
    pub(crate) fn ints_by_name(&mut self, name: &str) -> BTreeMap<String, i64> {
        let Some(value) = self.required(name) else {
            return BTreeMap::new();
        };
        let Value::Object(object) = &value else {
            self.problem(
                "dict_type",
                &[name],
                "Input should be a valid dictionary",
                &value,
                None,
            );
            return BTreeMap::new();
        };
        object
            .iter()
            .filter_map(|(key, item)| Some((key.clone(), self.as_int(&[name, key], item)?)))
            .collect()
    }

    /// The value as it came, when there is one.
    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        match &self.source {
            Source::Query(pairs) => pairs
                .iter()
                .rev()
                .find(|(key, _)| key == name)
                .map(|(_, text)| Value::String(text.clone())),
            Source::Body { object, .. } => object.get(name).cloned(),
        }
    }

    /// The refusal for a member that turns out to be needed only later.
    pub(crate) fn missing(&self, name: &str) -> ApiError {
        let entry = problem(
            "missing",
            self.loc(&[name]),
            "Field required",
            &Value::Null,
            None,
        );
        ApiError::invalid(vec![entry])
    }

    /// Notes a problem of the caller's own.
    pub(crate) fn refuse(&mut self, name: &str, message: &str) {
        let input = self.value(name).unwrap_or(Value::Null);
        self.problem("value_error", &[name], message, &input, None);
    }

    fn present(&self, name: &str) -> Option<Value> {
        self.value(name).filter(|value| !value.is_null())
    }

    fn required(&mut self, name: &str) -> Option<Value> {
        let value = self.value(name);
        if value.is_none() {
            let input = match &self.source {
                Source::Body {
                    object,
                    separate: false,
                } => Value::Object((*object).clone()),
                _ => Value::Null,
            };
            self.problem("missing", &[name], "Field required", &input, None);
        }
        value
    }

    fn as_text(&mut self, place: &[&str], value: &Value) -> Option<String> {
        let loc = self.loc(place);
        self.as_text_at(loc, value)
    }

    fn as_text_at(&mut self, loc: Value, value: &Value) -> Option<String> {
        if let Value::String(text) = value {
            return Some(text.clone());
        }
        self.problem_at(
            "string_type",
            loc,
            "Input should be a valid string",
            value,
            None,
        );
        None
    }

    fn as_bounded_int(
        &mut self,
        name: &str,
        value: &Value,
        bounds: &RangeInclusive<i64>,
    ) -> Option<i64> {
        let int = self.as_int(&[name], value)?;
        let (low, high) = (*bounds.start(), *bounds.end());
        if int < low {
            let message = format!("Input should be greater than or equal to {low}");
            self.problem(
                "greater_than_equal",
                &[name],
                &message,
                value,
                Some(json!({"ge": low})),
            );
        } else if int > high {
            let message = format!("Input should be less than or equal to {high}");
            self.problem(
                "less_than_equal",
                &[name],
                &message,
                value,
                Some(json!({"le": high})),
            );
        } else {
            return Some(int);
        }
        None
    }

    fn as_int(&mut self, place: &[&str], value: &Value) -> Option<i64> {
        let problem = match value {
            Value::Number(number) => match int_from_number(number) {
                Ok(int) => return Some(int),
                Err(problem) => problem,
            },
            Value::Bool(flag) => return Some(i64::from(*flag)),
            Value::String(text) => match int_from_text(text) {
                Some(int) => return Some(int),
                None => (
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                ),
            },
            _ => ("int_type", "Input should be a valid integer"),
        };
        self.problem(problem.0, place, problem.1, value, None);
        None
    }

    fn loc(&self, place: &[&str]) -> Value {
        let first = match self.source {
            Source::Query(_) => "query",
            Source::Body { .. } => "body",
        };
        std::iter::once(first)
            .chain(place.iter().copied())
            .collect()
    }

    fn problem(
        &mut self,
        kind: &str,
        place: &[&str],
        message: &str,
        input: &Value,
        ctx: Option<Value>,
    ) {
        let loc = self.loc(place);
        self.problem_at(kind, loc, message, input, ctx);
    }

    fn problem_at(
        &mut self,
        kind: &str,
        loc: Value,
        message: &str,
        input: &Value,
        ctx: Option<Value>,
    ) {
        self.problems.push(problem(kind, loc, message, input, ctx));
    }
}

/// One entry of the list in a 422. What was sent as a secret is not sent back.
pub(super) fn problem(
    kind: &str,
    loc: Value,
    message: &str,
    input: &Value,
    ctx: Option<Value>,
) -> Value {
    let input = secrets::shown(&loc, input);
    let mut entry = Map::new();
    entry.insert("type".to_owned(), kind.into());
    entry.insert("loc".to_owned(), loc);
    entry.insert("msg".to_owned(), message.into());
    entry.insert("input".to_owned(), input);
    if let Some(ctx) = ctx {
        entry.insert("ctx".to_owned(), ctx);
    }
    Value::Object(entry)
}

fn flag_from_word(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" => Some(true),
        "false" | "0" | "no" | "n" | "off" | "f" => Some(false),
        _ => None,
    }
}

fn int_from_number(number: &serde_json::Number) -> Result<i64, (&'static str, &'static str)> {
    if let Some(int) = number.as_i64() {
        return Ok(int);
    }
    let too_big = (
        "int_parsing_size",
        "Unable to parse input string as an integer, exceeded maximum size",
    );
    let float = number.as_f64().ok_or(too_big)?;
    if float.fract() != 0.0 {
        return Err((
            "int_from_float",
            "Input should be a valid integer, got a number with a fractional part",
        ));
    }
    // Beyond 2^53 a float no longer names one integer.
    if float.abs() > 9_007_199_254_740_992.0 {
        return Err(too_big);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and below 2^53"
    )]
    Ok(float as i64)
}

/// `" 12 "`, `"+12"`, `"1_000"` and `"12.0"` are numbers to the documented server.
fn int_from_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = text.split_once('.').map_or(text, |(whole, zeros)| {
        if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') {
            whole
        } else {
            text
        }
    });
    let digits = whole.trim_start_matches(['+', '-']);
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    whole.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query_problem(pairs: &[(&str, &str)], read: impl FnOnce(&mut Fields<'_>)) -> String {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut fields = Fields::new(Source::Query(&pairs));
        read(&mut fields);
        let kinds: Vec<_> = fields
            .into_problems()
            .iter()
            .map(|problem| problem["type"].as_str().unwrap_or_default().to_owned())
            .collect();
        kinds.join(",")
    }

    #[test]
    fn words_for_yes_and_no_are_those_of_the_documented_server() {
        for word in ["true", "1", "YES", "y", "On", "t"] {
            assert_eq!(flag_from_word(word), Some(true), "{word}");
        }
        for word in ["false", "0", "No", "n", "OFF", "f"] {
            assert_eq!(flag_from_word(word), Some(false), "{word}");
        }
        assert_eq!(
            query_problem(&[("a", "maybe")], |f| {
                f.flag_or("a", false);
            }),
            "bool_parsing"
        );
    }

    #[test]
    fn whole_numbers_are_read_as_leniently_as_the_documented_server_reads_them() {
        for (text, int) in [
            ("5", 5),
            (" 5 ", 5),
            ("+5", 5),
            ("-5", -5),
            ("1_000", 1000),
            ("5.0", 5),
        ] {
            assert_eq!(int_from_text(text), Some(int), "{text}");
        }
        for text in [
            "",
            "5.5",
            "abc",
            "1__0",
            "_1",
            "0x10",
            "99999999999999999999",
        ] {
            assert_eq!(int_from_text(text), None, "{text}");
        }
    }

    #[test]
    fn every_problem_of_a_request_is_listed() {
        let kinds = query_problem(&[("n", "7"), ("m", "500")], |fields| {
            fields.text("table");
            fields.optional_int("n", 10..=20);
            fields.optional_int("m", 10..=20);
        });
        assert_eq!(kinds, "missing,greater_than_equal,less_than_equal");
    }

    #[test]
    fn a_number_with_a_fraction_is_no_whole_number_but_one_that_ends_in_zero_is() {
        let number = |text: &str| text.parse::<serde_json::Number>().unwrap();
        assert_eq!(int_from_number(&number("200.0")), Ok(200));
        assert_eq!(
            int_from_number(&number("1.5")).unwrap_err().0,
            "int_from_float"
        );
        assert_eq!(
            int_from_number(&number("1e300")).unwrap_err().0,
            "int_parsing_size"
        );
    }
}
