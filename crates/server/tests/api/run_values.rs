//! Values of many runs for the columns of a table.

use serde_json::{Value, json};

use crate::recorded_run::{RUN, RecordedRun, losses};
use crate::support::TestServer;

const YOLO: &str = "20250114_153045_a1b2c3";
const SCORES: &str = "20250122_235959_abcdef";

async fn ask(server: &TestServer, runs: &[&str], fields: &[&str]) -> Value {
    let question = json!({"runs": runs, "fields": fields});
    let answer = server.post("/api/run-values", question).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn values_of_runs_are_given_by_column_in_the_order_of_the_question() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let fields = [
        "config:lr",
        "config:nested.a",
        "config:note",
        "summary:final_mAP",
        "last:mAP",
        "config:none",
    ];
    let answer = ask(&server, &[SCORES, YOLO, "not-here"], &fields).await;
    assert_eq!(answer["runs"], json!([SCORES, YOLO]));
    assert_eq!(answer["later"], json!([]));
    let yolo: Vec<Value> = (0..fields.len())
        .map(|at| answer["values"][at][1].clone())
        .collect();
    let table = server.get(&format!("/api/run-metrics/{YOLO}")).await.json();
    let metrics = table["metrics"].as_array().unwrap();
    let map = metrics.iter().find(|metric| metric["name"] == "mAP");
    assert_eq!(
        yolo,
        [
            json!(0.01),
            json!("[1,2,null]"),
            json!("基线"),
            json!(0.58),
            map.unwrap()["last"].clone(),
            Value::Null
        ]
    );
}

#[tokio::test]
async fn names_of_columns_are_gathered_from_the_runs() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let names = server.post("/api/run-values/names", json!({})).await.json();
    let has = |kind: &str, name: &str| {
        names[kind]
            .as_array()
            .unwrap()
            .iter()
            .any(|found| found == name)
    };
    for (kind, name) in [
        ("config", "lr"),
        ("config", "nested.a"),
        ("summary", "final_mAP"),
        ("metrics", "mAP"),
        ("metrics", "val_loss"),
    ] {
        assert!(has(kind, name), "{kind} {name} is not in {names}");
    }
    let question = json!({"runs": [SCORES, "not-here"]});
    let names = server.post("/api/run-values/names", question).await.json();
    assert_eq!(names["config"], json!([]), "only of the runs asked for");
    assert_eq!(names["metrics"], json!(["score"]));
}

#[tokio::test]
async fn extremes_leave_out_what_is_no_number_and_the_last_value_is_said_in_words() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.log(&losses(1..4));
    run.log(&["{\"loss\": NaN, \"global_step\": 4, \"time\": 4.0}".to_owned()]);
    let answer = ask(&server, &[RUN], &["last:loss", "min:loss", "max:loss"]).await;
    assert_eq!(answer["values"], json!([["NaN"], [1.5], [3.5]]));
}

#[tokio::test]
async fn values_are_as_new_as_the_files() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    let fields = ["last:loss", "config:lr", "summary:acc"];
    run.log(&losses(1..3));
    let answer = ask(&server, &[RUN], &fields).await;
    assert_eq!(answer["values"], json!([[2.5], [null], [null]]));
    run.log(&losses(3..4));
    let assets = json!({"config": {"args": {"lr": 0.1}, "extra": {"lr": 0.2}}});
    std::fs::write(run.file("assets.json"), assets.to_string()).unwrap();
    std::fs::write(run.file("summary.json"), json!({"acc": 0.5}).to_string()).unwrap();
    let answer = ask(&server, &[RUN], &fields).await;
    assert_eq!(answer["values"], json!([[3.5], [0.2], [0.5]]));
}

#[tokio::test]
async fn walking_over_runs_leaves_the_columns_of_charts_where_they_are() {
    let server = TestServer::on("runicorn-0.7.2").await;
    let held = async || server.get("/api/metrics/cache/stats").await.json();
    let before = held().await;
    assert!(before["size"].is_u64(), "{before}");
    ask(&server, &[SCORES, YOLO], &["last:mAP"]).await;
    assert_eq!(held().await["size"], before["size"]);
}

#[tokio::test]
async fn too_much_at_once_and_unknown_columns_are_refused() {
    let server = TestServer::empty().await;
    for question in [
        json!({"runs": vec![RUN; 1001], "fields": []}),
        json!({"runs": [RUN], "fields": vec!["last:loss"; 201]}),
        json!({"runs": [RUN], "fields": ["loss"]}),
        json!({"runs": [RUN], "fields": ["best:loss"]}),
        json!({"runs": RUN, "fields": []}),
    ] {
        let answer = server.post("/api/run-values", question).await;
        assert_eq!(answer.status, 422, "{}", answer.text());
    }
}
