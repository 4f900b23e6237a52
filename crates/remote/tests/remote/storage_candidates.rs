//! The search for storage roots, on a real far side.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use runicorn_remote::RemoteError;
use runicorn_remote::storage_candidates::storage_candidates;

use crate::far_side::{FarSide, recorded, write};
use crate::support::sshd::SshdOptions;

async fn found(far: &FarSide, root: Option<&str>, depth: u32) -> Vec<(String, u64, u32)> {
    let found = storage_candidates(&far.connection, root, depth).await;
    let rows = found.unwrap().candidates.into_iter();
    rows.map(|one| (one.path, one.run_count, one.score))
        .collect()
}

#[tokio::test]
async fn the_recorded_search_has_the_recorded_answer() {
    let fill = |home: &Path| fs::create_dir_all(home.join("runicorn_data/runs")).unwrap();
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let home = far.home().display().to_string();
    let expected = recorded("0.7.2", "/api/remote/storage-candidates", far.home());
    let found = storage_candidates(&far.connection, Some(&home), 3)
        .await
        .unwrap();
    assert_eq!(expected["scan_root"], found.scan_root.as_str());
    assert_eq!(expected["max_depth"], found.max_depth);
    let [only] = &found.candidates[..] else {
        panic!("{found:?}")
    };
    let expected = &expected["candidates"][0];
    assert_eq!(expected["path"], only.path.as_str());
    assert_eq!(expected["run_count"], only.run_count);
    assert_eq!(expected["has_archive"], only.has_archive);
    assert_eq!(expected["has_index"], only.has_index);
    assert_eq!(expected["score"], only.score);
}

#[tokio::test]
async fn runs_are_counted_links_and_hidden_folders_are_not_entered_and_odd_names_do_no_harm() {
    let odd = "it's\n$(touch pwned) `touch pwned` \"x\" *";
    let fill = |home: &Path| {
        for run in 0..30 {
            write(home.join(format!("a/b/big/runs/exp/{run}/meta.json")), "{}");
            write(
                home.join(format!("a/b/big/runs/exp/{run}/inner/meta.json")),
                "{}",
            );
        }
        write(home.join("a/b/c/deep/runs/x/meta.json"), "{}");
        write(home.join(odd).join("runs/x/status.json"), "{}");
        write(home.join(".cache/hidden/runs/x/meta.json"), "{}");
        write(home.join("node_modules/p/runs/x/meta.json"), "{}");
        write(home.join("far/disk/x/meta.json"), "{}");
        fs::create_dir_all(home.join("linked/.runicorn")).unwrap();
        symlink(home.join("far/disk"), home.join("linked/.runicorn/runs")).unwrap();
        symlink(home.join("a"), home.join("again")).unwrap();
        fs::create_dir_all(home.join("empty/runs")).unwrap();
        fs::create_dir_all(home.join("kept/archive")).unwrap();
        fs::create_dir_all(home.join("kept/index")).unwrap();
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let rows = found(&far, None, 3).await;
    let expected = [
        (far.at("a/b/big"), 30, 120),
        (far.at("linked/.runicorn"), 1, 111),
        (far.at(odd), 1, 101),
        (far.at("kept"), 0, 40),
    ];
    assert_eq!(rows, expected);
    let deep = (far.at("a/b/c/deep"), 1, 101);
    assert!(found(&far, Some("~"), 4).await.contains(&deep));
    assert!(found(&far, Some("~/a/b"), 99).await.contains(&deep));
    assert_eq!(
        found(&far, Some(&far.at(odd)), 0).await,
        [(far.at(odd), 1, 101)]
    );
    assert!(far.is_unharmed());
}

#[tokio::test]
async fn a_folder_that_is_none_is_named() {
    let fill = |home: &Path| write(home.join("file"), "");
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    for (root, words) in [
        ("/no/such", "Scan root does not exist"),
        ("file", "Scan root is not a directory"),
        ("$(touch pwned)", "Scan root does not exist"),
    ] {
        let result = storage_candidates(&far.connection, Some(root), 3).await;
        let Err(RemoteError::Path { path, detail }) = result else {
            panic!("{result:?}")
        };
        assert_eq!((path.as_str(), detail.as_str()), (root, words));
    }
    assert!(far.is_unharmed());
}
