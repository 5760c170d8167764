//! Everything about one manifest that can be known to be wrong without asking AWS.
//!
//! One file per section, each a list of small checks; all of them run, so that a person sees every problem at once. What a
//! type or the schema already rules out is not checked again. Problems between documents are in `load`.

mod arn;
mod containers;
mod deployment;
mod grammar;
mod load_balancer;
mod names;
mod network;
mod scaling;
pub(super) mod secrecy;
mod subscriptions;
mod task;

use std::ops::RangeInclusive;

use serde::Serialize;

use super::Manifest;
use super::pointer::Pointer;

/// Something wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where.
    pub path: Pointer,
    /// What is wrong; never contains a value of `environment`.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every problem of `manifest`; none means that AWS may still refuse it, but not for anything known here.
pub fn validate(manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Problems::default();
    names::check(manifest, &mut problems);
    task::check(manifest, &mut problems);
    containers::check(manifest, &mut problems);
    network::check(manifest, &mut problems);
    load_balancer::check(manifest, &mut problems);
    subscriptions::check(manifest, &mut problems);
    deployment::check(manifest, &mut problems);
    scaling::check(manifest, &mut problems);
    problems.0
}

/// Most that a number of AWS's APIs can be: they have 32 bits with a sign.
const MOST: u32 = i32::MAX.unsigned_abs();

/// The problems found so far.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: Pointer, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(Problem { path, what: what.into(), remedy: remedy.into() });
    }

    /// `unit` follows the numbers, such as ` seconds`.
    fn range(&mut self, path: Pointer, value: u32, allowed: RangeInclusive<u32>, unit: &str) {
        if !allowed.contains(&value) {
            let remedy = format!("use {} to {}{unit}", allowed.start(), allowed.end());
            self.add(path, format!("{value} is out of range"), remedy);
        }
    }

    /// Adds `remedy` if `text` does not follow `rule`.
    fn grammar(&mut self, path: Pointer, text: &str, rule: fn(&str) -> bool, remedy: &str) {
        if !rule(text) {
            self.add(path, format!("`{}` is not allowed here", shorten(text)), remedy);
        }
    }

    /// Every element that equals an earlier one; `noun` names what they are.
    fn distinct<'a, T: Eq + std::hash::Hash + ?Sized + 'a>(
        &mut self,
        list: &Pointer,
        noun: &str,
        elements: impl Iterator<Item = &'a T>,
    ) {
        let mut seen = std::collections::HashSet::new();
        for (index, element) in elements.enumerate() {
            if !seen.insert(element) {
                self.add(list.index(index), format!("the {noun} is in the list twice"), "keep one of the two");
            }
        }
    }
}

fn spec() -> Pointer {
    Pointer::root().key("spec")
}

fn task_definition() -> Pointer {
    spec().key("taskDefinition")
}

/// A wrong name may be a whole file by mistake.
fn shorten(text: &str) -> String {
    const MOST: usize = 64;
    let line: String = text.chars().take(MOST).map(|c| if c.is_control() { '�' } else { c }).collect();
    if text.chars().count() > MOST { format!("{line}…") } else { line }
}

#[cfg(test)]
mod tests;
