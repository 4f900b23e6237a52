//! How soon the pages stand and how smoothly they move, in a real browser.

use anyhow::{Context, Result};

use super::{
    app::number_after,
    table::{Goal, Row},
};
use crate::{places, programs::capture, ui};

/// What the script measures: its name there, what it is, its unit, its goal.
const MEASURES: [(&str, &str, Measure); 15] = [
    (
        "paint_10000_runs_millis",
        "10,000 runs painted, indexed before, in a new tab",
        Measure::Millis(200.0),
    ),
    (
        "tab_paint_10000_runs_millis",
        "the same, in a tab that is open already",
        Measure::Millis(200.0),
    ),
    (
        "paint_100000_runs_millis",
        "100,000 runs painted, indexed before, in a new tab",
        Measure::Millis(1000.0),
    ),
    (
        "tab_paint_100000_runs_millis",
        "the same, in a tab that is open already",
        Measure::Millis(1000.0),
    ),
    (
        "keystroke_millis",
        "a keystroke in the search of 100,000 runs",
        Measure::Millis(50.0),
    ),
    (
        "scroll_frames_per_second",
        "scrolling through 100,000 runs",
        Measure::FramesPerSecond(55.0),
    ),
    (
        "first_charts_100x100000_millis",
        "first charts of 100 metrics x 100,000 points, from the address, in a new tab",
        Measure::Millis(250.0),
    ),
    (
        "tab_first_charts_100x100000_millis",
        "the same, in a tab that is open already",
        Measure::Millis(250.0),
    ),
    (
        "opened_charts_100x100000_millis",
        "the same, from a click in the list of runs",
        Measure::Millis(250.0),
    ),
    (
        "pan_frame_millis",
        "a frame of moving through 1,000,000 points",
        Measure::Millis(16.0),
    ),
    (
        "first_charts_5000_millis",
        "page of 5,000 charts painted, in a new tab",
        Measure::Millis(500.0),
    ),
    (
        "tab_first_charts_5000_millis",
        "the same, in a tab that is open already",
        Measure::Millis(500.0),
    ),
    (
        "compare_100_runs_10_charts_millis",
        "100 runs x 10 charts compared, from the address, in a new tab",
        Measure::Millis(500.0),
    ),
    (
        "tab_compare_100_runs_10_charts_millis",
        "the same, in a tab that is open already",
        Measure::Millis(500.0),
    ),
    (
        "ticked_100_runs_10_charts_millis",
        "the same, from the ticked runs",
        Measure::Millis(500.0),
    ),
];

#[derive(Clone, Copy)]
enum Measure {
    Millis(f64),
    FramesPerSecond(f64),
}

/// Runs the script on roots of its own, which it keeps for the next time.
pub(super) fn rows() -> Result<Vec<Row>> {
    let mut script = ui::npm(&["run", "--silent", "page-speed"]);
    script
        .env(
            "RUNICORN_VIEWER",
            places::built("release", "runicorn-viewer"),
        )
        .env("RUNICORN_BENCH", places::target().join("bench/pages"));
    let said = capture(&mut script)?;
    MEASURES
        .iter()
        .map(|(name, what, measure)| {
            let value = value_of(&said, name).with_context(|| format!("no {name} in: {said}"))?;
            Ok(match *measure {
                Measure::Millis(limit) => {
                    Row::seconds(what, Some(value / 1e3), Goal::Seconds(limit / 1e3))
                }
                Measure::FramesPerSecond(least) => {
                    Row::figure(what, value, "frames/s", Goal::AtLeast(least))
                }
            })
        })
        .collect()
}

fn value_of(said: &str, name: &str) -> Option<f64> {
    let line = said
        .lines()
        .find(|line| line.trim_start().starts_with(name))?;
    number_after(line, name)
}
