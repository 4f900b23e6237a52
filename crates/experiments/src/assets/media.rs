//! Images and other media that a run logged, in the order of its events.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};

use memchr::memmem;
use serde_json::{Map, Value};

use super::download::is_plain_relative;
use crate::error::StoreError;
use crate::json;
use crate::layout;
use crate::run_dir::{RunDir, nanoseconds};
use crate::store::RunStore;

/// Longest event of an image that is read, in bytes.
const MAX_EVENT_BYTES: u64 = 1 << 20;
/// Most images of one run that are listed.
const MAX_IMAGES: usize = 200_000;

/// What a browser may do with a media file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A raster image.
    Image,
    /// A film.
    Video,
    /// A sound.
    Audio,
    /// Something that is only offered for saving, SVG and HTML among them.
    Other,
}

impl MediaKind {
    /// By the ending of a name.
    pub fn of(name: &str) -> Self {
        match name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase())
            .as_deref()
        {
            Some("png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" | "avif" | "apng") => Self::Image,
            Some("mp4" | "webm" | "mov" | "m4v" | "ogv") => Self::Video,
            Some("wav" | "mp3" | "ogg" | "flac" | "m4a" | "opus") => Self::Audio,
            _ => Self::Other,
        }
    }

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Other => "other",
        }
    }
}

/// One image event of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunImage {
    /// Step, if it has one.
    pub step: Option<i64>,
    /// Name it was logged under.
    pub key: Value,
    /// Its caption.
    pub caption: Option<String>,
    /// File, relative to the run's folder.
    pub file: String,
    /// What can be done with it.
    pub kind: MediaKind,
    /// Length in bytes, 0 when it is missing.
    pub bytes: u64,
    /// When it was logged, Unix seconds.
    pub time: Option<f64>,
    /// The event is there, the file is not.
    pub missing: bool,
}

/// An open file with what tells its contents from later ones.
#[derive(Debug)]
pub struct StampedFile {
    /// The file, at its start.
    pub file: File,
    /// Length in bytes when it was opened.
    pub bytes: u64,
    /// Modification time in nanoseconds since 1970.
    pub modified_ns: i128,
}

impl RunStore {
    /// The images of a run, with the run.
    pub fn images(&self, id: &str) -> Result<(RunDir, Vec<RunImage>), StoreError> {
        let run = self.find(id)?;
        let images = read_images(&run)?;
        Ok((run, images))
    }

    /// A plain file of a run's folder.
    pub fn run_file(&self, id: &str, name: &str) -> Result<StampedFile, StoreError> {
        let run = self.find(id)?;
        if !is_plain_relative(name) {
            return Err(StoreError::Unsafe {
                path: name.into(),
                detail: "not a name inside the run".to_owned(),
            });
        }
        let opened = run.open(name).and_then(|file| {
            let metadata = file.metadata()?;
            Ok(StampedFile {
                bytes: metadata.len(),
                modified_ns: metadata.modified().map_or(0, nanoseconds),
                file,
            })
        });
        opened.map_err(|error| StoreError::io(run.dir.join(name), error))
    }
}

fn read_images(run: &RunDir) -> Result<Vec<RunImage>, StoreError> {
    let file = match run.open(layout::EVENTS) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io(run.dir.join(layout::EVENTS), error)),
    };
    let failed = |error| StoreError::io(run.dir.join(layout::EVENTS), error);
    let finder = memmem::Finder::new(b"\"image\"");
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let (mut images, mut line) = (Vec::new(), Vec::new());
    while images.len() < MAX_IMAGES {
        line.clear();
        let read = reader
            .by_ref()
            .take(MAX_EVENT_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(failed)?;
        if read == 0 {
            break;
        }
        if line.last() != Some(&b'\n') && read as u64 == MAX_EVENT_BYTES {
            skip_line(&mut reader).map_err(failed)?;
            continue;
        }
        if finder.find(&line).is_some() {
            images.extend(
                json::parse_object(&line)
                    .ok()
                    .and_then(|event| image_of(run, &event)),
            );
        }
    }
    Ok(images)
}

fn skip_line(reader: &mut impl io::BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (used, found) = match memchr::memchr(b'\n', buffer) {
            Some(at) => (at + 1, true),
            None => (buffer.len(), false),
        };
        reader.consume(used);
        if found || used == 0 {
            return Ok(());
        }
    }
}

fn image_of(run: &RunDir, event: &Map<String, Value>) -> Option<RunImage> {
    if event.get("type")?.as_str()? != "image" {
        return None;
    }
    let data = event.get("data")?.as_object()?;
    let file = data
        .get("path")?
        .as_str()
        .filter(|path| is_plain_relative(path))?
        .to_owned();
    let found = run.stat(&file).ok().filter(|found| !found.is_dir);
    Some(RunImage {
        step: data.get("step").and_then(Value::as_i64),
        key: data.get("key").cloned().unwrap_or_default(),
        caption: data
            .get("caption")
            .and_then(Value::as_str)
            .map(str::to_owned),
        kind: MediaKind::of(&file),
        bytes: found.as_ref().map_or(0, |found| found.bytes),
        time: event.get("ts").and_then(Value::as_f64),
        missing: found.is_none(),
        file,
    })
}
