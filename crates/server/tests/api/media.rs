//! Media of a run as the page asks for them: parts of files for players, tags, small pictures.

use serde_json::json;

use crate::support::{Answer, TestServer, answer};

const RUN: &str = "20260401_000000_0e0000";

/// A picture of one colour, as large as one wants: 24 bits a pixel, the lines padded to four bytes.
fn bmp(width: u32, height: u32) -> Vec<u8> {
    let line = (width * 3).next_multiple_of(4);
    let bytes = 54 + line * height;
    let mut file = b"BM".to_vec();
    for word in [
        bytes,
        0,
        54,
        40,
        width,
        height,
        1 | (24 << 16),
        0,
        0,
        0,
        0,
        0,
        0,
    ] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    file.resize(bytes as usize, 120);
    file
}

async fn with_file(name: &str, bytes: &[u8]) -> TestServer {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("root/runs/img").join(RUN);
    std::fs::create_dir_all(dir.join("media")).unwrap();
    std::fs::write(dir.join("media").join(name), bytes).unwrap();
    let event = json!({"ts": 1, "type": "image", "data": {"key": "k", "step": 1, "path": format!("media/{name}")}});
    std::fs::write(dir.join("events.jsonl"), format!("{event}\n")).unwrap();
    std::fs::write(dir.join("meta.json"), json!({"id": RUN}).to_string()).unwrap();
    std::fs::write(
        dir.join("status.json"),
        json!({"status": "finished"}).to_string(),
    )
    .unwrap();
    TestServer::start(folder, |_| {}).await
}

async fn ask(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = server.request("GET", path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request).await
}

fn file(name: &str) -> String {
    format!("/api/run-file/{RUN}?file=media/{name}")
}

fn thumbnail(name: &str, px: u32) -> String {
    format!("/api/run-thumbnail/{RUN}?file=media/{name}&px={px}")
}

#[tokio::test]
async fn a_player_gets_the_part_that_it_asks_for() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let server = with_file("a.webm", &bytes).await;
    let whole = ask(&server, &file("a.webm"), &[]).await;
    assert_eq!((whole.status, whole.bytes.len()), (200, bytes.len()));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("content-type"), Some("video/webm"));
    let check = async |range: &str, from: usize, to: usize| {
        let part = ask(&server, &file("a.webm"), &[("range", range)]).await;
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(part.bytes, bytes[from..=to], "{range}");
        let told = format!("bytes {from}-{to}/200000");
        assert_eq!(part.header("content-range"), Some(told.as_str()));
        assert_eq!(
            part.header("content-length"),
            Some((to - from + 1).to_string().as_str())
        );
        assert_eq!(part.header("x-content-type-options"), Some("nosniff"));
    };
    check("bytes=0-", 0, 199_999).await;
    check("bytes=65536-131071", 65_536, 131_071).await;
    check("bytes=-1", 199_999, 199_999).await;
    check("bytes=199990-999999", 199_990, 199_999).await;
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused_and_an_odd_one_ignored() {
    let server = with_file("a.wav", b"0123456789").await;
    let beyond = ask(&server, &file("a.wav"), &[("range", "bytes=10-")]).await;
    assert_eq!(beyond.status, 416);
    assert_eq!(beyond.header("content-range"), Some("bytes */10"));
    for odd in ["bytes=3-1", "bytes=0-1,4-5", "seconds=1-2"] {
        let whole = ask(&server, &file("a.wav"), &[("range", odd)]).await;
        assert_eq!(
            (whole.status, whole.text().as_str()),
            (200, "0123456789"),
            "{odd}"
        );
    }
}

#[tokio::test]
async fn a_part_of_a_file_that_changed_is_the_new_whole() {
    let server = with_file("a.mp3", b"0123456789").await;
    let tag = ask(&server, &file("a.mp3"), &[])
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    let wish = [("range", "bytes=2-3"), ("if-range", tag.as_str())];
    assert_eq!(ask(&server, &file("a.mp3"), &wish).await.text(), "23");
    let path = server.root().join("runs/img").join(RUN).join("media/a.mp3");
    std::fs::write(path, "another one").unwrap();
    let whole = ask(&server, &file("a.mp3"), &wish).await;
    assert_eq!((whole.status, whole.text().as_str()), (200, "another one"));
}

#[tokio::test]
async fn what_the_browser_has_is_not_sent_again() {
    let server = with_file("a.bmp", &bmp(800, 400)).await;
    for path in [file("a.bmp"), thumbnail("a.bmp", 128)] {
        let first = ask(&server, &path, &[]).await;
        assert_eq!(first.status, 200);
        let tag = first.header("etag").unwrap().to_owned();
        let again = ask(&server, &path, &[("if-none-match", &tag)]).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
}

#[tokio::test]
async fn files_that_could_run_script_are_only_saved_whatever_part_is_asked_for() {
    let server = with_file("a.svg", b"<svg onload=alert(1)>").await;
    for headers in [&[][..], &[("range", "bytes=0-3")][..]] {
        let sent = ask(&server, &file("a.svg"), headers).await;
        assert!(
            sent.header("content-disposition")
                .unwrap()
                .starts_with("attachment")
        );
        assert!(
            sent.header("content-security-policy")
                .unwrap()
                .contains("sandbox")
        );
    }
    assert_eq!(
        ask(&server, &thumbnail("a.svg", 128), &[]).await.status,
        400
    );
}

#[cfg(feature = "thumbnails")]
#[tokio::test]
async fn a_large_picture_is_sent_small_and_anew_when_it_changed() {
    let server = with_file("a.bmp", &bmp(800, 400)).await;
    let small = ask(&server, &thumbnail("a.bmp", 200), &[]).await;
    assert_eq!(
        (small.status, small.header("content-type")),
        (200, Some("image/jpeg"))
    );
    assert!(small.bytes.len() < 20_000, "{}", small.bytes.len());
    assert!(
        small
            .header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
    let path = server.root().join("runs/img").join(RUN).join("media/a.bmp");
    std::fs::write(&path, bmp(900, 300)).unwrap();
    let other = ask(&server, &thumbnail("a.bmp", 200), &[]).await;
    assert_ne!(small.header("etag"), other.header("etag"));
    assert_ne!(small.bytes, other.bytes);
    let kept = walk(&server.home());
    assert!(
        kept.iter().any(|file| file.contains("thumbnails/")),
        "{kept:?}"
    );
}

#[cfg(feature = "thumbnails")]
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn what_cannot_or_need_not_be_made_smaller_is_sent_as_it_is() {
    let mut bomb = bmp(2, 2);
    bomb[18..22].copy_from_slice(&60_000_u32.to_le_bytes());
    bomb[22..26].copy_from_slice(&60_000_u32.to_le_bytes());
    for (name, bytes) in [
        ("a.bmp", bmp(32, 32)),
        ("b.bmp", bomb),
        ("c.png", b"no picture at all".to_vec()),
        ("d.gif", b"GIF89a".to_vec()),
    ] {
        let server = with_file(name, &bytes).await;
        for _ in 0..2 {
            let sent = ask(&server, &thumbnail(name, 256), &[]).await;
            assert_eq!((sent.status, sent.bytes), (200, bytes.clone()), "{name}");
        }
    }
}

#[tokio::test]
async fn thumbnails_of_what_is_not_in_the_run_are_refused() {
    let server = with_file("a.bmp", &bmp(800, 400)).await;
    for (name, status) in [("never.png", 404), ("../meta.png", 403)] {
        let sent = ask(&server, &thumbnail(name, 256), &[]).await;
        let same = ask(&server, &file(name), &[]).await;
        assert_eq!(sent.status, same.status, "{name}");
        assert!(
            sent.status >= 400 && (sent.status == status || status == 403),
            "{}",
            sent.status
        );
    }
    let wide = ask(&server, &thumbnail("a.bmp", 1_000_000), &[]).await;
    assert_eq!(wide.status, 422);
}
