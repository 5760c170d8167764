//! What an order costs, beside what it cannot cost less than: a bare echo of the same body and the check of its signature.
//!
//! `cargo bench --profile dist -p interstella-worker --bench orders`: built as what runs in production is, the echo like the
//! worker. The worker and the echo are processes of their own on one core; the load, SNS and the fulfilment API share another.
//! Other programs on the machine change the rates, and through its caches the CPU time per order too, so compare only what one
//! run measured. Nothing here asserts: figures are for people.
//!
//! On loopback whoever sends also does the receiver's half of TCP. So an order, which sends two messages to the echo's one, pays
//! for the fulfilment API's half as well, which over a network it would not; the limit with a call in between has the same load.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod child;
mod echo;
mod load;
mod phases;
#[allow(dead_code)]
#[path = "../../tests/cases/sender.rs"]
mod sender;
mod stand_in;

use std::process::{Command, Stdio};

use child::{GENERATOR_CORE, Subject};
use load::{Load, Outcome};
use phases::{Cost, Orders};

/// Enough for over a second at full speed; each round starts a worker that has not seen them.
const ORDERS: usize = 16_000;
const ROUNDS: usize = 11;
const CONNECTIONS: usize = 64;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(port) = words.first().and_then(|word| word.strip_prefix("echo=")?.parse().ok()) {
        return echo::run(port, words.get(1).and_then(|word| word.parse().ok()));
    }
    let port = child::free_port();
    let orders = Orders::sign(ORDERS, port);
    let is_pinned = pin();
    println!("{ORDERS} orders of {} bytes, {CONNECTIONS} connections, pinned: {is_pinned}", orders.size());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::spawn(load::stay_awake());
        let books = stand_in::serve(port, sender::SNS.pem.clone()).await;
        let peak = throughput(&orders, &books).await;
        latency(&orders, peak).await;
        overload(&orders).await;
        memory(&orders).await;
    });
}

/// Threads that are started from now on, and this one, stay on the generator's core.
fn pin() -> bool {
    let pid = std::process::id().to_string();
    let mut taskset = Command::new("taskset");
    let done = taskset.args(["-cp", GENERATOR_CORE, &pid]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// Prints the costs and returns the worker's rate.
async fn throughput(orders: &Orders, books: &stand_in::Books) -> f64 {
    let mut rounds = Vec::new();
    for number in 1..=ROUNDS {
        eprintln!("round {number} of {ROUNDS}");
        rounds.push(Round::measure(orders, books).await);
    }
    println!("medians of {ROUNDS} rounds:\n{:32} {:>10} {:>14}", "", "per second", "CPU µs each");
    let costs: [(&str, Which); 7] = [
        ("echo of the same body", |round| round.echo),
        ("RSA verification alone", |round| round.rsa),
        ("limit: both", Round::limit),
        ("echo with a call in between", |round| round.calling),
        ("limit: that and verification", Round::limit_calling),
        ("orders", |round| round.worker),
        ("orders, without their log lines", |round| round.quiet),
    ];
    for (name, cost) in costs {
        let (rate, cpu_us) = (median(&rounds, |round| cost(round).rate), median(&rounds, |round| cost(round).cpu_us));
        println!("{name:32} {rate:>10.0} {cpu_us:>14.1}");
    }
    let ratios: [(&str, Pair); 3] = [
        ("limit (goal 0.5)", |round| (round.worker, round.limit())),
        ("limit, without log lines", |round| (round.quiet, round.limit())),
        ("limit with a call", |round| (round.worker, round.limit_calling())),
    ];
    for (name, pair) in ratios {
        let by_rate = |round: &Round| pair(round).0.rate / pair(round).1.rate;
        let by_time = |round: &Round| pair(round).1.cpu_us / pair(round).0.cpu_us;
        println!(
            "ratio of orders to the {name}: {} by rate, {} by CPU time",
            spread(&rounds, by_rate),
            spread(&rounds, by_time)
        );
    }
    median(&rounds, |round| round.worker.rate)
}

type Which = fn(&Round) -> Cost;
/// A cost and what it is compared with.
type Pair = fn(&Round) -> (Cost, Cost);

/// Everything once. The machine may be half as fast a minute later, so ratios are taken within a round.
struct Round {
    echo: Cost,
    rsa: Cost,
    calling: Cost,
    worker: Cost,
    quiet: Cost,
}

impl Round {
    async fn measure(orders: &Orders, books: &stand_in::Books) -> Round {
        let load = Load { connections: CONNECTIONS, rate: None };
        let worker = async |log| {
            let before = books.calls();
            let (cost, outcome) = phases::cost(Subject::worker(orders.port, &[("RUST_LOG", log)]), orders, load).await;
            assert_eq!(outcome.count(200), orders.len(), "{outcome:?}");
            assert_eq!(books.calls() - before, orders.len(), "each order is sent once");
            cost
        };
        Round {
            rsa: orders.verify_alone(),
            echo: phases::cost(Subject::echo(None), orders, load).await.0,
            worker: worker("info").await,
            calling: phases::cost(Subject::echo(Some(orders.port)), orders, load).await.0,
            quiet: worker("warn").await,
        }
    }

    fn limit(&self) -> Cost {
        self.echo.then(self.rsa)
    }

    fn limit_calling(&self) -> Cost {
        self.calling.then(self.rsa)
    }
}

/// The value below which so many quarters of the rounds lie.
fn quartile(rounds: &[Round], quarters: usize, value: impl Fn(&Round) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() * quarters / 4]
}

fn median(rounds: &[Round], value: impl Fn(&Round) -> f64) -> f64 {
    quartile(rounds, 2, value)
}

/// The median, and between what the half around it lies.
fn spread(rounds: &[Round], value: impl Fn(&Round) -> f64) -> String {
    let at = |quarters| quartile(rounds, quarters, &value);
    format!("{:.2} ({:.2} to {:.2})", at(2), at(1), at(3))
}

async fn latency(orders: &Orders, peak: f64) {
    let load = Load { connections: CONNECTIONS, rate: Some(peak / 2.0) };
    let few = orders.first((peak * 1.25) as usize);
    for (name, subject) in [("echo", Subject::echo(None)), ("orders", Subject::worker(orders.port, &[]))] {
        let (_, outcome) = phases::cost(subject, &few, load).await;
        println!("{name} at {:.0} a second: {}", peak / 2.0, outcome.latency(200));
    }
}

/// Where the number of orders in flight, not the CPU, is what there is too little of, as with the default of one second of
/// gathering: 64 orders of 100 ms each are 640 a second.
async fn overload(orders: &Orders) {
    let vars = [("INTERSTELLA_GATHER_MS", "100"), ("INTERSTELLA_MAX_IN_FLIGHT", "64")];
    let at_peak = Load { connections: 64, rate: None };
    let (_, peak) = phases::cost(Subject::worker(orders.port, &vars), &orders.first(1_500), at_peak).await;
    let peak = peak.rate_of(200);
    let offered = peak * 5.0;
    let above = Load { connections: 512, rate: Some(offered) };
    let few = orders.first((offered * 4.0) as usize);
    let subject = Subject::worker(orders.port, &vars);
    let probes = tokio::spawn(load::probe(subject.address));
    let (_, outcome) = phases::cost(subject, &few, above).await;
    let (failed, probed) = probes.await.unwrap();
    println!(
        "offered {offered:.0} a second, 5 × the peak of {peak:.0}: goodput {:.0} % of the peak; 503 for {}: {}",
        100.0 * outcome.rate_of(200) / peak,
        outcome.count(503),
        outcome.latency(503)
    );
    println!("health checks meanwhile: {failed} failed, {}", probed.latency(200));
    let (_, echo) = phases::cost(Subject::echo(None), &few, above).await;
    println!("echo at the same rate: {}", echo.latency(200));
}

async fn memory(orders: &Orders) {
    let mut subject = Subject::worker(orders.port, &[]);
    subject.ready().await;
    let mut held = Vec::new();
    for count in [1, 1000] {
        held.extend(load::open(subject.address, &orders.requests[held.len()..count]).await);
        println!("memory with {count} connections that sent an order each: {:.1} MiB", subject.rss_mib());
    }
    drop((held, subject));
    let head = "POST /order/ HTTP/1.1\r\nhost: a\r\n";
    let endless_head = format!("{head}x: {}", "x".repeat(15 * 1024));
    let endless_body = format!("{head}content-length: {}\r\n\r\n{}", 256 * 1024, "x".repeat(256 * 1024 - 1));
    for (name, part) in [("heads of 15 KiB", endless_head), ("bodies of 256 KiB", endless_body)] {
        let mut subject = Subject::worker(orders.port, &[]);
        subject.ready().await;
        load::hold_without_end(subject.address, 1000, part.as_bytes()).await;
        println!("memory at most, with 1000 {name} that do not end: {:.1} MiB", subject.peak_rss_mib());
    }
}

/// Shared by the phases.
fn report(outcome: &Outcome, status: u16) -> String {
    let mut sorted = outcome.latencies(status);
    if sorted.is_empty() {
        return "none".to_owned();
    }
    sorted.sort_unstable();
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms", at(0.5), at(0.99), at(1.0))
}
