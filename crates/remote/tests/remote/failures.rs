//! Servers that are not there, do not speak, or speak with ill will: each has its own error, in bounded time.

use std::net::SocketAddr;
use std::time::Duration;

use runicorn_remote::{Credentials, Phase, RemoteError, Target};
use russh::ChannelOpenFailure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::logins::says;
use crate::support::local::Local;
use crate::support::russh_server::{Behaviour, RusshServer};
use crate::support::sshd::{Sshd, SshdOptions};

fn at(port: u16) -> Target {
    Target::new("somebody", "127.0.0.1", port).unwrap()
}

async fn error_of(local: &Local, target: &Target) -> RemoteError {
    let dialed = local.dial(target, &Credentials::default()).await;
    dialed.err().expect("it connected")
}

/// A server that treats every connection in the same way.
async fn server<F>(behave: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    port
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_refused() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let error = error_of(&Local::new(), &at(port)).await;
    assert_eq!(error.code(), "CONNECTION_REFUSED");
    assert_eq!(
        error.to_string(),
        format!("connect to 127.0.0.1 port {port}: Connection refused")
    );
}

#[tokio::test]
async fn a_name_without_an_address_is_not_found() {
    let target = Target::new("somebody", "no-such-host.invalid", 22).unwrap();
    let error = error_of(&Local::new(), &target).await;
    assert_eq!(error.code(), "HOST_NOT_FOUND", "{error}");
    assert_eq!(error.phase(), Some(Phase::Resolving));
}

#[tokio::test]
async fn hostile_names_of_the_configuration_never_reach_a_resolver() {
    let local = Local::new();
    local.configure("Host evil\n  HostName -oProxyCommand=id\n");
    let error = error_of(&local, &Target::new("somebody", "evil", 22).unwrap()).await;
    assert_eq!(error.code(), "INVALID_CONNECTION_ID", "{error}");
}

#[tokio::test]
async fn a_server_that_never_speaks_is_given_up_within_the_limit() {
    let port = server(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let local = Local::new();
    local.configure("Host *\n  ConnectTimeout 1\n");
    let error = error_of(&local, &at(port)).await;
    let RemoteError::Timeout { phase, limit, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((phase, limit), (Phase::KeyExchange, Duration::from_secs(1)));
}

#[tokio::test]
async fn giving_up_closes_the_connection() {
    let (sender, mut closed) = tokio::sync::mpsc::unbounded_channel();
    let port = server(move |mut stream| {
        let sender = sender.clone();
        async move {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap_or_default();
            sender.send(()).unwrap();
        }
    })
    .await;
    let local = Local::new();
    local.configure("Host *\n  ConnectTimeout 1\n");
    error_of(&local, &at(port)).await;
    closed.recv().await.unwrap();
}

#[tokio::test]
async fn what_is_no_ssh_server_is_said_so() {
    let long = "x".repeat(100_000);
    for garbage in ["HTTP/1.1 400 Bad Request\r\n\r\n", &long, "SSH-1.5-old\r\n"] {
        let garbage = garbage.to_owned();
        let port = server(move |mut stream| {
            let garbage = garbage.clone();
            async move {
                stream
                    .write_all(garbage.as_bytes())
                    .await
                    .unwrap_or_default();
            }
        })
        .await;
        let error = error_of(&Local::new(), &at(port)).await;
        assert_eq!(error.code(), "KEY_EXCHANGE_FAILED", "{error}");
    }
}

#[tokio::test]
async fn endless_greetings_are_not_listened_to() {
    let port =
        server(|mut stream| async move { while stream.write_all(b"welcome\r\n").await.is_ok() {} })
            .await;
    let error = error_of(&Local::new(), &at(port)).await;
    assert_eq!(error.code(), "KEY_EXCHANGE_FAILED", "{error}");
}

#[tokio::test]
async fn a_server_that_closes_amid_the_key_exchange_or_sends_nonsense_fails_there() {
    let nonsense: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
    for after in [Vec::new(), nonsense, vec![0xff; 64], vec![0; 64]] {
        let port = server(move |mut stream| {
            let after = after.clone();
            async move {
                let mut hello = b"SSH-2.0-Hostile\r\n".to_vec();
                hello.extend(&after);
                stream.write_all(&hello).await.unwrap_or_default();
                let mut read = [0; 512];
                stream.read(&mut read).await.unwrap_or_default();
            }
        })
        .await;
        let error = error_of(&Local::new(), &at(port)).await;
        assert_eq!(error.code(), "KEY_EXCHANGE_FAILED", "{error}");
        assert_eq!(error.phase(), Some(Phase::KeyExchange));
    }
}

#[tokio::test]
async fn last_words_of_a_server_are_shown_without_escape_codes() {
    // SSH_MSG_DISCONNECT in a packet that is not encrypted.
    let message = b"\x1b[2Jgo away";
    let mut payload = vec![1, 0, 0, 0, 2];
    payload.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    payload.extend(message);
    payload.extend([0; 4]);
    let padding = 8 - (payload.len() + 5) % 8 + 8;
    let mut packet = Vec::new();
    packet.extend(
        u32::try_from(payload.len() + 1 + padding)
            .unwrap()
            .to_be_bytes(),
    );
    packet.push(u8::try_from(padding).unwrap());
    packet.extend(payload);
    packet.extend(vec![0; padding]);
    let port = server(move |mut stream| {
        let packet = packet.clone();
        async move {
            stream.write_all(b"SSH-2.0-Rude\r\n").await.unwrap();
            stream.write_all(&packet).await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap_or_default();
        }
    })
    .await;
    let error = error_of(&Local::new(), &at(port)).await.to_string();
    assert!(!error.contains('\u{1b}'), "{error}");
}

#[tokio::test]
async fn banners_and_greetings_do_not_disturb_a_login() {
    let greetings = tempfile::tempdir().unwrap();
    let banner = greetings.path().join("banner");
    std::fs::write(&banner, "\u{1b}[31mWELCOME\n".repeat(1000)).unwrap();
    let options = SshdOptions::default()
        .line(format!("Banner {}", banner.display()))
        .line("VersionAddendum welcome to this machine");
    let sshd = Sshd::with(&options);
    let local = Local::knowing(&[&sshd]);
    let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
    assert_eq!(says(&connection.unwrap(), "echo yes").await, "yes\n");
}

#[tokio::test]
async fn a_huge_login_banner_ends_the_login() {
    let far = RusshServer::start(Behaviour {
        banner: Some("x".repeat(200_000)),
        ..Behaviour::default()
    })
    .await;
    let local = Local::new();
    local.know(&far.known_hosts());
    // Nothing is offered to log in with; the point is that it ends.
    let error = error_of(&local, &at(far.port())).await;
    assert!(
        ["AUTHENTICATION_FAILED", "LINK_LOST"].contains(&error.code()),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_can_open_nothing_on_this_side() {
    let far = RusshServer::start(Behaviour {
        password: Some("hush7q secret".to_owned()),
        ..Behaviour::default()
    })
    .await;
    let local = Local::new();
    local.know(&far.known_hosts());
    let credentials = Credentials {
        password: Some(runicorn_remote::Secret::new("hush7q secret")),
        ..Credentials::default()
    };
    let connection = local.dial(&at(far.port()), &credentials).await.unwrap();
    let handle = far.logged_in().await;
    let refusals = [
        handle.channel_open_agent().await.err(),
        handle.channel_open_x11("127.0.0.1", 1).await.err(),
        handle
            .channel_open_forwarded_tcpip("127.0.0.1", 22, "127.0.0.1", 1)
            .await
            .err(),
        handle
            .channel_open_forwarded_streamlocal("/tmp/socket")
            .await
            .err(),
        handle
            .channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1)
            .await
            .err(),
        handle.channel_open_session().await.err(),
    ];
    for refusal in refusals {
        assert!(
            matches!(
                refusal,
                Some(russh::Error::ChannelOpenFailure(
                    ChannelOpenFailure::AdministrativelyProhibited
                ))
            ),
            "{refusal:?}"
        );
    }
    assert!(connection.is_live());
}

#[tokio::test]
async fn a_server_that_forbids_forwarding_is_named_so_and_files_still_work() {
    let options = SshdOptions::default()
        .line("DisableForwarding yes")
        .line("ForceCommand internal-sftp");
    let sshd = Sshd::with(&options);
    let local = Local::knowing(&[&sshd]);
    let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
    let connection = connection.unwrap();
    let refused = connection.open_tcp("127.0.0.1", sshd.port()).await;
    assert_eq!(refused.err().unwrap().code(), "REFUSED_BY_SERVER");
    // OpenSSH does not tell this from a socket where nobody listens, and the sentence says both.
    let refused = connection.open_socket("/tmp/nobody").await.err().unwrap();
    assert!(
        refused
            .to_string()
            .contains("or the server does not forward")
    );
    std::fs::write(sshd.home().join("file"), "x").unwrap();
    let files = connection.sftp().await.unwrap();
    let home = sshd.home().display().to_string();
    let names: Vec<String> = files
        .read_dir(home)
        .await
        .unwrap()
        .map(|entry| entry.file_name())
        .collect();
    assert!(names.contains(&"file".to_owned()), "{names:?}");
}

#[tokio::test]
async fn nobody_listening_behind_the_server_is_told_from_forbidden() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let connection = local.dial(&sshd.target(), &sshd.credentials()).await;
    let connection = connection.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = free.local_addr().unwrap();
    drop(free);
    for refused in [
        connection.open_tcp("127.0.0.1", address.port()).await.err(),
        connection.open_socket("/tmp/nobody-listens").await.err(),
    ] {
        assert_eq!(refused.unwrap().code(), "PATH_FAILED");
    }
}
