//! The process environment, read once at the start and carried as a value.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Variables and the current folder of the process.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: HashMap<String, OsString>,
    current_dir: PathBuf,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .collect();
        Self {
            variables,
            current_dir: std::env::current_dir().unwrap_or_default(),
        }
    }

    /// An environment made by hand.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        current_dir: &Path,
    ) -> Self {
        let variables = pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        Self {
            variables,
            current_dir: current_dir.to_path_buf(),
        }
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<OsString> {
        self.variables
            .get(name)
            .filter(|value| !value.is_empty())
            .cloned()
    }

    /// Origins of `RUNICORN_ALLOWED_ORIGINS`, separated by commas.
    pub(super) fn allowed_origins(&self) -> Vec<String> {
        let listed = self.get("RUNICORN_ALLOWED_ORIGINS").unwrap_or_default();
        let listed = listed.to_string_lossy();
        listed
            .split(',')
            .map(|origin| origin.trim().trim_end_matches('/').to_owned())
            .filter(|origin| !origin.is_empty())
            .collect()
    }

    /// The home folder, when one is known.
    pub fn home(&self) -> Option<PathBuf> {
        let name = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
        self.get(name).map(PathBuf::from).or_else(dirs::home_dir)
    }

    /// `~` and `~/x` with the home folder in place of the tilde.
    pub fn expand_home(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_path_buf(),
        }
    }

    /// `$VAR`, `${VAR}` and (on Windows) `%VAR%` replaced, unknown ones kept; then `~`.
    pub fn expand(&self, text: &str) -> PathBuf {
        let expanded = expand_dollars(text, |name| self.get(name));
        let expanded = if cfg!(windows) {
            expand_percents(&expanded, |name| self.get(name))
        } else {
            expanded
        };
        self.expand_home(Path::new(&expanded))
    }

    /// Absolute, without `.` and `..` (by the letters, links are not followed).
    pub fn absolute(&self, path: &Path) -> PathBuf {
        let mut plain = PathBuf::new();
        for part in self.current_dir.join(path).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    plain.pop();
                }
                other => plain.push(other),
            }
        }
        plain
    }
}

fn expand_dollars(text: &str, lookup: impl Fn(&str) -> Option<OsString>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from_dollar) = rest.split_at(at);
        expanded.push_str(before);
        let (name, length) = variable_name(from_dollar);
        match name.and_then(&lookup) {
            Some(value) => expanded.push_str(&value.to_string_lossy()),
            None => expanded.push_str(&from_dollar[..length]),
        }
        rest = &from_dollar[length..];
    }
    expanded + rest
}

/// The name after a dollar, and how many bytes dollar and name take.
fn variable_name(from_dollar: &str) -> (Option<&str>, usize) {
    let after = &from_dollar[1..];
    if let Some(inner) = after.strip_prefix('{') {
        return match inner.find('}') {
            Some(end) => (Some(&inner[..end]), end + 3),
            None => (None, 1),
        };
    }
    let end = after
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(after.len());
    ((end > 0).then(|| &after[..end]), end + 1)
}

fn expand_percents(text: &str, lookup: impl Fn(&str) -> Option<OsString>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        let (before, from_percent) = rest.split_at(start);
        expanded.push_str(before);
        let Some(end) = from_percent[1..].find('%') else {
            rest = from_percent;
            break;
        };
        let whole = &from_percent[..end + 2];
        match lookup(&from_percent[1..=end]) {
            Some(value) => expanded.push_str(&value.to_string_lossy()),
            None => expanded.push_str(whole),
        }
        rest = &from_percent[end + 2..];
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<OsString> {
        (name == "DATA").then(|| "/data".into())
    }

    #[test]
    fn variables_in_a_typed_path_are_replaced_and_unknown_ones_are_kept() {
        for (text, expected) in [
            ("$DATA/x", "/data/x"),
            ("${DATA}x", "/datax"),
            ("$NOPE/$DATA", "$NOPE//data"),
            ("a$", "a$"),
            ("${open", "${open"),
            ("数$DATA", "数/data"),
        ] {
            assert_eq!(expand_dollars(text, lookup), expected, "{text}");
        }
        for (text, expected) in [
            ("%DATA%/x", "/data/x"),
            ("%NOPE%", "%NOPE%"),
            ("50%", "50%"),
        ] {
            assert_eq!(expand_percents(text, lookup), expected, "{text}");
        }
    }
}
