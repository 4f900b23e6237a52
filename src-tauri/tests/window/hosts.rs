//! Another machine in the real window: a real OpenSSH server, connected through the dialog, cut off and back again.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use serde_json::json;

use self::sshd::Sshd;
use crate::{driver::Driver, screen::Screen};

#[path = "../../../crates/remote/tests/support/sshd.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of `remote`, which use more of it"
)]
mod sshd;

/// The far side's name in the user's ssh configuration.
const HOST: &str = "gpu-test";

#[tokio::test]
async fn a_server_is_connected_through_the_dialog_and_its_runs_come_back_after_a_cut() {
    let mut sshd = Sshd::start();
    write_run(sshd.home(), "20260102_000000_fa0001", "far one");
    let screen = Screen::new();
    screen.write_ssh_config(&format!(
        "Host {HOST}\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  IdentitiesOnly yes\n",
        sshd.port(),
        sshd.username(),
        sshd.key().display()
    ));
    screen.carry_viewer();
    let driver = Driver::start(&screen).await;
    driver.go("/hosts").await;
    driver.wait_for("the server in the list", &row(HOST)).await;
    driver.click_text("*[@role='row']", HOST).await;
    driver.click_text("button", "Connect").await;
    driver.click_text("button", "Trust and connect").await;
    driver
        .wait_for("the far run in the list", &row("far one"))
        .await;
    assert_eq!(
        driver.run("return location.pathname").await,
        format!("/at/ssh:{HOST}/runs")
    );
    driver.run("window.sameDocument = true").await;

    sshd.stop();
    let is_down = format!("return {DOWN}");
    driver
        .wait_for("the note that the link is down", &is_down)
        .await;
    assert_eq!(driver.run(&row("far one")).await, true, "the list went");
    write_run(sshd.home(), "20260105_000000_fa0002", "while away");
    sshd.start_again();
    driver
        .wait_for("the run of meanwhile", &row("while away"))
        .await;
    driver
        .wait_for("the end of the note", &format!("return !{DOWN}"))
        .await;
    assert_eq!(
        driver.run("return window.sameDocument === true").await,
        true,
        "the page was loaded anew"
    );
    driver.end().await;
}

/// Whether a note says that the link is down.
const DOWN: &str = "[...document.querySelectorAll('[role=status]')].some((note) => note.innerText.includes('is down and is being made again'))";

/// Whether a row has these words.
fn row(words: &str) -> String {
    format!(
        "return [...document.querySelectorAll('[role=row]')].some((row) => row.innerText.includes('{words}'))"
    )
}

/// A finished run as the SDK leaves it, below the folder that is customary over there.
fn write_run(home: &Path, id: &str, alias: &str) {
    let owner = home.metadata().unwrap().uid();
    let mut folder = home.to_path_buf();
    for part in ["runicorn_data", "runs", "far", id] {
        folder.push(part);
        fs::create_dir_all(&folder).unwrap();
        chown(&folder, Some(owner), None).unwrap();
    }
    let created_at = 1_767_312_000.0;
    let meta = json!({"id": id, "path": "far", "alias": alias, "created_at": created_at});
    let status = json!({"status": "finished", "started_at": created_at});
    for (name, content) in [("meta.json", meta), ("status.json", status)] {
        fs::write(folder.join(name), content.to_string()).unwrap();
        chown(folder.join(name), Some(owner), None).unwrap();
    }
}
