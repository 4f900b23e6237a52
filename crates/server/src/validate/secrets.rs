//! What a refusal may repeat of an input. The documented server repeats all of it, passwords included.

use serde_json::Value;

/// Members that hold a secret, in the spellings of all documented bodies.
const SECRET_MEMBERS: [&str; 5] = [
    "password",
    "passphrase",
    "private_key",
    "privateKey",
    "answers",
];

/// Stands in the place of a secret.
const HIDDEN: &str = "***";

/// The input with every secret hidden; `loc` says which member it is, when it is one.
pub(super) fn shown(loc: &Value, input: &Value) -> Value {
    let is_secret = loc
        .as_array()
        .into_iter()
        .flatten()
        .any(|part| part.as_str().is_some_and(is_secret_member));
    if is_secret {
        return hidden(input);
    }
    match input {
        // A body that was not read as JSON.
        Value::String(text) if SECRET_MEMBERS.iter().any(|name| text.contains(name)) => {
            HIDDEN.into()
        }
        other => without_secrets(other),
    }
}

fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| {
                let member = if is_secret_member(name) {
                    hidden(member)
                } else {
                    without_secrets(member)
                };
                (name.clone(), member)
            })
            .collect(),
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

fn hidden(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        _ => HIDDEN.into(),
    }
}

fn is_secret_member(name: &str) -> bool {
    SECRET_MEMBERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_repeats_the_input_but_no_secret() {
        let body = json!({"host": "h", "password": "pw1", "passphrase": null,
            "deep": [{"privateKey": {"text": "pw2"}, "port": 22}]});
        let shown = shown(&json!(["body", "remote_root"]), &body);
        assert_eq!(
            shown,
            json!({"host": "h", "password": "***", "passphrase": null,
                "deep": [{"privateKey": "***", "port": 22}]})
        );
    }

    #[test]
    fn a_secret_of_the_wrong_type_and_a_body_that_is_no_json_are_hidden_too() {
        assert_eq!(shown(&json!(["body", "password"]), &json!(123)), "***");
        assert_eq!(
            shown(&json!(["body", "answers", 0]), &json!({"a": 1})),
            "***"
        );
        let text = json!("{\"password\": \"pw1\"}");
        assert_eq!(shown(&json!(["body"]), &text), "***");
        assert_eq!(shown(&json!(["body"]), &json!("plain")), "plain");
    }
}
