//! What a run is to a reader: its id, its path, its status and one row of the list.

use std::fmt;

use crate::error::StoreError;
use crate::layout;

/// Name of a run's directory. The SDK makes `YYYYMMDD_HHMMSS_` and six hexadecimal digits, but any name of a directory may occur.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Box<str>);

impl RunId {
    /// Takes any text that can be one directory name; refuses everything that could mean another place.
    pub fn new(id: impl Into<String>) -> Result<Self, StoreError> {
        let id = id.into();
        let bad = id.is_empty()
            || id == "."
            || id == ".."
            || id.len() > 255
            || id.contains(['/', '\0'])
            || (cfg!(windows) && id.contains(['\\', ':']));
        if bad {
            return Err(StoreError::InvalidRunId { id });
        }
        Ok(Self(id.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the id has the SDK's own form, `^[0-9]{8}_[0-9]{6}_[a-f0-9]{6}$`.
    pub fn is_standard(&self) -> bool {
        is_standard_id(&self.0)
    }

    /// The id, if it has the SDK's own form; several documented endpoints take no other.
    pub fn standard(id: &str) -> Result<Self, StoreError> {
        if is_standard_id(id) {
            return Self::new(id);
        }
        Err(StoreError::InvalidRunId { id: id.to_owned() })
    }
}

fn is_standard_id(id: &str) -> bool {
    let mut bytes = id.bytes().enumerate();
    id.len() == 22
        && bytes.all(|(at, byte)| match at {
            8 | 15 => byte == b'_',
            0..15 => byte.is_ascii_digit(),
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for RunId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for RunId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Folder of a run below `runs/` (`"cv/detection"`, `""` for the top), or `project/name` of the old layout.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RunPath(Box<str>);

impl RunPath {
    /// Cleans a path as the SDK does (`\` is `/`, outer and double slashes fall out) and refuses what the SDK refuses: more than
    /// 200 characters, `..`, and anything outside `[a-zA-Z0-9_-]` and `/`.
    pub fn parse(path: &str) -> Result<Self, StoreError> {
        let cleaned = Self::from_directory(path);
        let refuse = |detail: &str| {
            Err(StoreError::InvalidPath {
                path: path.to_owned(),
                detail: detail.to_owned(),
            })
        };
        if cleaned.segments().any(|segment| segment == "..") {
            return refuse("path must not contain '..'");
        }
        if cleaned.0.chars().count() > 200 {
            return refuse("path is longer than 200 characters");
        }
        let allowed =
            |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '/');
        if !cleaned.0.chars().all(allowed) {
            return refuse("path contains invalid characters");
        }
        Ok(cleaned)
    }

    /// The path that a directory below `runs/` has; any names.
    pub fn from_directory(path: &str) -> Self {
        let path = path.replace('\\', "/");
        let segments: Vec<&str> = path.split('/').collect();
        Self(layout::join(&segments).into())
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, outermost first; none for the top.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// Whether this is `prefix` or lies below it, by whole segments: `cv` holds `cv/x` but not `cvx`. The empty prefix holds all;
    /// a trailing slash holds nothing, as in the documented endpoints.
    pub fn is_within(&self, prefix: &str) -> bool {
        prefix.is_empty()
            || self
                .0
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for RunPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The four states the SDK knows. Any other word that a program wrote is kept as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// Still going.
    Running,
    /// Ended well.
    Finished,
    /// Ended by an exception, or its process is gone.
    Failed,
    /// Ended by hand.
    Interrupted,
    /// Another word of the program.
    Other,
}

impl RunStatus {
    /// The state of a word in `status.json`.
    pub fn from_word(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "finished" => Self::Finished,
            "failed" => Self::Failed,
            "interrupted" => Self::Interrupted,
            _ => Self::Other,
        }
    }
}

/// Which of the signs spoke when the status of a run was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusReason {
    /// The word in `status.json`, and nothing speaks against it.
    StatusWord,
    /// Recorded as running, and its process lives.
    ProcessAlive,
    /// Recorded as running, but its process is gone from this machine.
    ProcessGone,
    /// Recorded as running and its process cannot be asked about; its files still grow.
    Growing,
    /// Recorded as running, its process cannot be asked about, and nothing has been written for a long time.
    Stalled,
    /// Recorded as running on another machine.
    OtherHost,
    /// There is no `status.json`.
    MissingStatus,
    /// `status.json` cannot be read.
    TornStatus,
}

impl StatusReason {
    /// The stable word of the reason.
    pub fn word(self) -> &'static str {
        match self {
            Self::StatusWord => "status_word",
            Self::ProcessAlive => "process_alive",
            Self::ProcessGone => "process_gone",
            Self::Growing => "growing",
            Self::Stalled => "stalled",
            Self::OtherHost => "other_host",
            Self::MissingStatus => "missing_status",
            Self::TornStatus => "torn_status",
        }
    }
}

/// Where in a storage root a run lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// `runs/<path>/<id>`, 0.6 and later.
    Current,
    /// `<project>/<name>/runs/<id>`, 0.4 and 0.5.
    Legacy,
    /// `runs/.recycle/<id>`, soft-deleted by 0.7.
    Recycled,
}

/// One row of the list of runs: what the small files of a run say, repaired where they are damaged.
///
/// Times are Unix seconds. A value of a wrong type counts as absent and is named in `problem`.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRow {
    /// Name of the directory.
    pub id: RunId,
    /// Path by the directory.
    pub path: RunPath,
    /// Directory below the root, with `/` between the names.
    pub directory: String,
    /// Where the run lies.
    pub layout: Layout,
    /// Whether the run is in the recycle bin.
    pub deleted: bool,
    /// `path` of `meta.json`.
    pub meta_path: Option<String>,
    /// `alias` of `meta.json`.
    pub alias: Option<String>,
    /// `tags` of `meta.json`.
    pub tags: Vec<String>,
    /// `pid` of `meta.json`.
    pub pid: Option<i64>,
    /// `hostname` of `meta.json`.
    pub hostname: Option<String>,
    /// Whether there is a `meta.json`, readable or not.
    pub has_meta: bool,
    /// `created_at` of `meta.json`, else the modification time of the directory.
    pub created_at: f64,
    /// Whether `created_at` is only the modification time of the directory.
    pub created_at_is_guess: bool,
    /// `started_at` of `status.json`.
    pub started_at: Option<f64>,
    /// `ended_at` of `status.json`.
    pub ended_at: Option<f64>,
    /// The word in `status.json`; `finished` where there is none, as the real server answers.
    pub recorded_status: String,
    /// Where the recorded word comes from.
    pub recorded_reason: StatusReason,
    /// The word after the process and the files were looked at; differs from the recorded one when the process is gone.
    pub status: String,
    /// Which sign spoke.
    pub reason: StatusReason,
    /// `best_metric_name` of `summary.json`.
    pub best_metric_name: Option<String>,
    /// `best_metric_value` of `summary.json`; absent when it is not finite.
    pub best_metric_value: Option<f64>,
    /// `best_metric_step` of `summary.json`.
    pub best_metric_step: Option<i64>,
    /// `best_metric_mode` of `summary.json`: `max` or `min`.
    pub best_metric_mode: Option<String>,
    /// How many assets the run saved.
    pub assets_count: u64,
    /// When one of the run's files was last written.
    pub last_write_at: Option<f64>,
    /// What is wrong with the run's files, in words.
    pub problem: Option<String>,
}

impl RunRow {
    /// A row of a run whose files say nothing.
    pub fn empty(id: RunId, path: RunPath, directory: &str, layout: Layout) -> Self {
        Self {
            id,
            path,
            directory: directory.to_owned(),
            layout,
            deleted: layout == Layout::Recycled,
            meta_path: None,
            alias: None,
            tags: Vec::new(),
            pid: None,
            hostname: None,
            has_meta: false,
            created_at: 0.0,
            created_at_is_guess: true,
            started_at: None,
            ended_at: None,
            recorded_status: "finished".to_owned(),
            recorded_reason: StatusReason::StatusWord,
            status: "finished".to_owned(),
            reason: StatusReason::StatusWord,
            best_metric_name: None,
            best_metric_value: None,
            best_metric_step: None,
            best_metric_mode: None,
            assets_count: 0,
            last_write_at: None,
            problem: None,
        }
    }

    /// The state of the word after the process was looked at.
    pub fn state(&self) -> RunStatus {
        RunStatus::from_word(&self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_of_one_directory_is_a_run_id() {
        for good in ["20250114_153045_a1b2c3", "my run", "運行", "..a", "-rf"] {
            assert!(RunId::new(good).is_ok(), "{good}");
        }
        let long = "x".repeat(256);
        for bad in ["", ".", "..", "a/b", "../x", "a\0b", long.as_str()] {
            assert!(RunId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_standard_form_is_digits_and_lower_case_hex() {
        assert!(is_standard_id("20250114_153045_a1b2c3"));
        for other in [
            "20250114_153045_A1B2C3",
            "20250114_153045_a1b2c",
            "2025011x_153045_a1b2c3",
            "nope",
            "20250114-153045_a1b2c3",
        ] {
            assert!(!is_standard_id(other), "{other}");
        }
    }

    #[test]
    fn paths_are_cleaned_as_the_sdk_does() {
        let check = |path: &str, expected: &str| {
            assert_eq!(RunPath::parse(path).unwrap().as_str(), expected);
        };
        check("", "");
        check("/", "");
        check("a//b/c/", "a/b/c");
        check("a\\b", "a/b");
        for bad in ["a/../b", "a b", "ä", &"x".repeat(201)] {
            assert!(RunPath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_holds_whole_segments_only() {
        let path = RunPath::from_directory("cv/detection");
        for within in ["", "cv", "cv/detection"] {
            assert!(path.is_within(within), "{within}");
        }
        for outside in ["c", "cv/", "cv/det", "cv/detection/x"] {
            assert!(!path.is_within(outside), "{outside}");
        }
    }
}
