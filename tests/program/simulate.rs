//! `simulate`, as a person types it: no cloud is needed.

use std::fs;

use crate::support::command::{Answer, run};

const RUSH: &str = "minute,ordersPerMinute\n0,10\n10,120\n30,10\n70,0\n";

const MANIFEST: &str = r#"apiVersion: interstella.trade/v1
kind: Service
metadata: { name: worker }
spec:
  cluster: dev
  taskDefinition:
    containers:
      - name: worker
        image: worker:1
        memory: 128
        portMappings: [{ containerPort: 5000 }]
        environment: { INTERSTELLA_GATHER_MS: "4000", INTERSTELLA_MAX_CONCURRENT_ORDERS: "2" }
  loadBalancer:
    subnets: [subnet-0a1b2c3d4e5f60001, subnet-0a1b2c3d4e5f60002]
    securityGroups: [sg-0a1b2c3d4e5f60001]
    listener: { port: 5000, protocol: HTTP }
    container: { name: worker, port: 5000 }
  scaling:
    minCapacity: 1
    maxCapacity: 10
    targetTracking:
      - { name: orders, metric: ALBRequestCountPerTarget, target: 20, scaleInCooldown: 60, scaleOutCooldown: 60 }
"#;

/// A directory with the files that a simulation needs. An argument's `@` stands for it.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.write("rush.csv", RUSH);
        desk.write("app.yaml", MANIFEST);
        desk
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    async fn simulate(&self, arguments: &[&str]) -> Answer {
        let place = format!("{}/", self.0.path().display());
        let arguments: Vec<String> = arguments.iter().map(|one| one.replace('@', &place)).collect();
        let arguments: Vec<&str> = std::iter::once("simulate").chain(arguments.iter().map(String::as_str)).collect();
        run(&arguments, self.0.path()).await
    }
}

#[tokio::test]
async fn flags_alone_are_enough_and_the_picture_needs_no_font() {
    let desk = Desk::new();
    let arguments = ["--load", "@rush.csv", "--arrivals", "even", "--plot", "@rush.PNG"];
    let text = desk.simulate(&arguments).await.exits(0).stdout;
    for said in ["orders       2900", "late         385", "1 -> 10", "task-hours", "USD"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert_eq!(&fs::read(desk.0.path().join("rush.PNG")).unwrap()[1..4], b"PNG");
}

#[tokio::test]
async fn one_seed_is_one_simulation_and_days_repeat_the_curve() {
    let desk = Desk::new();
    let arguments = |seed| ["--load", "@rush.csv", "--days", "2", "--output", "json", "--seed", seed];
    let [first, again, other] = [
        desk.simulate(&arguments("1")).await.exits(0).json(),
        desk.simulate(&arguments("1")).await.exits(0).json(),
        desk.simulate(&arguments("2")).await.exits(0).json(),
    ];
    assert_eq!(first, again);
    assert_ne!(first["totals"], other["totals"]);
    assert_eq!(first["minutes"].as_array().unwrap().len(), 2 * 1440);
    assert!(
        first["activities"].as_array().unwrap().iter().any(|one| one["description"] == "Setting desired count to 10.")
    );
}

#[tokio::test]
async fn a_sweep_recommends_a_setting_and_says_why() {
    let desk = Desk::new();
    let flags = ["--sweep", "target=5,20", "--sweep", "maxCapacity=2,10", "--late-share", "20", "--plot", "@sweep.svg"];
    let arguments = [&["--load", "@rush.csv", "--output", "json"], &flags[..]].concat();
    let found = desk.simulate(&arguments).await.exits(0).json();
    assert_eq!(found["settings"].as_array().unwrap().len(), 4);
    assert_eq!(found["recommended"]["setting"]["maxCapacity"], 10.0, "{found:#}");
    assert!(found["recommended"]["reason"].as_str().unwrap().starts_with("the cheapest"), "{found:#}");
    let drawing = fs::read_to_string(desk.0.path().join("sweep.svg")).unwrap();
    assert!(drawing.starts_with("<svg") && drawing.contains("recommended: target="), "{drawing}");
}

#[tokio::test]
async fn a_manifest_says_how_long_an_order_takes_and_how_many_are_worked_on() {
    let desk = Desk::new();
    let arguments = ["@app.yaml", "--load", "@rush.csv", "--output", "json"];
    let found = desk.simulate(&arguments).await.exits(0).json();
    let settings = &found["settings"];
    assert_eq!((&settings["serviceTimeSeconds"], &settings["concurrency"]), (&4.0.into(), &2.into()), "{settings}");
    assert_eq!(settings["patienceSeconds"], 4.0);
    assert!(found["activities"][0]["cause"].as_str().unwrap().contains("TargetTracking-service/dev/worker-AlarmHigh"));
}

#[tokio::test]
async fn what_cannot_be_simulated_says_so_with_the_next_step() {
    let desk = Desk::new();
    let memory = MANIFEST.replace("ALBRequestCountPerTarget", "ECSServiceAverageMemoryUtilization");
    desk.write("memory.yaml", &memory);
    let without = MANIFEST.split("  scaling:").next().unwrap();
    desk.write("without.yaml", without);
    for (manifest, said) in [("@memory.yaml", "what memory tasks use"), ("@without.yaml", "has no `scaling`")] {
        let answer = desk.simulate(&[manifest, "--load", "@rush.csv"]).await.exits(1);
        assert!(answer.stderr.contains(said) && answer.stderr.contains("next:"), "{manifest}: {}", answer.stderr);
    }
    for arguments in [
        &[][..],
        &["--load", "@rush.csv", "--plot", "a.gif"],
        &["--load", "@rush.csv", "--sweep", "colour=1,2"],
        &["@app.yaml", "--load", "@rush.csv", "--target", "5"],
    ] {
        desk.simulate(arguments).await.exits(2);
    }
}
