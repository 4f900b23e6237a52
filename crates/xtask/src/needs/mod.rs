//! What a command needs on this machine: installed where we can, named exactly where we cannot.

pub(crate) mod node;
pub(crate) mod python;
pub(crate) mod system;
pub(crate) mod tools;

use anyhow::Result;

/// To build the web app and the headless viewer.
pub(crate) fn for_viewer() -> Result<()> {
    system::ensure(&[system::BUILD])?;
    node::ensure()
}

/// To build and open the desktop app.
pub(crate) fn for_app() -> Result<()> {
    system::ensure(&[system::BUILD, system::WEBVIEW])?;
    node::ensure()
}

/// To run every test.
pub(crate) fn for_tests() -> Result<()> {
    system::ensure(&[
        system::BUILD,
        system::WEBVIEW,
        system::BROWSERS,
        system::OTHER_MACHINES,
    ])?;
    node::ensure()?;
    tools::ensure_tauri_driver()?;
    python::ensure_all()
}
