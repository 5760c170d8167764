//! A read fails, is throttled, is old, or brings half of the truth, at every read there is: nothing is made or removed because of
//! it, and the end is the same.

use std::sync::Arc;

use interstella_localcloud::faults::{Calls, Fault, Kind};
use interstella_localcloud::journal::{Entry, Outcome};

use crate::lab::{Pass, describe};
use crate::workload::{self, Prepared, run_all};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read() {
    let mut cases = Vec::new();
    for workload in workload::all() {
        let prepared = Arc::new(workload.prepare().await);
        println!(
            "{}: {} passes, {} faults",
            prepared.workload.name,
            prepared.passes.len(),
            faults(&prepared.passes).len()
        );
        for (what, fault) in faults(&prepared.passes) {
            let prepared = Arc::clone(&prepared);
            let what = format!("{} {what}", prepared.workload.name);
            cases.push(async move { disturb(&what, &prepared, fault).await });
        }
    }
    run_all(cases).await;
}

/// A fault for each read and each way it can go wrong. A pass that only waits, as the one before did, is left out.
fn faults(passes: &[Pass]) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    let mut seen: Vec<&Entry> = Vec::new();
    for (number, pass) in passes.iter().enumerate() {
        let waits = number > 0 && passes[number - 1].plan == pass.plan && pass.calls.iter().all(|call| !call.mutating);
        if !waits {
            faults.extend(of_pass(number, pass, &seen));
        }
        seen.extend(&pass.calls);
    }
    faults
}

fn of_pass(number: usize, pass: &Pass, seen: &[&Entry]) -> Vec<(String, Fault)> {
    let mut faults = Vec::new();
    let mut before = seen.to_vec();
    let reads = |calls: &[&Entry]| calls.iter().filter(|call| !call.mutating).count() as u64;
    let something_changed = seen.iter().any(|call| call.mutating);
    let mut push = |what: &str, fault| faults.push((format!("pass {number} {what}"), fault));
    let all: Vec<&Entry> = pass.calls.iter().collect();
    if something_changed {
        push("stale", Fault { calls: Calls::Reading, skip: reads(seen), times: reads(&all), kind: Kind::Stale });
    }
    for (index, call) in pass.calls.iter().enumerate() {
        if !call.mutating {
            let what = format!("call {index} {}", describe(call));
            let rest = pass.calls[index..].iter().filter(|other| is_same(other, call)).count() as u64;
            for kind in [Kind::Throttle, Kind::Fail { code: "InternalFailure".to_owned(), status: 500 }] {
                push(&format!("{what} {kind:?}"), lasting(call, &before, rest, kind));
            }
            let second = Kind::OnePageOfTwo { fail_second: true };
            push(&format!("{what} {second:?}"), lasting(call, &before, 1, second));
            if something_changed {
                let fault = Fault { calls: Calls::Reading, skip: reads(&before), times: 1, kind: Kind::Stale };
                push(&format!("{what} stale"), fault);
            }
        }
        before.push(call);
    }
    faults
}

/// A fault that meets a read and those of its kind that follow it in its pass, and the second attempt of each.
fn lasting(call: &Entry, before: &[&Entry], rest: u64, kind: Kind) -> Fault {
    let skip = before.iter().filter(|other| is_same(other, call)).count() as u64;
    let calls = Calls::Operation(call.service.unwrap(), call.operation.clone());
    Fault { calls, skip, times: 2 * rest, kind }
}

fn is_same(one: &Entry, other: &Entry) -> bool {
    one.service == other.service && one.operation == other.operation
}

async fn disturb(what: &str, prepared: &Prepared, fault: Fault) -> Result<(), String> {
    let (lab, desired) = prepared.start().await;
    lab.cloud.faults.push(fault);
    lab.controller(desired).try_to_converge().await.map_err(|problem| format!("{what}: {problem}"))?;
    prepared.check_end(what, &lab)?;
    let usual = effects(prepared.calls());
    let calls = lab.calls_since(0);
    if effects(&calls) == usual {
        return Ok(());
    }
    Err(format!("{what}: other calls than without trouble:\n{}", lab.mutations(0).join("\n")))
}

/// What calls came to. After an old read the same may be asked for once more: an update or removal that repeats an earlier one
/// has no effect, and counts once. Making something twice has, and counts twice.
fn effects<'a>(calls: impl IntoIterator<Item = &'a Entry>) -> Vec<String> {
    let makes = |call: &Entry| call.operation.starts_with("Create") || call.operation == "RegisterTaskDefinition";
    let mut seen: Vec<&Entry> = Vec::new();
    for call in calls.into_iter().filter(|call| call.mutating && call.outcome == Outcome::Ok) {
        let repeats = seen.iter().any(|other| is_same(other, call) && other.input == call.input);
        if makes(call) || !repeats {
            seen.push(call);
        }
    }
    let mut effects: Vec<String> = seen.into_iter().map(describe).collect();
    effects.sort();
    effects
}
