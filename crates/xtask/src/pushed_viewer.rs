//! The helper: our viewer for old servers, which the app pushes over SSH.
//!
//! Built by cargo-zigbuild against glibc 2.17, so that one dynamic binary (NVML must be loadable) runs on anything since 2014,
//! without the parts that only a desktop needs. Packed with gzip: every server can unpack that.

use std::{
    fs::{self, File},
    io::BufWriter,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    needs::{python, tools},
    places,
    programs::{self, capture, cargo, program},
};

/// The oldest C library that it runs on.
const GLIBC: (u32, u32) = (2, 17);
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// What the app looks for.
const NAME: &str = "runicorn-viewer-x86_64-linux.gz";

/// Builds and packs it; gives the packed file.
pub(crate) fn build() -> Result<PathBuf> {
    let zig = tools::ensure_zig()?;
    programs::run(
        cargo()
            .args([
                "zigbuild",
                "--profile",
                "helper",
                "--package",
                "runicorn-server",
                "--no-default-features",
                "--bin",
                "runicorn-viewer",
                "--target",
                &format!("{TARGET}.{}.{}", GLIBC.0, GLIBC.1),
            ])
            .env(
                "CARGO_ZIGBUILD_ZIG_PATH",
                python::bin(&zig).join("python-zig"),
            ),
    )?;
    let binary = places::target().join(TARGET).join("helper/runicorn-viewer");
    check_glibc(&binary)?;
    let packed = folder().join(NAME);
    pack(&binary, &packed)?;
    println!(
        "built: {} ({:.1} MiB, {:.1} MiB unpacked)",
        packed.display(),
        mebibytes(&packed)?,
        mebibytes(&binary)?
    );
    Ok(packed)
}

/// Where the packed helpers lie.
pub(crate) fn folder() -> PathBuf {
    places::target().join("viewers")
}

/// The packed helper, when it was built before.
pub(crate) fn built() -> Option<PathBuf> {
    let packed = folder().join(NAME);
    packed.is_file().then_some(packed)
}

fn mebibytes(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / f64::from(1 << 20))
}

fn pack(binary: &Path, packed: &Path) -> Result<()> {
    fs::create_dir_all(folder())?;
    let from = File::open(binary).with_context(|| format!("{} was not built", binary.display()))?;
    let to = BufWriter::new(File::create(packed)?);
    // Packed once and carried often: what takes a quarter of a minute here is a thirtieth less on every line.
    let once = zopfli::Options {
        iteration_count: NonZeroU64::MIN,
        ..zopfli::Options::default()
    };
    zopfli::compress(once, zopfli::Format::Gzip, from, to)?;
    Ok(())
}

/// Fails when the binary asks for a newer C library than promised.
fn check_glibc(binary: &Path) -> Result<()> {
    let symbols = capture(program("objdump").arg("-T").arg(binary))?;
    let newest = newest_glibc(&symbols);
    ensure!(newest.is_some(), "{} names no C library", binary.display());
    if newest > Some(GLIBC) {
        bail!(
            "{} needs glibc {newest:?}, newer than {GLIBC:?}",
            binary.display()
        );
    }
    Ok(())
}

/// The highest `GLIBC_x.y` in a table of symbols.
fn newest_glibc(symbols: &str) -> Option<(u32, u32)> {
    symbols
        .split("GLIBC_")
        .skip(1)
        .filter_map(|rest| {
            let version = rest
                .split(|letter: char| !letter.is_ascii_digit() && letter != '.')
                .next()?;
            let mut parts = version.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_c_library_of_a_symbol_table_is_found_by_number() {
        let table = "0 DF *UND* 0 (GLIBC_2.2.5) write\n0 DF *UND* 0 (GLIBC_2.17) x\n0 DF *UND* 0 (GLIBC_2.3) y\n";
        assert_eq!(newest_glibc(table), Some((2, 17)));
        assert_eq!(newest_glibc("nothing"), None);
    }
}
