//! Scripted faults by operation and count, for tests. Decides *which* fault meets a call; the wire carries it out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::call::Service;
use crate::journal::is_mutating;
use crate::wire::model::Model;
use crate::world::World;

/// Begins the token of a second page that a fault made.
const TOKEN: &str = "interstella-second-page-";

/// A fault to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The calls that count.
    pub calls: Calls,
    /// How many of them pass first.
    pub skip: u64,
    /// How many of the following are met.
    pub times: u64,
    /// What happens to these.
    pub kind: Kind,
}

/// Which calls a fault counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calls {
    /// Every call.
    Any,
    /// Every call that changes something.
    Mutating,
    /// Every call that does not.
    Reading,
    /// Calls of one operation.
    Operation(Service, String),
}

/// What happens to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is refused with the service's code for "too many requests". No effect.
    Throttle,
    /// It is refused with this code and HTTP status. No effect.
    Fail {
        /// The code on the wire.
        code: String,
        /// HTTP status.
        status: u16,
    },
    /// It is answered this much later (wall time), and takes effect then.
    Delay(Duration),
    /// The connection breaks before it has any effect.
    DropCall,
    /// The connection breaks after its effect.
    DropReply,
    /// A read is answered as of before the last mutating call since this fault was pushed; mutating calls do not count.
    Stale,
    /// A read gets half of the list, and a token for the other half; calls that are not paginated and calls with a token do not
    /// count. A list of one is an empty page and then the one.
    OnePageOfTwo {
        /// Whether the other half is throttled for ever instead of answered.
        fail_second: bool,
    },
    /// It is answered as it should be, but for one value: what AWS does not keep, rounds or adds. An answer that has no place for
    /// the value stays as it is.
    Rewrite {
        /// JSON pointer to the value in the answer.
        at: String,
        /// What is answered instead; `None`: nothing.
        to: Option<Value>,
    },
}

impl Fault {
    /// Meets the first of `calls`.
    pub fn once(calls: Calls, kind: Kind) -> Self {
        Self { calls, skip: 0, times: 1, kind }
    }

    fn counts(&self, service: Service, operation: &str, input: &Value) -> bool {
        let called = match &self.calls {
            Calls::Any => true,
            Calls::Mutating => is_mutating(operation),
            Calls::Reading => !is_mutating(operation),
            Calls::Operation(wanted, name) => *wanted == service && name == operation,
        };
        called
            && match self.kind {
                Kind::Stale => !is_mutating(operation),
                Kind::OnePageOfTwo { .. } => {
                    input_token(service, operation).is_some_and(|token| input.get(token).is_none())
                }
                _ => true,
            }
    }
}

/// When a crash happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The call has had no effect.
    Before,
    /// The call has had its effect, the reply is not on its way.
    After,
}

/// Faults to come.
#[derive(Default)]
pub struct Faults(Mutex<Script>);

#[derive(Default)]
struct Script {
    faults: Vec<Fault>,
    crash: Option<Crash>,
    /// The world before the last mutating call, kept while a read is to be stale.
    before: Option<Box<World>>,
    second_pages: BTreeMap<String, Value>,
    pages_made: u64,
}

struct Crash {
    /// Mutating calls that pass first.
    skip: u64,
    moment: Moment,
    reached: oneshot::Sender<()>,
}

impl Faults {
    /// Adds a fault. Of several that meet one call, the one pushed first happens; each counts the calls that it meets itself or
    /// skips.
    pub fn push(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Removes every fault and crash that has not happened, and second pages that were not asked for.
    pub fn clear(&self) {
        *self.lock() = Script::default();
    }

    /// Arms a crash at the `k`-th mutating call from now, counted from 1: the receiver is answered, and that call never is, so
    /// that a test can drop the client in the middle of it. Replaces a crash armed before.
    pub fn crash_at(&self, k: u64, moment: Moment) -> oneshot::Receiver<()> {
        let (reached, receiver) = oneshot::channel();
        self.lock().crash = Some(Crash { skip: k.saturating_sub(1), moment, reached });
        receiver
    }

    /// Counts a mutating call and tells whether it crashes.
    pub(crate) fn take_crash(&self) -> Option<(Moment, oneshot::Sender<()>)> {
        let mut script = self.lock();
        let crash = script.crash.as_mut()?;
        if crash.skip > 0 {
            crash.skip -= 1;
            return None;
        }
        script.crash.take().map(|crash| (crash.moment, crash.reached))
    }

    /// Counts a call and tells which fault meets it.
    pub(crate) fn take(&self, service: Service, operation: &str, input: &Value) -> Option<Kind> {
        let mut script = self.lock();
        let mut met = None;
        for fault in script.faults.iter_mut().filter(|fault| fault.counts(service, operation, input)) {
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if met.is_none() && fault.times > 0 {
                fault.times -= 1;
                met = Some(fault.kind.clone());
            }
        }
        script.faults.retain(|fault| fault.times > 0);
        met
    }

    /// Whether a read is to be stale, so that the world has to be remembered before the next mutating call.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.lock().faults.iter().any(|fault| fault.kind == Kind::Stale)
    }

    /// Remembers the world before a mutating call.
    pub(crate) fn remember(&self, world: World) {
        self.lock().before = Some(Box::new(world));
    }

    /// The world before the last mutating call.
    pub(crate) fn before(&self) -> Option<World> {
        self.lock().before.as_deref().cloned()
    }

    /// Leaves half of a paginated answer's list in `answer` and keeps the rest for who sends the token.
    pub(crate) fn split(&self, service: Service, operation: &str, answer: &mut Value, fail_second: bool) {
        let pagination =
            Model::of(service).operations.get(operation).and_then(|operation| operation.pagination.as_ref());
        let Some(pagination) = pagination else { return };
        let mut rest = answer.clone();
        if let Some(list) = answer.get_mut(&pagination.list).and_then(Value::as_array_mut) {
            list.truncate(list.len() / 2);
            if let Some(all) = rest.get_mut(&pagination.list).and_then(Value::as_array_mut) {
                all.drain(..list.len());
            }
        }
        let mut script = self.lock();
        script.pages_made += 1;
        let token = format!("{TOKEN}{}", script.pages_made);
        script.second_pages.insert(token.clone(), if fail_second { Value::Null } else { rest });
        if let Some(answer) = answer.as_object_mut() {
            answer.insert(pagination.output_token.clone(), Value::String(token));
        }
    }

    /// The second page that `input` asks for, if it was made by a fault; `Some(None)`: it is to fail.
    pub(crate) fn second_page(&self, service: Service, operation: &str, input: &Value) -> Option<Option<Value>> {
        let token = input.get(input_token(service, operation)?)?.as_str()?;
        let page = self.lock().second_pages.get(token).cloned()?;
        Some(Some(page).filter(|page| !page.is_null()))
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts `to` at the place `at` of an answer, or takes away what is there.
pub(crate) fn rewrite(answer: &mut Value, at: &str, to: Option<Value>) {
    let Some((parent, last)) = at.rsplit_once('/') else { return };
    let key = last.replace("~1", "/").replace("~0", "~");
    match (answer.pointer_mut(parent), to) {
        (Some(Value::Object(members)), Some(to)) => drop(members.insert(key, to)),
        (Some(Value::Object(members)), None) => drop(members.remove(&key)),
        (Some(Value::Array(elements)), to) => {
            let Some(index) = key.parse().ok().filter(|index| *index < elements.len()) else { return };
            match to {
                Some(to) => elements[index] = to,
                None => drop(elements.remove(index)),
            }
        }
        _ => (),
    }
}

fn input_token(service: Service, operation: &str) -> Option<&'static str> {
    let pagination = Model::of(service).operations.get(operation)?.pagination.as_ref()?;
    Some(&pagination.input_token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn take(faults: &Faults, operation: &str) -> Option<Kind> {
        faults.take(Service::Ecs, operation, &json!({}))
    }

    #[test]
    fn counts_by_operation() {
        let faults = Faults::default();
        let calls = Calls::Operation(Service::Ecs, "UpdateService".to_owned());
        faults.push(Fault { calls, skip: 1, times: 2, kind: Kind::Throttle });
        faults.push(Fault { calls: Calls::Reading, skip: 0, times: 1, kind: Kind::DropCall });
        assert_eq!(take(&faults, "UpdateService"), None);
        assert_eq!(take(&faults, "DescribeServices"), Some(Kind::DropCall));
        assert_eq!(take(&faults, "DescribeServices"), None);
        assert_eq!(take(&faults, "UpdateService"), Some(Kind::Throttle));
        assert_eq!(take(&faults, "UpdateService"), Some(Kind::Throttle));
        assert_eq!(take(&faults, "UpdateService"), None);
    }

    #[test]
    fn one_page_of_two_loses_nothing() {
        let faults = Faults::default();
        let mut answer = json!({"serviceArns": ["a", "b", "c"]});
        faults.split(Service::Ecs, "ListServices", &mut answer, false);
        assert_eq!(answer["serviceArns"], json!(["a"]));
        let next = json!({"nextToken": answer["nextToken"]});
        let second = faults.second_page(Service::Ecs, "ListServices", &next);
        assert_eq!(second, Some(Some(json!({"serviceArns": ["b", "c"]}))));
        assert_eq!(faults.second_page(Service::Ecs, "ListServices", &json!({"nextToken": "other"})), None);
    }

    #[test]
    fn one_value_of_an_answer_is_rewritten() {
        let answer = json!({"list": [{"a/b": 1}, {"c": 2}]});
        let table = [
            ("/list/0/a~1b", Some(json!(3)), json!({"list": [{"a/b": 3}, {"c": 2}]})),
            ("/list/1/new", Some(json!("")), json!({"list": [{"a/b": 1}, {"c": 2, "new": ""}]})),
            ("/list/1", None, json!({"list": [{"a/b": 1}]})),
            ("/list/0/a~1b", None, json!({"list": [{}, {"c": 2}]})),
            ("/list/7", Some(json!(0)), answer.clone()),
            ("/none/0", None, answer.clone()),
        ];
        for (at, to, wanted) in table {
            let mut rewritten = answer.clone();
            rewrite(&mut rewritten, at, to);
            assert_eq!(rewritten, wanted, "{at}");
        }
    }

    #[test]
    fn a_crash_is_reached_once() {
        let faults = Faults::default();
        let mut reached = faults.crash_at(2, Moment::After);
        assert!(faults.take_crash().is_none());
        let (moment, sender) = faults.take_crash().unwrap();
        assert_eq!(moment, Moment::After);
        sender.send(()).unwrap();
        assert_eq!(reached.try_recv(), Ok(()));
        assert!(faults.take_crash().is_none());
    }
}
