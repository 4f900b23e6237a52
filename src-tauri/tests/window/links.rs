//! Links of our own, as a browser or a chat program hands them to the app.

use std::fs;

use crate::{
    driver::Driver,
    programs::wait_until,
    screen::{STAY, Screen},
};

const RUN: &str = "20250114_153045_a1b2c3";
const OTHER: &str = "20250115_090000_b00b1e";

/// Whether the page of this run is on the screen.
fn shows(run: &str, query: &str) -> String {
    format!(
        "return location.pathname + location.search === '/run/{run}{query}' && document.querySelector('h1')?.innerText || null"
    )
}

#[tokio::test]
async fn a_link_opens_its_run_at_the_start_and_in_the_open_window_without_loading_it_anew() {
    let screen = Screen::new();
    let first = format!("runicorn://run/{RUN}");
    let driver = Driver::start_with(&screen, &[&first]).await;
    let title = driver
        .wait_for("the run of the link", &shows(RUN, ""))
        .await;
    driver.run("window.sameDocument = true").await;

    let second = format!("runicorn://run/{OTHER}?tab=logs");
    assert!(screen.app(&["--port", "0", STAY, &second]).ended_well());
    let other = driver
        .wait_for("the run of the next link", &shows(OTHER, "?tab=logs"))
        .await;
    assert_ne!(title, other);
    let kept = "return window.sameDocument === true";
    assert_eq!(driver.run(kept).await, true, "the page was loaded anew");
    driver.run("history.back()").await;
    driver.wait_for("the step back", &shows(RUN, "")).await;
    driver.end().await;
}

#[tokio::test]
async fn a_link_that_names_no_view_leaves_the_window_as_it_is_and_is_a_line_in_the_log() {
    let screen = Screen::new();
    let driver = Driver::start_with(&screen, &["runicorn://api/runs"]).await;
    let listed = "return document.querySelectorAll('[role=rowgroup] [role=row]').length > 1";
    driver.wait_for("the runs", listed).await;
    let before = driver.run("return location.href").await;
    for (count, link) in [
        "runicorn://evil.example/run/a",
        "https://evil.example/",
        "runicorn://run/..%2fapi",
    ]
    .iter()
    .enumerate()
    {
        assert!(screen.app(&["--port", "0", STAY, link]).ended_well());
        wait_until("the line in the log", || {
            let log = fs::read_to_string(screen.state().join("logs/viewer.log")).ok()?;
            let refused = log.matches("a link is not followed").count();
            (refused == count + 2).then_some(())
        });
    }
    // A link that is good comes after them: they would have been shown before it.
    assert!(
        screen
            .app(&["--port", "0", STAY, "runicorn://gpus"])
            .ended_well()
    );
    driver
        .wait_for(
            "the view of a good link",
            "return location.pathname === '/gpus'",
        )
        .await;
    driver.run("history.back()").await;
    let is_back = format!("return location.href === {before}");
    driver.wait_for("the view before all links", &is_back).await;
    driver.end().await;
}
