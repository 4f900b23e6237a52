//! Our own viewers as the app carries them.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use crate::error::{RemoteError, RemoteResult};

/// A build of `runicorn-viewer` for some platform, as a file.
#[derive(Clone, Debug)]
pub struct ViewerBuild {
    /// `x86_64-linux`: what `uname -m` and `uname -s` say there, in lower case.
    pub platform: String,
    /// The file on this machine.
    pub path: PathBuf,
    /// The file is compressed.
    pub is_gzip: bool,
}

/// A build in memory, with what the far side needs to check it.
pub(crate) struct LoadedBuild {
    /// As it lies in the file.
    pub(crate) packed: Bytes,
    /// The file is compressed.
    pub(crate) is_gzip: bool,
    /// Of the program itself, hexadecimal.
    pub(crate) sha256: String,
    /// As the POSIX `cksum` prints it for the program on its stdin.
    pub(crate) cksum: String,
    /// The length of the program itself.
    pub(crate) size_bytes: u64,
}

/// All builds; each is read when it is first needed.
pub(crate) struct Builds(Vec<(ViewerBuild, OnceCell<Arc<LoadedBuild>>)>);

impl Builds {
    pub(crate) fn new(known: Vec<ViewerBuild>) -> Self {
        let unread = |build| (build, OnceCell::new());
        Self(known.into_iter().map(unread).collect())
    }

    /// Is there one for this platform?
    pub(crate) fn has(&self, platform: &str) -> bool {
        self.find(platform).is_some()
    }

    /// The one for this platform.
    ///
    /// # Errors
    /// [`RemoteError::PlatformUnsupported`], or [`RemoteError::File`] when it cannot be read.
    pub(crate) async fn load(&self, platform: &str) -> RemoteResult<Arc<LoadedBuild>> {
        let missing = || RemoteError::PlatformUnsupported {
            platform: platform.to_owned(),
        };
        let (build, loaded) = self.find(platform).ok_or_else(missing)?;
        loaded
            .get_or_try_init(|| load(build.clone()))
            .await
            .cloned()
    }

    /// Reads what may be needed soon, so that nobody waits for it then.
    pub(crate) async fn warm(&self) {
        for (build, loaded) in &self.0 {
            if let Err(error) = loaded.get_or_try_init(|| load(build.clone())).await {
                tracing::warn!(%error, platform = build.platform, "a viewer of ours cannot be read");
            }
        }
    }

    fn find(&self, platform: &str) -> Option<&(ViewerBuild, OnceCell<Arc<LoadedBuild>>)> {
        self.0.iter().find(|(build, _)| build.platform == platform)
    }
}

async fn load(build: ViewerBuild) -> RemoteResult<Arc<LoadedBuild>> {
    let path = build.path.clone();
    let read = tokio::task::spawn_blocking(move || read(&build));
    let loaded = read
        .await
        .unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)));
    let loaded = loaded.map_err(|source| RemoteError::File { path, source })?;
    Ok(Arc::new(loaded))
}

impl LoadedBuild {
    /// The program itself.
    ///
    /// # Errors
    /// When it cannot be unpacked.
    pub(crate) fn plain(&self) -> std::io::Result<Bytes> {
        if !self.is_gzip {
            return Ok(self.packed.clone());
        }
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&self.packed[..]).read_to_end(&mut plain)?;
        Ok(plain.into())
    }
}

fn read(build: &ViewerBuild) -> std::io::Result<LoadedBuild> {
    let packed = Bytes::from(std::fs::read(&build.path)?);
    let mut loaded = LoadedBuild {
        packed,
        is_gzip: build.is_gzip,
        sha256: String::new(),
        cksum: String::new(),
        size_bytes: 0,
    };
    let plain = loaded.plain()?;
    loaded.sha256 = hex::encode(Sha256::digest(&plain));
    loaded.size_bytes = plain.len() as u64;
    loaded.cksum = format!("{} {}", cksum(&plain), plain.len());
    Ok(loaded)
}

/// The checksum of the POSIX utility `cksum`, for far sides that know no SHA-256.
fn cksum(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|at| {
        let mut value = u32::try_from(at).unwrap_or_default() << 24;
        for _ in 0..8 {
            let is_high = value & 0x8000_0000 != 0;
            value = (value << 1) ^ if is_high { 0x04C1_1DB7 } else { 0 };
        }
        value
    });
    let step = |sum: u32, byte: u8| (sum << 8) ^ table[usize::from((sum >> 24) as u8 ^ byte)];
    let mut sum = bytes.iter().fold(0, |sum, byte| step(sum, *byte));
    let mut length = bytes.len();
    while length > 0 {
        sum = step(sum, length.to_le_bytes()[0]);
        length >>= 8;
    }
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_posix_utility() {
        // printf '' | cksum; printf 123456789 | cksum
        assert_eq!(cksum(b""), 4_294_967_295);
        assert_eq!(cksum(b"123456789"), 930_766_865);
    }

    #[tokio::test]
    async fn a_packed_build_is_known_by_the_hash_of_what_is_in_it() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("viewer.gz");
        let file = std::fs::File::create(&path).unwrap();
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packer.write_all(b"program").unwrap();
        packer.finish().unwrap();
        let builds = Builds::new(vec![ViewerBuild {
            platform: "x86_64-linux".to_owned(),
            path,
            is_gzip: true,
        }]);
        let build = builds.load("x86_64-linux").await.unwrap();
        assert_eq!(build.sha256, hex::encode(Sha256::digest(b"program")));
        assert_eq!(
            (build.size_bytes, &build.plain().unwrap()[..]),
            (7, &b"program"[..])
        );
        let missing = builds.load("sparc-sunos").await.err().unwrap();
        assert_eq!(missing.code(), "PLATFORM_UNSUPPORTED");
    }
}
