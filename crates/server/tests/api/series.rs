//! Series for charts.

use serde_json::{Value, json};

use crate::recorded_run::{RUN, RecordedRun, losses};
use crate::support::TestServer;

fn question(cursor: &Value) -> Value {
    json!({"runs": [RUN], "metrics": ["loss"], "x": "step", "width_px": 500, "cursor": cursor})
}

async fn ask(server: &TestServer, question: Value) -> Value {
    let answer = server.post("/api/series", question).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn metrics_of_a_run_are_listed_with_what_is_wrong_in_its_file() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let torn = server
        .get("/api/run-metrics/20250118_130000_a11ce5")
        .await
        .json();
    assert_eq!(
        (torn["rows"].as_u64(), torn["metrics"][0]["name"].as_str()),
        (Some(4), Some("loss"))
    );
    assert_eq!(torn["texts"], json!(["stage"]));
    assert_eq!(
        torn["problems"],
        json!(["the last line of events.jsonl is not complete"])
    );
    assert_eq!(torn["metrics"][0]["min"], 0.25);
    let garbage = server
        .get("/api/run-metrics/20250123_010101_badbad")
        .await
        .json();
    assert_eq!(
        garbage["problems"],
        json!(["1 line of events.jsonl could not be read"])
    );
    let none = server
        .get("/api/run-metrics/20250121_000000_00ff00")
        .await
        .json();
    assert_eq!(
        (
            none["rows"].as_u64(),
            none["metrics"].as_array().unwrap().len()
        ),
        (Some(0), 0)
    );
    assert_eq!(server.get("/api/run-metrics/nope").await.status, 404);
}

#[tokio::test]
async fn a_series_has_every_point_in_order_of_x_and_gap_marks_beside_it() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let run = "20250115_090000_b00b1e";
    let answer = ask(&server, json!({"runs": [run], "metrics": ["loss", "acc"]})).await;
    let loss = &answer["series"][0];
    assert_eq!(
        (loss["run"].as_str(), loss["metric"].as_str()),
        (Some(run), Some("loss"))
    );
    assert_eq!(
        loss["x"],
        json!([-3.0, 0.0, 1.0, 4.0, 5.0, 5.0, 14.0, 16.0])
    );
    assert_eq!(loss["y"], json!([0.4, 0.3, 1.0, 0.9, 0.7, 0.6, 0.55, 0.5]));
    assert_eq!(loss["non_finite"], json!([[2.0, "nan"], [3.0, "-inf"]]));
    assert_eq!(
        (loss["points"].as_u64(), loss["exact"].as_bool()),
        (Some(10), Some(true))
    );
    assert_eq!(loss["last"]["x"], 0.0, "the last one in the file went back");
    assert_eq!(answer["series"][1]["non_finite"], json!([[2.0, "inf"]]));
    assert_eq!(answer["live"], false);
}

#[tokio::test]
async fn with_a_cursor_only_new_points_travel() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.log(&losses(0..100));
    let first = ask(&server, question(&Value::Null)).await;
    assert_eq!(
        (
            first["delta"].as_bool(),
            first["series"][0]["x"].as_array().unwrap().len()
        ),
        (Some(false), 100)
    );
    run.log(&losses(100..103));
    let second = ask(&server, question(&first["cursor"])).await;
    assert_eq!(second["delta"], true);
    assert_eq!(second["series"][0]["x"], json!([100.0, 101.0, 102.0]));
    assert_eq!(second["series"][0]["points"], 103);
    let third = ask(&server, question(&second["cursor"])).await;
    assert_eq!(
        (third["delta"].as_bool(), &third["series"][0]["x"]),
        (Some(true), &json!([]))
    );
    assert_eq!(third["cursor"], second["cursor"]);
}

#[tokio::test]
async fn a_cursor_of_a_cut_file_of_another_question_or_of_nobody_gets_the_whole_answer() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.log(&losses(0..100));
    let first = ask(&server, question(&Value::Null)).await;
    let mut other = question(&first["cursor"]);
    other["width_px"] = json!(400);
    assert_eq!(ask(&server, other).await["delta"], false);
    assert_eq!(
        ask(&server, question(&json!("s1.nonsense"))).await["delta"],
        false
    );
    let file = std::fs::File::options()
        .write(true)
        .open(run.file("events.jsonl"))
        .unwrap();
    file.set_len(0).unwrap();
    run.log(&losses(0..2));
    let again = ask(&server, question(&first["cursor"])).await;
    assert_eq!(
        (
            again["delta"].as_bool(),
            again["series"][0]["points"].as_u64()
        ),
        (Some(false), Some(2))
    );
}

#[tokio::test]
async fn a_wide_series_is_reduced_to_its_pixels_and_smoothing_comes_beside_it() {
    let server = TestServer::empty().await;
    RecordedRun::new(&server, "finished").log(&losses(0..20_000));
    let smoothing = json!({"kind": "ema", "amount": 0.9});
    let answer = ask(
        &server,
        json!({"runs": [RUN], "metrics": ["loss"], "width_px": 100, "smoothing": smoothing}),
    )
    .await;
    let series = &answer["series"][0];
    let length = |name: &str| series[name].as_array().unwrap().len();
    assert!(length("x") <= 400 && length("x") == length("y") && length("x") == length("smooth"));
    assert_eq!(
        (series["exact"].as_bool(), series["x_to"].as_f64()),
        (Some(false), Some(19_999.0))
    );
}

#[tokio::test]
async fn one_missing_run_does_not_spoil_the_others() {
    let server = TestServer::empty().await;
    RecordedRun::new(&server, "finished").log(&losses(0..3));
    let answer = ask(
        &server,
        json!({"runs": ["nope", RUN], "metrics": ["loss", "nothing"]}),
    )
    .await;
    let series = answer["series"].as_array().unwrap();
    assert_eq!(series.len(), 4);
    assert!(series[0]["problem"].as_str().unwrap().contains("nope"));
    assert_eq!(series[2]["points"], 3);
    assert_eq!(
        (series[3]["points"].as_u64(), &series[3]["problem"]),
        (Some(0), &Value::Null)
    );
}

#[tokio::test]
async fn questions_out_of_bounds_are_refused() {
    let server = TestServer::empty().await;
    let many: Vec<String> = (0..30_000).map(|at| at.to_string()).collect();
    for bad in [
        json!({"runs": [], "metrics": [], "width_px": 0}),
        json!({"runs": [], "metrics": [], "width_px": 9000}),
        json!({"runs": [], "metrics": [], "x": "date"}),
        json!({"runs": [], "metrics": [], "smoothing": {"kind": "ema", "amount": 1.0}}),
        json!({"runs": [], "metrics": [], "smoothing": {"kind": "gaussian", "amount": -1.0}}),
        json!({"runs": [], "metrics": [], "smoothing": {"kind": "median", "amount": 1.0}}),
        json!({"runs": "x", "metrics": []}),
        json!({"metrics": []}),
        json!({"runs": ["x"], "metrics": many}),
    ] {
        assert_eq!(
            server.post("/api/series", bad.clone()).await.status,
            422,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn metrics_of_many_runs_come_in_one_answer_and_name_who_is_not_here() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let runs = ["20250123_010101_badbad", "20250118_130000_a11ce5"];
    let question = json!({"runs": [runs[0], "nope", runs[1]]});
    let answer = server.post("/api/run-metrics", question).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["missing"], json!(["nope"]));
    for (at, run) in runs.into_iter().enumerate() {
        let alone = server.get(&format!("/api/run-metrics/{run}")).await.json();
        assert_eq!(answer["runs"][at], alone);
    }
    let many = json!({"runs": vec!["nope"; 1001]});
    assert_eq!(server.post("/api/run-metrics", many).await.status, 422);
}

/// A run that logged these `[step, loss]`.
fn record(
    server: &TestServer,
    id: &str,
    status: &str,
    points: &[(u32, f64)],
) -> std::path::PathBuf {
    let directory = server.root().join("runs/default").join(id);
    std::fs::create_dir_all(&directory).unwrap();
    let meta = json!({"id": id, "path": "default", "created_at": 1.0, "hostname": crate::support::RECORDED_HOST, "pid": std::process::id()});
    std::fs::write(directory.join("meta.json"), meta.to_string()).unwrap();
    let status = json!({"status": status, "started_at": 1.0});
    std::fs::write(directory.join("status.json"), status.to_string()).unwrap();
    log(&directory, points);
    directory
}

fn log(directory: &std::path::Path, points: &[(u32, f64)]) {
    use std::io::Write as _;
    let mut file = std::fs::File::options()
        .append(true)
        .create(true)
        .open(directory.join("events.jsonl"))
        .unwrap();
    for (step, loss) in points {
        let data = json!({"loss": loss, "global_step": step, "time": 5.0});
        writeln!(
            file,
            "{}",
            json!({"ts": 5.0, "type": "metrics", "data": data})
        )
        .unwrap();
    }
}

#[tokio::test]
async fn groups_come_as_their_mean_with_a_band_and_anew_when_one_of_their_runs_grows() {
    let server = TestServer::empty().await;
    let (one, two, three) = (
        "20260601_120000_aaaaaa",
        "20260601_120000_bbbbbb",
        "20260601_120000_cccccc",
    );
    record(&server, one, "finished", &[(1, 1.0), (3, 3.0)]);
    let growing = record(&server, two, "running", &[(1, 5.0), (2, 9.0)]);
    record(&server, three, "finished", &[(1, 2.0)]);
    let question = |cursor: &Value| {
        json!({"runs": [three], "groups": [[one, two, "nobody"], [three], []], "metrics": ["loss"],
            "width_px": 500, "cursor": cursor})
    };
    let first = ask(&server, question(&Value::Null)).await;
    assert_eq!(first["series"][0]["y"], json!([2.0]));
    let mean = &first["groups"][0];
    assert_eq!(
        (
            mean["group"].as_u64(),
            mean["metric"].as_str(),
            mean["runs"].as_u64()
        ),
        (Some(0), Some("loss"), Some(2))
    );
    assert_eq!(mean["x"], json!([1.0, 2.0, 3.0]));
    assert_eq!(
        mean["y"],
        json!([3.0, 5.0, 3.0]),
        "step 2 has 1 and 9, step 3 has 3 alone"
    );
    assert_eq!(mean["low"], json!([1.0, 1.0, 3.0]));
    assert_eq!(mean["high"], json!([5.0, 9.0, 3.0]));
    assert_eq!(first["groups"][1]["y"], json!([2.0]));
    assert_eq!(first["groups"][2]["runs"], 0);
    assert_eq!(first["live"], true);

    let same = ask(&server, question(&first["cursor"])).await;
    assert_eq!(
        (&same["delta"], &same["groups"]),
        (&json!(true), &json!([]))
    );
    log(&growing, &[(3, 7.0)]);
    let grown = ask(&server, question(&same["cursor"])).await;
    assert_eq!(grown["delta"], false);
    assert_eq!(grown["groups"][0]["y"], json!([3.0, 5.0, 5.0]));

    let mut error = question(&Value::Null);
    error["band"] = json!("standard_error");
    let error = ask(&server, error).await;
    // 1 and 5: the deviation of the sample is √8, over √2 that is 2.
    assert_eq!(error["groups"][0]["low"][0], 1.0);
    assert_eq!(error["groups"][0]["high"][0], 5.0);
}

/// Runs, means and what another machine draws stand in one chart: each is reduced as in a window of the chart's whole x axis.
#[tokio::test]
async fn all_that_stands_in_a_chart_shares_the_pixel_columns_of_its_whole_x_axis() {
    let server = TestServer::empty().await;
    let (short, long) = ("20260602_120000_aaaaaa", "20260602_120000_bbbbbb");
    let points = |steps: u32| -> Vec<(u32, f64)> {
        (0..steps)
            .map(|step| (step, f64::from(step % 13)))
            .collect()
    };
    record(&server, short, "finished", &points(600));
    record(&server, long, "finished", &points(900));
    let of = |question: Value| {
        let server = &server;
        async move {
            let mut body = json!({"metrics": ["loss"], "width_px": 20, "runs": [], "groups": []});
            for (key, value) in question.as_object().unwrap() {
                body[key] = value.clone();
            }
            ask(server, body).await
        }
    };
    let window = |to: f64| json!({"runs": [short], "groups": [[short]], "from": 0.0, "to": to});
    let over_long = of(window(899.0)).await;
    let over_far = of(window(2000.0)).await;
    assert_ne!(over_long["series"][0]["x"], over_far["series"][0]["x"]);

    let beside_run = of(json!({"runs": [short, long], "groups": [[short]]})).await;
    assert_eq!(beside_run["series"][0]["x"], over_long["series"][0]["x"]);
    assert_eq!(beside_run["groups"][0]["x"], over_long["groups"][0]["x"]);
    let beside_mean = of(json!({"groups": [[short], [long]]})).await;
    assert_eq!(beside_mean["groups"][0]["x"], over_long["groups"][0]["x"]);

    let elsewhere = json!({"runs": [short], "groups": [[short]], "extents": [[-5.0, 2000.0]]});
    let elsewhere = of(elsewhere).await;
    let window = json!({"runs": [short], "groups": [[short]], "from": -5.0, "to": 2000.0});
    let window = of(window).await;
    assert_eq!(elsewhere["series"][0]["x"], window["series"][0]["x"]);
    assert_eq!(elsewhere["groups"][0]["x"], window["groups"][0]["x"]);
    // Whole as it is told, wherever its neighbours end.
    assert_eq!(
        (
            &elsewhere["series"][0]["x_from"],
            &elsewhere["series"][0]["x_to"]
        ),
        (&json!(0.0), &json!(599.0))
    );
    // No axis is known of what nobody else has, and of more metrics than were asked for nothing follows.
    let alone = of(json!({"runs": [short]})).await;
    let unknown = of(json!({"runs": [short], "extents": [null, [0.0, 1e9]]})).await;
    assert_eq!(alone["series"], unknown["series"]);
}

#[tokio::test]
async fn too_many_groups_or_members_are_refused() {
    let server = TestServer::empty().await;
    for groups in [vec![vec!["x"; 10_001]], vec![vec![]; 1001]] {
        let answer = server
            .post(
                "/api/series",
                json!({"runs": [], "metrics": ["loss"], "groups": groups}),
            )
            .await;
        assert_eq!(answer.status, 422, "{}", answer.text());
    }
}
