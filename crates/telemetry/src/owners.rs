//! Who runs a process: program and user, as far as this user may see.

use std::collections::HashSet;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, Users};

/// Programs and users of the processes that were looked up last.
#[derive(Default)]
pub(crate) struct Owners {
    system: Option<System>,
    users: Option<Users>,
    known: HashSet<Pid>,
}

impl Owners {
    /// Looks the processes up; those that were known before are not read again, the others are forgotten.
    pub(crate) fn look_up(&mut self, pids: impl Iterator<Item = u32>) {
        let wanted: HashSet<Pid> = pids.map(Pid::from_u32).collect();
        if wanted.is_empty() || wanted == self.known {
            return;
        }
        if self.system.is_none() {
            self.system = System::new().ok();
        }
        if self.users.is_none() || !wanted.is_subset(&self.known) {
            self.users = Users::new_with_refreshed_list().ok();
        }
        if let Some(system) = &mut self.system {
            let pids: Vec<Pid> = wanted.iter().copied().collect();
            let kind = ProcessRefreshKind::nothing().with_user(UpdateKind::OnlyIfNotSet);
            system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), true, kind);
        }
        self.known = wanted;
    }

    /// The program's name.
    pub(crate) fn program(&self, pid: u32) -> Option<String> {
        let process = self.system.as_ref()?.process(Pid::from_u32(pid))?;
        Some(process.name().to_string_lossy().into_owned())
    }

    /// The user's name, or the number where the system's list has no name for it.
    pub(crate) fn user(&self, pid: u32) -> Option<String> {
        let id = self
            .system
            .as_ref()?
            .process(Pid::from_u32(pid))?
            .user_id()?;
        let user = self
            .users
            .as_ref()
            .and_then(|users| users.get_user_by_id(id));
        Some(user.map_or_else(|| id.to_string(), |user| user.name().to_owned()))
    }
}
