//! The directory of one run, opened through the storage root's handle, so that no name and no link reaches anything outside it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

use crate::error::{ReadProblem, StoreError};
use crate::layout;
use crate::run::{Layout, RunId, RunPath};

/// A storage root that was opened once; every file below it is reached through this handle.
#[derive(Debug)]
pub struct RootDir {
    /// Absolute path, as the SDK would print it.
    pub path: PathBuf,
    /// The handle.
    pub dir: Dir,
}

impl RootDir {
    /// Opens a root.
    pub fn open(path: &Path) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        Ok(Self {
            path: path.to_owned(),
            dir,
        })
    }
}

/// One run's directory.
///
/// Names given to its methods are relative to it and may have several segments (`media/x.png`). Links are followed only while they
/// stay inside the storage root.
#[derive(Debug, Clone)]
pub struct RunDir {
    /// Name of the directory.
    pub id: RunId,
    /// Path by the directory, `a/b`.
    pub path: RunPath,
    /// Absolute directory, for showing and for paths in answers; open files through the methods.
    pub dir: PathBuf,
    /// Directory below the root, with `/` between the names.
    pub directory: String,
    /// Where the run lies.
    pub layout: Layout,
    /// Whether the run is in the recycle bin.
    pub deleted: bool,
    root: Arc<RootDir>,
}

/// A name in a run's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFile {
    /// Name relative to the folder that was listed.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
    /// Size in bytes; 0 for a folder.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl RunDir {
    /// The run that lies in `directory` below `root`.
    pub fn new(
        root: Arc<RootDir>,
        directory: &str,
        layout: Layout,
        deleted: bool,
    ) -> Result<Self, StoreError> {
        let (path, id) = match layout {
            Layout::Legacy => {
                let mut parts = directory.rsplitn(3, '/');
                let id = parts.next().unwrap_or_default();
                (parts.nth(1).unwrap_or_default(), id)
            }
            Layout::Current | Layout::Recycled => {
                let (parent, id) = directory.rsplit_once('/').unwrap_or(("", directory));
                let path = parent.strip_prefix(layout::RUNS).unwrap_or(parent);
                (if layout == Layout::Recycled { "" } else { path }, id)
            }
        };
        Ok(Self {
            id: RunId::new(id)?,
            path: RunPath::from_directory(path),
            dir: root.path.join(directory),
            directory: directory.to_owned(),
            layout,
            deleted,
            root,
        })
    }

    /// The storage root this run lies in.
    pub fn root(&self) -> &Arc<RootDir> {
        &self.root
    }

    fn below(&self, name: &str) -> PathBuf {
        Path::new(&self.directory).join(name)
    }

    /// Opens a plain file for reading. A pipe, a device or a folder is refused without waiting for it.
    pub fn open(&self, name: &str) -> io::Result<File> {
        open_plain(&self.root.dir, &self.below(name))
    }

    /// Opens the directory itself, for a caller that reads several files of it.
    pub fn open_dir(&self) -> io::Result<Dir> {
        self.root.dir.open_dir(&self.directory)
    }

    /// Reads a whole small file.
    pub fn read(&self, name: &str, max_bytes: u64) -> Result<Vec<u8>, ReadProblem> {
        read_bounded(self.open(name)?, max_bytes)
    }

    /// Whether a file or folder of that name is there.
    pub fn contains(&self, name: &str) -> bool {
        self.root.dir.symlink_metadata(self.below(name)).is_ok()
    }

    /// Size and time of a file or folder.
    pub fn stat(&self, name: &str) -> io::Result<RunFile> {
        let metadata = self.root.dir.metadata(self.below(name))?;
        Ok(run_file(name.to_owned(), &metadata))
    }

    /// What lies in a folder of the run (`""` is the run itself), at most `max_entries`, sorted by name.
    pub fn list(&self, folder: &str, max_entries: usize) -> io::Result<Vec<RunFile>> {
        let mut files = Vec::new();
        for entry in self
            .root
            .dir
            .read_dir(self.below(folder))?
            .take(max_entries)
        {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Ok(metadata) = self
                .root
                .dir
                .metadata(self.below(folder).join(entry.file_name()))
            {
                files.push(run_file(name, &metadata));
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }
}

fn run_file(name: String, metadata: &cap_std::fs::Metadata) -> RunFile {
    let modified = metadata.modified().map(cap_std::time::SystemTime::into_std);
    RunFile {
        name,
        is_dir: metadata.is_dir(),
        bytes: if metadata.is_dir() { 0 } else { metadata.len() },
        modified_ns: modified.map_or(0, nanoseconds),
    }
}

/// Nanoseconds since 1970, negative before.
pub(crate) fn nanoseconds(time: std::time::SystemTime) -> i128 {
    let signed =
        |duration: std::time::Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(std::time::UNIX_EPOCH) {
        Ok(after) => signed(after),
        Err(before) => -signed(before.duration()),
    }
}

/// Opens a plain file below a directory handle, without waiting on a pipe.
pub(crate) fn open_plain(dir: &Dir, path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    options.custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default());
    let file = dir.open_with(path, &options)?.into_std();
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a plain file",
        ));
    }
    Ok(file)
}

/// Reads a file to its end, if that is not further than `max_bytes`.
pub(crate) fn read_bounded(file: File, max_bytes: u64) -> Result<Vec<u8>, ReadProblem> {
    let bytes = file.metadata()?.len();
    if bytes > max_bytes {
        return Err(ReadProblem::TooLarge {
            bytes,
            limit_bytes: max_bytes,
        });
    }
    let mut content = Vec::with_capacity(usize::try_from(bytes).unwrap_or_default());
    file.take(max_bytes).read_to_end(&mut content)?;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_in(root: &Path, directory: &str, layout: Layout) -> RunDir {
        std::fs::create_dir_all(root.join(directory)).unwrap();
        RunDir::new(
            Arc::new(RootDir::open(root).unwrap()),
            directory,
            layout,
            false,
        )
        .unwrap()
    }

    #[test]
    fn path_and_id_come_from_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let check = |directory: &str, layout, path: &str| {
            let run = run_in(folder.path(), directory, layout);
            assert_eq!(
                (run.path.as_str(), run.id.as_str()),
                (path, "id"),
                "{directory}"
            );
        };
        check("runs/id", Layout::Current, "");
        check("runs/cv/x/id", Layout::Current, "cv/x");
        check("演示/baseline/runs/id", Layout::Legacy, "演示/baseline");
        check("runs/.recycle/id", Layout::Recycled, "");
    }

    #[test]
    fn a_name_with_dots_does_not_leave_the_root() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        let root = folder.path().join("root");
        let run = run_in(&root, "runs/id", Layout::Current);
        assert!(matches!(
            run.read("../../../secret", 10),
            Err(ReadProblem::Outside)
        ));
        assert!(run.open("/etc/hosts").is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_link_out_of_the_root_and_a_pipe_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        let root = folder.path().join("root");
        let run = run_in(&root, "runs/id", Layout::Current);
        std::os::unix::fs::symlink("../../../secret", run.dir.join("logs.txt")).unwrap();
        assert!(run.read("logs.txt", 10).is_err());
        rustix::fs::mknodat(
            rustix::fs::CWD,
            run.dir.join("events.jsonl"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert_eq!(
            run.open("events.jsonl").unwrap_err().kind(),
            io::ErrorKind::InvalidInput
        );
    }

    #[test]
    fn a_file_over_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let run = run_in(folder.path(), "runs/id", Layout::Current);
        std::fs::write(run.dir.join("meta.json"), "0123456789").unwrap();
        assert_eq!(run.read("meta.json", 10).unwrap(), b"0123456789");
        assert!(matches!(
            run.read("meta.json", 9),
            Err(ReadProblem::TooLarge {
                bytes: 10,
                limit_bytes: 9
            })
        ));
        assert!(matches!(
            run.read("none.json", 9),
            Err(ReadProblem::Missing)
        ));
    }
}
