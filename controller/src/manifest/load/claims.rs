//! What two documents may not both claim: an app's name, a load balancer, a target group, a log group, a family.
//!
//! Neither claim wins: both documents are refused and each names the other, because either guess could destroy something.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{FileResult, Loaded};
use crate::manifest::diagnostic::Diagnostic;
use crate::manifest::pointer::Pointer;
use crate::manifest::{Manifest, Metadata};

/// Something only one document may have.
struct Claim {
    noun: &'static str,
    name: String,
    /// Where the document says so.
    path: Pointer,
}

/// Turns the result of every file with a conflict into its problems.
pub(super) fn check(results: &mut BTreeMap<PathBuf, FileResult>) {
    let found = conflicts(results);
    for (file, mut diagnostics) in found {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        diagnostics.dedup();
        results.insert(file, Err(diagnostics));
    }
}

/// One document that claims something.
struct Holder<'a> {
    file: &'a PathBuf,
    loaded: &'a Loaded,
    path: Pointer,
}

fn conflicts(results: &BTreeMap<PathBuf, FileResult>) -> BTreeMap<PathBuf, Vec<Diagnostic>> {
    let mut found: BTreeMap<PathBuf, Vec<Diagnostic>> = BTreeMap::new();
    for ((noun, name), holders) in &holders(results) {
        for (index, holder) in holders.iter().enumerate() {
            let mut others = holders.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
            if let Some(rival) = others.find(|rival| are_rivals(noun, holder, rival)) {
                found.entry(holder.file.clone()).or_default().push(describe(noun, name, holder, rival));
            }
        }
    }
    found
}

/// Who claims what, by noun and name.
fn holders(results: &BTreeMap<PathBuf, FileResult>) -> BTreeMap<(&'static str, String), Vec<Holder<'_>>> {
    let mut holders: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let good = results.iter().filter_map(|(file, result)| result.as_ref().ok().map(|loaded| (file, loaded)));
    for (file, loaded) in good.flat_map(|(file, all)| all.iter().map(move |one| (file, one))) {
        for Claim { noun, name, path } in claims(&loaded.manifest) {
            holders.entry((noun, name)).or_default().push(Holder { file, loaded, path });
        }
    }
    holders
}

/// One app declared twice claims everything twice; to say so once is enough.
fn are_rivals(noun: &str, one: &Holder<'_>, other: &Holder<'_>) -> bool {
    let (one, other) = (&one.loaded.manifest, &other.loaded.manifest);
    (noun == "app" || one.app() != other.app()) && may_meet(&one.metadata, &other.metadata)
}

fn describe(noun: &str, name: &str, holder: &Holder<'_>, rival: &Holder<'_>) -> Diagnostic {
    let at = rival.loaded.spans.value(&rival.path);
    let there = format!("{}:{}:{}", rival.loaded.file.name, at.line, at.column);
    let what = format!("{}: {noun} `{name}` is also claimed at {there}", holder.path);
    holder.loaded.diagnostic(&holder.path, what, "give one of the two another name")
}

/// Documents pinned to different accounts or regions never meet.
fn may_meet(one: &Metadata, other: &Metadata) -> bool {
    let differ = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
    !differ(&one.account, &other.account) && !differ(&one.region, &other.region)
}

fn claims(manifest: &Manifest) -> Vec<Claim> {
    let Manifest { metadata, spec, .. } = manifest;
    let name_path = Pointer::root().key("metadata").key("name");
    let spec_path = Pointer::root().key("spec");
    let task = &spec.task_definition;
    let mut claims = vec![Claim { noun: "app", name: manifest.app().to_string(), path: name_path.clone() }];
    let family = task.family.clone().unwrap_or_else(|| format!("{}-{}", spec.cluster, metadata.name));
    let family_path = given(task.family.is_some(), &name_path, spec_path.key("taskDefinition").key("family"));
    claims.push(Claim { noun: "task definition family", name: family, path: family_path });
    if let Some(load_balancer) = &spec.load_balancer {
        let path = spec_path.key("loadBalancer");
        let derived = |name: &Option<String>| name.clone().unwrap_or_else(|| metadata.name.clone());
        claims.push(Claim {
            noun: "load balancer",
            name: derived(&load_balancer.name),
            path: given(load_balancer.name.is_some(), &name_path, path.key("name")),
        });
        let group = &load_balancer.target_group.name;
        claims.push(Claim {
            noun: "target group",
            name: derived(group),
            path: given(group.is_some(), &name_path, path.key("targetGroup").key("name")),
        });
    }
    claims.extend(log_groups(manifest));
    claims
}

/// The place of a name that is given, else of the app's name, from which it derives.
fn given(is_given: bool, derived: &Pointer, given: Pointer) -> Pointer {
    if is_given { given } else { derived.clone() }
}

/// Each log group that the document creates, once.
fn log_groups(manifest: &Manifest) -> Vec<Claim> {
    let path = Pointer::root().key("spec").key("taskDefinition").key("containers");
    let mut groups: BTreeMap<&str, Pointer> = BTreeMap::new();
    for (index, container) in manifest.spec.task_definition.containers.iter().enumerate() {
        if let Some(logs) = container.logs.as_ref().filter(|logs| logs.create) {
            groups.entry(&logs.group).or_insert_with(|| path.index(index).key("logs").key("group"));
        }
    }
    let claim = |(name, path): (&str, Pointer)| Claim { noun: "log group", name: name.to_owned(), path };
    groups.into_iter().map(claim).collect()
}
