//! Connecting through the API: questions, refusals, saved servers.

use serde_json::json;

use super::far_side::Hosts;
use super::sshd::{PASSWORD, SshdOptions, is_root_or_skip};

#[tokio::test]
async fn an_unknown_host_key_is_a_question_and_its_acceptance_leads_in() {
    let hosts = Hosts::with(&SshdOptions::default(), |_| {}).await;
    let asked = hosts.connect(json!({})).await;
    assert_eq!(asked.status, 409, "{}", asked.text());
    let body = asked.json();
    assert_eq!(
        (&body["code"], &body["phase"]),
        (&json!("HOST_KEY_CONFIRMATION_REQUIRED"), &json!("host_key"))
    );
    let key = &body["detail"]["host_key"];
    assert!(key["randomart"].as_str().unwrap().contains("+--"), "{key}");
    let mut accept = key.clone();
    accept["fingerprint_sha256"] = json!("SHA256:another");
    let refused = hosts
        .server
        .post("/api/remote/known-hosts/accept", accept)
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let accepted = hosts
        .server
        .post("/api/remote/known-hosts/accept", key.clone())
        .await;
    assert_eq!(accepted.json(), json!({"ok": true}));
    let connected = hosts.connect(json!({})).await;
    assert_eq!(connected.status, 200, "{}", connected.text());
    assert_eq!(connected.json()["connection_id"], hosts.connection_id());
    let again = hosts
        .server
        .post("/api/remote/known-hosts/accept", key.clone())
        .await;
    assert_eq!(
        (again.status, &again.json()["code"]),
        (409, &json!("NO_PENDING_HOST_KEY"))
    );
}

#[tokio::test]
async fn refused_logins_say_so_and_after_five_there_is_a_pause() {
    let hosts = Hosts::known().await;
    let empty = json!({"private_key_path": "~/.ssh/none", "use_agent": false, "password": "wrong"});
    std::fs::remove_file(hosts.server.home().join(".ssh/id_ed25519")).unwrap();
    let unusable = hosts.connect(empty).await;
    assert_eq!(unusable.status, 401, "{}", unusable.text());
    for round in 0..5 {
        let refused = hosts
            .connect(json!({"password": format!("wrong {round}")}))
            .await;
        assert_eq!(refused.status, 401, "{round}: {}", refused.text());
        let body = refused.json();
        assert_eq!(
            (&body["code"], &body["phase"]),
            (&json!("AUTHENTICATION_FAILED"), &json!("authenticating"))
        );
        assert!(
            body["detail"]
                .as_str()
                .unwrap()
                .starts_with("Connection failed: ")
        );
    }
    let paused = hosts.connect(json!({"password": "wrong"})).await;
    assert_eq!(
        (paused.status, &paused.json()["code"]),
        (429, &json!("RATE_LIMITED"))
    );
    let wait = paused.json()["retry_after"].as_u64().unwrap();
    assert_eq!(
        paused.header("retry-after"),
        Some(wait.to_string().as_str())
    );
    let overview = hosts.server.get("/api/hosts").await.json();
    let failed = &overview["hosts"][0]["connection"];
    assert!(
        failed.is_null() || failed["connected"] == false,
        "{overview:#}"
    );
}

#[tokio::test]
async fn a_saved_server_brings_its_names_and_its_password() {
    if !is_root_or_skip("a user with a password") {
        return;
    }
    let options = SshdOptions {
        has_password: true,
        ..SshdOptions::default()
    };
    let hosts = Hosts::with(&options, |_| {}).await;
    hosts.know();
    std::fs::remove_file(hosts.server.home().join(".ssh/id_ed25519")).unwrap();
    let mut server = hosts
        .place_with(json!({"kind": "server", "id": "s1", "name": "Lab", "authMethod": "password"}));
    server["password"] = json!(PASSWORD);
    let saved = hosts
        .server
        .post("/api/remote/connections/saved", json!([server]))
        .await;
    assert_eq!(saved.json()["ok"], true, "{}", saved.text());
    for (body, status, code) in [
        (
            json!({"saved_server_id": "nobody"}),
            404,
            "SAVED_SERVER_NOT_FOUND",
        ),
        (
            json!({"saved_server_id": "s1", "host": "elsewhere"}),
            422,
            "SAVED_SERVER_MISMATCH",
        ),
        (
            json!({"saved_server_id": "s1", "port": 1}),
            422,
            "SAVED_SERVER_MISMATCH",
        ),
    ] {
        let refused = hosts.server.post("/api/remote/connect", body).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (status, &json!(code)),
            "{}",
            refused.text()
        );
    }
    let connected = hosts
        .server
        .post("/api/remote/connect", json!({"saved_server_id": "s1"}))
        .await;
    assert_eq!(connected.status, 200, "{}", connected.text());
    let started = json!({"connection_id": hosts.connection_id(), "remote_root": ""});
    let started = hosts.server.post("/api/remote/viewer/start", started).await;
    assert_eq!(started.status, 200, "{}", started.text());
    let left = hosts
        .server
        .post(
            "/api/remote/disconnect",
            json!({"host": "127.0.0.1", "port": hosts.sshd.port()}),
        )
        .await;
    assert_eq!(left.json()["ok"], true, "{}", left.text());
}
