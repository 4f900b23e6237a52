//! Small PNG pictures of predictions that get better: a mask over a scene, blurred at first and sharp at the end.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Width and height.
const SIDE_PX: u32 = 128;

/// A picture of what a model sees after this part of its training, 0 to 1.
pub(super) fn predictions(progress: f64, seed: usize) -> Vec<u8> {
    let side = f64::from(SIDE_PX);
    let mut rows = Vec::with_capacity((SIDE_PX * (SIDE_PX * 3 + 1)) as usize);
    for y in 0..SIDE_PX {
        rows.push(0);
        for x in 0..SIDE_PX {
            let (u, v) = (f64::from(x) / side, f64::from(y) / side);
            rows.extend(pixel(u, v, progress, seed as f64));
        }
    }
    png(&rows)
}

fn pixel(u: f64, v: f64, progress: f64, seed: f64) -> [u8; 3] {
    let sky = [
        38.0 + 70.0 * (1.0 - v),
        58.0 + 80.0 * (1.0 - v),
        110.0 + 90.0 * (1.0 - v),
    ];
    let hill = v > 0.62 + 0.08 * (u * 9.0 + seed).sin();
    let scene = if hill {
        [46.0, 92.0 - 40.0 * (v - 0.6), 62.0]
    } else {
        sky
    };
    let (cx, cy) = (
        0.5 + 0.12 * (seed * 1.7).sin(),
        0.45 + 0.06 * (seed * 2.3).cos(),
    );
    let distance = ((u - cx).powi(2) + (v - cy).powi(2)).sqrt();
    let wobble = (1.0 - progress) * 0.09 * ((u * 23.0).sin() * (v * 19.0 + seed).cos());
    let softness = 0.012 + 0.10 * (1.0 - progress);
    let mask = 1.0 / (1.0 + ((distance + wobble - 0.24) / softness).exp());
    let tint = [255.0, 156.0, 64.0];
    let mut colour = [0; 3];
    for ((place, base), tint) in colour.iter_mut().zip(scene).zip(tint) {
        let mixed: f64 = base + (tint - base) * 0.82 * mask;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a byte"
        )]
        let byte = mixed.clamp(0.0, 255.0) as u8;
        *place = byte;
    }
    colour
}

/// A PNG file of unfiltered 8-bit RGB rows.
fn png(rows: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = Vec::new();
    header.extend(SIDE_PX.to_be_bytes());
    header.extend(SIDE_PX.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    chunk(&mut file, *b"IHDR", &header);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let packed = packed
        .write_all(rows)
        .and_then(|()| packed.finish())
        .unwrap_or_default();
    chunk(&mut file, *b"IDAT", &packed);
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).unwrap_or_default();
    file.extend(length.to_be_bytes());
    file.extend(kind);
    file.extend(data);
    let mut sum = Crc::new();
    sum.update(&kind);
    sum.update(data);
    file.extend(sum.sum().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_a_png_of_the_right_size_and_changes_with_progress() {
        let (early, late) = (predictions(0.0, 1), predictions(1.0, 1));
        assert_ne!(early, late);
        for picture in [early, late] {
            assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
            assert_eq!(picture[16..20], SIDE_PX.to_be_bytes());
            assert!(picture.len() < 64 << 10);
        }
    }
}
