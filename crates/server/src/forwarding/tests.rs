//! A forwarded port over a real listener, with the real server of this crate, or a bare one, on the far side. The tests of the
//! way under our own origin use the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use futures_util::{SinkExt, StreamExt, stream};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;

use super::*;
use crate::Server;
use crate::app::App;
use crate::config::{Config, Folders};
use crate::error::ApiError;

/// A server on an empty root.
fn server(folder: &TempDir) -> Server {
    let home = folder.path().join("home");
    std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
    Server::new(Config::new(
        folder.path().join("root"),
        Folders::below(&home),
    ))
    .unwrap()
}

/// A way to a TCP address that counts its streams and can be cut.
#[derive(Clone)]
pub(crate) struct ToAddress {
    address: SocketAddr,
    opened: Arc<AtomicUsize>,
    is_cut: Arc<AtomicBool>,
}

impl ToAddress {
    fn new(address: SocketAddr) -> Self {
        Self {
            address,
            opened: Arc::default(),
            is_cut: Arc::default(),
        }
    }
}

impl Way for ToAddress {
    fn open(&self) -> Opening {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let (address, is_cut) = (self.address, self.is_cut.load(Ordering::Relaxed));
        Box::pin(async move {
            if is_cut {
                let lost = runicorn_remote::RemoteError::LinkLost("gpu".to_owned());
                return Err(ApiError::from(lost));
            }
            let stream = TcpStream::connect(address)
                .await
                .map_err(ApiError::internal)?;
            Ok(Box::new(stream) as ByteStream)
        })
    }
}

/// A way whose other ends come out of a channel, with little room in between.
pub(crate) struct ToChannel(pub(crate) mpsc::UnboundedSender<DuplexStream>);

impl Way for ToChannel {
    fn open(&self) -> Opening {
        let (near, far) = tokio::io::duplex(64 << 10);
        let sent = self.0.send(far).map_err(ApiError::internal);
        Box::pin(async move { sent.map(|()| Box::new(near) as ByteStream) })
    }
}

/// A forwarded port of a server of our own.
pub(crate) struct Forwarded {
    pub(crate) app: App,
    port: u16,
    /// The server's own port.
    pub(crate) own: SocketAddr,
    _folder: TempDir,
}

impl Forwarded {
    pub(crate) fn through(way: impl Way) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let near = server(&folder);
        let app = near.app().clone();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let own = listener.local_addr().unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move { near.serve(listener).await });
        let pair = PortPair::bind(None).unwrap();
        let port = pair.port();
        let far_side = FarSide::new(Box::new(way), 0, app.sockets());
        let place = Place {
            target: runicorn_remote::Target::new("u", "gpu", 22).unwrap(),
            root: "/data".to_owned(),
        };
        app.ports().open(&app, "s", pair, far_side, place).unwrap();
        Self {
            app,
            port,
            own,
            _folder: folder,
        }
    }

    /// Our own server on the far side.
    pub(crate) async fn to_our_server() -> (Self, ToAddress, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let far = server(&folder);
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // As on a real far side: a UNIX socket takes any local port in `Host`.
        let path = folder.path().join("viewer.sock");
        let unix = tokio::net::UnixListener::bind(&path).unwrap();
        tokio::spawn(async move { far.serve(unix).await });
        let way = ToAddress::new(socket.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = socket.accept().await {
                let mut far = tokio::net::UnixStream::connect(&path).await.unwrap();
                tokio::spawn(async move {
                    drop(tokio::io::copy_bidirectional(&mut near, &mut far).await);
                });
            }
        });
        (Self::through(way.clone()), way, folder)
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// The head of a request on a bare far side, and what came after it.
pub(crate) async fn read_head(far: &mut DuplexStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return (String::from_utf8(bytes).unwrap(), rest);
        }
        assert_ne!(
            far.read_buf(&mut bytes).await.unwrap(),
            0,
            "the request broke off"
        );
    }
}

#[tokio::test]
async fn requests_pass_on_both_loopback_addresses_over_one_kept_connection() {
    let (forwarded, way, _folder) = Forwarded::to_our_server().await;
    let client = client();
    for round in 0..5 {
        for name in ["127.0.0.1", "[::1]", "localhost"] {
            let url = format!("http://{name}:{}/api/health", forwarded.port);
            let answer = client.get(url).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{round} {name}");
            let health: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(health["status"], "ok");
        }
    }
    let opened = way.opened.load(Ordering::Relaxed);
    assert!(opened < 5, "{opened} connections for 15 requests in a row");
}

#[tokio::test]
async fn a_websocket_passes_both_ways_and_ends_with_the_port() {
    let (forwarded, _way, _folder) = Forwarded::to_our_server().await;
    let url = format!("ws://localhost:{}/api/live", forwarded.port);
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let hello = socket.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().contains("hello"));
    socket
        .send(tungstenite::Message::Ping("there?".into()))
        .await
        .unwrap();
    // News of the storage may come between.
    let pong = tungstenite::Message::Pong("there?".into());
    while socket.next().await.unwrap().unwrap() != pong {}
    forwarded.app.ports().close("s");
    while let Some(Ok(_)) = socket.next().await {}
    // The listeners are dropped by their own tasks.
    while PortPair::bind(Some(forwarded.port)).is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn foreign_names_and_pages_are_refused_on_a_forwarded_port_too() {
    let (forwarded, way, _folder) = Forwarded::to_our_server().await;
    let (client, port) = (client(), forwarded.port);
    for (name, value, code) in [
        ("host", "evil.example".to_owned(), "HOST_REFUSED"),
        ("host", format!("localhost:{}", port + 1), "HOST_REFUSED"),
        (
            "origin",
            "https://evil.example".to_owned(),
            "ORIGIN_REFUSED",
        ),
        ("origin", "null".to_owned(), "ORIGIN_REFUSED"),
        (
            "origin",
            format!("http://localhost:{}", port + 1),
            "ORIGIN_REFUSED",
        ),
    ] {
        for method in ["GET", "POST", "OPTIONS", "TRACE"] {
            let request = client.request(method.parse().unwrap(), forwarded.url("/api/health"));
            let answer = request.header(name, &value).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{method} {name}: {value}");
            let body: serde_json::Value = answer.json().await.unwrap();
            assert_eq!(body["code"], code, "{method} {name}: {value}");
        }
    }
    assert_eq!(
        way.opened.load(Ordering::Relaxed),
        0,
        "a refused request went over"
    );
    let own = format!("http://localhost:{port}");
    let request = client
        .get(forwarded.url("/api/health"))
        .header("origin", &own);
    let answer = request.send().await.unwrap();
    assert_eq!(
        answer.headers()["access-control-allow-origin"],
        own.as_str()
    );
    assert_eq!(answer.headers()["x-frame-options"], "DENY");
}

#[tokio::test]
async fn while_the_link_is_down_the_answer_says_so_and_the_port_stays() {
    let (forwarded, way, _folder) = Forwarded::to_our_server().await;
    let client = client();
    way.is_cut.store(true, Ordering::Relaxed);
    let answer = client
        .get(forwarded.url("/api/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.headers().contains_key("retry-after"));
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["code"], "LINK_LOST");
    assert!(body["retry_after"].is_number() && body["detail"].is_string());
    way.is_cut.store(false, Ordering::Relaxed);
    let answer = client
        .get(forwarded.url("/api/health"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn what_belongs_to_one_machine_or_one_connection_stays_there() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let request = client()
        .post(forwarded.url("/api/x?a=%2F&b"))
        .header("cookie", "jupyter=1")
        .header("origin", format!("http://localhost:{}", forwarded.port))
        .header("te", "trailers")
        .header("x-kept", "1")
        .body("body");
    let asked = tokio::spawn(request.send());
    let mut far = far_ends.recv().await.unwrap();
    let (head, mut body) = read_head(&mut far).await;
    while body.len() < 4 {
        far.read_buf(&mut body).await.unwrap();
    }
    assert_eq!(body, b"body");
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /api/x?a=%2f&b http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains("x-kept: 1") && head.contains("content-length: 4"),
        "{head}"
    );
    assert!(
        head.contains(&format!("host: localhost:{}", forwarded.port)),
        "{head}"
    );
    for line in ["cookie", "origin", "te:", "connection", "transfer-encoding"] {
        assert!(!head.contains(line), "{line} went over: {head}");
    }
    far.write_all(
        b"HTTP/1.1 201 Created\r\nset-cookie: a=1\r\naccess-control-allow-origin: *\r\n\
          keep-alive: timeout=5\r\nx-far: 1\r\ncontent-length: 2\r\n\r\nok",
    )
    .await
    .unwrap();
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.status(), 201);
    let headers: &HeaderMap = answer.headers();
    assert!(headers.contains_key("x-far"));
    assert_ne!(headers["access-control-allow-origin"], "*");
    assert!(!headers.contains_key("set-cookie") && !headers.contains_key("keep-alive"));
    assert_eq!(answer.text().await.unwrap(), "ok");
}

#[tokio::test]
async fn a_large_answer_comes_as_fast_as_its_reader_takes_it() {
    const TOTAL: usize = 256 << 20;
    // What the two sockets of the system may hold (32 MiB on newer kernels), and a quarter of the whole at most.
    const IN_BETWEEN: usize = 64 << 20;
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let written = Arc::new(AtomicUsize::new(0));
    let far_written = Arc::clone(&written);
    tokio::spawn(async move {
        let mut far: DuplexStream = far_ends.recv().await.unwrap();
        read_head(&mut far).await;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n");
        far.write_all(head.as_bytes()).await.unwrap();
        let piece = vec![7; 64 << 10];
        for _ in 0..TOTAL / piece.len() {
            far.write_all(&piece).await.unwrap();
            far_written.fetch_add(piece.len(), Ordering::Relaxed);
        }
        std::future::pending::<()>().await;
    });
    let answer = client().get(forwarded.url("/big")).send().await.unwrap();
    let (mut read, mut pieces) = (0, answer.bytes_stream());
    while let Some(piece) = pieces.next().await {
        read += piece.unwrap().len();
        let ahead = written.load(Ordering::Relaxed).saturating_sub(read);
        assert!(ahead < IN_BETWEEN, "{ahead} bytes wait in between");
    }
    assert_eq!(read, TOTAL);
}

#[tokio::test]
async fn a_large_body_goes_as_fast_as_the_far_side_takes_it() {
    const TOTAL: usize = 256 << 20;
    // What the two sockets of the system may hold (32 MiB on newer kernels), and a quarter of the whole at most.
    const IN_BETWEEN: usize = 64 << 20;
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let piece = Bytes::from(vec![7; 64 << 10]);
    let pieces = stream::iter(0..TOTAL / piece.len()).map(move |_| {
        counter.fetch_add(piece.len(), Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece.clone())
    });
    let request = client()
        .post(forwarded.url("/up"))
        .header("content-length", TOTAL)
        .body(reqwest::Body::wrap_stream(pieces));
    let asked = tokio::spawn(request.send());
    let mut far: DuplexStream = far_ends.recv().await.unwrap();
    let (_, rest) = read_head(&mut far).await;
    let (mut read, mut buffer) = (rest.len(), vec![0; 64 << 10]);
    while read < TOTAL {
        read += far.read(&mut buffer).await.unwrap();
        let ahead = sent.load(Ordering::Relaxed).saturating_sub(read);
        assert!(ahead < IN_BETWEEN, "{ahead} bytes wait in between");
    }
    far.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(asked.await.unwrap().unwrap().status(), 204);
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_to_go_on_is_told() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let mut client = TcpStream::connect(("127.0.0.1", forwarded.port))
        .await
        .unwrap();
    let head = format!(
        "POST /x HTTP/1.1\r\nhost: localhost:{}\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\n",
        forwarded.port
    );
    client.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = vec![0; 25];
    client.read_exact(&mut go_on).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100 "));
    client.write_all(b"abc").await.unwrap();
    let mut far: DuplexStream = far_ends.recv().await.unwrap();
    let (head, _) = read_head(&mut far).await;
    assert!(!head.to_ascii_lowercase().contains("expect"), "{head}");
    far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ndone")
        .await
        .unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"),
        "{answer}"
    );
}

#[tokio::test]
async fn half_closed_connections_still_get_their_answer() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let host = format!("localhost:{}", forwarded.port);
    for upgrade in ["", "connection: upgrade\r\nupgrade: echo\r\n"] {
        let mut client = TcpStream::connect(("127.0.0.1", forwarded.port))
            .await
            .unwrap();
        let head = format!("GET /x HTTP/1.1\r\nhost: {host}\r\n{upgrade}\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        if upgrade.is_empty() {
            client.shutdown().await.unwrap();
        }
        let mut far: DuplexStream = far_ends.recv().await.unwrap();
        let (head, _) = read_head(&mut far).await;
        assert_eq!(
            head.contains("upgrade: echo"),
            !upgrade.is_empty(),
            "{head}"
        );
        if upgrade.is_empty() {
            far.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbye")
                .await
                .unwrap();
        } else {
            far.write_all(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n",
            )
            .await
            .unwrap();
            client.write_all(b"last words").await.unwrap();
            client.shutdown().await.unwrap();
            let mut heard = Vec::new();
            far.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, b"last words");
            far.write_all(b"bye").await.unwrap();
            drop(far);
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("bye"), "{answer}");
    }
}

#[tokio::test]
async fn a_question_that_a_dead_connection_swallowed_is_asked_again_and_a_change_is_not() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    let client = client();
    let asked = tokio::spawn(client.get(forwarded.url("/x")).send());
    let mut dead: DuplexStream = far_ends.recv().await.unwrap();
    read_head(&mut dead).await;
    drop(dead);
    let mut far: DuplexStream = far_ends.recv().await.unwrap();
    read_head(&mut far).await;
    far.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(asked.await.unwrap().unwrap().status(), 204);
    drop(far);
    let asked = tokio::spawn(client.post(forwarded.url("/x")).body("once").send());
    let mut dead: DuplexStream = far_ends.recv().await.unwrap();
    read_head(&mut dead).await;
    drop(dead);
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().contains("LINK_LOST"));
    assert!(far_ends.try_recv().is_err(), "a change was sent twice");
}

#[tokio::test]
async fn a_stranger_on_the_far_side_is_an_error_and_not_an_answer() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let forwarded = Forwarded::through(ToChannel(streams));
    for words in [
        &b"SSH-2.0-OpenSSH_9.9\r\n"[..],
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ] {
        let asked = tokio::spawn(client().post(forwarded.url("/x")).send());
        let mut far: DuplexStream = far_ends.recv().await.unwrap();
        read_head(&mut far).await;
        far.write_all(words).await.unwrap();
        let answer = asked.await.unwrap().unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    }
}

#[tokio::test]
async fn a_viewer_on_a_port_of_its_own_is_called_by_that_port() {
    let (streams, mut far_ends) = mpsc::unbounded_channel();
    let folder = tempfile::tempdir().unwrap();
    let app = server(&folder).app().clone();
    let far_side = FarSide::new(Box::new(ToChannel(streams)), 8080, app.sockets());
    let request = axum::http::Request::get("http://localhost:9999/x")
        .header("host", "localhost:9999")
        .body(Body::empty())
        .unwrap();
    let asked = tokio::spawn(async move { far_side.answer(request).await });
    let mut far: DuplexStream = far_ends.recv().await.unwrap();
    let (head, _) = read_head(&mut far).await;
    assert!(head.contains("127.0.0.1:8080"), "{head}");
    assert!(head.starts_with("GET /x HTTP/1.1"), "{head}");
    far.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(asked.await.unwrap().status(), 204);
}
