//! The socket of live events.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, protocol::frame::coding::CloseCode};

use crate::support::TestServer;

async fn next_frame(
    socket: &mut (impl StreamExt<Item = Result<Message, tungstenite::Error>> + Unpin),
) -> Option<Value> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return serde_json::from_str(&text).ok(),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

#[tokio::test]
async fn a_window_is_greeted_and_told_when_another_root_is_shown() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let mut socket = server.socket("/api/live").await;
    let hello = next_frame(&mut socket).await.unwrap();
    assert_eq!(hello["type"], "hello");
    assert!(hello["version"].is_string() && hello["cursor"].is_string());
    socket.send(Message::text("no command")).await.unwrap();
    let path = server.home().join("other").display().to_string();
    server
        .post("/api/config/user_root_dir", json!({"path": path}))
        .await;
    loop {
        let frame = next_frame(&mut socket).await.unwrap();
        if frame["type"] == "storage" && frame["root"] == path {
            assert_eq!(frame["state"], "ok");
            break;
        }
    }
}

#[tokio::test]
async fn what_happened_before_a_socket_was_heard_is_told_to_it() {
    let server = TestServer::on("runicorn-0.6.0").await;
    let mut socket = server.socket("/api/live").await;
    // Nothing changes here, and still the window learns how things are after it began to listen.
    let mut wanted = vec!["hello", "storage", "runs"];
    while !wanted.is_empty() {
        let frame = next_frame(&mut socket).await.unwrap();
        wanted.retain(|kind| frame["type"] != *kind);
    }
}

#[tokio::test]
async fn open_sockets_end_when_the_server_stops() {
    let server = TestServer::empty().await;
    let mut socket = server.socket("/api/live").await;
    next_frame(&mut socket).await.unwrap();
    server.server().shutdown().await;
    is_told_goodbye(&mut socket).await;
}

/// Reads to the end, which is the server's own word and not a connection that breaks.
pub(crate) async fn is_told_goodbye(
    socket: &mut (impl StreamExt<Item = Result<Message, tungstenite::Error>> + Unpin),
) {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Close(Some(frame)) => {
                assert_eq!(frame.code, CloseCode::Away, "{frame}");
                return;
            }
            Message::Close(None) => panic!("closed without a word"),
            _ => {}
        }
    }
}
