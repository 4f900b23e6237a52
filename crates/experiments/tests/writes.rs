//! What we change in a root, and what we never touch: shared files, siblings, anything outside, a root that cannot be written.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on ends here, and says when it was skipped"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runicorn_experiments::{
    DeleteReason, DownloadProblem, MoveProblem, RestoreProblem, RunEdit, RunPath, RunStore,
    StoreConfig, StoreError,
};
use rusqlite::Connection;
use serde_json::{Value, json};

const A: &str = "20250101_000000_aaaaaa";
const B: &str = "20250101_000000_bbbbbb";

/// The tables of a 0.7 root that our writes touch.
const TABLES: &str = "CREATE TABLE experiments (id TEXT PRIMARY KEY, path TEXT, alias TEXT, updated_at REAL, deleted_at REAL, delete_reason TEXT, run_dir TEXT);
     CREATE TABLE run_assets (run_id TEXT, asset_id TEXT, role TEXT, created_at REAL);
     CREATE TABLE assets (asset_id TEXT);";

/// A folder with a root in it; more than one store may be opened on it.
struct Bench {
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Bench {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let bench = Self {
            folder: temporary.path().to_owned(),
            _temporary: Some(temporary),
        };
        std::fs::create_dir_all(bench.root().join("runs")).unwrap();
        bench
    }

    fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    /// A finished run; `assets` becomes its `assets.json`.
    fn run(&self, directory: &str, assets: &Value) -> PathBuf {
        let dir = self.root().join(directory);
        let path = directory.trim_start_matches("runs/");
        let path = path.rsplit_once('/').map_or("", |(path, _)| path);
        std::fs::create_dir_all(dir.join("media")).unwrap();
        let meta = json!({"path": path, "created_at": 1.0});
        std::fs::write(dir.join("meta.json"), meta.to_string()).unwrap();
        std::fs::write(dir.join("status.json"), r#"{"status": "finished"}"#).unwrap();
        std::fs::write(dir.join("assets.json"), assets.to_string()).unwrap();
        dir
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn store(&self) -> Arc<RunStore> {
        self.store_with_state("state")
    }

    fn store_with_state(&self, state: &str) -> Arc<RunStore> {
        RunStore::open(StoreConfig {
            root: self.root(),
            cache_dir: self.folder.join(format!("{state}-cache")),
            state_dir: self.folder.join(state),
            ..StoreConfig::default()
        })
        .unwrap()
    }

    /// Gives the root the table by which a 0.7 root is known.
    fn make_it_a_0_7_root(&self) {
        let database = Connection::open(self.root().join("runicorn.db")).unwrap();
        database.execute_batch(TABLES).unwrap();
    }
}

/// Every file of a folder with its bytes.
fn picture(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
                files.insert(path, Vec::new());
            } else {
                files.insert(path.clone(), std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn hash(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn blob(letter: char) -> String {
    let hash = hash(letter);
    format!("archive/blobs/{}/{hash}", &hash[..2])
}

fn dataset(root: &Path, letter: char) -> Value {
    json!({"datasets": [{"name": "data", "fingerprint_kind": "sha256", "fingerprint": hash(letter), "archive_path": root.join(blob(letter))}]})
}

#[test]
fn a_purge_keeps_a_blob_that_a_recycled_run_needs() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &dataset(&bench.root(), 'a'));
    let other = bench.run(&format!("runs/x/{B}"), &dataset(&bench.root(), 'a'));
    std::fs::write(other.join(".deleted"), "{}").unwrap();
    bench.file(&blob('a'), "bytes");
    let store = bench.store();
    let purged = store.purge(&[A.to_owned()], false).unwrap().remove(0);
    assert_eq!((purged.blobs_deleted, purged.kept.len()), (0, 1));
    assert!(bench.root().join(blob('a')).exists());
    let purged = store.purge(&[B.to_owned()], false).unwrap().remove(0);
    assert_eq!((purged.blobs_deleted, purged.bytes_freed), (1, 5));
    assert!(!bench.root().join(blob('a')).exists());
}

#[test]
fn a_purge_keeps_a_blob_that_any_manifest_lists() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &dataset(&bench.root(), 'a'));
    bench.file(&blob('a'), "bytes");
    let manifest = json!({"files": {"x": {"sha256": hash('a'), "size_bytes": 5}}});
    bench.file(
        "archive/manifests/datasets/ff/ff.json",
        &manifest.to_string(),
    );
    let purged = bench
        .store()
        .purge(&[A.to_owned()], false)
        .unwrap()
        .remove(0);
    assert_eq!(purged.blobs_deleted, 0);
    assert!(bench.root().join(blob('a')).exists());
}

#[test]
fn a_purge_removes_no_blob_while_a_manifest_cannot_be_read() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &dataset(&bench.root(), 'a'));
    bench.file(&blob('a'), "bytes");
    bench.file("archive/manifests/datasets/ff/ff.json", "{torn");
    let purged = bench
        .store()
        .purge(&[A.to_owned()], false)
        .unwrap()
        .remove(0);
    assert!(purged.errors.is_empty() && purged.run_dir_deleted);
    assert!(
        purged.left_behind[0].contains("ff.json"),
        "{:?}",
        purged.left_behind
    );
    assert!(bench.root().join(blob('a')).exists());
    assert!(!bench.root().join("runs/x").join(A).exists());
}

#[test]
fn a_purge_leaves_the_empty_folders_of_sibling_runs_alone() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    let sibling = bench.run(&format!("runs/x/{B}"), &json!({}));
    let before = picture(&sibling);
    bench.store().purge(&[A.to_owned()], false).unwrap();
    assert_eq!(picture(&sibling), before);
    assert!(sibling.join("media").is_dir());
}

#[test]
fn a_dry_run_changes_nothing_and_says_the_same_numbers() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &dataset(&bench.root(), 'a'));
    bench.file(&blob('a'), "bytes");
    bench.file(&format!("archive/outputs/rolling/{A}/out"), "12345678");
    let before = picture(&bench.root());
    let store = bench.store();
    let dry = store.purge(&[A.to_owned()], true).unwrap();
    assert_eq!(picture(&bench.root()), before);
    assert_eq!(store.purge(&[A.to_owned()], false).unwrap(), dry);
    assert_eq!((dry[0].bytes_freed, dry[0].outputs_deleted), (13, 1));
}

#[test]
fn a_hostile_record_cannot_make_a_purge_reach_other_files() {
    let bench = Bench::new();
    std::fs::write(bench.folder.join("outside"), "x").unwrap();
    bench.file("archive/precious", "x");
    let evil = json!({"datasets": [
        {"name": "a", "fingerprint_kind": "sha256", "fingerprint": "../../../outside", "archive_path": "/archive/../../outside"},
        {"name": "b", "manifest_path": bench.root().join("archive/manifests/../precious"), "archive_path": bench.root().join("archive/precious")},
    ]});
    bench.run(&format!("runs/x/{A}"), &evil);
    bench.store().purge(&[A.to_owned()], false).unwrap();
    assert!(bench.folder.join("outside").exists());
    assert!(bench.root().join("archive/precious").exists());
}

#[test]
fn a_marker_that_names_another_place_restores_below_runs() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    for (id, marker) in [
        (A, json!({"original_path": "../../escape"})),
        (
            B,
            json!({"original_directory": "../x/runs/y", "original_path": "/abs/.recycle"}),
        ),
    ] {
        let dir = bench.run(&format!("runs/.recycle/{id}"), &json!({}));
        std::fs::write(dir.join(".deleted"), marker.to_string()).unwrap();
    }
    let store = bench.store();
    store.restore(A).unwrap();
    store.restore(B).unwrap();
    assert!(bench.root().join("runs/escape").join(A).is_dir());
    assert!(bench.root().join("runs/abs").join(B).is_dir());
}

#[test]
fn restores_a_run_of_the_old_layout_to_its_old_folder() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    let dir = bench.run(&format!("p/n/runs/{A}"), &json!({}));
    let before = picture(&dir);
    let store = bench.store();
    store.soft_delete(A, DeleteReason::User).unwrap();
    assert!(bench.root().join("runs/.recycle").join(A).is_dir());
    store.restore(A).unwrap();
    assert_eq!(picture(&dir), before);
}

#[test]
fn a_run_is_not_restored_over_another() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    let store = bench.store();
    store.soft_delete(A, DeleteReason::User).unwrap();
    let newcomer = bench.run(&format!("runs/x/{A}"), &json!({"new": 1}));
    let before = picture(&newcomer);
    assert!(matches!(store.restore(A), Err(RestoreProblem::Conflict)));
    assert_eq!(picture(&newcomer), before);
}

#[test]
fn deleting_a_path_exactly_leaves_what_lies_below_it() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    bench.run(&format!("runs/cv/{A}"), &json!({}));
    let below = bench.run(&format!("runs/cv/deep/{B}"), &json!({}));
    let before = picture(&below);
    let store = bench.store();
    assert_eq!(store.soft_delete_path("cv", true).unwrap().deleted, 1);
    assert_eq!(picture(&below), before);
    assert_eq!(store.soft_delete_path("cv", false).unwrap().deleted, 1);
    assert!(
        !bench.root().join("runs/cv").exists(),
        "the empty folder goes with its runs"
    );
}

#[test]
fn deleting_a_path_never_leaves_the_root_or_takes_stray_files() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    bench.run(&format!("runs/cv/{A}"), &json!({}));
    bench.file("runs/cv/notes.txt", "mine");
    std::fs::create_dir_all(bench.folder.join("outside/empty")).unwrap();
    let store = bench.store();
    for path in ["../outside", "../../outside", "cv/../../outside", "/", "."] {
        assert_eq!(
            store.soft_delete_path(path, false).unwrap().deleted,
            0,
            "{path}"
        );
    }
    store.soft_delete_path("cv", false).unwrap();
    assert!(bench.root().join("runs/cv/notes.txt").exists());
    assert!(bench.folder.join("outside/empty").is_dir());
}

#[test]
fn a_run_is_not_moved_over_another_nor_into_one() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    let other = bench.run(&format!("runs/y/{A}"), &json!({"other": 1}));
    let before = picture(&other);
    let store = bench.store();
    let target = RunPath::from_directory("y");
    assert!(matches!(
        store.move_run(A, &target),
        Err(MoveProblem::TargetExists)
    ));
    assert_eq!(picture(&other), before);
    let inside = RunPath::from_directory(&format!("y/{A}/deeper"));
    assert!(matches!(
        store.move_run(A, &inside),
        Err(MoveProblem::Store(StoreError::InvalidPath { .. }))
    ));
}

#[test]
fn a_download_gives_only_what_the_run_saved() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    bench.run(
        &format!("runs/x/{A}"),
        &dataset(Path::new("/moved/away"), 'a'),
    );
    bench.run(&format!("runs/x/{B}"), &dataset(&bench.root(), 'b'));
    bench.file(&blob('a'), "aaa");
    bench.file(&blob('b'), "bbb");
    let store = bench.store();
    let root = bench.root().display().to_string();
    let try_it = |path: &str| store.download(A, path, None);
    assert!(try_it(&format!("{root}/{}", blob('a'))).is_ok());
    assert!(
        try_it(&format!("/moved/away/{}", blob('a'))).is_ok(),
        "the root has moved since"
    );
    for other in [
        format!("{root}/{}", blob('b')),
        format!("{root}/runicorn.db"),
        root.clone(),
        format!("{root}/archive"),
        format!("{root}/runs/x/{B}/meta.json"),
    ] {
        assert!(
            matches!(try_it(&other), Err(DownloadProblem::NotOfThisRun)),
            "{other}"
        );
    }
    for outside in [
        "/etc/passwd",
        "meta.json",
        "",
        "/moved/away/archive/../../etc/passwd",
        &format!("{root}/runs/x/{A}/../../../../etc/passwd"),
    ] {
        assert!(
            matches!(
                try_it(outside),
                Err(DownloadProblem::Unsafe | DownloadProblem::NotOfThisRun)
            ),
            "{outside}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_a_run_does_not_lead_a_download_out_of_the_root() {
    let bench = Bench::new();
    let dir = bench.run(&format!("runs/x/{A}"), &json!({}));
    std::fs::write(bench.folder.join("secret"), "x").unwrap();
    std::os::unix::fs::symlink(bench.folder.join("secret"), dir.join("link")).unwrap();
    std::os::unix::fs::symlink(&bench.folder, dir.join("media/up")).unwrap();
    let store = bench.store();
    for name in ["link", "media/up/secret"] {
        let path = dir.join(name).display().to_string();
        assert!(store.download(A, &path, None).is_err(), "{name}");
        assert!(store.run_file(A, name).is_err(), "{name}");
    }
}

/// Makes a database of SDK 0.7 in a folder outside the root, with a row of the run [`A`].
#[cfg(unix)]
fn database_outside(bench: &Bench) -> PathBuf {
    let file = bench.folder.join("outside.db");
    let database = Connection::open(&file).unwrap();
    database.execute_batch(TABLES).unwrap();
    let row = "INSERT INTO experiments (id, path, run_dir) VALUES (?1, 'x', 'y')";
    database.execute(row, [A]).unwrap();
    file
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_in_place_of_the_sdks_database_is_not_waited_for() {
    for name in ["runicorn.db", "index/runicorn.db"] {
        let bench = Bench::new();
        bench.run(&format!("runs/x/{A}"), &json!({}));
        let pipe = bench.root().join(name);
        std::fs::create_dir_all(pipe.parent().unwrap()).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, fifo, rustix::fs::Mode::RWXU, 0).unwrap();
        let store = bench.store();
        store.soft_delete(A, DeleteReason::User).unwrap();
        assert!(bench.root().join("runs/x").join(A).is_dir(), "no 0.7 root");
        store.restore(A).unwrap();
        let purged = store.purge(&[A.to_owned()], false).unwrap().remove(0);
        assert!(purged.run_dir_deleted, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_sdks_database_is_neither_read_nor_written() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    let outside = database_outside(&bench);
    let before = std::fs::read(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, bench.root().join("runicorn.db")).unwrap();
    let store = bench.store();
    store.soft_delete(A, DeleteReason::User).unwrap();
    assert!(
        bench.root().join("runs/x").join(A).is_dir(),
        "the table behind the link was not seen"
    );
    store.restore(A).unwrap();
    store.purge(&[A.to_owned()], false).unwrap();
    assert_eq!(std::fs::read(&outside).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_folder_of_the_sdks_database_that_is_a_link_is_not_followed() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    let outside = database_outside(&bench);
    let elsewhere = bench.folder.join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let target = elsewhere.join("runicorn.db");
    Connection::open(&target)
        .unwrap()
        .execute_batch("CREATE TABLE runs (run_id TEXT); CREATE TABLE run_assets (run_id TEXT, asset_id TEXT); INSERT INTO runs VALUES ('20250101_000000_aaaaaa');")
        .unwrap();
    let before = (
        std::fs::read(&outside).unwrap(),
        std::fs::read(&target).unwrap(),
    );
    std::os::unix::fs::symlink(&elsewhere, bench.root().join("index")).unwrap();
    let store = bench.store();
    store.purge(&[A.to_owned()], false).unwrap();
    let after = (
        std::fs::read(&outside).unwrap(),
        std::fs::read(&target).unwrap(),
    );
    assert_eq!(before, after);
}

#[cfg(unix)]
#[test]
fn a_link_beside_the_sdks_database_keeps_it_from_being_opened() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let bench = Bench::new();
        bench.make_it_a_0_7_root();
        bench.run(&format!("runs/x/{A}"), &json!({}));
        let secret = bench.folder.join("secret");
        std::fs::write(&secret, "bytes of another").unwrap();
        let link = bench.root().join(format!("runicorn.db{suffix}"));
        std::os::unix::fs::symlink(&secret, link).unwrap();
        let store = bench.store();
        store.soft_delete(A, DeleteReason::User).unwrap();
        assert!(bench.root().join("runs/x").join(A).is_dir(), "{suffix}");
        assert_eq!(std::fs::read(&secret).unwrap(), b"bytes of another");
    }
}

#[cfg(unix)]
#[test]
fn a_root_that_is_reached_through_a_link_keeps_its_database() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    let link = bench.folder.join("link");
    std::os::unix::fs::symlink(bench.root(), &link).unwrap();
    let store = RunStore::open(StoreConfig {
        root: link,
        cache_dir: bench.folder.join("cache"),
        state_dir: bench.folder.join("state"),
        ..StoreConfig::default()
    })
    .unwrap();
    store.soft_delete(A, DeleteReason::User).unwrap();
    assert!(bench.root().join("runs/.recycle").join(A).is_dir());
}

#[test]
fn two_instances_on_one_root_do_not_undo_each_other() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    for number in 0..40 {
        bench.run(&format!("runs/x/20250101_000000_{number:06x}"), &json!({}));
    }
    // one pair shares a state folder, a third has its own
    let stores = [
        bench.store(),
        bench.store(),
        bench.store_with_state("other-state"),
    ];
    let ids: Vec<String> = (0..40)
        .map(|number| format!("20250101_000000_{number:06x}"))
        .collect();
    let told: Vec<Vec<bool>> = std::thread::scope(|scope| {
        let delete_all = |store: &Arc<RunStore>| -> Vec<bool> {
            ids.iter()
                .map(|id| store.soft_delete(id, DeleteReason::User).is_ok())
                .collect()
        };
        let workers: Vec<_> = stores
            .iter()
            .map(|store| scope.spawn(move || delete_all(store)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    for (at, id) in ids.iter().enumerate() {
        let told: Vec<bool> = told.iter().map(|told| told[at]).collect();
        assert!(told.contains(&true), "{id} was deleted by nobody");
        assert!(!(told[0] && told[1]), "{id} was deleted twice by one user");
    }
    let recycled = std::fs::read_dir(bench.root().join("runs/.recycle"))
        .unwrap()
        .count();
    assert_eq!(recycled, 40);
    assert!(
        std::fs::read_dir(bench.root().join("runs/x"))
            .unwrap()
            .next()
            .is_none()
    );
    for run in std::fs::read_dir(bench.root().join("runs/.recycle")).unwrap() {
        let marker = std::fs::read_to_string(run.unwrap().path().join(".deleted")).unwrap();
        serde_json::from_str::<Value>(&marker).unwrap();
    }
}

#[test]
fn a_state_folder_that_cannot_be_written_leaves_the_root_alone_and_says_so() {
    let bench = Bench::new();
    bench.run(&format!("runs/x/{A}"), &json!({}));
    std::fs::write(bench.folder.join("state"), "a file, not a folder").unwrap();
    let before = picture(&bench.root());
    let store = bench.store();
    let edit = RunEdit {
        alias: Some("x".to_owned()),
        tags: None,
    };
    let error = store.edit(A, &edit).unwrap_err().to_string();
    assert!(error.contains("journal"), "{error}");
    assert!(store.soft_delete(A, DeleteReason::User).is_err());
    assert_eq!(picture(&bench.root()), before);
}

/// Mounts need root; `None` (and a printed reason) without it.
#[cfg(target_os = "linux")]
fn mounted(bench: &Bench, options: &str, flags: rustix::mount::MountFlags) -> Option<Unmount> {
    let root = bench.root();
    let options = std::ffi::CString::new(options).unwrap();
    match rustix::mount::mount("tmpfs", &root, "tmpfs", flags, Some(options.as_c_str())) {
        Ok(()) => Some(Unmount(root)),
        Err(error) => {
            println!("skipped: mounting needs root ({error})");
            None
        }
    }
}

#[cfg(target_os = "linux")]
struct Unmount(PathBuf);

#[cfg(target_os = "linux")]
impl Drop for Unmount {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_root_is_said_and_nothing_is_half_done() {
    use rustix::mount::{MountFlags, mount_remount};
    let bench = Bench::new();
    let Some(_mount) = mounted(&bench, "size=4m", MountFlags::empty()) else {
        return;
    };
    bench.run(&format!("runs/x/{A}"), &json!({}));
    mount_remount(bench.root(), MountFlags::RDONLY, "").unwrap();
    let store = bench.store();
    let edit = RunEdit {
        alias: Some("x".to_owned()),
        tags: None,
    };
    for error in [
        store.edit(A, &edit).unwrap_err(),
        store.soft_delete(A, DeleteReason::User).unwrap_err(),
    ] {
        let StoreError::Io { source, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(source.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    }
    mount_remount(bench.root(), MountFlags::empty(), "").unwrap();
    store.edit(A, &edit).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_nothing_is_half_done() {
    let bench = Bench::new();
    let Some(_mount) = mounted(&bench, "size=256k", rustix::mount::MountFlags::empty()) else {
        return;
    };
    let dir = bench.run(&format!("runs/x/{A}"), &json!({}));
    let filler = bench.root().join("filler");
    let mut chunk = 64 << 10;
    let mut text = Vec::new();
    while chunk > 0 {
        text.resize(text.len() + chunk, b'x');
        if std::fs::write(&filler, &text).is_err() {
            text.truncate(text.len() - chunk);
            chunk /= 2;
        }
    }
    drop(std::fs::write(&filler, &text));
    let before = picture(&dir);
    let store = bench.store();
    let edit = RunEdit {
        alias: Some("y".repeat(100_000)),
        tags: None,
    };
    let StoreError::Io { source, .. } = store.edit(A, &edit).unwrap_err() else {
        panic!("not an error of the system");
    };
    assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    assert_eq!(picture(&dir), before, "no half-written file is left");
    std::fs::remove_file(filler).unwrap();
    store.edit(A, &edit).unwrap();
}

#[test]
fn a_live_run_is_marked_where_it_is_and_moved_when_it_ends() {
    let bench = Bench::new();
    bench.make_it_a_0_7_root();
    let dir = bench.run(&format!("runs/x/{A}"), &json!({}));
    std::fs::write(dir.join("status.json"), r#"{"status": "running"}"#).unwrap();
    let store = bench.store();
    let changes = store.changes();
    store.soft_delete(A, DeleteReason::User).unwrap();
    assert!(
        dir.join(".deleted").exists(),
        "its program keeps its folder"
    );
    assert!(store.find(A).is_err() && store.find_deleted(A).is_ok());
    std::fs::write(dir.join("status.json"), r#"{"status": "finished"}"#).unwrap();
    let bin = bench.root().join("runs/.recycle").join(A);
    let started = std::time::Instant::now();
    while !bin.exists() {
        assert!(started.elapsed().as_secs() < 60, "it was never moved");
        drop(changes.next(std::time::Duration::from_millis(200)));
    }
    assert!(bin.join(".deleted").exists() && !dir.exists());
}

#[test]
fn images_that_name_a_place_outside_the_run_are_left_out() {
    let bench = Bench::new();
    let dir = bench.run(&format!("runs/x/{A}"), &json!({}));
    std::fs::write(dir.join("media/a b.png"), "png").unwrap();
    let event = |path: &str| {
        json!({"ts": 2.5, "type": "image", "data": {"key": "k", "path": path, "step": 3, "caption": "c"}}).to_string()
    };
    let names = [
        "media/a b.png",
        "media/gone.svg",
        "../../../x.png",
        "/etc/passwd",
        "media/../../x",
    ];
    let mut lines: Vec<String> = names.iter().map(|name| event(name)).collect();
    lines.insert(1, "{\"type\": \"image\", torn".to_owned());
    std::fs::write(dir.join("events.jsonl"), lines.join("\n")).unwrap();
    let (_, images) = bench.store().images(A).unwrap();
    let seen: Vec<_> = images
        .iter()
        .map(|image| {
            (
                image.file.as_str(),
                image.kind.word(),
                image.bytes,
                image.missing,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("media/a b.png", "image", 3, false),
            ("media/gone.svg", "other", 0, true)
        ]
    );
    assert_eq!(
        (images[0].step, images[0].time, images[0].caption.as_deref()),
        (Some(3), Some(2.5), Some("c"))
    );
}

#[test]
fn a_code_snapshot_is_listed_and_read_without_being_unpacked() {
    use std::io::Write as _;
    let bench = Bench::new();
    let dir = bench.run(&format!("runs/x/{A}"), &json!({}));
    let mut zip =
        zip::ZipWriter::new(std::fs::File::create(dir.join("code_snapshot.zip")).unwrap());
    let long = vec![b'x'; 3 << 20];
    for (name, bytes) in [
        ("src/train.py", b"print()" as &[u8]),
        ("../evil.py", b"x"),
        ("/abs.py", b"x"),
        ("w.bin", b"a\0b"),
        ("long.txt", &long),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    let store = bench.store();
    let code = store.code(A).unwrap();
    let names: Vec<&str> = code.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["long.txt", "src/train.py", "w.bin"]);
    let text = |path: &str| store.code_text(A, path).unwrap();
    assert_eq!(
        text("src/train.py").unwrap().text.as_deref(),
        Some("print()")
    );
    assert!(text("w.bin").unwrap().binary);
    assert_eq!(
        (
            text("long.txt").unwrap().text,
            text("long.txt").unwrap().bytes
        ),
        (None, 3 << 20)
    );
    assert_eq!(text("nope"), None);
    std::fs::write(dir.join("code_snapshot.zip"), "no zip").unwrap();
    assert!(store.code(A).is_err());
}
