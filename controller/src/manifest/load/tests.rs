#![allow(clippy::unwrap_used, clippy::expect_used)]
mod generate;

use std::fs;

use proptest::prelude::*;

use super::*;

const GOOD: &str = "\
apiVersion: interstella.trade/v1
kind: Service
metadata: { name: NAME }
spec:
  cluster: c
  taskDefinition: { containers: [{ name: app, image: a, memory: 64 }] }
";

fn good(name: &str) -> String {
    GOOD.replace("NAME", name)
}

/// Names of the files, with `ok` or the problems, one a line.
fn states(path: &Path) -> String {
    let show = |result: &Result<Vec<Manifest>, Vec<Diagnostic>>| match result {
        Ok(manifests) => format!("ok {}", manifests.len()),
        Err(problems) => problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>().join("; "),
    };
    let line = |(file, result): (&PathBuf, &Result<Vec<Manifest>, Vec<Diagnostic>>)| {
        let name = file.strip_prefix(path).unwrap_or(file).display().to_string();
        format!("{name}: {}\n", show(result))
    };
    load_path_each(path).iter().map(line).collect()
}

#[test]
fn a_bad_file_does_not_hold_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("a.yaml"), good("a")).unwrap();
    fs::write(path.join("b.yml"), "kind: [").unwrap();
    fs::write(path.join("c.yaml"), format!("{}---\n{}", good("c"), good("d"))).unwrap();
    for ignored in ["readme.md", ".hidden.yaml", "e.yaml~"] {
        fs::write(path.join(ignored), "kind: [").unwrap();
    }
    fs::create_dir(path.join("sub")).unwrap();
    let states = states(path);
    let lines: Vec<_> = states.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[2]), (3, "a.yaml: ok 1", "c.yaml: ok 2"), "{states}");
    assert!(lines[1].starts_with("b.yml: this is not valid YAML"), "{states}");
    assert!(load_path(path).is_err());
}

#[test]
fn two_files_with_one_app_are_both_held() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    for (file, name) in [("a.yaml", "x"), ("b.yaml", "x"), ("c.yaml", "y")] {
        fs::write(path.join(file), good(name)).unwrap();
    }
    let states = states(path);
    assert!(states.contains("a.yaml: metadata.name: app `c/x` is also claimed at"), "{states}");
    assert!(states.contains("b.yaml:3:19"), "{states}");
    assert!(states.contains("c.yaml: ok 1"), "{states}");
}

#[test]
fn documents_pinned_apart_never_meet() {
    let pinned = |region: &str| good("x").replace("name: x", &format!("name: x, region: {region}"));
    assert!(load_str("f", &format!("{}---\n{}", pinned("us-west-2"), pinned("us-east-1"))).is_ok());
    assert!(load_str("f", &format!("{}---\n{}", pinned("us-west-2"), good("x"))).is_err());
}

#[test]
fn a_missing_path_and_an_empty_directory_are_problems() {
    let directory = tempfile::tempdir().unwrap();
    assert!(states(directory.path()).contains("holds no *.yaml"));
    assert!(states(&directory.path().join("nowhere.yaml")).contains("does not exist"));
}

#[cfg(unix)]
#[test]
fn only_regular_files_inside_the_directory_are_read() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    let path = directory.path();
    fs::write(outside.path(), good("o")).unwrap();
    fs::create_dir(path.join("..data")).unwrap();
    fs::write(path.join("..data/real.yaml"), good("r")).unwrap();
    symlink("..data/real.yaml", path.join("inside.yaml")).unwrap();
    symlink(outside.path(), path.join("outside.yaml")).unwrap();
    symlink("loop.yaml", path.join("loop.yaml")).unwrap();
    symlink("nowhere", path.join("dangling.yaml")).unwrap();
    fs::create_dir(path.join("directory.yaml")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(path.join("pipe.yaml")).status().unwrap();
    assert!(status.success());
    let states = states(path);
    for line in [
        "inside.yaml: ok 1",
        "outside.yaml: the link leads out of the directory",
        "dangling.yaml: it does not exist",
        "directory.yaml: this is not a regular file",
        "pipe.yaml: this is not a regular file",
        "loop.yaml: it cannot be read",
    ] {
        assert!(states.contains(line), "{line}\n{states}");
    }
}

#[test]
fn a_large_file_is_not_parsed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("large.yaml");
    fs::write(&file, "#".repeat(yaml::MAX_BYTES + 1)).unwrap();
    assert!(states(&file).contains("larger than 1024 KiB"));
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_no_problem() {
    let text = format!("\u{feff}{}", good("x").replace('\n', "\r\n"));
    assert_eq!(load_str("f", &text).unwrap().len(), 1);
}

#[test]
fn problems_can_be_placed_after_loading() {
    let loaded = load_str("f.yaml", &good("x")).unwrap().remove(0);
    let diagnostic =
        loaded.diagnostic(&Pointer::root().key("spec").key("cluster"), "there is no such cluster", "create it");
    assert_eq!(diagnostic.to_string(), "f.yaml:5:12: there is no such cluster — create it");
}

#[test]
fn the_graphical_form_shows_the_line_and_the_remedy() {
    let problem = load_str("f.yaml", &good("x").replace("cluster:", "clustr:")).unwrap_err().remove(0);
    let text = problem.render(false, 100);
    for part in ["f.yaml:5:3", "clustr: c", "did you mean `cluster`?", "the key `clustr` is unknown"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(problem.render(true, 100).contains("\u{1b}["));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_loads_back_equal(manifest in generate::manifest()) {
        prop_assert_eq!(validate(&manifest), Vec::new());
        let value = serde_json::to_value(&manifest).unwrap();
        let in_ecss_words = generate::in_ecss_words(value.clone());
        let blocks = [generate::block_yaml(&value), generate::block_yaml(&in_ecss_words)];
        for text in [vec![value.to_string(), format!("{value:#}"), in_ecss_words.to_string()], blocks.into()].concat() {
            let loaded = load_str("generated.yaml", &text);
            let loaded = loaded.map_err(|problems| TestCaseError::fail(format!("{problems:#?}\n{text}")))?;
            prop_assert_eq!(&loaded[0].manifest, &manifest);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = load_bytes("random", &bytes).map_err(|problems| problems[0].render(false, 80));
    }

    #[test]
    fn a_damaged_manifest_never_panics(at in 0usize..160, with in "[-:{}\\[\\]&*!\"'\t\n é]{0,4}", cut in 0usize..8) {
        let mut text: Vec<char> = good("x").chars().collect();
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        text.splice(at..end, with.chars());
        let text: String = text.into_iter().collect();
        if let Err(problems) = load_str("damaged", &text) {
            for problem in problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1 && !problem.remedy.is_empty());
                problem.render(false, 80);
            }
        }
    }
}
