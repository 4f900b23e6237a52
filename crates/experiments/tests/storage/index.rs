//! The index database is a cache: it saves work and is never needed.

use std::path::PathBuf;

use runicorn_experiments::RunStore;

use crate::support::{LONG, Root, ids, until};

/// A root whose files are old enough that their stamps are believed.
fn settled(runs: u32) -> Root {
    let root = Root::empty();
    for at in 0..runs {
        root.run(&format!("runs/p{}/run{at:03}", at % 3), at);
    }
    age(&root);
    root
}

fn age(root: &Root) {
    let then = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    for (path, _) in root.listing() {
        std::fs::File::open(path)
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
    for folder in ["", "runs"] {
        std::fs::File::open(root.path().join(folder))
            .unwrap()
            .set_modified(then)
            .unwrap();
    }
}

fn database(root: &Root) -> PathBuf {
    let mut files = std::fs::read_dir(root.cache().join("index"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| path.extension().is_some_and(|ending| ending == "db"))
        .unwrap()
}

/// Runs a store to its end, so that its index is saved; gives back how many runs it read.
fn session(root: &Root) -> u64 {
    let store = root.store();
    assert!(store.refresh(LONG));
    let read = store.counters().rows_read;
    close(store);
    read
}

fn close(store: std::sync::Arc<RunStore>) {
    let changes = store.changes();
    drop(store);
    while !changes.is_ended() {
        changes.next(LONG);
    }
}

#[test]
fn a_restart_reads_nothing_that_is_unchanged() {
    let root = settled(30);
    assert_eq!(session(&root), 30);
    assert_eq!(session(&root), 0);
    root.write("runs/p1/run001/meta.json", r#"{"alias": "changed"}"#);
    let store = root.store();
    assert!(store.refresh(LONG));
    assert_eq!(
        store.list().get("run001").unwrap().alias.as_deref(),
        Some("changed")
    );
    assert_eq!(store.list().len(), 30);
    assert!(store.counters().rows_read < 5);
}

#[test]
fn a_store_that_is_closed_has_kept_its_index_for_the_next_start() {
    let root = settled(30);
    let store = root.store();
    assert_eq!(store.complete_list(LONG).len(), 30);
    assert!(store.close(LONG));
    let again = root.store();
    assert_eq!(again.complete_list(LONG).len(), 30);
    assert!(again.refresh(LONG));
    assert_eq!(again.counters().rows_read, 0);
}

#[test]
fn runs_that_went_while_the_app_was_closed_are_gone() {
    let root = settled(10);
    session(&root);
    std::fs::remove_dir_all(root.path().join("runs/p0")).unwrap();
    let store = root.store();
    assert!(store.refresh(LONG));
    assert_eq!(store.list().len(), 6);
}

#[test]
fn rows_from_the_index_are_the_rows_from_the_files() {
    for fixture in [
        "runicorn-0.6.0/root",
        "runicorn-0.7.2/root",
        "runicorn-0.5.3/root",
    ] {
        let root = Root::of(fixture);
        age(&root);
        let rows = |store: &RunStore| {
            assert!(store.refresh(LONG));
            store
                .list()
                .rows()
                .map(|row| row.as_ref().clone())
                .collect::<Vec<_>>()
        };
        let first = root.store();
        let read = rows(&first);
        close(first);
        let second = root.store();
        assert_eq!(rows(&second), read);
        assert_eq!(second.counters().rows_read, 0, "{fixture}");
    }
}

#[test]
fn a_corrupt_index_is_begun_anew() {
    let root = settled(10);
    session(&root);
    let file = database(&root);
    let good = std::fs::read(&file).unwrap();
    let mut middle = good.clone();
    middle[4096..].fill(0xAB);
    for damage in [
        b"not a database at all".to_vec(),
        Vec::new(),
        good[..good.len() / 2].to_vec(),
        middle,
    ] {
        std::fs::write(&file, damage).unwrap();
        let store = root.store();
        assert!(store.refresh(LONG));
        assert_eq!(store.list().len(), 10);
        close(store);
        assert_eq!(session(&root), 0, "the index is whole again");
    }
}

#[test]
fn an_index_of_another_version_or_root_is_begun_anew() {
    let root = settled(4);
    session(&root);
    let change = |sql: &str| {
        rusqlite::Connection::open(database(&root))
            .unwrap()
            .execute_batch(sql)
            .unwrap();
    };
    for sql in [
        "PRAGMA user_version = 99",
        "UPDATE about SET value = '/elsewhere'",
        "DROP TABLE runs",
    ] {
        change(sql);
        let store = root.store();
        assert!(store.refresh(LONG));
        assert_eq!(store.list().len(), 4, "{sql}");
        close(store);
        assert_eq!(session(&root), 0, "{sql}");
    }
}

#[test]
fn the_index_may_be_deleted_while_the_app_runs() {
    let root = settled(4);
    let store = root.store();
    std::fs::remove_dir_all(root.cache()).unwrap();
    root.run("runs/later", 99);
    until("the later run", || store.list().len(), |len| *len == 5);
    close(store);
    assert_eq!(root.store().list().len(), 5);
}

#[test]
fn without_a_place_for_the_index_the_list_works_and_says_so() {
    let root = settled(4);
    std::fs::write(root.cache(), "a file where the cache folder should be").unwrap();
    let store = root.store();
    assert_eq!(store.list().len(), 4);
    let detail = until("the complaint", || store.state().detail, Option::is_some);
    assert!(detail.unwrap().contains("kept in memory only"));
}

#[test]
fn two_instances_share_one_root_and_one_cache() {
    let root = settled(20);
    let (one, two) = (root.store(), root.store());
    assert_eq!(ids(&one.list()), ids(&two.list()));
    root.run("runs/later", 99);
    for store in [&one, &two] {
        until("the later run", || store.list().len(), |len| *len == 21);
    }
    close(one);
    close(two);
    assert_eq!(root.store().list().len(), 21);
}

/// Many, but quickly made; roots of 100,000 are measured by `examples/index_times.rs`.
const MANY: u64 = 20_000;

#[test]
fn twenty_thousand_runs_are_listed_with_progress_and_a_restart_lists_them_at_once() {
    let root = Root::in_memory();
    for at in 0..MANY {
        let meta = format!(r#"{{"created_at": {at}, "alias": "run {at}", "tags": ["a"]}}"#);
        root.write(&format!("runs/p{}/run{at:05}/meta.json", at % 50), meta);
    }
    let store = RunStore::open(root.config()).unwrap();
    let changes = store.changes();
    let complete_at_once = store.list().is_complete();
    let mut progress = 0;
    let started = std::time::Instant::now();
    loop {
        // What was told before the list was complete may be taken after: the order of what waits is not that of events.
        let is_complete = store.list().is_complete();
        match changes.next(std::time::Duration::from_millis(5)) {
            Some(runicorn_experiments::StoreChange::Indexing(at)) => {
                assert!(at.done <= at.total && at.total == MANY);
                progress += 1;
            }
            None if is_complete => break,
            Some(_) | None => {}
        }
        assert!(started.elapsed() < LONG);
    }
    assert!(
        progress > 0 || complete_at_once,
        "progress is told to who listens early enough"
    );
    assert_eq!(store.list().len() as u64, MANY);
    assert_eq!(store.state().indexing, None);
    close(store);
    let again = root.store();
    // those that were written just before the end are not believed and read once more
    until("all runs", || again.list().len() as u64, |len| *len == MANY);
    let list = again.list();
    assert_eq!(
        list.get("run19999").unwrap().alias.as_deref(),
        Some("run 19999")
    );
}
