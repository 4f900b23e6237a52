//! What a server forwards decides how streams go: sockets first, then ports, then the stdio of commands.

use runicorn_remote::Transport;

use crate::support::app::{App, bundled, nothing_left, packed_viewer, python, python_with};
use crate::support::sshd::{Sshd, SshdOptions};

async fn check(lines: &[&str], expected: Transport) {
    let Some(viewer) = packed_viewer("transports") else {
        return;
    };
    let options = lines
        .iter()
        .fold(SshdOptions::default(), |options, line| options.line(*line));
    let sshd = Sshd::with(&options);
    let app = App::knowing(&[&sshd], &viewer);
    let info = app.start(bundled(&sshd)).await.unwrap();
    assert_eq!(info.transport, expected, "{lines:?}");
    assert_eq!(info.remote_port == 0, expected != Transport::Tcp);
    // More at once than a server takes as commands.
    let many = (0..20).map(|_| app.health(&info.session_id));
    for health in futures_util::future::join_all(many).await {
        assert!(health.starts_with("HTTP/1.1 200"), "{lines:?}: {health}");
        assert!(health.ends_with('}'), "{lines:?}: {health}");
    }
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn without_forwarded_sockets_ports_are_used() {
    check(&["AllowStreamLocalForwarding no"], Transport::Tcp).await;
}

#[tokio::test]
async fn openssh_that_forwards_no_ports_forwards_no_sockets_either() {
    check(&["AllowTcpForwarding no"], Transport::Stdio).await;
}

#[tokio::test]
async fn without_any_forwarding_commands_carry_the_bytes() {
    check(
        &["DisableForwarding yes", "MaxSessions 10"],
        Transport::Stdio,
    )
    .await;
}

#[tokio::test]
async fn where_only_some_ports_are_forwarded_commands_carry_the_bytes() {
    check(
        &["AllowStreamLocalForwarding no", "PermitOpen 127.0.0.1:9"],
        Transport::Stdio,
    )
    .await;
}

#[tokio::test]
async fn a_python_viewer_is_reached_through_a_command_where_nothing_is_forwarded() {
    let Some(interpreter) = python_with("rn7", "a Python viewer without forwarding") else {
        return;
    };
    let sshd = Sshd::with(&SshdOptions {
        is_self: true,
        ..SshdOptions::default().line("AllowTcpForwarding no")
    });
    let app = App::with(&[&sshd], crate::support::app::times(), Vec::new());
    let info = app.start(python(&sshd, &interpreter)).await.unwrap();
    assert_eq!(info.transport, Transport::Stdio);
    let health = app.health(&info.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}
