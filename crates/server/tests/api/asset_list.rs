//! Every asset of a root once, with the runs that made and used it, and what the copies take. The numbers of the recorded roots were
//! counted from their files.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::TestServer;

const FIRST: &str = "20250120_111111_0a0b0c";
const SECOND: &str = "20250120_121212_0d0e0f";
const HASH: &str = "38131c4231146c87b34ce38c4fe24931499e5032c7b00fa6333eb80258d932e9";

/// The answer with its rows as objects, and places of runs as their ids.
struct Assets {
    answer: Value,
    rows: Vec<Value>,
}

impl Assets {
    async fn of(server: &TestServer, query: &str) -> Self {
        let answer = server.get(&format!("/api/asset-list{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        let fields = answer["fields"].as_array().unwrap();
        let id = |place: &Value| {
            let place = usize::try_from(place.as_u64().unwrap()).unwrap();
            answer["runs"][place].clone()
        };
        let row = |values: &Value| {
            let members = fields.iter().zip(values.as_array().unwrap());
            let named = members.map(|(name, value)| {
                let value = match name.as_str().unwrap() {
                    "made_by" | "used_by" => value.as_array().unwrap().iter().map(id).collect(),
                    "copy_run" if !value.is_null() => id(value),
                    _ => value.clone(),
                };
                (name.as_str().unwrap().to_owned(), value)
            });
            Value::Object(named.collect())
        };
        let rows = answer["rows"].as_array().unwrap().iter().map(row).collect();
        Self { answer, rows }
    }

    fn named(&self, kind: &str, name: &str) -> Vec<&Value> {
        let wanted = |row: &&Value| row["kind"] == kind && row["name"] == name;
        self.rows.iter().filter(wanted).collect()
    }

    fn one(&self, kind: &str, name: &str) -> &Value {
        let found = self.named(kind, name);
        assert_eq!(found.len(), 1, "{kind} {name} in {:?}", self.rows);
        found[0]
    }
}

/// Records a run with this `assets.json`.
fn record(server: &TestServer, id: &str, assets: &str) {
    let directory = server.root().join("runs/default").join(id);
    let created_at = 1.8e9;
    std::fs::create_dir_all(&directory).unwrap();
    let meta = json!({"id": id, "path": "default", "created_at": created_at});
    std::fs::write(directory.join("meta.json"), meta.to_string()).unwrap();
    let status = json!({"status": "finished", "started_at": created_at});
    std::fs::write(directory.join("status.json"), status.to_string()).unwrap();
    std::fs::write(directory.join("assets.json"), assets).unwrap();
    let store = server.server().app().store();
    assert!(store.refresh(Duration::from_secs(10)));
}

#[tokio::test]
async fn every_asset_of_a_recorded_root_is_listed_once_with_its_runs_and_its_size() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let assets = Assets::of(&server, "").await;
    let mut kinds = BTreeMap::new();
    for row in &assets.rows {
        *kinds.entry(row["kind"].as_str().unwrap()).or_insert(0) += 1;
    }
    let expected = [
        ("code", 1),
        ("dataset", 5),
        ("output", 3),
        ("pretrained", 4),
    ];
    assert_eq!(kinds, BTreeMap::from(expected));
    let images = assets.one("dataset", "images");
    assert_eq!(images["used_by"], json!([FIRST]));
    assert_eq!(images["made_by"], json!([]));
    assert_eq!(
        (&images["bytes"], &images["files"]),
        (&json!(230), &json!(4))
    );
    assert_eq!(images["source"], "/tmp/fixture-ws/data");
    assert_eq!(
        (&images["copy"], &images["copy_run"]),
        (&json!("kept"), &json!(FIRST))
    );
    let checkpoint = assets.one("output", "ckpt");
    assert_eq!(checkpoint["made_by"], json!([FIRST]));
    assert_eq!(checkpoint["bytes"], 53);
    let remote = assets.one("dataset", "remote");
    assert_eq!(
        (&remote["copy"], &remote["bytes"]),
        (&json!("none"), &Value::Null)
    );
    assert_eq!(
        assets.one("dataset", "dict")["source"],
        r#"{"kind":"hub","name":"coco"}"#
    );
    assert_eq!(assets.one("code", "fixture-ws")["bytes"], 851);
    // The two runs began with two models of one name.
    let backbones = assets.named("pretrained", "backbone");
    let used: Vec<&Value> = backbones.iter().map(|row| &row["used_by"]).collect();
    assert_eq!(used, [&json!([SECOND]), &json!([FIRST])]);
}

#[tokio::test]
async fn the_size_of_the_archive_counts_each_file_once_and_says_what_that_saves() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let totals = &Assets::of(&server, "").await.answer["totals"];
    // `labels.csv` of 21 bytes is a dataset of its own and lies in two others: two of three copies are saved.
    let expected =
        json!({"references": 13, "kept": 9, "logical_bytes": 1611, "stored_bytes": 1611 - 2 * 21});
    assert_eq!(*totals, expected);
}

#[tokio::test]
async fn a_dataset_of_two_runs_is_one_asset_until_one_of_them_is_deleted() {
    let server = TestServer::on("runicorn-0.7.2/root-stale-db").await;
    let (older, newer) = ("20250201_000000_aaaa01", "20250201_000002_aaaa03");
    let before = Assets::of(&server, "").await;
    assert_eq!(
        before.one("dataset", "labels")["used_by"],
        json!([newer, older])
    );
    let totals = &before.answer["totals"];
    assert_eq!(
        (&totals["logical_bytes"], &totals["stored_bytes"]),
        (&json!(42), &json!(21))
    );
    let deleted = server
        .post("/api/runs/soft-delete", json!({"run_ids": [newer]}))
        .await;
    assert_eq!(deleted.status, 200);
    let after = Assets::of(&server, "").await;
    assert_eq!(after.one("dataset", "labels")["used_by"], json!([older]));
    assert_eq!(after.one("dataset", "labels")["copy_run"], older);
    assert_eq!(after.answer["totals"]["logical_bytes"], 21);
}

#[tokio::test]
async fn a_model_that_one_run_made_and_another_began_with_says_both() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let began = json!({"pretrained": [{"name": "start", "fingerprint_kind": "sha256", "fingerprint": HASH}]});
    let id = "20260601_120000_abcdef";
    record(&server, id, &began.to_string());
    let assets = Assets::of(&server, "").await;
    let start = assets.one("pretrained", "start");
    assert_eq!(
        (&start["made_by"], &start["used_by"]),
        (&json!([FIRST]), &json!([id]))
    );
    let model = assets.one("output", "model.pth");
    assert_eq!(
        (&model["made_by"], &model["used_by"]),
        (&json!([FIRST]), &json!([id]))
    );
    let of_run = Assets::of(&server, &format!("?run={id}")).await;
    assert_eq!(
        of_run.rows.len(),
        1,
        "what it made would be its own, too: {:?}",
        of_run.rows
    );
}

#[tokio::test]
async fn the_assets_of_one_run_are_those_that_it_names_and_an_unknown_run_is_404() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let assets = Assets::of(&server, &format!("?run={SECOND}")).await;
    let names: Vec<&Value> = assets.rows.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, ["images-again", "backbone"]);
    assert_eq!(assets.answer["runs"], json!([SECOND]));
    let bare = Assets::of(&server, "?run=20250121_000000_00ff00").await;
    assert!(bare.rows.is_empty());
    assert_eq!(server.get("/api/asset-list?run=not-here").await.status, 404);
}

#[tokio::test]
async fn who_has_the_list_is_told_that_nothing_changed_and_hears_of_a_new_asset() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let first = server.get("/api/asset-list").await;
    let etag = first.header("etag").unwrap().to_owned();
    let again = async || {
        let request = server.request("GET", "/api/asset-list");
        request.header("if-none-match", &etag).send().await.unwrap()
    };
    assert_eq!(again().await.status(), 304);
    let assets = json!({"datasets": [{"name": "new", "uri": "s3:/new"}]});
    record(&server, "20260601_120000_abcdef", &assets.to_string());
    let answer = again().await;
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains("s3:/new"));
}

#[tokio::test]
async fn a_copy_that_is_gone_is_missing_and_counts_nothing() {
    let server = TestServer::on("runicorn-0.7.2").await;
    std::fs::remove_dir_all(server.root().join("archive/blobs/9a")).unwrap();
    std::fs::remove_dir_all(server.root().join("archive/outputs")).unwrap();
    let assets = Assets::of(&server, "").await;
    let labels = assets.one("dataset", "labels");
    assert_eq!(
        (&labels["copy"], &labels["copy_path"]),
        (&json!("missing"), &Value::Null)
    );
    assert_eq!(assets.one("output", "ckpt")["copy"], "missing");
    assert_eq!(assets.answer["totals"]["kept"], 9 - 1 - 3);
}

#[tokio::test]
async fn lists_of_wrong_types_and_damaged_ones_hurt_nobody_else() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let text = "\u{1b}[31m\u{202e}<img src=x onerror=alert(1)>";
    let odd = json!({
        "code": {"snapshot": [1]}, "config": 7, "pretrained": {"name": "x"}, "outputs": null,
        "datasets": [null, 5, {}, {"name": text}, {"name": text}, {"name": {"a": 1}, "uri": 1, "size_bytes": -1},
            {"name": "up", "archive_path": "/x/archive/../../etc/passwd", "saved": true},
            {"name": "out", "archive_path": "/etc/passwd", "saved": true}],
    });
    record(&server, "20260601_120000_abcde1", &odd.to_string());
    record(
        &server,
        "20260601_120000_abcde2",
        "{\"datasets\": [{\"name\"",
    );
    let assets = Assets::of(&server, "").await;
    assert_eq!(
        assets.answer["unreadable"],
        json!(["20260601_120000_abcde2"])
    );
    assert_eq!(
        assets.one("dataset", text)["used_by"],
        json!(["20260601_120000_abcde1"])
    );
    for name in ["up", "out"] {
        assert_eq!(assets.one("dataset", name)["copy"], "missing");
    }
    assert_eq!(assets.one("dataset", "images")["bytes"], 230);
    assert_eq!(assets.answer["totals"]["stored_bytes"], 1569);
}
