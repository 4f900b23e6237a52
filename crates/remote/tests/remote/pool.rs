//! One live connection for each target.

use std::time::Duration;

use runicorn_remote::{
    Connections, Credentials, Dialer, Phase, RemoteError, RemoteEvent, Secret, Target,
};
use tokio::net::TcpListener;

use super::logins::says;
use crate::support::local::Local;
use crate::support::relay::Relay;
use crate::support::russh_server::{Behaviour, Round, RusshServer};
use crate::support::sshd::{Sshd, SshdOptions, is_root_or_skip};

fn pool(local: &Local) -> Connections {
    Connections::new(local.dialer.clone())
}

fn password(text: &str) -> Credentials {
    Credentials {
        password: Some(Secret::new(text)),
        ..Credentials::default()
    }
}

#[tokio::test]
async fn a_live_connection_is_returned_at_once_and_listed_until_it_is_ended() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let pool = pool(&local);
    let target = sshd.target();
    assert_eq!(pool.get(&target).err().unwrap().code(), "NOT_CONNECTED");
    let (one, two) = tokio::join!(
        pool.connect(target.clone(), sshd.credentials()),
        pool.connect(target.clone(), Credentials::default()),
    );
    assert!(one.unwrap().is_same(&two.unwrap()));
    assert_eq!(sshd.log().count("Accepted publickey"), 1);
    let listed = pool.list();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].is_connected && listed[0].target == target);
    assert!(pool.disconnect(&target).await);
    assert!(!pool.disconnect(&target).await);
    assert!(pool.list().is_empty());
    assert_eq!(pool.get(&target).err().unwrap().code(), "NOT_CONNECTED");
}

#[tokio::test]
async fn what_is_given_for_a_live_connection_is_really_checked() {
    if !is_root_or_skip("password logins") {
        return;
    }
    let sshd = Sshd::with(&SshdOptions {
        has_password: true,
        ..SshdOptions::default()
    });
    let local = Local::knowing(&[&sshd]);
    let pool = pool(&local);
    let live = pool
        .connect(sshd.target(), sshd.credentials())
        .await
        .unwrap();
    let wrong = pool.connect(sshd.target(), password("wrong")).await;
    assert_eq!(wrong.err().unwrap().code(), "AUTHENTICATION_FAILED");
    assert!(live.is_live());
    let right = pool.connect(sshd.target(), sshd.password()).await.unwrap();
    assert!(right.is_same(&live));
    assert_eq!(says(&right, "echo yes").await, "yes\n");
}

#[tokio::test]
async fn a_slow_host_keeps_nobody_else_waiting_and_a_dropped_attempt_leaves_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = Target::new("u", "127.0.0.1", silent.local_addr().unwrap().port()).unwrap();
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let pool = pool(&local);
    let attempt = tokio::spawn({
        let (pool, slow) = (pool.clone(), slow.clone());
        async move { pool.connect(slow, Credentials::default()).await.err() }
    });
    let (mut taken, _) = silent.accept().await.unwrap();
    let connection = pool.connect(sshd.target(), sshd.credentials()).await;
    assert!(connection.is_ok(), "{:?}", connection.err());
    attempt.abort();
    // The abandoned attempt closes its connection.
    let mut all = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut taken, &mut all)
        .await
        .unwrap_or_default();
    assert_eq!(pool.list().len(), 1);
}

#[tokio::test]
async fn a_broken_connection_is_made_again_without_a_person() {
    let mut sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let pool = pool(&local);
    let target = sshd.target();
    let first = pool
        .connect(target.clone(), sshd.credentials())
        .await
        .unwrap();
    sshd.stop();
    first.ended().await;
    assert!(!pool.list()[0].is_connected);
    let away = pool.redial(&target).await.err().unwrap();
    assert_eq!(away.code(), "CONNECTION_REFUSED", "{away}");
    sshd.start_again();
    let second = pool.redial(&target).await.unwrap();
    assert!(!second.is_same(&first));
    assert_eq!(says(&second, "echo yes").await, "yes\n");
    assert!(pool.redial(&target).await.unwrap().is_same(&second));
}

#[tokio::test]
async fn a_cut_line_is_noticed_and_the_connection_made_again_over_it() {
    let sshd = Sshd::start();
    let relay = Relay::to_port(sshd.port()).await;
    let local = Local::new();
    local.know(&sshd.known_hosts_at(relay.port()));
    let known_hosts = local.dialer.known_hosts().clone();
    let pool = Connections::new(Dialer::new(local.config(), known_hosts));
    let target = Target::new(sshd.username(), "127.0.0.1", relay.port()).unwrap();
    let first = pool.connect(target.clone(), sshd.credentials()).await;
    relay.wait_for_accepted(1).await;
    relay.cut_once();
    first.unwrap().ended().await;
    let second = pool.redial(&target).await.unwrap();
    assert_eq!(says(&second, "echo yes").await, "yes\n");
    assert_eq!(relay.accepted(), 2);
    relay.cut();
    second.ended().await;
    let away = pool.redial(&target).await.err().unwrap();
    assert_eq!(away.code(), "KEY_EXCHANGE_FAILED", "{away}");
    relay.heal();
    assert!(pool.redial(&target).await.is_ok());
}

#[tokio::test]
async fn a_refused_redial_is_not_repeated_until_a_person_connects() {
    let mut sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let pool = pool(&local);
    let target = sshd.target();
    let connection = pool
        .connect(target.clone(), sshd.credentials())
        .await
        .unwrap();
    let authorized = std::fs::read_to_string(sshd.authorized_keys()).unwrap();
    std::fs::write(sshd.authorized_keys(), "").unwrap();
    sshd.restart();
    connection.ended().await;
    for _ in 0..3 {
        let refused = pool.redial(&target).await.err().unwrap();
        assert_eq!(refused.code(), "AUTHENTICATION_FAILED", "{refused}");
    }
    assert_eq!(sshd.log().count("Connection from"), 1);
    std::fs::write(sshd.authorized_keys(), authorized).unwrap();
    assert!(
        pool.connect(target.clone(), sshd.credentials())
            .await
            .is_ok()
    );
    assert!(pool.redial(&target).await.is_ok());
}

#[tokio::test]
async fn an_answered_question_makes_the_connection_of_its_target() {
    let far = RusshServer::start(Behaviour {
        rounds: vec![Round::of(&[("Code:", "hush7q 123456")])],
        ..Behaviour::default()
    })
    .await;
    let local = Local::new();
    local.know(&far.known_hosts());
    let pool = pool(&local);
    let target = Target::new("u", "127.0.0.1", far.port()).unwrap();
    let asked = pool.connect(target.clone(), Credentials::default()).await;
    let Err(RemoteError::Prompt(question)) = asked else {
        panic!("{:?}", asked.err());
    };
    let nonsense = pool.answer(&question.prompt_id, Vec::new()).await;
    assert_eq!(nonsense.err().unwrap().code(), "INVALID_INPUT");
    let answers = vec![Secret::new("hush7q 123456")];
    let made = pool.answer(&question.prompt_id, answers).await.unwrap();
    assert!(pool.get(&target).unwrap().is_same(&made));
    // Without a person the server's question cannot be answered again.
    far.hang_up().await;
    made.ended().await;
    let refused = pool.redial(&target).await.err().unwrap();
    assert_eq!(refused.code(), "AUTHENTICATION_FAILED", "{refused}");
}

#[tokio::test]
async fn stages_and_ends_are_told() {
    let mut sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let pool = pool(&local);
    let target = sshd.target();
    let mut events = pool.subscribe();
    let mut until = async |wanted: Phase| loop {
        let event = tokio::time::timeout(Duration::from_mins(1), events.recv()).await;
        let RemoteEvent::Connection { target: of, phase } = event.unwrap().unwrap() else {
            continue;
        };
        assert_eq!(of, target);
        if phase == wanted {
            return;
        }
    };
    pool.connect(target.clone(), sshd.credentials())
        .await
        .unwrap();
    for phase in [
        Phase::Connecting,
        Phase::KeyExchange,
        Phase::HostKey,
        Phase::Authenticating,
        Phase::Running,
    ] {
        until(phase).await;
    }
    sshd.stop();
    until(Phase::Reconnecting).await;
    assert!(pool.redial(&target).await.is_err());
    until(Phase::Failed).await;
    pool.disconnect(&target).await;
    until(Phase::Stopped).await;
}
