//! Folders of a real far side.

use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use runicorn_remote::RemoteError;
use runicorn_remote::files::{exists, list};

use crate::far_side::{FarSide, recorded, write};
use crate::support::sshd::{SshdOptions, is_root_or_skip};

async fn names(far: &FarSide, path: &str) -> Vec<String> {
    let page = list(&far.connection, path, 0, 1000).await.unwrap();
    page.entries.into_iter().map(|entry| entry.name).collect()
}

#[tokio::test]
async fn a_folder_is_listed_as_recorded() {
    let fill = |home: &Path| {
        let folder = home.join("listme");
        fs::create_dir_all(folder.join("sub")).unwrap();
        write(folder.join("a 名.txt"), "");
        write(folder.join("b.txt"), "abc");
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_735_787_045);
        for name in ["sub", "a 名.txt", "b.txt"] {
            File::open(folder.join(name))
                .unwrap()
                .set_modified(then)
                .unwrap();
        }
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let expected = recorded("0.6.0", "/api/remote/fs/list", far.home());
    let page = list(&far.connection, &far.at("listme"), 0, 1000)
        .await
        .unwrap();
    assert_eq!(expected["path"], page.path.as_str());
    let items = expected["items"].as_array().unwrap();
    assert_eq!(
        (items.len(), page.total, page.next_offset),
        (page.entries.len(), 3, None)
    );
    for (item, entry) in items.iter().zip(&page.entries) {
        assert_eq!(item["name"], entry.name.as_str());
        assert_eq!(item["is_dir"], entry.is_dir);
        assert_eq!(item["size"], entry.size_bytes);
        assert_eq!(item["mtime"], entry.modified_secs);
    }
    let missing = list(&far.connection, &far.at("nope"), 0, 10).await;
    let Err(RemoteError::Path { detail, .. }) = missing else {
        panic!("{missing:?}")
    };
    let recorded = "Failed to list directory: [Errno 2] No such file";
    assert_eq!(format!("Failed to list directory: {detail}"), recorded);
    let look = |path: String| async { exists(&far.connection, &{ path }).await.unwrap() };
    assert_eq!(look(far.at("listme")).await, (true, true));
    assert_eq!(look(far.at("nope")).await, (false, false));
    assert_eq!(look(far.at("listme/b.txt")).await, (true, false));
}

#[tokio::test]
async fn the_home_is_expanded_links_are_files_and_names_do_no_harm() {
    let odd = "it's $(touch pwned)\n`id` \"x\"";
    let fill = |home: &Path| {
        fs::create_dir_all(home.join(odd).join("inner")).unwrap();
        fs::create_dir_all(home.join("real")).unwrap();
        symlink(home.join("real"), home.join("link")).unwrap();
        symlink("/no/such", home.join("broken")).unwrap();
        write(home.join(".hidden"), "");
        File::create(home.join(OsStr::from_bytes(b"bad\xff.bin"))).unwrap();
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let home = far.home().display().to_string();
    let page = list(&far.connection, "~", 0, 100).await.unwrap();
    assert_eq!(page.path, home);
    let shown: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.is_dir))
        .collect();
    let expected = [
        (odd, true),
        ("real", true),
        (".hidden", false),
        ("bad\u{fffd}.bin", false),
        ("broken", false),
        ("link", false),
    ];
    assert_eq!(shown, expected);
    assert_eq!(names(&far, &format!("~/{odd}")).await, ["inner"]);
    assert_eq!(
        names(&far, &format!("{home}/{odd}/../real/../{odd}")).await,
        ["inner"]
    );
    assert_eq!(
        list(&far.connection, "~/real", 0, 1).await.unwrap().path,
        far.at("real")
    );
    let connection = &far.connection;
    assert_eq!(
        exists(connection, &far.at("link")).await.unwrap(),
        (true, true)
    );
    assert_eq!(
        exists(connection, &far.at("broken")).await.unwrap(),
        (false, false)
    );
    assert_eq!(exists(connection, "~").await.unwrap(), (false, false));
    assert_eq!(exists(connection, "").await.unwrap(), (false, false));
    assert_eq!(
        exists(connection, "x'; touch pwned; '").await.unwrap(),
        (false, false)
    );
    assert!(far.is_unharmed());
}

#[tokio::test]
async fn what_may_not_be_read_is_said_in_the_documented_words() {
    if !is_root_or_skip("folders of somebody else") {
        return;
    }
    let far = FarSide::with(&SshdOptions::default(), |_| ()).await;
    let closed = far.sshd.folder().join("closed");
    fs::create_dir_all(closed.join("inner")).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let closed = closed.display().to_string();
    let result = list(&far.connection, &closed, 0, 10).await;
    let Err(RemoteError::Path { path, detail }) = result else {
        panic!("{result:?}")
    };
    assert_eq!(
        (path, detail.as_str()),
        (closed.clone(), "[Errno 13] Permission denied")
    );
    let inner = format!("{closed}/inner");
    assert_eq!(
        exists(&far.connection, &inner).await.unwrap(),
        (false, false)
    );
    assert_eq!(
        exists(&far.connection, &closed).await.unwrap(),
        (true, true)
    );
}

#[tokio::test]
async fn a_folder_of_a_hundred_thousand_entries_comes_in_pages_that_fit_together() {
    let fill = |home: &Path| {
        fs::create_dir(home.join("many")).unwrap();
        for number in 0..100_000 {
            File::create(home.join(format!("many/{number:06}.png"))).unwrap();
        }
        fs::create_dir(home.join("many/zz")).unwrap();
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let folder = far.at("many");
    let mut seen = Vec::new();
    let mut offset = 0;
    loop {
        let page = list(&far.connection, &folder, offset, 30_000)
            .await
            .unwrap();
        assert_eq!(page.total, 100_001);
        seen.extend(page.entries.into_iter().map(|entry| entry.name));
        // Comes too late for the listing that is being paged through.
        fs::create_dir_all(far.home().join("many/late")).unwrap();
        let Some(next) = page.next_offset else { break };
        offset = next;
    }
    assert_eq!(seen.len(), 100_001);
    assert_eq!((seen[0].as_str(), seen[1].as_str()), ("zz", "000000.png"));
    assert!(seen[1..].is_sorted());
    let again = list(&far.connection, &folder, 0, 2).await.unwrap();
    assert_eq!(
        (again.total, again.entries[0].name.as_str()),
        (100_002, "late")
    );
}

#[tokio::test]
async fn a_server_without_sftp_is_said_so() {
    let options = SshdOptions::default().line("ForceCommand echo no files here");
    let far = FarSide::with(&options, |_| ()).await;
    let result = list(&far.connection, "~", 0, 10).await;
    let is_said = matches!(
        result,
        Err(RemoteError::Forbidden {
            what: "file access (SFTP)",
            ..
        })
    );
    assert!(is_said, "{result:?}");
}
