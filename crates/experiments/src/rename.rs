//! A rename that never replaces what is already there.

use std::io;

use cap_std::fs::Dir;

/// Moves `from` to `to`, both relative to `root`. `AlreadyExists` when something stands at `to`.
#[cfg(target_os = "linux")]
pub(crate) fn rename_no_replace(root: &Dir, from: &str, to: &str) -> io::Result<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    use rustix::io::Errno;

    let (from_dir, from_name) = parent_and_name(root, from)?;
    let (to_dir, to_name) = parent_and_name(root, to)?;
    match renameat_with(
        &from_dir,
        from_name,
        &to_dir,
        to_name,
        RenameFlags::NOREPLACE,
    ) {
        // file systems without the flag
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => rename_after_look(root, from, to),
        outcome => outcome.map_err(io::Error::from),
    }
}

/// Moves `from` to `to`, both relative to `root`. `AlreadyExists` when something stands at `to`.
#[cfg(not(target_os = "linux"))]
pub(crate) fn rename_no_replace(root: &Dir, from: &str, to: &str) -> io::Result<()> {
    rename_after_look(root, from, to)
}

fn rename_after_look(root: &Dir, from: &str, to: &str) -> io::Result<()> {
    if crate::journal::exists(root, to)? {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    root.rename(from, root, to)
}

#[cfg(target_os = "linux")]
fn parent_and_name<'a>(root: &Dir, path: &'a str) -> io::Result<(Dir, &'a str)> {
    let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
    if name.is_empty() || name == "." || name == ".." {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a path must end in a name",
        ));
    }
    Ok((root.open_dir(parent)?, name))
}
