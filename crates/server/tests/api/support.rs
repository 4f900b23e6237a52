//! A server on a temporary copy of a storage root, and a small client for it.

use std::path::{Path, PathBuf};

use http_body_util::BodyExt;
use reqwest::header::HeaderMap;
use runicorn_server::Server;
use runicorn_server::config::{Config, Environment, Folders};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The root and host name that stand in the recordings.
pub(crate) const RECORDED_ROOT: &str = "/tmp/fixture-root";
/// The home folder that stands in the recordings.
pub(crate) const RECORDED_HOME: &str = "/tmp/fixture-home";
/// The host name that stands in the recordings.
pub(crate) const RECORDED_HOST: &str = "fixture-host";

/// A running server; stops when dropped. Its root, home and folders are temporary.
pub(crate) struct TestServer {
    folder: TempDir,
    server: Server,
    address: std::net::SocketAddr,
    client: reqwest::Client,
    _serving: JoinHandle<()>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// No answer to anybody ever holds a secret.
    fn of(status: u16, headers: HeaderMap, bytes: Vec<u8>) -> Self {
        #[cfg(target_os = "linux")]
        assert!(
            !crate::hosts::has_secret(&bytes)
                && !headers
                    .values()
                    .any(|value| crate::hosts::has_secret(value.as_bytes())),
            "a secret is in an answer: {}",
            String::from_utf8_lossy(&bytes)
        );
        Self {
            status,
            headers,
            bytes,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A request that is sent as it stands.
pub(crate) struct RawCall {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl RawCall {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let path = path
            .bytes()
            .map(|byte| match byte {
                b'!'..=b'~' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        Self {
            method: method.to_owned(),
            path,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }
}

impl TestServer {
    /// A server on a copy of `fixtures/<name>/root` (or of `fixtures/<name>` when the name has a slash).
    pub(crate) async fn on(fixture: &str) -> Self {
        let folder = scratch();
        copy_fixture(fixture, &folder.path().join("root"));
        Self::start(folder, |_| {}).await
    }

    /// A server on an empty root.
    pub(crate) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("root/runs")).unwrap();
        Self::start(folder, |_| {}).await
    }

    /// A server on what the caller put into `root` below a folder, with a changed configuration.
    pub(crate) async fn start(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let home = folder.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        let mut config = Config::new(folder.path().join("root"), Folders::below(&home));
        let home_text = home.display().to_string();
        config.environment = Environment::from_pairs([("HOME", home_text.as_str())], folder.path());
        config.host_name = Some(RECORDED_HOST.to_owned());
        config.processes = Some(std::sync::Arc::new(OnlyInit));
        change(&mut config);
        let server = Server::new(config).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn({
            let server = server.clone();
            async move { server.serve(listener).await }
        });
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            folder,
            server,
            address,
            client,
            _serving: serving,
        }
    }

    /// Stops it and starts another on the same folders.
    pub(crate) async fn restart(self) -> Self {
        self.server.shutdown().await;
        Self::start(self.folder, |_| {}).await
    }

    /// The storage root.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// The home folder; the SDK's configuration is `.config/runicorn` below it.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The address it listens on.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// The server itself.
    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// `http://127.0.0.1:<port><path>`
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// `ws://127.0.0.1:<port><path>`
    pub(crate) fn ws_url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    /// Sends any method, with a JSON body if there is one.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request).await
    }

    /// A request to be completed by the caller and sent with [`answer`].
    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method.parse().unwrap(), self.url(path))
    }

    /// Sends a request byte by byte as it is: no path is tidied up and no header added but `Host`.
    pub(crate) async fn send(&self, call: RawCall) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let io = hyper_util::rt::TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        let mut request = axum::http::Request::builder()
            .method(call.method.as_str())
            .uri(call.path.as_str());
        if !call
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            request = request.header("host", self.address.to_string());
        }
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let body = http_body_util::Full::new(bytes::Bytes::from(call.body));
        let response = sender
            .send_request(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec();
        Answer::of(status, headers, bytes)
    }

    /// Opens a WebSocket.
    pub(crate) async fn socket(
        &self,
        path: &str,
    ) -> tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>> {
        tokio_tungstenite::connect_async(self.ws_url(path))
            .await
            .unwrap()
            .0
    }
}

/// A temporary folder whose `root` and `home` have paths as long as the recorded ones (where the system's temporary
/// folder is `/tmp`), so that sizes of files that hold them are the recorded ones too.
pub(crate) fn scratch() -> TempDir {
    tempfile::Builder::new()
        .prefix("r")
        .rand_bytes(6)
        .tempdir()
        .unwrap()
}

/// A machine as the recordings had it: process 1 lives and always has, and so does this one.
#[derive(Debug)]
struct OnlyInit;

impl runicorn_experiments::ProcessTable for OnlyInit {
    fn started_at(&self, pid: u32) -> Option<f64> {
        (pid == 1 || pid == std::process::id()).then_some(0.0)
    }
}

/// Sends a request and reads the whole answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    Answer::of(status, headers, response.bytes().await.unwrap().to_vec())
}

/// The folder of the recordings.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// Copies a recorded root and makes it this machine's, as `fixtures/README.md` says: its path and host name replaced in every
/// JSON file and database, and the old layout's folders dated in the order of their ids.
pub(crate) fn copy_fixture(fixture: &str, to: &Path) {
    let from = if fixture.contains('/') {
        fixtures().join(fixture)
    } else {
        fixtures().join(fixture).join("root")
    };
    let replace = |text: &str| text.replace(RECORDED_ROOT, &to.display().to_string());
    copy_tree(&from, to, &replace);
    std::fs::create_dir_all(to.join("runs")).unwrap();
    make_media_folders(&to.join("runs"));
    if fixture == "runicorn-0.7.2" {
        // a folder that the recorded server left empty; version control keeps none
        std::fs::create_dir_all(to.join("runs/rl")).unwrap();
    }
    date_old_runs(to);
}

fn copy_tree(from: &Path, to: &Path, replace: &dyn Fn(&str) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&source, &target, replace);
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let ending = Path::new(&name)
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        if matches!(ending, "json" | "jsonl") || name == ".deleted" {
            let text = std::fs::read(&source).unwrap();
            // Damaged files hold bytes that are no text; they are replaced piece by piece.
            let text = unsafe_text(&text);
            std::fs::write(&target, bytes_of(&replace(&text))).unwrap();
        } else {
            std::fs::copy(&source, &target).unwrap();
            if ending == "db" {
                replace_in_database(&target, replace);
            }
        }
    }
}

/// The SDK makes `media/` in every run; version control does not keep empty folders.
fn make_media_folders(folder: &Path) {
    if folder.join("meta.json").exists() {
        std::fs::create_dir_all(folder.join("media")).unwrap();
        return;
    }
    for child in children(folder) {
        make_media_folders(&child);
    }
}

/// Bytes as Latin-1, so that any file survives the way there and back.
fn unsafe_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect()
}

fn replace_in_database(file: &Path, replace: &dyn Fn(&str) -> String) {
    let database = rusqlite::Connection::open(file).unwrap();
    let text_columns: Vec<(String, String)> = database
        .prepare(
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let new_root = replace(RECORDED_ROOT);
    for (table, column) in text_columns {
        let statement = format!(
            "UPDATE \"{table}\" SET \"{column}\" = replace(\"{column}\", ?1, ?2) \
             WHERE typeof(\"{column}\") = 'text' AND instr(\"{column}\", ?1)"
        );
        database
            .execute(&statement, (RECORDED_ROOT, &new_root))
            .unwrap();
    }
}

fn date_old_runs(root: &Path) {
    let mut old_runs: Vec<PathBuf> = Vec::new();
    for project in children(root).into_iter().filter(|path| {
        !["runs", "archive", "index", "artifacts", "webui"]
            .iter()
            .any(|name| path.ends_with(name))
    }) {
        for name in children(&project) {
            old_runs.extend(children(&name.join("runs")));
        }
    }
    old_runs.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    let start = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    for (position, run) in old_runs.iter().enumerate() {
        let time = start + std::time::Duration::from_secs(position as u64);
        std::fs::File::open(run)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}
