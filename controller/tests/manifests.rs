//! The manifests that people copy are good, the bad ones are refused in the words that stand beside them, and the schema
//! that editors use is the one that the loader checks with.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use interstella_controller::manifest::diagnostic::Diagnostic;
use interstella_controller::manifest::load::{load_path, load_path_each};
use interstella_controller::manifest::schema::json_schema_text;

fn manifests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests")
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

/// Paths differ between machines; the name of the file does not.
fn plain(diagnostics: &[Diagnostic], directory: &Path) -> String {
    let prefix = format!("{}/", directory.display());
    diagnostics.iter().map(|diagnostic| format!("{diagnostic}\n").replace(&prefix, "")).collect()
}

/// Whether to write the expected words instead of comparing them.
#[expect(clippy::disallowed_methods, reason = "nobody can pass an argument to a test")]
fn blessed() -> bool {
    std::env::var_os("INTERSTELLA_BLESS").is_some()
}

#[test]
fn every_manifest_that_people_copy_is_good() {
    let files = [files(&manifests(), "yaml"), files(&manifests().join("python"), "yaml")].concat();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let loaded = load_path(&file).unwrap_or_else(|problems| panic!("{}", plain(&problems, &manifests())));
        assert_eq!(loaded.len(), 1, "{}", file.display());
    }
}

#[test]
fn the_directory_of_manifests_is_good_as_a_whole() {
    let each = load_path_each(&manifests());
    let names: BTreeSet<_> = each.keys().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, BTreeSet::from(["autoscaled.yaml", "fargate.yaml", "monolith.yaml", "static-port.yaml"]));
    assert!(each.values().all(Result::is_ok), "{each:#?}");
}

#[test]
fn every_bad_manifest_is_refused_in_the_expected_words() {
    let directory = manifests().join("invalid");
    let files = files(&directory, "yaml");
    assert!(files.len() >= 25, "only {} bad manifests", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let problems = load_path(&file).expect_err(&format!("{} was accepted", file.display()));
        let text = plain(&problems, &directory);
        assert!(!text.contains("do not print") && !text.contains("do-not-print"), "a secret was printed: {text}");
        let expected = file.with_extension("expected");
        if blessed() {
            fs::write(&expected, &text).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if text != expected {
            wrong.push(format!("{}\n  expected: {expected}  found:    {text}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "run with INTERSTELLA_BLESS=1 if the new words are better:\n{}", wrong.join("\n"));
}

#[test]
fn no_snippet_shows_a_secret() {
    for name in ["secret-literal.yaml", "secret-in-secrets.yaml"] {
        let problems = load_path(&manifests().join("invalid").join(name)).unwrap_err();
        for problem in problems {
            let fancy = problem.render(false, 100);
            let json = serde_json::to_string(&problem).unwrap();
            for text in [fancy, json, format!("{problem:?}")] {
                assert!(!text.contains("do not print") && !text.contains("do-not-print"), "{text}");
            }
        }
    }
}

#[test]
fn the_checked_in_schema_is_current() {
    let checked_in = fs::read_to_string(manifests().join("schema.json")).unwrap_or_default();
    assert!(
        checked_in == json_schema_text(),
        "manifests/schema.json is stale; run: cargo run --release -- schema > manifests/schema.json"
    );
}
