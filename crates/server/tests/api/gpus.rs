//! GPUs and host through the API.

use std::sync::Arc;
use std::time::{Duration, Instant};

use runicorn_telemetry::{FixedGpus, GpuProcess, GpuSample, GpuState};
use serde_json::{Value, json};

use crate::support::{TestServer, fixtures, scratch};

async fn server_with(state: GpuState) -> TestServer {
    let folder = scratch();
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    TestServer::start(folder, |config| {
        config.gpus = Arc::new(move || Box::new(FixedGpus(state.clone())));
    })
    .await
}

/// The GPUs of the recorded answer, as a driver would tell them.
fn recorded_gpus(recorded: &Value) -> Vec<GpuSample> {
    let gpus = recorded["gpus"].as_array().unwrap().iter();
    gpus.map(|gpu| GpuSample {
        index: u32::try_from(gpu["index"].as_u64().unwrap()).unwrap(),
        name: gpu["name"].as_str().unwrap().to_owned(),
        uuid: None,
        util_gpu_percent: gpu["util_gpu"].as_f64(),
        util_mem_percent: gpu["util_mem"].as_f64(),
        mem_total_mib: gpu["mem_total_mib"].as_f64(),
        mem_used_mib: gpu["mem_used_mib"].as_f64(),
        temperature_celsius: gpu["temp_c"].as_f64(),
        power_watts: gpu["power_w"].as_f64(),
        power_limit_watts: gpu["power_limit_w"].as_f64(),
        clock_sm_mhz: gpu["clock_sm_mhz"].as_f64(),
        clock_mem_mhz: gpu["clock_mem_mhz"].as_f64(),
        performance_state: gpu["pstate"].as_str().unwrap()[1..].parse().ok(),
        fan_speed_percent: gpu["fan_speed_pct"].as_f64(),
        processes: Vec::new(),
    })
    .collect()
}

#[tokio::test]
async fn gpus_are_told_in_the_recorded_shape() {
    let recorded = std::fs::read(fixtures().join("runicorn-0.6.0/gpu/telemetry.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let server = server_with(GpuState::Present(recorded_gpus(&recorded))).await;
    for path in ["/api/gpu/telemetry", "/api/gpu"] {
        let found = server.get(path).await.json();
        assert_eq!(found["available"], true);
        assert!(found["ts"].as_f64().is_some_and(|ts| ts > 1.7e9));
        for (one, other) in recorded["gpus"]
            .as_array()
            .unwrap()
            .iter()
            .zip(found["gpus"].as_array().unwrap())
        {
            for (member, value) in one.as_object().unwrap() {
                assert_eq!(value.to_string(), other[member].to_string(), "{member}");
            }
        }
    }
}

#[tokio::test]
async fn a_machine_without_a_driver_says_so() {
    let server = server_with(GpuState::Absent {
        reason: "No driver".to_owned(),
    })
    .await;
    let found = server.get("/api/gpu/telemetry").await;
    assert_eq!(found.status, 200);
    assert_eq!(
        (&found.json()["available"], &found.json()["reason"]),
        (&json!(false), &json!("No driver"))
    );
}

#[tokio::test]
async fn each_process_on_a_gpu_is_told_with_its_user() {
    let process = GpuProcess {
        pid: 42,
        program: Some("python".to_owned()),
        user: Some("ada".to_owned()),
        used_bytes: Some(3 << 20),
    };
    let gpu = GpuSample {
        processes: vec![process],
        ..GpuSample::default()
    };
    let server = server_with(GpuState::Present(vec![gpu])).await;
    let found = server.get("/api/gpu/telemetry").await.json();
    let expected = json!([{"pid": 42, "program": "python", "user": "ada", "used_mib": 3.0}]);
    assert_eq!(found["gpus"][0]["processes"], expected);
}

#[tokio::test]
async fn gpu_history_is_kept_and_its_settings_outlive_the_server() {
    let server = server_with(GpuState::Present(vec![GpuSample::default()])).await;
    let config = server.get("/api/gpu/telemetry/config").await.json();
    assert_eq!(
        config,
        json!({"enabled": true, "interval_sec": 2.0, "max_duration_h": 24.0})
    );
    server.get("/api/gpu/telemetry").await;
    let history = server.get("/api/gpu/telemetry/history").await.json();
    assert_eq!(
        (&history["available"], &history["enabled"]),
        (&json!(true), &json!(true))
    );
    assert!(!history["samples"].as_array().unwrap().is_empty());
    let body = json!({"enabled": false, "interval_sec": 5});
    let changed = server.post("/api/gpu/telemetry/config", body).await.json();
    assert_eq!(
        changed,
        json!({"ok": true, "enabled": false, "interval_sec": 5.0, "max_duration_h": 24.0})
    );
    let wrong = server
        .post(
            "/api/gpu/telemetry/config",
            json!({"interval_sec": "often"}),
        )
        .await;
    assert_eq!(wrong.status, 422);
    let server = server.restart().await;
    assert_eq!(
        server.get("/api/gpu/telemetry/config").await.json()["interval_sec"],
        5.0
    );
    let minutes = server.get("/api/gpu/telemetry/minutes").await.json();
    let minutes = minutes["minutes"].as_array().unwrap();
    // One, or two when a minute ended meanwhile.
    assert!(matches!(minutes.len(), 1 | 2), "{minutes:?}");
}

#[tokio::test]
async fn the_host_is_told_in_the_recorded_shape_and_nobody_waits_for_it() {
    let recorded =
        std::fs::read(fixtures().join("runicorn-0.7.2/golden/system_monitor.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&recorded).unwrap();
    let server = TestServer::empty().await;
    let found = server.get("/api/system/monitor").await.json();
    for part in ["cpu", "memory", "disk", "platform"] {
        for member in recorded["body"][part].as_object().unwrap().keys() {
            assert!(
                found[part].get(member).is_some(),
                "{part}.{member}: {found}"
            );
        }
    }
    // The quickest of several: the machine may be busy, but an answer that measures first is never quick.
    let mut quickest = Duration::MAX;
    for _ in 0..10 {
        let asked = Instant::now();
        server.get("/api/system/monitor").await;
        quickest = quickest.min(asked.elapsed());
    }
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
    let temperatures = server.get("/api/system/temperatures").await.json();
    let has_sensors = temperatures["sensors"].is_object();
    assert_eq!(temperatures["available"], has_sensors);
    assert!(has_sensors || temperatures["reason"].is_string());
}
