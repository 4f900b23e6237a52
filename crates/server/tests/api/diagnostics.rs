//! The server's own log through the API.

use std::io::Write;

use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::TestServer;

fn session_log(server: &TestServer) -> runicorn_server::LogWriter {
    server.server().app().config().log_files.open().unwrap()
}

#[tokio::test]
async fn the_last_lines_of_a_log_are_shown_and_the_whole_is_a_download() {
    let server = TestServer::empty().await;
    session_log(&server)
        .write_all(b"one\ntwo\nthree\n")
        .unwrap();
    let sources = server.get("/api/diagnostics/sources").await.json();
    assert_eq!(
        (
            sources["defaultSource"].as_str(),
            sources["remoteMode"].as_bool()
        ),
        (Some("session"), Some(false))
    );
    assert_eq!(sources["sources"][0]["available"], true);
    let tail = server
        .get("/api/diagnostics/logs?source=session&lines=2")
        .await;
    assert_eq!(
        (tail.text().as_str(), tail.header("cache-control")),
        ("two\nthree", Some("no-store"))
    );
    let download = server
        .get("/api/diagnostics/logs?source=global&download=true")
        .await;
    assert_eq!(
        download.header("content-disposition"),
        Some("attachment; filename=\"viewer.log\"")
    );
    for (query, status) in [
        ("source=nope", 404),
        ("", 422),
        ("source=session&lines=0", 422),
    ] {
        assert_eq!(
            server
                .get(&format!("/api/diagnostics/logs?{query}"))
                .await
                .status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_followed_log_goes_on_with_each_new_line() {
    let server = TestServer::empty().await;
    let mut log = session_log(&server);
    log.write_all(b"old\nlast\n").unwrap();
    let mut socket = server
        .socket("/api/diagnostics/logs/ws?source=session&lines=1")
        .await;
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("last"));
    log.write_all(b"new\n").unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("new"));
}

#[tokio::test]
async fn an_unknown_log_is_said_and_the_socket_closed_with_1008() {
    let server = TestServer::empty().await;
    let mut socket = server.socket("/api/diagnostics/logs/ws?source=nope").await;
    let first = socket.next().await.unwrap().unwrap();
    assert_eq!(
        first,
        Message::text("[error] Unknown diagnostics source: nope")
    );
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else {
        panic!("not closed")
    };
    assert_eq!(u16::from(frame.code), 1008);
}
