//! The search for spilled secrets finds them.

use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;

use crate::support::sshd::spilled::{MARK, has_mark, marked_files};

#[test]
fn the_mark_is_found_wherever_it_stands() {
    for before in ["", "a", "ab", "abc"] {
        let text = format!("{before}{MARK} and more");
        assert!(has_mark(text.as_bytes()));
        assert!(has_mark(BASE64.encode(text.as_bytes()).as_bytes()));
    }
    assert!(!has_mark(b"hush 7q and nothing else, even if it is long"));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    assert_eq!(marked_files(folder.path()), Vec::<PathBuf>::new());
    let across_pieces = [vec![b'x'; (1 << 20) - 3], MARK.as_bytes().to_vec()].concat();
    let written = folder.path().join("deep/log");
    fs::write(&written, across_pieces).unwrap();
    let named = folder.path().join(MARK);
    fs::write(&named, "").unwrap();
    let mut found = marked_files(folder.path());
    found.sort();
    assert_eq!(found, [written, named]);
}
