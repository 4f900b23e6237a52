//! What comes from another machine under our own origin.

use futures_util::StreamExt;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::*;
use crate::forwarding::tests::{Forwarded, ToChannel, client, read_head};

fn far(path: &str) -> Option<String> {
    let uri: Uri = path.parse().unwrap();
    far_uri(&uri, "abcd1234").map(|uri| uri.to_string())
}

#[test]
fn only_the_api_of_the_far_side_is_passed_on() {
    let at = "/api/hosts/abcd1234/at";
    assert_eq!(
        far(&format!("{at}/api/runs?a=%2F")).unwrap(),
        "/api/runs?a=%2F"
    );
    for closed in [
        "/",
        "/index.html",
        "/docs",
        "/openapi.json",
        "/apix/runs",
        "/api",
        "/api/../docs",
        "/api/%2e%2e/docs",
        "/api/runs/.%2E/..",
        "/api/remote/connect",
        "/api/%72emote/connect",
        "/api/hosts/x/at/api/runs",
        "/api/desktop/painted",
    ] {
        assert_eq!(far(&format!("{at}{closed}")), None, "{closed}");
    }
    assert_eq!(far("/api/hosts/other/at/api/runs"), None);
}

#[test]
fn what_a_browser_could_run_becomes_text_to_be_saved() {
    let type_of = |declared: &'static str| {
        let declared = HeaderValue::from_static(declared);
        defused(Some(&declared)).map(|safer| safer.to_str().unwrap().to_owned())
    };
    for harmless in [
        "application/json",
        "text/plain; charset=utf-8",
        "image/png",
        "video/mp4",
    ] {
        assert_eq!(type_of(harmless), None, "{harmless}");
    }
    for active in [
        "text/html",
        "TEXT/HTML; charset=utf-8",
        "application/xhtml+xml",
        "image/svg+xml",
        "text/javascript",
        "application/javascript",
        "text/css",
        "application/xml",
    ] {
        assert_eq!(
            type_of(active).as_deref(),
            Some("text/plain; charset=utf-8"),
            "{active}"
        );
    }
    for strange in [
        "application/pdf",
        "application/wasm",
        "multipart/x-mixed-replace",
        "",
    ] {
        assert_eq!(
            type_of(strange).as_deref(),
            Some("application/octet-stream"),
            "{strange}"
        );
    }
}

#[test]
fn cookies_and_policies_stay_where_they_are() {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("cookie", "a=1"),
        ("authorization", "Bearer x"),
        ("origin", "http://localhost"),
        ("accept", "*/*"),
        ("upgrade", "websocket"),
    ] {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    keep(&mut headers, &SENT, false);
    let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    assert_eq!(left, ["accept"]);
}

async fn answer_of(
    forwarded: &Forwarded,
    far_ends: &mut mpsc::UnboundedReceiver<DuplexStream>,
    words: &[u8],
) -> (String, reqwest::Response) {
    let url = format!("http://{}/api/hosts/s/at/api/runs", forwarded.own);
    let request = client()
        .get(url)
        .header("cookie", "ours=1")
        .header("authorization", "Bearer ours");
    let asked = tokio::spawn(request.send());
    let mut far = far_ends.recv().await.unwrap();
    let (head, _) = read_head(&mut far).await;
    far.write_all(words).await.unwrap();
    (head.to_ascii_lowercase(), asked.await.unwrap().unwrap())
}

#[tokio::test]
async fn an_active_answer_of_a_hostile_machine_cannot_act_under_our_origin() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let hostile = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nset-cookie: theirs=1\r\n\
        content-security-policy: script-src *\r\nrefresh: 0; url=https://evil.example\r\nlink: <x>; rel=preload\r\n\
        service-worker-allowed: /\r\naccess-control-allow-origin: *\r\nx-frame-options: ALLOWALL\r\n\
        content-length: 25\r\n\r\n<script>alert(1)</script>";
    let (head, answer) = answer_of(&forwarded, &mut far_ends, hostile).await;
    assert!(head.starts_with("get /api/runs http/1.1"), "{head}");
    assert!(head.contains("host: localhost\r\n"), "{head}");
    assert!(
        !head.contains("ours") && !head.contains("authorization"),
        "{head}"
    );
    let headers = answer.headers();
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(headers["content-disposition"], "attachment");
    assert_eq!(
        headers["content-security-policy"],
        "sandbox; default-src 'none'"
    );
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["x-frame-options"], "DENY");
    for name in [
        "set-cookie",
        "refresh",
        "link",
        "service-worker-allowed",
        "access-control-allow-origin",
    ] {
        assert!(!headers.contains_key(name), "{name}");
    }
    assert_eq!(answer.text().await.unwrap(), "<script>alert(1)</script>");
}

#[tokio::test]
async fn we_are_not_sent_elsewhere() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let elsewhere =
        b"HTTP/1.1 302 Found\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n";
    let (_, answer) = answer_of(&forwarded, &mut far_ends, elsewhere).await;
    assert_eq!(answer.status(), 502);
    assert!(!answer.headers().contains_key("location"));
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "FAR_SIDE_STRANGE");
}

#[tokio::test]
async fn calls_and_sockets_reach_the_far_api_and_its_run_list_is_remembered() {
    let (forwarded, _way, _folder) = Forwarded::to_our_server().await;
    let at = format!("{}/api/hosts/s/at", forwarded.own);
    let answer = client()
        .get(format!("http://{at}/api/run-list"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let list: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(list["full"], true);
    let target = runicorn_remote::Target::new("u", "gpu", 22).unwrap();
    let seen = loop {
        // Kept beside the answer, not before it.
        match forwarded.app.seen_lists().last(&target, "/data") {
            Some(seen) => break seen,
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(seen.answer.get()).unwrap()["rows"],
        list["rows"]
    );
    let url = format!(
        "http://{}/api/hosts/run-list-cached?connection_id=u@gpu:22&remote_root=/data",
        forwarded.own
    );
    let cached = client().get(url);
    let cached: serde_json::Value = cached.send().await.unwrap().json().await.unwrap();
    assert_eq!(cached["answer"]["full"], true);
    assert!(cached["age_secs"].as_f64().unwrap() < 60.0);

    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{at}/api/live"))
        .await
        .unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().contains("hello"));
    for closed in ["/", "/api/remote/status", "/api/hosts", "/docs"] {
        let answer = client()
            .get(format!("http://{at}{closed}"))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 404, "{closed}");
    }
    let unknown = format!("http://{}/api/hosts/nobody/at/api/runs", forwarded.own);
    let answer = client().get(unknown).send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.text().await.unwrap().contains("SESSION_NOT_FOUND"));
}
