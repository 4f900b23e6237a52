//! Columns on disk: one compact file per run in the cache folder, little-endian, with a checksum and with what is needed to tell whether
//! they still belong to their source. Anything that does not fit is as good as absent: the source is read again.
//!
//! Layout: magic, checksum of what follows, source path, stamp, counters, names, groups. Written to a temporary file and renamed.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3Default;

use super::columns::Columns;
use super::group::{Chunk, MAX_ROWS, RowGroup, Shape};
use super::names::{MAX_NAMES, Names};
use super::tail::{MetricTail, Unread, new_generation};
use crate::growing::{Anchors, FileStamp, Known};

const MAGIC: &[u8; 8] = b"RNCOLS\x01\n";

/// The folder is kept below this.
const MAX_FOLDER_BYTES: u64 = 2 << 30;

/// Columns that wait to be written.
#[derive(Debug)]
pub(crate) struct Job {
    target: PathBuf,
    source: String,
    known: Known,
    in_long_line: bool,
    unread: Unread,
    columns: Columns,
}

impl Job {
    /// The rows of `tail` that stand, to be written to `target`; `None` when nothing has been read.
    pub(crate) fn of(target: PathBuf, source: &Path, tail: &MetricTail) -> Option<Self> {
        Some(Self {
            target,
            source: source.to_string_lossy().into_owned(),
            known: tail.known?,
            in_long_line: tail.in_long_line,
            unread: tail.unread,
            columns: tail.committed(),
        })
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Writes the file; the old one stands until the new one is whole.
    pub(crate) fn write(&self) -> io::Result<()> {
        let folder = self.target.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".columns")
            .tempfile_in(folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&[0; 8])?;
        let mut out = Output {
            file: BufWriter::with_capacity(1 << 18, &mut file),
            hash: Xxh3Default::new(),
        };
        self.write_content(&mut out)?;
        let hash = out.hash.digest();
        out.file.flush()?;
        drop(out);
        file.seek(SeekFrom::Start(MAGIC.len() as u64))?;
        file.write_all(&hash.to_le_bytes())?;
        file.persist(&self.target).map_err(|error| error.error)?;
        prune(folder, &self.target)
    }

    fn write_content(&self, out: &mut Output<'_>) -> io::Result<()> {
        out.text(&self.source)?;
        let stamp = &self.known.stamp;
        out.ints(&[stamp.identity.0, stamp.identity.1, stamp.bytes])?;
        out.bytes(&stamp.modified_ns.to_le_bytes())?;
        out.bytes(&stamp.changed_ns.to_le_bytes())?;
        let anchors = &self.known.anchors;
        out.ints(&[
            anchors.offset,
            anchors.head,
            anchors.before,
            u64::from(self.known.settled),
            u64::from(self.in_long_line),
        ])?;
        out.ints(&[self.unread.garbage_lines, self.unread.long_lines])?;
        let names: Vec<&str> = self.columns.names.iter().map(|(_, name)| name).collect();
        out.ints(&[names.len() as u64])?;
        names.iter().try_for_each(|name| out.text(name))?;
        out.ints(&[self.columns.groups.len() as u64])?;
        self.columns
            .groups
            .iter()
            .try_for_each(|group| out.group(group))
    }
}

struct Output<'a> {
    file: BufWriter<&'a mut tempfile::NamedTempFile>,
    hash: Xxh3Default,
}

impl Output<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.file.write_all(bytes)
    }

    fn ints(&mut self, values: &[u64]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(8 * 4096);
        for block in values.chunks(4096) {
            bytes.clear();
            bytes.extend(block.iter().flat_map(|value| value.to_le_bytes()));
            self.bytes(&bytes)?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        self.ints(&[text.len() as u64])?;
        self.bytes(text.as_bytes())
    }

    fn group(&mut self, group: &RowGroup) -> io::Result<()> {
        let chunks: Vec<&Chunk> = group.steps.iter().chain(&group.chunks).collect();
        let sizes = [
            chunks.len(),
            group.cells.len(),
            group.offsets.len(),
            group.wide.len(),
            group.texts.len(),
        ];
        self.ints(&[u64::from(group.rows)])?;
        self.ints(&sizes.map(|size| size as u64))?;
        for chunk in chunks {
            let shape = chunk.shape as u32;
            for value in [
                chunk.column,
                shape,
                chunk.first,
                chunk.len,
                chunk.first_offset,
            ] {
                self.bytes(&value.to_le_bytes())?;
            }
        }
        self.ints(&group.cells)?;
        let offsets: Vec<u8> = group
            .offsets
            .iter()
            .flat_map(|offset| offset.to_le_bytes())
            .collect();
        self.bytes(&offsets)?;
        let wide: Vec<u64> = group
            .wide
            .iter()
            .map(|value| value.cast_unsigned())
            .collect();
        self.ints(&wide)?;
        group.texts.iter().try_for_each(|text| self.text(text))
    }
}

/// What was stored for `source`, if it is whole.
pub(crate) fn load(file: &Path, source: &Path) -> Option<MetricTail> {
    let opened = File::open(file).ok()?;
    match read(opened, source) {
        Ok(tail) => Some(tail),
        Err(error) => {
            tracing::info!(file = %file.display(), %error, "stored metric columns are not used");
            None
        }
    }
}

fn read(file: File, source: &Path) -> io::Result<MetricTail> {
    let left = file.metadata()?.len();
    let mut input = Input {
        file: BufReader::with_capacity(1 << 18, file),
        hash: Xxh3Default::new(),
        left,
    };
    if input.array::<8>()? != *MAGIC {
        return Err(damaged());
    }
    let hash = u64::from_le_bytes(input.array()?);
    input.hash.reset();
    if input.text()? != source.to_string_lossy() {
        return Err(damaged());
    }
    let mut tail = MetricTail::default();
    let stamp = FileStamp {
        identity: (input.int()?, input.int()?),
        bytes: input.int()?,
        modified_ns: i128::from_le_bytes(input.array()?),
        changed_ns: i128::from_le_bytes(input.array()?),
    };
    let anchors = Anchors {
        offset: input.int()?,
        head: input.int()?,
        before: input.int()?,
    };
    tail.known = Some(Known {
        stamp,
        anchors,
        settled: input.int()? != 0,
    });
    tail.in_long_line = input.int()? != 0;
    tail.unread = Unread {
        garbage_lines: input.int()?,
        long_lines: input.int()?,
        torn_bytes: stamp.bytes.saturating_sub(anchors.offset),
    };
    let names = input.names()?;
    let count = input.count(1)?;
    let groups = (0..count)
        .map(|_| input.group(&names).map(Arc::new))
        .collect::<io::Result<Vec<_>>>()?;
    if input.left != 0 || input.hash.digest() != hash {
        return Err(damaged());
    }
    tail.groups = groups.len();
    tail.columns = Arc::new(Columns::of(Arc::new(names), groups, new_generation()));
    Ok(tail)
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "not whole, or of another file or version",
    )
}

struct Input {
    file: BufReader<File>,
    hash: Xxh3Default,
    /// Bytes that are left; no count may promise more.
    left: u64,
}

impl Input {
    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.left = self
            .left
            .checked_sub(bytes.len() as u64)
            .ok_or_else(damaged)?;
        self.file.read_exact(bytes)?;
        self.hash.update(bytes);
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn int(&mut self) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn small(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A count of things that take at least `each` bytes.
    fn count(&mut self, each: u64) -> io::Result<usize> {
        let count = self.int()?;
        if count.saturating_mul(each) > self.left {
            return Err(damaged());
        }
        usize::try_from(count).or(Err(damaged()))
    }

    fn text(&mut self) -> io::Result<String> {
        let mut bytes = vec![0; self.count(1)?];
        self.fill(&mut bytes)?;
        String::from_utf8(bytes).or(Err(damaged()))
    }

    fn ints(&mut self, count: usize) -> io::Result<Vec<u64>> {
        if (count as u64).saturating_mul(8) > self.left {
            return Err(damaged());
        }
        let mut values = Vec::with_capacity(count);
        let mut bytes = vec![0; 8 * 4096];
        while values.len() < count {
            let block = (count - values.len()).min(4096);
            let Some(bytes) = bytes.get_mut(..8 * block) else {
                return Err(damaged());
            };
            self.fill(bytes)?;
            values.extend(
                bytes
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|value| u64::from_le_bytes(*value)),
            );
        }
        Ok(values)
    }

    fn names(&mut self) -> io::Result<Names> {
        let mut names = Names::default();
        let count = self.count(8)?;
        for at in 0..count.min(MAX_NAMES) {
            let name = self.text()?;
            // The first ones are the fixed ones; all must get the number they had.
            if names.intern(&name).map(|column| column as usize) != Some(at + 1) {
                return Err(damaged());
            }
        }
        Ok(names)
    }

    fn group(&mut self, names: &Names) -> io::Result<RowGroup> {
        let rows = u32::try_from(self.int()?)
            .ok()
            .filter(|&rows| rows as usize <= MAX_ROWS)
            .ok_or_else(damaged)?;
        let (chunks, cells, offsets, wide, texts) = (
            self.count(1)?,
            self.count(1)?,
            self.count(1)?,
            self.count(1)?,
            self.count(1)?,
        );
        let mut group = RowGroup::default();
        group.rows = rows;
        for at in 0..chunks {
            let chunk = self.chunk(names)?;
            if at == 0 {
                group.steps = Some(chunk);
            } else {
                group.chunks.push(chunk);
            }
        }
        group.cells = self.ints(cells)?;
        let mut bytes = vec![0; offsets.saturating_mul(2)];
        self.fill(&mut bytes)?;
        group.offsets = bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|offset| u16::from_le_bytes(*offset))
            .collect();
        group.wide = self.ints(wide)?.into_iter().map(u64::cast_signed).collect();
        group.texts = (0..texts)
            .map(|_| self.text().map(String::into_boxed_str))
            .collect::<io::Result<_>>()?;
        Ok(group)
    }

    fn chunk(&mut self, names: &Names) -> io::Result<Chunk> {
        let column = self.small()?;
        let shape = match self.small()? {
            0 => Shape::Dense,
            1 => Shape::Sparse,
            2 => Shape::Constant,
            3 => Shape::IntRun,
            _ => return Err(damaged()),
        };
        if column as usize >= names.len() {
            return Err(damaged());
        }
        Ok(Chunk {
            column,
            shape,
            first: self.small()?,
            len: self.small()?,
            first_offset: self.small()?,
        })
    }
}

/// Removes what was written longest ago when the folder is too large.
fn prune(folder: &Path, keep: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        files.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    files.sort();
    let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, path) in files {
        if total <= MAX_FOLDER_BYTES {
            break;
        }
        if path != keep && std::fs::remove_file(&path).is_ok() {
            total -= bytes;
        }
    }
    Ok(())
}
