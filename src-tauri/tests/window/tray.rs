//! The tray of the real app, looked at from the other side of the bus.

use std::fs;

use crate::{
    driver::Driver,
    programs::wait_until,
    screen::{STAY, Screen},
    tray_host::TrayHost,
};

const RUN: &str = "20260105_000000_fa0001";

#[tokio::test]
async fn the_tray_counts_runs_as_they_begin_and_end_and_leads_to_one() {
    let screen = Screen::new();
    fs::remove_dir_all(screen.root().join("runs")).unwrap();
    fs::create_dir(screen.root().join("runs")).unwrap();
    let host = TrayHost::on(screen.bus());
    let driver = Driver::start(&screen).await;
    let item = host.item();
    let says = |words: &str| wait_until(words, || (item.tip() == words).then_some(()));
    says("No run is running");
    assert_eq!(item.title(), "Runicorn");
    let (width, height, bytes) = item.picture();
    assert_eq!(i32::try_from(bytes).unwrap(), width * height * 4);
    let ways = ["Show Runicorn", "Open in browser", "Quit Runicorn"];
    assert_eq!(item.words(), ways);

    Screen::write_run(&screen.root(), RUN, "night_run");
    says("1 run is running");
    assert_eq!(item.words()[0], "night__run", "a letter became a key");
    driver.go("/gpus").await;
    item.choose("night__run");
    let shown = format!("return location.pathname === '/run/{RUN}'");
    driver.wait_for("the run in the window", &shown).await;
    item.choose("Open in browser");
    let origin = driver.run("return location.origin").await;
    screen.wait_until_opened(&format!("{}/", origin.as_str().unwrap()));

    Screen::say(&screen.root(), RUN, "finished");
    says("No run is running");
    assert_eq!(item.words(), ways);
    driver.end().await;
}

#[test]
fn a_tray_that_comes_later_gets_the_item_and_its_quit_ends_the_app() {
    let screen = Screen::new();
    let mut app = screen.app(&["--port", "0", STAY]);
    app.line_with("the frame has painted");
    let before = app.said();
    let is_loud = |line: &str| line.contains("tray") && !line.contains("DEBUG");
    assert!(!before.lines().any(is_loud), "{before}");
    let item = TrayHost::on(screen.bus()).item();
    item.press();
    app.line_with("brought to the front");
    item.choose("Quit Runicorn");
    assert!(app.ended_well());
}
