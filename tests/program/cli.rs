//! What the verbs print and how they exit, without a cloud.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::cloud::Cloud;
use crate::support::command::{Answer, interstella, run};
use crate::support::manifest::{Manifest, repository};
use crate::support::processes::signal;

const SOON: Duration = Duration::from_secs(20);

async fn alone(arguments: &[&str]) -> Answer {
    let directory = tempfile::tempdir().unwrap();
    run(arguments, directory.path()).await
}

#[tokio::test]
async fn validate_says_of_every_bad_manifest_what_is_wrong_and_where() {
    let directory = repository("manifests/invalid");
    let bad = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for path in bad.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let answer = alone(&["validate", path.to_str().unwrap()]).await.exits(1);
        let said = answer.stderr.replace(&format!("{}/", directory.display()), "");
        for line in fs::read_to_string(path.with_extension("expected")).unwrap().lines() {
            assert!(said.contains(line), "{}: {line:?} is not in {said}", path.display());
        }
        assert_eq!(answer.stdout, "", "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 25, "only {seen} bad manifests");
}

#[tokio::test]
async fn validate_accepts_what_people_copy() {
    let good = alone(&["validate", "manifests"]).await.exits(0);
    assert!(good.stdout.starts_with("manifests is valid: "), "{good:?}");
    let json = alone(&["validate", "--output", "json", "manifests/monolith.yaml"]).await.exits(0).json();
    assert_eq!(json, serde_json::json!({ "valid": true, "apps": ["monolith"], "problems": [] }));
}

#[tokio::test]
async fn problems_come_as_json_for_machines() {
    let bad = alone(&["validate", "--output", "json", "manifests/invalid/unknown-key.yaml"]).await.exits(1);
    let json = bad.json();
    assert_eq!((&json["valid"], bad.stderr.as_str()), (&serde_json::json!(false), ""));
    let problem = &json["problems"][0];
    assert!(problem["line"].is_u64() && problem["column"].is_u64(), "{problem}");
}

#[tokio::test]
async fn thousands_of_problems_are_counted_rather_than_shown() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("many.yaml");
    fs::write(&path, (0..9_000).map(|key| format!("k{key}: 1\n")).collect::<String>()).unwrap();
    let said = alone(&["validate", path.to_str().unwrap()]).await.exits(1).stderr;
    let (unknown, counted) = (said.matches("many.yaml:").count(), said.lines().last().unwrap());
    assert!(unknown <= 100 && counted.contains(" more; mend these first"), "{unknown}: {counted}");
}

#[tokio::test]
async fn schema_is_the_checked_in_one() {
    let schema = alone(&["schema"]).await.exits(0);
    assert_eq!(schema.stdout, fs::read_to_string(repository("manifests/schema.json")).unwrap());
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = interstella(&["schema"], directory.path()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).await.unwrap();
    let ended = tokio::time::timeout(SOON, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!((ended.status.code(), first.trim(), ended.stderr.as_slice()), (Some(0), "{", b"".as_slice()));
}

#[tokio::test]
async fn what_cannot_be_typed_exits_2_with_a_hint() {
    let unknown = alone(&["plam"]).await.exits(2);
    assert!(unknown.stderr.contains("'plan'"), "{unknown:?}");
    let deploy = alone(&["deploy"]).await.exits(2);
    assert!(deploy.stderr.contains("'apply'") && !deploy.stderr.contains("destroy"), "{deploy:?}");
    alone(&["up", "--speed", "0"]).await.exits(2);
}

#[tokio::test]
async fn a_flag_that_would_do_nothing_is_refused_and_an_environment_is_not() {
    for (typed, flag) in [
        (["up", "--output", "json"], "--output"),
        (["up", "--endpoint-url", "http://127.0.0.1:9"], "--endpoint-url"),
        (["cloud", "--profile", "prod"], "--profile"),
        (["validate", "--region", "eu-west-1"], "--region"),
    ] {
        let refused = alone(&typed).await.exits(2);
        assert!(refused.stderr.contains(&format!("{flag} does nothing")), "{refused:?}");
    }
    let directory = tempfile::tempdir().unwrap();
    let mut validate = interstella(&["validate"], directory.path());
    let elsewhere = [("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("AWS_REGION", "eu-west-1"), ("AWS_PROFILE", "prod")];
    assert!(validate.envs(elsewhere).status().await.unwrap().success());
    let mut env = interstella(&["env"], directory.path());
    let line = String::from_utf8(env.envs(elsewhere).output().await.unwrap().stdout).unwrap();
    assert!(line.contains("AWS_REGION=us-west-2 "), "{line}");
    let line = alone(&["env", "--region", "eu-west-1"]).await.exits(0).stdout;
    assert!(line.contains("AWS_REGION=eu-west-1 AWS_DEFAULT_REGION=eu-west-1 "), "{line}");
}

#[tokio::test]
async fn completions_and_manual_know_the_verbs_and_their_own_flags() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = alone(&["completions", shell]).await.exits(0).stdout;
        assert!(script.contains("destroy") && script.contains("stop"), "{shell}: {script}");
        assert!(!script.contains("reaper"), "{shell} shows what is hidden: {script}");
    }
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("interstella.bash");
    fs::write(&script, alone(&["completions", "bash"]).await.stdout).unwrap();
    let complete = format!(
        "source {}; COMP_WORDS=(interstella validate --); COMP_CWORD=2; _interstella interstella -- validate; \
         echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let said = tokio::process::Command::new("bash").args(["-c", &complete]).output().await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("--output") && !said.contains("--region"), "{said}");
    let page = alone(&["man", "apply"]).await.exits(0).stdout;
    assert!(page.starts_with(".ie") && page.contains("interstella\\-apply"), "{page}");
    assert!(alone(&["man"]).await.exits(0).stdout.contains("COMMON FLAGS"));
    alone(&["man", "nothing"]).await.exits(1);
}

#[tokio::test]
async fn a_cloud_that_does_not_answer_is_named_with_the_next_step() {
    let answer = alone(&["plan", "--endpoint-url", "http://127.0.0.1:9"]).await.exits(1);
    assert!(answer.stderr.contains("http://127.0.0.1:9") && answer.stderr.contains("next:"), "{answer:#?}");
}

#[tokio::test]
async fn a_cloud_on_this_machine_is_asked_without_the_proxy() {
    let cloud = Cloud::start().await;
    let arguments = ["plan", cloud.manifest.path(), "--endpoint-url", &cloud.endpoint];
    let mut plan = interstella(&arguments, cloud.manifest.directory());
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9"));
    let answer = plan.envs(proxies).output().await.unwrap();
    assert_eq!(answer.status.code(), Some(2), "{}", String::from_utf8_lossy(&answer.stderr));
}

#[tokio::test]
async fn what_is_missing_to_reach_aws_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let said = async |arguments: &[&str], more: &[(&str, &str)]| {
        let mut plan = interstella(&[&["plan"], arguments].concat(), directory.path());
        plan.env("AWS_EC2_METADATA_DISABLED", "true").envs(more.iter().copied());
        let answer = plan.output().await.unwrap();
        assert_eq!(answer.status.code(), Some(1));
        String::from_utf8(answer.stderr).unwrap()
    };
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("HTTPS_PROXY", "http://127.0.0.1:9")];
    let no_region = said(&[], &[]).await;
    assert!(no_region.contains("--region") && no_region.contains("interstella env"), "{no_region}");
    let no_profile = said(&["--profile", "nosuch", "--region", "us-west-2"], &[]).await;
    assert!(no_profile.contains("nosuch") && no_profile.contains("list-profiles"), "{no_profile}");
    let no_proxy = said(&["--region", "us-west-2"], &keys).await;
    assert!(no_proxy.contains("HTTPS_PROXY") && !no_proxy.contains("credentials and"), "{no_proxy}");
    let no_file = said(&["mainfests/monolith.yaml"], &[]).await;
    assert!(no_file.contains("check the path") && !no_file.contains("deleted"), "{no_file}");
}

#[tokio::test]
async fn a_problem_is_told_once() {
    let bad = alone(&["validate", "manifests/invalid/unknown-key.yaml"]).await.exits(1);
    assert_eq!(bad.stderr.matches("the key `memory_reservation` is unknown").count(), 1, "{}", bad.stderr);
}

#[tokio::test]
async fn env_prints_a_line_for_the_shell() {
    let line = alone(&["env", "--cloud-port", "4567"]).await.exits(0).stdout;
    assert!(line.contains("AWS_ENDPOINT_URL=http://127.0.0.1:4567 "), "{line}");
}

#[tokio::test]
async fn signals_end_long_verbs_with_128_and_their_number() {
    for (sent, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut cloud = Cloud::start().await;
        let mut run = interstella(
            &["run", cloud.manifest.path(), "--port", "0", "--endpoint-url", &cloud.endpoint],
            cloud.manifest.directory(),
        );
        let mut run = run.stderr(Stdio::piped()).spawn().unwrap();
        let said = crate::support::output::Output::read(run.stderr.take().unwrap());
        said.says("interstella/monolith: progressing: ", 0, SOON).await;
        let first = said.since(0);
        assert!(first.contains("the controller shows itself") && !first.contains("changed"), "{first}");
        for child in [&mut run, &mut cloud.child] {
            signal(child.id().unwrap(), sent);
            let ended = tokio::time::timeout(SOON, child.wait()).await.expect("it ends").unwrap();
            assert_eq!(ended.code(), Some(status));
        }
    }
}

#[tokio::test]
async fn a_port_that_is_held_is_named_with_the_flag_that_moves_it() {
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let manifest = Manifest::monolith();
    let arguments = ["up", manifest.path(), "--port", "0", "--hq-port", "0", "--cloud-port", &port];
    let refused = run(&arguments, manifest.directory()).await.exits(1);
    assert!(refused.stderr.contains("--cloud-port") && refused.stderr.contains(&port), "{refused:#?}");
}
