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
use phases::{Orders, median};

/// Enough for over a second at full speed; each round starts a worker that has not seen them.
const ORDERS: usize = 16_000;
const ROUNDS: usize = 3;
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
    let load = Load { connections: CONNECTIONS, rate: None };
    let (mut worker, mut quiet, mut echo, mut calling, mut rsa) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        rsa.push(orders.verify_alone());
        echo.push(phases::cost(Subject::echo(None), orders, load).await.0);
        calling.push(phases::cost(Subject::echo(Some(orders.port)), orders, load).await.0);
        for (log, costs) in [("info", &mut worker), ("warn", &mut quiet)] {
            let before = books.calls();
            let (cost, outcome) = phases::cost(Subject::worker(orders.port, &[("RUST_LOG", log)]), orders, load).await;
            assert_eq!(outcome.count(200), orders.len(), "{outcome:?}");
            assert_eq!(books.calls() - before, orders.len(), "each order is sent once");
            costs.push(cost);
        }
    }
    let (worker, quiet, rsa) = (median(worker), median(quiet), median(rsa));
    let (echo, calling) = (median(echo), median(calling));
    let (limit, limit_calling) = (echo.then(rsa), calling.then(rsa));
    println!("{:32} {:>10} {:>14}", "", "per second", "CPU µs each");
    for (name, cost) in [
        ("echo of the same body", echo),
        ("RSA verification alone", rsa),
        ("limit: both", limit),
        ("echo with a call in between", calling),
        ("limit: that and verification", limit_calling),
        ("orders", worker),
        ("orders, without their log lines", quiet),
    ] {
        println!("{name:32} {:>10.0} {:>14.1}", cost.rate, cost.cpu_us);
    }
    for (name, cost, limit) in [
        ("limit (goal 0.5)", worker, limit),
        ("limit, without log lines", quiet, limit),
        ("limit with a call", worker, limit_calling),
    ] {
        let (rates, times) = (cost.rate / limit.rate, limit.cpu_us / cost.cpu_us);
        println!("ratio of orders to the {name}: {rates:.2} by rate, {times:.2} by CPU time");
    }
    worker.rate
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
