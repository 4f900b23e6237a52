//! Archives that unpack to too much: refused before the disk is full, and nothing is left of them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on ends here"
)]

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runicorn_experiments::{
    ArchiveLimits, ImportMode, ImportProblem, RunStore, StoreConfig, Upload,
};

const LIMITS: ArchiveLimits = ArchiveLimits {
    entries: 50,
    bytes: 3 << 20,
    ratio: 100,
    ratio_from_bytes: 1 << 20,
};

fn store_in(folder: &Path) -> Arc<RunStore> {
    std::fs::create_dir_all(folder.join("root/runs")).unwrap();
    RunStore::open(StoreConfig {
        root: folder.join("root"),
        cache_dir: folder.join("cache"),
        state_dir: folder.join("state"),
        ..StoreConfig::default()
    })
    .unwrap()
}

fn upload(store: &RunStore, name: &str, bytes: &[u8]) -> Upload {
    let mut file = store.upload_file().unwrap();
    file.write_all(bytes).unwrap();
    Upload {
        file,
        name: name.to_owned(),
    }
}

fn zip_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar_gz_of(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(packed);
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes.as_slice())
            .unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn run_with(files: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let meta = ("runs/x/some-run/meta.json".to_owned(), b"{}".to_vec());
    let files = files
        .into_iter()
        .map(|(name, bytes)| (format!("runs/x/some-run/{name}"), bytes));
    std::iter::once(meta).chain(files).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Imports both kinds of archive and expects a refusal that says why, and an untouched root.
fn refuses(entries: &[(String, Vec<u8>)], why: &str) {
    for (name, bytes) in [("a.zip", zip_of(entries)), ("a.tar.gz", tar_gz_of(entries))] {
        let folder = tempfile::tempdir().unwrap();
        let store = store_in(folder.path());
        let before = files_below(store.root());
        let outcome = store.import(&upload(&store, name, &bytes), ImportMode::Merge, LIMITS);
        match outcome {
            Err(ImportProblem::Archive(reason)) => {
                assert!(reason.contains(why), "{name}: {reason}");
            }
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(files_below(store.root()), before, "{name}");
    }
}

#[test]
fn a_bomb_by_ratio_is_refused_and_leaves_nothing() {
    let zeros = vec![0; 2 << 20];
    refuses(
        &run_with(vec![("bomb".to_owned(), zeros)]),
        "100 times its size",
    );
}

#[test]
fn a_bomb_by_size_is_refused_and_leaves_nothing() {
    // noise, so that the ratio stays harmless
    let mut state = 1_u64;
    let noise = |bytes: usize, state: &mut u64| -> Vec<u8> {
        (0..bytes)
            .map(|_| {
                *state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (*state >> 56) as u8
            })
            .collect()
    };
    let files = (0..5).map(|number| (format!("part{number}"), noise(700_000, &mut state)));
    refuses(&run_with(files.collect()), "unpacks to more than");
}

#[test]
fn a_bomb_by_count_is_refused_and_leaves_nothing() {
    let files = (0..60).map(|number| (format!("f{number}"), Vec::new()));
    refuses(&run_with(files.collect()), "50");
}

#[test]
fn a_zip_that_announces_millions_of_entries_is_refused_before_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(folder.path());
    let mut bytes = zip_of(&run_with(Vec::new()));
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[0xff; 4]);
    let upload = upload(&store, "a.zip", &bytes);
    let refused = store
        .import(&upload, ImportMode::Merge, LIMITS)
        .unwrap_err();
    assert!(refused.to_string().contains("65535 entries"), "{refused}");
}

#[test]
fn a_name_that_is_a_file_and_a_folder_refuses_the_archive() {
    let files = vec![("a".to_owned(), Vec::new()), ("a/b".to_owned(), Vec::new())];
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(folder.path());
    let upload = upload(&store, "a.zip", &zip_of(&run_with(files)));
    let refused = store
        .import(&upload, ImportMode::Merge, LIMITS)
        .unwrap_err();
    assert!(matches!(refused, ImportProblem::Archive(_)), "{refused}");
    assert!(!store.root().join(".runicorn-desktop").exists());
}

#[test]
fn nothing_of_an_upload_has_a_name_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(folder.path());
    let _kept = upload(&store, "a.zip", b"secret");
    assert!(files_below(&folder.path().join("state/uploads")).is_empty());
}
