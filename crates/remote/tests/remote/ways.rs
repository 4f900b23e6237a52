//! Aliases, jump hosts and `ProxyCommand`, as the user's configuration names them.

use std::fs;
use std::time::Duration;

use runicorn_remote::{Connection, Credentials, RemoteError, RemoteResult, Secret, Target};

use super::logins::says;
use crate::support::local::Local;
use crate::support::russh_server::{Behaviour, RusshServer};
use crate::support::sshd::{Sshd, SshdOptions};

/// `alias` is the server, reached over `jump`, which is another one; both take the target's key.
fn over_a_jump(local: &Local, jump: &Sshd, sshd: &Sshd) {
    jump.authorize(&sshd.key());
    local.take_key(&sshd.key(), "id_ed25519");
    local.configure(&format!(
        "Host jump\n  HostName 127.0.0.1\n  Port {}\n  User {}\n\
         Host alias\n  HostName 127.0.0.1\n  Port {}\n  ProxyJump jump\n",
        jump.port(),
        jump.username(),
        sshd.port()
    ));
}

fn alias(sshd: &Sshd) -> Target {
    Target::new(sshd.username(), "alias", 22).unwrap()
}

#[tokio::test]
async fn an_alias_stands_for_a_host_and_a_port() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    local.configure(&format!(
        "Host alias\n  HostName 127.0.0.1\n  Port {}\n",
        sshd.port()
    ));
    let connection = local.dial(&alias(&sshd), &sshd.credentials()).await;
    assert_eq!(connection.unwrap().target(), &alias(&sshd));
}

#[tokio::test]
async fn a_way_over_a_jump_host_is_taken_and_ends_with_the_connection() {
    let jump = Sshd::start();
    let sshd = Sshd::start();
    let local = Local::knowing(&[&jump, &sshd]);
    over_a_jump(&local, &jump, &sshd);
    let connection = local.dial(&alias(&sshd), &Credentials::default()).await;
    let connection = connection.unwrap();
    assert_eq!(says(&connection, "id -un").await.trim(), sshd.username());
    assert!(jump.log().count("Accepted publickey") == 1);
    drop(connection);
    jump.log().heard(&["Connection closed by"]).await;
}

#[tokio::test]
async fn a_chain_of_two_jump_hosts_is_taken_in_order() {
    let first = Sshd::start();
    let second = Sshd::start();
    let sshd = Sshd::start();
    let local = Local::knowing(&[&first, &second, &sshd]);
    over_a_jump(&local, &first, &sshd);
    second.authorize(&sshd.key());
    local.configure(&format!(
        "Host chained\n  HostName 127.0.0.1\n  Port {}\n  ProxyJump jump,{}@127.0.0.1:{}\n",
        sshd.port(),
        second.username(),
        second.port()
    ));
    let target = Target::new(sshd.username(), "chained", 22).unwrap();
    let connection = local.dial(&target, &Credentials::default()).await;
    assert_eq!(
        says(&connection.unwrap(), "id -un").await.trim(),
        sshd.username()
    );
    for on_the_way in [&first, &second] {
        assert_eq!(on_the_way.log().count("Accepted publickey"), 1);
    }
}

#[tokio::test]
async fn the_host_key_of_a_jump_host_is_asked_for_by_its_own_name() {
    let jump = Sshd::start();
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    over_a_jump(&local, &jump, &sshd);
    let asked = local.dial(&alias(&sshd), &Credentials::default()).await;
    let Err(RemoteError::HostKey(question)) = asked else {
        panic!("{:?}", asked.err());
    };
    assert_eq!(question.port, jump.port());
    local.know(&jump.known_hosts());
    assert!(
        local
            .dial(&alias(&sshd), &Credentials::default())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_failure_at_a_jump_host_names_it() {
    let jump = Sshd::with(&SshdOptions::default().line("PasswordAuthentication no"));
    let mut sshd = Sshd::start();
    let local = Local::knowing(&[&jump, &sshd]);
    over_a_jump(&local, &jump, &sshd);
    sshd.stop();
    let refused = local.dial(&alias(&sshd), &Credentials::default()).await;
    assert_eq!(refused.err().unwrap().code(), "CONNECTION_REFUSED");
    fs::write(jump.authorized_keys(), "").unwrap();
    let refused = local.dial(&alias(&sshd), &Credentials::default()).await;
    let Err(RemoteError::Jump { hop, source }) = refused else {
        panic!("{:?}", refused.err());
    };
    assert!(hop.contains("@jump:"), "{hop}");
    assert_eq!(source.code(), "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn a_jump_host_never_sees_the_password_of_the_target_and_asks_for_its_own() {
    let jump = RusshServer::start(Behaviour {
        password: Some("jump".to_owned()),
        ..Behaviour::default()
    })
    .await;
    let local = Local::new();
    local.know(&jump.known_hosts());
    local.configure(&format!(
        "Host alias\n  HostName 127.0.0.1\n  Port 9\n  ProxyJump somebody@127.0.0.1:{}\n",
        jump.port()
    ));
    let target = Target::new("somebody", "alias", 22).unwrap();
    let credentials = Credentials {
        password: Some(Secret::new("hush7q of the target")),
        ..Credentials::default()
    };
    let asked = local.dial(&target, &credentials).await;
    let Err(RemoteError::Prompt(question)) = asked else {
        panic!("{:?}", asked.err());
    };
    assert_eq!(question.host, "127.0.0.1");
    assert!(question.prompts[0].text.contains("Password of somebody"));
    let answers = vec![Secret::new("hush7q wrong")];
    let answered = local.dialer.answer(&question.prompt_id, answers).await;
    assert_eq!(answered.err().unwrap().code(), "AUTHENTICATION_FAILED");
    assert_eq!(jump.passwords(), ["hush7q wrong"]);
}

#[tokio::test]
async fn a_locked_key_of_a_jump_host_is_opened_by_a_person() {
    let jump = Sshd::start();
    let sshd = Sshd::start();
    let local = Local::knowing(&[&jump, &sshd]);
    over_a_jump(&local, &jump, &sshd);
    let locked = jump.make_key("locked", "ed25519", "hush7q open sesame");
    fs::write(jump.authorized_keys(), "").unwrap();
    jump.authorize(&locked);
    local.take_key(&locked, "id_ed25519");
    let target = alias(&sshd);
    let asked = async |outcome: RemoteResult<Connection>| match outcome {
        Err(RemoteError::Prompt(question)) => *question,
        other => panic!("{:?}", other.err()),
    };
    let mut question = asked(local.dial(&target, &sshd.credentials()).await).await;
    assert_eq!(question.host, "jump");
    assert!(question.prompts[0].text.contains("id_ed25519"));
    for wrong in ["hush7q open barley", "hush7q open wheat"] {
        let answers = vec![Secret::new(wrong)];
        let again = local.dialer.answer(&question.prompt_id, answers).await;
        question = asked(again).await;
    }
    // The server does not wait for ever; the key is open all the same.
    jump.end_sessions();
    let answers = vec![Secret::new("hush7q open sesame")];
    let made = local.dialer.answer(&question.prompt_id, answers).await;
    assert!(made.is_ok(), "{:?}", made.err());
    assert_eq!(jump.log().count("Connection from"), 2);
}

#[tokio::test]
async fn ways_that_lead_in_circles_or_are_too_long_are_refused() {
    let local = Local::new();
    local.configure("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\nHost self\n  ProxyJump self\n");
    let many: Vec<String> = (0..9).map(|number| format!("h{number}")).collect();
    local.configure(&format!("Host long\n  ProxyJump {}\n", many.join(",")));
    for host in ["a", "self", "long"] {
        let target = Target::new("somebody", host, 22).unwrap();
        let error = local.dial(&target, &Credentials::default()).await;
        let error = error.err().unwrap();
        assert_eq!(error.code(), "INVALID_INPUT", "{host}: {error}");
    }
}

#[tokio::test]
async fn a_proxy_command_carries_the_connection_with_and_without_a_shell() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    local.configure(&format!(
        "Host plain\n  HostName 127.0.0.1\n  Port {port}\n  ProxyCommand nc %h %p\n\
         Host shell\n  HostName 127.0.0.1\n  Port {port}\n  ProxyCommand exec nc \"%h\" %p 2>/dev/null\n",
        port = sshd.port()
    ));
    for host in ["plain", "shell"] {
        let target = Target::new(sshd.username(), host, 22).unwrap();
        let connection = local.dial(&target, &sshd.credentials()).await;
        assert!(connection.is_ok(), "{host}: {:?}", connection.err());
        assert_eq!(says(&connection.unwrap(), "echo yes").await, "yes\n");
    }
}

#[tokio::test]
async fn a_proxy_command_ends_with_its_connection_and_so_do_its_children() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let pid_file = local.home().join("pid");
    local.configure(&format!(
        "Host alias\n  HostName 127.0.0.1\n  Port {}\n  \
         ProxyCommand sh -c 'sleep 1000 & echo $! > {}; nc %h %p; wait'\n",
        sshd.port(),
        pid_file.display()
    ));
    let connection = local.dial(&alias(&sshd), &sshd.credentials()).await;
    let child = fs::read_to_string(&pid_file).unwrap();
    let stat = format!("/proc/{}/stat", child.trim());
    assert!(fs::exists(&stat).unwrap());
    drop(connection.unwrap());
    // Killed, and perhaps not yet collected by whoever adopted it.
    let is_over = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    let until_over = async {
        while !is_over() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_mins(1), until_over).await;
    assert!(ended.is_ok(), "it lives on");
}

#[tokio::test]
async fn a_proxy_command_that_fails_is_quoted() {
    let local = Local::new();
    local.configure(
        "Host fails\n  ProxyCommand sh -c 'printf \"\\033[31mno route to the moon\\n\" >&2; exit 7'\n\
         Host missing\n  ProxyCommand /nowhere/at/all %h\n",
    );
    let fails = Target::new("somebody", "fails", 22).unwrap();
    let error = local.dial(&fails, &Credentials::default()).await;
    let Err(RemoteError::ProxyCommand { detail, .. }) = error else {
        panic!("{:?}", error.err());
    };
    assert!(detail.contains("no route to the moon"), "{detail}");
    assert!(
        detail.contains('7') && !detail.contains('\u{1b}'),
        "{detail}"
    );
    let missing = Target::new("somebody", "missing", 22).unwrap();
    let error = local.dial(&missing, &Credentials::default()).await;
    assert_eq!(error.err().unwrap().code(), "PROXY_COMMAND_FAILED");
}
