#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{command_line, environment};
use crate::effect::ContainerLaunch;
use crate::images::Program;
use crate::runtime::process::Settings;

fn settings(speed: f64) -> Settings {
    Settings {
        access_key: "local".to_owned(),
        endpoint_url: "http://127.0.0.1:4566".to_owned(),
        region: "us-west-2".to_owned(),
        search_path: "/bin".to_owned(),
        speed,
        scaled_ms: vec![("GATHER_MS".to_owned(), 1000)],
        reaper: program(),
    }
}

fn program() -> Program {
    Program { path: PathBuf::from("/opt/monolith"), arguments: vec!["worker".to_owned()] }
}

fn launch(entry_point: &[&str], command: &[&str], environment: &[(&str, &str)]) -> ContainerLaunch {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    ContainerLaunch {
        task_id: "t".to_owned(),
        name: "monolith".to_owned(),
        program: program(),
        entry_point: owned(entry_point),
        command: owned(command),
        environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        working_directory: None,
        ports: vec![(5000, "127.0.0.1:20000".parse().unwrap()), (5001, "127.0.0.1:20001".parse().unwrap())],
        log: None,
    }
}

/// What a process would see: the last of equal names wins.
fn seen(speed: f64, given: &[(&str, &str)]) -> BTreeMap<String, String> {
    environment(&settings(speed), &launch(&[], &[], given)).into_iter().collect()
}

#[test]
fn commands_replace_arguments_and_entry_points_replace_everything() {
    assert_eq!(command_line(&launch(&[], &[], &[])), ["/opt/monolith", "worker"]);
    assert_eq!(command_line(&launch(&[], &["hq"], &[])), ["/opt/monolith", "hq"]);
    assert_eq!(command_line(&launch(&["sh"], &[], &[])), ["sh"]);
    assert_eq!(command_line(&launch(&["sh"], &["-c", "x"], &[])), ["sh", "-c", "x"]);
}

#[test]
fn the_clouds_own_variables_hold_against_the_containers() {
    let seen = seen(1.0, &[("PORT", "5000"), ("AWS_ENDPOINT_URL", "https://elsewhere"), ("OWN", "1")]);
    assert_eq!(seen["PORT"], "20000");
    assert_eq!(seen["AWS_ENDPOINT_URL"], "http://127.0.0.1:4566");
    assert_eq!(seen["OWN"], "1");
    assert_eq!(seen["PATH"], "/bin");
}

#[test]
fn durations_shrink_with_the_speed() {
    assert_eq!(seen(1.0, &[])["GATHER_MS"], "1000");
    assert_eq!(seen(8.0, &[])["GATHER_MS"], "125");
    assert_eq!(seen(8.0, &[("GATHER_MS", "80")])["GATHER_MS"], "10");
    assert_eq!(seen(8.0, &[("GATHER_MS", "soon")])["GATHER_MS"], "soon");
}

mod running {
    use std::future::pending;
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::sync::watch;

    use super::{launch, settings};
    use crate::call::Service;
    use crate::clock::{Clock, CloudTime};
    use crate::cloud::Cloud;
    use crate::images::{Images, Program};
    use crate::runtime::container::{Container, Surroundings};
    use crate::runtime::model::Model;
    use crate::runtime::reaper::Reaper;
    use crate::world::World;

    /// Long enough for a busy machine, short enough for a person.
    const DEADLINE: Duration = Duration::from_secs(20);

    struct Machine {
        cloud: Arc<Cloud>,
        reaper: Arc<Reaper>,
        stop: watch::Sender<Option<Duration>>,
    }

    impl Machine {
        fn new() -> Self {
            let world = World::new("us-west-2", 7, Images::default());
            let cloud = Cloud::new(world, Clock::stepped(CloudTime::default()), Box::new(Model::default()));
            cloud.call(Service::Logs, "CreateLogGroup", json!({ "logGroupName": "g" })).unwrap();
            // A program that reads its input to the end is all that a reaper is when nothing is killed.
            let reaper = Reaper::start(&Program { path: "/bin/cat".into(), arguments: Vec::new() }).unwrap();
            let reaper = Arc::new(reaper);
            Self { cloud, reaper, stop: watch::channel(None).0 }
        }

        fn start(&self, script: &str) -> Container {
            let mut launch = launch(&["/bin/sh"], &["-c", script], &[("GREETING", "hello")]);
            launch.log = Some(("g".to_owned(), "s".to_owned()));
            let surroundings = Surroundings::of(&settings(1.0), &launch);
            Container::start(&surroundings, &self.reaper, &self.cloud, &launch).unwrap()
        }

        async fn ended(&self, container: Container) -> i32 {
            tokio::time::timeout(DEADLINE, container.ended(self.stop.subscribe(), pending())).await.unwrap()
        }

        fn lines(&self) -> Vec<String> {
            let input = json!({ "logGroupName": "g", "logStreamName": "s" });
            let Ok(answer) = self.cloud.call(Service::Logs, "GetLogEvents", input) else { return Vec::new() };
            let events = answer["events"].as_array().unwrap().iter();
            events.map(|event| event["message"].as_str().map(str::to_owned)).map(Option::unwrap).collect()
        }

        async fn first_line(&self) -> String {
            let seen = async {
                let mut pause = tokio::time::interval(Duration::from_millis(5));
                loop {
                    pause.tick().await;
                    if let Some(line) = self.lines().into_iter().next() {
                        return line;
                    }
                }
            };
            tokio::time::timeout(DEADLINE, seen).await.unwrap()
        }
    }

    #[tokio::test]
    async fn output_is_logged_and_the_exit_code_reported() {
        let machine = Machine::new();
        let container = machine.start("echo $GREETING $PORT; echo trouble >&2; exit 3");
        assert_eq!(machine.ended(container).await, 3);
        let mut lines = machine.lines();
        lines.sort();
        assert_eq!(lines, ["hello 20000", "trouble"]);
    }

    #[tokio::test]
    async fn a_working_directory_is_where_the_program_starts() {
        let machine = Machine::new();
        let mut launch = launch(&["/bin/sh"], &["-c", "pwd"], &[]);
        launch.log = Some(("g".to_owned(), "s".to_owned()));
        launch.working_directory = Some("/".to_owned());
        let start = |launch: &crate::effect::ContainerLaunch| {
            Container::start(&Surroundings::of(&settings(1.0), launch), &machine.reaper, &machine.cloud, launch)
        };
        assert_eq!(machine.ended(start(&launch).unwrap()).await, 0);
        assert_eq!(machine.lines(), ["/"]);
        launch.working_directory = Some("/no/such/directory".to_owned());
        assert_eq!(start(&launch).err().unwrap().kind(), std::io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn a_signal_is_an_exit_code_above_128() {
        let machine = Machine::new();
        let container = machine.start("kill -9 $$");
        assert_eq!(machine.ended(container).await, 137);
    }

    #[tokio::test]
    async fn a_program_that_drains_has_its_time() {
        let machine = Machine::new();
        let container = machine
            .start("exec 2>/dev/null; trap 'echo draining; exit 7' TERM; echo ready; while :; do sleep 0.02; done");
        assert_eq!(machine.first_line().await, "ready");
        machine.stop.send_replace(Some(DEADLINE));
        assert_eq!(machine.ended(container).await, 7);
        assert_eq!(machine.lines(), ["ready", "draining"]);
    }

    #[tokio::test]
    async fn a_program_that_does_not_listen_is_killed_after_the_grace() {
        let machine = Machine::new();
        let container = machine.start("trap '' TERM; echo ready; while :; do sleep 0.02; done");
        assert_eq!(machine.first_line().await, "ready");
        machine.stop.send_replace(Some(Duration::from_millis(50)));
        assert_eq!(machine.ended(container).await, 137);
    }

    #[tokio::test]
    async fn what_a_program_leaves_behind_ends_with_it() {
        let machine = Machine::new();
        let container = machine.start("sleep 1000 & echo $!; exit 0");
        assert_eq!(machine.ended(container).await, 0);
        let left: i32 = machine.first_line().await.parse().unwrap();
        let gone = async {
            let mut pause = tokio::time::interval(Duration::from_millis(5));
            while is_alive(left) {
                pause.tick().await;
            }
        };
        tokio::time::timeout(DEADLINE, gone).await.unwrap();
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error() {
        let machine = Machine::new();
        let launch = launch(&[], &[], &[]);
        let surroundings = Surroundings::of(&settings(1.0), &launch);
        let error = Container::start(&surroundings, &machine.reaper, &machine.cloud, &launch).err().unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    }

    /// A zombie that nobody has waited for does not count.
    fn is_alive(pid: i32) -> bool {
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => !stat.contains(") Z"),
            Err(_) => {
                rustix::process::Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
            }
        }
    }

    #[test]
    fn the_clouds_secrets_are_not_inherited() {
        let names: Vec<String> =
            super::environment(&settings(1.0), &launch(&[], &[], &[])).into_iter().map(|(name, _)| name).collect();
        let expected = json!([
            "PATH",
            "GATHER_MS",
            "HOST",
            "AWS_ENDPOINT_URL",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "PORT",
        ]);
        assert_eq!(Value::from(names), expected);
    }
}
