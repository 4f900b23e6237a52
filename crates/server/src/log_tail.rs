//! The last lines of one of our own log files, and those that come after. Rotation and truncation begin the file anew.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// No answer is larger, however long the lines are.
const READ_BYTES: u64 = 8 << 20;

/// A place in a log file.
pub(crate) struct LogTail {
    path: PathBuf,
    position: u64,
    identity: Option<u64>,
}

impl LogTail {
    pub(crate) fn of(path: PathBuf) -> Self {
        Self {
            path,
            position: 0,
            identity: None,
        }
    }

    /// The last lines; afterwards [`Self::new_lines`] gives what comes.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(crate) fn last_lines(&mut self, count: usize) -> io::Result<Vec<String>> {
        let Some((mut file, length)) = self.open()? else {
            return Ok(Vec::new());
        };
        let start = length.saturating_sub(READ_BYTES);
        let text = self.read(&mut file, start, length)?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if start > 0 && !lines.is_empty() {
            lines.remove(0);
        }
        Ok(lines.split_off(lines.len().saturating_sub(count)))
    }

    /// Whole lines that have come since the last call. A file that has shrunk or was replaced is read from its beginning.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub(crate) fn new_lines(&mut self) -> io::Result<Vec<String>> {
        let known = self.identity;
        let Some((mut file, length)) = self.open()? else {
            return Ok(Vec::new());
        };
        if length < self.position || known.is_some_and(|known| Some(known) != self.identity) {
            self.position = 0;
        }
        let start = self.position;
        let text = self.read(&mut file, start, length.min(start + READ_BYTES))?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn open(&mut self) -> io::Result<Option<(File, u64)>> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let metadata = file.metadata()?;
        self.identity = identity_of(&metadata);
        Ok(Some((file, metadata.len())))
    }

    /// Reads up to the last line end before `end`.
    fn read(&mut self, file: &mut File, start: u64, end: u64) -> io::Result<String> {
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(end - start).read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        bytes.truncate(whole);
        self.position = start + whole as u64;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn identity_of(metadata: &std::fs::Metadata) -> Option<u64> {
    Some(std::os::unix::fs::MetadataExt::ino(metadata))
}

#[cfg(not(unix))]
fn identity_of(_: &std::fs::Metadata) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_whole_and_a_rotated_file_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let append = |text: &str| {
            let mut file = std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(&path)
                .unwrap();
            file.write_all(text.as_bytes()).unwrap();
        };
        let mut tail = LogTail::of(path.clone());
        assert!(tail.last_lines(2).unwrap().is_empty());
        append("a\nb\nc\nhalf");
        assert_eq!(tail.last_lines(2).unwrap(), ["b", "c"]);
        assert!(tail.new_lines().unwrap().is_empty());
        append(" line\nd\n");
        assert_eq!(tail.new_lines().unwrap(), ["half line", "d"]);
        std::fs::write(&path, "e\n").unwrap();
        assert_eq!(tail.new_lines().unwrap(), ["e"]);
        std::fs::rename(&path, folder.path().join("log.1")).unwrap();
        append("f\n");
        assert_eq!(tail.new_lines().unwrap(), ["f"]);
    }
}
