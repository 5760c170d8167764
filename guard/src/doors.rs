//! How many connections a listener has, and which one goes when another needs its place.
//!
//! A connection that is idle has nothing to lose: when every place is taken, the one that has been silent longest makes room, so
//! that idle connections never keep anybody out. Where every place is at work, a small reserve still answers health checks and
//! says "try later" to the rest; beyond the reserve a connection is closed at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::socket::{Phase, SharedPhase};

/// Connections that were sent away and whose sockets are not closed yet. It bounds the descriptors beyond the cap.
const LEAVING_MAX: usize = 32;

/// How many connections there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Connections that are served in full.
    pub connections: usize,
    /// Connections beyond them that get only cheap answers.
    pub reserve: usize,
}

impl Size {
    /// The same within `descriptors` file descriptors; at least a few of each, with which a listener can still be told to stop.
    #[must_use]
    pub fn within(self, descriptors: usize) -> Self {
        let reserve = self.reserve.min(descriptors / 4).max(4);
        let room = descriptors.saturating_sub(reserve + LEAVING_MAX.min(descriptors / 4));
        Size { connections: self.connections.min(room.max(8)), reserve }
    }
}

/// This process's limit on open files.
#[must_use]
pub fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// Raises the soft limit on open files to the hard one, as far as the system lets us: the soft one is low for the sake of
/// programs that use `select`, which this one does not.
pub fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::debug!(%error, "the limit on open files stays as it is");
    }
}

/// A listener's places. Clones are the same doors.
#[derive(Debug, Clone)]
pub struct Doors {
    size: Size,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// By age: the smallest number came first.
    present: BTreeMap<u64, Arc<Guest>>,
    regular: usize,
    reserve: usize,
    /// Sent away, not gone yet.
    leaving: usize,
}

/// What the doors know of a connection.
#[derive(Debug, Default)]
struct Guest {
    is_shed: bool,
    phase: Arc<SharedPhase>,
    must_leave: AtomicBool,
    waker: AtomicWaker,
}

/// One connection's place, until it is dropped.
#[derive(Debug)]
pub struct Place {
    number: u64,
    guest: Arc<Guest>,
    state: Arc<Mutex<State>>,
}

impl Doors {
    /// Doors of that size, with nobody in.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Doors { size, state: Arc::default() }
    }

    /// A place for one more connection, or none.
    #[must_use]
    pub fn admit(&self) -> Option<Place> {
        let mut state = self.lock();
        let is_shed = if state.regular < self.size.connections || state.send_away(false) {
            false
        } else if state.reserve < self.size.reserve || state.send_away(true) {
            true
        } else {
            return None;
        };
        let guest = Arc::new(Guest { is_shed, ..Guest::default() });
        let number = state.next;
        state.next += 1;
        state.present.insert(number, Arc::clone(&guest));
        *state.count(is_shed) += 1;
        Some(Place { number, guest, state: Arc::clone(&self.state) })
    }

    /// Has an idle connection make room, because the process has no file descriptor left. False: none is idle.
    pub(crate) fn make_room(&self) -> bool {
        let mut state = self.lock();
        state.send_away(false) || state.send_away(true)
    }

    /// Connections that are open now.
    #[cfg(test)]
    fn open(&self) -> usize {
        let state = self.lock();
        state.regular + state.reserve + state.leaving
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, is_shed: bool) -> &mut usize {
        if is_shed { &mut self.reserve } else { &mut self.regular }
    }

    /// Has an idle connection of that kind make room. False: none is idle, or enough are on their way out already.
    fn send_away(&mut self, is_shed: bool) -> bool {
        if self.leaving >= LEAVING_MAX {
            return false;
        }
        let of_kind = self.present.iter().filter(|(_, guest)| guest.is_shed == is_shed);
        let idle = of_kind.filter_map(|(number, guest)| Some((rank(guest.phase.get())?, *number)));
        let Some((_, number)) = idle.min() else { return false };
        let Some(guest) = self.present.remove(&number) else { return false };
        *self.count(is_shed) -= 1;
        self.leaving += 1;
        guest.must_leave.store(true, Ordering::Release);
        guest.waker.wake();
        true
    }
}

/// Who goes first: whoever has had its last answer, then whoever has never sent anything, then whoever has not finished a head, then
/// whoever has had an answer.
fn rank(phase: Phase) -> Option<u8> {
    match phase {
        Phase::Closing => Some(0),
        Phase::New => Some(1),
        Phase::Head => Some(2),
        Phase::Idle => Some(3),
        Phase::Busy | Phase::Answered => None,
    }
}

impl Place {
    /// Whether the connection is above the cap: only cheap answers, please.
    #[must_use]
    pub fn is_shed(&self) -> bool {
        self.guest.is_shed
    }

    pub(crate) fn phase(&self) -> Arc<SharedPhase> {
        Arc::clone(&self.guest.phase)
    }

    /// Whether the connection has to make room. Wakes `waker` when that becomes so.
    pub(crate) fn must_leave(&self, waker: &Waker) -> bool {
        self.guest.waker.register(waker);
        self.guest.must_leave.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.present.remove(&self.number) {
            Some(guest) => *state.count(guest.is_shed) -= 1,
            None => state.leaving -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { connections: 2, reserve: 1 };

    fn enter(doors: &Doors, phase: Phase) -> Option<Place> {
        let place = doors.admit()?;
        place.phase().set(phase);
        Some(place)
    }

    fn leaves(place: &Place) -> bool {
        place.must_leave(Waker::noop())
    }

    #[test]
    fn an_idle_connection_makes_room_and_the_one_that_said_nothing_goes_first() {
        let doors = Doors::new(SIZE);
        let answered = enter(&doors, Phase::Idle).unwrap();
        let silent = enter(&doors, Phase::New).unwrap();
        let third = enter(&doors, Phase::Head).unwrap();
        assert_eq!((leaves(&answered), leaves(&silent), third.is_shed()), (false, true, false));
        let fourth = enter(&doors, Phase::Busy).unwrap();
        assert_eq!((leaves(&answered), leaves(&third), fourth.is_shed()), (false, true, false));
        let fifth = enter(&doors, Phase::Busy).unwrap();
        assert_eq!((leaves(&answered), fifth.is_shed()), (true, false));
    }

    #[test]
    fn the_reserve_answers_while_everybody_is_at_work_and_idle_ones_cannot_fill_it() {
        let doors = Doors::new(SIZE);
        let _busy = [enter(&doors, Phase::Busy).unwrap(), enter(&doors, Phase::Answered).unwrap()];
        let idle = enter(&doors, Phase::New).unwrap();
        assert!(idle.is_shed());
        let probe = enter(&doors, Phase::Busy).unwrap();
        assert!(probe.is_shed() && leaves(&idle));
        assert!(doors.admit().is_none());
        drop(probe);
        assert!(doors.admit().is_some_and(|place| place.is_shed()));
    }

    #[test]
    fn who_has_had_a_last_answer_goes_before_who_has_not_asked_yet() {
        let doors = Doors::new(SIZE);
        let fresh = enter(&doors, Phase::New).unwrap();
        let closing = enter(&doors, Phase::Closing).unwrap();
        assert!(!enter(&doors, Phase::Busy).unwrap().is_shed());
        assert_eq!((leaves(&fresh), leaves(&closing)), (false, true));
    }

    #[test]
    fn places_come_back_however_a_connection_ends() {
        let doors = Doors::new(SIZE);
        for _ in 0..3 * LEAVING_MAX {
            let places: Vec<_> = (0..6).map_while(|_| enter(&doors, Phase::New)).collect();
            assert!(doors.open() <= SIZE.connections + SIZE.reserve + LEAVING_MAX);
            drop(places);
            assert_eq!(doors.open(), 0);
        }
    }

    #[test]
    fn sockets_that_are_not_closed_yet_are_bounded() {
        let doors = Doors::new(SIZE);
        let places: Vec<_> = (0..500).filter_map(|_| enter(&doors, Phase::New)).collect();
        assert_eq!(places.len(), SIZE.connections + SIZE.reserve + LEAVING_MAX);
    }

    #[test]
    fn a_size_stays_within_its_descriptors() {
        let wanted = Size { connections: 1024, reserve: 64 };
        assert_eq!(wanted.within(100_000), wanted);
        for descriptors in [32, 64, 128, 512] {
            let Size { connections, reserve } = wanted.within(descriptors);
            assert!(connections + reserve + LEAVING_MAX.min(descriptors / 4) <= descriptors, "{descriptors}");
            assert!(connections >= 8 && reserve >= 4, "{descriptors}");
        }
    }
}
