//! What others write is seen within two seconds, what we write at once; where folders are watched and where they cannot be.

use std::io::Write;
use std::time::{Duration, Instant};

use runicorn_experiments::{RunId, StoreChange, Watch};

use crate::support::{LONG, Root, ids, until};

/// With watches, and as on a network file system, which has none.
const BOTH: [Watch; 2] = [Watch::WherePossible, Watch::Never];

#[test]
fn a_new_run_shows_while_somebody_looks() {
    for watch in BOTH {
        let root = Root::empty();
        let store = root.store_watching(watch);
        root.run("runs/deep/er/a", 10);
        until("the new run", || ids(&store.list()), |ids| ids == &["a"]);
        root.run("runs/deep/er/b", 20);
        until(
            "the second run",
            || ids(&store.list()),
            |ids| ids == &["b", "a"],
        );
        std::fs::remove_dir_all(root.path().join("runs/deep/er/a")).unwrap();
        until("the removal", || ids(&store.list()), |ids| ids == &["b"]);
    }
}

#[test]
fn a_finished_run_that_others_edit_in_place_is_at_most_two_seconds_old() {
    for watch in BOTH {
        let root = Root::empty();
        root.run("runs/a", 10);
        let store = root.store_watching(watch);
        let seen_after = |round: u32| {
            let edited = Instant::now();
            root.write(
                "runs/a/meta.json",
                format!(r#"{{"alias": "edit {round}"}}"#),
            );
            let alias = || store.list().get("a").and_then(|row| row.alias.clone());
            let wanted = format!("edit {round}");
            until("the alias", alias, |alias| *alias == Some(wanted.clone()));
            edited.elapsed()
        };
        // a busy machine may be late once, not every time
        let within = |round| seen_after(round) < Duration::from_secs(2);
        assert!((0..5).any(within), "{watch:?}");
    }
}

#[test]
fn our_own_writes_show_at_once() {
    for watch in BOTH {
        let root = Root::empty();
        root.run("runs/x/a", 10);
        let store = root.store_watching(watch);
        for round in 0..50 {
            let alias = format!("round {round}");
            root.write("runs/x/a/meta.json", format!(r#"{{"alias": "{alias}"}}"#));
            store.touch(&[RunId::new("a").unwrap()]);
            assert_eq!(store.list().get("a").unwrap().alias.as_ref(), Some(&alias));
        }
    }
}

#[test]
fn a_run_we_move_away_and_back_shows_at_once() {
    for watch in BOTH {
        let root = Root::empty();
        root.run("runs/x/a", 10);
        let store = root.store_watching(watch);
        let (here, bin) = (
            root.path().join("runs/x/a"),
            root.path().join("runs/.recycle/a"),
        );
        let touch = || store.touch(&[RunId::new("a").unwrap()]);
        std::fs::create_dir_all(bin.parent().unwrap()).unwrap();
        for _ in 0..10 {
            std::fs::rename(&here, &bin).unwrap();
            touch();
            assert_eq!((store.list().len(), store.list().deleted().len()), (0, 1));
            std::fs::rename(&bin, &here).unwrap();
            touch();
            assert_eq!((store.list().len(), store.list().deleted().len()), (1, 0));
        }
        root.run("runs/new/place/b", 30);
        store.touch(&[RunId::new("b").unwrap()]);
        assert_eq!(ids(&store.list()), ["b", "a"]);
    }
}

#[test]
fn the_growth_of_a_live_run_is_told_to_those_who_listen() {
    for watch in BOTH {
        let root = Root::empty();
        root.write(
            "runs/live/meta.json",
            r#"{"pid": 1, "hostname": "fixture-host", "created_at": 5.0}"#,
        );
        root.write("runs/live/status.json", r#"{"status": "running"}"#);
        root.write("runs/live/events.jsonl", "");
        let store = root.store_watching(watch);
        let changes = store.changes();
        let mut events = std::fs::OpenOptions::new()
            .append(true)
            .open(root.path().join("runs/live/events.jsonl"))
            .unwrap();
        for round in 0..3 {
            while changes.next(Duration::ZERO).is_some() {}
            writeln!(events, "{{}}").unwrap();
            let started = Instant::now();
            let wanted = StoreChange::Run {
                id: RunId::new("live").unwrap(),
            };
            while changes.next(LONG).expect("a change") != wanted {
                assert!(started.elapsed() < LONG, "round {round}");
            }
        }
    }
}

#[test]
fn a_status_that_changes_makes_a_new_generation_and_is_told() {
    for watch in BOTH {
        let root = Root::empty();
        root.run("runs/a", 10);
        let store = root.store_watching(watch);
        let before = store.list();
        let changes = store.changes();
        root.write("runs/a/status.json", r#"{"status": "failed"}"#);
        let started = Instant::now();
        loop {
            assert!(started.elapsed() < LONG);
            if let Some(StoreChange::Runs { generation }) = changes.next(LONG) {
                assert!(generation > before.generation());
                if store.list().get("a").unwrap().status == "failed" {
                    break;
                }
            }
        }
        let delta = store.list().since(before.generation()).unwrap();
        assert_eq!(delta.rows.len(), 1);
    }
}

#[test]
fn listeners_are_let_go_when_the_store_closes() {
    let root = Root::empty();
    let store = root.store();
    let changes = store.changes();
    while changes.next(Duration::ZERO).is_some() {}
    drop(store);
    let started = Instant::now();
    while !changes.is_closed() {
        changes.next(LONG);
        assert!(started.elapsed() < LONG);
    }
}
