//! Recorded against found: members of the recorded answer must be there with the same value; more are allowed.

use std::fmt;

use serde_json::{Map, Value};

/// Members by which the items of a list are told apart, so that their order does not count.
const ID_MEMBERS: [&str; 3] = ["run_id", "id", "asset_id"];
/// A run whose `meta.json` has no time, so that the directory's counts.
const UNDATED_RUN: &str = "20250123_010101_badbad";

/// A place where ours is not what was recorded.
pub(crate) struct Mismatch {
    /// `status`, `header/<name>`, `body/<member>/…`, `storage/…` or `home/…`.
    pub(crate) at: String,
    pub(crate) expected: Value,
    /// Null where there is nothing.
    pub(crate) found: Value,
}

impl Mismatch {
    pub(crate) fn new(
        at: impl Into<String>,
        expected: impl Into<Value>,
        found: impl Into<Value>,
    ) -> Self {
        Self {
            at: at.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |value: &Value| {
            let text = value.to_string();
            if text.chars().count() > 200 {
                text.chars().take(200).collect::<String>() + "…"
            } else {
                text
            }
        };
        write!(
            formatter,
            "{}: recorded {}, ours {}",
            self.at,
            short(&self.expected),
            short(&self.found)
        )
    }
}

/// What a recording says must not be compared.
#[derive(Default)]
pub(crate) struct Volatile {
    places: Vec<String>,
    all_numbers: bool,
}

impl Volatile {
    /// Reads the notes of a recording: `/body/cache`, `/body/sources/*/path`, `/body (all numbers)`, `/body depends on …`,
    /// `updated_at`. A note about the order of a list says nothing here, because lists are compared by id.
    pub(super) fn of_notes<'a>(notes: impl Iterator<Item = &'a str>) -> Self {
        let mut volatile = Self::default();
        for note in notes {
            let (place, rest) = note.split_once(' ').unwrap_or((note, ""));
            if rest == "(all numbers)" {
                volatile.all_numbers = true;
            } else if note == "updated_at" {
                volatile.places.push("**/updated_at".to_owned());
            } else if place.starts_with('/') && (rest.is_empty() || rest.starts_with("depends on"))
            {
                volatile
                    .places
                    .push(place.trim_start_matches('/').to_owned());
            }
        }
        volatile
    }

    pub(super) fn covers(&self, at: &str) -> bool {
        self.places
            .iter()
            .any(|place| match place.strip_prefix("**/") {
                Some(member) => at.rsplit('/').next() == Some(member),
                None => is_at_or_below(place, at),
            })
    }
}

/// True when `at` is the place of the pattern or lies below it; `*` stands for one member.
pub(super) fn is_at_or_below(pattern: &str, at: &str) -> bool {
    let mut members = at.split('/');
    pattern.split('/').all(|wanted| {
        members
            .next()
            .is_some_and(|member| wanted == "*" || wanted == member)
    })
}

/// Compares two values at a place.
pub(crate) fn compare(
    at: &str,
    expected: &Value,
    found: &Value,
    volatile: &Volatile,
    out: &mut Vec<Mismatch>,
) {
    if volatile.covers(at) {
        return;
    }
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            compare_objects(at, expected, found, volatile, out);
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            compare_lists(at, one, other, volatile, out);
        }
        (Value::Number(_), Value::Number(_)) if volatile.all_numbers => {}
        (Value::Number(one), Value::Number(other)) if is_same_number(one, other) => {}
        _ if expected == found => {}
        _ => out.push(Mismatch::new(at, expected.clone(), found.clone())),
    }
}

fn compare_objects(
    at: &str,
    expected: &Map<String, Value>,
    found: &Map<String, Value>,
    volatile: &Volatile,
    out: &mut Vec<Mismatch>,
) {
    let is_undated = expected.get("id").is_some_and(|id| id == UNDATED_RUN);
    for (name, value) in expected {
        if is_undated && name == "created_time" {
            continue;
        }
        let place = format!("{at}/{name}");
        match found.get(name) {
            Some(other) => compare(&place, value, other, volatile, out),
            None if volatile.covers(&place) => {}
            None => out.push(Mismatch::new(place, value.clone(), Value::Null)),
        }
    }
}

fn compare_lists(
    at: &str,
    expected: &[Value],
    found: &[Value],
    volatile: &Volatile,
    out: &mut Vec<Mismatch>,
) {
    let id_member = ID_MEMBERS.into_iter().find(|member| {
        !expected.is_empty() && expected.iter().all(|item| item.get(member).is_some())
    });
    let Some(id_member) = id_member else {
        for (position, (one, other)) in expected.iter().zip(found).enumerate() {
            compare(&format!("{at}/{position}"), one, other, volatile, out);
        }
        return;
    };
    for item in expected {
        let id = &item[id_member];
        let place = format!("{at}/{}", id.as_str().unwrap_or("?"));
        match found.iter().find(|other| other[id_member] == *id) {
            Some(other) => compare(&place, item, other, volatile, out),
            None => out.push(Mismatch::new(place, item.clone(), Value::Null)),
        }
    }
}

/// By kind and value: `1` is not `1.0`, `1e2` is `100.0`, `-0.0` is not `0.0`.
fn is_same_number(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    let is_float = |text: &str| text.contains(['.', 'e', 'E']);
    if is_float(&one) != is_float(&other) {
        return false;
    }
    if !is_float(&one) {
        return one == other;
    }
    let bits = |text: &str| text.parse::<f64>().map(f64::to_bits).ok();
    bits(&one) == bits(&other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(expected: &Value, found: &Value) -> Vec<String> {
        let mut out = Vec::new();
        compare("body", expected, found, &Volatile::default(), &mut out);
        out.into_iter().map(|mismatch| mismatch.at).collect()
    }

    #[test]
    fn more_members_are_allowed_and_fewer_are_not() {
        assert!(places(&json!({"a": 1}), &json!({"a": 1, "b": 2})).is_empty());
        assert_eq!(
            places(&json!({"a": 1, "b": {"c": 2}}), &json!({"a": 2, "b": {}})),
            ["body/a", "body/b/c"]
        );
        assert_eq!(places(&json!([1, 2]), &json!([1, 2, 3])), ["body"]);
    }

    #[test]
    fn numbers_count_by_kind_and_value() {
        let same =
            |one: &str, other: &str| is_same_number(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(same("1e2", "100.0") && same("123456789012345678901", "123456789012345678901"));
        assert!(!same("1", "1.0") && !same("-0.0", "0.0"));
    }

    #[test]
    fn lists_of_runs_are_compared_by_id() {
        let one = json!([{"id": "a", "x": 1}, {"id": "b", "x": 2}]);
        assert!(places(&one, &json!([{"id": "b", "x": 2}, {"id": "a", "x": 1}])).is_empty());
        assert_eq!(
            places(&one, &json!([{"id": "b", "x": 3}, {"id": "a", "x": 1}])),
            ["body/b/x"]
        );
    }
}
