//! Every layout from 0.4 to 0.7 is found.

use runicorn_experiments::{RunRow, StatusReason, StoreError};

use crate::support::{Root, ids};

#[test]
fn the_runs_of_a_0_6_root_are_listed_newest_first() {
    let root = Root::of("runicorn-0.6.0/root");
    let store = root.store();
    let list = store.list();
    let expected = [
        "20250118_140000_fa4a0a",
        "20250118_130000_a11ce5",
        "20250118_120000_deadbe",
        "20250123_010101_badbad",
        "my-run",
        "20250122_235959_abcdef",
        "20250121_000000_00ff00",
        "20250120_121212_0d0e0f",
        "20250120_111111_0a0b0c",
        "20250117_000001_d15ea5",
        "20250116_101112_c0ffee",
        "20250115_090000_b00b1e",
        "20250114_153045_a1b2c3",
    ];
    let mut found = ids(&list);
    // The damaged run has no time of its own.
    found.retain(|id| id != "20250123_010101_badbad");
    let expected: Vec<_> = expected
        .into_iter()
        .filter(|id| *id != "20250123_010101_badbad")
        .collect();
    assert_eq!(found, expected);
    assert_eq!(list.len(), 13);
    let deleted: Vec<_> = list.deleted().iter().map(|row| row.id.as_str()).collect();
    assert_eq!(
        deleted,
        ["20250119_090000_de1e7f", "20250119_080000_de1e7e"]
    );
}

#[test]
fn a_row_holds_what_the_small_files_say() {
    let root = Root::of("runicorn-0.6.0/root");
    let store = root.store();
    let list = store.list();
    let row: &RunRow = list.get("20250114_153045_a1b2c3").unwrap();
    assert_eq!(row.path.as_str(), "cv/detection/yolo");
    assert_eq!(row.alias.as_deref(), Some("yolo-baseline"));
    assert_eq!(row.tags, ["baseline", "v1"]);
    assert_eq!(row.assets_count, 2);
    assert_eq!(row.best_metric_name.as_deref(), Some("mAP"));
    assert_eq!(row.best_metric_value, Some(0.61));
    assert_eq!(row.best_metric_mode.as_deref(), Some("max"));
    assert_eq!(
        (row.created_at, row.pid),
        (1_795_187_697.473_309_8, Some(26458))
    );
    assert_eq!(row.problem, None);
    let first_value_was_nan = list.get("20250122_235959_abcdef").unwrap();
    assert_eq!(first_value_was_nan.best_metric_value, None);
    assert_eq!(
        first_value_was_nan.best_metric_name.as_deref(),
        Some("score")
    );
    assert_eq!(first_value_was_nan.status, "completed");
}

#[test]
fn the_state_of_a_run_is_told_with_its_reason() {
    let root = Root::of("runicorn-0.6.0/root");
    let store = root.store();
    let list = store.list();
    let check = |id: &str, status: &str, reason: StatusReason| {
        let row = list.get(id).unwrap();
        assert_eq!((row.status.as_str(), row.reason), (status, reason), "{id}");
    };
    check(
        "20250118_120000_deadbe",
        "failed",
        StatusReason::ProcessGone,
    );
    check(
        "20250118_130000_a11ce5",
        "running",
        StatusReason::ProcessAlive,
    );
    check("20250118_140000_fa4a0a", "running", StatusReason::OtherHost);
    check("20250116_101112_c0ffee", "failed", StatusReason::StatusWord);
    check(
        "20250117_000001_d15ea5",
        "interrupted",
        StatusReason::StatusWord,
    );
    let on_disk = std::fs::read_to_string(
        store
            .find("20250118_120000_deadbe")
            .unwrap()
            .dir
            .join("status.json"),
    );
    assert!(
        on_disk.unwrap().contains("running"),
        "looking changes nothing"
    );
}

#[test]
fn a_recycled_run_of_0_7_keeps_its_path() {
    let root = Root::of("runicorn-0.7.2/root");
    let store = root.store();
    let list = store.list();
    assert_eq!(list.len(), 13);
    let deleted: Vec<_> = list
        .deleted()
        .iter()
        .map(|row| (row.id.as_str(), row.path.as_str()))
        .collect();
    assert_eq!(
        deleted,
        [
            ("20250119_090000_de1e7f", "rl/old"),
            ("20250119_080000_de1e7e", "rl")
        ]
    );
    let run = store.find_deleted("20250119_080000_de1e7e").unwrap();
    assert_eq!(run.directory, "runs/.recycle/20250119_080000_de1e7e");
    assert!(matches!(
        store.find("20250119_080000_de1e7e"),
        Err(StoreError::RunNotFound { .. })
    ));
}

#[test]
fn a_stale_database_of_0_7_is_not_believed() {
    let list = Root::of("runicorn-0.7.2/root-stale-db").store().list();
    assert_eq!((list.len(), list.deleted().len()), (2, 1));
}

#[test]
fn runs_of_0_5_are_listed_with_project_and_name() {
    let root = Root::of("runicorn-0.5.3/root");
    let store = root.store();
    let list = store.list();
    let paths: Vec<_> = list
        .rows()
        .map(|row| (row.id.as_str(), row.path.as_str()))
        .collect();
    let expected = [
        ("20241203_101010_01d003", "p2/n2"),
        ("20241202_101010_01d002", "p2/n2"),
        ("20241201_101010_01d001", "演示/baseline"),
    ];
    assert_eq!(paths, expected);
    let run = store.find("20241201_101010_01d001").unwrap();
    assert_eq!(run.path.as_str(), "演示/baseline");
    assert!(run.open("events.jsonl").is_ok());
}

#[test]
fn a_deleted_run_is_found_in_the_bin_and_nowhere_else() {
    let root = Root::of("runicorn-0.6.0/root");
    let store = root.store();
    assert!(matches!(
        store.find("20250119_080000_de1e7e"),
        Err(StoreError::RunNotFound { .. })
    ));
    assert!(
        store
            .find_deleted("20250119_080000_de1e7e")
            .unwrap()
            .deleted
    );
    assert!(matches!(
        store.find_deleted("20250114_153045_a1b2c3"),
        Err(StoreError::RunNotFound { .. })
    ));
}

#[test]
fn an_id_that_could_mean_another_place_is_an_unknown_run() {
    let root = Root::of("runicorn-0.6.0/root");
    let store = root.store();
    for id in [
        "..",
        ".",
        "",
        "a\0b",
        "../runs",
        "cv/resnet50",
        "nope",
        "runs",
    ] {
        assert!(
            matches!(store.find(id), Err(StoreError::RunNotFound { .. })),
            "{id:?}"
        );
    }
}

#[test]
fn a_run_made_a_moment_ago_is_found_though_the_list_has_not_seen_it() {
    let root = Root::empty();
    let store = root.store();
    root.run("runs/new/path/just_now", 5);
    assert_eq!(store.find("just_now").unwrap().path.as_str(), "new/path");
}

#[test]
fn reading_a_root_changes_nothing_in_it() {
    let root = Root::of("runicorn-0.7.2/root");
    let before = root.listing();
    let store = root.store();
    store.refresh(crate::support::LONG);
    drop(store.find("my-run").unwrap().list("", 100).unwrap());
    assert_eq!(root.listing(), before);
}
