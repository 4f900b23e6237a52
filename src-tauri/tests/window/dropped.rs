//! Folders and files that a file manager drops onto the real window.

use std::fs;

use crate::{driver::Driver, file_drag::FileDrag, screen::Screen, x_window::XWindow};

/// The path in the dialog that asks for a storage folder.
const OFFERED: &str = "return document.querySelector('dialog input')?.value || null";

#[tokio::test]
async fn a_folder_dropped_onto_the_window_is_offered_and_shown_when_the_person_says_so() {
    let screen = Screen::new();
    let other = screen.root().with_file_name("other runs – 別");
    Screen::write_run(&other, "20260105_000000_fa0001", "from the dropped folder");
    let driver = Driver::start(&screen).await;
    let listed = "return document.querySelectorAll('[role=rowgroup] [role=row]').length > 1";
    driver.wait_for("the runs", listed).await;
    let window = XWindow::titled(screen.display(), "Runicorn");
    let told = "document.body.innerText.includes('Drop a folder to see its runs')";
    for is_let_go in [false, true] {
        let drag = FileDrag::over(screen.display(), &window, &other);
        driver
            .wait_for("where to drop it", &format!("return {told}"))
            .await;
        if is_let_go {
            drag.let_go();
        } else {
            drag.leave();
        }
        driver
            .wait_for("the end of the drag", &format!("return !{told}"))
            .await;
    }
    let offered = driver.wait_for("the folder's path", OFFERED).await;
    assert_eq!(offered, other.to_str().unwrap());
    assert_eq!(driver.run(SHOWS_OTHER).await, false, "it was shown unasked");
    driver.click_text("button", "Use this folder").await;
    driver.wait_for("the run in it", SHOWS_OTHER).await;
    driver.end().await;
}

const SHOWS_OTHER: &str = "return [...document.querySelectorAll('[role=row]')].some((row) => row.innerText.includes('from the dropped folder'))";

#[tokio::test]
async fn a_file_dropped_onto_the_window_is_not_opened_and_the_window_says_why() {
    let screen = Screen::new();
    let file = screen.root().with_file_name("notes.txt");
    fs::write(&file, "notes").unwrap();
    let driver = Driver::start(&screen).await;
    let listed = "return document.querySelectorAll('[role=rowgroup] [role=row]').length > 1";
    driver.wait_for("the runs", listed).await;
    let before = driver.run("return location.href").await;
    let window = XWindow::titled(screen.display(), "Runicorn");
    FileDrag::over(screen.display(), &window, &file).let_go();
    let says_why = "return document.body.innerText.includes('Only folders can be opened')";
    driver.wait_for("why it is not opened", says_why).await;
    assert_eq!(driver.run("return location.href").await, before);
    assert_eq!(driver.run(OFFERED).await, serde_json::Value::Null);
    driver.end().await;
}
