//! An uploaded archive, zip or tar.gz, read within limits on count, size and ratio.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::names::segments;
use super::tar_reader::read_tar;

/// How much an archive may unpack to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Entries, folders counted.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Unpacked bytes for each packed one, once there are more than `ratio_from_bytes`.
    pub ratio: u64,
    /// Below this many unpacked bytes the ratio does not matter.
    pub ratio_from_bytes: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            entries: 500_000,
            bytes: 256 << 30,
            ratio: 300,
            ratio_from_bytes: 256 << 20,
        }
    }
}

/// A file that was uploaded and has no name on disk, so that nothing is left of it when we are killed.
#[derive(Debug)]
pub struct Upload {
    /// The bytes.
    pub file: File,
    /// Name it was sent under.
    pub name: String,
}

/// One entry as it is read.
pub(super) struct ArchiveEntry<'a> {
    /// Segments of the name; `None` when the name is refused, or the entry is a link or a device.
    pub(super) name: Option<Vec<String>>,
    /// The bytes; `None` for a folder.
    pub(super) content: Option<&'a mut dyn Read>,
}

enum Form {
    Zip(Box<ZipArchive<BufReader<File>>>),
    TarGz(File),
}

/// An archive that was opened; it can be read any number of times.
pub(super) struct OpenArchive {
    form: Form,
    packed_bytes: u64,
    limits: ArchiveLimits,
}

impl OpenArchive {
    /// Opens by the ending of the name, else by trial.
    pub(super) fn open(upload: &Upload, limits: ArchiveLimits) -> io::Result<Self> {
        let name = upload.name.to_lowercase();
        let packed_bytes = upload.file.metadata()?.len();
        let zip = || open_zip(&upload.file, limits);
        let tar_gz = || open_tar_gz(&upload.file);
        let ends = |ending: &str| name.ends_with(ending);
        let form = if ends(".zip") {
            zip()?
        } else if ends(".tar.gz") || ends(".tgz") {
            tar_gz()?
        } else {
            zip().or_else(|_| tar_gz())?
        };
        Ok(Self {
            form,
            packed_bytes,
            limits,
        })
    }

    /// Reads all entries in order.
    pub(super) fn each(
        &mut self,
        mut each: impl FnMut(ArchiveEntry<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let budget = std::cell::RefCell::new(Budget {
            entries: 0,
            bytes: 0,
            packed_bytes: self.packed_bytes,
            limits: self.limits,
            seen: BTreeSet::new(),
        });
        match &mut self.form {
            Form::Zip(archive) => each_of_zip(archive, &budget, &mut each),
            Form::TarGz(file) => {
                file.seek(SeekFrom::Start(0))?;
                let unpacked = Metered {
                    inner: MultiGzDecoder::new(BufReader::new(&*file)),
                    budget: &budget,
                };
                read_tar(unpacked, |mut entry| {
                    let name = entry.name.as_deref().and_then(segments);
                    budget
                        .borrow_mut()
                        .entry(name.as_deref(), entry.content.is_none())?;
                    let size = entry.size;
                    let mut content = entry.content.take().map(|content| content.take(size));
                    each(ArchiveEntry {
                        name,
                        content: content.as_mut().map(|content| content as &mut dyn Read),
                    })
                })
            }
        }
    }
}

fn each_of_zip(
    archive: &mut ZipArchive<BufReader<File>>,
    budget: &std::cell::RefCell<Budget>,
    each: &mut dyn FnMut(ArchiveEntry<'_>) -> io::Result<()>,
) -> io::Result<()> {
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(io::Error::other)?;
        let plain = !entry.is_symlink() && !is_special(entry.unix_mode());
        let name = if plain {
            entry.name().ok().and_then(|name| segments(&name))
        } else {
            None
        };
        let folder = entry.is_dir();
        budget.borrow_mut().entry(name.as_deref(), folder)?;
        if folder || name.is_none() {
            each(ArchiveEntry {
                name,
                content: None,
            })?;
        } else {
            let mut content = Metered {
                inner: entry,
                budget,
            };
            each(ArchiveEntry {
                name,
                content: Some(&mut content),
            })?;
        }
    }
    Ok(())
}

/// A mode whose kind of file is neither plain nor a folder nor unsaid.
fn is_special(mode: Option<u32>) -> bool {
    mode.is_some_and(|mode| !matches!(mode & 0o170_000, 0 | 0o100_000 | 0o040_000))
}

fn open_zip(file: &File, limits: ArchiveLimits) -> io::Result<Form> {
    let mut file = file.try_clone()?;
    let announced = announced_entries(&mut file)?;
    if announced > limits.entries {
        return Err(refused(format!(
            "{announced} entries are more than the {} that are taken",
            limits.entries
        )));
    }
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| refused(error.to_string()))?;
    if archive.len() as u64 > limits.entries {
        return Err(refused(format!("more than {} entries", limits.entries)));
    }
    if archive.has_duplicate_names() {
        return Err(refused("a name occurs twice".to_owned()));
    }
    if archive
        .has_overlapping_entries()
        .map_err(|error| refused(error.to_string()))?
    {
        return Err(refused("entries share bytes".to_owned()));
    }
    Ok(Form::Zip(Box::new(archive)))
}

fn open_tar_gz(file: &File) -> io::Result<Form> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(0))?;
    let mut magic = [0; 2];
    if file.read_exact(&mut magic).is_err() || magic != [0x1f, 0x8b] {
        return Err(refused("not a gzip file".to_owned()));
    }
    Ok(Form::TarGz(file))
}

/// How many entries the end of a zip announces, before anything of its directory is read into memory.
pub(crate) fn announced_entries(file: &mut File) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min(66_000);
    file.seek(SeekFrom::Start(length - tail))?;
    let mut bytes = Vec::new();
    Read::by_ref(file).take(tail).read_to_end(&mut bytes)?;
    let end = memchr::memmem::rfind(&bytes, b"PK\x05\x06")
        .and_then(|at| bytes.get(at..))
        .ok_or_else(|| refused("File is not a zip file".to_owned()))?;
    let short = end
        .get(10..12)
        .map_or(0, |two| u64::from(u16::from_le_bytes([two[0], two[1]])));
    let long = memchr::memmem::rfind(&bytes, b"PK\x06\x06")
        .and_then(|at| bytes.get(at + 32..at + 40))
        .and_then(|eight| eight.try_into().ok())
        .map_or(0, u64::from_le_bytes);
    file.seek(SeekFrom::Start(0))?;
    Ok(short.max(long))
}

struct Budget {
    entries: u64,
    bytes: u64,
    packed_bytes: u64,
    limits: ArchiveLimits,
    seen: BTreeSet<Vec<String>>,
}

impl Budget {
    fn entry(&mut self, name: Option<&[String]>, folder: bool) -> io::Result<()> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(refused(format!(
                "more than {} entries",
                self.limits.entries
            )));
        }
        if let Some(name) = name.filter(|_| !folder)
            && !self.seen.insert(name.to_vec())
        {
            return Err(refused(format!("the name {} occurs twice", name.join("/"))));
        }
        Ok(())
    }

    fn spend(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes += bytes;
        if self.bytes > self.limits.bytes {
            return Err(refused(format!(
                "unpacks to more than {} bytes",
                self.limits.bytes
            )));
        }
        if self.bytes > self.limits.ratio_from_bytes
            && self.bytes / self.packed_bytes.max(1) > self.limits.ratio
        {
            return Err(refused(format!(
                "unpacks to more than {} times its size",
                self.limits.ratio
            )));
        }
        Ok(())
    }
}

/// Counts what is unpacked against the budget.
struct Metered<'a, R> {
    inner: R,
    budget: &'a std::cell::RefCell<Budget>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.borrow_mut().spend(read as u64)?;
        Ok(read)
    }
}

/// An archive that is not taken, with the reason.
pub(super) fn refused(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
