//! The launch contract: what `runicorn-viewer` takes, says and ends with.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use runicorn_server::launch::ReadyLine;
use tempfile::TempDir;

/// A viewer with folders of its own; killed when dropped.
struct Viewer {
    process: Child,
    home: TempDir,
}

impl Viewer {
    fn start(home: TempDir, flags: &[&str]) -> Self {
        let mut command = command(&home);
        let process = command
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, home }
    }

    fn ready(&mut self) -> ReadyLine {
        let mut line = String::new();
        BufReader::new(self.process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end: its code and what it said on stderr.
    fn end(mut self) -> (i32, String, TempDir) {
        let mut said = String::new();
        self.process
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let code = self.process.wait().unwrap().code().unwrap_or(-1);
        let home = std::mem::replace(&mut self.home, tempfile::tempdir().unwrap());
        (code, said, home)
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn command(home: &TempDir) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the viewer under test")]
    let mut command = Command::new(env!("CARGO_BIN_EXE_runicorn-viewer"));
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(home.path());
    command
}

fn new_home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn ask(stream: &mut (impl Read + Write), host: &str) -> String {
    let request = format!("GET /api/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_ready_line_names_the_address_and_a_port_file_repeats_it() {
    let mut viewer = Viewer::start(new_home(), &["--port", "0", "--storage", "root"]);
    let ready = viewer.ready();
    let port = ready.port.unwrap();
    assert_eq!(ready.url, Some(format!("http://127.0.0.1:{port}")));
    assert_eq!(
        ready.storage,
        viewer.home.path().join("root").display().to_string()
    );
    let file = viewer
        .home
        .path()
        .join(".local/share/runicorn-desktop/port.json");
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        written.trim(),
        format!("{{\"port\":{port},\"pid\":{}}}", ready.pid)
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert!(ask(&mut stream, &format!("127.0.0.1:{port}")).starts_with("HTTP/1.1 200"));
}

/// The quickest of several ends counts, because the machine may be busy; each must be a good one.
#[test]
fn sigterm_and_sigint_end_it_within_a_second_with_sockets_open() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let quickest = (0..4).map(|_| time_to_end(signal)).min().unwrap();
        assert!(quickest < Duration::from_millis(1200), "{quickest:?}");
    }
}

/// Ends a viewer that has an open socket and half a request.
fn time_to_end(signal: rustix::process::Signal) -> Duration {
    let mut viewer = Viewer::start(new_home(), &["--port", "0"]);
    let port = viewer.ready().port.unwrap();
    let url = format!("ws://127.0.0.1:{port}/api/live");
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut socket, _) = tokio_tungstenite::tungstenite::client(url.as_str(), stream).unwrap();
    assert!(socket.read().unwrap().to_text().unwrap().contains("hello"));
    let mut half = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    half.write_all(b"GET /api/health HTTP/1.1\r\n").unwrap();
    let asked = Instant::now();
    viewer.signal(signal);
    let (code, said, home) = viewer.end();
    let took = asked.elapsed();
    assert_eq!(code, 0, "{said}");
    assert!(
        !home
            .path()
            .join(".local/share/runicorn-desktop/port.json")
            .exists()
    );
    took
}

#[test]
fn what_was_listed_is_kept_for_the_next_start_by_a_clean_end_right_after() {
    let home = new_home();
    let root = home.path().join("listed");
    for at in 0..40 {
        let run = root.join(format!("runs/p/20260101_0000{at:02}_abcdef"));
        std::fs::create_dir_all(&run).unwrap();
        std::fs::write(run.join("meta.json"), "{}").unwrap();
        // What has only just changed is not believed to stay so, and not kept.
        let then = std::time::SystemTime::now() - Duration::from_hours(1);
        for path in [run.join("meta.json"), run] {
            let file = std::fs::File::open(path).unwrap();
            file.set_modified(then).unwrap();
        }
    }
    let root = root.display().to_string();
    let mut viewer = Viewer::start(home, &["--port", "0", "--storage", &root]);
    let port = viewer.ready().port.unwrap();
    let mut asked = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let question =
        format!("GET /api/runs HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
    asked.write_all(question.as_bytes()).unwrap();
    let mut answer = String::new();
    asked.read_to_string(&mut answer).unwrap();
    assert_eq!(answer.matches("\"run_dir\"").count(), 40, "{answer}");
    viewer.signal(rustix::process::Signal::TERM);
    let (code, said, home) = viewer.end();
    assert_eq!(code, 0, "{said}");
    let folder = home.path().join(".cache/runicorn-desktop/index");
    let index = std::fs::read_dir(folder).unwrap().flatten().next().unwrap();
    let index = rusqlite::Connection::open(index.path()).unwrap();
    let kept: i64 = index
        .query_row("SELECT count(*) FROM runs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 40);
}

#[test]
fn a_taken_port_is_exit_code_3_and_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, said, _) = Viewer::start(new_home(), &["--port", &port]).end();
    assert_eq!(code, 3, "{said}");
    assert!(said.contains(&format!("port {port} is taken")), "{said}");
}

#[test]
fn an_address_that_others_can_reach_is_exit_code_4_and_says_why() {
    let (code, said, _) = Viewer::start(new_home(), &["--port", "0", "--host", "0.0.0.0"]).end();
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("no login to guard it"), "{said}");
}

#[test]
fn bad_flags_are_exit_code_2() {
    let (code, said, _) = Viewer::start(new_home(), &["--port", "many"]).end();
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_viewer_in_remote_mode_ends_when_nobody_is_there() {
    let mut viewer = Viewer::start(
        new_home(),
        &["--port", "0", "--remote-mode", "--idle-timeout", "1"],
    );
    viewer.ready();
    let (code, said, _) = viewer.end();
    assert_eq!(code, 0, "{said}");
}

#[test]
fn the_ready_line_is_written_to_a_given_file_descriptor_too() {
    let home = new_home();
    let file = home.path().join("ready");
    #[expect(
        clippy::disallowed_methods,
        reason = "a shell hands over the descriptor"
    )]
    let mut shell = Command::new("sh");
    let process = shell
        .args([
            "-c",
            "exec \"$0\" --port 0 --ready-fd 5 5>ready",
            env!("CARGO_BIN_EXE_runicorn-viewer"),
        ])
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut viewer = Viewer { process, home };
    let ready = viewer.ready();
    viewer.signal(rustix::process::Signal::TERM);
    let (code, said, _home) = viewer.end();
    assert_eq!(code, 0, "{said}");
    let written: ReadyLine = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(written, ready);
}

#[cfg(unix)]
#[test]
fn a_unix_socket_stands_in_a_closed_folder_and_goes_away_with_its_viewer() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::net::UnixStream;

    let home = new_home();
    let socket = home.path().join("closed/s");
    let flags = ["--socket", socket.to_str().unwrap()];
    let mut viewer = Viewer::start(home, &flags);
    let ready = viewer.ready();
    assert_eq!(
        (ready.socket.as_deref(), ready.port),
        (Some(socket.as_path()), None)
    );
    assert_eq!(
        socket.parent().unwrap().metadata().unwrap().mode() & 0o777,
        0o700
    );
    assert!(
        ask(&mut UnixStream::connect(&socket).unwrap(), "localhost").starts_with("HTTP/1.1 200")
    );
    assert!(
        ask(&mut UnixStream::connect(&socket).unwrap(), "evil.example").starts_with("HTTP/1.1 403")
    );

    let (code, said, _) = Viewer::start(new_home(), &flags).end();
    assert_eq!(code, 3, "{said}");

    // A viewer that was killed leaves its socket behind; the next one takes its place.
    viewer.signal(rustix::process::Signal::KILL);
    let (_, _, home) = viewer.end();
    assert!(socket.exists());
    let mut viewer = Viewer::start(home, &flags);
    viewer.ready();
    assert!(
        ask(&mut UnixStream::connect(&socket).unwrap(), "localhost").starts_with("HTTP/1.1 200")
    );
    viewer.signal(rustix::process::Signal::TERM);
    let (code, said, home) = viewer.end();
    assert_eq!((code, socket.exists()), (0, false), "{said}");

    let open = home.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let in_open = open.join("s");
    let (code, said, _) = Viewer::start(new_home(), &["--socket", in_open.to_str().unwrap()]).end();
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("0700"), "{said}");
}

#[test]
fn it_starts_on_a_missing_root_and_writes_nothing_into_the_current_folder() {
    let home = new_home();
    let mut viewer = Viewer::start(
        home,
        &[
            "--port",
            "0",
            "--storage",
            "/nonexistent/root",
            "--state-dir",
            "state",
        ],
    );
    let ready = viewer.ready();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", ready.port.unwrap())).unwrap();
    assert!(
        ask(&mut stream, &format!("127.0.0.1:{}", ready.port.unwrap()))
            .contains("/nonexistent/root")
    );
    let names: Vec<_> = std::fs::read_dir(viewer.home.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["state"]);
    assert!(!Path::new("/nonexistent").exists());
}

#[cfg(unix)]
#[test]
fn a_bridge_carries_a_request_and_the_end_of_it_between_stdio_and_a_socket() {
    let mut viewer = Viewer::start(new_home(), &["--socket", "closed/viewer.sock"]);
    let socket = viewer.ready().socket.unwrap();
    let mut bridge = command(&viewer.home)
        .arg("--connect-stdio")
        .arg(&socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let request = b"GET /api/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    // Dropped, which is the end of stdin.
    bridge.stdin.take().unwrap().write_all(request).unwrap();
    let output = bridge.wait_with_output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(answer.starts_with("connected\nHTTP/1.1 200"), "{answer}");
    assert!(output.status.success());
}

#[cfg(unix)]
#[test]
fn a_bridge_to_nobody_says_nothing_and_fails() {
    let home = new_home();
    let output = command(&home)
        .args(["--connect-stdio", "nobody.sock"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.stdout.is_empty() && !output.status.success());
}
