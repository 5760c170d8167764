#![allow(clippy::unwrap_used, clippy::expect_used)]
use serde_json::json;

use super::*;
use crate::source::FileState;

fn app(name: &str, count: u32) -> Manifest {
    serde_json::from_value(json!({
        "apiVersion": "interstella.trade/v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "cluster": "c", "taskDefinition": { "containers": [] }, "desiredCount": count },
    }))
    .unwrap()
}

fn bad(file: &str) -> FileState {
    Err(vec![Diagnostic::of_file(file, "broken", "repair it")])
}

fn event<const N: usize>(files: [(&str, FileState); N]) -> SourceEvent {
    SourceEvent { manifests: files.into_iter().map(|(file, result)| (PathBuf::from(file), result)).collect() }
}

/// `+changed -withdrawn !problems`
fn summary(changes: &Changes) -> String {
    let changed =
        changes.changed.iter().map(|(app, manifest)| format!("+{}={}", app.name, manifest.spec.desired_count));
    let withdrawn = changes.withdrawn.keys().map(|app| format!("-{}", app.name));
    let problems = changes.problems.iter().map(|problem| format!("!{}", problem.file));
    changed.chain(withdrawn).chain(problems).collect::<Vec<_>>().join(" ")
}

#[test]
fn only_differences_count() {
    let mut accepted = Accepted::default();
    let first = event([("a", Ok(vec![app("x", 1), app("y", 1)]))]);
    assert_eq!(summary(&accepted.update(first.clone())), "+x=1 +y=1");
    assert_eq!(summary(&accepted.update(first)), "");
    assert_eq!(summary(&accepted.update(event([("a", Ok(vec![app("x", 3), app("y", 1)]))]))), "+x=3");
}

#[test]
fn a_bad_edit_keeps_the_last_good_version_and_the_other_files_go_on() {
    let mut accepted = Accepted::default();
    accepted.update(event([("a", Ok(vec![app("x", 1)])), ("b", Ok(vec![app("y", 1)]))]));
    let changes = accepted.update(event([("a", bad("a")), ("b", Ok(vec![app("y", 2)]))]));
    assert_eq!(summary(&changes), "+y=2 !a");
    assert_eq!(accepted.apps().len(), 2);
    assert_eq!(summary(&accepted.update(event([("a", Ok(vec![app("x", 2)])), ("b", Ok(vec![app("y", 2)]))]))), "+x=2");
}

#[test]
fn a_file_that_is_gone_is_no_order_to_delete() {
    let mut accepted = Accepted::default();
    accepted.update(event([("d/a", Ok(vec![app("x", 1)])), ("d/b", Ok(vec![app("y", 1)]))]));
    assert_eq!(summary(&accepted.update(event([("d/b", Ok(vec![app("y", 1)]))]))), "!d/a");
    assert_eq!(summary(&accepted.update(event([("d", bad("d"))]))), "!d !d/a !d/b");
    assert_eq!(accepted.apps().len(), 2);
}

#[test]
fn a_document_that_left_a_good_file_is_withdrawn() {
    let mut accepted = Accepted::default();
    accepted.update(event([("a", Ok(vec![app("x", 1), app("y", 1)]))]));
    assert_eq!(summary(&accepted.update(event([("a", Ok(vec![app("x", 1)]))]))), "-y");
}

#[test]
fn a_renamed_file_changes_nothing() {
    let mut accepted = Accepted::default();
    accepted.update(event([("a", Ok(vec![app("x", 1)]))]));
    assert_eq!(summary(&accepted.update(event([("b", Ok(vec![app("x", 1)]))]))), "");
    assert_eq!(summary(&accepted.update(event([("b", Ok(vec![app("x", 2)]))]))), "+x=2");
}
