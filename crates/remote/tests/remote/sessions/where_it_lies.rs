//! Where our viewer goes when the home folder cannot hold it. Needs root, for mounts.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use crate::support::app::{App, bundled, clear_shared_places, nothing_left, packed_viewer};
use crate::support::sshd::{Sshd, is_root_or_skip, program, run};

/// A file system of its own on a folder of the far side.
struct Mount(PathBuf);

impl Mount {
    /// Mounts one, where this machine allows that at all.
    fn on(folder: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let mounted = program("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(folder)
            .output()
            .unwrap();
        if !mounted.status.success() {
            println!("skipped, cannot mount here: {mounted:?}");
            return None;
        }
        Some(Self(folder.to_owned()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run(program("umount").arg("--lazy").arg(&self.0));
    }
}

async fn goes_elsewhere(options: &str, then: impl Fn(&Path)) {
    if !is_root_or_skip("mounts") {
        return;
    }
    let Some(viewer) = packed_viewer("other places") else {
        return;
    };
    let sshd = Sshd::start();
    let cache = sshd.home().join(".cache");
    let all = format!("{options},mode=700,uid={}", sshd.uid());
    let Some(mount) = Mount::on(&cache, &all) else {
        return;
    };
    then(&cache);
    // The next place in the home is a good one.
    let state = sshd.home().join(".local");
    fs::create_dir(&state).unwrap();
    chown(&state, Some(sshd.uid()), None).unwrap();
    let app = App::knowing(&[&sshd], &viewer);
    let info = app.start(bundled(&sshd)).await.unwrap();
    let health = app.health(&info.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    let place = state.join("state/runicorn-desktop/viewers");
    assert!(
        fs::read_dir(place).unwrap().count() == 1,
        "it lies in the next place"
    );
    assert!(!cache.join("runicorn-desktop/viewers").exists());
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
    drop(app);
    drop(mount);
}

#[tokio::test]
async fn a_folder_where_programs_may_not_run_is_passed_over() {
    goes_elsewhere("size=200m,noexec", |_| {}).await;
}

#[tokio::test]
async fn a_full_folder_is_passed_over() {
    goes_elsewhere("size=1m", |_| {}).await;
}

#[tokio::test]
async fn a_read_only_folder_is_passed_over() {
    goes_elsewhere("size=200m", |folder| {
        run(program("mount").args(["-o", "remount,ro"]).arg(folder));
    })
    .await;
}

#[tokio::test]
async fn a_home_that_cannot_be_written_at_all_leaves_the_shared_places() {
    if !is_root_or_skip("mounts") {
        return;
    }
    let Some(viewer) = packed_viewer("a read-only home") else {
        return;
    };
    let sshd = Sshd::start();
    let Some(mount) = Mount::on(sshd.home(), "size=1m") else {
        return;
    };
    run(program("mount").args(["-o", "remount,ro"]).arg(sshd.home()));
    let app = App::knowing(&[&sshd], &viewer);
    let info = app.start(bundled(&sshd)).await.unwrap();
    let health = app.health(&info.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
    clear_shared_places(&sshd);
    drop(mount);
}
