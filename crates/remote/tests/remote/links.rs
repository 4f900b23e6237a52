//! A connection in use: its health, its end, its streams, its commands.

use std::time::Duration;

use runicorn_remote::connection::{ByteStream, RunLimits};
use runicorn_remote::{Connection, Target};
use russh::ChannelMsg;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::logins::says;
use crate::support::local::Local;
use crate::support::relay::Relay;
use crate::support::sshd::{Sshd, SshdOptions};

/// A server, a relay before it, and a connection through both.
struct Link {
    sshd: Sshd,
    relay: Relay,
    connection: Connection,
    _local: Local,
}

async fn link() -> Link {
    link_to(Sshd::start()).await
}

async fn link_to(sshd: Sshd) -> Link {
    let relay = Relay::to_port(sshd.port()).await;
    let local = Local::new();
    local.know(&sshd.known_hosts_at(relay.port()));
    let target = Target::new(sshd.username(), "127.0.0.1", relay.port()).unwrap();
    let connection = local.dial(&target, &sshd.credentials()).await.unwrap();
    Link {
        sshd,
        relay,
        connection,
        _local: local,
    }
}

/// Something to connect to behind the server.
async fn behind<F>(behave: impl Fn(TcpStream) -> F + Send + 'static) -> u16
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

async fn echo(stream: TcpStream) {
    let (mut from, mut to) = stream.into_split();
    tokio::io::copy(&mut from, &mut to)
        .await
        .unwrap_or_default();
    to.shutdown().await.unwrap_or_default();
}

async fn endless(mut stream: TcpStream) {
    let block = vec![7; 64 * 1024];
    while stream.write_all(&block).await.is_ok() {}
}

async fn to(connection: &Connection, port: u16) -> ByteStream {
    connection.open_tcp("127.0.0.1", port).await.unwrap()
}

#[tokio::test]
async fn a_ping_measures_the_round_trip() {
    let link = link().await;
    link.connection.ping().await.unwrap();
    link.relay.delay(Duration::from_millis(200));
    let slow = link.connection.ping().await.unwrap();
    assert!(slow >= Duration::from_millis(400), "{slow:?}");
}

#[tokio::test]
async fn a_half_open_link_does_not_answer_a_ping_and_goes_on_when_healed() {
    let link = link().await;
    link.relay.stall();
    let ping = link.connection.ping();
    tokio::pin!(ping);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut ping).await;
    assert!(early.is_err(), "{early:?}");
    link.relay.heal();
    ping.await.unwrap();
    assert!(link.connection.is_live());
}

#[tokio::test]
async fn a_link_that_is_cut_on_the_way_ends_everything_with_an_error() {
    let link = link().await;
    let port = behind(endless).await;
    let mut stream = to(&link.connection, port).await;
    let mut some = [0; 1024];
    stream.read_exact(&mut some).await.unwrap();
    let limits = RunLimits::of("a test");
    let command = link.connection.run("sleep 1000", b"", &limits);
    let both = async { tokio::join!(command, link.connection.ping()) };
    link.relay.cut();
    let (command, ping) = both.await;
    assert_eq!(command.unwrap_err().code(), "LINK_LOST");
    assert_eq!(ping.unwrap_err().code(), "LINK_LOST");
    let mut rest = Vec::new();
    assert!(stream.read_to_end(&mut rest).await.is_err());
    link.connection.ended().await;
    assert!(!link.connection.is_live());
    let after = link.connection.open_tcp("127.0.0.1", port).await;
    assert_eq!(after.err().unwrap().code(), "LINK_LOST");
}

#[tokio::test]
async fn cutting_a_dead_link_closes_it_even_though_nothing_goes_through() {
    let link = link().await;
    let port = behind(endless).await;
    let _unread = to(&link.connection, port).await;
    link.relay.stall();
    link.connection.cut();
    link.connection.ended().await;
    let refused = link.connection.ping().await;
    assert_eq!(refused.unwrap_err().code(), "LINK_LOST");
    // The other side learns of it as soon as the line works again.
    link.relay.heal();
    link.sshd
        .log()
        .heard(&["closed by", "Broken pipe", "reset by"])
        .await;
}

#[tokio::test]
async fn a_session_that_is_killed_on_the_server_is_a_lost_link() {
    let link = link().await;
    assert!(!link.sshd.session_processes().is_empty());
    let ended = link.connection.ended();
    tokio::pin!(ended);
    link.sshd.end_sessions();
    // A session that was on the way from one process to its next is found at another look.
    while tokio::time::timeout(Duration::from_secs(2), &mut ended)
        .await
        .is_err()
    {
        link.sshd.end_sessions();
    }
    let refused = link.connection.ping().await;
    assert_eq!(refused.unwrap_err().code(), "LINK_LOST");
}

#[tokio::test]
async fn closing_says_goodbye() {
    let link = link().await;
    link.connection.close().await;
    assert!(!link.connection.is_live());
    link.sshd.log().heard(&["Received disconnect"]).await;
}

#[tokio::test]
async fn the_last_clone_takes_the_connection_with_it() {
    let link = link().await;
    let clone = link.connection.clone();
    drop(link.connection);
    assert_eq!(says(&clone, "echo yes").await, "yes\n");
    drop(clone);
    link.sshd.log().heard(&["closed by"]).await;
}

#[tokio::test]
async fn a_stream_can_be_closed_one_way_and_read_on() {
    let link = link().await;
    let port = behind(|mut stream| async move {
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        stream
            .write_all(format!("{} bytes", all.len()).as_bytes())
            .await
            .unwrap();
    })
    .await;
    let mut stream = to(&link.connection, port).await;
    stream.write_all(&vec![1; 3_000_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "3000000 bytes");
}

#[tokio::test]
async fn many_streams_at_once_carry_the_right_bytes_to_sockets_and_ports() {
    let link = link().await;
    let port = behind(echo).await;
    let path = link.sshd.home().join("socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(&path, mode).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                tokio::io::copy(&mut from, &mut to).await.unwrap();
            });
        }
    });
    let talks = (0..40_u8).map(|number| {
        let connection = link.connection.clone();
        let path = path.display().to_string();
        async move {
            let stream = if number % 2 == 0 {
                connection.open_tcp("127.0.0.1", port).await
            } else {
                connection.open_socket(&path).await
            };
            let (mut from, mut to) = tokio::io::split(stream.unwrap());
            let sent = vec![number; 100_000 + usize::from(number)];
            let expected = sent.clone();
            let send = async {
                to.write_all(&sent).await.unwrap();
                to.shutdown().await.unwrap();
            };
            let mut received = Vec::new();
            let receive = from.read_to_end(&mut received);
            let ((), count) = tokio::join!(send, receive);
            count.unwrap();
            assert!(received == expected, "{number}");
        }
    });
    futures_util::future::join_all(talks).await;
}

#[tokio::test]
async fn a_reader_that_takes_nothing_does_not_hold_up_the_others() {
    let link = link().await;
    let flood = behind(endless).await;
    let port = behind(echo).await;
    let mut lazy = to(&link.connection, flood).await;
    let mut some = [0; 1];
    lazy.read_exact(&mut some).await.unwrap();
    // While nothing is taken from the flood, everything else goes on.
    for _ in 0..3 {
        link.connection.ping().await.unwrap();
        let mut stream = to(&link.connection, port).await;
        stream.write_all(b"hello").await.unwrap();
        let mut back = [0; 5];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"hello");
        assert_eq!(says(&link.connection, "echo yes").await, "yes\n");
    }
}

#[tokio::test]
async fn new_keys_amid_a_transfer_lose_nothing() {
    let sshd = Sshd::with(&SshdOptions::default().line("RekeyLimit 1M"));
    let link = link_to(sshd).await;
    let port = behind(echo).await;
    let (mut from, mut to) = tokio::io::split(to(&link.connection, port).await);
    let sent: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
    let send = async {
        to.write_all(&sent).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let ((), count) = tokio::join!(send, from.read_to_end(&mut received));
    count.unwrap();
    assert!(received == sent);
}

#[tokio::test]
async fn a_command_has_limits_and_a_status() {
    let link = link().await;
    let limits = RunLimits {
        what: "a test",
        time: Duration::from_millis(300),
        output_bytes: 1000,
    };
    let run =
        async |command: &str, input: &[u8]| link.connection.run(command, input, &limits).await;
    let failed = run("cat; echo no >&2; exit 3", b"in").await.unwrap();
    assert_eq!((failed.status, failed.stdout), (Some(3), b"in".to_vec()));
    assert_eq!(failed.stderr, b"no\n");
    let much = run("cat /dev/zero", b"").await.unwrap_err();
    assert_eq!(much.code(), "TOO_MUCH_OUTPUT");
    let long = run("sleep 1000", b"").await.unwrap_err();
    assert_eq!(long.code(), "TIMEOUT");
    assert_eq!(says(&link.connection, "echo yes").await, "yes\n");
}

#[tokio::test]
async fn a_command_that_is_dropped_ends_on_the_far_side() {
    let link = link().await;
    let mut running = link
        .connection
        .start("echo ready; cat; echo over > ~/over")
        .await
        .unwrap();
    let Some(ChannelMsg::Data { data }) = running.next().await else {
        panic!("no data");
    };
    assert_eq!(&data[..], b"ready\n");
    drop(running);
    let until_over = "while [ ! -e ~/over ]; do sleep 0.05; done; cat ~/over";
    assert_eq!(says(&link.connection, until_over).await, "over\n");
}

#[tokio::test]
async fn a_command_can_be_a_stream() {
    let link = link().await;
    let running = link.connection.start("cat; echo over").await.unwrap();
    let mut stream = running.into_stream();
    stream.write_all(b"in\n").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    assert_eq!(all, "in\nover\n");
}
