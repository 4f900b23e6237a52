//! Killed after every single effect, a change is found whole or not begun.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::*;
use crate::{DeleteReason, RunEdit, RunPath, RunStore, StoreConfig};

const ID: &str = "20250101_000000_aaaaaa";

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A root with two runs and, if asked for, the 0.7 database.
    fn new(database: bool) -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for (path, id) in [("cv/yolo", ID), ("cv/yolo", "20250101_000000_bbbbbb")] {
            let dir = bench.root().join("runs").join(path).join(id);
            fs::create_dir_all(dir.join("media")).unwrap();
            fs::write(
                dir.join("meta.json"),
                format!(
                    "{{\n  \"id\": \"{id}\",\n  \"path\": \"{path}\",\n  \"created_at\": 1.0\n}}"
                ),
            )
            .unwrap();
            fs::write(dir.join("status.json"), "{\"status\": \"finished\"}").unwrap();
            fs::write(dir.join("events.jsonl"), "{}\n").unwrap();
        }
        if database {
            let connection = Connection::open(bench.root().join("runicorn.db")).unwrap();
            connection.execute_batch(DATABASE).unwrap();
        }
        bench
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn config(&self) -> StoreConfig {
        let folder = |name: &str| self.folder.path().join(name);
        StoreConfig {
            root: self.root(),
            cache_dir: folder("cache"),
            state_dir: folder("state"),
            ..StoreConfig::default()
        }
    }

    fn store(&self) -> Arc<RunStore> {
        RunStore::open(self.config()).unwrap()
    }

    /// Starts once more, with what a dead process left brought to its end.
    fn restarted(&self) -> Arc<RunStore> {
        let store = self.store();
        store.writes.journal().unwrap();
        store
    }

    /// Every file and folder of the root with its text; times of deletion are made equal.
    fn picture(&self) -> BTreeMap<String, String> {
        let mut picture = BTreeMap::new();
        let mut folders = vec![self.root()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap().flatten() {
                let name = entry
                    .path()
                    .strip_prefix(self.root())
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                if name.starts_with("runicorn.db") {
                    continue;
                }
                if entry.path().is_dir() {
                    picture.insert(name, "folder".to_owned());
                    folders.push(entry.path());
                } else {
                    let text = fs::read_to_string(entry.path()).unwrap();
                    let text = text
                        .lines()
                        .filter(|line| !line.contains("deleted_at"))
                        .collect::<Vec<_>>()
                        .join("\n");
                    picture.insert(name, text);
                }
            }
        }
        picture
    }

    fn is_in_the_bin(&self) -> bool {
        self.root().join("runs/.recycle").join(ID).is_dir()
    }

    fn row(&self) -> Option<(bool, String, String)> {
        let connection = Connection::open(self.root().join("runicorn.db")).ok()?;
        connection
            .query_row(
                "SELECT deleted_at IS NOT NULL, run_dir, path FROM experiments WHERE id = ?1",
                [ID],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .ok()
    }

    fn journal_entries(&self) -> usize {
        fs::read_dir(self.folder.path().join("state/journal"))
            .into_iter()
            .flatten()
            .flatten()
            .flat_map(|key| fs::read_dir(key.path()).unwrap().flatten())
            .filter(|instance| instance.path().is_dir())
            .map(|instance| {
                fs::read_dir(instance.path())
                    .unwrap()
                    .flatten()
                    .filter(|entry| entry.path().extension().is_some_and(|kind| kind == "json"))
                    .count()
            })
            .sum()
    }
}

/// Closes a store and waits until its threads have let it go, as a dead process lets go of its locks.
fn end(store: Arc<RunStore>) {
    let weak = Arc::downgrade(&store);
    drop(store);
    while weak.strong_count() > 0 {
        std::thread::yield_now();
    }
}

/// Leaves a soft delete of [`ID`] begun and not finished, as a kill between its steps does.
fn kill_a_soft_delete_halfway(bench: &Bench) {
    let store = bench.restarted();
    let journal = store.writes.journal().unwrap();
    journal.actions_until_crash.store(5, Ordering::SeqCst);
    assert!(store.soft_delete(ID, DeleteReason::User).is_err());
    drop(journal);
    end(store);
    assert_eq!(bench.journal_entries(), 1);
    assert!(!bench.is_in_the_bin());
}

const DATABASE: &str = "
    CREATE TABLE experiments (id TEXT PRIMARY KEY, path TEXT, alias TEXT, updated_at REAL, deleted_at REAL, delete_reason TEXT, run_dir TEXT NOT NULL);
    CREATE TABLE experiment_tags (experiment_id TEXT, tag TEXT, PRIMARY KEY (experiment_id, tag));
    CREATE TABLE assets (asset_id TEXT PRIMARY KEY);
    CREATE TABLE run_assets (run_id TEXT, asset_id TEXT, role TEXT, created_at REAL, PRIMARY KEY (run_id, asset_id, role));
    INSERT INTO experiments (id, path, run_dir) VALUES ('20250101_000000_aaaaaa', 'cv/yolo', 'x');";

/// Kills `work` after its first effect, its second, and so on, and looks at what the next start makes of it.
fn whole_or_not_begun(
    database: bool,
    before: impl Fn(&RunStore),
    work: impl Fn(&RunStore) -> bool,
) {
    let whole = Bench::new(database);
    let store = whole.store();
    before(&store);
    let untouched = whole.picture();
    let untouched_row = whole.row();
    assert!(work(&store), "the change itself must succeed");
    drop(store);
    let changed = whole.picture();
    let changed_row = whole.row();
    assert_ne!((&untouched, &untouched_row), (&changed, &changed_row));
    let without_root = |row: Option<(bool, String, String)>, bench: &Bench| {
        row.map(|(deleted, dir, path)| {
            (
                deleted,
                dir.replace(&bench.root().to_string_lossy().into_owned(), "ROOT"),
                path,
            )
        })
    };

    let (mut kept, mut done) = (0, 0);
    for effects in 0.. {
        let bench = Bench::new(database);
        let store = bench.store();
        before(&store);
        let journal = store.writes.journal().unwrap();
        journal.actions_until_crash.store(effects, Ordering::SeqCst);
        let finished = work(&store) && journal.actions_until_crash.load(Ordering::SeqCst) >= 0;
        drop(journal);
        end(store);
        end(bench.restarted());
        let picture = bench.picture();
        let row = without_root(bench.row(), &bench);
        if picture == untouched && row == without_root(untouched_row.clone(), &whole) {
            kept += 1;
        } else {
            assert_eq!(picture, changed, "killed after {effects} effects");
            assert_eq!(
                row,
                without_root(changed_row.clone(), &whole),
                "killed after {effects} effects"
            );
            done += 1;
        }
        assert_eq!(bench.journal_entries(), 0, "killed after {effects} effects");
        if finished {
            break;
        }
    }
    assert!(
        kept >= 2 && done >= 2,
        "the change was killed before and after it was announced: {kept}, {done}"
    );
}

#[test]
fn a_new_alias_killed_after_any_effect_is_there_or_not_begun() {
    let edit = RunEdit {
        alias: Some("new".to_owned()),
        tags: None,
    };
    whole_or_not_begun(false, |_| {}, |store| store.edit(ID, &edit).is_ok());
}

#[test]
fn a_soft_delete_in_place_killed_after_any_effect_is_done_or_not_begun() {
    whole_or_not_begun(
        false,
        |_| {},
        |store| store.soft_delete(ID, DeleteReason::User).is_ok(),
    );
}

#[test]
fn a_soft_delete_into_the_bin_killed_after_any_effect_is_done_or_not_begun() {
    whole_or_not_begun(
        true,
        |_| {},
        |store| store.soft_delete(ID, DeleteReason::User).is_ok(),
    );
}

#[test]
fn a_restore_killed_after_any_effect_is_done_or_not_begun() {
    whole_or_not_begun(
        true,
        |store| store.soft_delete(ID, DeleteReason::User).unwrap(),
        |store| store.restore(ID).is_ok(),
    );
}

#[test]
fn a_move_killed_after_any_effect_is_done_or_not_begun() {
    let target = RunPath::parse("nlp/new").unwrap();
    whole_or_not_begun(true, |_| {}, |store| store.move_run(ID, &target).is_ok());
}

#[test]
fn emptying_the_bin_killed_after_any_effect_is_done_or_not_begun() {
    whole_or_not_begun(
        true,
        |store| store.soft_delete(ID, DeleteReason::User).unwrap(),
        |store| store.empty_recycle_bin() == (1, Vec::new()),
    );
}

#[test]
fn the_unfinished_work_of_a_process_that_lives_is_left_alone() {
    let bench = Bench::new(false);
    let first = bench.store();
    let journal = first.writes.journal().unwrap();
    let announced = [Step::Discard {
        path: "runs/cv".to_owned(),
    }];
    let pending = journal.announce(&announced).unwrap();
    let before = bench.picture();
    end(bench.restarted());
    assert_eq!(bench.picture(), before);
    pending.abandon(&announced).unwrap();
    assert_ne!(bench.picture(), before);
}

#[test]
fn a_failed_step_undoes_the_steps_before_it() {
    let bench = Bench::new(false);
    let store = bench.store();
    let before = bench.picture();
    let steps = vec![
        Step::Rename {
            from: format!("runs/cv/yolo/{ID}"),
            to: "runs/elsewhere/x".to_owned(),
        },
        Step::Rename {
            from: "runs/elsewhere/x".to_owned(),
            to: "runs/cv/yolo/20250101_000000_bbbbbb".to_owned(),
        },
    ];
    assert_eq!(
        store.carry_out(&steps).unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
    let mut after = bench.picture();
    assert_eq!(after.remove("runs/elsewhere").as_deref(), Some("folder"));
    assert_eq!(after, before);
    assert_eq!(bench.journal_entries(), 0);
}

#[test]
fn a_file_that_changed_meanwhile_is_not_overwritten_at_the_next_start() {
    let bench = Bench::new(false);
    let store = bench.store();
    let journal = store.writes.journal().unwrap();
    journal.actions_until_crash.store(3, Ordering::SeqCst);
    assert!(
        store
            .edit(
                ID,
                &RunEdit {
                    alias: Some("ours".to_owned()),
                    tags: None
                }
            )
            .is_err()
    );
    drop(journal);
    end(store);
    let meta = bench.root().join("runs/cv/yolo").join(ID).join("meta.json");
    fs::write(&meta, "{\"alias\": \"theirs\"}").unwrap();
    end(bench.restarted());
    assert_eq!(fs::read_to_string(meta).unwrap(), "{\"alias\": \"theirs\"}");
    assert_eq!(bench.journal_entries(), 0);
}

#[test]
fn a_step_cannot_leave_the_root() {
    let bench = Bench::new(false);
    fs::create_dir_all(bench.folder.path().join("outside/keep")).unwrap();
    let store = bench.store();
    for path in ["../outside", "runs/../../outside", "/etc"] {
        assert!(
            store
                .carry_out(&[Step::Discard {
                    path: path.to_owned()
                }])
                .is_err(),
            "{path}"
        );
        assert!(
            store
                .carry_out(&[Step::Rename {
                    from: "runs/cv".to_owned(),
                    to: format!("{path}/x")
                }])
                .is_err(),
            "{path}"
        );
    }
    assert!(bench.folder.path().join("outside/keep").is_dir());
    assert!(bench.root().join("runs/cv").is_dir());
}

#[test]
fn rows_refused_by_a_busy_database_are_told_later() {
    let bench = Bench::new(true);
    let store = bench.store();
    let busy = Connection::open(bench.root().join("runicorn.db")).unwrap();
    busy.execute_batch("BEGIN IMMEDIATE").unwrap();
    store.soft_delete(ID, DeleteReason::User).unwrap();
    assert!(
        bench.root().join("runs/.recycle").join(ID).is_dir(),
        "the files come first"
    );
    let journal = store.writes.journal().unwrap();
    assert!(journal.rows().has_waiting());
    busy.execute_batch("COMMIT").unwrap();
    assert!(journal.rows().retry());
    let (deleted, run_dir, _) = bench.row().unwrap();
    assert!(deleted);
    assert!(run_dir.ends_with(&format!("runs/.recycle/{ID}")));
}

/// Asks until it is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed().as_secs() < 30, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn what_was_left_unfinished_is_finished_by_the_start_itself() {
    let bench = Bench::new(true);
    kill_a_soft_delete_halfway(&bench);
    let store = bench.store();
    until("it is in the bin", || bench.is_in_the_bin());
    until("nothing is left", || bench.journal_entries() == 0);
    until("the list shows it", || {
        store.list().deleted().len() == 1 && store.list().len() == 1
    });
}

#[test]
fn what_was_left_unfinished_is_finished_when_the_root_comes_back_without_a_restart() {
    let bench = Bench::new(true);
    kill_a_soft_delete_halfway(&bench);
    let away = bench.folder.path().join("away");
    fs::rename(bench.root(), &away).unwrap();
    let store = bench.store();
    until("the root is known to be away", || {
        store.state().condition == crate::RootCondition::Missing
    });
    store.writes.journal().unwrap();
    assert_eq!(bench.journal_entries(), 1, "it waits");
    fs::rename(&away, bench.root()).unwrap();
    until("it is in the bin", || {
        store.list();
        bench.is_in_the_bin()
    });
    until("nothing is left", || bench.journal_entries() == 0);
}

#[test]
fn a_root_that_does_not_answer_is_not_touched_by_opening_it() {
    let bench = Bench::new(true);
    kill_a_soft_delete_halfway(&bench);
    let before = bench.picture();
    let (answer, hang) = std::sync::mpsc::channel::<()>();
    let hang = Mutex::new(hang);
    let take = move |path: &Path| {
        hang.lock().recv().unwrap_or_default();
        crate::root_probe::RootLook::take(path)
    };
    let store = RunStore::open_with(bench.config(), Arc::new(take)).unwrap();
    until("it is known to hang", || {
        store.list();
        store.state().condition == crate::RootCondition::Stale
    });
    assert!(store.find(ID).is_err());
    assert_eq!((bench.picture(), bench.journal_entries()), (before, 1));
    drop(answer);
    until("it is in the bin", || {
        store.list();
        bench.is_in_the_bin()
    });
    assert_eq!(store.state().condition, crate::RootCondition::Ok);
}

#[test]
fn rows_wait_while_the_root_is_away() {
    let bench = Bench::new(true);
    let store = bench.store();
    let journal = store.writes.journal().unwrap();
    let away = bench.folder.path().join("away");
    fs::rename(bench.root(), &away).unwrap();
    let alias = RowChange::Alias {
        id: ID.to_owned(),
        alias: Some("x".to_owned()),
    };
    journal.rows().tell(&[alias]);
    assert!(journal.rows().has_waiting() && !journal.rows().retry());
    fs::rename(&away, bench.root()).unwrap();
    assert!(journal.rows().retry());
}

#[test]
fn a_run_that_was_restored_meanwhile_is_not_moved_to_the_bin() {
    let bench = Bench::new(true);
    let dir = bench.root().join("runs/cv/yolo").join(ID);
    fs::write(dir.join(".deleted"), "{}").unwrap();
    fs::write(dir.join("status.json"), "{\"status\": \"running\"}").unwrap();
    let store = bench.store();
    let steps = |marker: &str| {
        let path = format!("runs/cv/yolo/{ID}/.deleted");
        let to_the_bin = Step::Rename {
            from: format!("runs/cv/yolo/{ID}"),
            to: format!("runs/.recycle/{ID}"),
        };
        [Step::unless_changed(path, marker.to_owned()), to_the_bin]
    };
    let refused = store.carry_out(&steps("{\"another\": 1}")).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    assert!(dir.exists() && !bench.is_in_the_bin());
    // the same, left by a process that died before it began
    let journal = store.writes.journal().unwrap();
    let root = journal.root_dir().unwrap();
    journal
        .replay(&root, "dead", &steps("{\"another\": 1}"))
        .unwrap();
    assert!(dir.exists() && !bench.is_in_the_bin());
    fs::write(dir.join("status.json"), "{\"status\": \"finished\"}").unwrap();
    until("what is still deleted goes to the bin", || {
        store.list();
        bench.is_in_the_bin()
    });
}
