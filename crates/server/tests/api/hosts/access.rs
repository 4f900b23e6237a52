//! A forwarded port of a real session: the same guard as our own, the same viewer behind it.

use std::time::Duration;

use serde_json::{Value, json};

use super::far_side::Hosts;
use crate::access::as_another_user;
use crate::support::answer;

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_port_refuses_foreign_names_pages_and_users() {
    let hosts = Hosts::known().await;
    let session = hosts.start(&json!({})).await;
    let url = format!("{}/api/health", session["url"].as_str().unwrap());
    let port = session["localPort"].as_u64().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let health = answer(client.get(&url)).await;
    assert_eq!(health.json()["status"], "ok", "{}", health.text());
    for (name, value, code) in [
        ("host", "evil.example".to_owned(), "HOST_REFUSED"),
        ("host", format!("localhost:{}", port + 1), "HOST_REFUSED"),
        (
            "origin",
            "https://evil.example".to_owned(),
            "ORIGIN_REFUSED",
        ),
        ("origin", "null".to_owned(), "ORIGIN_REFUSED"),
    ] {
        let refused = answer(client.get(&url).header(name, &value)).await;
        assert_eq!(refused.status, 403, "{name}: {value}");
        assert_eq!(refused.json()["code"], code, "{name}: {value}");
    }
    let program = "import socket, sys\n\
        s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
        s.sendall(b'GET /api/health HTTP/1.1\\r\\nhost: localhost:' + sys.argv[1].encode() + b'\\r\\nconnection: close\\r\\n\\r\\n')\n\
        print(b''.join(iter(lambda: s.recv(65536), b'')).decode())";
    let asked = tokio::task::spawn_blocking(move || as_another_user(program, &[&port.to_string()]));
    if let Some(refused) = asked.await.unwrap() {
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
        assert!(refused.contains("PEER_REFUSED"), "{refused}");
    }
}

#[tokio::test]
async fn a_taken_local_port_is_said_before_anything_is_started() {
    let hosts = Hosts::known().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let body = hosts.place_with(&json!({"remote_root": "", "local_port": port}));
    let refused = hosts.server.post("/api/remote/viewer/start", body).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(refused.json()["code"], "LOCAL_PORT_TAKEN");
    let connections = hosts.server.get("/api/remote/sessions").await.json();
    assert_eq!(connections["sessions"], json!([]));
}

#[tokio::test]
async fn a_stopped_session_frees_its_port_and_leaves_no_process() {
    let hosts = Hosts::known().await;
    let session = hosts.start(&json!({})).await;
    let id = session["sessionId"].as_str().unwrap();
    let stopped = hosts
        .server
        .post("/api/remote/viewer/stop", json!({"session_id": id}))
        .await;
    assert_eq!(stopped.json()["message"], format!("Session {id} stopped"));
    let port = u16::try_from(session["localPort"].as_u64().unwrap()).unwrap();
    until(|| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()).await;
    until(|| hosts.sshd.session_processes().is_empty()).await;
    let list = hosts.server.get("/api/remote/viewer/sessions").await.json();
    assert_eq!(list["sessions"], json!([]));
    let at = hosts
        .server
        .get(&format!("/api/hosts/{id}/at/api/runs"))
        .await;
    assert_eq!(
        (at.status, &at.json()["code"]),
        (404, &json!("SESSION_NOT_FOUND"))
    );
}

#[tokio::test]
async fn the_end_of_the_server_ends_its_viewers() {
    let hosts = Hosts::known().await;
    let session: Value = hosts.start(&json!({})).await;
    let pid = session["remotePid"].as_u64().unwrap();
    assert!(std::path::Path::new(&format!("/proc/{pid}")).exists());
    hosts.server.server().shutdown().await;
    until(|| !std::path::Path::new(&format!("/proc/{pid}")).exists()).await;
}

/// Waits until something is so; a test that waits for ever is stopped by its runner.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
