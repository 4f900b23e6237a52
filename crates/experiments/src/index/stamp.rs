//! What tells that a file or folder is as it was: times, size and identity.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;

/// Length of one stamp in bytes, as it is stored.
pub(crate) const STAMP_BYTES: usize = 40;
/// A change within this long before a look may hide a second one with the same stamp; such things are looked at again.
const COARSEST_CLOCK_NS: i64 = 2_000_000_000;

/// Times, size and identity of a file or folder. All zero when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stamp {
    pub(crate) modified_ns: i64,
    pub(crate) changed_ns: i64,
    pub(crate) bytes: u64,
    pub(crate) node: u64,
    pub(crate) device: u64,
}

impl Stamp {
    pub(crate) fn exists(&self) -> bool {
        *self != Self::default()
    }

    /// Whether the thing may have changed again after it was looked at, without showing it.
    pub(crate) fn is_racy(&self, looked_at_ns: i64) -> bool {
        self.modified_ns != 0 && self.modified_ns > looked_at_ns.saturating_sub(COARSEST_CLOCK_NS)
    }

    /// What a folder or file is known by, whatever leads to it.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device, self.node)
    }

    pub(crate) fn to_bytes(self) -> [u8; STAMP_BYTES] {
        let words = [
            self.modified_ns.cast_unsigned(),
            self.changed_ns.cast_unsigned(),
            self.bytes,
            self.node,
            self.device,
        ];
        let mut bytes = [0; STAMP_BYTES];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| {
            Some(u64::from_le_bytes(
                bytes.get(at * 8..at * 8 + 8)?.try_into().ok()?,
            ))
        };
        Some(Self {
            modified_ns: word(0)?.cast_signed(),
            changed_ns: word(1)?.cast_signed(),
            bytes: word(2)?,
            node: word(3)?,
            device: word(4)?,
        })
    }
}

#[cfg(unix)]
mod system {
    use std::os::fd::AsFd;

    use rustix::fs::{AtFlags, FileType, Stat, fstat, statat};

    use super::{Dir, Path, Stamp, io};

    #[expect(
        clippy::unnecessary_cast,
        clippy::cast_possible_wrap,
        reason = "the widths differ between systems"
    )]
    fn stamp(stat: &Stat) -> Stamp {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Stamp {
            modified_ns: nanoseconds(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed_ns: nanoseconds(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
            bytes: u64::try_from(stat.st_size).unwrap_or_default(),
            node: stat.st_ino as u64,
            device: stat.st_dev as u64,
        }
    }

    /// Stamp of an open folder. Its size says nothing.
    pub(crate) fn of_dir(dir: &Dir) -> io::Result<Stamp> {
        Ok(Stamp {
            bytes: 0,
            ..stamp(&fstat(dir.as_fd())?)
        })
    }

    /// Stamp of a name in an open folder, and whether it is a link; links are not followed.
    pub(crate) fn of_name(dir: &Dir, name: &Path) -> (Stamp, bool) {
        match statat(dir.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => {
                let kind = FileType::from_raw_mode(stat.st_mode);
                let mut stamp = stamp(&stat);
                if kind == FileType::Directory {
                    stamp.bytes = 0;
                }
                (stamp, kind == FileType::Symlink)
            }
            Err(_) => (Stamp::default(), false),
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Dir, Path, Stamp, io};

    fn stamp(metadata: &cap_std::fs::Metadata) -> Stamp {
        let modified = metadata.modified().map(cap_std::time::SystemTime::into_std);
        let created = metadata.created().map(cap_std::time::SystemTime::into_std);
        let nanoseconds =
            |time| i64::try_from(crate::run_dir::nanoseconds(time)).unwrap_or_default();
        Stamp {
            modified_ns: modified.map(nanoseconds).unwrap_or_default(),
            changed_ns: created.map(nanoseconds).unwrap_or_default(),
            bytes: if metadata.is_dir() { 0 } else { metadata.len() },
            node: 1,
            device: 0,
        }
    }

    /// Stamp of an open folder.
    pub(crate) fn of_dir(dir: &Dir) -> io::Result<Stamp> {
        dir.dir_metadata().map(|metadata| stamp(&metadata))
    }

    /// Stamp of a name in an open folder, and whether it is a link; links are not followed.
    pub(crate) fn of_name(dir: &Dir, name: &Path) -> (Stamp, bool) {
        match dir.symlink_metadata(name) {
            Ok(metadata) => (stamp(&metadata), metadata.is_symlink()),
            Err(_) => (Stamp::default(), false),
        }
    }
}

pub(crate) use system::{of_dir, of_name};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_its_bytes() {
        let stamp = Stamp {
            modified_ns: -5,
            changed_ns: i64::MAX,
            bytes: 7,
            node: u64::MAX,
            device: 3,
        };
        assert_eq!(Stamp::from_bytes(&stamp.to_bytes()), Some(stamp));
        assert_eq!(Stamp::from_bytes(b"short"), None);
    }

    #[test]
    fn a_just_written_file_is_looked_at_again() {
        let stamp = Stamp {
            modified_ns: 10_000_000_000,
            node: 1,
            ..Stamp::default()
        };
        assert!(stamp.is_racy(11_000_000_000));
        assert!(stamp.is_racy(9_000_000_000));
        assert!(!stamp.is_racy(12_000_000_000));
        assert!(!Stamp::default().is_racy(0));
    }
}
