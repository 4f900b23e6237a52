//! The health answer, and what every answer has in common.

use crate::support::TestServer;

#[tokio::test]
async fn health_names_the_storage_root_and_the_time() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let health = server.get("/api/health").await;
    assert_eq!(health.status, 200);
    let body = health.json();
    assert_eq!(body["status"], "ok");
    assert_eq!(body["storage"], server.root().display().to_string());
    assert!(body["timestamp"].as_f64().is_some_and(|now| now > 1.7e9));
}

#[tokio::test]
async fn an_unknown_route_is_json_and_never_the_page() {
    let server = TestServer::empty().await;
    let answer = server.get("/api/nothing").await;
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["detail"], "Not Found");
    assert_eq!(answer.json()["code"], "NOT_FOUND");
    assert_eq!(answer.header("x-ratelimit-limit"), Some("6000"));
    let wrong = server.call("DELETE", "/api/health", None).await;
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, HEAD"))
    );
    assert_eq!(server.call("HEAD", "/api/health", None).await.status, 404);
}
