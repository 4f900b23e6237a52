//! Logs by number, by pattern, and as they are written.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::live::is_told_goodbye;
use crate::recorded_run::{RUN, RecordedRun};
use crate::support::TestServer;

/// The next text, `None` when the socket is closed.
async fn next_text(
    socket: &mut (impl StreamExt<Item = Result<Message, Error>> + Unpin),
) -> Option<String> {
    loop {
        match tokio::time::timeout(Duration::from_mins(1), socket.next())
            .await
            .unwrap()?
        {
            Ok(Message::Text(text)) => return Some(text.to_string()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn next_frame(socket: &mut (impl StreamExt<Item = Result<Message, Error>> + Unpin)) -> Value {
    serde_json::from_str(&next_text(socket).await.unwrap()).unwrap()
}

fn numbered(lines: std::ops::Range<u32>) -> String {
    lines
        .flat_map(|line| format!("line {line}\n").chars().collect::<Vec<_>>())
        .collect()
}

#[tokio::test]
async fn lines_are_given_by_number_or_from_the_end() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    let none = server.get(&format!("/api/log-lines/{RUN}")).await.json();
    assert_eq!(
        none,
        json!({"run": RUN, "exists": false, "total_lines": 0, "total_bytes": 0, "first_line": 0, "lines": [], "cut": []})
    );
    run.append("logs.txt", &(numbered(0..3000) + "half a li"));
    let some = server
        .get(&format!("/api/log-lines/{RUN}?from=1500&count=2"))
        .await
        .json();
    assert_eq!(
        (&some["lines"], &some["first_line"], &some["total_lines"]),
        (
            &json!(["line 1500", "line 1501"]),
            &json!(1500),
            &json!(3000)
        )
    );
    let tail = server
        .get(&format!("/api/log-lines/{RUN}?tail=1"))
        .await
        .json();
    assert_eq!(tail["lines"], json!(["line 2999"]));
    for bad in ["count=5001", "from=-1", "tail=x"] {
        assert_eq!(
            server
                .get(&format!("/api/log-lines/nope?{bad}"))
                .await
                .status,
            422,
            "{bad}"
        );
    }
    assert_eq!(server.get("/api/log-lines/nope").await.status, 404);
}

#[tokio::test]
async fn a_search_gives_hits_and_refuses_a_bad_pattern() {
    let server = TestServer::empty().await;
    RecordedRun::new(&server, "finished")
        .append("logs.txt", "one\nTwo \u{1b}[31mtwo\u{1b}[0m\nthree\n");
    let found = server
        .get(&format!("/api/log-search/{RUN}?pattern=two"))
        .await
        .json();
    assert_eq!(
        found["hits"],
        json!([{"line": 1, "place": 1, "text": "Two \u{1b}[31mtwo\u{1b}[0m", "spans": [[0, 3], [4, 7]]}])
    );
    assert_eq!(
        (&found["total_hits"], &found["complete"]),
        (&json!(1), &json!(true))
    );
    let exact = server
        .get(&format!(
            "/api/log-search/{RUN}?pattern=%5Et.%2Be&regex=true&case=true"
        ))
        .await
        .json();
    assert_eq!(exact["hits"][0]["line"], 2);
    let bad = server
        .get(&format!("/api/log-search/{RUN}?pattern=(&regex=1"))
        .await;
    assert_eq!(
        (bad.status, bad.json()["code"].as_str()),
        (400, Some("BAD_PATTERN"))
    );
    assert_eq!(
        server.get(&format!("/api/log-search/{RUN}")).await.status,
        422
    );
    assert_eq!(
        server
            .get(&format!("/api/log-search/{RUN}?pattern="))
            .await
            .status,
        422
    );
}

#[tokio::test]
async fn a_followed_log_gives_whole_lines_and_says_when_it_starts_anew() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.append("logs.txt", &numbered(0..3));
    let mut socket = server
        .socket(&format!("/api/log-follow/{RUN}?from=1"))
        .await;
    assert_eq!(
        next_frame(&mut socket).await,
        json!({"first_line": 1, "lines": ["line 1", "line 2"]})
    );
    run.append("logs.txt", "ha");
    run.append("logs.txt", "lf\n");
    assert_eq!(
        next_frame(&mut socket).await,
        json!({"first_line": 3, "lines": ["half"]})
    );
    std::fs::File::options()
        .write(true)
        .open(run.file("logs.txt"))
        .unwrap()
        .set_len(0)
        .unwrap();
    assert_eq!(next_frame(&mut socket).await, json!({"reset": true}));
    run.append("logs.txt", "new\n");
    assert_eq!(
        next_frame(&mut socket).await,
        json!({"first_line": 0, "lines": ["new"]})
    );
    let unknown = tokio_tungstenite::connect_async(server.ws_url("/api/log-follow/nope")).await;
    assert!(matches!(unknown, Err(Error::Http(answer)) if answer.status() == 404));
}

#[tokio::test]
async fn a_written_line_reaches_the_socket_within_300_milliseconds() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.append("logs.txt", "first\n");
    let mut socket = server
        .socket(&format!("/api/log-follow/{RUN}?from=0"))
        .await;
    next_frame(&mut socket).await;
    let mut fastest = Duration::MAX;
    for line in 0..10 {
        let written = Instant::now();
        run.append("logs.txt", &format!("{line}\n"));
        next_frame(&mut socket).await;
        fastest = fastest.min(written.elapsed());
    }
    assert!(
        fastest < Duration::from_millis(300),
        "{fastest:?}: nobody was woken"
    );
}

#[tokio::test]
async fn the_documented_socket_starts_with_the_last_ten_thousand_lines_and_sends_no_half_ones() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.append("logs.txt", &(numbered(0..10_500) + "\n  \n10%\r20%\nhalf"));
    let mut socket = server.socket(&format!("/api/runs/{RUN}/logs/ws")).await;
    // What comes after them takes part in the count: a blank line, one of spaces, a progress bar and half a line.
    for line in 504..10_500 {
        assert_eq!(
            next_text(&mut socket).await.unwrap(),
            format!("line {line}")
        );
    }
    assert_eq!(next_text(&mut socket).await.unwrap(), "10%");
    assert_eq!(next_text(&mut socket).await.unwrap(), "20%");
    assert_eq!(
        next_text(&mut socket).await.unwrap(),
        "[info] Showing last 10000 lines. Full log file: logs.txt"
    );
    run.append("logs.txt", " done\n");
    assert_eq!(next_text(&mut socket).await.unwrap(), "half done");
}

#[tokio::test]
async fn the_documented_socket_waits_for_a_log_that_appears_late() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    let mut socket = server.socket(&format!("/api/runs/{RUN}/logs/ws")).await;
    assert_eq!(
        next_text(&mut socket).await.unwrap(),
        "[info] No logs available yet. Waiting for logs to be created..."
    );
    socket
        .send(Message::text("what a client says is ignored"))
        .await
        .unwrap();
    run.append("logs.txt", "here\n");
    let mut texts = Vec::new();
    while texts.last().is_none_or(|text| text != "here") {
        texts.push(next_text(&mut socket).await.unwrap());
    }
    texts.retain(|text| !text.is_empty());
    assert_eq!(
        texts,
        ["[info] Logs are now available, streaming...", "here"]
    );
}

#[tokio::test]
async fn the_documented_socket_goes_on_after_the_log_was_cut() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.append("logs.txt", "before\n");
    let mut socket = server.socket(&format!("/api/runs/{RUN}/logs/ws")).await;
    assert_eq!(next_text(&mut socket).await.unwrap(), "before");
    std::fs::File::options()
        .write(true)
        .open(run.file("logs.txt"))
        .unwrap()
        .set_len(0)
        .unwrap();
    assert!(next_text(&mut socket).await.unwrap().starts_with("[info]"));
    run.append("logs.txt", "after\n");
    assert_eq!(next_text(&mut socket).await.unwrap(), "after");
}

#[tokio::test]
async fn log_sockets_end_when_the_server_stops() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    run.append("logs.txt", "line\n");
    let mut followed = server
        .socket(&format!("/api/log-follow/{RUN}?from=0"))
        .await;
    let mut documented = server.socket(&format!("/api/runs/{RUN}/logs/ws")).await;
    next_text(&mut followed).await.unwrap();
    next_text(&mut documented).await.unwrap();
    server.server().shutdown().await;
    is_told_goodbye(&mut followed).await;
    is_told_goodbye(&mut documented).await;
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_without_anything_being_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    let server = TestServer::start(folder, |config| {
        config.idle_timeout = Some(Duration::from_millis(50));
    })
    .await;
    RecordedRun::new(&server, "running").append("logs.txt", "line\n");
    let mut followed = server
        .socket(&format!("/api/log-follow/{RUN}?from=0"))
        .await;
    let mut documented = server.socket(&format!("/api/runs/{RUN}/logs/ws")).await;
    next_text(&mut followed).await.unwrap();
    next_text(&mut documented).await.unwrap();
    let still_busy = tokio::time::timeout(Duration::from_millis(300), server.server().idle()).await;
    assert!(still_busy.is_err(), "an open socket keeps the server awake");
    drop((followed, documented));
    tokio::time::timeout(Duration::from_secs(20), server.server().idle())
        .await
        .unwrap();
}

#[tokio::test]
async fn lines_of_a_level_and_a_time_are_given_with_their_numbers() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    let ask = async |query: &str| {
        let path = format!("/api/log-filter/{RUN}?{query}");
        server.get(&path).await.json()
    };
    assert_eq!(ask("level=info").await["exists"], json!(false));
    run.append(
        "logs.txt",
        "2026-01-01T00:00:01Z INFO a\n2026-01-01T00:00:02Z ERROR b\n  more\n2026-01-01T00:00:03Z WARNING c\n",
    );
    let all = ask("level=error").await;
    assert_eq!(
        (&all["shown_lines"], &all["read_lines"], &all["complete"]),
        (&json!(2), &json!(4), &json!(true))
    );
    let second = ask("level=error&from=1").await["lines"][0].clone();
    assert_eq!(
        (
            &second["line"],
            &second["level"],
            &second["time"],
            &second["own_time"]
        ),
        (
            &json!(2),
            &json!("error"),
            &json!(1_767_225_602.0),
            &json!(false)
        )
    );
    let numbers = |answer: &Value| -> Vec<u64> {
        let lines = answer["lines"].as_array().unwrap().iter();
        lines.map(|line| line["line"].as_u64().unwrap()).collect()
    };
    assert_eq!(
        numbers(&ask("since=1767225602&until=1767225602.5").await),
        [1, 2]
    );
    let clock = second["clock"].as_str().unwrap();
    assert_eq!(
        numbers(&ask(&format!("since={clock}&until={clock}")).await),
        [1, 2]
    );
    assert_eq!(ask("level=warning&line=3&count=1").await["first"], json!(2));
    assert_eq!(numbers(&ask("level=warning&tail=1").await), [3]);

    let path = format!("/api/log-search/{RUN}?pattern=c&level=warning");
    let hit = server.get(&path).await.json()["hits"][0].clone();
    assert_eq!((&hit["line"], &hit["place"]), (&json!(3), &json!(2)));

    let near = async |time: &str| {
        let path = format!("/api/log-nearest/{RUN}?time={time}");
        server.get(&path).await.json()
    };
    assert_eq!(near("1767225602.8").await["line"], json!(3));
    for bad in [
        "log-filter/x?level=loud",
        "log-filter/x?since=noon",
        "log-nearest/x",
    ] {
        assert_eq!(
            server.get(&format!("/api/{bad}")).await.status,
            422,
            "{bad}"
        );
    }
    assert_eq!(server.get("/api/log-nearest/nope?time=1").await.status, 404);
}

#[tokio::test]
async fn a_place_of_a_chart_and_a_time_lead_to_each_other() {
    let server = TestServer::empty().await;
    let run = RecordedRun::new(&server, "running");
    for (time, step) in [(100, 1), (110, 2), (130, 3)] {
        let line = json!({"ts": time, "type": "metrics", "data": {"loss": 1, "global_step": step, "time": time}});
        run.append("events.jsonl", &format!("{line}\n"));
    }
    let ask = async |query: &str| {
        let path = format!("/api/moment/{RUN}?{query}");
        let answer = server.get(&path).await.json();
        (answer["x"].as_f64(), answer["time"].as_f64())
    };
    assert_eq!(ask("metric=loss&at=2").await, (Some(2.0), Some(110.0)));
    assert_eq!(ask("time=125").await, (Some(3.0), Some(130.0)));
    assert_eq!(
        ask("x=relative_time&time=109").await,
        (Some(10.0), Some(110.0))
    );
    assert_eq!(ask("metric=other&at=2").await, (None, None));
    for bad in ["x=date&at=1", "", "at=1&time=1"] {
        let path = format!("/api/moment/{RUN}?{bad}");
        assert_eq!(server.get(&path).await.status, 422, "{bad}");
    }
}
