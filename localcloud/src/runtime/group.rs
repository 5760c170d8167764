//! A process group that ends with whoever holds it.

use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

use super::reaper::Reaper;

/// The process group of a child that was started as its leader. Dropping it kills whatever is left of the group.
pub(super) struct Group {
    leader: Pid,
    reaper: Arc<Reaper>,
}

impl Group {
    /// The group that `child` leads, from now on watched by the reaper. `None` if the child has ended already.
    pub(super) fn of(child: &Child, reaper: &Arc<Reaper>) -> Option<Self> {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)?;
        reaper.watch(leader);
        Some(Self { leader, reaper: Arc::clone(reaper) })
    }

    /// Its number.
    pub(super) fn number(&self) -> i32 {
        self.leader.as_raw_nonzero().get()
    }

    /// Sends a signal to every process of the group. One that has ended needs none.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.leader, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.reaper.forget(self.leader);
    }
}
