//! The real viewer, running for as long as the value lives.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{needs::python, places, programs::program, viewer::folders_below};

pub(super) struct RealViewer {
    child: Child,
    /// `host:port`.
    pub(super) address: String,
}

impl RealViewer {
    /// Starts it with a home of its own and waits until somebody listens.
    pub(super) fn start(root: &Path) -> Result<Self> {
        let home = places::target().join("bench/real-home");
        fs::create_dir_all(&home)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let python = python::bin(&places::pythons().join("rn7")).join("python");
        let child = program(python)
            .args([
                "-m",
                "runicorn",
                "viewer",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--storage",
            ])
            .arg(root)
            .envs(folders_below(&home))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("could not start the real viewer")?;
        let mut viewer = Self {
            child,
            address: format!("127.0.0.1:{port}"),
        };
        viewer.wait_until_it_listens()?;
        Ok(viewer)
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let end = Instant::now() + Duration::from_mins(2);
        while TcpStream::connect(&self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the real viewer ended with {status}");
            }
            ensure!(Instant::now() < end, "the real viewer does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for RealViewer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
