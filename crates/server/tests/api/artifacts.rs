//! The artifact store that 0.5.3 wrote.

use serde_json::{Value, json};

use crate::support::TestServer;

#[tokio::test]
async fn artifacts_of_the_old_store_are_listed_with_versions_metadata_and_files() {
    let server = TestServer::on("runicorn-0.5.3").await;
    let all = server.get("/api/artifacts").await.json();
    assert_eq!(
        (
            &all[0]["name"],
            &all[0]["type"],
            &all[0]["num_versions"],
            &all[0]["aliases"]
        ),
        (
            &json!("mymodel"),
            &json!("model"),
            &json!(1),
            &json!({"latest": 1})
        )
    );
    assert_eq!(
        server.get("/api/artifacts?type=dataset").await.json(),
        json!([])
    );
    let versions = server.get("/api/artifacts/mymodel/versions").await.json();
    assert_eq!(
        (&versions[0]["version"], &versions[0]["created_by_run"]),
        (&json!(1), &json!("20241202_101010_01d002"))
    );
    let metadata = server.get("/api/artifacts/mymodel/v1").await.json();
    assert_eq!(
        (&metadata["name"], &metadata["num_files"]),
        (&json!("mymodel"), &json!(1))
    );
    let files = server.get("/api/artifacts/mymodel/v1/files").await.json();
    let path = files["files"][0]["absolute_path"].as_str().unwrap();
    assert!(std::path::Path::new(path).is_file(), "{path}");
    let stats = server.get("/api/artifacts/stats").await.json();
    assert_eq!(
        (&stats["total_versions"], &stats["dedup_enabled"]),
        (&json!(1), &json!(true))
    );
}

#[tokio::test]
async fn the_lineage_of_an_artifact_names_the_runs_that_made_and_used_it() {
    let server = TestServer::on("runicorn-0.5.3").await;
    let run = "20241202_101010_01d002";
    let of_run = server
        .get(&format!("/api/runs/{run}/artifacts"))
        .await
        .json();
    assert_eq!(of_run["created"][0]["name"], "mymodel");
    let lineage = server.get("/api/artifacts/mymodel/v1/lineage").await.json();
    let nodes: Vec<&Value> = lineage["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["node_id"])
        .collect();
    assert_eq!(nodes, [&json!("mymodel:v1"), &json!(run)]);
    assert_eq!(lineage["edges"][0]["source"], run);
    let near = server
        .get("/api/artifacts/mymodel/v1/lineage?max_depth=0")
        .await
        .json();
    assert_eq!(near["edges"], json!([]));
}

#[tokio::test]
async fn an_unknown_artifact_or_version_is_not_found() {
    let server = TestServer::on("runicorn-0.5.3").await;
    for (path, detail) in [
        ("/api/artifacts/nope/versions", "Artifact not found: nope"),
        ("/api/artifacts/mymodel/v9", "Version not found: mymodel:v9"),
        ("/api/artifacts/..%2fmodel/v1", "Not Found"),
        ("/api/runs/nope/artifacts", "Run not found"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(
            (answer.status, answer.json()["detail"].clone()),
            (404, json!(detail)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_artifact_is_deleted_softly_and_for_ever() {
    for permanent in [false, true] {
        let server = TestServer::on("runicorn-0.5.3").await;
        let path = format!("/api/artifacts/mymodel/v1?permanent={permanent}");
        assert_eq!(
            server.call("DELETE", &path, None).await.json()["success"],
            true
        );
        assert_eq!(server.get("/api/artifacts/mymodel/v1").await.status, 404);
        let folder = server.root().join("artifacts/model/mymodel");
        assert_eq!(folder.join("v1/.deleted").exists(), !permanent);
        assert_eq!(folder.join("v1").exists(), !permanent);
        let versions = std::fs::read_to_string(folder.join("versions.json")).unwrap();
        let versions: Value = serde_json::from_str(&versions).unwrap();
        assert_eq!(
            versions["versions"].as_array().unwrap().is_empty(),
            permanent
        );
        assert!(server.root().join("artifacts/.dedup").is_dir());
    }
}
