//! Logs that grow, and folders that are watched for it.

use std::sync::mpsc;
use std::time::SystemTime;

use super::*;

fn lines_of(step: FollowStep) -> Vec<String> {
    match step {
        FollowStep::Lines { lines, .. } => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_follower_gives_whole_lines_only() {
    let log = Log::of(b"old\n");
    let mut follower = log.follower(u64::MAX);
    assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    log.append(b"ha");
    assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    log.append(b"lf\nnext");
    assert_eq!(
        follower.step(false).unwrap(),
        FollowStep::Lines {
            first_line: 1,
            lines: texts(&["half"])
        }
    );
    assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    assert_eq!(
        follower.step(true).unwrap(),
        FollowStep::Lines {
            first_line: 2,
            lines: texts(&["next"])
        }
    );
    assert_eq!(follower.step(true).unwrap(), FollowStep::Nothing);
}

#[test]
fn a_follower_starts_at_any_line_and_drops_none_however_many_there_are() {
    let log = Log::of(&numbered(0..30_000));
    let mut follower = log.follower(7000);
    let mut next = 7000;
    while let FollowStep::Lines { first_line, lines } = follower.step(false).unwrap() {
        assert_eq!(first_line, next);
        for line in lines {
            assert_eq!(line, format!("line {next}"));
            next += 1;
        }
    }
    assert_eq!(next, 30_000);
}

#[test]
fn a_follower_notices_cutting_rotation_and_a_file_that_appears_late() {
    let log = Log::new();
    let mut follower = log.follower(0);
    assert_eq!(follower.step(false).unwrap(), FollowStep::Missing);
    log.append(b"first\n");
    assert_eq!(lines_of(follower.step(false).unwrap()), ["first"]);
    File::options()
        .write(true)
        .open(log.path())
        .unwrap()
        .set_len(0)
        .unwrap();
    assert_eq!(follower.step(false).unwrap(), FollowStep::Reset);
    log.append(b"second\n");
    assert_eq!(
        follower.step(false).unwrap(),
        FollowStep::Lines {
            first_line: 0,
            lines: texts(&["second"])
        }
    );
    std::fs::rename(log.path(), log.folder.path().join("runs/id/logs.txt.1")).unwrap();
    assert_eq!(follower.step(false).unwrap(), FollowStep::Reset);
    assert_eq!(follower.step(false).unwrap(), FollowStep::Missing);
    log.append(b"third\n");
    assert_eq!(lines_of(follower.step(false).unwrap()), ["third"]);
}

/// A system sets the time of a file before its size while it appends: a look in between sees another time and the same size. Here that
/// moment is as long as starting a thread takes.
#[test]
fn a_write_under_way_is_never_taken_for_a_rewrite() {
    let log = Log::of(b"first\n");
    let mut follower = log.follower(0);
    assert_eq!(lines_of(follower.step(false).unwrap()), ["first"]);
    for round in 0..20 {
        let mut file = File::options().append(true).open(log.path()).unwrap();
        file.set_modified(SystemTime::now()).unwrap();
        let writer = std::thread::spawn(move || file.write_all(b"more\n").unwrap());
        let step = follower.step(false).unwrap();
        writer.join().unwrap();
        assert_eq!(lines_of(step), ["more"], "round {round}");
    }
}

#[test]
fn a_line_that_grows_for_long_is_given_once_it_ends() {
    let log = Log::new();
    let mut follower = log.follower(0);
    for percent in 0..2000 {
        log.append(
            format!(
                "\r{percent} of a bar that is redrawn without an end of line, {}",
                "=".repeat(300)
            )
            .as_bytes(),
        );
        assert_eq!(follower.step(false).unwrap(), FollowStep::Nothing);
    }
    log.append(b"\ndone\n");
    let lines = lines_of(follower.step(false).unwrap());
    assert_eq!((lines.len(), lines[1].as_str()), (2, "done"));
    assert!(lines[0].ends_with("bytes cut]"));
}

#[test]
fn a_watched_folder_wakes_whoever_follows_and_no_one_else() {
    let log = Log::of(b"a\n");
    let (sender, receiver) = mpsc::channel();
    let watch = log
        .logs
        .watches()
        .watch(&log.run.dir, move || sender.send(()).unwrap_or_default());
    if !watch.works() {
        eprintln!("skipped: this file system reports no changes");
        return;
    }
    log.append(b"b\n");
    receiver.recv_timeout(Duration::from_secs(20)).unwrap();
    drop(watch);
    while receiver.try_recv().is_ok() {}
    log.append(b"c\n");
    assert_eq!(
        receiver.recv(),
        Err(mpsc::RecvError),
        "the sender has gone with the watch"
    );
}

#[test]
fn a_folder_that_is_not_there_is_not_watched() {
    let log = Log::new();
    let watch = log
        .logs
        .watches()
        .watch(&log.folder.path().join("nothing"), || ());
    assert!(!watch.works());
}
