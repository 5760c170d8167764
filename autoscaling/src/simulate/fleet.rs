//! The tasks: which are there, which order goes to which, and when it is done.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::{SECOND, Service};

/// Least time that is billed for a task (AWS: Fargate pricing).
const LEAST_BILLED: u64 = 60 * SECOND;

/// The tasks of the service.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// Orders a task works on at once.
    concurrency: usize,
    start_up: u64,
    /// The longest wait for a slot.
    patience: u64,
    /// Tasks that are not healthy yet, in the order of their start.
    starting: VecDeque<u64>,
    /// Healthy tasks, oldest first.
    healthy: Vec<Task>,
    /// The task whose turn it is.
    turn: usize,
    /// Time of removed tasks that is billed.
    billed: u64,
}

/// A healthy task.
#[derive(Debug)]
struct Task {
    started_at: u64,
    /// When each order that it works on, or is going to, leaves its slot: at most `concurrency` of them matter.
    slots: BinaryHeap<Reverse<u64>>,
    /// When it has finished all orders it was given.
    finished_at: u64,
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A task works on it.
    Taken(Work),
    /// It waited for its turn until then, and was sent away.
    SentAway(u64),
    /// No task is healthy.
    NoTask,
}

/// From when to when a task works on an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) begins_at: u64,
    pub(crate) ends_at: u64,
}

impl Fleet {
    /// `count` tasks that have been healthy all along.
    pub(crate) fn new(service: &Service, count: u32) -> Self {
        let healthy = (0..count).map(|_| Task::new(0)).collect();
        Self {
            concurrency: service.concurrency.map_or(usize::MAX, |slots| slots as usize),
            start_up: micros(service.start_up_seconds),
            patience: service.patience_seconds.map_or(u64::MAX, micros),
            starting: VecDeque::new(),
            healthy,
            turn: 0,
            billed: 0,
        }
    }

    pub(crate) fn healthy(&self) -> u32 {
        u32::try_from(self.healthy.len()).unwrap_or(u32::MAX)
    }

    /// When the next task becomes healthy.
    pub(crate) fn next_healthy_at(&self) -> Option<u64> {
        self.starting.front().map(|started_at| started_at + self.start_up)
    }

    /// Starts or removes tasks. As ECS's scheduler does, the youngest go first, and those that are not healthy before
    /// all others.
    pub(crate) fn set_count(&mut self, now: u64, count: u32) {
        let count = count as usize;
        while self.starting.len() + self.healthy.len() < count {
            self.starting.push_back(now);
        }
        while self.starting.len() + self.healthy.len() > count {
            let (started_at, ends_at) = match (self.starting.pop_back(), &mut self.healthy) {
                (Some(started_at), _) => (started_at, now),
                (None, healthy) => match healthy.pop() {
                    Some(task) => (task.started_at, task.finished_at.max(now)),
                    None => return,
                },
            };
            self.billed += (ends_at - started_at).max(LEAST_BILLED);
        }
    }

    /// Makes those tasks healthy that have started by now.
    pub(crate) fn start(&mut self, now: u64) {
        while let Some(started_at) = self.starting.pop_front_if(|started_at| *started_at + self.start_up <= now) {
            self.healthy.push(Task::new(started_at));
        }
    }

    /// Gives an order to the next task.
    pub(crate) fn take(&mut self, now: u64, service_time: u64) -> Answer {
        self.turn = if self.turn < self.healthy.len() { self.turn } else { 0 };
        let Some(task) = self.healthy.get_mut(self.turn) else { return Answer::NoTask };
        self.turn += 1;
        let begins_at = task.free_at(now, self.concurrency);
        if begins_at - now > self.patience {
            return Answer::SentAway(now + self.patience);
        }
        let ends_at = begins_at + service_time;
        task.occupy(ends_at, self.concurrency);
        Answer::Taken(Work { begins_at, ends_at })
    }

    /// Time that is billed for all tasks until the end.
    pub(crate) fn billed_until(&self, end: u64) -> u64 {
        let present = self.starting.iter().copied().chain(self.healthy.iter().map(|task| task.started_at));
        self.billed + present.map(|started_at| end.saturating_sub(started_at).max(LEAST_BILLED)).sum::<u64>()
    }
}

impl Task {
    fn new(started_at: u64) -> Self {
        Self { started_at, slots: BinaryHeap::new(), finished_at: 0 }
    }

    /// When a slot is free for an order that arrives now: orders are taken in turn, so that all before it have theirs.
    fn free_at(&self, now: u64, concurrency: usize) -> u64 {
        let first = self.slots.peek().filter(|_| self.slots.len() >= concurrency);
        first.map_or(now, |Reverse(free_at)| now.max(*free_at))
    }

    fn occupy(&mut self, until: u64, concurrency: usize) {
        self.finished_at = self.finished_at.max(until);
        if concurrency == usize::MAX {
            return;
        }
        if self.slots.len() >= concurrency {
            self.slots.pop();
        }
        self.slots.push(Reverse(until));
    }
}

/// Whole microseconds.
pub(crate) fn micros(seconds: f64) -> u64 {
    (seconds * SECOND as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet(concurrency: Option<u32>, count: u32) -> Fleet {
        let service = Service {
            service_time_seconds: 2.0,
            is_exponential: false,
            concurrency,
            patience_seconds: None,
            retry_seconds: 20.0,
            start_up_seconds: 30.0,
            late_after_seconds: 10.0,
        };
        Fleet::new(&service, count)
    }

    fn begins(fleet: &mut Fleet, arrivals: &[u64]) -> Vec<Option<u64>> {
        let begins_at = |answer| if let Answer::Taken(work) = answer { Some(work.begins_at) } else { None };
        arrivals.iter().map(|at| begins_at(fleet.take(*at, 20))).collect()
    }

    #[test]
    fn a_task_works_on_so_many_orders_at_once_and_the_others_wait() {
        let taken = begins(&mut fleet(Some(2), 1), &[0, 5, 6, 7, 60]);
        assert_eq!(taken, [0, 5, 20, 25, 60].map(Some));
        assert_eq!(begins(&mut fleet(None, 1), &[0, 5, 6]), [0, 5, 6].map(Some));
    }

    #[test]
    fn orders_go_to_the_tasks_in_turn() {
        assert_eq!(begins(&mut fleet(Some(1), 2), &[0, 1, 2, 3]), [0, 1, 20, 21].map(Some));
        assert_eq!(begins(&mut fleet(Some(1), 0), &[0]), [None]);
    }

    #[test]
    fn whoever_would_wait_too_long_is_sent_away_and_holds_nobody_up() {
        let mut fleet = Fleet { patience: 15, ..fleet(Some(1), 1) };
        let answers = [0, 1, 10, 20].map(|at| fleet.take(at, 20));
        let taken = |begins_at| Answer::Taken(Work { begins_at, ends_at: begins_at + 20 });
        assert_eq!(answers, [taken(0), Answer::SentAway(16), taken(20), Answer::SentAway(35)]);
    }

    #[test]
    fn starting_and_then_the_youngest_tasks_are_removed_first() {
        let mut fleet = fleet(Some(1), 1);
        fleet.set_count(10 * SECOND, 3);
        assert_eq!((fleet.healthy(), fleet.next_healthy_at()), (1, Some(40 * SECOND)));
        fleet.start(39 * SECOND);
        fleet.set_count(39 * SECOND, 2);
        fleet.start(40 * SECOND);
        assert_eq!((fleet.healthy(), fleet.next_healthy_at()), (2, None));
        fleet.set_count(100 * SECOND, 1);
        // A minute at least for the one that never became healthy, 90 s for the other, and all the time for the first.
        assert_eq!(fleet.billed_until(200 * SECOND), (60 + 90 + 200) * SECOND);
    }

    #[test]
    fn a_removed_task_is_billed_until_its_orders_are_done() {
        let mut fleet = fleet(Some(1), 1);
        fleet.take(90 * SECOND, 30 * SECOND);
        fleet.set_count(100 * SECOND, 0);
        assert_eq!(fleet.billed_until(500 * SECOND), 120 * SECOND);
    }
}
