//! Faults, crashes and the journal.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use interstella_localcloud::call::Service;
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::faults::{Calls, Fault, Kind, Moment};
use interstella_localcloud::journal::Outcome;

use super::{answer, cloud, json, send};

async fn create(cloud: &Arc<Cloud>, name: &str) -> std::io::Result<(u16, String)> {
    send(cloud, json("ecr", "AmazonEC2ContainerRegistry_V20150921.CreateRepository", &input(name))).await
}

fn input(name: &str) -> String {
    format!(r#"{{"repositoryName": "{name}"}}"#)
}

/// Names of the repositories on the page with this token, and the next page's token.
async fn page(cloud: &Arc<Cloud>, token: Option<&str>) -> (u16, Vec<String>, Option<String>) {
    let body = serde_json::json!({"nextToken": token}).to_string();
    let request = json("ecr", "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories", &body);
    let (status, body) = send(cloud, request).await.unwrap();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let found = body["repositories"].as_array().into_iter().flatten();
    let names = found.map(|repository| repository["repositoryName"].as_str().unwrap().to_owned()).collect();
    (status, names, body["nextToken"].as_str().map(str::to_owned))
}

async fn names(cloud: &Arc<Cloud>) -> Vec<String> {
    page(cloud, None).await.1
}

#[tokio::test]
async fn throttling_and_failing_have_no_effect() {
    let cloud = cloud();
    cloud.faults.push(Fault::once(Calls::Mutating, Kind::Throttle));
    let fail = Kind::Fail { code: "ServerException".to_owned(), status: 500 };
    cloud.faults.push(Fault::once(Calls::Operation(Service::Ecr, "CreateRepository".to_owned()), fail));
    let (status, body) = create(&cloud, "aa").await.unwrap();
    assert_eq!((status, body.as_str()), (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#));
    let (status, body) = create(&cloud, "aa").await.unwrap();
    assert!(status == 500 && body.contains("ServerException"), "{body}");
    assert!(names(&cloud).await.is_empty());
    assert_eq!(create(&cloud, "aa").await.unwrap().0, 200);
}

#[tokio::test]
async fn lost_calls_and_lost_replies_differ_in_effect_only() {
    let cloud = cloud();
    cloud.faults.push(Fault::once(Calls::Mutating, Kind::DropCall));
    assert_eq!(create(&cloud, "aa").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(names(&cloud).await.is_empty());
    cloud.faults.push(Fault::once(Calls::Mutating, Kind::DropReply));
    assert_eq!(create(&cloud, "aa").await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(names(&cloud).await, ["aa"]);
    let outcomes: Vec<_> = cloud.journal.mutating_since(0).into_iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [Outcome::CallLost, Outcome::ReplyLost]);
}

#[tokio::test]
async fn a_stale_read_is_one_mutation_behind() {
    let cloud = cloud();
    create(&cloud, "aa").await.unwrap();
    cloud.faults.push(Fault { calls: Calls::Any, skip: 1, times: 1, kind: Kind::Stale });
    create(&cloud, "bb").await.unwrap();
    assert_eq!(names(&cloud).await, ["aa", "bb"], "skipped");
    create(&cloud, "cc").await.unwrap();
    assert_eq!(names(&cloud).await, ["aa", "bb"], "stale");
    assert_eq!(names(&cloud).await, ["aa", "bb", "cc"], "over");
}

#[tokio::test]
async fn one_page_of_two() {
    let cloud = cloud();
    create(&cloud, "aa").await.unwrap();
    let split = |fail_second| Fault::once(Calls::Reading, Kind::OnePageOfTwo { fail_second });
    cloud.faults.push(split(false));
    let (_, first, token) = page(&cloud, None).await;
    assert!(first.is_empty() && token.is_some(), "a list of one is an empty page and the one");
    assert_eq!(page(&cloud, token.as_deref()).await, (200, vec!["aa".to_owned()], None));
    cloud.faults.push(split(true));
    let (_, _, token) = page(&cloud, None).await;
    for _ in 0..2 {
        assert_eq!(page(&cloud, token.as_deref()).await.0, 400, "the second page never comes");
    }
    assert_eq!(names(&cloud).await, ["aa"]);
}

#[tokio::test]
async fn a_delay_comes_before_the_effect() {
    let cloud = cloud();
    cloud.faults.push(Fault::once(Calls::Mutating, Kind::Delay(Duration::from_millis(20))));
    let started = Instant::now();
    create(&cloud, "aa").await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert_eq!(names(&cloud).await, ["aa"]);
}

#[tokio::test]
async fn a_crash_leaves_the_call_without_an_answer() {
    for (moment, wanted) in [(Moment::Before, vec!["aa"]), (Moment::After, vec!["aa", "bb"])] {
        let cloud = cloud();
        let reached = cloud.faults.crash_at(2, moment);
        create(&cloud, "aa").await.unwrap();
        tokio::select! {
            reached = reached => reached.unwrap(),
            answer = create(&cloud, "bb") => panic!("answered {answer:?}"),
        }
        assert_eq!(names(&cloud).await, wanted);
        assert_eq!(cloud.journal.mutating_since(0).len(), wanted.len());
    }
}

#[tokio::test]
async fn the_journal_holds_every_call_and_no_secret() {
    let cloud = cloud();
    let put = r#"{"Name": "key", "Type": "SecureString", "Value": "s3cret"}"#;
    answer(&cloud, json("ssm", "AmazonSSM.PutParameter", put)).await;
    answer(&cloud, json("ssm", "AmazonSSM.GetParameter", r#"{"Name": "none"}"#)).await;
    answer(&cloud, json("ssm", "AmazonSSM.Fly", r"{}")).await;
    let calls = cloud.journal.calls();
    assert!(!format!("{calls:?}").contains("s3cret"));
    let lines: Vec<String> = calls
        .iter()
        .map(|entry| {
            let service = entry.service.map_or("-", Service::scope);
            format!("{} {service} {} {} {:?}", entry.sequence, entry.operation, entry.mutating, entry.outcome)
        })
        .collect();
    let wanted = [
        "1 ssm PutParameter true Ok",
        "2 ssm GetParameter false Error(\"ParameterNotFound\")",
        "3 ssm Fly true Error(\"UnknownOperationException\")",
    ];
    assert_eq!(lines, wanted);
}
