//! The document of the API: its committed copy is true, and its pages work without anything from elsewhere.

use crate::support::TestServer;

#[test]
fn the_committed_openapi_document_is_the_one_the_routes_make() {
    let mut made = serde_json::to_string_pretty(&runicorn_server::openapi_document()).unwrap();
    made.push('\n');
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("RUNICORN_WRITE_OPENAPI").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == made,
        "openapi.json is stale: run `cargo xtask openapi`"
    );
}

#[test]
fn every_operation_of_the_document_has_a_name_of_its_own() {
    let made = serde_json::to_value(runicorn_server::openapi_document()).unwrap();
    let mut names: Vec<&str> = made["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "two operations share a name");
}

#[tokio::test]
async fn the_document_and_its_pages_are_served_without_inline_scripts_or_foreign_files() {
    let server = TestServer::empty().await;
    let document = server.get("/openapi.json").await;
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert!(document.json()["paths"]["/api/health"]["get"].is_object());
    let page = server.get("/docs").await;
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let html = page.text();
    assert!(!html.contains("http"), "{html}");
    for tag in html.split("<script").skip(1) {
        assert!(tag.starts_with(" src=\"/"), "an inline script: {tag}");
    }
    for file in html
        .split("=\"/docs/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert_eq!(
            server.get(&format!("/docs/{file}")).await.status,
            200,
            "{file}"
        );
    }
    assert_eq!(server.get("/docs/nothing.js").await.status, 404);
}
