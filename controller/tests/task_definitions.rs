//! Task definitions as people have them, handed to `validate` as they are or pasted into a manifest: every field that
//! a manifest writes otherwise or cannot express is named, all in one run.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use interstella_controller::manifest::load::load_str;
use serde_json::{Value, json};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/task_definitions")
}

/// Names without extension, and texts.
fn samples() -> Vec<(String, String)> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let mut samples: Vec<_> = json
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    samples.sort();
    samples
}

fn problems(text: &str) -> Vec<String> {
    let problems = load_str("task.json", text).unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

/// Every problem without its line and column, which depend on how the text is laid out.
fn without_places(text: &str) -> Vec<String> {
    let mut all: Vec<_> = load_str("", text)
        .unwrap_err()
        .into_iter()
        .map(|problem| format!("{} — {}", problem.what, problem.remedy))
        .collect();
    all.sort();
    all
}

#[test]
fn every_field_without_a_place_is_named_in_one_run() {
    let samples = samples();
    assert_eq!(samples.len(), 10);
    for (name, text) in samples {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, problems(&text).join("\n"));
        });
    }
}

#[test]
fn a_task_definition_pasted_into_a_manifest_is_told_the_same() {
    for (name, text) in samples() {
        let bare: Value = serde_json::from_str(&text).unwrap();
        let task = bare.get("taskDefinition").unwrap_or(&bare);
        let manifest = json!({
            "apiVersion": "interstella.trade/v1",
            "kind": "Service",
            "metadata": { "name": "app" },
            "spec": { "cluster": "c", "taskDefinition": task },
        });
        let pasted = without_places(&manifest.to_string());
        let prefix = if bare.get("taskDefinition").is_some() { "taskDefinition." } else { "" };
        let mut handed: Vec<_> = without_places(&text)
            .into_iter()
            .filter(|problem| {
                !problem.starts_with("this is") && !problem.starts_with("tags: ECS's `tags` is not written")
            })
            .map(|problem| format!("spec.taskDefinition.{}", problem.strip_prefix(prefix).unwrap_or(&problem)))
            .collect();
        handed.sort();
        assert_eq!(pasted, handed, "{name}");
    }
}

#[test]
fn whoever_follows_the_advice_has_a_manifest() {
    let text = fs::read_to_string(directory().join("web-on-fargate.yaml")).unwrap();
    let loaded = load_str("web-on-fargate.yaml", &text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let task = &loaded[0].manifest.spec.task_definition;
    assert_eq!((task.cpu, task.memory), (Some(256), Some(512)));
    assert_eq!(task.containers[0].environment["LISTEN"], "0.0.0.0:8080");
}
