//! Reads a tar front to back, with long names of both kinds, and nothing that could hurt: no links, no devices, no sparse files.

use std::io::{self, Read};

use tar::{Archive, EntryType};

/// Longest header record of a long name, in bytes.
const MAX_RECORD_BYTES: u64 = 1 << 20;

/// Calls `each` with name, size and content of every plain file and every folder (no content).
pub(super) fn read_tar<R: Read>(
    reader: R,
    mut each: impl FnMut(TarEntry<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = Archive::new(reader);
    let mut long_name: Option<Vec<u8>> = None;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::GNULongName => long_name = Some(record(&mut entry)?),
            EntryType::XHeader => long_name = pax_path(&record(&mut entry)?)?.or(long_name),
            EntryType::XGlobalHeader => {}
            EntryType::Regular | EntryType::Continuous => {
                let (name, size) = (name_of(&entry, long_name.take()), entry.size());
                each(TarEntry {
                    name,
                    size,
                    content: Some(&mut entry),
                })?;
            }
            EntryType::Directory => {
                let name = name_of(&entry, long_name.take());
                each(TarEntry {
                    name,
                    size: 0,
                    content: None,
                })?;
            }
            _ => {
                long_name = None;
                each(TarEntry {
                    name: None,
                    size: 0,
                    content: None,
                })?;
            }
        }
    }
    Ok(())
}

/// One entry; a name of `None` is one that is never unpacked.
pub(super) struct TarEntry<'a> {
    pub(super) name: Option<String>,
    pub(super) size: u64,
    pub(super) content: Option<&'a mut dyn Read>,
}

fn name_of<R: Read>(entry: &tar::Entry<'_, R>, long: Option<Vec<u8>>) -> Option<String> {
    let bytes = long.unwrap_or_else(|| entry.path_bytes().into_owned());
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8(bytes.get(..end)?.to_vec()).ok()
}

fn record(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(MAX_RECORD_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_RECORD_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a name is too long",
        ));
    }
    Ok(bytes)
}

/// `path` of a pax record: lines of `<length> <key>=<value>\n`.
fn pax_path(record: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let (mut rest, mut path) = (record, None);
    while !rest.is_empty() {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "a pax record is damaged");
        let space = rest
            .iter()
            .position(|byte| *byte == b' ')
            .ok_or_else(broken)?;
        let length: usize = rest
            .get(..space)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(broken)?;
        let line = rest.get(space + 1..length).ok_or_else(broken)?;
        let equals = line
            .iter()
            .position(|byte| *byte == b'=')
            .ok_or_else(broken)?;
        let (key, value) = (
            line.get(..equals).unwrap_or_default(),
            line.get(equals + 1..).unwrap_or_default(),
        );
        match key {
            b"path" => path = Some(value.strip_suffix(b"\n").unwrap_or(value).to_vec()),
            b"size" => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "files of more than 8 GiB are not taken",
                ));
            }
            _ if key.starts_with(b"GNU.sparse") => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "sparse files are not taken",
                ));
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(path)
}
