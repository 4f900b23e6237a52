//! What differs between systems, one file each; nothing else in the shell asks which system it is on.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod linux_tray;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "linux"))]
mod native_editing;
#[cfg(not(target_os = "linux"))]
mod native_tray;
#[cfg(not(target_os = "macos"))]
mod no_opened_links;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{edit, edit_items, let_page_drag};
#[cfg(target_os = "linux")]
pub(crate) use linux_tray::show_tray;
#[cfg(target_os = "macos")]
pub(crate) use macos::links_of;
#[cfg(not(target_os = "linux"))]
pub(crate) use native_editing::{edit, edit_items, let_page_drag};
#[cfg(not(target_os = "linux"))]
pub(crate) use native_tray::show_tray;
#[cfg(not(target_os = "macos"))]
pub(crate) use no_opened_links::links_of;
#[cfg(unix)]
pub(crate) use unix::{asked_to_end, become_program};
#[cfg(not(unix))]
pub(crate) use windows::{asked_to_end, become_program};
