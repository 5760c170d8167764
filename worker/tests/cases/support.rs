//! A worker with a stand-in for SNS and one for the fulfilment API.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use interstella_worker::ledger::Ledger;
use interstella_worker::{Clock, Config, Environment, Error, Limits};
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fake::{Asked, Fake, serve};
use super::sender::{Message, Reply, SNS, TOPIC, raw, request};

pub const CERT: &str = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
pub const CANARY: &str = "canary-api-key";

/// The fulfilment API: a script of what to do next, and what it did.
#[derive(Default)]
pub struct Api {
    pub script: VecDeque<Step>,
    /// What to do when the script is at its end.
    pub then: Option<Step>,
    pub asked: Vec<Asked>,
    pub effects: BTreeMap<String, u32>,
    pub ignores_keys: bool,
}

/// Whether the order takes effect, and what is answered.
pub type Step = (bool, Fake);

impl Api {
    fn ask(&mut self, asked: &Asked) -> Fake {
        self.asked.push(asked.clone());
        let accept = (true, Fake::Answer(200, "{}".to_owned()));
        let (takes_effect, answer) = self.script.pop_front().or_else(|| self.then.clone()).unwrap_or(accept);
        if takes_effect {
            let key = asked.header("idempotency-key").unwrap().to_owned();
            let count = self.effects.entry(key).or_default();
            *count = if self.ignores_keys { *count + 1 } else { 1 };
        }
        answer
    }

    pub fn total_effects(&self) -> u32 {
        self.effects.values().sum()
    }
}

/// SNS's own host: certificates by path, and ConfirmSubscription.
#[derive(Default)]
pub struct SnsHost {
    pub files: HashMap<String, Fake>,
    pub fetched: Vec<String>,
    pub confirmed: Vec<Asked>,
    pub confirm_with: Option<Fake>,
}

impl SnsHost {
    fn ask(&mut self, asked: &Asked) -> Fake {
        if asked.method == "POST" {
            self.confirmed.push(asked.clone());
            return self.confirm_with.clone().unwrap_or(Fake::Answer(200, "<ConfirmSubscriptionResponse/>".to_owned()));
        }
        self.fetched.push(asked.path.clone());
        self.files.get(&asked.path).cloned().unwrap_or(Fake::Answer(404, String::new()))
    }
}

pub struct Setup {
    vars: Vec<(String, String)>,
    ledger: Option<Arc<dyn Ledger>>,
    limits: Limits,
    local: bool,
}

/// A tenth of the product's times, for what a case has to wait out.
pub fn short() -> Limits {
    let Limits { first_byte, head, idle, body, certificate, confirmation, begin, attempt, call } = Limits::default();
    Limits {
        first_byte: first_byte / 10,
        head: head / 10,
        idle: idle / 10,
        body: body / 10,
        certificate: certificate / 10,
        confirmation: confirmation / 10,
        begin: begin / 10,
        attempt: attempt / 10,
        call: call / 10,
    }
}

impl Setup {
    pub fn new() -> Setup {
        let setup = Setup { vars: Vec::new(), ledger: None, limits: Limits::default(), local: true };
        setup
            .var("INTERSTELLA_GATHER_MS", "0")
            .var("INTERSTELLA_DRAIN_LAG_MS", "0")
            .var("INTERSTELLA_ORDER_TOPIC", TOPIC)
    }

    pub fn var(mut self, name: &str, value: &str) -> Setup {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn ledger(mut self, ledger: Arc<dyn Ledger>) -> Setup {
        self.ledger = Some(ledger);
        self
    }

    pub fn short(mut self) -> Setup {
        self.limits = short();
        self
    }

    /// SNS is AWS's own, which a test must never reach.
    pub fn aws(mut self) -> Setup {
        self.local = false;
        self
    }

    pub async fn start(mut self) -> Rig {
        let api = Arc::new(Mutex::new(Api::default()));
        let sns = Arc::new(Mutex::new(SnsHost::default()));
        sns.lock().unwrap().files.insert(CERT.to_owned(), Fake::Answer(200, SNS.pem.clone()));
        let (api_too, sns_too) = (Arc::clone(&api), Arc::clone(&sns));
        let api_address = serve(move |asked| api_too.lock().unwrap().ask(asked)).await;
        let sns_address = serve(move |asked| sns_too.lock().unwrap().ask(asked)).await;
        if !self.vars.iter().any(|(name, _)| name == "INTERSTELLA_API_KEY_FILE") {
            self = self.var("INTERSTELLA_API_KEY", CANARY);
        }
        if !self.vars.iter().any(|(name, _)| name == "INTERSTELLA_API_ENDPOINT") {
            self = self.var("INTERSTELLA_API_ENDPOINT", &format!("http://{api_address}/receiving/"));
        }
        if self.local {
            self = self.var("AWS_ENDPOINT_URL", &format!("http://{sns_address}"));
        }
        let config = Config::from_env(self.vars.into_iter()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, admin_address) = (listener.local_addr().unwrap(), admin.local_addr().unwrap());
        let hosts = Arc::<Mutex<Vec<String>>>::default();
        let ahead_ms = Arc::<AtomicI64>::default();
        let jumped_ms = Arc::<AtomicI64>::default();
        let (hosts_too, system) = (Arc::clone(&hosts), Clock::system());
        let ahead = |ms: &Arc<AtomicI64>| {
            let ms = Arc::clone(ms);
            move || SignedDuration::from_millis(ms.load(Ordering::Relaxed))
        };
        let (passed, steady, jumped) = (ahead(&ahead_ms), ahead(&ahead_ms), ahead(&jumped_ms));
        let start = std::time::Instant::now();
        let environment = Environment {
            clock: Clock::of(
                move || system.now() + passed() + jumped(),
                move || SignedDuration::try_from(start.elapsed()).unwrap() + steady(),
            ),
            observer: Some(Arc::new(move |uri| {
                hosts_too.lock().unwrap().push(uri.authority().unwrap().to_string());
            })),
            ledger: self.ledger,
            limits: self.limits,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let running = interstella_worker::run_in(environment, config, listener, Some(admin), async {
            drop(stopped.await);
        });
        Rig {
            address,
            admin_address,
            sns_origin: format!("http://{sns_address}"),
            allowed: vec![api_address.to_string(), sns_address.to_string()],
            api,
            sns,
            hosts,
            ahead_ms,
            jumped_ms,
            stop: Some(stop),
            worker: tokio::spawn(running),
        }
    }
}

pub struct Rig {
    pub address: SocketAddr,
    pub admin_address: SocketAddr,
    pub sns_origin: String,
    pub api: Arc<Mutex<Api>>,
    pub sns: Arc<Mutex<SnsHost>>,
    /// The hosts of all outbound connections.
    pub hosts: Arc<Mutex<Vec<String>>>,
    /// How much more time has passed for the worker than here.
    pub ahead_ms: Arc<AtomicI64>,
    /// By how much somebody has set the worker's wall clock forward.
    pub jumped_ms: Arc<AtomicI64>,
    /// Where the worker may connect to.
    pub allowed: Vec<String>,
    stop: Option<oneshot::Sender<()>>,
    worker: JoinHandle<Result<(), Error>>,
}

impl Rig {
    pub async fn new() -> Rig {
        Setup::new().start().await
    }

    /// An unsigned order, now.
    pub fn draft(&self) -> Message {
        self.draft_of("{\"bundle\": 1}")
    }

    pub fn draft_of(&self, text: &str) -> Message {
        self.finish(Message::new("Notification", &[("Message", text)]))
    }

    /// Adds what every message has.
    pub fn finish(&self, message: Message) -> Message {
        let now = format!("{:.3}", Clock::system().now());
        message.with("Timestamp", &now).with("SigningCertURL", &format!("{}{CERT}", self.sns_origin))
    }

    pub fn order(&self) -> Message {
        self.draft().signed(&SNS)
    }

    pub async fn send(&self, message: &Message) -> Reply {
        self.post(&message.body(), &[]).await
    }

    pub async fn post(&self, body: &str, headers: &[(&str, &str)]) -> Reply {
        raw(self.address, &request("POST", "/order/", headers, body)).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        raw(self.address, &request("GET", path, &[], "")).await
    }

    pub async fn metrics(&self) -> String {
        raw(self.admin_address, &request("GET", "/metrics", &[], "")).await.body
    }

    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.api.lock().unwrap().script.extend(steps);
    }

    pub fn effects(&self) -> u32 {
        self.api.lock().unwrap().total_effects()
    }

    pub fn fetches(&self) -> usize {
        self.sns.lock().unwrap().fetched.len()
    }

    /// Tells the worker to stop.
    pub fn terminate(&mut self) {
        drop(self.stop.take());
    }

    pub async fn ended(&mut self) -> Result<(), Error> {
        (&mut self.worker).await.unwrap()
    }

    /// As if the process had been killed.
    pub fn kill(&self) {
        self.worker.abort();
    }
}

impl Drop for Rig {
    /// No case may make the worker talk to anybody else.
    fn drop(&mut self) {
        self.worker.abort();
        if !std::thread::panicking() {
            for host in self.hosts.lock().unwrap().iter() {
                assert!(self.allowed.contains(host), "connected to {host}");
            }
        }
    }
}

/// Waits until `condition` holds.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let waiting = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while !condition() {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
