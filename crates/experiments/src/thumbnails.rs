//! Small pictures made of large ones. They lie in the cache folder under the stamp of the original, so that a changed file is another
//! picture, and the oldest go when there are too many bytes of them.
//!
//! What is decoded is limited in bytes, sides and memory before it is: a file that claims more is not made smaller.

use std::fs::{self, File};
use std::io::{self, Cursor, Read as _, Seek as _, SeekFrom, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use parking_lot::Mutex;
use xxhash_rust::xxh3::xxh3_128;

use crate::assets::StampedFile;
use crate::run_dir::read_bounded;

/// Bytes of thumbnails that are kept.
const DEFAULT_LIMIT_BYTES: u64 = 256 << 20;
/// Longest file that is decoded.
const MOST_FILE_BYTES: u64 = 64 << 20;
/// Longest side, most pixels and most memory of a picture that is decoded.
const MOST_SIDE_PX: u32 = 16_384;
const MOST_PIXELS: u64 = 48 << 20;
const MOST_MEMORY_BYTES: u64 = 256 << 20;
/// Longest thumbnail that is read back: none of ours is longer.
const MOST_THUMBNAIL_BYTES: u64 = 16 << 20;
/// The sides that thumbnails have; any wish becomes the next larger one.
const SIDES_PX: [u32; 4] = [128, 256, 512, 1024];
const JPEG_QUALITY: u8 = 88;

/// A small picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The encoded picture.
    pub bytes: Vec<u8>,
    /// Its media type.
    pub content_type: &'static str,
}

/// The folder of small pictures. It may be deleted at any time; where it cannot be written, pictures are made anew.
#[derive(Debug)]
pub struct ThumbnailCache {
    folder: PathBuf,
    limit_bytes: u64,
    /// Bytes in the folder as far as we know; unknown until the first is written.
    kept_bytes: Mutex<Option<u64>>,
    made: AtomicU64,
}

impl ThumbnailCache {
    /// A cache in `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self::with_limit(folder, DEFAULT_LIMIT_BYTES)
    }

    fn with_limit(folder: PathBuf, limit_bytes: u64) -> Self {
        Self {
            folder,
            limit_bytes,
            kept_bytes: Mutex::new(None),
            made: AtomicU64::new(0),
        }
    }

    /// How many pictures were decoded since the start.
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The side that a wish for `side_px` leads to.
    pub fn side_for(side_px: u32) -> u32 {
        let fitting = SIDES_PX.into_iter().find(|side| *side >= side_px);
        fitting.unwrap_or(SIDES_PX[SIDES_PX.len() - 1])
    }

    /// The picture at about `side_px`; `None` where the original is to be shown: it is small, it moves, or it cannot be decoded within
    /// the limits. `place` names the file among all that this cache is asked for.
    pub fn small(
        &self,
        place: &str,
        original: &StampedFile,
        side_px: u32,
    ) -> io::Result<Option<Thumbnail>> {
        let side_px = Self::side_for(side_px);
        let path = self.path_of(place, original, side_px);
        match read_kept(&path) {
            Some(Made::Smaller(kept)) => return Ok(Some(kept)),
            Some(Made::Nothing) => return Ok(None),
            None => {}
        }
        if original.bytes > MOST_FILE_BYTES {
            return Ok(None);
        }
        let mut file = original.file.try_clone()?;
        file.seek(SeekFrom::Start(0))?;
        let Ok(bytes) = read_bounded(file, MOST_FILE_BYTES) else {
            return Ok(None);
        };
        self.made.fetch_add(1, Ordering::Relaxed);
        // What a decoder stumbles over is no reason to fail: the browser may do better.
        let made = catch_unwind(AssertUnwindSafe(|| make(&bytes, side_px)))
            .ok()
            .flatten();
        if let Err(error) = self.keep(&path, made.as_ref()) {
            tracing::debug!(%error, path = %path.display(), "a thumbnail is not kept");
        }
        Ok(made)
    }

    fn path_of(&self, place: &str, original: &StampedFile, side_px: u32) -> PathBuf {
        let StampedFile {
            bytes, modified_ns, ..
        } = original;
        let name = format!("{side_px}\n{bytes}\n{modified_ns}\n{place}");
        let name = format!("{:032x}", xxh3_128(name.as_bytes()));
        self.folder.join(&name[..2]).join(&name[2..])
    }

    /// Writes a thumbnail, or, empty, that there is none to be made.
    fn keep(&self, path: &Path, made: Option<&Thumbnail>) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let bytes = made.map_or(&[][..], |made| &made.bytes);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        let mut kept = self.kept_bytes.lock();
        let total = match *kept {
            Some(total) => total + bytes.len() as u64,
            None => self.measure().iter().map(|kept| kept.bytes).sum(),
        };
        *kept = Some(if total > self.limit_bytes {
            self.shrink()
        } else {
            total
        });
        Ok(())
    }

    /// Removes the oldest until a quarter of the limit is free; says what is left.
    fn shrink(&self) -> u64 {
        let mut all = self.measure();
        all.sort_by_key(|kept| kept.modified);
        let mut total: u64 = all.iter().map(|kept| kept.bytes).sum();
        for kept in all {
            if total <= self.limit_bytes / 4 * 3 {
                break;
            }
            if fs::remove_file(&kept.path).is_ok() {
                total -= kept.bytes;
            }
        }
        total
    }

    fn measure(&self) -> Vec<Kept> {
        let folders = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten());
        let measured = files.flatten().filter_map(|file| {
            let metadata = file.metadata().ok().filter(fs::Metadata::is_file)?;
            Some(Kept {
                path: file.path(),
                bytes: metadata.len(),
                modified: metadata.modified().ok()?,
            })
        });
        measured.collect()
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

/// What came of the try to make a thumbnail.
enum Made {
    Smaller(Thumbnail),
    /// The original is to be shown.
    Nothing,
}

/// What is kept under a name; `None` when nothing is yet. Being looked at makes it young again.
fn read_kept(path: &Path) -> Option<Made> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    let mut reader = (&file).take(MOST_THUMBNAIL_BYTES);
    reader.read_to_end(&mut bytes).ok()?;
    if let Ok(file) = File::options().append(true).open(path) {
        drop(file.set_modified(SystemTime::now()));
    }
    let content_type = match bytes.get(..4) {
        Some(b"\x89PNG") => "image/png",
        Some(b"\xff\xd8\xff\xe0" | b"\xff\xd8\xff\xdb") => "image/jpeg",
        Some(_) => return None,
        None => return bytes.is_empty().then_some(Made::Nothing),
    };
    Some(Made::Smaller(Thumbnail {
        bytes,
        content_type,
    }))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_SIDE_PX);
    limits.max_image_height = Some(MOST_SIDE_PX);
    limits.max_alloc = Some(MOST_MEMORY_BYTES);
    limits
}

/// Decodes and scales down; `None` where the original is to be shown.
fn make(bytes: &[u8], side_px: u32) -> Option<Thumbnail> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    if moves(reader.format()?, bytes) {
        return None;
    }
    reader.limits(limits());
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) <= side_px
        || pixels > MOST_PIXELS
        || decoder.total_bytes() > MOST_MEMORY_BYTES
    {
        return None;
    }
    let turned = decoder.orientation().ok();
    let whole = DynamicImage::from_decoder(decoder).ok()?;
    let mut small = whole.thumbnail(side_px, side_px);
    drop(whole);
    if let Some(turned) = turned {
        small.apply_orientation(turned);
    }
    encode(small)
}

/// Pictures that move would stand still as thumbnails; formats that are not decoded here are left to the browser.
fn moves(format: ImageFormat, bytes: &[u8]) -> bool {
    match format {
        ImageFormat::Png => {
            PngDecoder::new(Cursor::new(bytes)).is_ok_and(|png| png.is_apng().unwrap_or(true))
        }
        ImageFormat::WebP => {
            WebPDecoder::new(Cursor::new(bytes)).is_ok_and(|webp| webp.has_animation())
        }
        ImageFormat::Jpeg | ImageFormat::Bmp => false,
        _ => true,
    }
}

fn encode(small: DynamicImage) -> Option<Thumbnail> {
    let mut bytes = Vec::new();
    let content_type = if small.color().has_alpha() {
        let encoder =
            PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
        small.into_rgba8().write_with_encoder(encoder).ok()?;
        "image/png"
    } else {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        small.into_rgb8().write_with_encoder(encoder).ok()?;
        "image/jpeg"
    };
    Some(Thumbnail {
        bytes,
        content_type,
    })
}

#[cfg(test)]
mod tests;
