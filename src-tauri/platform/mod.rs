//! What differs between systems, one file each; nothing else in the shell asks which system it is on.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod native_editing;
#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::{edit, edit_items};
#[cfg(not(target_os = "linux"))]
pub(crate) use native_editing::{edit, edit_items};
#[cfg(unix)]
pub(crate) use unix::{asked_to_end, become_program};
#[cfg(not(unix))]
pub(crate) use windows::{asked_to_end, become_program};
