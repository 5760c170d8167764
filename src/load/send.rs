//! Sends orders when they are due. An order never waits for the answers to others: customers do not either.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

use super::live::Live;
use super::report::Tally;
use super::target::{Outcome, Target};

/// How often the live line is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What is sent, where, and how.
pub struct Run {
    /// Where orders go.
    pub target: Arc<Target>,
    /// When each is due, from the start, in time of this machine.
    pub due: Vec<Duration>,
    /// Most orders that are on their way at once. An order that is due when there is no room is not sent, and counted
    /// as such: sent later, it would wait for the answers to others.
    pub most_in_flight: usize,
    /// Time of this machine after which an answer is late, if that is asked for.
    pub late_after: Option<Duration>,
}

/// The answers to one call.
struct Answers {
    outcomes: Vec<Outcome>,
    /// When each of the orders was due.
    due: Vec<Instant>,
    at: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Run {
    /// Sends until everything is sent or `stop` resolves, and returns when everything that was sent is answered.
    pub async fn run(&self, stop: impl Future<Output = ()>) -> Tally {
        let start = Instant::now();
        let room = Arc::new(Semaphore::new(self.most_in_flight));
        let (sender, mut answers) = mpsc::unbounded_channel();
        let mut tally = Tally::of(self.due.len(), self.late_after);
        let (mut live, mut looks, mut next) = (Live::start(), tokio::time::interval(LOOK), 0);
        tokio::pin!(stop);
        while let Some(due) = self.due.get(next) {
            tokio::select! {
                () = tokio::time::sleep_until(start + *due) => {
                    next += self.send_due(next, start, &room, &sender, &mut tally);
                }
                Some(answer) = answers.recv() => note(&mut tally, answer),
                _ = looks.tick() => live.show(&tally.line()),
                () = &mut stop => break,
            }
        }
        drop(sender);
        while let Some(answer) = answers.recv().await {
            note(&mut tally, answer);
            live.show(&tally.line());
        }
        live.finish();
        tally.took = start.elapsed();
        tally
    }

    /// Begins to send what is due, as one call, and returns how many orders that were.
    fn send_due(
        &self,
        next: usize,
        start: Instant,
        room: &Arc<Semaphore>,
        sender: &mpsc::UnboundedSender<Answers>,
        tally: &mut Tally,
    ) -> usize {
        let elapsed = start.elapsed();
        let together = self.due[next..].iter().take(self.target.batch()).take_while(|due| **due <= elapsed).count();
        // The timer never fires early, but its resolution is a millisecond.
        let together = together.max(1);
        let orders = together.min(room.available_permits());
        tally.saturated += together - orders;
        let permits = u32::try_from(orders).ok().and_then(|count| Arc::clone(room).try_acquire_many_owned(count).ok());
        if let Some(permit) = permits.filter(|_| orders > 0) {
            tally.sent += orders;
            let due = self.due[next..next + orders].iter().map(|due| start + *due).collect();
            let (target, sender) = (Arc::clone(&self.target), sender.clone());
            tokio::spawn(async move {
                let outcomes = target.send(orders).await;
                // The receiver is gone only if the verb has been ended.
                let _ = sender.send(Answers { outcomes, due, at: Instant::now(), _permit: permit });
            });
        }
        together
    }
}

/// Time counts from when an order was due, not from when it was sent: what this program was late by, its user waits for
/// too.
fn note(tally: &mut Tally, answers: Answers) {
    for (outcome, due) in answers.outcomes.into_iter().zip(answers.due) {
        tally.add(outcome, answers.at.saturating_duration_since(due));
    }
}
