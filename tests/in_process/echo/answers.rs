//! Every way in which one value of an answer can be another than the one that was sent: derived from the answers to a converged
//! app's reads, and from AWS's own service models for what is absent in them.

use interstella_localcloud::call::Service;
use interstella_localcloud::faults::{Calls, Fault, Kind};
use interstella_localcloud::wire::model::{self, Model};
use serde_json::{Value, json};

use crate::lab::{Lab, Pass};

/// One value that is answered otherwise, whatever was sent.
#[derive(Debug, Clone)]
pub struct Alteration {
    service: Service,
    operation: String,
    /// JSON pointer to the value.
    at: String,
    /// What is done to it, in one word.
    pub how: String,
    to: Option<Value>,
}

impl Alteration {
    /// The fault that answers so from now on.
    pub fn fault(&self) -> Fault {
        let calls = Calls::Operation(self.service, self.operation.clone());
        let kind = Kind::Rewrite { at: self.at.clone(), to: self.to.clone() };
        Fault { calls, skip: 0, times: u64::MAX, kind }
    }
}

impl std::fmt::Display for Alteration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}{} {}", self.service.scope(), self.operation, self.at, self.how)
    }
}

/// All alterations of what a pass reads.
pub fn alterations(lab: &Lab, pass: &Pass) -> Vec<Alteration> {
    let mut all: Vec<Alteration> = Vec::new();
    for call in pass.calls.iter().filter(|call| !call.mutating) {
        let (Some(service), operation) = (call.service, &call.operation) else { continue };
        let model = Model::of(service);
        let Some(output) = &model.operations[operation].output else { continue };
        let answer = lab.call(service, operation, call.input.clone());
        // One value stands for the answers to all calls of the operation, so a list of one of them would not do for the others.
        let is_asked_once = pass.calls.iter().all(|one| one.operation != *operation || one.input == call.input);
        let mut walk = Walk { model, found: Vec::new() };
        walk.value(&mut String::new(), output, &answer);
        for (at, how, to) in walk.found {
            let is_new = !all.iter().any(|one| one.operation == *operation && one.at == at && one.how == how);
            if is_new && (is_asked_once || !to.as_ref().is_some_and(Value::is_array)) {
                all.push(Alteration { service, operation: operation.clone(), at, how, to });
            }
        }
    }
    all
}

/// Where, how, and what is answered instead.
type Found = (String, String, Option<Value>);

struct Walk {
    model: &'static Model,
    found: Vec<Found>,
}

impl Walk {
    fn value(&mut self, at: &mut String, shape: &str, value: &Value) {
        let others = others(value).into_iter().map(|(how, to)| (at.clone(), how, to));
        self.found.extend(others.filter(|(at, _, _)| !at.is_empty()));
        match (&self.model.shape(shape).kind, value) {
            (model::Kind::Structure { members, .. }, Value::Object(object)) => {
                for (name, member) in members {
                    match object.get(name) {
                        Some(value) => self.below(at, name, &member.shape, value),
                        None => self.absent(at, name, &member.shape),
                    }
                }
            }
            (model::Kind::List { member }, Value::Array(elements)) => {
                for (index, value) in elements.iter().enumerate() {
                    self.below(at, &index.to_string(), &member.shape, value);
                }
            }
            (model::Kind::Map { value: reference, .. }, Value::Object(object)) => {
                for (key, value) in object {
                    self.below(at, key, &reference.shape, value);
                }
            }
            _ => (),
        }
    }

    fn below(&mut self, at: &mut String, key: &str, shape: &str, value: &Value) {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        self.value(at, shape, value);
        at.truncate(length);
    }

    /// An empty text, and a value of the right type, where nothing is.
    fn absent(&mut self, at: &str, name: &str, shape: &str) {
        let at = format!("{at}/{name}");
        let (how, to) = match &self.model.shape(shape).kind {
            model::Kind::String { values, .. } => {
                self.found.push((at.clone(), "empties".to_owned(), Some(json!(""))));
                ("adds", json!(values.first().map_or("added", String::as_str)))
            }
            model::Kind::Integer | model::Kind::Long => ("adds", json!(7)),
            model::Kind::Double => ("adds", json!(7.5)),
            model::Kind::Boolean => ("adds", json!(true)),
            _ => return,
        };
        self.found.push((at, how.to_owned(), Some(to)));
    }
}

/// What may be answered instead of a value.
fn others(value: &Value) -> Vec<(String, Option<Value>)> {
    let mut others = vec![("drops".to_owned(), None)];
    let mut add = |how: &str, to: Value| others.push((how.to_owned(), Some(to)));
    match value {
        Value::String(text) => match (serde_json::from_str::<Value>(text), text.parse::<i64>()) {
            (_, Ok(number)) => add("rounds", json!((number / 10 * 10 + 10).to_string())),
            (Ok(document @ Value::Object(_)), _) => {
                for (at, how, to) in leaves(&document) {
                    let mut other = document.clone();
                    *other.pointer_mut(&at).unwrap() = to;
                    add(&how, json!(other.to_string()));
                }
            }
            _ if text.bytes().any(|byte| byte.is_ascii_alphabetic()) => add("changes case", json!(swapped(text))),
            _ => add("changes", json!(format!("{text}0"))),
        },
        Value::Number(number) => match number.as_i64() {
            Some(number) => add("rounds", json!(number / 10 * 10 + 10)),
            None => add("rounds", json!(number.as_f64().unwrap().floor() + 1.0)),
        },
        Value::Bool(is) => add("changes", json!(!is)),
        Value::Array(elements) if elements.len() > 1 => {
            add("reorders", elements.iter().rev().cloned().collect());
        }
        _ => (),
    }
    if let Value::Array(elements) = value
        && let Some(Value::String(last)) = elements.last()
    {
        let more = json!(format!("{last}0"));
        add("adds", elements.iter().cloned().chain([more]).collect());
    }
    others
}

/// The values within a document that is answered as text, each with another one instead.
fn leaves(document: &Value) -> Vec<(String, String, Value)> {
    let members = document.as_object().into_iter().flatten();
    let below = |(key, value): (&String, &Value)| match value {
        Value::Object(_) => {
            let deeper = leaves(value).into_iter();
            deeper.map(|(at, how, to)| (format!("/{key}{at}"), how, to)).collect()
        }
        Value::Number(number) => {
            vec![(format!("/{key}"), format!("rounds {key}"), json!(number.as_i64().unwrap_or(0) / 10 * 10 + 10))]
        }
        Value::String(text) => vec![(format!("/{key}"), format!("changes case of {key}"), json!(swapped(text)))],
        _ => Vec::new(),
    };
    members.flat_map(below).collect()
}

fn swapped(text: &str) -> String {
    let swap = |letter: char| {
        if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    text.chars().map(swap).collect()
}
