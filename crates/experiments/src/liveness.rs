//! Is a run that is recorded as running still running?
//!
//! The SDK writes no heartbeat. What speaks is the status word, the process (pid and start time, on the host that the run names) and
//! the growth of the files. A run of another host stays as recorded. The verdict is computed at each look and written by nobody but
//! [`check_statuses`], the documented status check.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use parking_lot::Mutex;
use sysinfo::{Pid, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};

use crate::run::{RunRow, RunStatus, StatusReason};

/// A run whose process cannot be asked counts as stalled when nothing was written for this long.
pub const STALLED_AFTER_SECS: f64 = 15.0 * 60.0;
/// A process that started this much after a run was created is not the run's: the pid was given away again.
const START_SLACK_SECS: f64 = 10.0;
/// Parts of a directory name by which the real server knows mirrored runs; their processes live elsewhere.
const MIRRORED: [&str; 3] = [".runicorn_remote_cache", "remote_cache", "_remote_"];

/// The processes of this machine.
pub trait ProcessTable: Send + Sync + fmt::Debug {
    /// When the process started, in Unix seconds; `None` when no process has that pid.
    fn started_at(&self, pid: u32) -> Option<f64>;

    /// Whether the system can be asked at all; without it nobody counts as gone.
    fn can_answer(&self) -> bool {
        true
    }
}

/// The processes that the operating system knows.
pub struct SystemProcesses(Mutex<Option<System>>);

impl Default for SystemProcesses {
    fn default() -> Self {
        Self(Mutex::new(System::new().ok()))
    }
}

impl fmt::Debug for SystemProcesses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemProcesses")
    }
}

impl ProcessTable for SystemProcesses {
    fn can_answer(&self) -> bool {
        self.0.lock().is_some()
    }

    fn started_at(&self, pid: u32) -> Option<f64> {
        let pid = Pid::from_u32(pid);
        let mut system = self.0.lock();
        let system = system.as_mut()?;
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            true,
            ProcessRefreshKind::nothing(),
        );
        let process = system.process(pid)?;
        let ended = matches!(
            process.status(),
            ProcessStatus::Zombie | ProcessStatus::Dead
        );
        (!ended && process.thread_kind().is_none()).then(|| process.start_time() as f64)
    }
}

/// What the system says about the process of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// A process of that pid lives and is old enough to be the run's.
    Alive,
    /// No such process, or one that started after the run.
    Gone,
    /// The run names another host.
    OtherHost,
    /// The run names no process, or is a mirror of another machine's.
    Unknown,
}

impl ProcessState {
    /// The stable word of the state.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Gone => "gone",
            Self::OtherHost => "other_host",
            Self::Unknown => "unknown",
        }
    }
}

/// What a look needs to know about its surroundings. Made anew for each look over a list, so that each pid is asked about once.
pub struct Look<'a> {
    /// This machine's name, as the SDK records it.
    pub host_name: &'a str,
    /// The storage root.
    pub root: &'a Path,
    /// Unix seconds.
    pub now: f64,
    processes: &'a dyn ProcessTable,
    asked: HashMap<u32, Option<f64>>,
}

impl<'a> Look<'a> {
    /// A look at this moment.
    pub fn new(host_name: &'a str, root: &'a Path, processes: &'a dyn ProcessTable) -> Self {
        Self {
            host_name,
            root,
            now: now(),
            processes,
            asked: HashMap::new(),
        }
    }

    /// What the system says about the process of a run.
    pub fn process_of(&mut self, row: &RunRow) -> ProcessState {
        let own_host = row
            .hostname
            .as_deref()
            .is_none_or(|host| host.is_empty() || host == self.host_name);
        if !own_host {
            return ProcessState::OtherHost;
        }
        let directory = self
            .root
            .join(&row.directory)
            .to_string_lossy()
            .to_lowercase();
        if !row.has_meta
            || !self.processes.can_answer()
            || MIRRORED.iter().any(|part| directory.contains(part))
        {
            return ProcessState::Unknown;
        }
        let Some(pid) = row.pid.filter(|pid| *pid != 0) else {
            return ProcessState::Unknown;
        };
        let processes = self.processes;
        let started = u32::try_from(pid).ok().and_then(|pid| {
            *self
                .asked
                .entry(pid)
                .or_insert_with(|| processes.started_at(pid))
        });
        match started {
            Some(started)
                if !row.created_at_is_guess && started > row.created_at + START_SLACK_SECS =>
            {
                ProcessState::Gone
            }
            Some(_) => ProcessState::Alive,
            None => ProcessState::Gone,
        }
    }

    /// The word to show for a run, and which sign spoke.
    pub fn verdict(&mut self, row: &RunRow) -> (String, StatusReason) {
        if RunStatus::from_word(&row.recorded_status) != RunStatus::Running {
            return (row.recorded_status.clone(), row.recorded_reason);
        }
        let word = || row.recorded_status.clone();
        match self.process_of(row) {
            ProcessState::Alive => (word(), StatusReason::ProcessAlive),
            ProcessState::Gone => ("failed".to_owned(), StatusReason::ProcessGone),
            ProcessState::OtherHost => (word(), StatusReason::OtherHost),
            ProcessState::Unknown => {
                let idle_secs = row
                    .last_write_at
                    .map_or(f64::INFINITY, |last| self.now - last);
                let stalled = idle_secs > STALLED_AFTER_SECS;
                (
                    word(),
                    if stalled {
                        StatusReason::Stalled
                    } else {
                        StatusReason::Growing
                    },
                )
            }
        }
    }
}

/// Unix seconds of this moment.
pub(crate) fn now() -> f64 {
    crate::index::record::seconds(crate::run_dir::nanoseconds(std::time::SystemTime::now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Layout, RunId, RunPath};

    #[derive(Debug)]
    struct Fake(Vec<(u32, f64)>);

    impl ProcessTable for Fake {
        fn started_at(&self, pid: u32) -> Option<f64> {
            self.0
                .iter()
                .find(|(known, _)| *known == pid)
                .map(|(_, started)| *started)
        }
    }

    fn running(change: impl FnOnce(&mut RunRow)) -> RunRow {
        let mut row = RunRow::empty(
            RunId::new("id").unwrap(),
            RunPath::default(),
            "runs/id",
            Layout::Current,
        );
        row.recorded_status = "running".to_owned();
        row.has_meta = true;
        row.hostname = Some("here".to_owned());
        row.pid = Some(7);
        row.created_at = 1000.0;
        row.created_at_is_guess = false;
        change(&mut row);
        row
    }

    fn check(
        change: impl FnOnce(&mut RunRow),
        processes: &[(u32, f64)],
        expected: (&str, StatusReason),
    ) {
        let fake = Fake(processes.to_vec());
        let mut look = Look::new("here", Path::new("/root"), &fake);
        look.now = 100_000.0;
        let (word, reason) = look.verdict(&running(change));
        assert_eq!((word.as_str(), reason), expected);
    }

    #[test]
    fn a_live_process_keeps_a_run_running() {
        check(
            |_| {},
            &[(7, 900.0)],
            ("running", StatusReason::ProcessAlive),
        );
        check(
            |row| row.hostname = None,
            &[(7, 900.0)],
            ("running", StatusReason::ProcessAlive),
        );
    }

    #[test]
    fn a_run_whose_process_is_gone_has_failed() {
        check(|_| {}, &[], ("failed", StatusReason::ProcessGone));
        check(
            |row| row.pid = Some(99_999_999_999),
            &[],
            ("failed", StatusReason::ProcessGone),
        );
        check(
            |row| row.pid = Some(-5),
            &[],
            ("failed", StatusReason::ProcessGone),
        );
    }

    #[test]
    fn a_reused_pid_that_started_after_the_run_is_not_the_run() {
        check(
            |_| {},
            &[(7, 1011.0)],
            ("failed", StatusReason::ProcessGone),
        );
        check(
            |_| {},
            &[(7, 1009.0)],
            ("running", StatusReason::ProcessAlive),
        );
        check(
            |row| row.created_at_is_guess = true,
            &[(7, 5000.0)],
            ("running", StatusReason::ProcessAlive),
        );
    }

    #[test]
    fn a_run_of_another_host_stays_as_recorded() {
        check(
            |row| row.hostname = Some("there".to_owned()),
            &[],
            ("running", StatusReason::OtherHost),
        );
    }

    #[test]
    fn without_a_pid_the_files_speak() {
        check(
            |row| row.pid = None,
            &[],
            ("running", StatusReason::Stalled),
        );
        check(
            |row| row.pid = Some(0),
            &[],
            ("running", StatusReason::Stalled),
        );
        let grows = |row: &mut RunRow| {
            row.pid = None;
            row.last_write_at = Some(99_999.0);
        };
        check(grows, &[], ("running", StatusReason::Growing));
    }

    #[test]
    fn mirrored_runs_are_not_judged_by_this_machine() {
        for directory in [
            "runs/.Runicorn_Remote_Cache/id",
            "runs/remote_cache/id",
            "runs/a_remote_b/id",
        ] {
            check(
                |row| row.directory = directory.to_owned(),
                &[],
                ("running", StatusReason::Stalled),
            );
        }
        check(
            |row| row.has_meta = false,
            &[],
            ("running", StatusReason::Stalled),
        );
    }

    #[test]
    fn other_words_stand_as_they_are() {
        check(
            |row| row.recorded_status = "completed".to_owned(),
            &[],
            ("completed", StatusReason::StatusWord),
        );
    }

    #[test]
    fn this_process_is_known_to_the_system() {
        let processes = SystemProcesses::default();
        let started = processes.started_at(std::process::id()).unwrap();
        assert!(started > 0.0 && started <= now() + 1.0);
        assert_eq!(processes.started_at(u32::MAX - 1), None);
    }
}
