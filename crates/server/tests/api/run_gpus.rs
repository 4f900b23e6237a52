//! What the GPUs did while a run ran.

use std::sync::Arc;

use runicorn_telemetry::{FixedGpus, GpuProcess, GpuSample, GpuState};
use serde_json::{Value, json};

use crate::support::{RECORDED_HOST, TestServer, scratch};

const RUN: &str = "20260601_120000_abcdef";
const BEGAN: f64 = 1_780_000_000.0;
const PID: u32 = 4711;

/// What is told of the run and of the machine before the server starts.
struct Past {
    gpus: GpuState,
    meta: Value,
    status: Value,
    environment: Value,
    /// Lines of the file of one-minute means.
    minutes: Vec<Value>,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            gpus: GpuState::Absent {
                reason: "No driver".to_owned(),
            },
            meta: json!({"id": RUN, "path": "gpu", "created_at": BEGAN, "hostname": RECORDED_HOST, "pid": PID}),
            status: json!({"status": "finished", "started_at": BEGAN, "ended_at": BEGAN + 600.0}),
            environment: json!({}),
            minutes: Vec::new(),
        }
    }
}

impl Past {
    async fn server(self) -> TestServer {
        let folder = scratch();
        let run = folder.path().join("root/runs/gpu").join(RUN);
        std::fs::create_dir_all(&run).unwrap();
        for (name, content) in [
            ("meta.json", &self.meta),
            ("status.json", &self.status),
            ("environment.json", &self.environment),
        ] {
            std::fs::write(run.join(name), content.to_string()).unwrap();
        }
        let gpus = self.gpus;
        TestServer::start(folder, move |config| {
            config.gpus = Arc::new(move || Box::new(FixedGpus(gpus.clone())));
            let lines: Vec<String> = self.minutes.iter().map(Value::to_string).collect();
            std::fs::create_dir_all(&config.folders.state).unwrap();
            let file = config.folders.state.join("gpu-minutes.jsonl");
            std::fs::write(file, lines.join("\n")).unwrap();
        })
        .await
    }
}

/// A minute of two cards, the second one twice as busy; `pid` holds the second.
fn minute(ts: f64, util: f64, pid: Option<u32>) -> Value {
    let gpu = |index: u32, util: f64| {
        json!({"index": index, "uuid": format!("GPU-{index}"), "name": "NVIDIA H200", "util_gpu_percent": util,
            "mem_used_mib": 250.0, "mem_total_mib": 1000.0, "temperature_celsius": 60.0, "power_watts": null})
    };
    let mut second = gpu(1, util * 2.0);
    if let Some(pid) = pid {
        second["pids"] = json!([pid]);
    }
    json!({"ts": ts, "gpus": [gpu(0, util), second]})
}

fn minutes(pid: Option<u32>) -> Vec<Value> {
    let of = |at: u32| minute(BEGAN - 120.0 + f64::from(at) * 60.0, f64::from(at), pid);
    (0..20).map(of).collect()
}

async fn ask(server: &TestServer, query: &str) -> Value {
    let answer = server.get(&format!("/api/run-gpus/{RUN}{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn indexes(answer: &Value) -> Vec<u64> {
    let gpus = answer["gpus"].as_array().unwrap().iter();
    gpus.map(|gpu| gpu["index"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn minutes_of_the_runs_time_are_given_for_the_cards_that_its_process_held() {
    let past = Past {
        minutes: minutes(Some(PID)),
        ..Past::default()
    };
    let answer = ask(&past.server().await, "").await;
    assert_eq!(answer["chosen_by"], "process");
    assert_eq!(
        (&answer["since"], &answer["until"]),
        (&json!(BEGAN), &json!(BEGAN + 600.0))
    );
    assert_eq!(indexes(&answer), [1]);
    let gpu = &answer["gpus"][0];
    // Ten minutes, each at its middle; the first one that lies in the run is the third of the file.
    let times: Vec<f64> = (0..10)
        .map(|at| BEGAN + 30.0 + f64::from(at) * 60.0)
        .collect();
    assert_eq!(gpu["ts"], json!(times));
    let utils: Vec<f64> = (0..10).map(|at| f64::from(at + 2) * 2.0).collect();
    assert_eq!(gpu["util_gpu"], json!(utils));
    assert_eq!(gpu["mem_used_pct"], json!(vec![25.0; 10]));
    assert_eq!(gpu["power_w"], json!(vec![Value::Null; 10]));
}

#[tokio::test]
async fn a_part_of_the_time_is_given_when_it_is_asked_for_with_the_cards_of_the_whole() {
    let mut lines = minutes(None);
    lines[10] = minute(BEGAN + 480.0, 10.0, Some(PID));
    let past = Past {
        minutes: lines,
        ..Past::default()
    };
    let query = format!("?since={}&until={}", BEGAN + 60.0, BEGAN + 180.0);
    let answer = ask(&past.server().await, &query).await;
    assert_eq!(indexes(&answer), [1]);
    assert_eq!(
        answer["gpus"][0]["ts"],
        json!([BEGAN + 90.0, BEGAN + 150.0])
    );
}

#[tokio::test]
async fn without_a_trace_of_the_process_all_cards_are_given_or_those_it_was_told_to_see() {
    let past = || Past {
        minutes: minutes(Some(PID + 1)),
        ..Past::default()
    };
    let answer = ask(&past().server().await, "").await;
    assert_eq!(
        (&answer["chosen_by"], indexes(&answer)),
        (&json!("all"), vec![0, 1])
    );
    for (visible, expected) in [("0", vec![0]), ("GPU-1", vec![1]), ("1, 0", vec![0, 1])] {
        let past = Past {
            environment: json!({"env_variables": {"CUDA_VISIBLE_DEVICES": visible}}),
            ..past()
        };
        let answer = ask(&past.server().await, "").await;
        assert_eq!(
            (&answer["chosen_by"], indexes(&answer)),
            (&json!("environment"), expected)
        );
    }
}

#[tokio::test]
async fn a_running_run_is_shown_with_the_cards_that_its_process_holds_now() {
    let gpu = |index: u32, pid: u32| GpuSample {
        index,
        util_gpu_percent: Some(90.0),
        processes: vec![GpuProcess {
            pid,
            program: None,
            user: None,
            used_bytes: None,
        }],
        ..GpuSample::default()
    };
    let pid = std::process::id();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let began = now.unwrap().as_secs_f64() - 60.0;
    let past = Past {
        gpus: GpuState::Present(vec![gpu(0, 1), gpu(1, pid)]),
        meta: json!({"id": RUN, "path": "gpu", "created_at": began, "hostname": RECORDED_HOST, "pid": pid}),
        status: json!({"status": "running", "started_at": began}),
        ..Past::default()
    };
    let answer = ask(&past.server().await, "").await;
    assert_eq!(
        (&answer["chosen_by"], indexes(&answer)),
        (&json!("process"), vec![1])
    );
    assert_eq!(answer["gpus"][0]["util_gpu"][0], 90.0);
}

#[tokio::test]
async fn a_reason_stands_where_there_is_nothing() {
    let far = json!({"id": RUN, "path": "gpu", "created_at": BEGAN, "hostname": "gpu-07"});
    let present = || GpuState::Present(vec![GpuSample::default()]);
    for (past, reason, detail) in [
        (Past::default(), "no_driver", json!("No driver")),
        (
            Past {
                gpus: present(),
                ..Past::default()
            },
            "no_readings",
            Value::Null,
        ),
        (
            Past {
                meta: far,
                minutes: minutes(None),
                ..Past::default()
            },
            "other_host",
            json!("gpu-07"),
        ),
    ] {
        let answer = ask(&past.server().await, "").await;
        assert_eq!(
            (&answer["reason"], &answer["detail"]),
            (&json!(reason), &detail)
        );
        assert_eq!(answer["gpus"], json!([]));
    }
    let server = Past::default().server().await;
    assert_eq!(server.get("/api/run-gpus/not-here").await.status, 404);
    assert_eq!(
        server
            .get(&format!("/api/run-gpus/{RUN}?limit=0"))
            .await
            .status,
        422
    );
}
