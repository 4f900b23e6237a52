//! Paging, and a server that is out to harm.

use std::sync::atomic::{AtomicU32, Ordering};

use russh_sftp::protocol::{File, Handle, Name, Version};
use russh_sftp::server::Handler;

use super::*;

fn named(names: &[&str]) -> Vec<FolderEntry> {
    let entry = |name: &&str| FolderEntry {
        name: (*name).to_owned(),
        is_dir: false,
        size_bytes: 1,
        modified_secs: 2,
    };
    names.iter().map(entry).collect()
}

#[test]
fn a_home_is_expanded_and_nothing_else() {
    let check = |path: &str, expected: &str| assert_eq!(expanded(path, "/home/u"), expected);
    check("~", "/home/u");
    check("", "/home/u");
    check("~/a b", "/home/u/a b");
    check("a", "/home/u/a");
    check("~x", "/home/u/~x");
    check("/etc/$HOME/~", "/etc/$HOME/~");
    assert_eq!(expanded("~/a", "/"), "/a");
}

#[test]
fn pages_lie_end_to_end() {
    let entries = named(&["a", "b", "c", "d", "e"]);
    let mut seen = Vec::new();
    let mut offset = Some(0);
    while let Some(from) = offset {
        let page = page("/x".to_owned(), &entries, from, 2);
        assert_eq!(page.total, 5);
        seen.extend(page.entries);
        offset = page.next_offset;
    }
    assert_eq!(seen, entries);
    assert!(page("/x".to_owned(), &entries, 9, 2).entries.is_empty());
    assert_eq!(page("/x".to_owned(), &entries, 0, 0).next_offset, None);
}

#[test]
fn only_a_few_listings_are_kept() {
    let mut folders = Folders::default();
    let entries = Arc::new(named(&["a"]));
    for number in 0..10 {
        folders.keep(&format!("/{number}"), &entries);
    }
    assert_eq!(folders.0.len(), KEPT_FOLDERS);
    assert!(folders.get("/9").is_some() && folders.get("/0").is_none());
    let huge = Arc::new(vec![entries[0].clone(); MOST_ENTRIES]);
    folders.keep("/huge", &huge);
    assert_eq!(folders.0.len(), 1);
}

/// Answers every request for entries with more of them, for ever.
struct Endless {
    name: String,
    asked: Arc<AtomicU32>,
}

impl Handler for Endless {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(
        &mut self,
        _version: u32,
        _extensions: std::collections::HashMap<String, String>,
    ) -> Result<Version, StatusCode> {
        Ok(Version::new())
    }

    async fn opendir(&mut self, id: u32, _path: String) -> Result<Handle, StatusCode> {
        Ok(Handle {
            id,
            handle: "h".to_owned(),
        })
    }

    async fn readdir(&mut self, id: u32, _handle: String) -> Result<Name, StatusCode> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let file = File {
            filename: self.name.clone(),
            longname: String::new(),
            attrs: FileAttributes::empty(),
        };
        let count = (200_000 / (self.name.len() + 20)).min(1000);
        Ok(Name {
            id,
            files: vec![file; count],
        })
    }
}

#[tokio::test]
async fn a_folder_without_end_is_given_up() {
    for length in [3, 190_000] {
        let asked = Arc::new(AtomicU32::new(0));
        let server = Endless {
            name: "x".repeat(length),
            asked: Arc::clone(&asked),
        };
        let (near, far) = tokio::io::duplex(1 << 20);
        russh_sftp::server::run(far, server).await;
        let sftp = RawSftpSession::new(near);
        sftp.init().await.unwrap();
        let result = read(&sftp, "/x").await;
        let Err(Error::Status(status)) = result else {
            panic!("it ended")
        };
        assert!(status.error_message.contains("more than"), "{status:?}");
        assert!(asked.load(Ordering::Relaxed) < 1000);
    }
}
