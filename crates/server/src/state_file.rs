//! Small JSON files of our state folder that several processes of one user change: the app, its second window, a headless viewer.
//!
//! A change locks, reads what the others wrote, changes that, and replaces the file whole. What is kept in memory is only what was last
//! seen.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::sdk_config::{read_bounded, write_whole};

/// Changes the value of a file, or `known` where the file says nothing, and gives back the new value. Blocks.
pub(crate) fn change<T: Serialize + DeserializeOwned + Clone>(
    file: &Path,
    limit_bytes: u64,
    known: &T,
    change: impl FnOnce(&mut T),
) -> io::Result<T> {
    let _lock = lock(file)?;
    let mut value = read(file, limit_bytes).unwrap_or_else(|| known.clone());
    change(&mut value);
    write_whole(file, &serde_json::to_vec_pretty(&value)?)?;
    Ok(value)
}

/// The value of a file; `None` when it is missing or damaged.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, limit_bytes: u64) -> Option<T> {
    let bytes = read_bounded(file, limit_bytes).ok()?;
    serde_json::from_slice(&bytes)
        .inspect_err(|error| {
            tracing::warn!(%error, file = %file.display(), "the file is damaged and begins anew");
        })
        .ok()
}

/// The lock beside a file; it goes with the handle. A file system without locks is not waited for: one process is the common case.
fn lock(file: &Path) -> io::Result<Option<File>> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(file.with_extension("lock"))?;
    match lock.lock() {
        Ok(()) => Ok(Some(lock)),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_several_processes_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/words.json");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for word in 0..10 {
                        let add = |words: &mut Vec<String>| words.push(format!("{thread}-{word}"));
                        change(file, 1 << 20, &Vec::new(), add).unwrap();
                    }
                });
            }
        });
        let words: Vec<String> = read(&file, 1 << 20).unwrap();
        assert_eq!(words.len(), 40);
    }

    #[test]
    fn what_was_known_takes_the_place_of_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("words.json");
        std::fs::write(&file, "[\"cut").unwrap();
        let words = change(&file, 100, &vec![1], |words| words.push(2)).unwrap();
        assert_eq!(words, [1, 2]);
        assert_eq!(read::<Vec<i32>>(&file, 100), Some(vec![1, 2]));
        assert_eq!(read::<Vec<i32>>(&file, 2), None, "too large");
    }
}
