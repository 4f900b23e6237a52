//! Cargo tools of our own, below `target/tools`.

use std::path::PathBuf;

use anyhow::Result;

use super::python;
use crate::{
    places,
    programs::{capture, cargo, program, run},
};

/// The `WebDriver` front for the desktop window; 2.x belongs to Tauri 2.
const TAURI_DRIVER: &str = "2.1.0";

/// Links against the C libraries of old systems.
const CARGO_ZIGBUILD: &str = "0.24.1";
/// The linker and C compiler below it, from the Python package index.
const ZIGLANG: &str = "ziglang==0.17.1";

/// Makes `tauri-driver` answer.
pub(crate) fn ensure_tauri_driver() -> Result<()> {
    if cfg!(target_os = "linux") {
        ensure("tauri-driver", TAURI_DRIVER)
    } else {
        Ok(())
    }
}

/// Makes `cargo zigbuild` answer; gives the Python environment that zig is in.
pub(crate) fn ensure_zig() -> Result<PathBuf> {
    let zig = places::pythons().join("zig");
    python::ensure(&zig, &[ZIGLANG])?;
    ensure("cargo-zigbuild", CARGO_ZIGBUILD)?;
    Ok(zig)
}

/// Installs one crate's programs below our tools, unless this version is there.
fn ensure(name: &str, version: &str) -> Result<()> {
    if is_installed(name, version) {
        return Ok(());
    }
    let mut install = cargo();
    install
        .args(["install", name, "--locked", "--version", version, "--root"])
        .arg(places::tools());
    run(&mut install)
}

fn is_installed(name: &str, version: &str) -> bool {
    // Not every tool has a --version of its own, so cargo's own list is asked.
    let list = capture(
        cargo()
            .args(["install", "--list", "--root"])
            .arg(places::tools()),
    );
    list.is_ok_and(|text| text.contains(&format!("{name} v{version}")))
}

/// Whether cargo has this subcommand.
pub(crate) fn has_cargo(subcommand: &str) -> bool {
    crate::programs::find(format!("cargo-{subcommand}")).is_some()
        && crate::programs::succeeds(
            program(format!("cargo-{subcommand}")).args([subcommand, "--version"]),
        )
}
