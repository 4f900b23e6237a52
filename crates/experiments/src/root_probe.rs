//! Is the storage root there, and does it answer?
//!
//! A system call on a dead network mount can hang for minutes. So the root is looked at by a thread of its own, and whoever asks waits
//! for it only so long; a look that does not come back makes the root stale until it does.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::error::is_unreachable;
use crate::layout;
use crate::run_dir::RootDir;

/// A look that takes longer makes the root stale.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1500);
/// Opening a root waits so long for what the first look finds; a healthy one answers in less than a millisecond.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// What a look found this long ago is looked at again when somebody asks.
const FRESH: Duration = Duration::from_secs(1);

/// How the storage root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootCondition {
    /// It can be read and written.
    Ok,
    /// There is no such folder.
    Missing,
    /// It is there, but cannot be read.
    Unreadable,
    /// It can be read only.
    ReadOnly,
    /// The file system does not answer.
    Stale,
}

impl RootCondition {
    /// The stable word of the condition.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::ReadOnly => "read_only",
            Self::Stale => "stale",
        }
    }

    /// Whether runs can be read.
    pub fn is_readable(self) -> bool {
        matches!(self, Self::Ok | Self::ReadOnly)
    }
}

/// What a look at the root found.
#[derive(Debug, Clone)]
pub(crate) struct RootLook {
    pub(crate) condition: RootCondition,
    pub(crate) detail: Option<String>,
    pub(crate) root: Option<Arc<RootDir>>,
}

impl RootLook {
    fn failed(condition: RootCondition, detail: String) -> Self {
        Self {
            condition,
            detail: Some(detail),
            root: None,
        }
    }

    /// Opens the root and looks whether it can be read and written. May hang as long as the file system does.
    pub(crate) fn take(path: &Path) -> Self {
        let opened = RootDir::open(path).and_then(|root| root.dir.entries().map(|_| root));
        let root = match opened {
            Ok(root) => root,
            Err(error) => return Self::from_error(path, &error),
        };
        if let Err(error) = root.dir.read_dir(layout::RUNS).map(drop)
            && error.kind() == io::ErrorKind::PermissionDenied
        {
            return Self::failed(
                RootCondition::Unreadable,
                format!("{}/{}: {error}", path.display(), layout::RUNS),
            );
        }
        let writable = is_writable(&root);
        Self {
            condition: if writable {
                RootCondition::Ok
            } else {
                RootCondition::ReadOnly
            },
            detail: (!writable).then(|| {
                format!(
                    "{} cannot be written; tags, deleting and moving are not possible",
                    path.display()
                )
            }),
            root: Some(Arc::new(root)),
        }
    }

    fn from_error(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => {
                let detail = format!(
                    "{} does not exist; it may have been moved or its drive is not connected",
                    path.display()
                );
                Self::failed(RootCondition::Missing, detail)
            }
            io::ErrorKind::NotADirectory => Self::failed(
                RootCondition::Missing,
                format!("{} is not a folder", path.display()),
            ),
            _ if is_unreachable(error) => {
                Self::failed(RootCondition::Stale, format!("{}: {error}", path.display()))
            }
            _ => Self::failed(
                RootCondition::Unreadable,
                format!("{}: {error}", path.display()),
            ),
        }
    }
}

#[cfg(unix)]
fn is_writable(root: &RootDir) -> bool {
    use rustix::fs::{Access, AtFlags, accessat};
    let writable = |name: &str| accessat(&root.dir, name, Access::WRITE_OK, AtFlags::EACCESS);
    match writable(layout::RUNS) {
        Err(rustix::io::Errno::NOENT) => writable(".").is_ok(),
        answer => answer.is_ok(),
    }
}

#[cfg(not(unix))]
fn is_writable(root: &RootDir) -> bool {
    root.dir
        .dir_metadata()
        .is_ok_and(|metadata| !metadata.permissions().readonly())
}

/// How a look is taken; another one in tests.
pub(crate) type TakeLook = Arc<dyn Fn(&Path) -> RootLook + Send + Sync>;

struct Probing {
    wanted: u64,
    done: u64,
    busy_since: Option<Instant>,
    /// Somebody has waited in vain for the look that is being taken.
    hangs: bool,
    last: Option<RootLook>,
    looked_at: Option<Instant>,
    closed: bool,
}

impl Probing {
    fn is_old(&self) -> bool {
        let waits = self.done < self.wanted;
        !waits && self.looked_at.is_none_or(|at| at.elapsed() > FRESH)
    }
}

struct Inner {
    path: PathBuf,
    take: TakeLook,
    probing: Mutex<Probing>,
    changed: Condvar,
}

/// Looks at a root from a thread of its own.
pub(crate) struct RootProbe(Arc<Inner>);

impl std::fmt::Debug for RootProbe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RootProbe").field(&self.0.path).finish()
    }
}

impl RootProbe {
    pub(crate) fn start(path: &Path, take: TakeLook) -> io::Result<Self> {
        let inner = Arc::new(Inner {
            path: path.to_owned(),
            take,
            probing: Mutex::new(Probing {
                wanted: 1,
                done: 0,
                busy_since: None,
                hangs: false,
                last: None,
                looked_at: None,
                closed: false,
            }),
            changed: Condvar::new(),
        });
        let worker = Arc::clone(&inner);
        std::thread::Builder::new()
            .name("root-probe".to_owned())
            .spawn(move || worker.work())?;
        inner.wait_for_first_look();
        Ok(Self(inner))
    }

    /// The root.
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path.clone()
    }

    /// Looks now, and waits for the answer at most [`PATIENCE`].
    pub(crate) fn look(&self) -> RootLook {
        let until = Instant::now() + PATIENCE;
        let mut probing = self.0.probing.lock();
        if probing.hangs {
            return self.0.answer(&probing);
        }
        probing.wanted += 1;
        let ticket = probing.wanted;
        self.0.changed.notify_all();
        while probing.done < ticket && !probing.closed {
            if self.0.changed.wait_until(&mut probing, until).timed_out() {
                probing.hangs = probing.done < ticket;
                break;
            }
        }
        self.0.answer(&probing)
    }

    /// What the last look found. Never waits: an old look is taken again meanwhile, so that a root which stops answering is
    /// noticed by whoever asks, whatever other threads are stuck in it.
    pub(crate) fn last(&self) -> RootLook {
        let mut probing = self.0.probing.lock();
        if probing.is_old() {
            probing.wanted += 1;
            self.0.changed.notify_all();
        }
        self.0.answer(&probing)
    }
}

impl Drop for RootProbe {
    fn drop(&mut self) {
        self.0.probing.lock().closed = true;
        self.0.changed.notify_all();
    }
}

impl Inner {
    /// A root that answers is known from the start; one that does not holds nobody up.
    fn wait_for_first_look(&self) {
        let until = Instant::now() + FIRST_LOOK;
        let mut probing = self.probing.lock();
        while probing.last.is_none() {
            if self.changed.wait_until(&mut probing, until).timed_out() {
                return;
            }
        }
    }

    fn answer(&self, probing: &Probing) -> RootLook {
        let hangs = probing.hangs
            || probing
                .busy_since
                .is_some_and(|since| since.elapsed() >= PATIENCE);
        match &probing.last {
            Some(last) if !hangs => last.clone(),
            None if !hangs => RootLook::failed(
                RootCondition::Stale,
                format!("{} was not looked at yet", self.path.display()),
            ),
            _ => {
                let detail = format!(
                    "{} does not answer; a network drive may be disconnected",
                    self.path.display()
                );
                RootLook::failed(RootCondition::Stale, detail)
            }
        }
    }

    fn work(&self) {
        loop {
            let serving = {
                let mut probing = self.probing.lock();
                while probing.done >= probing.wanted && !probing.closed {
                    self.changed.wait(&mut probing);
                }
                if probing.closed {
                    return;
                }
                probing.busy_since = Some(Instant::now());
                probing.wanted
            };
            let look = (self.take)(&self.path);
            let mut probing = self.probing.lock();
            probing.busy_since = None;
            probing.hangs = false;
            probing.last = Some(look);
            probing.looked_at = Some(Instant::now());
            probing.done = serving;
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn probe(path: &Path) -> RootProbe {
        RootProbe::start(path, Arc::new(RootLook::take)).unwrap()
    }

    #[test]
    fn a_missing_root_is_said_and_seen_again_when_it_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root");
        let probe = probe(&path);
        assert_eq!(probe.look().condition, RootCondition::Missing);
        std::fs::create_dir(&path).unwrap();
        assert_eq!(probe.look().condition, RootCondition::Ok);
        std::fs::remove_dir(&path).unwrap();
        let gone = probe.look();
        assert_eq!(gone.condition, RootCondition::Missing);
        assert!(gone.detail.unwrap().contains("does not exist"));
        std::fs::write(&path, "a file").unwrap();
        assert!(probe.look().detail.unwrap().contains("not a folder"));
    }

    #[test]
    fn a_root_that_hangs_is_stale_until_it_answers() {
        let folder = tempfile::tempdir().unwrap();
        let (answer, hang) = mpsc::channel::<()>();
        let hang = Mutex::new(hang);
        let take = move |path: &Path| {
            hang.lock().recv().unwrap_or_default();
            RootLook::take(path)
        };
        let probe = RootProbe::start(folder.path(), Arc::new(take)).unwrap();
        assert_eq!(probe.look().condition, RootCondition::Stale);
        let again = Instant::now();
        for _ in 0..40 {
            assert_eq!(probe.look().condition, RootCondition::Stale);
        }
        assert!(again.elapsed() < PATIENCE * 20, "nobody waits twice");
        drop(answer);
        while probe.last().condition == RootCondition::Stale {
            std::thread::yield_now();
        }
        assert_eq!(probe.look().condition, RootCondition::Ok);
    }

    #[test]
    fn a_root_that_stops_answering_is_noticed_by_asking_how_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (answer, hang) = mpsc::channel::<()>();
        let hang = Mutex::new(hang);
        let take = move |path: &Path| {
            hang.lock().recv().unwrap_or_default();
            RootLook::take(path)
        };
        let probe = RootProbe::start(folder.path(), Arc::new(take)).unwrap();
        answer.send(()).unwrap();
        while probe.last().condition != RootCondition::Ok {
            std::thread::yield_now();
        }
        while probe.last().condition != RootCondition::Stale {
            std::thread::yield_now();
        }
        drop(answer);
        while probe.last().condition != RootCondition::Ok {
            std::thread::yield_now();
        }
    }
}
