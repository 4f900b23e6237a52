//! Who may talk to the server: names, origins, users, and clients that misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite;
use tungstenite::client::IntoClientRequest;

use crate::support::{RawCall, TestServer, scratch};

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
];
const PATHS: [&str; 8] = [
    "/",
    "/api/health",
    "/api/runs",
    "/api/nothing",
    "/docs",
    "/openapi.json",
    "/api/config/user_root_dir",
    "/api/live",
];

async fn codes_of_all(server: &TestServer, header: &str, value: &str, code: &str) {
    for method in METHODS {
        for path in PATHS {
            let answer = server
                .send(RawCall::new(method, path).header(header, value))
                .await;
            assert_eq!(answer.status, 403, "{method} {path} {header}: {value}");
            if method != "HEAD" {
                assert_eq!(
                    answer.json()["code"],
                    code,
                    "{method} {path} {header}: {value}"
                );
            }
            assert!(
                answer.header("access-control-allow-origin").is_none(),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_foreign_host_name_is_refused_on_every_route_and_method() {
    let server = TestServer::empty().await;
    let port = server.address().port();
    codes_of_all(
        &server,
        "host",
        &format!("evil.example:{port}"),
        "HOST_REFUSED",
    )
    .await;
    codes_of_all(
        &server,
        "host",
        &format!("localhost:{}", port.wrapping_add(1)),
        "HOST_REFUSED",
    )
    .await;
}

#[tokio::test]
async fn a_foreign_and_a_null_origin_are_refused_on_every_route_and_method() {
    let server = TestServer::empty().await;
    for origin in ["https://evil.example", "null", "http://localhost:5173"] {
        codes_of_all(&server, "origin", origin, "ORIGIN_REFUSED").await;
    }
}

#[tokio::test]
async fn a_websocket_of_a_foreign_page_or_name_is_refused_before_it_opens() {
    let server = TestServer::empty().await;
    for path in [
        "/api/live",
        "/api/diagnostics/logs/ws?source=session",
        "/api/runs/x/logs/ws",
        "/api/nothing",
    ] {
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("host", "evil.example"),
        ] {
            let mut request = server.ws_url(path).into_client_request().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
            let refused = tokio_tungstenite::connect_async(request).await.unwrap_err();
            let tungstenite::Error::Http(answer) = refused else {
                panic!("{path} {name}: {refused}")
            };
            assert_eq!(answer.status(), 403, "{path} {name}");
        }
    }
}

#[tokio::test]
async fn our_own_pages_and_programs_without_a_page_are_answered() {
    let server = TestServer::empty().await;
    let port = server.address().port();
    assert_eq!(
        server.send(RawCall::new("GET", "/api/health")).await.status,
        200
    );
    for name in ["localhost", "127.0.0.1", "[::1]"] {
        let origin = format!("http://{name}:{port}");
        let answer = server
            .send(RawCall::new("GET", "/api/health").header("origin", &origin))
            .await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (200, Some(origin.as_str()))
        );
        let mut request = server.ws_url("/api/live").into_client_request().unwrap();
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        assert!(
            socket
                .next()
                .await
                .unwrap()
                .unwrap()
                .to_text()
                .unwrap()
                .contains("hello")
        );
    }
}

#[tokio::test]
async fn a_configured_origin_may_call_and_gets_the_recorded_preflight_answer() {
    let folder = scratch();
    let server = TestServer::start(folder, |config| {
        config.allowed_origins = vec!["https://lab.example".to_owned()];
    })
    .await;
    let preflight = RawCall::new("OPTIONS", "/api/runs/soft-delete")
        .header("origin", "https://lab.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = server.send(preflight).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
    for (name, value) in [
        ("access-control-allow-origin", "https://lab.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "content-type"),
        (
            "access-control-allow-methods",
            "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY",
        ),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let call = RawCall::new("GET", "/api/health").header("origin", "https://lab.example");
    assert_eq!(
        server
            .send(call)
            .await
            .header("access-control-allow-origin"),
        Some("https://lab.example")
    );
}

#[tokio::test]
async fn every_answer_forbids_framing_sniffing_and_foreign_scripts() {
    let server = TestServer::empty().await;
    for path in [
        "/",
        "/api/health",
        "/api/nothing",
        "/docs",
        "/redoc",
        "/openapi.json",
    ] {
        let answer = server.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(policy.contains("script-src 'self';"), "{path}: {policy}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
    }
}

#[tokio::test]
async fn a_second_listener_on_ipv6_stands_behind_the_same_questions() {
    let server = TestServer::empty().await;
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        println!("skipped: this machine has no IPv6 loopback");
        return;
    };
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn({
        let server = server.server().clone();
        async move { server.serve(listener).await }
    });
    let ask = |host: String| async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET /api/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(
        ask(format!("[::1]:{}", address.port()))
            .await
            .starts_with("HTTP/1.1 200")
    );
    // The port of the first listener is not the port of this one.
    assert!(
        ask(server.address().to_string())
            .await
            .starts_with("HTTP/1.1 403")
    );
    server.server().shutdown().await;
    serving.await.unwrap();
}

/// Runs a Python program as the user `nobody`. `None`, with a printed reason, when this process is not root.
#[cfg(target_os = "linux")]
pub(crate) fn as_another_user(program: &str, arguments: &[&str]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can start a process of another user");
        return None;
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a client of another user, waited for here"
    )]
    let mut command = std::process::Command::new("setpriv");
    let output = command
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "/usr/bin/env",
            "-i",
            "PATH=/usr/bin:/bin",
        ])
        .args(["python3", "-c", program])
        .args(arguments)
        .current_dir("/")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_of_another_user_is_refused() {
    let server = TestServer::empty().await;
    let program = "import socket, sys\n\
        s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
        s.sendall(b'GET /api/health HTTP/1.1\\r\\nhost: 127.0.0.1:' + sys.argv[1].encode() + b'\\r\\nconnection: close\\r\\n\\r\\n')\n\
        print(b''.join(iter(lambda: s.recv(65536), b'')).decode())";
    let port = server.address().port().to_string();
    let asked = tokio::task::spawn_blocking(move || as_another_user(program, &[&port]));
    let Some(answer) = asked.await.unwrap() else {
        return;
    };
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("PEER_REFUSED"), "{answer}");
    assert_eq!(server.get("/api/health").await.status, 200);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn another_user_who_closes_at_once_changes_nothing() {
    let server = TestServer::empty().await;
    let program = "import socket, sys\n\
        body = b'{\"alert_id\": \"theirs\"}'\n\
        for i in range(300):\n\
        \x20   s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
        \x20   s.sendall(b'POST /api/config/dismissed-alerts/dismiss HTTP/1.1\\r\\nhost: 127.0.0.1:' + sys.argv[1].encode()\n\
        \x20       + b'\\r\\ncontent-type: application/json\\r\\ncontent-length: %d\\r\\n\\r\\n' % len(body) + body)\n\
        \x20   s.close()";
    let port = server.address().port().to_string();
    let asked = tokio::task::spawn_blocking(move || as_another_user(program, &[&port]));
    if asked.await.unwrap().is_none() {
        return;
    }
    assert_eq!(
        server.get("/api/config/dismissed-alerts").await.json(),
        json!({"dismissed_alerts": []})
    );
}

#[tokio::test]
async fn clients_that_close_at_once_do_not_disturb_the_others() {
    let server = TestServer::empty().await;
    for round in 0..200 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        if round % 2 == 0 {
            stream
                .write_all(b"GET /api/runs HTTP/1.1\r\nhost: ")
                .await
                .unwrap();
        }
        drop(stream);
    }
    assert_eq!(server.get("/api/health").await.status, 200);
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_off() {
    let server = TestServer::start(scratch(), |config| {
        config.limits.head_time = Duration::from_millis(200);
    })
    .await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream
        .write_all(b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nx-slow: ")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn bodies_heads_and_paths_beyond_reason_are_refused_and_the_server_goes_on() {
    let server = TestServer::empty().await;
    let huge = vec![b' '; (8 << 20) + 1];
    let call = RawCall::new("POST", "/api/config/column-widths")
        .header("content-type", "application/json")
        .body(huge);
    let answer = server.send(call).await;
    assert_eq!(
        (answer.status, answer.json()["code"].as_str()),
        (413, Some("TOO_LARGE"))
    );
    let deep = "[".repeat(100_000).into_bytes();
    let call = RawCall::new("POST", "/api/config/column-widths")
        .header("content-type", "application/json")
        .body(deep);
    assert_eq!(server.send(call).await.status, 422);
    let head = RawCall::new("GET", "/api/health").header("x-huge", &"x".repeat(1 << 20));
    assert_eq!(server.send(head).await.status, 431);
    let long = server
        .send(RawCall::new("GET", &format!("/api/{}", "x".repeat(60_000))))
        .await;
    assert!(matches!(long.status, 404 | 414), "{}", long.status);
    assert_eq!(server.get("/api/health").await.status, 200);
}

#[tokio::test]
async fn broken_http_is_refused_and_the_server_goes_on() {
    let server = TestServer::empty().await;
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A refusal in any dialect or a closed connection: all are right, an answer is not.
        drop(stream.read_to_end(&mut answer).await);
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.starts_with("HTTP/1.1 2"), "{text}");
    }
    assert_eq!(server.get("/api/health").await.status, 200);
}

#[tokio::test]
async fn limits_of_the_file_are_kept_when_it_says_so() {
    let folder = scratch();
    let config = folder.path().join("home/.config/runicorn");
    std::fs::create_dir_all(&config).unwrap();
    let rules = json!({"endpoints": {"/api/config": {"max_requests": 2}}, "settings": {"enable_rate_limiting": true}});
    std::fs::write(config.join("rate_limits.json"), rules.to_string()).unwrap();
    let server = TestServer::start(folder, |_| {}).await;
    for remaining in ["1", "0"] {
        let answer = server.get("/api/config").await;
        assert_eq!(
            (answer.status, answer.header("x-ratelimit-remaining")),
            (200, Some(remaining))
        );
    }
    let refused = server.get("/api/config").await;
    assert_eq!(
        (refused.status, &refused.json()["detail"]),
        (429, &json!("Rate limit exceeded"))
    );
    assert_eq!(
        refused.header("retry-after"),
        refused.header("x-ratelimit-reset")
    );
    assert!(
        refused.json()["retry_after"]
            .as_u64()
            .is_some_and(|secs| (1..=60).contains(&secs))
    );
    assert_eq!(server.get("/api/health").await.status, 200);
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_their_turn() {
    let server = TestServer::start(scratch(), |config| config.limits.connections = 2).await;
    let address: SocketAddr = server.address();
    let first = TcpStream::connect(address).await.unwrap();
    let second = TcpStream::connect(address).await.unwrap();
    let third = Arc::new(tokio::sync::Notify::new());
    let waiting = tokio::spawn({
        let third = Arc::clone(&third);
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request =
                format!("GET /api/health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            third.notify_one();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    });
    third.notified().await;
    assert!(!waiting.is_finished());
    drop((first, second));
    assert!(waiting.await.unwrap().starts_with("HTTP/1.1 200"));
}
