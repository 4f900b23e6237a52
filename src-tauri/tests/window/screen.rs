//! A display without a screen, a session bus and folders of one's own: what one desktop user has.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use serde_json::json;
use tempfile::TempDir;

use crate::programs::{Running, program, wait_until};

/// The app's own sign that it has started again already: on a busy machine a slow first picture is no reason to.
pub(crate) const STAY: &str = "--safe-rendering";

/// The app that was built with these tests, or the installed one that `RUNICORN_DESKTOP` names.
pub(crate) fn app_under_test() -> OsString {
    env::var_os("RUNICORN_DESKTOP").unwrap_or_else(|| env!("CARGO_BIN_EXE_runicorn-desktop").into())
}

/// One user's desktop. All processes end and all folders go with it.
pub(crate) struct Screen {
    display: String,
    bus: String,
    home: TempDir,
    _x_server: Running,
    _bus_daemon: Running,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let mut x_server = Running::start(program("Xvfb").args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1440x900x24",
            "-nolisten",
            "tcp",
        ]));
        let display = format!(
            ":{}",
            x_server
                .line_where("a number", |line| line.trim().parse::<u16>().is_ok())
                .trim()
        );
        let mut bus_daemon = Running::start(program("dbus-daemon").args([
            "--session",
            "--nofork",
            "--print-address=1",
        ]));
        let bus = bus_daemon.line_with("unix:").trim().to_owned();
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("bin")).unwrap();
        let screen = Self {
            display,
            bus,
            home,
            _x_server: x_server,
            _bus_daemon: bus_daemon,
        };
        screen.write_browser();
        screen.write_runs();
        screen
    }

    /// The X display's name.
    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    /// The session bus's address.
    pub(crate) fn bus(&self) -> &str {
        &self.bus
    }

    /// The storage root that the app shows.
    pub(crate) fn root(&self) -> PathBuf {
        self.home.path().join("root")
    }

    /// The state folder of the app.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join("data/runicorn-desktop")
    }

    /// A run that runs in this process, below a storage root.
    pub(crate) fn write_run(root: &Path, id: &str, alias: &str) {
        let folder = root.join("runs/night").join(id);
        fs::create_dir_all(&folder).unwrap();
        // A process that began long after its run would be somebody else's.
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let meta = json!({
            "id": id, "path": "night", "alias": alias, "created_at": now,
            "pid": std::process::id(), "hostname": host.trim()
        });
        fs::write(folder.join("meta.json"), meta.to_string()).unwrap();
        Self::say(root, id, "running");
    }

    /// Gives such a run another status.
    pub(crate) fn say(root: &Path, id: &str, status: &str) {
        let file = root.join("runs/night").join(id).join("status.json");
        let status = json!({"status": status, "started_at": 1.0});
        fs::write(file, status.to_string()).unwrap();
    }

    /// The user's own ssh configuration.
    pub(crate) fn write_ssh_config(&self, text: &str) {
        let folder = self.home.path().join(".ssh");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("config"), text).unwrap();
    }

    /// Gives the app the viewer that was built beside it to carry to other machines, without what only debuggers read. An
    /// installed app carries its own.
    pub(crate) fn carry_viewer(&self) {
        let app = app_under_test();
        let beside = Path::new(&app).with_file_name("runicorn-viewer");
        if env::var_os("RUNICORN_DESKTOP").is_some() {
            return;
        }
        let folder = self.viewers();
        fs::create_dir_all(&folder).unwrap();
        let mut strip = program("strip");
        strip
            .arg("-o")
            .arg(folder.join("runicorn-viewer"))
            .arg(beside);
        assert!(strip.status().unwrap().success());
    }

    fn viewers(&self) -> PathBuf {
        self.home.path().join("viewers")
    }

    /// Waits until an address is handed to the person's browser, which starts in its own time.
    pub(crate) fn wait_until_opened(&self, address: &str) {
        wait_until(&format!("{address} in the browser"), || {
            let opened = fs::read_to_string(self.home.path().join("opened")).ok()?;
            opened.lines().any(|line| line == address).then_some(())
        });
    }

    /// Gives a program this user's surroundings and nothing of the real one's.
    pub(crate) fn surround<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let home = self.home.path();
        let path = format!("{}:{}", home.join("bin").display(), env!("PATH"));
        command
            .env("PATH", path)
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("HOME", home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("RUNICORN_DIR", self.root())
            .env("RUNICORN_VIEWERS", self.viewers())
            .env("LANG", "C.UTF-8")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("WAYLAND_DISPLAY")
    }

    /// The desktop app for this user.
    pub(crate) fn app(&self, arguments: &[&str]) -> Running {
        let mut command = program(app_under_test());
        Running::start(self.surround(command.args(["--log-level", "debug"]).args(arguments)))
    }

    /// A browser that only notes what it was asked to open.
    fn write_browser(&self) {
        use std::os::unix::fs::PermissionsExt;
        let script = self.home.path().join("bin/xdg-open");
        fs::write(
            &script,
            format!(
                "#!/bin/sh\necho \"$1\" >> '{}'\n",
                self.home.path().join("opened").display()
            ),
        )
        .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The recorded runs of 0.7.2, without their database, moved to where they lie now.
    fn write_runs(&self) {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/runicorn-0.7.2/root");
        let root = self.root();
        copy(&recorded, &root, &root.display().to_string());
    }
}

fn copy(from: &Path, to: &Path, root: &str) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            copy(&entry.path(), &to.join(entry.file_name()), root);
        }
    } else if from
        .extension()
        .is_some_and(|ending| ending == "json" || ending == "jsonl")
    {
        let text =
            String::from_utf8_lossy(&fs::read(from).unwrap()).replace("/tmp/fixture-root", root);
        fs::write(to, text).unwrap();
    } else if from.extension().is_none_or(|ending| ending != "db") {
        fs::copy(from, to).unwrap();
    }
}

impl Drop for Screen {
    /// A failed test shows what the app itself logged.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.state().join("logs/viewer.log"));
            println!("the app's log:\n{}", log.unwrap_or_default());
        }
    }
}
