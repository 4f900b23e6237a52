//! A session as the page uses it: under our own origin, in the overview, remembered when it is gone.

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::far_side::Hosts;
use crate::support::TestServer;

fn host<'a>(overview: &'a Value, id: &str) -> &'a Value {
    let hosts = overview["hosts"].as_array().unwrap();
    let found = hosts.iter().find(|host| host["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {overview:#}"))
}

#[tokio::test]
async fn a_pushed_viewer_is_looked_at_under_our_own_origin() {
    let hosts = Hosts::known().await;
    let run = hosts
        .sshd
        .home()
        .join("runicorn_data/runs/a/20250101_000000_aaaaaa");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(
        run.join("meta.json"),
        r#"{"id": "20250101_000000_aaaaaa", "path": "a"}"#,
    )
    .unwrap();
    std::fs::write(run.join("status.json"), r#"{"status": "finished"}"#).unwrap();
    let session = hosts.start(&json!({"viewer": "bundled"})).await;
    assert_eq!(session["viewer"], "bundled");
    assert_eq!(
        (&session["transport"], &session["remotePort"]),
        (&json!("socket"), &json!(0))
    );
    let id = session["sessionId"].as_str().unwrap();
    let list = hosts
        .server
        .get(&format!("/api/hosts/{id}/at/api/run-list"))
        .await;
    assert_eq!(list.status, 200, "{}", list.text());
    assert_eq!(
        list.header("content-security-policy"),
        Some("sandbox; default-src 'none'")
    );
    let health = hosts
        .server
        .get(&format!("/api/hosts/{id}/at/api/health"))
        .await;
    let root = hosts.sshd.home().join("runicorn_data");
    assert_eq!(health.json()["storage"], root.display().to_string());
    let mut socket = hosts
        .server
        .socket(&format!("/api/hosts/{id}/at/api/live"))
        .await;
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().contains("hello"));

    let overview = hosts.server.get("/api/hosts").await.json();
    let recent = host(&overview, &format!("recent:{}", hosts.connection_id()));
    assert_eq!(recent["connection"]["connected"], true);
    assert_eq!(recent["sessions"][0]["sessionId"], id);
    assert_eq!(recent["last_root"], root.display().to_string());
    assert_eq!(recent["last_viewer"], "bundled");
    let diagnostics = hosts.server.get("/api/diagnostics/sources").await.json();
    assert_eq!(diagnostics["sessions"][0]["sessionId"], id);
    let log = hosts
        .server
        .get(&format!("/api/hosts/sessions/{id}/log?lines=50"))
        .await;
    assert_eq!(log.status, 200, "{}", log.text());
    let again = hosts
        .server
        .post(&format!("/api/hosts/sessions/{id}/reconnect"), json!({}))
        .await;
    assert_eq!(again.json()["sessionId"], id);
}

#[tokio::test]
async fn the_last_list_of_a_machine_is_there_after_the_session_and_after_a_restart() {
    let hosts = Hosts::known().await;
    let session = hosts.start(&json!({})).await;
    let id = session["sessionId"].as_str().unwrap();
    let cached = format!("/api/hosts/sessions/{id}/run-list-cached");
    assert_eq!(
        hosts.server.get(&cached).await.json()["code"],
        "NO_LIST_SEEN"
    );
    let list = hosts
        .server
        .get(&format!("/api/hosts/{id}/at/api/run-list"))
        .await
        .json();
    let seen = loop {
        let seen = hosts.server.get(&cached).await;
        if seen.status == 200 {
            break seen.json();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(seen["answer"]["rows"], list["rows"]);
    assert!(seen["age_secs"].as_f64().unwrap() < 60.0);
    let connection_id = hosts.connection_id();
    let Hosts { server, sshd, .. } = hosts;
    let server: TestServer = server.restart().await;
    drop(sshd);
    let path = format!("/api/hosts/run-list-cached?connection_id={connection_id}");
    let seen = server.get(&path).await;
    assert_eq!(
        seen.json()["answer"]["rows"],
        list["rows"],
        "{}",
        seen.text()
    );
    let overview = server.get("/api/hosts").await.json();
    let gone = host(&overview, &format!("recent:{connection_id}"));
    assert!(gone["connection"].is_null() && gone["last_seen_at"].is_number());
}

#[tokio::test]
async fn windows_are_told_when_connections_or_sessions_change() {
    let hosts = Hosts::known().await;
    let mut socket = hosts.server.socket("/api/live").await;
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().contains("hello"));
    assert_eq!(hosts.connect(&json!({})).await.status, 200);
    loop {
        let frame = socket.next().await.unwrap().unwrap();
        if frame.to_text().unwrap() == r#"{"type":"hosts"}"# {
            break;
        }
    }
}

#[tokio::test]
async fn hosts_of_the_ssh_configuration_and_saved_ones_are_listed_with_their_state() {
    let hosts = Hosts::known().await;
    let port = hosts.sshd.port();
    let user = hosts.sshd.username();
    let config = format!(
        "Host gpu\n  HostName 127.0.0.1\n  Port {port}\n  User {user}\nHost behind\n  HostName 10.0.0.9\n  ProxyJump gpu\n"
    );
    std::fs::write(hosts.server.home().join(".ssh/config"), config).unwrap();
    let saved = json!([{"kind": "server", "id": "s1", "name": "Lab", "host": "127.0.0.1", "port": port,
        "username": user, "password": "never shown", "authMethod": "password"}]);
    let answer = hosts
        .server
        .post("/api/remote/connections/saved", saved)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let connected = hosts
        .server
        .post("/api/remote/connect", json!({"host": "gpu"}))
        .await;
    assert_eq!(
        connected.json()["connection_id"],
        format!("{user}@gpu:{port}"),
        "{}",
        connected.text()
    );

    let overview = hosts.server.get("/api/hosts").await;
    assert!(!overview.text().contains("never shown"));
    let overview = overview.json();
    let gpu = host(&overview, "ssh:gpu");
    assert_eq!(
        (&gpu["address"], &gpu["username"]),
        (&json!("127.0.0.1"), &json!(user))
    );
    assert_eq!(gpu["connection"]["connected"], true);
    let behind = host(&overview, "ssh:behind");
    assert_eq!(behind["jump"], json!(["gpu"]));
    let lab = host(&overview, "saved:s1");
    assert_eq!(
        (&lab["name"], &lab["has_password"]),
        (&json!("Lab"), &json!(true))
    );
    assert_eq!(overview["keyring"]["kind"], "session");
}
