//! The documented metrics table and what belongs to it.

use serde_json::json;

use crate::recorded_run::{RUN, RecordedRun, losses};
use crate::support::TestServer;

#[tokio::test]
async fn a_bad_query_is_refused_before_the_run_is_looked_for() {
    let server = TestServer::empty().await;
    for query in [
        "downsample=99",
        "downsample=50001",
        "downsample=x",
        "downsample=1.5",
    ] {
        let answer = server.get(&format!("/api/runs/nope/metrics?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
    }
    let answer = server.get("/api/runs/nope/metrics").await;
    assert_eq!(
        (answer.status, answer.json()["detail"].as_str()),
        (404, Some("Run not found"))
    );
}

#[tokio::test]
async fn a_large_table_arrives_whole_and_thinned_out_tables_keep_their_counts() {
    let server = TestServer::empty().await;
    RecordedRun::new(&server, "finished").log(&losses(0..80_000));
    let whole = server.get(&format!("/api/runs/{RUN}/metrics_step")).await;
    assert_eq!(whole.header("x-row-count"), Some("80000"));
    let table = whole.json();
    assert_eq!(
        (
            table["total"].as_u64(),
            table["rows"].as_array().unwrap().len()
        ),
        (Some(80_000), 80_000)
    );
    assert_eq!(
        table["rows"][79_999],
        json!({"global_step": 79_999, "loss": 79_999.5, "time": 79_999.0})
    );
    let thin = server
        .get(&format!("/api/runs/{RUN}/metrics_step?downsample=2000"))
        .await;
    let headers = ["x-row-count", "x-total-count", "x-last-step"]
        .map(|name| thin.header(name).map(str::to_owned).unwrap());
    assert_eq!(headers, ["2000", "80000", "79999"]);
    let table = thin.json();
    assert_eq!(
        (table["total"].as_u64(), table["sampled"].as_u64()),
        (Some(80_000), Some(2000))
    );
    assert_eq!(table["rows"][0]["global_step"], 0);
    assert_eq!(table["rows"][1999]["global_step"], 79_999);
    assert_ne!(table["rows"][1998]["global_step"], 79_999);
}

#[tokio::test]
async fn numbers_leave_the_server_as_they_were_recorded() {
    let server = TestServer::empty().await;
    let data = r#"{"a": 1.0, "b": 1e-300, "c": 100000000000000000000, "d": -0.0, "e": NaN, "f": 1e+16, "global_step": 1}"#;
    RecordedRun::new(&server, "finished").log(&[data.to_owned()]);
    let text = server.get(&format!("/api/runs/{RUN}/metrics")).await.text();
    assert!(
        text.contains(
            r#""a":1.0,"b":1e-300,"c":100000000000000000000,"d":-0.0,"e":null,"f":1e+16"#
        ),
        "{text}"
    );
}

#[tokio::test]
async fn an_events_file_that_cannot_be_read_is_said_and_breaks_nothing_else() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "finished");
    std::fs::create_dir(run.file("events.jsonl")).unwrap();
    let answer = server.get(&format!("/api/runs/{RUN}/metrics")).await;
    assert!(answer.status >= 400, "{}", answer.text());
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("events.jsonl"),
        "{}",
        answer.text()
    );
    let listed = server.get(&format!("/api/run-metrics/{RUN}")).await;
    assert_eq!(listed.status, 200);
    assert!(
        listed.json()["problems"][0]
            .as_str()
            .unwrap()
            .contains("events.jsonl"),
        "{}",
        listed.text()
    );
}

#[tokio::test]
async fn points_of_the_client_are_chosen_limited_and_without_texts() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let answer = server
        .get("/api/metrics/20250115_090000_b00b1e?metrics=loss,text,acc&limit=3")
        .await
        .json();
    let metrics = answer["metrics"].as_object().unwrap();
    assert_eq!(metrics.keys().collect::<Vec<_>>(), ["acc", "loss"]);
    let steps: Vec<_> = metrics["loss"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["step"].as_i64().unwrap())
        .collect();
    assert_eq!(steps, [-3, 0, 1]);
    let all = server
        .get("/api/metrics/20250115_090000_b00b1e")
        .await
        .json();
    for absent in ["time", "stage", "epoch", "text", "global_step"] {
        assert!(all["metrics"].get(absent).is_none(), "{absent}");
    }
    assert_eq!(server.get("/api/metrics/nope").await.status, 404);
    assert_eq!(server.get("/api/metrics/nope?limit=x").await.status, 422);
}

#[tokio::test]
async fn cache_counters_tell_hits_from_reads() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "finished");
    run.log(&losses(0..3));
    for _ in 0..2 {
        server.get(&format!("/api/runs/{RUN}/metrics")).await;
    }
    run.log(&losses(3..4));
    server.get(&format!("/api/runs/{RUN}/metrics")).await;
    let stats = server.get("/api/metrics/cache/stats").await.json();
    let counts = ["size", "max_size", "hits", "misses", "incremental_updates"]
        .map(|name| stats[name].as_u64().unwrap());
    assert_eq!(counts, [1, 100, 1, 1, 1]);
    assert!((stats["hit_rate"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9);
}
