//! Whether it is the machine that we mean: the documented questions, against OpenSSH.

use runicorn_remote::{HostKeyQuestion, HostKeyReason, Phase, RemoteError};

use crate::support::local::Local;
use crate::support::sshd::{Sshd, SshdOptions, program, run, with_suffix};

async fn question(local: &Local, sshd: &Sshd) -> HostKeyQuestion {
    let dialed = local.dial(&sshd.target(), &sshd.credentials()).await;
    match dialed {
        Err(RemoteError::HostKey(question)) => *question,
        other => panic!("no question: {:?}", other.err()),
    }
}

fn accept(local: &Local, question: &HostKeyQuestion) {
    local
        .dialer
        .known_hosts()
        .accept(
            &question.host,
            question.port,
            &question.key_type,
            &question.public_key,
            &question.fingerprint_sha256,
        )
        .unwrap();
}

#[tokio::test]
async fn an_unknown_host_key_is_a_question_and_accepting_it_is_the_answer() {
    let sshd = Sshd::start();
    let local = Local::new();
    let (dialed, phases) = local
        .dial_telling(&sshd.target(), &sshd.credentials())
        .await;
    assert_eq!(dialed.err().unwrap().phase(), Some(Phase::HostKey));
    assert_eq!(phases.last(), Some(&Phase::HostKey));
    let question = question(&local, &sshd).await;
    assert_eq!(question.reason, HostKeyReason::Unknown);
    assert_eq!(question.host, "127.0.0.1");
    assert_eq!(question.port, sshd.port());
    assert_eq!(question.key_type, "ssh-ed25519");
    let shown = crate::support::sshd::output(
        program("ssh-keygen")
            .arg("-lf")
            .arg(with_suffix(&sshd.host_key("ed25519"), ".pub")),
    );
    assert!(shown.contains(&question.fingerprint_sha256), "{shown}");
    accept(&local, &question);
    let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
    assert!(connection.is_ok(), "{:?}", connection.err());
}

#[tokio::test]
async fn a_key_in_the_users_own_known_hosts_needs_no_question() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
    assert!(connection.is_ok(), "{:?}", connection.err());
    assert!(!local.home().join("state/known_hosts").exists());
}

#[tokio::test]
async fn a_changed_host_key_is_a_question_that_names_both_keys() {
    let mut sshd = Sshd::start();
    let local = Local::new();
    let first = question(&local, &sshd).await;
    accept(&local, &first);
    sshd.change_host_key("ed25519");
    let second = question(&local, &sshd).await;
    assert_eq!(second.reason, HostKeyReason::Changed);
    assert_eq!(
        second.expected_fingerprint_sha256.as_ref(),
        Some(&first.fingerprint_sha256)
    );
    assert_ne!(second.fingerprint_sha256, first.fingerprint_sha256);
    accept(&local, &second);
    assert!(
        local
            .dial(&sshd.target(), &sshd.credentials())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_revoked_host_key_is_no_question() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    local.know(&format!("@revoked {}", sshd.known_hosts()));
    let refused = local.dial(&sshd.target(), &sshd.credentials()).await;
    let Err(RemoteError::HostKeyRevoked { file, .. }) = refused else {
        panic!("{:?}", refused.err());
    };
    assert_eq!(file, local.ssh_dir().join("known_hosts"));
}

#[tokio::test]
async fn the_server_is_asked_for_the_kind_of_key_that_is_known() {
    let sshd = Sshd::with(&SshdOptions {
        host_keys: vec!["ed25519", "ecdsa", "rsa"],
        ..SshdOptions::default()
    });
    for kind in ["ssh-rsa", "ecdsa-sha2-nistp256"] {
        let local = Local::new();
        let all = sshd.known_hosts();
        local.know(all.lines().find(|line| line.contains(kind)).unwrap());
        let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
        assert!(connection.is_ok(), "{kind}: {:?}", connection.err());
    }
}

#[tokio::test]
async fn a_host_certificate_of_a_known_authority_needs_no_question() {
    let authority = tempfile::tempdir().unwrap();
    let ca = authority.path().join("ca");
    crate::support::sshd::make_key(&ca, "ed25519", "");
    let mut sshd = Sshd::start();
    let public = with_suffix(&sshd.host_key("ed25519"), ".pub");
    run(program("ssh-keygen")
        .args(["-q", "-h", "-s"])
        .arg(&ca)
        .args(["-I", "host", "-n", "127.0.0.1"])
        .arg(&public));
    let config = sshd.folder().join("sshd_config");
    let certificate = with_suffix(&sshd.host_key("ed25519"), "-cert.pub");
    let lines = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        format!("HostCertificate {}\n{lines}", certificate.display()),
    )
    .unwrap();
    sshd.restart();
    let local = Local::new();
    let ca_public = std::fs::read_to_string(with_suffix(&ca, ".pub")).unwrap();
    local.know(&format!(
        "@cert-authority [127.0.0.1]:{} {ca_public}",
        sshd.port()
    ));
    let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
    assert!(connection.is_ok(), "{:?}", connection.err());
}
