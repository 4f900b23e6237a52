//! Choosing a storage root: making a typed path one, and finding roots that are there already.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::app::App;
use crate::error::{ApiError, ApiResult};

/// Folder names that are storage roots by custom.
const CUSTOMARY: [&str; 2] = [".runicorn", "runicorn_data"];
/// Folders that hold many files and no roots.
const NEVER_ENTERED: [&str; 9] = [
    "__pycache__",
    "anaconda",
    "anaconda3",
    "env",
    "miniconda",
    "miniconda3",
    "node_modules",
    "venv",
    "site-packages",
];
/// A search never looks at more folders than this, nor longer than [`SEARCH_TIME`].
const SEARCH_FOLDERS: usize = 50_000;
const SEARCH_TIME: Duration = Duration::from_secs(5);
const RUNS_COUNTED: usize = 64;
const RUN_DEPTH: usize = 4;
const CANDIDATES_KEPT: usize = 12;

/// A folder that looks like a storage root.
#[derive(Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Candidate {
    path: String,
    /// Counted up to 64.
    run_count: usize,
    has_archive: bool,
    has_index: bool,
    /// Higher is likelier.
    score: usize,
}

/// Makes a typed path the storage root: expanded, made with its `runs` folder, saved for the SDK, shown at once. Nothing is
/// changed when any of it fails. Blocks.
pub(crate) fn choose(app: &App, typed: &str) -> ApiResult<PathBuf> {
    if typed.trim().is_empty() {
        return Err(ApiError::bad_request("PATH_REQUIRED", "path is required"));
    }
    let environment = &app.config().environment;
    let path = environment.expand(typed.trim());
    if !path.is_absolute() {
        let shown = path.display();
        return Err(ApiError::bad_request(
            "PATH_NOT_ABSOLUTE",
            format!("The path must be absolute, not {shown}"),
        ));
    }
    let path = environment.absolute(&path);
    if path.parent().is_none() {
        return Err(ApiError::bad_request(
            "PATH_UNSUITABLE",
            "The root of the file system cannot be the storage root",
        ));
    }
    make_folders(&path.join("runs")).map_err(|(at, error)| refused(&at, &error))?;
    let config = app.sdk_config();
    let text = path.to_str().ok_or_else(|| {
        ApiError::bad_request(
            "PATH_UNSUITABLE",
            "The path holds characters that the SDK's configuration cannot",
        )
    })?;
    config
        .set_user_root_dir(text)
        .map_err(|error| refused(config.path(), &error))?;
    app.show_root(path.clone())?;
    Ok(path)
}

/// Makes the missing folders one by one, so that the one that fails can be named.
fn make_folders(path: &Path) -> Result<(), (PathBuf, io::Error)> {
    let mut missing: Vec<&Path> = path
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    missing.reverse();
    for folder in missing {
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err((folder.to_path_buf(), error));
            }
            _ => {}
        }
    }
    if path.is_dir() {
        return Ok(());
    }
    Err((
        path.to_path_buf(),
        io::Error::from(io::ErrorKind::NotADirectory),
    ))
}

/// The words of the documented server: `[Errno 2] No such file or directory: '/x'`.
fn refused(at: &Path, error: &io::Error) -> ApiError {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or_default();
    let reason = match error.raw_os_error() {
        Some(number) => format!("[Errno {number}] {words}: '{}'", at.display()),
        None => format!("{words}: '{}'", at.display()),
    };
    if error.kind() == io::ErrorKind::PermissionDenied {
        return ApiError::forbidden("PERMISSION_DENIED", format!("Permission denied: {reason}"));
    }
    ApiError::bad_request(
        "PATH_UNSUITABLE",
        format!("Invalid path or filesystem error: {reason}"),
    )
}

/// Looks for storage roots below a folder, best first. Blocks, at most [`SEARCH_TIME`].
pub(crate) fn find_candidates(scan_root: &Path, max_depth: usize) -> ApiResult<Vec<Candidate>> {
    if !scan_root.exists() {
        return Err(ApiError::bad_request(
            "SCAN_ROOT_MISSING",
            "Scan root does not exist",
        ));
    }
    if !scan_root.is_dir() {
        return Err(ApiError::bad_request(
            "SCAN_ROOT_NOT_A_FOLDER",
            "Scan root is not a directory",
        ));
    }
    let started = Instant::now();
    let mut found = Vec::new();
    let mut seen = 0;
    let mut waiting = vec![(scan_root.to_path_buf(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        seen += 1;
        if seen > SEARCH_FOLDERS || started.elapsed() > SEARCH_TIME {
            break;
        }
        found.extend(candidate(&folder));
        if depth < max_depth {
            let inner = folders_in(&folder)
                .into_iter()
                .filter(|inner| is_entered(inner));
            waiting.extend(inner.map(|inner| (inner, depth + 1)));
        }
    }
    found.sort_by(|one, other| {
        other
            .score
            .cmp(&one.score)
            .then_with(|| one.path.cmp(&other.path))
    });
    found.truncate(CANDIDATES_KEPT);
    Ok(found)
}

fn candidate(folder: &Path) -> Option<Candidate> {
    let has = |name: &str| folder.join(name).is_dir();
    let (has_runs, has_archive, has_index) = (has("runs"), has("archive"), has("index"));
    let is_customary = folder
        .file_name()
        .is_some_and(|name| CUSTOMARY.iter().any(|custom| name == *custom));
    let run_count = if has_runs {
        count_runs(&folder.join("runs"))
    } else {
        0
    };
    let is_one = run_count > 0 || has_archive || has_index || (is_customary && has_runs);
    if !is_one {
        return None;
    }
    let runs_score = if run_count > 0 {
        100 + run_count.min(20)
    } else {
        0
    };
    let score = runs_score
        + if has_archive { 25 } else { 0 }
        + if has_index { 15 } else { 0 }
        + if is_customary { 10 } else { 0 };
    Some(Candidate {
        path: folder.display().to_string(),
        run_count,
        has_archive,
        has_index,
        score,
    })
}

fn count_runs(runs: &Path) -> usize {
    let mut count = 0;
    let mut waiting = vec![(runs.to_path_buf(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        if folder.join("meta.json").is_file() || folder.join("status.json").is_file() {
            count += 1;
            if count == RUNS_COUNTED {
                break;
            }
        } else if depth < RUN_DEPTH {
            waiting.extend(
                folders_in(&folder)
                    .into_iter()
                    .map(|inner| (inner, depth + 1)),
            );
        }
    }
    count
}

/// Folders, not links: a link may lead in a circle.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

fn is_entered(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    CUSTOMARY.contains(&name.as_ref())
        || !(name.starts_with('.') || NEVER_ENTERED.contains(&name.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(folder: &Path, runs: &[&str]) {
        for run in runs {
            let run = folder.join("runs").join(run);
            std::fs::create_dir_all(&run).unwrap();
            std::fs::write(run.join("meta.json"), "{}").unwrap();
        }
    }

    #[test]
    fn roots_are_found_best_first_and_links_are_not_followed() {
        let home = tempfile::tempdir().unwrap();
        make(&home.path().join("a/lab"), &["x/1", "x/2"]);
        make(&home.path().join(".runicorn"), &["1", "2"]);
        std::fs::create_dir_all(home.path().join("plain")).unwrap();
        std::fs::create_dir_all(home.path().join("node_modules/x/archive")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(home.path(), home.path().join("circle")).unwrap();
        let found = find_candidates(home.path(), 3).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.path.rsplit('/').next().unwrap(), one.score))
            .collect();
        assert_eq!(found, [(".runicorn", 112), ("lab", 102)]);
    }

    #[test]
    fn a_missing_scan_root_is_said() {
        let home = tempfile::tempdir().unwrap();
        let error = find_candidates(&home.path().join("no"), 3).unwrap_err();
        assert_eq!(error.code(), "SCAN_ROOT_MISSING");
    }
}
