//! Connecting through the API: questions, refusals, saved servers.

use serde_json::{Value, json};

use super::far_side::Hosts;
use super::russh_server::{Behaviour, Round, RusshServer};
use super::sshd::{PASSWORD, SshdOptions, is_root_or_skip};
use crate::support::Answer;

#[tokio::test]
async fn an_unknown_host_key_is_a_question_and_its_acceptance_leads_in() {
    let hosts = Hosts::with(&SshdOptions::default(), |_| {}).await;
    let asked = hosts.connect(&json!({})).await;
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
    let connected = hosts.connect(&json!({})).await;
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
    let unusable = hosts.connect(&empty).await;
    assert_eq!(unusable.status, 401, "{}", unusable.text());
    for round in 0..5 {
        let refused = hosts
            .connect(&json!({"password": format!("wrong {round}")}))
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
    let paused = hosts.connect(&json!({"password": "wrong"})).await;
    assert_eq!(
        (paused.status, &paused.json()["code"]),
        (429, &json!("RATE_LIMITED"))
    );
    let wait = paused.json()["retry_after"].as_u64().unwrap();
    assert_eq!(
        paused.header("retry-after"),
        Some(wait.to_string().as_str())
    );
}

#[tokio::test]
async fn the_overview_says_why_the_last_attempt_failed() {
    let hosts = Hosts::known().await;
    let config = format!(
        "Host gpu\n  HostName 127.0.0.1\n  Port {}\n  User nobody-here\n",
        hosts.sshd.port()
    );
    std::fs::write(hosts.server.home().join(".ssh/config"), config).unwrap();
    let refused = hosts
        .server
        .post("/api/remote/connect", json!({"host": "gpu"}))
        .await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    let overview = hosts.server.get("/api/hosts").await.json();
    let gpu = &overview["hosts"][0];
    assert_eq!(
        (&gpu["id"], &gpu["connection"]["connected"]),
        (&json!("ssh:gpu"), &json!(false))
    );
    assert_eq!(gpu["connection"]["phase"], "failed");
    let error = &gpu["connection"]["error"];
    assert_eq!(error["code"], "AUTHENTICATION_FAILED");
    assert_eq!(error["phase"], "authenticating");
}

#[tokio::test]
async fn a_second_factor_is_asked_for_in_rounds_and_a_used_prompt_is_gone() {
    let rounds = vec![
        Round::of(&[("Password:", "one")]),
        Round::of(&[("Code:", "two"), ("Place:", "three")]),
    ];
    let far = RusshServer::start(Behaviour {
        rounds,
        ..Behaviour::default()
    })
    .await;
    let hosts = Hosts::known().await;
    std::fs::write(
        hosts.server.home().join(".ssh/known_hosts"),
        far.known_hosts(),
    )
    .unwrap();
    let place = json!({"host": "127.0.0.1", "port": far.port(), "username": "somebody"});
    let asked = hosts.server.post("/api/remote/connect", place).await;
    assert_eq!(asked.status, 409, "{}", asked.text());
    assert_eq!(asked.json()["code"], "AUTH_PROMPT_REQUIRED");
    let detail = asked.json()["detail"].clone();
    assert_eq!(
        detail["prompts"],
        json!([{"text": "Password:", "echo": false}])
    );
    assert_eq!(detail["host"], "127.0.0.1");
    let second = reply(&hosts, &detail, &["one"]).await;
    assert_eq!(second.status, 409, "{}", second.text());
    let second = second.json()["detail"].clone();
    assert_eq!(second["prompts"].as_array().unwrap().len(), 2);
    let connected = reply(&hosts, &second, &["two", "three"]).await;
    assert_eq!(connected.status, 200, "{}", connected.text());
    assert_eq!(connected.json()["connected"], true);
    let gone = reply(&hosts, &detail, &["one"]).await;
    assert_eq!(
        (gone.status, &gone.json()["code"]),
        (409, &json!("PROMPT_EXPIRED"))
    );
}

async fn reply(hosts: &Hosts, prompt: &Value, answers: &[&str]) -> Answer {
    let body = json!({"prompt_id": prompt["prompt_id"], "answers": answers});
    hosts.server.post("/api/remote/connect/answer", body).await
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
    let mut server = hosts.place_with(
        &json!({"kind": "server", "id": "s1", "name": "Lab", "authMethod": "password"}),
    );
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
