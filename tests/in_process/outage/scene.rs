//! A cloud whose clock is advanced by hand, with a real worker behind its topic and a real headquarters behind the worker. The
//! worker lives in cloud time too, so that its leases and pauses last as long as SNS's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::Clock;
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::runtime::signer::Signer;
use interstella_localcloud::wire;
use interstella_worker::ledger::{Ledger, MemoryLedger, Record, State};
use interstella_worker::{Config, Environment};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::api::{API_KEY, Api};
use super::deliveries::Deliveries;
use crate::lab::{self, Lab, MANIFEST};
use crate::orders;
use crate::workload::edited;

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";
const ORDER: &str = "{\"bundle\": 1}";
const QUEUE: &str = "lost-orders";
/// The clock's step; an attempt to deliver takes as long.
const STEP: Duration = Duration::from_secs(1);
/// More passes than the way to the converged app takes.
const MAX_PASSES: usize = 300;

/// See the module's text.
pub struct Scene {
    pub api: Api,
    pub deliveries: Deliveries,
    lab: Lab,
    ledger: Arc<MemoryLedger>,
    /// Message IDs of what was published, by order.
    published: BTreeMap<Uuid, String>,
    parts: JoinSet<()>,
    _directory: TempDir,
}

impl Scene {
    /// The manifest applied, with a queue for dead letters; `idempotent` says whether the API is taken to honour its keys.
    pub async fn new(idempotent: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut api = Api::new(directory.path().join("hq.sqlite"));
        api.comes().await;
        let (listener, endpoint) = listen().await;
        let (worker_listener, worker) = listen().await;
        let model = Model::default();
        let deliveries = Deliveries::new(model.clone(), Signer::start("us-west-2", &endpoint), worker);
        let mut world = lab::empty();
        world.endpoint_url.clone_from(&endpoint);
        // Signatures are made in wall time, so the cloud begins there.
        let clock = Clock::stepped(Clock::live(1.0).now());
        let cloud = Cloud::new(world, clock, Box::new(deliveries.clone()));
        let ledger = Arc::new(MemoryLedger::default());
        let mut parts = JoinSet::new();
        let pages = wire::serve(Arc::clone(&cloud), listener, wire::Access::default(), std::future::pending());
        parts.spawn(async { pages.await.unwrap() });
        let config = configuration(&api, &endpoint, idempotent);
        let environment = environment(&cloud, &ledger);
        let worker = interstella_worker::run_in(environment, config, worker_listener, None, std::future::pending());
        parts.spawn(async { worker.await.unwrap() });

        let lab = Lab::on(cloud, model).await;
        lab.provide(&api.url());
        lab.call(Service::Sqs, "CreateQueue", json!({ "QueueName": QUEUE }));
        let scene = Self { api, deliveries, lab, ledger, published: BTreeMap::new(), parts, _directory: directory };
        scene.converge().await;
        scene.deliveries.take_answers();
        scene
    }

    async fn converge(&self) {
        let queue = format!("path: /order/\n      deadLetterQueue: arn:aws:sqs:us-west-2:123456789012:{QUEUE}");
        let manifest = edited(MANIFEST, &[("path: /order/", &queue)]);
        let mut controller = self.lab.controller(self.lab.present(&manifest));
        for _ in 0..MAX_PASSES {
            let last = controller.pass().await;
            self.deliveries.answered().await;
            if last.is_converged() && !last.status.is_progressing() {
                return;
            }
        }
        panic!("not converged after {MAX_PASSES} passes: {:?}", self.deliveries.take_answers());
    }

    /// Publishes orders.
    pub async fn publish(&mut self, orders: usize) {
        for _ in 0..orders {
            let answer = self.lab.call(Service::Sns, "Publish", json!({ "TopicArn": TOPIC, "Message": ORDER }));
            let id = answer["MessageId"].as_str().unwrap();
            self.published.insert(orders::key(TOPIC, id), id.to_owned());
        }
        self.deliveries.answered().await;
    }

    /// Lets cloud time pass.
    pub async fn pass(&self, time: Duration) {
        for _ in 0..time.as_secs() / STEP.as_secs() {
            self.lab.cloud.advance(STEP);
            self.deliveries.answered().await;
        }
    }

    /// Lets cloud time pass until every order in `orders` is done.
    pub async fn until_done(&self, orders: &BTreeSet<Uuid>, within: Duration) {
        let deadline = self.lab.cloud.now().after(within);
        while let Some(open) = self.first_open(orders).await {
            assert!(self.lab.cloud.now() < deadline, "not done within {within:?} of cloud time: {open:?}");
            self.pass(STEP).await;
        }
    }

    async fn first_open(&self, orders: &BTreeSet<Uuid>) -> Option<(Uuid, Option<Record>)> {
        for key in orders {
            let record = self.ledger.get(*key).await.unwrap();
            if record.as_ref().is_none_or(|record| record.state != State::Done) {
                return Some((*key, record));
            }
        }
        None
    }

    /// Every order that was published.
    pub fn published(&self) -> BTreeSet<Uuid> {
        self.published.keys().copied().collect()
    }

    /// Every order that took effect; none did twice.
    pub fn fulfilled(&self) -> BTreeSet<Uuid> {
        let effects = self.api.effects();
        assert!(effects.values().all(|count| *count == 1), "{effects:?}");
        effects.into_keys().collect()
    }

    /// Every order that waits for a person.
    pub async fn parked(&self) -> BTreeSet<Uuid> {
        let held = self.ledger.held(u32::MAX).await.unwrap();
        assert!(held.iter().all(|(_, record)| record.state == State::Parked), "{held:?}");
        held.into_iter().map(|(key, _)| key).collect()
    }

    /// Every message in the queue, by order. Each is the whole envelope of what was published, signature included.
    pub fn dead_letters(&self) -> BTreeMap<Uuid, Map<String, Value>> {
        let mut letters = BTreeMap::new();
        loop {
            // The clock stands still, so what was received stays hidden until the queue is through.
            let input = json!({ "QueueUrl": format!("http://queue/{QUEUE}"), "MaxNumberOfMessages": 10 });
            let answer = self.lab.call(Service::Sqs, "ReceiveMessage", input);
            let Some(messages) = answer["Messages"].as_array() else { return letters };
            for message in messages {
                let letter: Map<String, Value> = serde_json::from_str(message["Body"].as_str().unwrap()).unwrap();
                let key = orders::key(TOPIC, letter["MessageId"].as_str().unwrap());
                assert_eq!(letter["Message"], ORDER);
                assert_eq!(letter["TopicArn"], TOPIC);
                assert!(letters.insert(key, letter).is_none(), "{key} is in the queue twice");
            }
        }
    }

    /// Delivers a dead letter as it stands.
    pub async fn redrive(&self, letter: Map<String, Value>) -> Option<u16> {
        self.deliveries.deliver_by_hand(&self.lab.cloud, letter).await
    }

    /// Fails if the worker or the cloud has ended.
    pub fn runs(&mut self) {
        assert!(self.parts.try_join_next().is_none(), "a part has ended");
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn configuration(api: &Api, endpoint: &str, idempotent: bool) -> Config {
    let variables = [
        ("INTERSTELLA_ORDER_TOPIC", TOPIC.to_owned()),
        ("INTERSTELLA_API_KEY", API_KEY.to_owned()),
        ("INTERSTELLA_API_ENDPOINT", api.url()),
        ("INTERSTELLA_FULFILMENT_IDEMPOTENT", idempotent.to_string()),
        ("INTERSTELLA_GATHER_MS", "0".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
    ];
    Config::from_env(variables.into_iter().map(|(name, value)| (name.to_owned(), value))).unwrap()
}

fn environment(cloud: &Arc<Cloud>, ledger: &Arc<MemoryLedger>) -> Environment {
    let (cloud, ledger): (_, Arc<dyn Ledger>) = (Arc::clone(cloud), Arc::<MemoryLedger>::clone(ledger));
    let now = move || Timestamp::from_millisecond(cloud.now().as_millis()).unwrap();
    Environment { clock: interstella_worker::Clock::new(now), ledger: Some(ledger), ..Environment::default() }
}
