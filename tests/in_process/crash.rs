//! The controller ends, or loses a reply, at every changing call there is: the next passes come to the same end.

use std::sync::Arc;

use interstella_localcloud::faults::{Calls, Fault, Kind, Moment};

use crate::lab::describe;
use crate::workload::{self, Prepared, run_all};

/// What goes wrong at a call.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// The controller is gone before the call has an effect.
    DroppedBefore,
    /// The controller is gone after the call had its effect.
    DroppedAfter,
    /// The controller lives and gets no answer, though the call had its effect.
    ReplyLost,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changing_call() {
    let mut cases = Vec::new();
    for workload in workload::all() {
        let prepared = Arc::new(workload.prepare().await);
        let changing: Vec<_> = prepared.calls().filter(|entry| entry.mutating).map(describe).collect();
        println!("{}: {}", prepared.workload.name, changing.join(", "));
        for (k, operation) in (1..).zip(changing) {
            for trouble in [Trouble::DroppedBefore, Trouble::DroppedAfter, Trouble::ReplyLost] {
                let prepared = Arc::clone(&prepared);
                let what = format!("{} call {k}, {operation}, {trouble:?}", prepared.workload.name);
                cases.push(async move { disturb(&what, &prepared, k, trouble).await });
            }
        }
    }
    run_all(cases).await;
}

async fn disturb(what: &str, prepared: &Prepared, k: u64, trouble: Trouble) -> Result<(), String> {
    let (lab, desired) = prepared.start().await;
    let mut first = lab.controller(desired.clone());
    let moment = match trouble {
        Trouble::DroppedBefore => Moment::Before,
        Trouble::DroppedAfter => Moment::After,
        Trouble::ReplyLost => {
            lab.cloud.faults.push(Fault { calls: Calls::Mutating, skip: k - 1, times: 1, kind: Kind::DropReply });
            first.try_to_converge().await.map_err(|problem| format!("{what}: {problem}"))?;
            return prepared.check_end(what, &lab);
        }
    };
    let reached = lab.cloud.faults.crash_at(k, moment);
    tokio::select! {
        reached = reached => reached.unwrap(),
        _ = first.try_to_converge() => return Err(format!("{what}: that call never came")),
    }
    drop(first);
    lab.controller(desired).try_to_converge().await.map_err(|problem| format!("{what}: {problem}"))?;
    prepared.check_end(what, &lab)
}
