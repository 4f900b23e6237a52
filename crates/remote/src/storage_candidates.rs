//! Folders of the far side that look like storage roots. A walk by plain `find` and `sh`: no Python is needed.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::connection::Connection;
use crate::error::{RemoteError, RemoteResult};
use crate::info::{StorageCandidate, StorageCandidates};
use crate::script::Script;

const SCAN: &str = concat!(
    include_str!("environments/limit.sh"),
    include_str!("storage_candidates/scan.sh")
);
/// The walk ends by itself after this and tells what it has.
const WALK_SECS: u32 = 10;
const LIMIT: Duration = Duration::from_secs(30);
const OUTPUT_BYTES: usize = 4 << 20;
const KEPT: usize = 12;
/// Folder names that are storage roots by custom.
const CUSTOMARY: [&str; 2] = [".runicorn", "runicorn_data"];

/// Looks below a folder (`~` and relative paths are those of the home; absent or empty: the home), best first.
///
/// # Errors
/// [`RemoteError::Path`] when the folder is none, and as [`Script::run`].
pub async fn storage_candidates(
    connection: &Connection,
    scan_root: Option<&str>,
    max_depth: u32,
) -> RemoteResult<StorageCandidates> {
    let max_depth = max_depth.clamp(1, 8);
    let wanted = scan_root.unwrap_or_default();
    let output = Script::new("looking for storage roots", SCAN)
        .arg(wanted)
        .arg(&deeper_than(max_depth))
        .arg(&WALK_SECS.to_string())
        .limits(LIMIT, OUTPUT_BYTES)
        .run(connection)
        .await?;
    let refused = |detail: &str| RemoteError::Path {
        path: wanted.to_owned(),
        detail: detail.to_owned(),
    };
    match output.status {
        3 => Err(refused("Scan root does not exist")),
        4 => Err(refused("Scan root is not a directory")),
        5 => Err(refused("[Errno 13] Permission denied")),
        _ => Ok(read(&output.stdout_bytes, wanted, max_depth)),
    }
}

/// The pattern for what lies so deep that nothing below it matters.
fn deeper_than(max_depth: u32) -> String {
    let levels = usize::try_from(max_depth).unwrap_or(8) + 1;
    format!(".{}", "/*".repeat(levels))
}

/// Marks of one folder.
#[derive(Default)]
struct Marks {
    has_runs: bool,
    run_count: u64,
    has_archive: bool,
    has_index: bool,
}

fn read(bytes: &[u8], wanted: &str, max_depth: u32) -> StorageCandidates {
    let mut fields = bytes.split(|byte| *byte == 0);
    let root = fields.next().unwrap_or_default();
    let root = String::from_utf8_lossy(root).into_owned();
    let mut folders: BTreeMap<String, Marks> = BTreeMap::new();
    while let (Some(tag), Some(place), Some(count)) = (fields.next(), fields.next(), fields.next())
    {
        // A path that is no UTF-8 could not be chosen.
        let Ok(place) = str::from_utf8(place) else {
            continue;
        };
        let Some((folder, _)) = place.rsplit_once('/') else {
            continue;
        };
        let marks = folders.entry(below(&root, folder)).or_default();
        match tag {
            b"R" => {
                marks.has_runs = true;
                marks.run_count = String::from_utf8_lossy(count).parse().unwrap_or_default();
            }
            b"A" => marks.has_archive = true,
            _ => marks.has_index = true,
        }
    }
    let mut candidates: Vec<_> = folders
        .into_iter()
        .filter_map(|(path, marks)| judge(path, &marks))
        .collect();
    candidates.sort_by(|one, other| {
        other
            .score
            .cmp(&one.score)
            .then_with(|| one.path.cmp(&other.path))
    });
    candidates.truncate(KEPT);
    StorageCandidates {
        scan_root: if wanted.is_empty() {
            root
        } else {
            wanted.to_owned()
        },
        max_depth,
        candidates,
    }
}

/// `./a/b` below the root.
fn below(root: &str, place: &str) -> String {
    let rest = place.strip_prefix('.').unwrap_or(place);
    match root {
        "/" if !rest.is_empty() => rest.to_owned(),
        root => format!("{root}{rest}"),
    }
}

fn judge(path: String, marks: &Marks) -> Option<StorageCandidate> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_customary = CUSTOMARY.contains(&name);
    let has_any_run = marks.run_count > 0;
    let is_one =
        has_any_run || marks.has_archive || marks.has_index || (is_customary && marks.has_runs);
    let part = |is_there: bool, points: u32| if is_there { points } else { 0 };
    let runs = u32::try_from(marks.run_count.min(20)).unwrap_or(20);
    let score = part(has_any_run, 100 + runs)
        + part(marks.has_archive, 25)
        + part(marks.has_index, 15)
        + part(is_customary, 10);
    is_one.then_some(StorageCandidate {
        path,
        run_count: marks.run_count,
        has_archive: marks.has_archive,
        has_index: marks.has_index,
        score,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_documented_one_and_the_best_twelve_stay() {
        let mut bytes = b"/home/u\0".to_vec();
        let mut add = |tag: &str, place: &str, count: &str| {
            bytes.extend([tag, place, count].join("\0").into_bytes());
            bytes.push(0);
        };
        add("R", "./runicorn_data/runs", "0");
        add("R", "./empty/runs", "0");
        add("R", "./one/runs", "1");
        add("R", "./a/.runicorn/runs", "64");
        add("A", "./a/.runicorn/archive", "0");
        add("I", "./a/.runicorn/index", "0");
        add("I", "./index", "0");
        for number in 0..20 {
            add("A", &format!("./x/{number:02}/archive"), "0");
        }
        let found = read(&bytes, "", 3);
        assert_eq!(found.scan_root, "/home/u");
        let shown: Vec<_> = found
            .candidates
            .iter()
            .map(|one| (one.path.as_str(), one.score))
            .collect();
        assert_eq!(
            shown[..4],
            [
                ("/home/u/a/.runicorn", 170),
                ("/home/u/one", 101),
                ("/home/u/x/00", 25),
                ("/home/u/x/01", 25),
            ]
        );
        assert_eq!(shown.len(), 12);
        assert_eq!(found.candidates[0].run_count, 64);
    }

    #[test]
    fn a_usual_name_with_a_runs_folder_is_one_even_without_runs() {
        let found = read(
            b"/home/u\0R\0./runicorn_data/runs\x000\0R\0./other/runs\x000\0",
            "/home/u",
            3,
        );
        let expected = StorageCandidate {
            path: "/home/u/runicorn_data".to_owned(),
            run_count: 0,
            has_archive: false,
            has_index: false,
            score: 10,
        };
        assert_eq!(found.candidates, [expected]);
        assert_eq!(below("/", "./a"), "/a");
        assert_eq!(below("/", "."), "/");
    }
}
