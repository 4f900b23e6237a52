//! Alias and tags: a rewrite of `meta.json` that keeps every other member as it was, its order and the text of its numbers.

use serde_json::{Map, Value};

use crate::error::StoreError;
use crate::journal::{Step, read_text};
use crate::layout;
use crate::sdk_database::RowChange;
use crate::store::RunStore;

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEdit {
    /// New alias; trimmed, empty removes it.
    pub alias: Option<String>,
    /// New tags; trimmed, empty ones dropped.
    pub tags: Option<Vec<String>>,
}

/// Alias and tags as they stand now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EditedRun {
    /// `alias` of `meta.json`.
    pub alias: Value,
    /// `tags` of `meta.json`, an empty list when there are none.
    pub tags: Value,
}

impl RunStore {
    /// Changes alias and tags of a run. Nothing is written when nothing is asked for.
    pub fn edit(&self, id: &str, edit: &RunEdit) -> Result<EditedRun, StoreError> {
        let run = self.find(id)?;
        let path = format!("{}/{}", run.directory, layout::META);
        let journal = self.writes.journal();
        let mut problem = None;
        for _ in 0..5 {
            let old =
                read_text(&run.root().dir, &path).map_err(|error| StoreError::io(&path, error))?;
            let mut meta = match old.as_deref().map(parse_keeping_all) {
                None => Map::new(),
                Some(Ok(meta)) => meta,
                Some(Err(detail)) => {
                    // the SDK truncates before it writes: look again before believing it
                    problem = Some(StoreError::Damaged {
                        path: run.dir.join(layout::META),
                        detail,
                    });
                    std::thread::sleep(std::time::Duration::from_millis(5));
                    continue;
                }
            };
            let rows = change(&mut meta, edit, run.id.as_str());
            let edited = EditedRun {
                alias: meta.get("alias").cloned().unwrap_or_default(),
                tags: meta
                    .get("tags")
                    .cloned()
                    .unwrap_or_else(|| Value::Array(Vec::new())),
            };
            if rows.is_empty() {
                return Ok(edited);
            }
            let steps = vec![
                Step::Replace {
                    path: path.clone(),
                    old,
                    new: dump_keeping_all(&meta),
                },
                Step::Rows { changes: rows },
            ];
            match journal.as_ref() {
                Err(_) => break,
                Ok(journal) => match journal.apply(&steps) {
                    Ok(()) => {
                        self.after_write(&[run.id]);
                        return Ok(edited);
                    }
                    // somebody else rewrote it between our look and our write
                    Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                        problem = Some(StoreError::io(run.dir.join(layout::META), error));
                    }
                    Err(error) => return Err(StoreError::io(run.dir.join(layout::META), error)),
                },
            }
        }
        journal?;
        Err(problem.unwrap_or(StoreError::Busy {
            what: layout::META.to_owned(),
        }))
    }
}

/// Applies the edit and says which rows follow.
fn change(meta: &mut Map<String, Value>, edit: &RunEdit, id: &str) -> Vec<RowChange> {
    let mut rows = Vec::new();
    if let Some(alias) = &edit.alias {
        let alias = Some(alias.trim().to_owned()).filter(|alias| !alias.is_empty());
        meta.insert(
            "alias".to_owned(),
            alias.clone().map_or(Value::Null, Value::String),
        );
        rows.push(RowChange::Alias {
            id: id.to_owned(),
            alias,
        });
    }
    if let Some(tags) = &edit.tags {
        let tags: Vec<String> = tags
            .iter()
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect();
        meta.insert(
            "tags".to_owned(),
            tags.iter().cloned().map(Value::String).collect(),
        );
        rows.push(RowChange::Tags {
            id: id.to_owned(),
            tags,
        });
    }
    rows
}

/// Private-use letter that marks a number JSON has no word for while it travels through a [`Value`].
const MARK: char = '\u{f8f7}';
const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Reads an object strictly, except that Python's `NaN` and `±Infinity` are kept (as marked strings).
pub(crate) fn parse_keeping_all(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(object) => Ok(object),
        Err(first) => serde_json::from_str(&mark_words(text)).map_err(|_second| first.to_string()),
    }
}

/// Writes an object as Python's `json.dump(indent=2, ensure_ascii=False)` does.
pub(crate) fn dump_keeping_all(object: &Map<String, Value>) -> String {
    let mut text = serde_json::to_string_pretty(object).unwrap_or_default();
    for word in WORDS {
        text = text.replace(&format!("\"{MARK}{word}\""), word);
    }
    text
}

fn mark_words(text: &str) -> String {
    let mut marked = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let (mut in_string, mut escaped) = (false, false);
    while let Some(letter) = rest.chars().next() {
        if !in_string && let Some(word) = WORDS.iter().find(|word| rest.starts_with(**word)) {
            marked.extend(['"', MARK]);
            marked.push_str(word);
            marked.push('"');
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        match letter {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        marked.push(letter);
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
    }
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewrite_keeps_unknown_members_their_order_and_the_text_of_numbers() {
        let text = "{\n  \"z\": 1.0,\n  \"id\": \"中\",\n  \"big\": 123456789012345678901234567890,\n  \"tiny\": 1e-300,\n  \"none\": [],\n  \"odd\": {\n    \"x\": -0.0\n  }\n}";
        assert_eq!(dump_keeping_all(&parse_keeping_all(text).unwrap()), text);
    }

    #[test]
    fn a_rewrite_keeps_numbers_that_json_has_no_word_for() {
        let text = "{\n  \"a\": NaN,\n  \"b\": [\n    -Infinity,\n    Infinity\n  ],\n  \"c\": \"NaN \\\" Infinity\"\n}";
        assert_eq!(dump_keeping_all(&parse_keeping_all(text).unwrap()), text);
    }

    #[test]
    fn a_torn_file_is_not_rewritten() {
        for torn in ["", "{", "{\"a\": 1", "[]", "{\"a\": tru"] {
            assert!(parse_keeping_all(torn).is_err(), "{torn}");
        }
    }

    #[test]
    fn alias_and_tags_are_trimmed_and_empty_ones_dropped() {
        let mut meta = Map::new();
        let edit = RunEdit {
            alias: Some("  a ".to_owned()),
            tags: Some(vec![" x ".to_owned(), String::new(), "x".to_owned()]),
        };
        change(&mut meta, &edit, "id");
        assert_eq!(
            serde_json::to_string(&meta).unwrap(),
            r#"{"alias":"a","tags":["x","x"]}"#
        );
        change(
            &mut meta,
            &RunEdit {
                alias: Some("  ".to_owned()),
                tags: None,
            },
            "id",
        );
        assert_eq!(
            serde_json::to_string(&meta).unwrap(),
            r#"{"alias":null,"tags":["x","x"]}"#
        );
    }
}
