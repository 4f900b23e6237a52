//! The scripts of a session in every shell that may be `/bin/sh` somewhere, with a stand-in for the viewer.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::sshd::program;

const PROCESS: &str = include_str!("../../../src/viewer/process.sh");
const KEEPER: &str = include_str!("../../../src/viewer/keeper.sh");
const FAR: &str = include_str!("../../../src/viewer/far.sh");
/// Far more than anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A viewer as far as these scripts care.
const OBEDIENT: &str = "#!/bin/sh\necho '{\"ready\":true}'\nwhile :; do sleep 1; done\n";
const STUBBORN: &str =
    "#!/bin/sh\ntrap '' TERM\necho '{\"ready\":true}'\nwhile :; do sleep 1; done\n";
const BROKEN: &str = "#!/bin/sh\necho no >&2\nexit 7\n";

/// The shells that this machine has.
fn shells() -> Vec<Vec<&'static str>> {
    let all = [
        vec!["dash"],
        vec!["bash", "--posix"],
        vec!["bash"],
        vec!["busybox", "sh"],
        vec!["ksh"],
        vec!["mksh"],
    ];
    let is_here = |shell: &[&str]| {
        program("sh")
            .args(["-c", "command -v \"$0\"", shell[0]])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let here: Vec<_> = all.into_iter().filter(|shell| is_here(shell)).collect();
    assert!(here.len() >= 2, "{here:?}");
    here
}

/// The far end of a line, without SSH.
struct Line {
    shell: String,
    process: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Line {
    fn open(shell: &[&str], home: &Path, lease_ticks: u32) -> Self {
        let mut process = program(shell[0])
            .args(&shell[1..])
            .arg("-c")
            .arg(format!("{PROCESS}\n{FAR}"))
            .arg("far")
            .arg(format!("{PROCESS}\n{KEEPER}"))
            .args(["no watcher", &lease_ticks.to_string(), "1", "1"])
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = Self {
            shell: shell.join(" "),
            stdin: process.stdin.take(),
            stdout: BufReader::new(process.stdout.take().unwrap()),
            process,
        };
        let hello = line.answer();
        assert!(hello.iter().any(|line| line.starts_with("system Linux")));
        line
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "{} ended", self.shell);
        line.trim_end_matches('\n').to_owned()
    }

    fn answer(&mut self) -> Vec<String> {
        std::iter::from_fn(|| Some(self.next()).filter(|line| line != ".")).collect()
    }

    fn ask(&mut self, command: &[&str]) -> Vec<String> {
        let stdin = self.stdin.as_mut().unwrap();
        stdin
            .write_all((command.join("\n") + "\n").as_bytes())
            .unwrap();
        self.answer()
    }

    fn beat(&mut self, number: u32) -> String {
        writeln!(self.stdin.as_mut().unwrap(), "b {number}").unwrap();
        self.next()
    }

    /// The folder of a new session.
    fn folder(&mut self, id: &str) -> String {
        let answer = self.ask(&["folder", id, "owner"]);
        let [line] = &answer[..] else {
            panic!("{answer:?}");
        };
        line.strip_prefix("dir ").unwrap().to_owned()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stdin = None;
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

struct Bench {
    home: TempDir,
    viewer: PathBuf,
}

impl Bench {
    fn new(viewer: &str) -> Self {
        let home = tempfile::Builder::new()
            .prefix("rc far '")
            .tempdir()
            .unwrap();
        let path = home.path().join("a viewer");
        fs::write(&path, viewer).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { home, viewer: path }
    }

    fn start(&self, line: &mut Line, id: &str) -> (String, Vec<String>) {
        let dir = line.folder(id);
        let viewer = self.viewer.display().to_string();
        let answer = line.ask(&["bundled", &dir, &viewer, "~/runs", "socket"]);
        (dir, answer)
    }

    /// Command lines of the processes that have this home.
    fn processes(&self) -> Vec<(u32, String)> {
        let home = format!("HOME={}", self.home.path().display());
        let numbers = fs::read_dir("/proc").unwrap().flatten();
        numbers
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter_map(|pid| {
                let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
                let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
                let is_ours = environment
                    .split(|byte| *byte == 0)
                    .any(|entry| entry == home.as_bytes());
                (is_ours && !line.is_empty())
                    .then(|| (pid, String::from_utf8_lossy(&line).replace('\0', " ")))
            })
            .collect()
    }

    fn wait_until_gone(&self, dir: &str) {
        let until = Instant::now() + PATIENCE;
        while Path::new(dir).exists() || !self.processes().is_empty() {
            assert!(Instant::now() < until, "{dir}: {:?}", self.processes());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn pid_of(answer: &[String]) -> u32 {
    let line = answer.iter().find_map(|line| line.strip_prefix("pid "));
    line.unwrap().parse().unwrap()
}

#[test]
fn every_shell_starts_watches_and_ends_a_viewer() {
    for shell in shells() {
        let bench = Bench::new(OBEDIENT);
        let mut line = Line::open(&shell, bench.home.path(), 60);
        let (dir, answer) = bench.start(&mut line, "0000000a");
        let pid = pid_of(&answer);
        assert_eq!(
            answer.last().unwrap(),
            "ready {\"ready\":true}",
            "{shell:?}"
        );
        assert_eq!(line.beat(1), format!("b 1 up {pid}"), "{shell:?}");
        let folder = fs::metadata(&dir).unwrap().permissions().mode() & 0o777;
        assert_eq!(folder, 0o700);
        let started = bench
            .processes()
            .into_iter()
            .find(|(other, _)| *other == pid);
        let root = bench.home.path().join("runs").display().to_string();
        assert!(
            started.unwrap().1.contains(&root),
            "~ is the home: {shell:?}"
        );
        let stopped = line.ask(&["stop", "0000000a", "owner", "0", "-"]);
        assert_eq!(stopped, [format!("ended {pid} term")], "{shell:?}");
        drop(line);
        bench.wait_until_gone(&dir);
    }
}

#[test]
fn every_shell_kills_a_viewer_that_does_not_listen() {
    for shell in shells() {
        let bench = Bench::new(STUBBORN);
        let mut line = Line::open(&shell, bench.home.path(), 60);
        let (dir, answer) = bench.start(&mut line, "0000000b");
        let pid = pid_of(&answer);
        let stopped = line.ask(&["stop", "0000000b", "owner", "0", "-"]);
        assert_eq!(stopped, [format!("ended {pid} kill")], "{shell:?}");
        drop(line);
        bench.wait_until_gone(&dir);
    }
}

#[test]
fn every_shell_ends_everything_when_the_lease_is_over() {
    for shell in shells() {
        for viewer in [OBEDIENT, STUBBORN] {
            let bench = Bench::new(viewer);
            let mut line = Line::open(&shell, bench.home.path(), 2);
            let (dir, _) = bench.start(&mut line, "0000000c");
            drop(line);
            bench.wait_until_gone(&dir);
        }
    }
}

#[test]
fn every_shell_tells_how_a_viewer_died() {
    for shell in shells() {
        let bench = Bench::new(BROKEN);
        let mut line = Line::open(&shell, bench.home.path(), 60);
        let (dir, answer) = bench.start(&mut line, "0000000d");
        assert_eq!(answer.last().unwrap(), "dead 7", "{shell:?}");
        assert_eq!(line.beat(9), "b 9 down 7");
        assert_eq!(line.ask(&["log", &dir, "5"]), ["l no"]);
        let stopped = line.ask(&["stop", "0000000d", "owner", "0", "-"]);
        assert!(stopped[0].ends_with(" gone"), "{stopped:?}");
        drop(line);
        bench.wait_until_gone(&dir);
    }
}

#[test]
fn every_shell_hands_a_session_over_to_a_new_line_and_to_no_stranger() {
    for shell in shells() {
        let bench = Bench::new(OBEDIENT);
        let mut first = Line::open(&shell, bench.home.path(), 60);
        let (dir, answer) = bench.start(&mut first, "0000000e");
        let pid = pid_of(&answer);
        let mut second = Line::open(&shell, bench.home.path(), 60);
        assert_eq!(second.ask(&["folder", "0000000e", "other"]), ["taken"]);
        assert_eq!(second.ask(&["attach", &dir, "other"]), ["gone"]);
        assert!(
            second
                .ask(&["stop", "0000000e", "other", "0", "-"])
                .is_empty()
        );
        assert_eq!(
            second.ask(&["attach", &dir, "owner"]),
            [format!("up {pid}")]
        );
        let status = first.process.wait().unwrap();
        assert!(!status.success(), "the older line is ended: {shell:?}");
        assert_eq!(second.beat(2), format!("b 2 up {pid}"));
        second.ask(&["stop", "0000000e", "owner", "0", "-"]);
        drop((first, second));
        bench.wait_until_gone(&dir);
    }
}

#[test]
fn a_number_that_was_used_again_is_no_process_of_ours() {
    let bench = Bench::new(OBEDIENT);
    let mut stranger = program("sleep").arg("600").spawn().unwrap();
    for shell in shells() {
        let mut line = Line::open(&shell, bench.home.path(), 60);
        let dir = line.folder("0000000f");
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let number = format!("{} 1", stranger.id());
        let state = format!("{machine}{boot}{number}\n{number}\n{number}\n");
        fs::write(Path::new(&dir).join("state"), state).unwrap();
        let mut other = Line::open(&shell, bench.home.path(), 60);
        let swept = other.ask(&["sweep"]);
        assert_eq!(
            swept,
            [format!("ended {} gone 0000000f", stranger.id())],
            "{shell:?}"
        );
        assert!(!Path::new(&dir).exists());
    }
    assert!(stranger.try_wait().unwrap().is_none(), "it was killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn sweeping_leaves_living_sessions_and_the_last_three_viewers() {
    for shell in shells() {
        let bench = Bench::new(OBEDIENT);
        let mut line = Line::open(&shell, bench.home.path(), 60);
        let (dir, answer) = bench.start(&mut line, "00000010");
        let viewers = bench.home.path().join(".cache/runicorn-desktop/viewers");
        for number in 0..5 {
            let folder = viewers.join(format!("{number:064x}"));
            fs::create_dir_all(&folder).unwrap();
            let used = format!("2024-01-0{}T00:00:00", number + 1);
            assert!(
                program("touch")
                    .args(["-d", &used])
                    .arg(&folder)
                    .status()
                    .unwrap()
                    .success()
            );
        }
        fs::create_dir(viewers.join("something else")).unwrap();
        let mut other = Line::open(&shell, bench.home.path(), 60);
        assert!(other.ask(&["sweep"]).is_empty(), "{shell:?}");
        assert_eq!(line.beat(1), format!("b 1 up {}", pid_of(&answer)));
        let mut left: Vec<_> = fs::read_dir(&viewers)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let kept: Vec<_> = (2..5).map(|number| format!("{number:064x}")).collect();
        assert_eq!(left[..3], kept[..], "{shell:?}");
        assert_eq!(left[3..], ["something else"]);
        line.ask(&["stop", "00000010", "owner", "0", "-"]);
        drop((line, other));
        bench.wait_until_gone(&dir);
    }
}

#[test]
fn a_place_that_somebody_prepared_is_not_used() {
    for shell in shells() {
        let bench = Bench::new(OBEDIENT);
        let elsewhere = tempfile::tempdir().unwrap();
        let cache = bench.home.path().join(".cache");
        fs::create_dir(&cache).unwrap();
        symlink(elsewhere.path(), cache.join("runicorn-desktop")).unwrap();
        let mut line = Line::open(&shell, bench.home.path(), 60);
        let answer = line.ask(&["folder", "00000011", "owner"]);
        let next = bench
            .home
            .path()
            .join(".local/state/runicorn-desktop/sessions/00000011");
        assert_eq!(
            answer.last().unwrap(),
            &format!("dir {}", next.display()),
            "{shell:?}"
        );
        assert!(fs::read_dir(elsewhere.path()).unwrap().next().is_none());
    }
}
