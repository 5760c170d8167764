//! W57: a worker dies at each of the six points of an order's life, with one to three replicas, an API that honours keys or
//! does not, and duplicate deliveries; SNS gives up on some orders and dead-letters them. The runs are generated; the time is virtual.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

use super::*;
use crate::client::Call;
use crate::ledger::contract::ledgers;
use crate::ledger::{Answer, LEASE_MS, MemoryLedger};

/// Where a worker dies. `AfterFinish` is before the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    BeforeClaim,
    AfterClaim,
    AfterIntent,
    AfterCall,
    BeforeFinish,
    AfterFinish,
}

const POINTS: [Point; 6] = [
    Point::BeforeClaim,
    Point::AfterClaim,
    Point::AfterIntent,
    Point::AfterCall,
    Point::BeforeFinish,
    Point::AfterFinish,
];

/// Stops its worker for good at the planned point.
struct Fate {
    planned: Mutex<Option<Point>>,
    died: Notify,
}

impl Fate {
    async fn pass(&self, point: Point) {
        let is_now = self.planned.lock().unwrap().take_if(|planned| *planned == point).is_some();
        if is_now {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

struct MortalLedger {
    inner: Arc<dyn Ledger>,
    fate: Arc<Fate>,
}

impl Ledger for MortalLedger {
    fn apply(&self, key: Uuid, change: Change, now_ms: i64) -> Answer<'_, Outcome> {
        Box::pin(async move {
            let (before, after) = match change {
                Change::Claim { .. } => (Some(Point::BeforeClaim), Some(Point::AfterClaim)),
                Change::Intent { .. } => (None, Some(Point::AfterIntent)),
                Change::Finish { .. } => (Some(Point::BeforeFinish), Some(Point::AfterFinish)),
                _ => (None, None),
            };
            if let Some(point) = before {
                self.fate.pass(point).await;
            }
            let outcome = self.inner.apply(key, change, now_ms).await;
            if let Some(point) = after {
                self.fate.pass(point).await;
            }
            outcome
        })
    }

    fn get(&self, key: Uuid) -> Answer<'_, Option<Record>> {
        self.inner.get(key)
    }

    fn held(&self, limit: u32) -> Answer<'_, Vec<(Uuid, Record)>> {
        self.inner.held(limit)
    }
}

/// The API's own books: effects by key.
#[derive(Default)]
struct Books {
    effects: Mutex<BTreeMap<Uuid, u32>>,
    honours_keys: bool,
    /// The one order that the API refuses for good.
    refuses: Option<Uuid>,
}

struct MortalApi {
    books: Arc<Books>,
    fate: Arc<Fate>,
}

impl FulfilmentApi for MortalApi {
    fn pause(&self) -> Option<Duration> {
        None
    }

    fn fulfil(&self, key: Uuid, _body: String) -> Call<'_> {
        Box::pin(async move {
            if self.books.refuses == Some(key) {
                self.fate.pass(Point::AfterCall).await;
                return Verdict::Refused(422);
            }
            let mut effects = self.books.effects.lock().unwrap().clone();
            let count = effects.entry(key).or_default();
            *count = if self.books.honours_keys { 1 } else { *count + 1 };
            *self.books.effects.lock().unwrap() = effects;
            self.fate.pass(Point::AfterCall).await;
            Verdict::Accepted(200)
        })
    }
}

/// The last order of a run.
const REFUSED: Uuid = Uuid::from_u128(5);
/// A ledger with real input and output may be late on a busy machine.
const LEDGER_WAS_LATE: Reply = Reply::TryLater("the ledger is not available", None);
/// How often SNS delivers before it dead-letters an order.
const DELIVERIES: u32 = 2;

/// A world of replicas that share a ledger.
struct World {
    ledger: Arc<dyn Ledger>,
    books: Arc<Books>,
    now_ms: Arc<AtomicI64>,
    replicas: Vec<(Fulfiller, Arc<Fate>)>,
    random: u64,
}

impl World {
    fn new(ledger: Arc<dyn Ledger>, replicas: usize, idempotent: bool, seed: u64) -> World {
        let books = Arc::new(Books { honours_keys: idempotent, refuses: Some(REFUSED), ..Books::default() });
        let now_ms = Arc::new(AtomicI64::new(1_700_000_000_000));
        let replica = |_| {
            let fate = Arc::new(Fate { planned: Mutex::new(None), died: Notify::new() });
            let now = Arc::clone(&now_ms);
            let fulfiller = Fulfiller {
                ledger: Arc::new(MortalLedger { inner: Arc::clone(&ledger), fate: Arc::clone(&fate) }),
                api: Arc::new(MortalApi { books: Arc::clone(&books), fate: Arc::clone(&fate) }),
                clock: Clock::new(move || Timestamp::from_millisecond(now.load(Ordering::Relaxed)).unwrap()),
                metrics: Arc::default(),
                capacity: Arc::default(),
                gather: Duration::ZERO,
                idempotent,
            };
            (fulfiller, fate)
        };
        let replicas = (0..replicas).map(replica).collect();
        World { ledger, books, now_ms, replicas, random: seed | 1 }
    }

    /// A small generator (xorshift64), so that a seed is a run.
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % limit
    }

    /// One delivery to one replica, which dies at `point` if it gets there. None if it died.
    async fn deliver(&mut self, delivery: &Delivery, point: Option<Point>) -> Option<Reply> {
        let index = usize::try_from(self.below(self.replicas.len() as u64)).unwrap();
        let (fulfiller, fate) = &self.replicas[index];
        *fate.planned.lock().unwrap() = point;
        tokio::select! {
            biased;
            reply = fulfiller.process(delivery) => Some(reply),
            () = fate.died.notified() => None,
        }
    }

    async fn state(&self, key: Uuid) -> Option<State> {
        self.ledger.get(key).await.unwrap().map(|record| record.state)
    }

    fn effects(&self, key: Uuid) -> u32 {
        self.books.effects.lock().unwrap().get(&key).copied().unwrap_or(0)
    }
}

/// An order as SNS sees it.
struct Published {
    delivery: Delivery,
    acknowledged: bool,
    deliveries_left: u32,
}

impl Published {
    fn note(&mut self, reply: Option<&Reply>) {
        self.acknowledged |= matches!(reply, Some(Reply::Ended(_)));
        self.deliveries_left = self.deliveries_left.saturating_sub(1);
    }

    /// Where the order is. None: lost, which is what must never be.
    fn place(&self, state: Option<State>) -> Option<&'static str> {
        match state {
            Some(state @ (State::Done | State::Rejected | State::Parked | State::Quarantined)) => Some(state.as_str()),
            Some(State::Claimed | State::Sent) | None if self.acknowledged => None,
            Some(State::Claimed | State::Sent) | None if self.deliveries_left == 0 => Some("dead-lettered"),
            Some(State::Claimed | State::Sent) | None => Some("pending"),
        }
    }
}

fn publish(world: &World, count: u128) -> Vec<Published> {
    let published = Timestamp::from_millisecond(world.now_ms.load(Ordering::Relaxed)).unwrap();
    let order = |id| Published {
        delivery: Delivery { key: Uuid::from_u128(id), message: "{\"bundle\":1}".to_owned(), published },
        acknowledged: false,
        deliveries_left: DELIVERIES,
    };
    (1..=count).map(order).collect()
}

/// published == done + rejected + parked + dead-lettered + pending, and no order has two effects. Returns the places.
async fn check_books(world: &World, orders: &[Published], run: &str) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for order in orders {
        let key = order.delivery.key;
        let state = world.state(key).await;
        if let Some(place) = order.place(state) {
            *counts.entry(place).or_default() += 1;
        }
        let effects = world.effects(key);
        assert!(effects <= 1, "{run}: {effects} effects");
        assert!(state != Some(State::Done) || effects == 1, "{run}: done without an effect");
        assert!(state != Some(State::Rejected) || effects == 0, "{run}: rejected with an effect");
    }
    assert_eq!(counts.values().sum::<usize>(), orders.len(), "{run}: lost: {counts:?}");
    assert!(!counts.contains_key("quarantined"), "{run}: {counts:?}");
    counts
}

/// What makes a run.
#[derive(Clone, Copy)]
struct Run {
    ledger: &'static str,
    point: Point,
    replicas: usize,
    idempotent: bool,
    seed: u64,
    rounds: u32,
}

/// One run on an empty ledger; returns the places that orders were in on the way.
async fn play(ledger: Arc<dyn Ledger>, run: Run) -> BTreeSet<&'static str> {
    let Run { ledger: name, point, replicas, idempotent, seed, rounds } = run;
    let run = format!("{name}, {point:?}, {replicas} replicas, idempotent: {idempotent}, seed {seed}");
    let mut world = World::new(ledger, replicas, idempotent, seed);
    let mut orders = publish(&world, 5);
    let (mut crashes, mut places) = (4, BTreeSet::new());
    for _round in 0..rounds {
        let index = usize::try_from(world.below(5)).unwrap();
        // SNS may deliver again what was acknowledged already, but not what it has dead-lettered.
        if orders[index].deliveries_left > 0 {
            let dies = crashes > 0 && world.below(2) == 0;
            let delivery = orders[index].delivery.clone();
            let reply = world.deliver(&delivery, dies.then_some(point)).await;
            crashes -= u32::from(reply.is_none());
            orders[index].note(reply.as_ref());
        }
        places.extend(check_books(&world, &orders, &run).await.into_keys());
        let step_ms = i64::try_from(world.below(2)).unwrap() * LEASE_MS;
        world.now_ms.fetch_add(step_ms, Ordering::Relaxed);
    }
    redrive(&mut world, &mut orders, idempotent, &run).await;
    places.extend(check_books(&world, &orders, &run).await.into_keys());
    places
}

/// Delivers what SNS still has and what was dead-lettered: all of it ends.
async fn redrive(world: &mut World, orders: &mut [Published], idempotent: bool, run: &str) {
    for order in orders {
        world.now_ms.fetch_add(LEASE_MS, Ordering::Relaxed);
        let mut reply = world.deliver(&order.delivery, None).await;
        if reply == Some(LEDGER_WAS_LATE) {
            world.now_ms.fetch_add(LEASE_MS, Ordering::Relaxed);
            reply = world.deliver(&order.delivery, None).await;
        }
        assert!(matches!(reply, Some(Reply::Ended(_))), "{run}: {reply:?}");
        order.note(reply.as_ref());
        let key = order.delivery.key;
        match world.state(key).await {
            Some(State::Done) => assert_eq!(world.effects(key), 1, "{run}"),
            Some(State::Rejected) => assert_eq!(key, REFUSED, "{run}"),
            Some(State::Parked) => assert!(!idempotent, "{run}: parked although the API honours keys"),
            other => panic!("{run}: ended as {other:?}"),
        }
    }
}

/// Every crash point with every number of replicas and either kind of API, each with a seed of its own.
fn runs(seed: u64, rounds: u32) -> impl Iterator<Item = Run> {
    let all = POINTS.into_iter().flat_map(|point| {
        (1..=3).flat_map(move |replicas| [true, false].map(|idempotent| (point, replicas, idempotent)))
    });
    (1..).zip(all).map(move |(number, (point, replicas, idempotent))| Run {
        ledger: "memory",
        point,
        replicas,
        idempotent,
        seed: seed * number,
        rounds,
    })
}

#[tokio::test]
async fn w57_every_crash_point_has_one_effect_or_is_parked() {
    let mut places = BTreeSet::new();
    for run in (1..=20).flat_map(|seed| runs(seed * 7919, 60)) {
        places.extend(play(Arc::new(MemoryLedger::default()), run).await);
    }
    assert_eq!(Vec::from_iter(places), ["dead-lettered", "done", "parked", "pending", "rejected"], "all are reached");
}

/// The decisions are the same in every ledger; this is about reading and writing them.
#[tokio::test]
async fn w57_holds_in_every_ledger() {
    let mut places = BTreeSet::new();
    for run in runs(104_729, 16) {
        let (_dir, ledgers) = ledgers().await;
        for (name, ledger) in ledgers {
            places.extend(play(ledger, Run { ledger: name, ..run }).await.into_iter().map(|place| (name, place)));
        }
    }
    for place in ["dead-lettered", "done", "parked", "pending", "rejected"] {
        assert!(places.contains(&("sqlite", place)), "{place} is not reached");
    }
}

/// The loop above must be able to reach both ends of an ambiguous order.
#[tokio::test]
async fn w57_a_lost_answer_is_resent_or_parked() {
    for (idempotent, expected) in [(true, State::Done), (false, State::Parked)] {
        for point in [Point::AfterIntent, Point::AfterCall, Point::BeforeFinish] {
            let mut world = World::new(Arc::new(MemoryLedger::default()), 2, idempotent, 1);
            let order = publish(&world, 1).remove(0).delivery;
            assert_eq!(world.deliver(&order, Some(point)).await, None, "{point:?}");
            assert!(matches!(world.deliver(&order, None).await, Some(Reply::TryLater(_, Some(_)))), "{point:?}");
            world.now_ms.fetch_add(LEASE_MS, Ordering::Relaxed);
            assert!(matches!(world.deliver(&order, None).await, Some(Reply::Ended(_))), "{point:?}");
            assert_eq!(world.state(order.key).await, Some(expected), "{point:?}");
        }
    }
}
