//! A real OpenSSH server on a free loopback port, with host keys, a user and options of its own.
//!
//! As root it makes a throw-away user whose home is in the test's temporary folder, so whatever is left on the "far side" is
//! visible there and nowhere else. Otherwise the current user logs in, with `HOME` pointing to that folder.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use runicorn_remote::{Credentials, Secret, Target};
use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

#[path = "spilled.rs"]
pub(crate) mod spilled;

const SSHD: &str = "/usr/sbin/sshd";
/// The password of users that have one.
pub(crate) const PASSWORD: &str = "hush7q correct horse battery staple";
/// Far more than a start takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

const USUAL_LINES: [&str; 15] = [
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "UseDNS no",
    "LogLevel VERBOSE",
    "PermitRootLogin yes",
    "PasswordAuthentication yes",
    "KbdInteractiveAuthentication no",
    "PrintMotd no",
    "PrintLastLog no",
    "AcceptEnv LANG",
    "MaxStartups 100",
    "MaxSessions 100",
    "LoginGraceTime 120",
    "Subsystem sftp internal-sftp",
];
static NEXT_USER: AtomicU32 = AtomicU32::new(0);

/// What a server is to be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct SshdOptions {
    /// More lines of `sshd_config`; these come first, and the first value wins there.
    pub(crate) lines: Vec<String>,
    /// The user gets [`PASSWORD`]; needs root.
    pub(crate) has_password: bool,
    /// The login shell of the user; needs root.
    pub(crate) shell: Option<PathBuf>,
    /// The user of the test logs in, not one made for it: for programs that only that user can reach.
    pub(crate) is_self: bool,
    /// Host key types; `ed25519` when empty.
    pub(crate) host_keys: Vec<&'static str>,
}

impl SshdOptions {
    /// With one more line of `sshd_config`.
    pub(crate) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }
}

/// A running server; dropping it ends it with everything that ran in its sessions.
pub(crate) struct Sshd {
    folder: TempDir,
    port: u16,
    host_keys: Vec<&'static str>,
    user: User,
    server: Option<Server>,
}

struct Server {
    process: Child,
    log: Log,
}

/// What the server writes about itself, line by line.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<(Mutex<LogState>, Condvar)>);

#[derive(Default)]
struct LogState {
    lines: Vec<String>,
    is_over: bool,
}

struct User {
    name: String,
    home: PathBuf,
    /// Made by us and removed by us.
    is_ours: bool,
    has_password: bool,
    uid: u32,
}

/// True when users can be made; otherwise says what is skipped.
pub(crate) fn is_root_or_skip(what: &str) -> bool {
    let is_root = getuid().is_root();
    if !is_root {
        println!("skipped, needs root: {what}");
    }
    is_root
}

impl Sshd {
    /// A server with one user who may log in with [`Sshd::key`].
    pub(crate) fn start() -> Self {
        Self::with(&SshdOptions::default())
    }

    /// A server with options.
    pub(crate) fn with(options: &SshdOptions) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("rc-sshd")
            .tempdir()
            .unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let user = User::new(folder.path(), options);
        make_key(&folder.path().join("client_key"), "ed25519", "");
        let public = fs::read_to_string(folder.path().join("client_key.pub")).unwrap();
        let authorized = folder.path().join("authorized_keys");
        fs::write(&authorized, public).unwrap();
        fs::set_permissions(&authorized, Permissions::from_mode(0o644)).unwrap();
        let host_keys = if options.host_keys.is_empty() {
            vec!["ed25519"]
        } else {
            options.host_keys.clone()
        };
        for kind in &host_keys {
            make_key(&folder.path().join(format!("host_{kind}")), kind, "");
        }
        let mut sshd = Self {
            folder,
            port: 0,
            host_keys,
            user,
            server: None,
        };
        sshd.write_config(options);
        sshd.start_on_free_port();
        sshd
    }

    /// Who logs in where.
    pub(crate) fn target(&self) -> Target {
        Target::new(&self.user.name, "127.0.0.1", self.port).unwrap()
    }

    /// The key file that is accepted, and nothing else.
    pub(crate) fn credentials(&self) -> Credentials {
        Credentials {
            private_key_path: Some(self.key()),
            ..Credentials::default()
        }
    }

    /// [`PASSWORD`], for a user that has one.
    pub(crate) fn password(&self) -> Credentials {
        assert!(self.user.has_password, "the user has none");
        Credentials {
            password: Some(Secret::new(PASSWORD)),
            ..Credentials::default()
        }
    }

    /// The private key that is accepted.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.path().join("client_key")
    }

    /// The file of accepted keys.
    pub(crate) fn authorized_keys(&self) -> PathBuf {
        self.folder.path().join("authorized_keys")
    }

    /// The private half of a host key.
    pub(crate) fn host_key(&self, kind: &str) -> PathBuf {
        self.folder.path().join(format!("host_{kind}"))
    }

    /// Its folder, readable by the user.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The home of the user on the far side.
    pub(crate) fn home(&self) -> &Path {
        &self.user.home
    }

    /// The name of the user on the far side.
    pub(crate) fn username(&self) -> &str {
        &self.user.name
    }

    /// The number of that user.
    pub(crate) fn uid(&self) -> u32 {
        self.user.uid
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// A `known_hosts` line for every host key, under the name of `port`.
    pub(crate) fn known_hosts_at(&self, port: u16) -> String {
        let mut lines = String::new();
        for kind in &self.host_keys {
            let path = with_suffix(&self.host_key(kind), ".pub");
            let public = fs::read_to_string(path).unwrap();
            writeln!(lines, "[127.0.0.1]:{port} {}", public.trim()).unwrap();
        }
        lines
    }

    /// As [`Self::known_hosts_at`], for its own port.
    pub(crate) fn known_hosts(&self) -> String {
        self.known_hosts_at(self.port)
    }

    /// What it has written.
    pub(crate) fn log(&self) -> Log {
        self.server.as_ref().unwrap().log.clone()
    }

    /// Makes another key pair of any kind in its folder.
    pub(crate) fn make_key(&self, name: &str, kind: &str, passphrase: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        make_key(&path, kind, passphrase);
        path
    }

    /// Accepts one more key.
    pub(crate) fn authorize(&self, key: &Path) {
        let public = fs::read_to_string(with_suffix(key, ".pub")).unwrap();
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(self.authorized_keys())
            .unwrap();
        file.write_all(public.as_bytes()).unwrap();
    }

    /// Gives the host another key, and shows it from the next connection on.
    pub(crate) fn change_host_key(&mut self, kind: &str) {
        let path = self.host_key(kind);
        fs::remove_file(&path).unwrap();
        fs::remove_file(with_suffix(&path, ".pub")).unwrap();
        make_key(&path, kind, "");
        self.restart();
    }

    /// Ends the server and every session, as a reboot does.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            end_family(server.process.id());
            server.process.wait().unwrap();
        }
        if self.user.is_ours {
            for pid in processes_of(self.user.uid) {
                end(pid);
            }
        }
    }

    /// Starts it again on its port.
    pub(crate) fn start_again(&mut self) {
        assert!(self.server.is_none(), "it still runs");
        self.server = Some(self.launch(self.port).expect("its port is taken"));
    }

    /// [`Self::stop`] and [`Self::start_again`].
    pub(crate) fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Ends the processes that serve its connections, not the one that listens.
    pub(crate) fn end_sessions(&self) {
        let server = self.server.as_ref().unwrap().process.id();
        for pid in family(server).into_iter().filter(|pid| *pid != server) {
            end(pid);
        }
    }

    /// Processes of its sessions.
    pub(crate) fn session_processes(&self) -> Vec<u32> {
        let server = self.server.as_ref().unwrap().process.id();
        let mut all = family(server);
        all.retain(|pid| *pid != server);
        all
    }

    /// Nothing that was written or started here knows a secret.
    fn search(&self) {
        let Some(server) = &self.server else { return };
        let mut pids = family(server.process.id());
        if self.user.is_ours {
            pids.extend(processes_of(self.user.uid));
        }
        spilled::search_processes(&pids);
        spilled::search_files(self.folder.path());
        let said = server.log.lines().join("\n");
        assert!(
            !spilled::has_mark(said.as_bytes()) || std::thread::panicking(),
            "sshd was told a secret where it does not belong: {said}"
        );
    }

    fn write_config(&self, options: &SshdOptions) {
        let folder = self.folder.path().display();
        let mut lines = options.lines.clone();
        lines.extend(
            self.host_keys
                .iter()
                .map(|kind| format!("HostKey {folder}/host_{kind}")),
        );
        lines.push(format!("AuthorizedKeysFile {folder}/authorized_keys"));
        lines.extend(USUAL_LINES.map(str::to_owned));
        if !self.user.is_ours {
            let home = self.user.home.display();
            lines.push(format!("SetEnv HOME={home} XDG_CACHE_HOME={home}/.cache"));
        }
        lines.push(String::new());
        fs::write(self.folder.path().join("sshd_config"), lines.join("\n")).unwrap();
    }

    fn start_on_free_port(&mut self) {
        for _ in 0..20 {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            if let Some(server) = self.launch(port) {
                self.port = port;
                self.server = Some(server);
                return;
            }
        }
        panic!("sshd does not start");
    }

    /// `None` when it ended before it listened (somebody else took the port).
    fn launch(&self, port: u16) -> Option<Server> {
        if getuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let mut process = program(SSHD)
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(self.folder.path().join("sshd_config"))
            .args(["-o", &format!("ListenAddress=127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("openssh-server is needed: apt-get install openssh-server");
        let log = Log::follow(process.stderr.take().unwrap());
        if log.wait_for(&["Server listening on"]).is_some() {
            return Some(Server { process, log });
        }
        println!("sshd: {:?}", log.lines());
        process.wait().unwrap();
        None
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.search();
        self.stop();
        if self.user.is_ours {
            remove_user(&self.user.name);
        }
    }
}

impl Log {
    fn follow(stderr: std::process::ChildStderr) -> Self {
        let log = Self::default();
        let writer = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                writer.0.0.lock().unwrap().lines.push(line);
                writer.0.1.notify_all();
            }
            writer.0.0.lock().unwrap().is_over = true;
            writer.0.1.notify_all();
        });
        log
    }

    /// Everything so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    /// How many lines hold a text.
    pub(crate) fn count(&self, text: &str) -> usize {
        let state = self.0.0.lock().unwrap();
        state
            .lines
            .iter()
            .filter(|line| line.contains(text))
            .count()
    }

    /// Waits for a line with one of these texts, without keeping the runtime from its work.
    pub(crate) async fn heard(&self, texts: &'static [&'static str]) -> String {
        let log = self.clone();
        let waited = tokio::task::spawn_blocking(move || log.wait_for(texts));
        waited.await.unwrap().expect("the log ended")
    }

    /// Waits for a line with one of these texts. `None` when the log ended without.
    fn wait_for(&self, texts: &[&str]) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.0.0.lock().unwrap();
        loop {
            let is_wanted = |line: &&String| texts.iter().any(|text| line.contains(text));
            if let Some(line) = state.lines.iter().find(is_wanted) {
                return Some(line.clone());
            }
            if state.is_over {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no line with {texts:?}: {:?}", state.lines);
            state = self.0.1.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl User {
    fn new(folder: &Path, options: &SshdOptions) -> Self {
        let home = folder.join("home");
        fs::create_dir(&home).unwrap();
        if options.is_self || !getuid().is_root() {
            assert!(!options.has_password, "needs root");
            return Self {
                name: output(program("id").arg("-un")),
                home,
                is_ours: false,
                has_password: false,
                uid: getuid().as_raw(),
            };
        }
        remove_stale_users();
        let name = format!(
            "rc{}x{}",
            std::process::id(),
            NEXT_USER.fetch_add(1, Ordering::Relaxed)
        );
        let shell = options
            .shell
            .clone()
            .unwrap_or_else(|| PathBuf::from("/bin/sh"));
        // `*`: no password fits, and the account is not locked.
        run(program("useradd")
            .args(["--no-create-home", "--password", "*", "--home-dir"])
            .arg(&home)
            .arg("--shell")
            .arg(shell)
            .arg(&name));
        if options.has_password {
            set_password(&name);
        }
        let uid = output(program("id").args(["-u", &name])).parse().unwrap();
        chown(&home, Some(uid), None).unwrap();
        fs::set_permissions(&home, Permissions::from_mode(0o700)).unwrap();
        Self {
            name,
            home,
            is_ours: true,
            has_password: options.has_password,
            uid,
        }
    }
}

/// Any program a test needs.
#[expect(clippy::disallowed_methods, reason = "tests start real servers")]
pub(crate) fn program(name: &str) -> Command {
    Command::new(name)
}

/// Runs it to its end; it has to succeed.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// What it writes, without the last line end.
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a key pair.
pub(crate) fn make_key(path: &Path, kind: &str, passphrase: &str) {
    run(program("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path));
}

/// `path` with something appended.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn set_password(name: &str) {
    let mut chpasswd = program("chpasswd")
        .args(["--crypt-method", "SHA512"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = chpasswd.stdin.take().unwrap();
    writeln!(stdin, "{name}:{PASSWORD}").unwrap();
    drop(stdin);
    assert!(chpasswd.wait().unwrap().success());
}

fn remove_user(name: &str) {
    // Fails only when somebody else removed it.
    let removed = program("userdel").arg(name).output();
    if !removed.is_ok_and(|output| output.status.success()) {
        println!("the user {name} was not removed");
    }
}

/// Users of test processes that were killed.
fn remove_stale_users() {
    for line in fs::read_to_string("/etc/passwd")
        .unwrap_or_default()
        .lines()
    {
        let name = line.split(':').next().unwrap_or_default();
        let maker = name
            .strip_prefix("rc")
            .and_then(|rest| rest.split_once('x'))
            .and_then(|(pid, number)| number.parse::<u32>().ok().and(pid.parse::<u32>().ok()));
        if let Some(pid) = maker
            && !Path::new(&format!("/proc/{pid}")).exists()
        {
            remove_user(name);
        }
    }
}

/// Kills a process.
pub(crate) fn end(pid: u32) {
    if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
        // It may have ended by itself.
        kill_process(pid, Signal::KILL).unwrap_or_default();
    }
}

/// Ends a process and everything below it. What is halted starts nothing any more, so nobody slips away meanwhile.
fn end_family(of: u32) {
    let mut halted = Vec::new();
    loop {
        let found = family(of);
        if found.iter().all(|pid| halted.contains(pid)) {
            break;
        }
        for pid in &found {
            if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                // It may have ended by itself.
                kill_process(pid, Signal::STOP).unwrap_or_default();
            }
        }
        halted = found;
    }
    for pid in halted {
        end(pid);
    }
}

/// A process and everything below it.
fn family(of: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = processes()
        .filter_map(|pid| Some((pid, status_field(pid, "PPid:")?)))
        .collect();
    let mut found = vec![of];
    let mut index = 0;
    while index < found.len() {
        let parent = found[index];
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        index += 1;
    }
    found
}

/// All processes of a user.
pub(crate) fn processes_of(uid: u32) -> Vec<u32> {
    processes()
        .filter(|pid| status_field(*pid, "Uid:") == Some(uid))
        .collect()
}

fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn status_field(pid: u32, field: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .ok()?
        .lines()
        .find_map(|line| line.strip_prefix(field))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}
