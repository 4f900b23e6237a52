//! Cargo tools of our own, below `target/tools`.

use anyhow::Result;

use crate::{
    places,
    programs::{capture, cargo, program, run},
};

/// The `WebDriver` front for the desktop window; 2.x belongs to Tauri 2.
const TAURI_DRIVER: &str = "2.1.0";

/// Makes `tauri-driver` answer.
pub(crate) fn ensure_tauri_driver() -> Result<()> {
    if !cfg!(target_os = "linux") || has_tauri_driver() {
        return Ok(());
    }
    let mut install = cargo();
    install
        .args([
            "install",
            "tauri-driver",
            "--locked",
            "--version",
            TAURI_DRIVER,
            "--root",
        ])
        .arg(places::tools());
    run(&mut install)
}

fn has_tauri_driver() -> bool {
    // It has no --version of its own, so cargo's own list is asked.
    let list = capture(
        cargo()
            .args(["install", "--list", "--root"])
            .arg(places::tools()),
    );
    list.is_ok_and(|text| text.contains(&format!("tauri-driver v{TAURI_DRIVER}")))
}

/// Whether cargo has this subcommand.
pub(crate) fn has_cargo(subcommand: &str) -> bool {
    crate::programs::find(format!("cargo-{subcommand}")).is_some()
        && crate::programs::succeeds(
            program(format!("cargo-{subcommand}")).args([subcommand, "--version"]),
        )
}
