//! A file that another process appends to: who it is, whether it is still the same one, and reads at any place of it.
//!
//! A writer may also cut the file, replace it or rewrite it in place. Identity and times from the file system tell most of that;
//! some bytes from the head and from just before the place already read tell the rest.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use xxhash_rust::xxh3::xxh3_64;

/// How many bytes at the head and before the offset are remembered (by their hash).
const ANCHOR_BYTES: u64 = 4096;

/// File systems keep times as coarsely as this.
const COARSEST_CLOCK_NS: i128 = 2_000_000_000;

/// So long a write may take from setting the time of the file to setting its size: a writer may lose its turn in between.
const WRITE_PATIENCE: Duration = Duration::from_millis(100);

/// What the file system says about a file at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileStamp {
    /// Device and inode; zero where the system has none.
    pub(crate) identity: (u64, u64),
    /// Size in bytes.
    pub(crate) bytes: u64,
    /// Time of the last write, in nanoseconds since 1970.
    pub(crate) modified_ns: i128,
    /// Time of the last change of any kind, in nanoseconds since 1970; 0 where the system has none.
    pub(crate) changed_ns: i128,
}

impl FileStamp {
    /// Asks the file system about an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let modified_ns = metadata.modified().map_or(0, crate::run_dir::nanoseconds);
        let (identity, changed_ns) = identity_of(&metadata);
        Ok(Self {
            identity,
            bytes: metadata.len(),
            modified_ns,
            changed_ns,
        })
    }

    /// Whether the last change is so long ago that a later one must have another time.
    pub(crate) fn is_settled(&self) -> bool {
        let now = crate::run_dir::nanoseconds(std::time::SystemTime::now());
        now - self.modified_ns.max(self.changed_ns) > COARSEST_CLOCK_NS
    }
}

#[cfg(unix)]
fn identity_of(metadata: &std::fs::Metadata) -> ((u64, u64), i128) {
    use std::os::unix::fs::MetadataExt;
    let changed_ns =
        i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    ((metadata.dev(), metadata.ino()), changed_ns)
}

#[cfg(not(unix))]
fn identity_of(metadata: &std::fs::Metadata) -> ((u64, u64), i128) {
    (
        (0, 0),
        metadata.created().map_or(0, crate::run_dir::nanoseconds),
    )
}

/// Hashes of the bytes that show whether what was read is still there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchors {
    /// Where reading stopped.
    pub(crate) offset: u64,
    /// Hash of the first bytes of the file, at most 4,096 and not past `offset`.
    pub(crate) head: u64,
    /// Hash of the last bytes before `offset`.
    pub(crate) before: u64,
}

impl Anchors {
    /// Remembers the bytes around what has been read up to `offset`.
    pub(crate) fn at(file: &File, offset: u64) -> io::Result<Self> {
        let length = offset.min(ANCHOR_BYTES);
        let mut buffer = Vec::new();
        read_range(file, 0, length, &mut buffer)?;
        let head = xxh3_64(&buffer);
        read_range(file, offset - length, offset, &mut buffer)?;
        Ok(Self {
            offset,
            head,
            before: xxh3_64(&buffer),
        })
    }

    /// Whether the file still has these bytes.
    pub(crate) fn hold(&self, file: &File) -> io::Result<bool> {
        Ok(Self::at(file, self.offset)? == *self)
    }
}

/// What has happened to a file since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// Bytes were appended; what was read still stands.
    Grown,
    /// It was cut, replaced or rewritten: read it from the start.
    Replaced,
}

/// What is remembered of a file between two reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// The file when it was read.
    pub(crate) stamp: FileStamp,
    /// Bytes that show whether what was read still stands.
    pub(crate) anchors: Anchors,
    /// Whether the last write was so long before the read that a later one must have another time.
    pub(crate) settled: bool,
}

impl Known {
    /// Remembers a file that was read up to `offset` after `stamp` was taken.
    pub(crate) fn of(file: &File, stamp: FileStamp, offset: u64) -> io::Result<Self> {
        Ok(Self {
            stamp,
            anchors: Anchors::at(file, offset)?,
            settled: stamp.is_settled(),
        })
    }

    /// Compares the file as it is `now` with what is known. `now` is taken anew where the file was just being written.
    pub(crate) fn change(&mut self, file: &File, now: &mut FileStamp) -> io::Result<Change> {
        self.wait_for_the_write_under_way(file, now)?;
        let same = *now == self.stamp;
        if same && self.settled {
            return Ok(Change::None);
        }
        if now.identity != self.stamp.identity
            || now.bytes < self.stamp.bytes
            || !self.anchors.hold(file)?
        {
            return Ok(Change::Replaced);
        }
        if now.bytes > self.stamp.bytes {
            return Ok(Change::Grown);
        }
        self.settled = now.is_settled();
        // The same size at another time: only reading it all could tell a rewrite in the middle from a touch.
        Ok(if same { Change::None } else { Change::Replaced })
    }

    /// A system sets the time of a file before its size while it appends. The same size at another time is therefore looked at again
    /// for a moment: a write under way ends, a rewrite stays as it is.
    fn wait_for_the_write_under_way(&self, file: &File, now: &mut FileStamp) -> io::Result<()> {
        let start = Instant::now();
        while now.identity == self.stamp.identity
            && now.bytes == self.stamp.bytes
            && *now != self.stamp
            && start.elapsed() < WRITE_PATIENCE
        {
            std::thread::sleep(Duration::from_millis(1));
            *now = FileStamp::of(file)?;
        }
        Ok(())
    }
}

/// Fills `buffer` with the bytes from `from` to `to`, fewer when the file ends before.
pub(crate) fn read_range(file: &File, from: u64, to: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let length = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
    buffer.resize(length, 0);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match read_at(file, rest, from + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(())
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}
