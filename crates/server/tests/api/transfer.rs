//! Exports that can be imported, and archives that mean harm.

use std::io::{Cursor, Read, Write};

use serde_json::{Value, json};

use crate::support::{Answer, TestServer, answer};

type ZipWriter = zip::ZipWriter<Cursor<Vec<u8>>>;

/// A zip of these files; a name that ends in a slash is a folder.
fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, options).unwrap();
        } else {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// A gzipped tar of these files, with names that the writer itself would refuse.
fn tar_gz_of(entries: &[(&str, &[u8], tar::EntryType)]) -> Vec<u8> {
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(packed);
    for (name, bytes, kind) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        if kind.is_symlink() || kind.is_hard_link() {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// A whole run of the present layout, under `runs/imported`.
pub(crate) fn one_run_zip(id: &str) -> Vec<u8> {
    let meta = json!({"id": id, "path": "imported", "created_at": 1_704_067_200.0}).to_string();
    zip_of(&[
        (&format!("runs/imported/{id}/meta.json"), meta.as_bytes()),
        (
            &format!("runs/imported/{id}/status.json"),
            br#"{"status": "finished"}"#,
        ),
    ])
}

/// Imports an archive, whose kind is told by its first bytes.
pub(crate) async fn import(server: &TestServer, archive: Vec<u8>) -> Answer {
    send_form(server, "/api/import/archive", archive, &[]).await
}

async fn send_form(
    server: &TestServer,
    path: &str,
    archive: Vec<u8>,
    fields: &[(&str, &str)],
) -> Answer {
    let name = if archive.starts_with(b"PK") {
        "a.zip"
    } else {
        "a.tar.gz"
    };
    let part = reqwest::multipart::Part::bytes(archive).file_name(name);
    let mut form = reqwest::multipart::Form::new().part("file", part);
    for (name, value) in fields {
        form = form.text((*name).to_owned(), (*value).to_owned());
    }
    answer(server.request("POST", path).multipart(form)).await
}

/// Every file below the server's whole temporary folder but the home, to see what was written where.
pub(crate) fn files_of(server: &TestServer) -> Vec<String> {
    let top = server.root().parent().unwrap().to_owned();
    let (mut files, mut folders) = (Vec::new(), vec![top.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&top).unwrap().display().to_string();
            if name == "home" {
                continue;
            }
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
            files.push(name);
        }
    }
    files.sort();
    files
}

const META: &[u8] = br#"{"path": "imported"}"#;
const ID: &str = "20240101_000000_abc123";

#[tokio::test]
async fn an_export_of_runs_can_be_imported_elsewhere_and_is_the_same() {
    let from = TestServer::on("runicorn-0.7.2").await;
    let ids = ["20250114_153045_a1b2c3", "20250121_000000_00ff00"];
    for format in ["zip", "tar.gz"] {
        let exported = from
            .post(
                "/api/runs/export",
                json!({"run_ids": ids, "format": format}),
            )
            .await;
        assert_eq!(exported.status, 200);
        let to = TestServer::empty().await;
        let answer = import(&to, exported.bytes).await;
        assert_eq!(
            answer.json()["new_run_ids"],
            json!(ids),
            "{}",
            answer.text()
        );
        for place in [
            "runs/cv/detection/yolo/20250114_153045_a1b2c3",
            "runs/20250121_000000_00ff00",
        ] {
            for entry in std::fs::read_dir(from.root().join(place)).unwrap() {
                let entry = entry.unwrap();
                if entry.path().is_file() {
                    let there = to.root().join(place).join(entry.file_name());
                    assert_eq!(
                        std::fs::read(entry.path()).unwrap(),
                        std::fs::read(there).unwrap()
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn an_export_of_a_path_can_be_imported_although_it_names_no_paths() {
    let from = TestServer::on("runicorn-0.7.2").await;
    let exported = from.get("/api/paths/export?path=cv&format=zip").await;
    let to = TestServer::empty().await;
    let answer = import(&to, exported.bytes).await;
    assert_eq!(answer.json()["new_run_ids"].as_array().unwrap().len(), 5);
    assert!(
        to.root()
            .join("runs/cv/resnet50/20250116_101112_c0ffee/meta.json")
            .exists()
    );
}

#[tokio::test]
async fn an_export_of_the_old_layout_comes_back_as_the_old_layout() {
    let server = TestServer::empty().await;
    let archive = zip_of(&[(
        &format!("演示/base line/runs/{ID}/meta.json"),
        b"{\"project\": \"x\"}",
    )]);
    let answer = import(&server, archive).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let run = server.root().join("演示/base line/runs").join(ID);
    assert_eq!(
        std::fs::read(run.join("meta.json")).unwrap(),
        b"{\"project\": \"x\"}"
    );
}

#[tokio::test]
async fn an_import_never_overwrites_a_run_that_is_here_or_in_the_recycle_bin() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let before = files_of(&server);
    let mut entries = Vec::new();
    for id in ["20250114_153045_a1b2c3", "20250119_080000_de1e7e", ID] {
        entries.push((format!("runs/other/{id}/meta.json"), META));
        entries.push((format!("runs/other/{id}/new.txt"), b"x"));
    }
    let entries: Vec<(&str, &[u8])> = entries
        .iter()
        .map(|(name, bytes)| (name.as_str(), *bytes))
        .collect();
    let answer = import(&server, zip_of(&entries)).await.json();
    assert_eq!(answer["new_run_ids"], json!([ID]));
    assert_eq!(
        answer["skipped_run_ids"],
        json!(["20250114_153045_a1b2c3", "20250119_080000_de1e7e"])
    );
    let mut new: Vec<String> = files_of(&server)
        .into_iter()
        .filter(|file| !before.contains(file))
        .collect();
    new.retain(|file| !file.contains("runicorn.db"));
    assert_eq!(
        new,
        [
            "root/runs/other".to_owned(),
            format!("root/runs/other/{ID}"),
            format!("root/runs/other/{ID}/meta.json"),
            format!("root/runs/other/{ID}/new.txt"),
        ]
    );
}

#[tokio::test]
async fn a_name_that_leads_out_of_a_run_is_not_unpacked() {
    let evil: [&str; 12] = [
        "../escape.txt",
        "/abs.txt",
        "runs/imported/../../../escape.txt",
        "C:\\win.txt",
        "c:/win.txt",
        "\\\\server\\share\\x",
        "..\\up.txt",
        "plain.txt",
        "runs/stray.txt",
        "../x/",
        "/x/",
        "..\\y/",
    ];
    for make in [0, 1] {
        let server = TestServer::empty().await;
        let before = files_of(&server);
        let run = format!("runs/imported/{ID}");
        let (meta, up) = (format!("{run}/meta.json"), format!("{run}/../../../up.txt"));
        let mut names: Vec<&str> = evil.to_vec();
        names.extend([meta.as_str(), up.as_str()]);
        let archive = if make == 0 {
            let entries: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, META)).collect();
            zip_of(&entries)
        } else {
            let kind = |name: &str| {
                if name.ends_with('/') {
                    tar::EntryType::Directory
                } else {
                    tar::EntryType::Regular
                }
            };
            let entries: Vec<_> = names
                .iter()
                .map(|name| {
                    (
                        *name,
                        if name.ends_with('/') {
                            b"" as &[u8]
                        } else {
                            META
                        },
                        kind(name),
                    )
                })
                .collect();
            tar_gz_of(&entries)
        };
        let answer = import(&server, archive).await;
        assert_eq!(answer.json()["imported_files"], 1, "{}", answer.text());
        let new: Vec<String> = files_of(&server)
            .into_iter()
            .filter(|file| !before.contains(file))
            .collect();
        let mut expected = vec![
            "root/runs/imported".to_owned(),
            format!("root/{run}"),
            format!("root/{meta}"),
        ];
        expected.sort();
        assert_eq!(new, expected);
    }
}

#[tokio::test]
async fn links_and_devices_in_an_archive_are_not_unpacked() {
    use tar::EntryType;
    let server = TestServer::empty().await;
    let run = format!("runs/imported/{ID}");
    let names: Vec<String> = ["meta.json", "link", "hard", "pipe", "device"]
        .iter()
        .map(|name| format!("{run}/{name}"))
        .collect();
    let archive = tar_gz_of(&[
        (&names[0], META, EntryType::Regular),
        (&names[1], b"", EntryType::Symlink),
        (&names[2], b"", EntryType::Link),
        (&names[3], b"", EntryType::Fifo),
        (&names[4], b"", EntryType::Char),
    ]);
    let answer = import(&server, archive).await;
    assert_eq!(answer.json()["imported_files"], 1, "{}", answer.text());
    let files: Vec<_> = std::fs::read_dir(server.root().join(&run))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(files, ["meta.json"]);

    let server = TestServer::empty().await;
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.add_symlink(&names[1], "/etc/passwd", options).unwrap();
    zip.start_file(&names[0], options).unwrap();
    zip.write_all(META).unwrap();
    let answer = import(&server, zip.finish().unwrap().into_inner()).await;
    assert_eq!(answer.json()["imported_files"], 1, "{}", answer.text());
    assert!(
        server
            .root()
            .join(&run)
            .join("link")
            .symlink_metadata()
            .is_err()
    );
}

#[tokio::test]
async fn a_name_that_occurs_twice_refuses_the_archive() {
    let server = TestServer::empty().await;
    let meta = format!("runs/x/{ID}/meta.json");
    let archive = tar_gz_of(&[
        (&meta, META, tar::EntryType::Regular),
        (&meta, b"{}", tar::EntryType::Regular),
    ]);
    let answer = import(&server, archive).await;
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (400, json!("BAD_ARCHIVE"))
    );
    // the zip writer takes no name twice, so the second is patched in
    let other = format!("runs/x/{ID}/meta.jsoX");
    let mut archive = zip_of(&[(&meta, META), (&other, b"{}")]);
    let places: Vec<usize> = archive
        .windows(other.len())
        .enumerate()
        .filter(|(_, window)| *window == other.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(places.len(), 2);
    for at in places {
        archive[at + other.len() - 1] = b'n';
    }
    let answer = import(&server, archive).await;
    assert_eq!(
        (answer.status, answer.json()["code"].clone()),
        (400, json!("BAD_ARCHIVE")),
        "{}",
        answer.text()
    );
    assert!(!server.root().join("runs/x").exists());
}

#[tokio::test]
async fn an_archive_that_is_cut_off_or_no_archive_is_refused_with_words() {
    let server = TestServer::empty().await;
    let whole = one_run_zip(ID);
    let cut = [
        whole[..whole.len() / 2].to_vec(),
        b"PK".to_vec(),
        b"PK\x05\x06".to_vec(),
        Vec::new(),
    ];
    for archive in cut {
        let answer = import(&server, archive).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with("Unsupported or corrupted archive: "),
            "{detail}"
        );
    }
    let tar = tar_gz_of(&[(
        &format!("runs/x/{ID}/meta.json"),
        META,
        tar::EntryType::Regular,
    )]);
    let answer = import(&server, tar[..tar.len() / 2].to_vec()).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(!server.root().join("runs/x").exists());
}

#[tokio::test]
async fn a_preview_shows_conflicts_and_its_token_imports_once() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let preview = send_form(&server, "/api/import/preview", one_run_zip(ID), &[])
        .await
        .json();
    assert_eq!(
        preview["runs"],
        json!([{"run_id": ID, "path": "imported", "files_count": 2, "conflict": false}])
    );
    assert_eq!(preview["conflict_count"], 0);
    let token = preview["token"].as_str().unwrap().to_owned();
    let by_token = || async {
        let form = reqwest::multipart::Form::new()
            .text("preview_token", token.clone())
            .text("mode", "isolate");
        answer(
            server
                .request("POST", "/api/import/archive")
                .multipart(form),
        )
        .await
    };
    let imported = by_token().await.json();
    let base = imported["isolate_base"].as_str().unwrap();
    assert!(base.starts_with("imports/"));
    let run = server
        .root()
        .join("runs")
        .join(base)
        .join("imported")
        .join(ID);
    assert_eq!(imported["new_run_dirs"], json!([run.display().to_string()]));
    let meta: Value =
        serde_json::from_slice(&std::fs::read(run.join("meta.json")).unwrap()).unwrap();
    assert_eq!(meta["path"], format!("{base}/imported"));
    let again = by_token().await;
    assert_eq!(
        (again.status, again.json()["detail"].clone()),
        (400, json!("Invalid or expired preview token"))
    );
    let preview = send_form(&server, "/api/import/preview", one_run_zip(ID), &[])
        .await
        .json();
    assert_eq!(preview["conflict_run_ids"], json!([ID]));
}

#[tokio::test]
async fn all_runs_are_exported_as_json_csv_zip_and_tar_gz() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let all = server.get("/api/export?format=json").await.json();
    assert_eq!(all["total_runs"], 13);
    let csv = server.get("/api/export?format=csv").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.text().lines().count(), 14);
    assert!(
        csv.text()
            .starts_with("run_id,path,alias,status,created_time,tags,summary."),
        "{}",
        csv.text()
    );
    let zip = server.get("/api/export?format=zip").await;
    let names: Vec<String> = zip::ZipArchive::new(Cursor::new(zip.bytes))
        .unwrap()
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert!(
        names.contains(&"runs/default/my-run/meta.json".to_owned()),
        "{names:?}"
    );
    let tar = server.get("/api/export?format=tar.gz").await;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(Cursor::new(tar.bytes)));
    let count = tar
        .entries()
        .unwrap()
        .inspect(|entry| assert!(entry.is_ok(), "{:?}", entry.as_ref().err()))
        .count();
    assert_eq!(count, names.len());
    assert_eq!(
        server.get("/api/export?format=xml").await.json()["detail"],
        "Unsupported format: xml"
    );
}

#[tokio::test]
async fn one_run_is_exported_as_csv_json_and_report() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let id = "20250114_153045_a1b2c3";
    let csv = server.get(&format!("/api/export/{id}/csv")).await;
    assert_eq!(
        csv.text().lines().next(),
        Some("step,loss,lr,mAP,stage,time")
    );
    let posted = server
        .post("/api/export", json!({"run_id": id, "format": "csv"}))
        .await;
    assert_eq!(posted.bytes, csv.bytes);
    let document = server
        .post("/api/export", json!({"run_id": id, "format": "json"}))
        .await
        .json();
    assert_eq!(document["run_id"], id);
    assert_eq!(document["metrics"]["columns"][0], "global_step");
    let report = server
        .get(&format!("/api/export/{id}/report?format=markdown"))
        .await
        .text();
    assert!(
        report.contains("| mAP | ") && report.contains("| Path | cv/detection/yolo |"),
        "{report}"
    );
    let page = server
        .get(&format!("/api/export/{id}/report?format=html"))
        .await;
    assert!(
        page.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let mut unpacked = String::new();
    let zip = server
        .post("/api/export", json!({"run_id": id, "format": "zip"}))
        .await;
    let mut zip = zip::ZipArchive::new(Cursor::new(zip.bytes)).unwrap();
    let name = format!("runs/cv/detection/yolo/{id}/meta.json");
    zip.by_name(&name)
        .unwrap()
        .read_to_string(&mut unpacked)
        .unwrap();
    assert_eq!(
        unpacked,
        std::fs::read_to_string(server.root().join(name)).unwrap()
    );
}
