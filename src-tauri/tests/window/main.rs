//! The real app in a real window, on a display without a screen, driven as a person would.
//!
//! Needs `Xvfb`, `dbus-daemon`, `WebKitWebDriver` and `tauri-driver`, which `cargo xtask test` installs.
#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod driver;
mod dropped;
mod file_drag;
mod hosts;
mod life;
mod links;
mod pages;
mod programs;
mod screen;
mod tray;
mod tray_host;
mod x_window;
