//! What a write changed on disk: the files of a folder before and after.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::compare::{Mismatch, Volatile, compare};

/// Files by path below a folder, with their bytes; an empty folder ends in a slash. Databases and lock files are left out,
/// as in the recordings.
pub(super) struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// Reads a folder, leaving out our own folders.
    pub(super) fn below(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        read_into(folder, "", &mut files);
        Self(files)
    }

    /// Compares the recorded change with ours.
    pub(super) fn compare_change(
        &self,
        after: &Self,
        label: &str,
        recorded: &Value,
        volatile: &Volatile,
        out: &mut Vec<Mismatch>,
    ) {
        let kinds = [
            (
                "added",
                names(&after.0, |name, _| !self.0.contains_key(name)),
            ),
            (
                "removed",
                names(&self.0, |name, _| !after.0.contains_key(name)),
            ),
            (
                "changed",
                names(&after.0, |name, bytes| {
                    self.0.get(name).is_some_and(|old| old != bytes)
                }),
            ),
        ];
        for (kind, ours) in kinds {
            let mut expected: Vec<String> =
                serde_json::from_value(recorded[kind].clone()).unwrap_or_default();
            expected.retain(|name| !is_left_out(name));
            expected.sort();
            if expected != ours {
                out.push(Mismatch::new(format!("{label}/{kind}"), expected, ours));
            }
        }
        for (name, text) in recorded["content"].as_object().into_iter().flatten() {
            let ours = after
                .0
                .get(name)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let Some(ours) = ours else { continue };
            let parse = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            let place = format!("{label}/content/{}", name.replace('/', ":"));
            compare(
                &place,
                &parse(text.as_str().unwrap_or_default()),
                &parse(&ours),
                volatile,
                out,
            );
        }
    }
}

fn names(files: &BTreeMap<String, Vec<u8>>, keep: impl Fn(&str, &[u8]) -> bool) -> Vec<String> {
    files
        .iter()
        .filter(|(name, bytes)| keep(name, bytes))
        .map(|(name, _)| name.clone())
        .collect()
}

fn is_left_out(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending == "lock")
        || name.contains(".db")
}

fn read_into(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut is_empty = true;
    for entry in entries {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if is_left_out(&name) {
            continue;
        }
        is_empty = false;
        if name == "runicorn-desktop" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            read_into(&entry.path(), &format!("{name}/"), files);
        } else if let Ok(bytes) = std::fs::read(entry.path()) {
            files.insert(name, bytes);
        }
    }
    if is_empty && !prefix.is_empty() {
        files.insert(prefix.to_owned(), Vec::new());
    }
}
