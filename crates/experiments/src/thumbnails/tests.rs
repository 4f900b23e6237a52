//! What becomes of pictures: small ones, hostile ones, ones that changed, and what stays in the cache.

use image::{Rgb, RgbImage, Rgba, RgbaImage};

use super::*;
use crate::run_dir::nanoseconds;

struct Bench {
    folder: tempfile::TempDir,
    cache: ThumbnailCache,
}

impl Bench {
    fn new() -> Self {
        Self::with_limit(DEFAULT_LIMIT_BYTES)
    }

    fn with_limit(limit_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = ThumbnailCache::with_limit(folder.path().join("cache"), limit_bytes);
        Self { folder, cache }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn small(&self, name: &str, side_px: u32) -> Option<Thumbnail> {
        let file = File::open(self.folder.path().join(name)).unwrap();
        let metadata = file.metadata().unwrap();
        let original = StampedFile {
            bytes: metadata.len(),
            modified_ns: nanoseconds(metadata.modified().unwrap()),
            file,
        };
        self.cache.small(name, &original, side_px).unwrap()
    }

    fn kept_bytes(&self) -> u64 {
        self.cache.measure().iter().map(|kept| kept.bytes).sum()
    }
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let picture: DynamicImage = picture.into();
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn red(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb([200, 30, 30]))
}

/// A PNG whose head claims a size, and nothing of it behind.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(red(1, 1), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    bytes
}

#[test]
fn every_format_becomes_smaller_and_keeps_its_shape_and_colour() {
    let bench = Bench::new();
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Bmp,
    ] {
        bench.write("a", &encoded(red(800, 400), format));
        let small = bench.small("a", 256).unwrap();
        assert_eq!(small.content_type, "image/jpeg", "{format:?}");
        let shown = image::load_from_memory(&small.bytes).unwrap().into_rgb8();
        assert_eq!(shown.dimensions(), (256, 128), "{format:?}");
        let Rgb([r, g, b]) = *shown.get_pixel(100, 60);
        assert!(
            r.abs_diff(200) < 6 && g.abs_diff(30) < 6 && b.abs_diff(30) < 6,
            "{format:?}"
        );
    }
}

#[test]
fn what_shows_through_still_does() {
    let bench = Bench::new();
    let picture = RgbaImage::from_pixel(600, 600, Rgba([9, 9, 9, 40]));
    bench.write("a", &encoded(picture, ImageFormat::Png));
    let small = bench.small("a", 128).unwrap();
    assert_eq!(small.content_type, "image/png");
    let shown = image::load_from_memory(&small.bytes).unwrap().into_rgba8();
    assert_eq!(shown.get_pixel(50, 50)[3], 40);
}

#[test]
fn a_picture_that_is_small_already_is_shown_itself() {
    let bench = Bench::new();
    bench.write("a", &encoded(red(256, 40), ImageFormat::Png));
    assert_eq!(bench.small("a", 200), None);
}

#[test]
fn a_wish_becomes_one_of_few_sides() {
    let sides = [0, 128, 129, 700, 9999].map(ThumbnailCache::side_for);
    assert_eq!(sides, [128, 128, 256, 1024, 1024]);
}

#[test]
fn a_thumbnail_is_made_once_until_the_file_changes() {
    let bench = Bench::new();
    bench.write("a", &encoded(red(800, 400), ImageFormat::Png));
    let first = bench.small("a", 256);
    assert_eq!(bench.small("a", 250), first);
    assert_eq!(bench.cache.made(), 1);
    bench.write("a", &encoded(red(400, 800), ImageFormat::Png));
    let other = bench.small("a", 256).unwrap();
    assert_eq!(bench.cache.made(), 2);
    let shown = image::load_from_memory(&other.bytes).unwrap();
    assert_eq!((shown.width(), shown.height()), (128, 256));
}

#[test]
fn bombs_are_refused_before_they_are_decoded_and_only_once() {
    let bench = Bench::new();
    for (at, (width, height)) in [
        (60_000, 60_000),
        (16_000, 16_000),
        (1, 4_000_000),
        (u32::MAX, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("bomb{at}");
        bench.write(&name, &claiming(width, height));
        assert_eq!(bench.small(&name, 256), None, "{width} x {height}");
        assert_eq!(bench.small(&name, 256), None);
        assert_eq!(bench.cache.made(), at as u64 + 1, "the refusal is kept");
    }
    bench.write(
        "long",
        &vec![0; usize::try_from(MOST_FILE_BYTES).unwrap() + 1],
    );
    assert_eq!(bench.small("long", 256), None);
}

#[test]
fn damaged_and_foreign_files_are_left_to_the_browser() {
    let bench = Bench::new();
    let whole = encoded(red(800, 400), ImageFormat::Png);
    bench.write("half", &whole[..whole.len() / 2]);
    bench.write("empty", b"");
    bench.write("text", b"<svg onload=alert(1)>");
    bench.write("claims", &claiming(2000, 2000));
    for name in ["half", "empty", "text", "claims"] {
        assert_eq!(bench.small(name, 256), None, "{name}");
    }
}

#[test]
fn bytes_of_any_kind_never_take_the_server_down() {
    let bench = Bench::new();
    let whole = encoded(red(136, 136), ImageFormat::Jpeg);
    for at in (0..whole.len()).step_by(11) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        bench.write("a", &bytes);
        drop(bench.small("a", 128));
    }
}

#[test]
fn the_oldest_go_when_there_are_too_many_bytes() {
    let one = {
        let bench = Bench::new();
        bench.write("a", &encoded(red(300, 300), ImageFormat::Png));
        bench.small("a", 256).unwrap().bytes.len() as u64
    };
    let bench = Bench::with_limit(one * 8);
    for at in 0..20 {
        let name = format!("a{at}");
        bench.write(&name, &encoded(red(300, 300), ImageFormat::Png));
        assert!(bench.small(&name, 256).is_some());
        assert!(bench.kept_bytes() <= one * 8);
    }
    assert!(bench.kept_bytes() >= one * 5);
    bench.small("a19", 256);
    assert_eq!(bench.cache.made(), 20, "the youngest is still there");
}

#[test]
fn a_cache_that_cannot_be_written_costs_speed_and_nothing_else() {
    let bench = Bench::new();
    fs::write(bench.folder.path().join("cache"), "in the way").unwrap();
    bench.write("a", &encoded(red(800, 400), ImageFormat::Png));
    assert_eq!(bench.small("a", 256), bench.small("a", 256));
    assert_eq!(bench.cache.made(), 2);
}
