//! Every way to log in with something that was given or lies in the SSH folder, against OpenSSH.

use std::fs;
use std::path::Path;

use runicorn_remote::connection::RunLimits;
use runicorn_remote::{Connection, Credentials, Phase, RemoteError, Secret};

use crate::support::local::Local;
use crate::support::sshd::{
    PASSWORD, Sshd, SshdOptions, is_root_or_skip, program, run, with_suffix,
};

pub(crate) async fn says(connection: &Connection, command: &str) -> String {
    let limits = RunLimits::of("a test");
    let output = connection.run(command, b"", &limits).await.unwrap();
    assert!(output.is_success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn passphrase(path: &Path, text: &str) -> Credentials {
    Credentials {
        private_key_path: Some(path.to_owned()),
        passphrase: Some(Secret::new(text)),
        ..Credentials::default()
    }
}

fn key_file(path: &Path) -> Credentials {
    Credentials {
        private_key_path: Some(path.to_owned()),
        ..Credentials::default()
    }
}

#[tokio::test]
async fn a_key_file_logs_in_and_every_stage_is_told() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let (connection, phases) = local
        .dial_telling(&sshd.target(), &sshd.credentials())
        .await;
    let text = says(&connection.unwrap(), "echo $HOME; id -un").await;
    let expected = format!("{}\n{}\n", sshd.home().display(), sshd.username());
    assert_eq!(text, expected);
    let mut told = Vec::new();
    for phase in phases {
        if told.last() != Some(&phase) {
            told.push(phase);
        }
    }
    let stages = [
        Phase::Resolving,
        Phase::Connecting,
        Phase::KeyExchange,
        Phase::HostKey,
        Phase::Authenticating,
    ];
    assert_eq!(told, stages);
}

#[tokio::test]
async fn keys_of_every_kind_log_in_from_a_file_and_as_text() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    for (name, arguments) in [
        ("ecdsa256", &["-t", "ecdsa", "-b", "256"][..]),
        ("ecdsa384", &["-t", "ecdsa", "-b", "384"]),
        ("ecdsa521", &["-t", "ecdsa", "-b", "521"]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("rsa_pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
        ("rsa_pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8"]),
    ] {
        let path = sshd.folder().join(name);
        run(program("ssh-keygen")
            .args(["-q", "-N", "", "-f"])
            .arg(&path)
            .args(arguments));
        sshd.authorize(&path);
        let by_file = local.dial(&sshd.target(), &key_file(&path)).await;
        assert!(by_file.is_ok(), "{name}: {:?}", by_file.err());
        let text = fs::read_to_string(&path).unwrap().replace('\n', "\r\n  ");
        let as_text = Credentials {
            private_key: Some(Secret::new(text)),
            ..Credentials::default()
        };
        let by_text = local.dial(&sshd.target(), &as_text).await;
        assert!(by_text.is_ok(), "{name}: {:?}", by_text.err());
    }
}

#[tokio::test]
async fn keys_of_the_ssh_folder_are_tried_when_nothing_is_given() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let nothing = Credentials::default();
    let none = local.dial(&sshd.target(), &nothing).await.err().unwrap();
    assert_eq!(none.code(), "AUTHENTICATION_FAILED", "{none}");
    local.take_key(&sshd.key(), "id_ed25519");
    let connection = local.dial(&sshd.target(), &nothing).await.unwrap();
    assert_eq!(says(&connection, "echo yes").await, "yes\n");
}

#[tokio::test]
async fn identity_files_of_the_configuration_are_tried() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    local.take_key(&sshd.key(), "for_this_host");
    local.configure("Host 127.0.0.1\n  IdentityFile ~/.ssh/for_this_host\n");
    assert!(
        local
            .dial(&sshd.target(), &Credentials::default())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_given_key_that_is_refused_is_not_replaced_by_another_behind_the_back() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    local.take_key(&sshd.key(), "id_ed25519");
    let stranger = sshd.make_key("stranger", "ed25519", "");
    let refused = local.dial(&sshd.target(), &key_file(&stranger)).await;
    let Err(RemoteError::Authentication { tried, offered, .. }) = refused else {
        panic!("{refused:?}", refused = refused.err());
    };
    assert_eq!(tried, [format!("key {}", stranger.display())]);
    assert!(offered.contains(&"publickey".to_owned()), "{offered:?}");
}

#[tokio::test]
async fn a_password_logs_in_and_a_wrong_one_is_refused_without_showing_it() {
    if !is_root_or_skip("password logins") {
        return;
    }
    let sshd = Sshd::with(&SshdOptions {
        has_password: true,
        ..SshdOptions::default()
    });
    let local = Local::knowing(&[&sshd]);
    let connection = local.dial(&sshd.target(), &sshd.password()).await.unwrap();
    assert_eq!(says(&connection, "id -un").await.trim(), sshd.username());
    let wrong = Credentials {
        password: Some(Secret::new("hush7q-hunter2-wrong")),
        ..Credentials::default()
    };
    let refused = local.dial(&sshd.target(), &wrong).await.err().unwrap();
    assert_eq!(refused.code(), "AUTHENTICATION_FAILED");
    assert_eq!(refused.phase(), Some(Phase::Authenticating));
    let shown = format!("{refused} {refused:?}");
    assert!(!shown.contains("hush7q-hunter2"), "{shown}");
    assert!(shown.contains("password"), "{shown}");
}

#[tokio::test]
async fn a_locked_key_asks_for_its_passphrase_and_says_when_it_is_wrong() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let formats = [
        ("openssh", &["-t", "ed25519"][..]),
        ("pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8"]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
    ];
    for (name, arguments) in formats {
        let path = sshd.folder().join(format!("locked_{name}"));
        run(program("ssh-keygen")
            .args(["-q", "-N", "hush7q open sesame", "-f"])
            .arg(&path)
            .args(arguments));
        sshd.authorize(&path);
        let target = sshd.target();
        let locked = local.dial(&target, &key_file(&path)).await.err().unwrap();
        assert_eq!(locked.code(), "PASSPHRASE_REQUIRED", "{name}: {locked}");
        let wrong = passphrase(&path, "hush7q open barley");
        let wrong = local.dial(&target, &wrong).await.err().unwrap();
        assert_eq!(wrong.code(), "PASSPHRASE_WRONG", "{name}: {wrong}");
        assert!(!format!("{wrong} {wrong:?}").contains("barley"));
        let right = local
            .dial(&target, &passphrase(&path, "hush7q open sesame"))
            .await;
        assert!(right.is_ok(), "{name}: {:?}", right.err());
    }
}

#[tokio::test]
async fn no_passphrase_is_asked_for_a_key_that_the_server_would_refuse() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let stranger = sshd.make_key("stranger", "ed25519", "hush7q open sesame");
    for credentials in [key_file(&stranger), passphrase(&stranger, "wrong")] {
        let refused = local.dial(&sshd.target(), &credentials).await;
        let refused = refused.err().unwrap();
        assert_eq!(refused.code(), "AUTHENTICATION_FAILED", "{refused}");
    }
}

#[tokio::test]
async fn a_locked_default_key_does_not_keep_a_later_one_from_being_tried() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let locked = sshd.make_key("locked", "ecdsa", "hush7q open sesame");
    sshd.authorize(&locked);
    local.take_key(&locked, "id_ecdsa");
    let nothing = Credentials::default();
    let needs = local.dial(&sshd.target(), &nothing).await.err().unwrap();
    assert_eq!(needs.code(), "PASSPHRASE_REQUIRED", "{needs}");
    local.take_key(&sshd.key(), "id_ed25519");
    assert!(local.dial(&sshd.target(), &nothing).await.is_ok());
}

#[tokio::test]
async fn what_is_no_key_is_said_so() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let nonsense = local.home().join("nonsense");
    fs::write(&nonsense, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n").unwrap();
    let text = Credentials {
        private_key: Some(Secret::new("hush7q-hunter2 is no key")),
        ..Credentials::default()
    };
    let missing = local.home().join("missing");
    for credentials in [key_file(&nonsense), key_file(&missing), text] {
        let error = local.dial(&sshd.target(), &credentials).await.err();
        let error = error.unwrap();
        assert_eq!(error.code(), "KEY_UNUSABLE", "{error}");
        assert!(!format!("{error} {error:?}").contains("hush7q-hunter2"));
    }
}

#[tokio::test]
async fn a_certificate_beside_a_key_logs_in_where_the_key_alone_does_not() {
    let authority = tempfile::tempdir().unwrap();
    let ca = authority.path().join("ca");
    crate::support::sshd::make_key(&ca, "ed25519", "");
    let ca_public = with_suffix(&ca, ".pub");
    let trusted = format!("TrustedUserCAKeys {}", ca_public.display());
    let sshd = Sshd::with(&SshdOptions::default().line(trusted));
    let local = Local::knowing(&[&sshd]);
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let key = sshd.make_key(&format!("certified_{kind}"), kind, "");
        let target = sshd.target();
        let alone = local.dial(&target, &key_file(&key)).await.err().unwrap();
        assert_eq!(alone.code(), "AUTHENTICATION_FAILED", "{kind}: {alone}");
        run(program("ssh-keygen")
            .args(["-q", "-s"])
            .arg(&ca)
            .args(["-I", "test", "-n", sshd.username()])
            .arg(with_suffix(&key, ".pub")));
        let certified = local.dial(&target, &key_file(&key)).await;
        assert!(certified.is_ok(), "{kind}: {:?}", certified.err());
        // The same as the user's own configuration names it.
        local.take_key(&key, &format!("id_{kind}"));
        let configured = local.dial(&target, &Credentials::default()).await;
        assert!(configured.is_ok(), "{kind}: {:?}", configured.err());
    }
}

#[tokio::test]
async fn a_key_and_then_a_password_are_one_login() {
    if !is_root_or_skip("password logins") {
        return;
    }
    let options = SshdOptions {
        has_password: true,
        ..SshdOptions::default()
    };
    let sshd = Sshd::with(&options.line("AuthenticationMethods publickey,password"));
    let local = Local::knowing(&[&sshd]);
    let both = Credentials {
        password: Some(Secret::new(PASSWORD)),
        ..sshd.credentials()
    };
    assert!(local.dial(&sshd.target(), &both).await.is_ok());
    local.take_key(&sshd.key(), "id_ed25519");
    let by_default_key = sshd.password();
    assert!(local.dial(&sshd.target(), &by_default_key).await.is_ok());
    let only_key = local.dial(&sshd.target(), &sshd.credentials()).await;
    let Err(RemoteError::Authentication { offered, .. }) = only_key else {
        panic!("{:?}", only_key.err());
    };
    assert_eq!(offered, ["password"]);
}

#[tokio::test]
async fn questions_of_pam_are_answered_with_the_password_or_by_a_person() {
    if !is_root_or_skip("PAM") {
        return;
    }
    let options = SshdOptions {
        has_password: true,
        ..SshdOptions::default()
    };
    let options = options
        .line("UsePAM yes")
        .line("PasswordAuthentication no")
        .line("KbdInteractiveAuthentication yes");
    let sshd = Sshd::with(&options);
    let local = Local::knowing(&[&sshd]);
    let target = sshd.target();
    assert!(local.dial(&target, &sshd.password()).await.is_ok());
    let asked = local.dial(&target, &Credentials::default()).await;
    let Err(RemoteError::Prompt(question)) = asked else {
        panic!("{:?}", asked.err());
    };
    assert_eq!(question.host, "127.0.0.1");
    assert_eq!(question.prompts.len(), 1);
    assert!(!question.prompts[0].echo);
    assert!(question.prompts[0].text.contains("assword"));
    let answers = vec![Secret::new(PASSWORD)];
    let answered = local.dialer.answer(&question.prompt_id, answers).await;
    assert_eq!(
        says(&answered.unwrap(), "id -un").await.trim(),
        sshd.username()
    );
    let wrong = Credentials {
        password: Some(Secret::new("wrong")),
        ..Credentials::default()
    };
    let refused = local.dial(&target, &wrong).await.err().unwrap();
    assert_eq!(refused.code(), "AUTHENTICATION_FAILED", "{refused}");
}

#[tokio::test]
async fn preferred_authentications_leave_methods_out() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    local.take_key(&sshd.key(), "id_ed25519");
    local.configure("Host 127.0.0.1\n  PreferredAuthentications password\n");
    let refused = local.dial(&sshd.target(), &Credentials::default()).await;
    let Err(RemoteError::Authentication { tried, .. }) = refused else {
        panic!("{:?}", refused.err());
    };
    assert!(tried.is_empty(), "{tried:?}");
}

#[tokio::test]
async fn a_target_that_has_refused_five_logins_is_left_alone() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let stranger = key_file(&sshd.make_key("stranger", "ed25519", ""));
    for _ in 0..5 {
        let refused = local.dial(&sshd.target(), &stranger).await.err().unwrap();
        assert_eq!(refused.code(), "AUTHENTICATION_FAILED", "{refused}");
    }
    let before = sshd.log().count("Connection from");
    let limited = local.dial(&sshd.target(), &sshd.credentials()).await;
    let Err(RemoteError::TooManyAttempts {
        retry_after_secs, ..
    }) = limited
    else {
        panic!("{:?}", limited.err());
    };
    assert!((1..=60).contains(&retry_after_secs));
    assert_eq!(sshd.log().count("Connection from"), before);
}
