//! One call with everything that stands around it: the fault that meets it, the crash it triggers, its place in the journal.
//! The input is decoded and valid already.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{errors, redact};
use crate::call::{Answer, ApiError, Call, Service};
use crate::cloud::Cloud;
use crate::faults::{self, Kind, Moment};
use crate::journal::{Entry, Outcome, is_mutating};

/// What came of a call.
pub struct Performed {
    /// Its place in the journal.
    pub sequence: u64,
    /// The answer; `None`: a fault broke the connection.
    pub answer: Option<Answer>,
}

/// Performs a call. Never returns if it triggers a crash.
pub async fn perform(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Performed {
    let mutating = is_mutating(operation);
    let (mut before, mut after) = (None, None);
    match if mutating { cloud.faults.take_crash() } else { None } {
        Some((Moment::Before, reached)) => before = Some(reached),
        Some((Moment::After, reached)) => after = Some(reached),
        None => (),
    }
    if let Some(reached) = before {
        // The test that armed the crash may be gone; the call hangs all the same.
        let _ = reached.send(());
        pending::<()>().await;
    }
    let at = cloud.now();
    let summary = redact::redact(service, operation, &input);
    let fault = cloud.faults.take(service, operation, &input);
    if mutating && cloud.faults.wants_snapshot() {
        cloud.faults.remember(cloud.snapshot());
    }
    let (answer, outcome) = meet(cloud, fault, service, operation, input).await;
    let operation = operation.to_owned();
    let entry = Entry { sequence: 0, at, service: Some(service), operation, mutating, input: summary, outcome };
    let sequence = cloud.journal.record(entry);
    if let Some(reached) = after {
        let _ = reached.send(());
        pending::<()>().await;
    }
    Performed { sequence, answer }
}

/// Has `fault` meet the call.
async fn meet(
    cloud: &Arc<Cloud>,
    fault: Option<Kind>,
    service: Service,
    operation: &str,
    input: Value,
) -> (Option<Answer>, Outcome) {
    let answer = match fault {
        None => answer(cloud, service, operation, input),
        Some(Kind::Throttle) => Err(errors::throttled(service)),
        Some(Kind::Fail { code, status }) => Err(ApiError::with_status(&code, status, "a fault was scripted")),
        Some(Kind::Delay(delay)) => {
            wait(delay).await;
            answer(cloud, service, operation, input)
        }
        Some(Kind::DropCall) => return (None, Outcome::CallLost),
        Some(Kind::DropReply) => {
            // The effect is all that is wanted: success and failure are lost alike.
            let _ = answer(cloud, service, operation, input);
            return (None, Outcome::ReplyLost);
        }
        Some(Kind::Stale) => stale(cloud, service, operation, input),
        Some(Kind::OnePageOfTwo { fail_second }) => {
            let mut answer = answer(cloud, service, operation, input);
            if let Ok(whole) = &mut answer {
                cloud.faults.split(service, operation, whole, fail_second);
            }
            answer
        }
        Some(Kind::Rewrite { at, to }) => answer(cloud, service, operation, input).map(|mut answer| {
            faults::rewrite(&mut answer, &at, to);
            answer
        }),
    };
    let outcome = answer.as_ref().map_or_else(|error| Outcome::Error(error.code.clone()), |_| Outcome::Ok);
    (Some(answer), outcome)
}

fn answer(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Answer {
    match cloud.faults.second_page(service, operation, &input) {
        Some(page) => page.ok_or_else(|| errors::throttled(service)),
        None => cloud.call(service, operation, input),
    }
}

/// The read as of before the last mutating call; what it would cause is forgotten with the old world.
fn stale(cloud: &Arc<Cloud>, service: Service, operation: &str, input: Value) -> Answer {
    match cloud.faults.before().filter(|world| world.region == cloud.region()) {
        Some(mut world) => world.call(&Call { now: cloud.now() }, service, operation, input),
        None => answer(cloud, service, operation, input),
    }
}

async fn wait(delay: Duration) {
    #[expect(clippy::disallowed_methods, reason = "the delay is the fault that was asked for")]
    tokio::time::sleep(delay).await;
}
