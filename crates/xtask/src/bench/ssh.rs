//! The rows about other machines: from "connect" to a list of runs, and bytes through the tunnel, on a real OpenSSH server on
//! loopback. The real viewer takes the same steps; `ssh -L` carries the same bytes from the same far-side viewer.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    http::Client,
    memory,
    real::RealViewer,
    sshd::Sshd,
    table::{Goal, Row},
};
use crate::{
    needs::python,
    places,
    programs::program,
    pushed_viewer,
    viewer::{Viewer, folders_below},
};

/// Sent through each tunnel.
const BULK_BYTES: u64 = 512 << 20;
const RUN: &str = "20260101_000000_b01b01";
/// Each is measured so often; the median counts.
const TIMES: usize = 5;

pub(super) fn rows() -> Result<Vec<Row>> {
    let packed = pushed_viewer::build()?;
    let folder = places::target().join("bench/ssh");
    let root = folder.join("root");
    write_root(&root)?;
    let rn7 = python::bin(&places::pythons().join("rn7"));
    let sshd = Sshd::start(&folder.join("server"), &rn7)?;
    let home = folder.join("home");
    let ours = Ours::start(&sshd, &home, &root)?;
    let real_secs = real_secs(&sshd, &root)?;
    let mut rows = vec![Row::against(
        "connect over SSH until the run list is there",
        real_secs,
        ours.connect_secs()?,
        Goal::Seconds(0.5),
    )];
    rows.extend(ours.tunnel_rows(&sshd)?);
    rows.push(Row::figure(
        "helper, compressed",
        fs::metadata(packed)?.len() as f64 / f64::from(1 << 20),
        "MiB",
        Goal::AtMost(5.0),
    ));
    Ok(rows)
}

/// One run with a large file.
fn write_root(root: &Path) -> Result<()> {
    let run = root.join("runs/bench").join(RUN);
    let bulk = run.join("media/bulk.png");
    if fs::metadata(&bulk).is_ok_and(|file| file.len() == BULK_BYTES) {
        return Ok(());
    }
    fs::create_dir_all(run.join("media"))?;
    fs::write(
        run.join("meta.json"),
        json!({"id": RUN, "path": "bench", "created_at": 1_767_225_600.0}).to_string(),
    )?;
    fs::write(
        run.join("status.json"),
        json!({"status": "finished"}).to_string(),
    )?;
    let image =
        json!({"type": "image", "data": {"key": "bulk", "path": "media/bulk.png", "step": 1}});
    fs::write(run.join("events.jsonl"), format!("{image}\n"))?;
    let block: Vec<u8> = (0..1_u32 << 20)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut file = File::create(bulk)?;
    for _ in 0..BULK_BYTES >> 20 {
        file.write_all(&block)?;
    }
    Ok(())
}

/// Our viewer, which has been on the far side once, so that the helper is there.
struct Ours {
    viewer: Viewer,
    home: PathBuf,
    start: Value,
}

impl Ours {
    fn start(sshd: &Sshd, home: &Path, root: &Path) -> Result<Self> {
        if home.exists() {
            fs::remove_dir_all(home)?;
        }
        fs::create_dir_all(home.join(".ssh"))?;
        fs::write(home.join(".ssh/known_hosts"), sshd.known_hosts_line()?)?;
        fs::create_dir_all(home.join("local"))?;
        let viewer = Viewer::start(
            &places::built("release", "runicorn-viewer"),
            &home.join("local"),
            home,
        )?;
        let start = json!({
            "host": "127.0.0.1", "port": sshd.port, "username": sshd.user, "private_key_path": sshd.key(),
            "use_agent": false, "remote_root": root, "viewer": "bundled",
        });
        let ours = Self {
            viewer,
            home: home.to_path_buf(),
            start,
        };
        ours.connect_once()?;
        ours.disconnect()?;
        Ok(ours)
    }

    fn client(&self) -> Result<Client> {
        Client::connect(&self.viewer.address)
    }

    /// Connects and asks for the runs; gives the seconds and the session.
    fn connect_once(&self) -> Result<(f64, Value)> {
        let mut client = self.client()?;
        let begin = Instant::now();
        let started = client
            .post("/api/remote/viewer/start", &self.start.to_string())?
            .json()?;
        let session = started["session"].clone();
        let id = session["sessionId"].as_str().context("no session")?;
        while client
            .get(&format!("/api/hosts/{id}/at/api/run-list"))?
            .count(RUN)
            == 0
        {
            ensure!(
                begin.elapsed() < Duration::from_mins(1),
                "the run was never listed"
            );
        }
        Ok((begin.elapsed().as_secs_f64(), session))
    }

    fn disconnect(&self) -> Result<()> {
        let mut client = self.client()?;
        let sessions = client.get("/api/remote/viewer/sessions")?.json()?;
        for session in sessions["sessions"].as_array().into_iter().flatten() {
            let stop = json!({"session_id": session["sessionId"]});
            client.post("/api/remote/viewer/stop", &stop.to_string())?;
        }
        let who = json!({"host": self.start["host"], "port": self.start["port"], "username": self.start["username"]});
        client.post("/api/remote/disconnect", &who.to_string())?;
        Ok(())
    }

    fn connect_secs(&self) -> Result<f64> {
        let mut seconds = Vec::new();
        for _ in 0..TIMES {
            seconds.push(self.connect_once()?.0);
            self.disconnect()?;
        }
        Ok(middle(seconds))
    }

    /// Bytes through our tunnel and through `ssh -L` to the same viewer, and what that viewer holds when idle.
    fn tunnel_rows(&self, sshd: &Sshd) -> Result<Vec<Row>> {
        let (_, session) = self.connect_once()?;
        let far = FarViewer::find(&sshd.home())?;
        memory::wait_until_idle(far.pid)?;
        let idle_mb = memory::resident_mb(far.pid)?;
        let local = format!("127.0.0.1:{}", session["localPort"]);
        let forward = Forward::start(sshd, &far.socket, &self.home)?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            theirs.push(fetch(&forward.address)?);
            ours.push(fetch(&local)?);
        }
        self.disconnect()?;
        Ok(vec![
            Row::rate(
                "bytes through the tunnel, against ssh -L",
                middle(theirs),
                middle(ours),
            ),
            Row::figure(
                "viewer on the far side, idle",
                idle_mb,
                "MiB",
                Goal::AtMost(20.0),
            ),
        ])
    }
}

/// Megabytes a second of one large file.
fn fetch(address: &str) -> Result<f64> {
    let mut stream = TcpStream::connect(address)?;
    let begin = Instant::now();
    write!(
        stream,
        "GET /api/run-file/{RUN}?file=media/bulk.png HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut buffer = vec![0; 1 << 20];
    let mut received = 0_u64;
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            bytes => received += bytes as u64,
        }
    }
    ensure!(
        received > BULK_BYTES,
        "only {received} bytes came from {address}"
    );
    Ok(received as f64 / 1e6 / begin.elapsed().as_secs_f64())
}

/// `ssh -L` from a loopback port to the far side's socket.
struct Forward {
    ssh: Child,
    address: String,
}

impl Forward {
    fn start(sshd: &Sshd, socket: &Path, home: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let ssh = program("ssh")
            .args([
                "-F",
                "none",
                "-N",
                "-o",
                "BatchMode=yes",
                "-o",
                "ExitOnForwardFailure=yes",
                "-o",
            ])
            .arg(format!(
                "UserKnownHostsFile={}",
                home.join(".ssh/known_hosts").display()
            ))
            .arg("-i")
            .arg(sshd.key())
            .arg("-p")
            .arg(sshd.port.to_string())
            .arg("-L")
            .arg(format!("127.0.0.1:{port}:{}", socket.display()))
            .arg(format!("{}@127.0.0.1", sshd.user))
            .envs(folders_below(home))
            .stdin(Stdio::null())
            .spawn()
            .context("could not start ssh")?;
        let forward = Self {
            ssh,
            address: format!("127.0.0.1:{port}"),
        };
        let end = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(&forward.address).is_err() {
            ensure!(Instant::now() < end, "ssh -L does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(forward)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        drop(self.ssh.kill());
        drop(self.ssh.wait());
    }
}

/// The one viewer below the far side's home.
struct FarViewer {
    pid: u32,
    socket: PathBuf,
}

impl FarViewer {
    fn find(home: &Path) -> Result<Self> {
        let sessions = home.join("cache/runicorn-desktop/sessions");
        let socket = fs::read_dir(&sessions)?
            .flatten()
            .map(|entry| entry.path().join("viewer.sock"))
            .find(|socket| socket.exists())
            .context("no viewer on the far side")?;
        for entry in fs::read_dir("/proc")?.flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
                continue;
            };
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            if line.contains("runicorn-viewer\0")
                && line.contains(&*socket.to_string_lossy())
                && !line.starts_with("/bin/sh")
            {
                return Ok(Self { pid, socket });
            }
        }
        anyhow::bail!("no process of the far side's viewer")
    }
}

/// What the real viewer takes for the same: connect, start a viewer there, list its runs through the tunnel.
fn real_secs(sshd: &Sshd, root: &Path) -> Result<f64> {
    let local = places::target().join("bench/ssh/real-local");
    fs::create_dir_all(&local)?;
    let viewer = RealViewer::start(&local)?;
    let mut client = Client::connect(&viewer.address)?;
    let key = sshd.known_hosts_line()?;
    let mut words = key.split_whitespace().skip(1);
    let (kind, base64) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let accept = json!({
        "host": "127.0.0.1", "port": sshd.port, "key_type": kind, "public_key": format!("{kind} {base64}"),
        "fingerprint_sha256": sshd.fingerprint()?,
    });
    client.post("/api/remote/known-hosts/accept", &accept.to_string())?;
    let who = json!({
        "host": "127.0.0.1", "port": sshd.port, "username": sshd.user, "private_key_path": sshd.key(), "use_agent": false,
    });
    let mut start = who.clone();
    start["remote_root"] = json!(root);
    start["conda_env"] = json!("system");
    let begin = Instant::now();
    client.post("/api/remote/connect", &who.to_string())?;
    let session = client
        .post("/api/remote/viewer/start", &start.to_string())?
        .json()?["session"]
        .clone();
    let mut far = Client::connect(&format!("127.0.0.1:{}", session["localPort"]))?;
    ensure!(
        far.get("/api/runs")?.count(RUN) > 0,
        "the real viewer lists no run"
    );
    let seconds = begin.elapsed().as_secs_f64();
    client.post(
        "/api/remote/viewer/stop",
        &json!({"session_id": session["sessionId"]}).to_string(),
    )?;
    Ok(seconds)
}

fn middle(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
