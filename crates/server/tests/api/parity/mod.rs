//! The recorded answers of the real servers against ours.
//!
//! For every recorded storage root: our server on a copy, every recorded read and the ordered writes replayed. Each
//! member of a recorded answer must be in ours with the same value (more members are allowed), status and recorded headers
//! equal, and a write must have changed the same files. What differs on purpose stands in `differences`; a difference without a row
//! fails, and so does a row that explains nothing.
//!
//! While working on one room: `PARITY_ONLY=metrics,WS_ cargo nextest run -p runicorn-server parity --no-capture`
//! reports only recordings whose name contains one of these words, and does not ask whether every row is used.

pub(crate) mod compare;
pub(crate) mod differences;
mod files;
mod recording;

use std::collections::BTreeSet;

use compare::Mismatch;
use differences::{DIFFERENCES, Difference};
use recording::{Expectation, Recording, Replay};

use crate::support::TestServer;

/// One set of recordings and the root it was made on.
struct RecordingSet {
    name: &'static str,
    root: &'static str,
    folder: &'static str,
}

#[tokio::test]
async fn reads_of_runicorn_0_6_0() {
    replay(&RecordingSet {
        name: "0.6.0",
        root: "runicorn-0.6.0",
        folder: "runicorn-0.6.0/golden",
    })
    .await;
}

#[tokio::test]
async fn reads_of_runicorn_0_7_2() {
    replay(&RecordingSet {
        name: "0.7.2",
        root: "runicorn-0.7.2",
        folder: "runicorn-0.7.2/golden",
    })
    .await;
}

#[tokio::test]
async fn reads_of_a_0_5_3_root_by_runicorn_0_6_0() {
    let folder = "runicorn-0.5.3/golden-by-0.6.0";
    replay(&RecordingSet {
        name: "0.5.3-by-0.6.0",
        root: "runicorn-0.5.3",
        folder,
    })
    .await;
}

#[tokio::test]
async fn reads_of_a_0_5_3_root_by_runicorn_0_7_2() {
    let folder = "runicorn-0.5.3/golden-by-0.7.2";
    replay(&RecordingSet {
        name: "0.5.3-by-0.7.2",
        root: "runicorn-0.5.3",
        folder,
    })
    .await;
}

#[tokio::test]
async fn ordered_writes_of_runicorn_0_6_0() {
    let folder = "runicorn-0.6.0/golden/mutations";
    replay(&RecordingSet {
        name: "0.6.0-writes",
        root: "runicorn-0.6.0",
        folder,
    })
    .await;
}

#[tokio::test]
async fn ordered_writes_of_runicorn_0_7_2() {
    let folder = "runicorn-0.7.2/golden/mutations";
    replay(&RecordingSet {
        name: "0.7.2-writes",
        root: "runicorn-0.7.2",
        folder,
    })
    .await;
}

/// No recorded request should take this long on a small root, even on a busy machine.
const SLOW: std::time::Duration = std::time::Duration::from_secs(1);

/// What a set came to.
#[derive(Default)]
struct Tally {
    in_full: usize,
    /// Status and body in full; only the rate headers are those of decisions.md 1.
    in_full_but_rate_headers: usize,
    explained: usize,
    left_out: usize,
    used: BTreeSet<usize>,
    faults: Vec<String>,
}

async fn replay(set: &RecordingSet) {
    let wanted = words_of_interest();
    let server = TestServer::on(set.root).await;
    // The real servers logged while they were recorded.
    let log = server.server().app().config().log_files.open();
    assert!(log.is_ok(), "{:?}", log.err());
    let replay = Replay::new(&server);
    let mut tally = Tally::default();
    let recordings = recording::all_in(set.folder);
    for recording in &recordings {
        let rows = rows_for(set.name, &recording.name);
        let is_wanted =
            wanted.is_empty() || wanted.iter().any(|word| recording.name.contains(word));
        if let Some((position, _)) = rows.iter().find(|(_, row)| row.at == "not replayed") {
            tally.used.insert(*position);
            tally.left_out += 1;
            continue;
        }
        if !is_wanted && !set.name.ends_with("writes") {
            continue;
        }
        let expectation = replay.expectation(recording);
        let started = std::time::Instant::now();
        let mismatches = replay.send(recording, &expectation).await;
        if started.elapsed() > SLOW {
            println!("slow: {} took {:?}", recording.name, started.elapsed());
        }
        if is_wanted {
            judge(set, recording, &expectation, &rows, mismatches, &mut tally);
        }
    }
    println!(
        "parity {}: {} answers match in full, {} but for the rate headers, {} differ as the table says, {} are not replayed (of {})",
        set.name,
        tally.in_full,
        tally.in_full_but_rate_headers,
        tally.explained,
        tally.left_out,
        recordings.len()
    );
    if wanted.is_empty() {
        report_unused_rows(set, &recordings, &mut tally);
    }
    assert!(
        tally.faults.is_empty(),
        "{} differences of {} that no row explains:\n{}",
        tally.faults.len(),
        set.name,
        tally.faults.join("\n")
    );
}

fn judge(
    set: &RecordingSet,
    recording: &Recording,
    expectation: &Expectation,
    rows: &[(usize, &Difference)],
    mismatches: Vec<Mismatch>,
    tally: &mut Tally,
) {
    if mismatches.is_empty() {
        tally.in_full += 1;
        return;
    }
    let mut is_explained = true;
    let only_rate_headers = mismatches
        .iter()
        .all(|mismatch| mismatch.at.starts_with("header/x-ratelimit-"));
    for mismatch in mismatches {
        if let Some((position, _)) = rows.iter().find(|(_, row)| row.explains(&mismatch)) {
            tally.used.insert(*position);
        } else {
            is_explained = false;
            let request = &expectation.line;
            tally.faults.push(format!(
                "  {}/{} [{request}] {mismatch}",
                set.name, recording.name
            ));
        }
    }
    if is_explained && only_rate_headers {
        tally.in_full_but_rate_headers += 1;
    } else if is_explained {
        tally.explained += 1;
    }
}

fn rows_for(set: &str, recording: &str) -> Vec<(usize, &'static Difference)> {
    DIFFERENCES
        .iter()
        .enumerate()
        .filter(|(_, row)| row.is_about(set, recording))
        .collect()
}

fn report_unused_rows(set: &RecordingSet, recordings: &[Recording], tally: &mut Tally) {
    for (position, row) in DIFFERENCES.iter().enumerate() {
        let is_about_this = recordings
            .iter()
            .any(|recording| row.is_about(set.name, &recording.name));
        if is_about_this && !tally.used.contains(&position) {
            tally.faults.push(format!(
                "  a row explains nothing in {}: {} {} ({})",
                set.name, row.recordings, row.at, row.why
            ));
        }
    }
}

fn words_of_interest() -> Vec<String> {
    let words = std::env::var_os("PARITY_ONLY").unwrap_or_default();
    let words = words.to_string_lossy();
    words
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
