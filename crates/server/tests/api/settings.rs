//! Choosing a storage root, and what a person set on the page.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn a_chosen_root_is_made_saved_for_the_sdk_and_shown_at_once() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let config = server.home().join(".config/runicorn/config.json");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, r#"{"other": {"kept": true}}"#).unwrap();
    let chosen = server
        .post(
            "/api/config/user_root_dir",
            json!({"path": "$HOME/new/root"}),
        )
        .await;
    let new_root = server.home().join("new/root");
    assert_eq!(chosen.status, 200, "{}", chosen.text());
    assert_eq!(
        chosen.json()["user_root_dir"],
        new_root.display().to_string()
    );
    assert!(new_root.join("runs").is_dir());
    let saved: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&config).unwrap()).unwrap();
    assert_eq!(
        saved,
        json!({"other": {"kept": true}, "user_root_dir": new_root.display().to_string()})
    );
    assert_eq!(
        server.get("/api/health").await.json()["storage"],
        new_root.display().to_string()
    );
    let settings = server.get("/api/settings").await.json();
    let recent = [
        new_root.display().to_string(),
        server.root().display().to_string(),
    ];
    assert_eq!(settings["recent_roots"], json!(recent));
}

#[tokio::test]
async fn an_unsuitable_root_is_refused_and_nothing_changes() {
    let server = TestServer::empty().await;
    std::fs::write(server.home().join("file"), "").unwrap();
    let in_a_file = server.home().join("file/x").display().to_string();
    for (body, code) in [
        (json!({}), "PATH_REQUIRED"),
        (json!({"path": "  "}), "PATH_REQUIRED"),
        (json!({"path": 5}), "PATH_REQUIRED"),
        (json!({"path": "relative"}), "PATH_NOT_ABSOLUTE"),
        (json!({"path": "/"}), "PATH_UNSUITABLE"),
        (json!({"path": "/x/../.."}), "PATH_UNSUITABLE"),
        (json!({"path": "/proc/nope/x"}), "PATH_UNSUITABLE"),
        (json!({"path": in_a_file}), "PATH_UNSUITABLE"),
    ] {
        let refused = server.post("/api/config/user_root_dir", body.clone()).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str().unwrap()),
            (400, code),
            "{body}"
        );
    }
    assert!(!server.home().join(".config").exists());
    assert_eq!(
        server.get("/api/health").await.json()["storage"],
        server.root().display().to_string()
    );
}

#[tokio::test]
async fn the_sdks_damaged_config_is_not_overwritten_when_a_root_is_chosen() {
    let server = TestServer::empty().await;
    let config = server.home().join(".config/runicorn/config.json");
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "{cut").unwrap();
    let path = server.home().join("new").display().to_string();
    let refused = server
        .post("/api/config/user_root_dir", json!({"path": path}))
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert_eq!(std::fs::read_to_string(&config).unwrap(), "{cut");
}

#[tokio::test]
async fn the_0_6_client_changes_the_configuration_with_put() {
    let server = TestServer::empty().await;
    let path = server.home().join("put").display().to_string();
    let body = json!({"user_root_dir": path, "unknown": 1});
    let changed = server.call("PUT", "/api/config", Some(body)).await;
    assert_eq!(
        (changed.status, &changed.json()["storage"]),
        (200, &json!(path))
    );
    assert!(changed.json()["version"].is_string());
}

#[tokio::test]
async fn column_widths_are_kept_by_table_and_size_across_a_restart() {
    let server = TestServer::empty().await;
    let body = json!({"table": "runs", "size": "1", "widths": {"id": 120, "name": 200.0}});
    assert_eq!(
        server.post("/api/config/column-widths", body).await.status,
        200
    );
    let path = "/api/config/column-widths?table=runs&size=1";
    assert_eq!(
        server.get(path).await.json()["widths"],
        json!({"id": 120, "name": 200})
    );
    let server = server.restart().await;
    assert_eq!(
        server.get(path).await.json()["widths"],
        json!({"id": 120, "name": 200})
    );
    let other = server
        .call(
            "POST",
            "/api/config/column-widths/reset?table=runs&size=2",
            None,
        )
        .await;
    assert_eq!(other.status, 200);
    assert_eq!(
        server.get(path).await.json()["widths"],
        json!({"id": 120, "name": 200})
    );
    assert_eq!(
        server
            .call("DELETE", "/api/config/column-widths?table=runs", None)
            .await
            .status,
        200
    );
    assert_eq!(server.get(path).await.json()["widths"], json!({}));
}

#[tokio::test]
async fn a_dismissed_note_stays_dismissed_until_it_is_brought_back() {
    let server = TestServer::empty().await;
    for _ in 0..2 {
        let answer = server
            .post(
                "/api/config/dismissed-alerts/dismiss",
                json!({"alert_id": "a"}),
            )
            .await;
        assert_eq!(answer.json()["message"], "Alert 'a' dismissed");
    }
    let server = server.restart().await;
    assert_eq!(
        server.get("/api/config/dismissed-alerts").await.json(),
        json!({"dismissed_alerts": ["a"]})
    );
    server
        .post(
            "/api/config/dismissed-alerts/undismiss",
            json!({"alert_id": "a"}),
        )
        .await;
    assert_eq!(
        server.get("/api/config/dismissed-alerts").await.json(),
        json!({"dismissed_alerts": []})
    );
}

#[tokio::test]
async fn storage_roots_below_a_folder_are_found() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let parent = server.root().parent().unwrap().display().to_string();
    let found = server
        .get(&format!(
            "/api/config/storage-candidates?scan_root={parent}&max_depth=99"
        ))
        .await
        .json();
    assert_eq!(found["max_depth"], 8);
    assert_eq!(
        found["candidates"][0]["path"],
        server.root().display().to_string()
    );
    let missing = server
        .get("/api/config/storage-candidates?scan_root=/nope")
        .await;
    assert_eq!(
        (missing.status, missing.json()["code"].as_str()),
        (400, Some("SCAN_ROOT_MISSING"))
    );
}

#[tokio::test]
async fn the_deprecated_sync_routes_name_their_replacement() {
    let server = TestServer::empty().await;
    for (method, path) in [
        ("GET", "/api/unified/status"),
        ("POST", "/api/ssh/connect"),
        ("DELETE", "/api/ssh/mirror/stop"),
    ] {
        let gone = server.call(method, path, None).await;
        assert_eq!(
            (gone.status, gone.json()["code"].as_str()),
            (410, Some("GONE")),
            "{path}"
        );
        assert!(
            gone.json()["detail"]
                .as_str()
                .unwrap()
                .contains("/api/remote/")
        );
    }
}

#[tokio::test]
async fn two_servers_of_one_user_keep_each_others_settings() {
    let one = TestServer::empty().await;
    let home = one.home();
    let other = TestServer::start(crate::support::scratch(), |config| {
        config.folders = runicorn_server::config::Folders::below(&home);
    })
    .await;
    for (server, alert) in [(&one, "a"), (&other, "b"), (&one, "c")] {
        let path = "/api/config/dismissed-alerts/dismiss";
        let dismissed = server.post(path, json!({"alert_id": alert})).await;
        assert_eq!(dismissed.status, 200, "{}", dismissed.text());
    }
    let widths = json!({"table": "runs", "size": "1", "widths": {"id": 7}});
    other.post("/api/config/column-widths", widths).await;
    let shown = [other.root(), one.root()].map(|root| root.display().to_string());
    other.server().shutdown().await;
    let one = one.restart().await;
    let dismissed = one.get("/api/config/dismissed-alerts").await.json();
    assert_eq!(dismissed["dismissed_alerts"], json!(["a", "b", "c"]));
    let widths = one.get("/api/config/column-widths?table=runs&size=1").await;
    assert_eq!(widths.json()["widths"], json!({"id": 7}));
    let recent = one.get("/api/settings").await.json()["recent_roots"].clone();
    for root in shown {
        assert!(
            recent.as_array().unwrap().contains(&json!(root)),
            "{recent}"
        );
    }
}
