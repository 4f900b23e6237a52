//! What a name in an archive may mean: a file of a run, at a place of our choosing.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout;
use crate::recycle_bin::safe_path;
use crate::run::RunId;

/// Longest name of an entry, in bytes, and most segments.
const MAX_NAME_BYTES: usize = 4096;
const MAX_SEGMENTS: usize = 128;

/// The segments of a relative name; `None` for everything that means another place on any system.
pub(super) fn segments(name: &str) -> Option<Vec<String>> {
    let name = name.replace('\\', "/");
    let trimmed = name.strip_suffix('/').unwrap_or(&name);
    if trimmed.len() > MAX_NAME_BYTES || trimmed.starts_with('/') {
        return None;
    }
    let parts: Vec<&str> = trimmed.split('/').filter(|part| *part != ".").collect();
    let plain = !parts.is_empty()
        && parts.len() <= MAX_SEGMENTS
        && parts.iter().all(|part| is_plain(part, cfg!(windows)));
    plain.then(|| parts.into_iter().map(str::to_owned).collect())
}

fn is_plain(part: &str, on_windows: bool) -> bool {
    let plain = !part.is_empty()
        && part != ".."
        && part.len() <= 255
        && !part.contains(|letter: char| letter == ':' || letter.is_control());
    plain
        && !(on_windows
            && (is_device(part)
                || part.ends_with(['.', ' '])
                || part.contains(['<', '>', '"', '|', '?', '*'])))
}

fn is_device(part: &str) -> bool {
    let stem = part
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix).is_some_and(|digit| {
            digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

/// A run found among the names of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArchivedRun {
    pub(super) id: String,
    /// Path by its place in the archive; `None` when the archive does not say (`<id>/…`).
    pub(super) path: Option<String>,
    /// Of the old layout `project/name/runs/<id>`.
    pub(super) legacy: bool,
    /// Number of files.
    pub(super) files: u64,
}

/// Finds the runs: outermost folders with a marker file. Keys are the folders in the archive.
pub(super) fn runs_among<'a>(
    files: impl Iterator<Item = &'a [String]> + Clone,
) -> BTreeMap<Vec<String>, ArchivedRun> {
    let marked: BTreeSet<&[String]> = files
        .clone()
        .filter_map(|file| file.split_last())
        .filter(|(name, folder)| !folder.is_empty() && layout::RUN_MARKERS.contains(&name.as_str()))
        .map(|(_, folder)| folder)
        .collect();
    let outermost = |folder: &[String]| {
        (1..folder.len()).all(|length| {
            folder
                .get(..length)
                .is_none_or(|above| !marked.contains(above))
        })
    };
    let mut runs: BTreeMap<Vec<String>, ArchivedRun> = marked
        .iter()
        .filter(|folder| outermost(folder))
        .filter_map(|folder| Some((folder.to_vec(), identity(folder)?)))
        .collect();
    for file in files {
        if let Some(folder) = folder_of(file, &runs)
            && let Some(run) = runs.get_mut(&folder)
        {
            run.files += 1;
        }
    }
    runs
}

/// The folder of the run that a file belongs to.
pub(super) fn folder_of(
    file: &[String],
    runs: &BTreeMap<Vec<String>, ArchivedRun>,
) -> Option<Vec<String>> {
    (1..file.len())
        .filter_map(|length| file.get(..length))
        .find(|folder| runs.contains_key(*folder))
        .map(<[String]>::to_vec)
}

fn identity(folder: &[String]) -> Option<ArchivedRun> {
    let (id, above) = folder.split_last()?;
    RunId::new(id.as_str())
        .ok()
        .filter(|id| !matches!(id.as_str(), layout::RUNS | layout::RECYCLE | layout::MEDIA))?;
    let run = |path: Option<String>, legacy: bool| {
        Some(ArchivedRun {
            id: id.clone(),
            path,
            legacy,
            files: 0,
        })
    };
    let Some(at) = above.iter().position(|part| part == layout::RUNS) else {
        return run((!above.is_empty()).then(|| above.join("/")), false);
    };
    let (before, after) = (
        above.get(..at).unwrap_or_default(),
        above.get(at + 1..).unwrap_or_default(),
    );
    match before {
        [.., project, name]
            if after.is_empty() && !layout::NOT_PROJECTS.contains(&project.as_str()) =>
        {
            run(Some(format!("{project}/{name}")), true)
        }
        _ => run(Some(after.join("/")), false),
    }
}

/// Where a run goes below the root.
pub(super) fn target_directory(
    run: &ArchivedRun,
    meta_path: Option<&str>,
    isolate: Option<&str>,
) -> (String, String) {
    let path = run.path.as_deref().or(meta_path).unwrap_or_default();
    let path = safe_path(path);
    if let Some(base) = isolate {
        let path = layout::join(&[base, path.as_str()]);
        return (layout::run_directory(&path, &run.id), path);
    }
    if run.legacy {
        return (
            layout::join(&[path.as_str(), layout::RUNS, &run.id]),
            path.to_string(),
        );
    }
    (
        layout::run_directory(path.as_str(), &run.id),
        path.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<Vec<String>> {
        list.iter().filter_map(|name| segments(name)).collect()
    }

    fn found(list: &[&str]) -> Vec<(String, Option<String>, bool, u64)> {
        let names = names(list);
        runs_among(names.iter().map(Vec::as_slice))
            .into_values()
            .map(|run| (run.id, run.path, run.legacy, run.files))
            .collect()
    }

    #[test]
    fn names_that_mean_another_place_are_refused() {
        for name in [
            "../x",
            "a/../../x",
            "/abs",
            "\\\\server\\share",
            "C:\\x",
            "c:/x",
            "a/b:stream",
            "..\\x",
            "a//b",
            "a\0b",
            "a/\u{1}",
            "",
        ] {
            assert_eq!(segments(name), None, "{name:?}");
        }
        assert_eq!(segments("./a\\b/").unwrap(), ["a", "b"]);
        assert_eq!(segments(&"x/".repeat(300)), None);
        assert_eq!(segments(&"x".repeat(256)), None);
    }

    #[test]
    fn names_that_windows_takes_for_devices_are_refused_there() {
        for name in ["CON", "nul.txt", "com1", "LPT9.log", "aux ", "x.", "a?b"] {
            assert!(!is_plain(name, true), "{name}");
        }
        for name in ["CONSOLE", "com10", "x.y"] {
            assert!(is_plain(name, true), "{name}");
        }
    }

    #[test]
    fn runs_are_the_outermost_folders_with_a_marker() {
        assert_eq!(
            found(&[
                "runs/a/b/id/meta.json",
                "runs/a/b/id/media/meta.json",
                "plain.txt",
                "runs/a/x.txt"
            ]),
            [("id".to_owned(), Some("a/b".to_owned()), false, 2)]
        );
        assert_eq!(
            found(&["runs/id/status.json"]),
            [("id".to_owned(), Some(String::new()), false, 1)]
        );
    }

    #[test]
    fn a_bare_project_name_runs_folder_is_a_run_of_the_old_layout() {
        assert_eq!(
            found(&["p/n/runs/id/meta.json"]),
            [("id".to_owned(), Some("p/n".to_owned()), true, 1)]
        );
        assert_eq!(
            found(&["export/runs/a/id/meta.json"]),
            [("id".to_owned(), Some("a".to_owned()), false, 1)]
        );
    }

    #[test]
    fn an_archive_of_bare_run_folders_is_a_set_of_runs_without_paths() {
        assert_eq!(
            found(&["index.json", "id/meta.json", "id/events.jsonl"]),
            [("id".to_owned(), None, false, 2)]
        );
    }

    #[test]
    fn a_run_goes_nowhere_but_below_runs() {
        let run = |path: Option<&str>, legacy| ArchivedRun {
            id: "id".to_owned(),
            path: path.map(str::to_owned),
            legacy,
            files: 0,
        };
        assert_eq!(
            target_directory(&run(None, false), Some("../../etc"), None).0,
            "runs/etc/id"
        );
        assert_eq!(
            target_directory(&run(None, false), Some("cv//x"), None),
            ("runs/cv/x/id".to_owned(), "cv/x".to_owned())
        );
        assert_eq!(
            target_directory(&run(Some(".recycle"), false), None, None).0,
            "runs/id"
        );
        assert_eq!(
            target_directory(&run(Some("p/n"), true), None, None).0,
            "p/n/runs/id"
        );
        assert_eq!(
            target_directory(&run(Some("p/n"), true), None, Some("imports/t")).0,
            "runs/imports/t/p/n/id"
        );
    }
}
