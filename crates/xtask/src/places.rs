//! Where things are: the repository, what is built, and the tools we install for ourselves.

use std::path::PathBuf;

/// The repository's top folder: where cargo runs us from, which outlives a clone that was moved after it was built.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.ancestors().nth(2).unwrap_or(&here).to_path_buf()
}

/// Cargo's target folder, wherever it was pointed to.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(elsewhere) => root().join(elsewhere),
        None => root().join("target"),
    }
}

/// The web app's sources.
pub(crate) fn ui() -> PathBuf {
    root().join("ui")
}

/// Programs that we install for ourselves, as `cargo install --root` lays them out.
pub(crate) fn tools() -> PathBuf {
    target().join("tools")
}

/// Python environments, one per Runicorn version: `rn6` and `rn7`.
pub(crate) fn pythons() -> PathBuf {
    target().join("python")
}

/// A built program of ours.
pub(crate) fn built(profile: &str, name: &str) -> PathBuf {
    target()
        .join(profile)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
