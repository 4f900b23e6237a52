//! The documented lists and details of runs, the page's own, the status check, samples and the older clients' views.

use serde_json::{Value, json};

use crate::support::{TestServer, answer};

fn ids(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|run| run["id"].as_str().unwrap())
        .collect()
}

/// Writes a run into the root of a server.
fn write_run(server: &TestServer, path: &str, id: &str, meta: &Value, status: &Value) {
    let dir = server.root().join("runs").join(path).join(id);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("meta.json"), meta.to_string()).unwrap();
    std::fs::write(dir.join("status.json"), status.to_string()).unwrap();
}

#[tokio::test]
async fn one_bad_run_never_breaks_the_list() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let bad = json!({"pid": "x", "alias": 5, "tags": "t", "created_at": 5});
    write_run(&server, "bad", "wrong_types", &bad, &json!({"status": []}));
    let started = std::time::Instant::now();
    let list = loop {
        let list = server.get("/api/runs").await;
        assert_eq!(list.status, 200);
        if ids(&list.json()).len() == 14 {
            break list.json();
        }
        assert!(started.elapsed().as_secs() < 30);
    };
    let run = list
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["id"] == "wrong_types")
        .unwrap();
    assert_eq!(
        (&run["alias"], &run["pid"], &run["status"]),
        (&Value::Null, &Value::Null, &json!("finished"))
    );
    let detail = server.get("/api/run-detail/wrong_types").await.json();
    let files: Vec<&str> = detail["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|problem| problem["file"].as_str().unwrap())
        .collect();
    assert!(
        files.contains(&"meta.json") && files.contains(&"status.json"),
        "{files:?}"
    );
}

#[tokio::test]
async fn an_unchanged_list_is_answered_with_304() {
    let server = TestServer::on("runicorn-0.6.0").await;
    for path in [
        "/api/runs",
        "/api/paths?include_stats=true",
        "/api/run-list",
    ] {
        let first = server.get(path).await;
        let etag = first.header("etag").unwrap().to_owned();
        let again = answer(server.request("GET", path).header("if-none-match", &etag)).await;
        assert_eq!((again.status, again.bytes.len()), (304, 0), "{path}");
        if first.bytes.len() < 1024 {
            continue;
        }
        let packed = answer(
            server
                .request("GET", path)
                .header("accept-encoding", "gzip"),
        )
        .await;
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(&packed.bytes[..2], [0x1f, 0x8b], "{path}");
    }
    let etag = server
        .get("/api/runs")
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    server
        .call(
            "PATCH",
            "/api/runs/20250114_153045_a1b2c3",
            Some(json!({"alias": "new"})),
        )
        .await;
    let changed = answer(
        server
            .request("GET", "/api/runs")
            .header("if-none-match", &etag),
    )
    .await;
    assert_eq!(changed.status, 200);
}

#[tokio::test]
async fn the_pages_list_sends_only_what_changed_since_its_cursor() {
    let server = TestServer::on("runicorn-0.6.0").await;
    server.get("/api/runs").await;
    let full = server.get("/api/run-list").await.json();
    assert_eq!(full["full"], true);
    assert_eq!(full["rows"].as_array().unwrap().len(), 13);
    assert_eq!(full["storage"]["state"], "ok");
    assert_eq!(full["storage"]["root"], server.root().display().to_string());
    let fields: Vec<&str> = full["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(
        fields[..5],
        ["id", "path", "alias", "status", "status_reason"]
    );
    assert_eq!(full["rows"][0].as_array().unwrap().len(), fields.len());
    let cursor = full["cursor"].as_str().unwrap();
    server
        .call(
            "PATCH",
            "/api/runs/20250114_153045_a1b2c3",
            Some(json!({"alias": "renamed"})),
        )
        .await;
    server
        .post(
            "/api/runs/soft-delete",
            json!({"run_ids": ["20250117_000001_d15ea5"]}),
        )
        .await;
    let delta = server
        .get(&format!("/api/run-list?since={cursor}"))
        .await
        .json();
    assert_eq!(delta["full"], false);
    assert_eq!(delta["removed"], json!(["20250117_000001_d15ea5"]));
    let renamed: Vec<&Value> = delta["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row[0] == "20250114_153045_a1b2c3")
        .collect();
    assert_eq!(renamed[0][2], "renamed");
    assert!(delta["rows"].as_array().unwrap().len() < 13);
    let unknown = server.get("/api/run-list?since=nonsense").await.json();
    assert_eq!(
        (&unknown["full"], unknown["rows"].as_array().unwrap().len()),
        (&json!(true), 12)
    );
}

#[tokio::test]
async fn the_state_of_a_run_comes_with_the_sign_that_spoke() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let check =
        |id: &'static str, process: &'static str, verdict: &'static str, reason: &'static str| {
            let server = &server;
            async move {
                let liveness =
                    server.get(&format!("/api/run-detail/{id}")).await.json()["liveness"].clone();
                let got = (
                    &liveness["process"],
                    &liveness["verdict"],
                    &liveness["reason"],
                );
                assert_eq!(
                    got,
                    (&json!(process), &json!(verdict), &json!(reason)),
                    "{id}"
                );
            }
        };
    check("20250118_120000_deadbe", "gone", "failed", "process_gone").await;
    check(
        "20250118_130000_a11ce5",
        "alive",
        "running",
        "process_alive",
    )
    .await;
    check(
        "20250118_140000_fa4a0a",
        "other_host",
        "running",
        "other_host",
    )
    .await;
}

#[tokio::test]
async fn only_the_status_check_writes_that_a_run_failed() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let file = server
        .root()
        .join("runs/nlp/bert/finetune/20250118_120000_deadbe/status.json");
    let mut recorded: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    recorded["status"] = "running".into();
    recorded["kept"] = json!({"a": [1.0, 2]});
    std::fs::write(&file, recorded.to_string()).unwrap();
    server.get("/api/runs").await;
    server.get("/api/runs/20250118_120000_deadbe").await;
    assert_eq!(
        serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap(),
        recorded
    );
    let check = server.post("/api/status/check", json!({})).await.json();
    assert_eq!(
        (&check["checked"], &check["updated"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(
        check["message"],
        "Checked 3 running experiments, updated 1 statuses"
    );
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(
        (&written["status"], &written["exit_reason"]),
        (&json!("failed"), &json!("process_not_found"))
    );
    assert_eq!(written["kept"], recorded["kept"]);
    assert!(written["ended_at"].as_f64().unwrap() > 1.7e9);
    let again = server.post("/api/status/check", json!({})).await.json();
    assert_eq!(
        (&again["checked"], &again["updated"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test]
async fn a_deleted_run_has_a_detail_of_the_page_but_no_documented_one() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let detail = server.get("/api/run-detail/20250119_080000_de1e7e").await;
    assert_eq!(
        (detail.status, &detail.json()["deleted"]),
        (200, &json!(true))
    );
    assert_eq!(
        server.get("/api/runs/20250119_080000_de1e7e").await.status,
        404
    );
    let unknown = server.get("/api/run-detail/nope").await;
    assert_eq!(
        (unknown.status, &unknown.json()["code"]),
        (404, &json!("RUN_NOT_FOUND"))
    );
}

#[tokio::test]
async fn config_environment_and_files_are_in_the_detail() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let detail = server
        .get("/api/run-detail/20250114_153045_a1b2c3")
        .await
        .json();
    assert!(detail["config"]["args"]["lr"].is_number());
    assert!(detail["environment"]["python_version"].is_string());
    assert_eq!(detail["run"]["alias"], "yolo-baseline");
    assert_eq!(detail["meta"]["alias"], "yolo-baseline");
    let names: Vec<&str> = detail["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"events.jsonl")
            && !names.iter().any(|name| std::path::Path::new(name)
                .extension()
                .is_some_and(|kind| kind == "lock")),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_missing_root_is_said_and_comes_back_without_a_restart() {
    let server = TestServer::on("runicorn-0.6.0").await;
    assert_eq!(
        server
            .get("/api/runs")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        13
    );
    let away = server.root().with_extension("away");
    std::fs::rename(server.root(), &away).unwrap();
    let state = async |wanted: &str| {
        let started = std::time::Instant::now();
        loop {
            let storage = server.get("/api/run-list").await.json()["storage"].clone();
            if storage["state"] == wanted {
                return storage;
            }
            assert!(started.elapsed().as_secs() < 30, "{storage}");
        }
    };
    let missing = state("missing").await;
    assert!(
        missing["detail"]
            .as_str()
            .unwrap()
            .contains("does not exist")
    );
    let refused = server.get("/api/runs/20250114_153045_a1b2c3").await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (503, &json!("STORAGE_UNAVAILABLE"))
    );
    std::fs::rename(&away, server.root()).unwrap();
    state("ok").await;
    assert_eq!(
        server.get("/api/runs/20250114_153045_a1b2c3").await.status,
        200
    );
}

#[tokio::test]
async fn samples_are_shown_and_left_without_touching_the_chosen_root() {
    let server = TestServer::empty().await;
    let shown = server.post("/api/samples", json!({})).await.json();
    assert_eq!(
        (&shown["sample"], &shown["state"]),
        (&json!(true), &json!("ok"))
    );
    assert_ne!(shown["root"], server.root().display().to_string());
    let runs = server.get("/api/runs").await.json();
    assert!(runs.as_array().unwrap().len() >= 5);
    let id = runs[0]["id"].as_str().unwrap();
    assert_eq!(server.get(&format!("/api/runs/{id}")).await.status, 200);
    let sdk_config = server.home().join(".config/runicorn/config.json");
    assert!(
        !sdk_config.exists(),
        "where the SDK writes is not ours to change here"
    );
    let left = server.call("DELETE", "/api/samples", None).await.json();
    assert_eq!(
        (&left["sample"], &left["root"]),
        (&json!(false), &json!(server.root().display().to_string()))
    );
    assert_eq!(server.get("/api/runs").await.json(), json!([]));
    assert_eq!(
        std::fs::read_dir(server.root().join("runs"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn the_0_6_client_lists_experiments_by_project_name_and_status() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let list = async |query: &str| {
        server.get(&format!("/api/experiments{query}")).await.json()["experiments"].clone()
    };
    assert_eq!(ids(&list("").await).len(), 13);
    assert_eq!(
        ids(&list("?project=cv&name=resnet50").await),
        ["20250117_000001_d15ea5", "20250116_101112_c0ffee"]
    );
    assert_eq!(
        ids(&list("?status=interrupted").await),
        ["20250117_000001_d15ea5"]
    );
    assert_eq!(ids(&list("?project=cv&limit=1&offset=1").await).len(), 1);
    let yolo = list("?project=cv&name=detection/yolo").await;
    let run = yolo
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["id"] == "20250114_153045_a1b2c3")
        .unwrap();
    assert_eq!(run["summary"]["best_metric_name"], "mAP");
    assert_eq!(run["tags"], json!(["baseline", "v1"]));
}

#[tokio::test]
async fn v2_really_filters_sorts_and_pages() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let page = async |query: &str| {
        server
            .get(&format!("/api/v2/experiments{query}"))
            .await
            .json()
    };
    let first = page("?per_page=5").await;
    assert_eq!(
        (&first["total"], &first["has_next"], &first["has_prev"]),
        (&json!(13), &json!(true), &json!(false))
    );
    let last = page("?per_page=5&page=3").await;
    assert_eq!(
        (
            ids(&last["experiments"]).len(),
            &last["has_next"],
            &last["has_prev"]
        ),
        (3, &json!(false), &json!(true))
    );
    assert_eq!(
        ids(&page("?tags=baseline,v1").await["experiments"]),
        ["20250114_153045_a1b2c3"]
    );
    assert_eq!(
        ids(&page("?search=YOLO-base").await["experiments"]),
        ["20250114_153045_a1b2c3"]
    );
    assert_eq!(
        ids(&page("?best_metric_min=0.5").await["experiments"]),
        ["20250114_153045_a1b2c3"]
    );
    assert_eq!(page("?include_deleted=true").await["total"], 15);
    assert_eq!(page("?project=cv&status=failed").await["total"], 1);
    let sorted = page("?order_by=id&order_desc=false&per_page=1000").await;
    let sorted = ids(&sorted["experiments"])
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    assert!(sorted.is_sorted());
    assert_eq!(server.get("/api/v2/experiments?page=0").await.status, 422);
    assert_eq!(
        server.get("/api/v2/experiments?per_page=1001").await.status,
        422
    );
    assert_eq!(
        server
            .get("/api/v2/experiments?order_by=password")
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn v2_shows_a_run_and_its_metrics_by_column_and_step() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let run = server
        .get("/api/v2/experiments/20250120_121212_0d0e0f")
        .await
        .json();
    assert_eq!(run["metrics_summary"]["total_data_points"], 250);
    let names = run["metrics_summary"]["available_metrics"].clone();
    let name = names[0].as_str().unwrap();
    let url = format!(
        "/api/v2/experiments/20250120_121212_0d0e0f/metrics/fast?metric_names={name}&step_range=100:400"
    );
    let table = server
        .get("/api/runs/20250120_121212_0d0e0f/metrics")
        .await
        .json();
    let steps = table["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["global_step"].as_i64().unwrap());
    let expected = steps.filter(|step| (100..=400).contains(step)).count();
    assert!(expected > 4);
    let fast = server.get(&url).await.json();
    assert_eq!(
        (&fast["columns"], &fast["total_points"]),
        (&json!(["global_step", name]), &json!(expected))
    );
    let thin = server.get(&format!("{url}&downsample=4")).await.json();
    assert_eq!(thin["rows"].as_array().unwrap().len(), 4);
    assert_eq!(server.get("/api/v2/experiments/nope").await.status, 404);
    let wrong = server
        .get("/api/v2/experiments/20250120_121212_0d0e0f/metrics/fast?step_range=x")
        .await;
    assert_eq!(wrong.status, 422);
}

#[tokio::test]
async fn paths_are_counted_by_whole_segments() {
    let server = TestServer::empty().await;
    for (path, id) in [("cv/x", "a"), ("cvx", "b"), ("cv", "c")] {
        write_run(
            &server,
            path,
            id,
            &json!({"created_at": 1.0}),
            &json!({"status": "finished"}),
        );
    }
    std::fs::create_dir_all(server.root().join("runs/empty/folder")).unwrap();
    let started = std::time::Instant::now();
    let paths = loop {
        let paths = server.get("/api/paths?include_stats=true").await.json();
        if paths["paths"].as_array().unwrap().len() == 5 {
            break paths;
        }
        assert!(started.elapsed().as_secs() < 30, "{paths}");
    };
    assert_eq!(
        paths["paths"],
        json!(["cv", "cv/x", "cvx", "empty", "empty/folder"])
    );
    assert_eq!(
        (
            &paths["stats"]["cv"]["total"],
            &paths["stats"]["empty"]["total"]
        ),
        (&json!(2), &json!(0))
    );
    let within = server.get("/api/paths/runs?path=cv").await.json();
    assert_eq!(ids(&within).len(), 2);
    assert_eq!(
        ids(&server
            .get("/api/paths/runs?path=cv&exact=true")
            .await
            .json()),
        ["c"]
    );
}

#[tokio::test]
async fn the_0_4_client_deletes_up_to_a_thousand_runs_softly_in_one_call() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let before = server.get("/api/v2/experiments").await.json();
    let id = before["experiments"][0]["id"].as_str().unwrap().to_owned();
    let path = "/api/v2/experiments/batch-delete";
    let deleted = server
        .post(path, json!({"exp_ids": [id, "nope", "../../etc"]}))
        .await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    let deleted = deleted.json();
    assert_eq!(
        (&deleted["deleted_count"], &deleted["failed_count"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(deleted["results"][&id], json!({"success": true}));
    assert_eq!(deleted["results"]["nope"]["error"], "run not found");
    let after = server.get("/api/v2/experiments").await.json();
    let total = |answer: &Value| answer["total"].as_u64().unwrap();
    assert_eq!(total(&after), total(&before) - 1);
    let bin = server.get("/api/recycle-bin").await.json();
    assert!(bin["deleted_runs"].to_string().contains(&id));
    let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    for body in [
        json!({"exp_ids": many}),
        json!({"exp_ids": []}),
        json!({"exp_ids": [5]}),
        json!({}),
    ] {
        assert_eq!(server.post(path, body).await.status, 400);
    }
}
