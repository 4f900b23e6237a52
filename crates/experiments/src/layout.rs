//! Every name in a storage root, and the only place where paths below a root are put together.
//!
//! ```text
//! <root>/runs/<path segments>/<run id>/      0.6 and later
//! <root>/runs/.recycle/<run id>/             0.7: soft-deleted runs
//! <root>/<project>/<name>/runs/<run id>/     0.4 and 0.5
//! <root>/archive/{blobs,manifests,outputs}/  content store
//! <root>/index/runicorn.db                   0.6 index of assets
//! <root>/runicorn.db                         0.7 database
//! <root>/artifacts/                          0.4 artifact store
//! ```

/// Folder of the runs, in the root and in each legacy `project/name`.
pub const RUNS: &str = "runs";
/// Folder in `runs/` into which 0.7 moves soft-deleted runs.
pub const RECYCLE: &str = ".recycle";

/// Marker file of a soft-deleted run.
pub const DELETED: &str = ".deleted";
/// Who and where: written at start, rewritten when tags or alias change.
pub const META: &str = "meta.json";
/// Status word and times.
pub const STATUS: &str = "status.json";
/// Free summary and the best metric.
pub const SUMMARY: &str = "summary.json";
/// Metrics and images, one JSON object a line.
pub const EVENTS: &str = "events.jsonl";
/// Everything the run printed.
pub const LOGS: &str = "logs.txt";
/// Images and other media.
pub const MEDIA: &str = "media";
/// What the run saved.
pub const ASSETS: &str = "assets.json";
/// Zip of the workspace.
pub const CODE_SNAPSHOT: &str = "code_snapshot.zip";
/// The captured environment.
pub const ENVIRONMENT: &str = "environment.json";
/// State of the SDK's output scanner.
pub const OUTPUTS_STATE: &str = ".outputs_state.json";
/// Artifacts a 0.4 run made.
pub const ARTIFACTS_CREATED: &str = "artifacts_created.json";
/// Artifacts a 0.4 run used.
pub const ARTIFACTS_USED: &str = "artifacts_used.json";

/// The content store.
pub const ARCHIVE: &str = "archive";
/// Plain copies by hash, in [`ARCHIVE`].
pub const BLOBS: &str = "blobs";
/// Lists of files of a directory asset, in [`ARCHIVE`].
pub const MANIFESTS: &str = "manifests";
/// Copies of outputs, in [`ARCHIVE`].
pub const OUTPUTS: &str = "outputs";
/// Outputs that are overwritten, in [`OUTPUTS`].
pub const ROLLING: &str = "rolling";
/// Folder of the 0.6 index.
pub const INDEX: &str = "index";
/// The SDK's database: 0.7 in the root, 0.6 in [`INDEX`].
pub const DATABASE: &str = "runicorn.db";
/// The artifact store of 0.4.
pub const ARTIFACTS: &str = "artifacts";
/// Folder of an old web page, never a project.
pub const WEBUI: &str = "webui";

/// Folders of the root that are never a legacy project.
pub const NOT_PROJECTS: [&str; 4] = [RUNS, WEBUI, ARCHIVE, INDEX];
/// A directory with one of these files is a run.
pub const RUN_MARKERS: [&str; 2] = [META, STATUS];

/// The SDK's name of the lock beside a file.
pub fn lock_name(file: &str) -> String {
    format!("{file}.lock")
}

/// Whether a name is a lock or a file that is about to be renamed; nothing a reader looks at.
pub fn is_lock_or_temporary(name: &str) -> bool {
    let extension = |wanted: &str| {
        name.rsplit_once('.')
            .is_some_and(|(stem, found)| !stem.is_empty() && found == wanted)
    };
    extension("lock") || extension("tmp")
}

/// Joins path segments as they stand below a root, with `/` on every system; empty ones fall out.
pub fn join(segments: &[&str]) -> String {
    let mut joined = String::new();
    for segment in segments.iter().filter(|segment| !segment.is_empty()) {
        if !joined.is_empty() {
            joined.push('/');
        }
        joined.push_str(segment);
    }
    joined
}

/// Directory of a run of the present layout, below the root.
pub fn run_directory(path: &str, id: &str) -> String {
    join(&[RUNS, path, id])
}

/// Directory of a recycled run of 0.7, below the root.
pub fn recycled_directory(id: &str) -> String {
    join(&[RUNS, RECYCLE, id])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_path_puts_a_run_directly_below_runs() {
        assert_eq!(run_directory("", "a"), "runs/a");
        assert_eq!(run_directory("cv/x", "a"), "runs/cv/x/a");
        assert_eq!(recycled_directory("a"), "runs/.recycle/a");
    }
}
