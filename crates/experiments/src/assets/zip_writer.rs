//! Zip archives written front to back, so that the first byte leaves before the last file is read.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::sync::Arc;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::run_dir::{RootDir, open_plain};

/// Deepest folder that is looked into, and most files that are listed.
const MAX_DEPTH: usize = 64;
const MAX_FILES: usize = 2_000_000;
/// Files from this size on get the long form of sizes, in bytes.
const LONG_FORM_BYTES: u64 = 0xffff_0000;

/// One entry of an archive: a name and where its bytes come from.
#[derive(Clone, Debug)]
pub struct ZipSource {
    name: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Text(Arc<str>),
    File { root: Arc<RootDir>, path: String },
}

/// Bytes, their number, and when they were last changed (Unix seconds).
pub(crate) type OpenSource = (Box<dyn io::Read + Send>, u64, u64);

impl ZipSource {
    /// An entry made of a text.
    pub fn text(name: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            content: Content::Text(text.into()),
        }
    }

    /// An entry made of a file below the root, opened when its turn comes.
    pub(crate) fn file(
        name: impl Into<String>,
        root: &Arc<RootDir>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            content: Content::File {
                root: Arc::clone(root),
                path: path.into(),
            },
        }
    }

    /// Name of the entry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens the file, with its length now; what is written to it later is not part of the archive. `None`: it is gone.
    pub(crate) fn open(&self) -> io::Result<Option<OpenSource>> {
        match &self.content {
            Content::Text(text) => Ok(Some((
                Box::new(io::Cursor::new(text.as_bytes().to_vec())),
                text.len() as u64,
                0,
            ))),
            Content::File { root, path } => match open_plain(&root.dir, Path::new(path)) {
                Ok(file) => {
                    let metadata = file.metadata()?;
                    let modified = metadata
                        .modified()
                        .ok()
                        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
                        .map_or(0, |age| age.as_secs());
                    Ok(Some((
                        Box::new(bounded(file, metadata.len())),
                        metadata.len(),
                        modified,
                    )))
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput
                    ) =>
                {
                    Ok(None)
                }
                Err(error) => Err(error),
            },
        }
    }
}

fn bounded(file: File, bytes: u64) -> io::Take<File> {
    file.take(bytes)
}

/// Writes an archive of `sources` to `out`, which need not seek.
pub fn write_zip(out: impl Write, sources: impl IntoIterator<Item = ZipSource>) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(out);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for source in sources {
        let Some((mut content, bytes, _)) = source.open()? else {
            continue;
        };
        zip.start_file(source.name, options.large_file(bytes >= LONG_FORM_BYTES))
            .map_err(io::Error::other)?;
        io::copy(&mut content, &mut zip)?;
    }
    zip.finish().map_err(io::Error::other)?.into_inner().flush()
}

/// Plain files below a folder, as paths below the root, sorted; links are not followed.
pub(crate) fn files_below(root: &RootDir, folder: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = root.dir.read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else {
                continue;
            };
            let path = format!("{folder}/{name}");
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((path, depth + 1));
            } else if kind.is_file() && files.len() < MAX_FILES {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
