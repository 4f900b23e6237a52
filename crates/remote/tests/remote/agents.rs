//! Logging in with keys that a real `ssh-agent` holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use runicorn_remote::{Credentials, RemoteError};
use tempfile::TempDir;

use crate::support::local::Local;
use crate::support::sshd::{Sshd, SshdOptions, program, run, with_suffix};

/// A running agent.
struct Agent {
    folder: TempDir,
    process: Child,
}

impl Agent {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("rc-ag").tempdir().unwrap();
        let mut process = program("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(folder.path().join("socket"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It writes where it listens once it does.
        let mut said = std::io::BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut said, &mut line).unwrap();
        assert!(line.contains("socket"), "{line}");
        Self { folder, process }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    fn add(&self, key: &Path) {
        run(program("ssh-add")
            .env("SSH_AUTH_SOCK", self.socket())
            .arg(key));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn by_agent() -> Credentials {
    Credentials {
        use_agent: true,
        ..Credentials::default()
    }
}

fn local_with(agent: &Agent, sshd: &Sshd) -> Local {
    let local = Local::with_agent(Some(agent.socket()));
    local.know(&sshd.known_hosts());
    local
}

#[tokio::test]
async fn keys_of_the_agent_log_in_unless_it_is_not_wanted() {
    let sshd = Sshd::start();
    let agent = Agent::start();
    let local = local_with(&agent, &sshd);
    for kind in ["ed25519", "rsa"] {
        let key = sshd.make_key(&format!("held_{kind}"), kind, "");
        sshd.authorize(&key);
        agent.add(&key);
        fs::remove_file(&key).unwrap();
        let connection = local.dial(&sshd.target(), &by_agent()).await;
        assert!(connection.is_ok(), "{kind}: {:?}", connection.err());
    }
    let without = local.dial(&sshd.target(), &Credentials::default()).await;
    assert_eq!(without.err().unwrap().code(), "AUTHENTICATION_FAILED");
}

#[tokio::test]
async fn a_certificate_logs_in_whether_the_agent_or_a_file_holds_it() {
    let authority = tempfile::tempdir().unwrap();
    let ca = authority.path().join("ca");
    crate::support::sshd::make_key(&ca, "ed25519", "");
    let trusted = format!("TrustedUserCAKeys {}", with_suffix(&ca, ".pub").display());
    let sshd = Sshd::with(&SshdOptions::default().line(trusted));
    let key = sshd.make_key("certified", "rsa", "");
    let only_key = sshd.make_key("only_key", "ed25519", "");
    for key in [&key, &only_key] {
        run(program("ssh-keygen")
            .args(["-q", "-s"])
            .arg(&ca)
            .args(["-I", "test", "-n", sshd.username()])
            .arg(with_suffix(key, ".pub")));
    }
    // The agent takes the certificate along with the key.
    let agent = Agent::start();
    agent.add(&key);
    let local = local_with(&agent, &sshd);
    let held = local.dial(&sshd.target(), &by_agent()).await;
    assert!(held.is_ok(), "{:?}", held.err());
    // The agent holds the key alone, the certificate is a file.
    let agent = Agent::start();
    let certificate = with_suffix(&only_key, "-cert.pub");
    let aside = sshd.folder().join("aside");
    fs::rename(&certificate, &aside).unwrap();
    agent.add(&only_key);
    fs::rename(&aside, &certificate).unwrap();
    let local = local_with(&agent, &sshd);
    local.take_key(&only_key, "id_ed25519");
    fs::remove_file(local.ssh_dir().join("id_ed25519")).unwrap();
    let beside = local.dial(&sshd.target(), &by_agent()).await;
    assert!(beside.is_ok(), "{:?}", beside.err());
}

#[tokio::test]
async fn the_configuration_chooses_among_the_keys_of_the_agent() {
    let sshd = Sshd::start();
    let agent = Agent::start();
    agent.add(&sshd.key());
    let local = local_with(&agent, &sshd);
    let stranger = sshd.make_key("stranger", "ed25519", "");
    local.take_key(&stranger, "id_ed25519");
    local.configure(
        "Host only\n  HostName 127.0.0.1\n  IdentitiesOnly yes\n  IdentityFile ~/.ssh/id_ed25519\n\
         Host named\n  HostName 127.0.0.1\n  IdentitiesOnly yes\n  IdentityFile ~/.ssh/held.pub\n\
         Host none\n  HostName 127.0.0.1\n  IdentityAgent none\n",
    );
    fs::copy(
        with_suffix(&sshd.key(), ".pub"),
        local.ssh_dir().join("held.pub"),
    )
    .unwrap();
    let dial = async |alias: &str| {
        let target = sshd.target();
        let target = runicorn_remote::Target::new(&target.username, alias, target.port).unwrap();
        local.dial(&target, &by_agent()).await
    };
    assert!(dial("named").await.is_ok());
    for alias in ["only", "none"] {
        let refused = dial(alias).await;
        assert_eq!(refused.err().unwrap().code(), "AUTHENTICATION_FAILED");
    }
}

#[tokio::test]
async fn many_keys_of_the_agent_do_not_use_up_the_tries_of_the_server() {
    for tries in [6, 2] {
        let sshd = Sshd::with(&SshdOptions::default().line(format!("MaxAuthTries {tries}")));
        let agent = Agent::start();
        for number in 0..5 {
            agent.add(&sshd.make_key(&format!("other_{number}"), "ed25519", ""));
        }
        agent.add(&sshd.key());
        let local = local_with(&agent, &sshd);
        let connection = local.dial(&sshd.target(), &by_agent()).await;
        assert!(connection.is_ok(), "{tries}: {:?}", connection.err());
    }
}

#[tokio::test]
async fn an_agent_that_is_not_there_or_says_nothing_is_no_obstacle() {
    let sshd = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let silent = folder.path().join("silent");
    let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
    for socket in [folder.path().join("nobody"), silent] {
        let local = Local::with_agent(Some(socket));
        local.know(&sshd.known_hosts());
        local.take_key(&sshd.key(), "id_ed25519");
        let connection = local.dial(&sshd.target(), &by_agent()).await;
        assert!(connection.is_ok(), "{:?}", connection.err());
    }
}

#[tokio::test]
async fn what_was_tried_names_the_keys_without_control_characters() {
    let sshd = Sshd::start();
    let agent = Agent::start();
    let key = sshd.folder().join("coloured");
    run(program("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "\u{1b}[31mred", "-f"])
        .arg(&key));
    agent.add(&key);
    let local = local_with(&agent, &sshd);
    let refused = local.dial(&sshd.target(), &by_agent()).await;
    let Err(RemoteError::Authentication { tried, .. }) = refused else {
        panic!("{:?}", refused.err());
    };
    assert_eq!(tried.len(), 1);
    assert!(tried[0].contains("red"), "{tried:?}");
    assert!(!tried[0].contains('\u{1b}'), "{tried:?}");
}
