//! Bad input: one run shows what can be shown and says what is wrong, and the list goes on.

use std::time::{Duration, Instant};

use runicorn_experiments::{RootCondition, RunStore, StatusReason, StoreError};

use crate::support::{DeadMount, LONG, Root, ids, until, was_run_as_an_ordinary_user};

/// A root with one good run, and one whose `file` holds `content`.
fn with_bad(file: &str, content: &[u8]) -> Root {
    let root = Root::empty();
    root.run("runs/good", 10);
    root.run("runs/bad", 20);
    root.write(&format!("runs/bad/{file}"), content);
    root
}

#[test]
fn damaged_small_files_never_break_the_list() {
    let deep = format!("{{\"a\":{}", "[".repeat(100_000));
    let garbage: Vec<u8> = (0..4096u32)
        .map(|at| u8::try_from(at * 7 % 256).unwrap())
        .collect();
    for file in ["meta.json", "status.json", "summary.json", "assets.json"] {
        for content in [
            b"".as_slice(),
            b"{\"stat",
            b"[]",
            b"null",
            b"\"x\"",
            garbage.as_slice(),
            deep.as_bytes(),
        ] {
            let list = with_bad(file, content).store().list();
            assert_eq!(list.len(), 2, "{file}");
            let problem = list.get("bad").unwrap().problem.clone();
            assert!(
                problem.is_some_and(|problem| problem.contains(file)),
                "{file}"
            );
            assert_eq!(list.get("good").unwrap().problem, None);
        }
    }
}

#[test]
fn members_of_a_wrong_type_are_left_out_and_named() {
    let meta =
        br#"{"pid": "x", "alias": 5, "tags": "t", "created_at": [], "hostname": {}, "path": 1.5}"#;
    let list = with_bad("meta.json", meta).store().list();
    let row = list.get("bad").unwrap();
    assert_eq!(
        (row.pid, row.alias.as_deref(), row.tags.len()),
        (None, None, 0)
    );
    let problem = row.problem.as_deref().unwrap();
    for member in ["pid", "alias", "tags", "created_at", "hostname", "path"] {
        assert!(problem.contains(member), "{member}: {problem}");
    }
    assert!(
        row.created_at > 1.6e9,
        "the time of the directory stands in"
    );
    let status = with_bad("status.json", br#"{"status": 7, "started_at": "soon"}"#)
        .store()
        .list();
    assert_eq!(status.get("bad").unwrap().status, "finished");
    let summary =
        br#"{"best_metric_value": NaN, "best_metric_name": "loss", "best_metric_step": 3.0}"#;
    let list = with_bad("summary.json", summary).store().list();
    let row = list.get("bad").unwrap();
    assert_eq!(
        (
            row.best_metric_value,
            row.best_metric_step,
            row.problem.as_deref()
        ),
        (None, Some(3), None)
    );
}

#[test]
fn a_huge_meta_json_is_not_read_into_memory() {
    let root = with_bad("meta.json", b"");
    let file = std::fs::File::create(root.path().join("runs/bad/meta.json")).unwrap();
    file.set_len(1 << 40).unwrap();
    let list = root.store().list();
    assert!(
        list.get("bad")
            .unwrap()
            .problem
            .as_deref()
            .unwrap()
            .contains("more than")
    );
}

#[test]
fn a_folder_where_a_file_should_be_is_a_problem_of_that_run() {
    let root = Root::empty();
    root.run("runs/good", 10);
    for file in ["status.json", "summary.json", "assets.json"] {
        std::fs::create_dir_all(root.path().join("runs/bad").join(file)).unwrap();
    }
    root.write("runs/bad/meta.json", "{}");
    let list = root.store().list();
    let row = list.get("bad").unwrap();
    assert_eq!(
        (row.status.as_str(), row.reason),
        ("finished", StatusReason::TornStatus)
    );
    assert!(
        row.problem
            .as_deref()
            .unwrap()
            .contains("status.json: not a plain file")
    );
}

#[test]
fn a_missing_status_counts_as_finished_and_says_why() {
    let root = Root::empty();
    root.write("runs/a/meta.json", "{}");
    let list = root.store().list();
    let row = list.get("a").unwrap();
    assert_eq!(
        (row.status.as_str(), row.reason),
        ("finished", StatusReason::MissingStatus)
    );
}

#[test]
fn the_last_good_value_stays_while_a_file_is_torn() {
    let root = Root::empty();
    root.run("runs/a", 10);
    root.write(
        "runs/a/status.json",
        r#"{"status": "interrupted", "started_at": 5.0}"#,
    );
    let store = root.store();
    root.write("runs/a/status.json", r#"{"status": "inte"#);
    assert!(store.refresh(LONG));
    let list = store.list();
    let row = list.get("a").unwrap();
    assert_eq!(
        (row.status.as_str(), row.started_at, row.reason),
        ("interrupted", Some(5.0), StatusReason::TornStatus)
    );
    root.write("runs/a/status.json", r#"{"status": "failed"}"#);
    assert!(store.refresh(LONG));
    assert_eq!(store.list().get("a").unwrap().status, "failed");
}

#[test]
fn a_file_that_is_just_being_written_is_read_again() {
    let root = Root::empty();
    root.run("runs/a", 10);
    let store = root.store();
    let file = root.path().join("runs/a/status.json");
    let writer = std::thread::spawn(move || {
        for round in 0..300 {
            std::fs::write(&file, "").unwrap();
            std::fs::write(
                &file,
                format!(r#"{{"status": "finished", "ended_at": {round}}}"#),
            )
            .unwrap();
        }
    });
    while !writer.is_finished() {
        assert!(store.refresh(LONG));
        assert_eq!(store.list().get("a").unwrap().status, "finished");
    }
    writer.join().unwrap();
    assert!(store.refresh(LONG));
    let list = store.list();
    assert_eq!(
        (
            list.get("a").unwrap().ended_at,
            list.get("a").unwrap().problem.as_deref()
        ),
        (Some(299.0), None)
    );
}

#[test]
fn two_runs_of_one_name_are_one_row_that_says_so() {
    let root = Root::empty();
    root.run("runs/a/same", 10);
    root.run("runs/b/same", 20);
    let store = root.store();
    let list = store.list();
    assert_eq!(ids(&list), ["same"]);
    let row = list.get("same").unwrap();
    assert_eq!(row.directory, "runs/a/same");
    assert!(row.problem.as_deref().unwrap().contains("runs/b/same"));
    assert_eq!(store.find("same").unwrap().directory, "runs/a/same");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_root_is_not_followed_and_the_state_says_so() {
    let root = Root::empty();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("meta.json"), r#"{"alias": "secret"}"#).unwrap();
    root.run("runs/a", 10);
    std::os::unix::fs::symlink(outside.path(), root.path().join("runs/b")).unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("meta.json"),
        root.path().join("runs/a/summary.json"),
    )
    .unwrap();
    let store = root.store();
    assert_eq!(ids(&store.list()), ["a"]);
    assert!(
        store
            .list()
            .get("a")
            .unwrap()
            .problem
            .as_deref()
            .unwrap()
            .contains("summary.json")
    );
    assert!(
        store
            .state()
            .detail
            .unwrap()
            .contains("lead out of the root")
    );
    assert!(matches!(
        store.find("b"),
        Err(StoreError::RunNotFound { .. })
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_may_not_be_read_stays_in_the_list_and_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let name = "faults::a_run_that_may_not_be_read_stays_in_the_list_and_says_so";
    if was_run_as_an_ordinary_user(name) {
        return;
    }
    let root = Root::empty();
    root.run("runs/good", 10);
    root.run("runs/bad", 20);
    let file = root.path().join("runs/bad/meta.json");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o0)).unwrap();
    let list = root.store().list();
    assert!(
        list.get("bad")
            .unwrap()
            .problem
            .as_deref()
            .unwrap()
            .contains("meta.json")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_root_that_may_not_be_read_or_written_says_so_and_is_used_again_when_it_may() {
    use std::os::unix::fs::PermissionsExt;
    let name =
        "faults::a_root_that_may_not_be_read_or_written_says_so_and_is_used_again_when_it_may";
    if was_run_as_an_ordinary_user(name) {
        return;
    }
    let root = Root::empty();
    root.run("runs/x/20250101_000000_aaaaaa", 10);
    let store = root.store();
    let set = |mode| {
        let runs = root.path().join("runs");
        std::fs::set_permissions(runs, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let becomes = |condition| {
        let state = || {
            store.refresh(LONG);
            store.state()
        };
        until("the condition", state, |state| state.condition == condition)
    };
    set(0o500);
    let state = becomes(RootCondition::ReadOnly);
    assert!(state.detail.unwrap().contains("cannot be written"));
    assert_eq!(store.list().len(), 1, "it can still be read");
    set(0o000);
    becomes(RootCondition::Unreadable);
    assert!(matches!(
        store.find("20250101_000000_aaaaaa"),
        Err(StoreError::RootUnavailable { .. })
    ));
    set(0o700);
    becomes(RootCondition::Ok);
    assert_eq!(store.list().len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_root_that_hangs_at_the_start_is_stale_and_used_when_it_answers() {
    let root = Root::empty();
    root.run("runs/a", 10);
    let Some(mount) = DeadMount::over(&root.path()) else {
        return;
    };
    let started = Instant::now();
    let store = RunStore::open(root.config()).unwrap();
    assert!(started.elapsed() < LONG / 3, "nobody waits for the root");
    until(
        "the state",
        || store.state().condition,
        |condition| *condition == RootCondition::Stale,
    );
    assert!(matches!(
        store.find("a"),
        Err(StoreError::RootUnavailable { .. })
    ));
    drop(mount);
    until("the run", || ids(&store.list()), |ids| ids == &["a"]);
    assert_eq!(store.state().condition, RootCondition::Ok);
}

#[cfg(target_os = "linux")]
#[test]
fn a_root_that_stops_answering_while_it_is_read_is_stale_and_its_known_runs_stay() {
    let root = Root::empty();
    root.run("runs/deep/a", 10);
    let store = root.store();
    // below the root first, so that the indexing thread is caught in the middle of a pass
    let Some(deep) = DeadMount::over(&root.path().join("runs/deep")) else {
        return;
    };
    store.refresh(Duration::from_millis(200));
    let whole = DeadMount::over(&root.path()).unwrap();
    until(
        "the state",
        || store.state().condition,
        |condition| *condition == RootCondition::Stale,
    );
    assert_eq!(ids(&store.list()), ["a"]);
    assert!(matches!(
        store.find("a"),
        Err(StoreError::RootUnavailable { .. })
    ));
    drop(whole);
    drop(deep);
    until(
        "the root's answer",
        || {
            store.refresh(LONG);
            (ids(&store.list()), store.state().condition)
        },
        |(ids, condition)| ids == &["a"] && *condition == RootCondition::Ok,
    );
    assert!(store.find("a").is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn a_mount_that_lost_its_server_is_not_a_missing_run() {
    let root = Root::empty();
    root.run("runs/deep/a", 10);
    let store = root.store();
    let Some(mut deep) = DeadMount::over(&root.path().join("runs/deep/a")) else {
        return;
    };
    deep.disconnect();
    let error = store.find("a").unwrap_err();
    let StoreError::Io { source, .. } = error else {
        panic!("{error}");
    };
    assert!(runicorn_experiments::error::is_unreachable(&source));
}

#[test]
fn a_missing_root_is_a_state_and_comes_back_without_a_restart() {
    let root = Root::empty();
    root.run("runs/a", 10);
    let away = root.folder.path().join("away");
    std::fs::rename(root.path(), &away).unwrap();
    let store = root.store();
    assert_eq!(store.state().condition, RootCondition::Missing);
    assert!(store.state().detail.unwrap().contains("does not exist"));
    assert!(store.list().is_empty());
    assert!(matches!(
        store.find("a"),
        Err(StoreError::RootUnavailable { .. })
    ));
    std::fs::rename(&away, root.path()).unwrap();
    until(
        "the root's return",
        || ids(&store.list()),
        |ids| ids == &["a"],
    );
    assert_eq!(store.state().condition, RootCondition::Ok);
    assert!(store.find("a").is_ok());
    std::fs::rename(root.path(), &away).unwrap();
    until("the root's leaving", || store.list().len(), |len| *len == 0);
    assert_eq!(store.state().condition, RootCondition::Missing);
    std::fs::rename(&away, root.path()).unwrap();
    until("the second return", || store.list().len(), |len| *len == 1);
}

#[test]
fn a_root_without_runs_is_an_empty_list() {
    let root = Root::empty();
    std::fs::remove_dir(root.path().join("runs")).unwrap();
    let store = root.store();
    assert_eq!(
        (store.list().len(), store.state().condition),
        (0, RootCondition::Ok)
    );
    root.run("runs/a", 10);
    until("the first run", || store.list().len(), |len| *len == 1);
    assert!(store.refresh(Duration::from_secs(20)));
}
