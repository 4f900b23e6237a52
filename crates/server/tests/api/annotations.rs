//! Notes of runs and views of the run table: kept in the state folder, over restarts, never in the storage root.

use serde_json::{Value, json};

use crate::support::{Answer, TestServer};
use crate::transfer::files_of;

async fn put(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.call("PUT", path, Some(body.clone())).await
}

#[tokio::test]
async fn views_are_kept_by_name_replaced_and_forgotten() {
    let server = TestServer::on("runicorn-0.7.2").await;
    assert_eq!(
        server.get("/api/run-views").await.json(),
        json!({"views": []})
    );
    let query = "q=loss%3C0.2&columns=last%3Aloss&sort=-last%3Aloss";
    let kept = put(
        &server,
        "/api/run-views/my%20best",
        &json!({"query": query}),
    )
    .await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    assert_eq!(kept.json()["views"][0]["name"], "my best");
    put(
        &server,
        "/api/run-views/my%20best",
        &json!({"query": "q=x"}),
    )
    .await;
    let listed = server.get("/api/run-views").await.json();
    assert_eq!(listed["views"].as_array().unwrap().len(), 1);
    assert_eq!(listed["views"][0]["query"], "q=x");
    let dropped = server
        .call("DELETE", "/api/run-views/my%20best", None)
        .await;
    assert_eq!(dropped.json(), json!({"views": []}));
}

#[tokio::test]
async fn notes_and_views_outlive_the_server_and_leave_the_storage_root_alone() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let before = files_of(&server);
    put(
        &server,
        "/api/run-notes/20250114_153045_a1b2c3",
        &json!({"text": "the one with the bug"}),
    )
    .await;
    put(&server, "/api/run-views/a", &json!({"query": "q=a"})).await;
    assert_eq!(files_of(&server), before);
    let server = server.restart().await;
    let notes = server.get("/api/run-notes").await.json();
    assert_eq!(
        notes["notes"]["20250114_153045_a1b2c3"]["text"],
        "the one with the bug"
    );
    assert_eq!(
        server.get("/api/run-views").await.json()["views"][0]["name"],
        "a"
    );
    let gone = put(
        &server,
        "/api/run-notes/20250114_153045_a1b2c3",
        &json!({"text": "  "}),
    )
    .await;
    assert_eq!(gone.json(), json!({"notes": {}}));
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_reason() {
    let server = TestServer::empty().await;
    let long = "x".repeat(17 << 10);
    for (path, body, code) in [
        ("/api/run-views/%20", json!({"query": ""}), "INVALID_NAME"),
        ("/api/run-views/a%0Ab", json!({"query": ""}), "INVALID_NAME"),
        ("/api/run-views/a", json!({"query": long}), "VIEW_TOO_LONG"),
        (
            "/api/run-notes/20250114_153045_a1b2c3",
            json!({"text": long}),
            "NOTE_TOO_LONG",
        ),
    ] {
        let refused = put(&server, path, &body).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (400, Some(code))
        );
    }
    assert_eq!(
        put(&server, "/api/run-views/a", &json!({})).await.status,
        422
    );
    let bad = put(&server, "/api/run-notes/no-run-id", &json!({"text": "x"})).await;
    assert_eq!(bad.status, 400, "{}", bad.text());
    for at in 0..200 {
        put(
            &server,
            &format!("/api/run-views/{at}"),
            &json!({"query": ""}),
        )
        .await;
    }
    let full = put(&server, "/api/run-views/one%20more", &json!({"query": ""})).await;
    assert_eq!(
        (full.status, full.json()["code"].as_str()),
        (409, Some("TOO_MANY_KEPT"))
    );
}

#[tokio::test]
async fn a_damaged_file_begins_anew() {
    let server = TestServer::empty().await;
    std::fs::write(
        server
            .home()
            .join("runicorn-desktop/state/annotations.json"),
        "{\"views\": 7",
    )
    .unwrap();
    assert_eq!(
        server.get("/api/run-views").await.json(),
        json!({"views": []})
    );
    let kept = put(&server, "/api/run-views/a", &json!({"query": "q"})).await;
    assert_eq!(kept.json()["views"][0]["name"], "a");
}
