//! Changes to the text of our own file. Lines that are not meant stay as they are, byte for byte.

use super::key::HostKey;
use super::line::{Entry, Mark};

/// The text with this key in the place of the host's key of the same type.
pub(super) fn with_key(text: &[u8], name: &str, key: &HostKey) -> Vec<u8> {
    let (mut text, _) = without(text, name, &key.key_type, |entry| entry.means(name));
    if text.last().is_some_and(|&last| last != b'\n') {
        text.push(b'\n');
    }
    text.extend_from_slice(format!("{name} {}\n", key.text()).as_bytes());
    text
}

/// The text without the host's key of that type, and whether it was there. `name` may be a hashed name as it stands there.
pub(super) fn without_key(text: &[u8], name: &str, key_type: &str) -> (Vec<u8>, bool) {
    without(text, name, key_type, |entry| {
        entry.hosts == name || entry.means(name)
    })
}

fn without(
    text: &[u8],
    name: &str,
    key_type: &str,
    is_meant: impl Fn(&Entry) -> bool,
) -> (Vec<u8>, bool) {
    let mut kept = Vec::with_capacity(text.len());
    let mut has_changed = false;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let entry = Entry::parse(line)
            .filter(|entry| entry.mark == Mark::Key && entry.key.key_type == key_type);
        let rest = match entry {
            Some(entry) if entry.hosts.starts_with('|') => is_meant(&entry).then(Vec::new),
            Some(entry) => other_names(&entry, name),
            None => None,
        };
        let Some(rest) = rest else {
            kept.extend_from_slice(line);
            continue;
        };
        has_changed = true;
        if !rest.is_empty() {
            kept.extend_from_slice(&renamed(line, &rest.join(",")));
        }
    }
    (kept, has_changed)
}

/// The names of a line without this one; `None` when it is not among them. Patterns mean more than one host and stay.
fn other_names(entry: &Entry, name: &str) -> Option<Vec<String>> {
    let names: Vec<&str> = entry.hosts.split(',').collect();
    let others: Vec<String> = names
        .iter()
        .filter(|known| !known.eq_ignore_ascii_case(name))
        .map(|&known| known.to_owned())
        .collect();
    (others.len() < names.len()).then_some(others)
}

/// The line with other names in front; the rest of it stays.
fn renamed(line: &[u8], names: &str) -> Vec<u8> {
    let start = line
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(0);
    let end = line[start..]
        .iter()
        .position(u8::is_ascii_whitespace)
        .map_or(line.len(), |length| start + length);
    [&line[..start], names.as_bytes(), &line[end..]].concat()
}
