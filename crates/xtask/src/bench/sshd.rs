//! A real OpenSSH server on loopback for measurements: own keys, own far-side home, ended with the value.

use std::{
    fs,
    io::Read,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use crate::{
    programs::{capture, program, run},
    viewer::folders_below,
};

pub(super) struct Sshd {
    server: Child,
    folder: PathBuf,
    pub(super) port: u16,
    pub(super) user: String,
}

impl Sshd {
    /// Starts it in `folder`; `path` comes first in the far side's `PATH`.
    pub(super) fn start(folder: &Path, path: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("home"))?;
        for name in ["host", "key"] {
            run(program("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(name)))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        fs::write(folder.join("sshd_config"), config(folder, path, port))?;
        fs::copy(folder.join("key.pub"), folder.join("authorized_keys"))?;
        let server = program("/usr/sbin/sshd")
            .arg("-D")
            .arg("-f")
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start sshd")?;
        let sshd = Self {
            server,
            folder: folder.to_path_buf(),
            port,
            user: capture(program("id").arg("-un"))?.trim().to_owned(),
        };
        sshd.wait_until_it_speaks()?;
        Ok(sshd)
    }

    /// The key that is accepted.
    pub(super) fn key(&self) -> PathBuf {
        self.folder.join("key")
    }

    /// The home folder on the far side.
    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// `SHA256:…` of its host key.
    pub(super) fn fingerprint(&self) -> Result<String> {
        let line = capture(
            program("ssh-keygen")
                .arg("-lf")
                .arg(self.folder.join("host.pub")),
        )?;
        Ok(line
            .split_whitespace()
            .nth(1)
            .unwrap_or_default()
            .to_owned())
    }

    /// The line that an SSH client knows this server by.
    pub(super) fn known_hosts_line(&self) -> Result<String> {
        let public = fs::read_to_string(self.folder.join("host.pub"))?;
        Ok(format!("[127.0.0.1]:{} {public}", self.port))
    }

    fn wait_until_it_speaks(&self) -> Result<()> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let spoken = TcpStream::connect(("127.0.0.1", self.port))
                .and_then(|mut stream| stream.read_exact(&mut [0; 4]));
            if spoken.is_ok() {
                return Ok(());
            }
            ensure!(Instant::now() < end, "sshd does not answer");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

fn config(folder: &Path, path: &Path, port: u16) -> String {
    let at = folder.display();
    let home = folder.join("home");
    let mut variables = vec![format!(
        "PATH={}:/usr/local/bin:/usr/bin:/bin",
        path.display()
    )];
    variables
        .extend(folders_below(&home).map(|(name, value)| format!("{name}={}", value.display())));
    let variables = variables.join(" ");
    format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized_keys\n\
         PermitRootLogin yes\nStrictModes no\nUsePAM no\nPidFile none\nMaxStartups 100\nSubsystem sftp internal-sftp\n\
         SetEnv {variables}\n"
    )
}
