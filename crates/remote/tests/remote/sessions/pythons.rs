//! The viewers of real Runicorn installations.

use std::net::TcpListener;

use runicorn_remote::{Ended, SessionStatus, StartViewer, Transport, ViewerKind, ViewerWish};

use crate::support::app::{App, nothing_left, python, python_with, times, viewers};
use crate::support::sshd::{Sshd, SshdOptions};

/// A server that lets in who can reach the interpreters.
fn own_server() -> Sshd {
    Sshd::with(&SshdOptions {
        is_self: true,
        ..SshdOptions::default()
    })
}

async fn is_reached_and_ended(version: &str, number: &str) {
    let Some(interpreter) = python_with(version, "a Python viewer") else {
        return;
    };
    let sshd = own_server();
    let app = App::with(&[&sshd], times(), Vec::new());
    let request = StartViewer {
        viewer: ViewerWish::Auto,
        ..python(&sshd, &interpreter)
    };
    let info = app.start(request).await.unwrap();
    assert_eq!(info.status, SessionStatus::Running);
    assert_eq!(
        (info.viewer, info.transport),
        (ViewerKind::Python, Transport::Tcp)
    );
    assert_eq!(info.remote_version.as_deref(), Some(number));
    assert_eq!(viewers(&sshd), [info.remote_pid.unwrap()]);
    let health = app.health(&info.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    let log = app.remote.viewer_log(&info.session_id, 50).await.unwrap();
    assert!(
        log.contains("Remote Mode") || log.contains("Uvicorn"),
        "{log}"
    );
    let report = app.remote.stop_session(&info.session_id).await.unwrap();
    assert_eq!(
        (report.viewer_pid, report.ended),
        (info.remote_pid, Ended::Asked)
    );
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn the_viewer_of_runicorn_0_6_is_reached_and_ended() {
    is_reached_and_ended("rn6", "0.6.0").await;
}

#[tokio::test]
async fn the_viewer_of_runicorn_0_7_is_reached_and_ended() {
    is_reached_and_ended("rn7", "0.7.2").await;
}

#[tokio::test]
async fn a_port_of_somebody_else_is_never_taken_for_ours() {
    let Some(interpreter) = python_with("rn7", "a taken port") else {
        return;
    };
    let sshd = own_server();
    let app = App::with(&[&sshd], times(), Vec::new());
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let request = StartViewer {
        remote_port: Some(stranger.local_addr().unwrap().port()),
        ..python(&sshd, &interpreter)
    };
    let refused = app.start(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), "REMOTE_PORT_TAKEN", "{refused}");
    nothing_left(&sshd).await;
    drop(stranger);
    let info = app.start(request.clone()).await.unwrap();
    assert_eq!(Some(info.remote_port), request.remote_port);
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_dead_python_viewer_is_started_again_on_its_port() {
    let Some(interpreter) = python_with("rn7", "a dead Python viewer") else {
        return;
    };
    let sshd = own_server();
    let app = App::with(&[&sshd], times(), Vec::new());
    let before = app.start(python(&sshd, &interpreter)).await.unwrap();
    crate::support::sshd::end(before.remote_pid.unwrap());
    let id = &before.session_id;
    let after = app
        .wait_for(id, "started again", |info| {
            info.status == SessionStatus::Running && info.remote_pid != before.remote_pid
        })
        .await;
    assert_eq!(after.remote_port, before.remote_port);
    let health = app.health(id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_python_without_runicorn_says_what_to_install() {
    let sshd = own_server();
    let app = App::with(&[&sshd], times(), Vec::new());
    let request = StartViewer {
        environment: Some("nowhere".to_owned()),
        ..python(&sshd, "/nowhere".as_ref())
    };
    let missing = app.start(request).await.unwrap_err();
    assert_eq!(missing.code(), "ENVIRONMENT_NOT_FOUND", "{missing}");
    nothing_left(&sshd).await;
}
