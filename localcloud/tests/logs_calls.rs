//! Log groups, streams and events through the API, and what tasks append.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::Images;
use interstella_localcloud::logs;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

const GROUP: &str = "interstella-monolith";
const ARN: &str = "arn:aws:logs:us-west-2:123456789012:log-group:interstella-monolith";
const START: i64 = 1_790_000_000_000;

struct Logs(Arc<Cloud>);

impl Logs {
    fn new() -> Self {
        let clock = Clock::stepped(CloudTime::from_millis(START));
        let world = World::new("us-west-2", 7, Images::default());
        let logs = Self(Cloud::new(world, clock, Box::new(Model::default())));
        logs.ok("CreateLogGroup", json!({ "logGroupName": GROUP, "tags": { "a": "1" } }));
        logs
    }

    fn ok(&self, operation: &str, input: Value) -> Value {
        self.0.call(Service::Logs, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    fn code(&self, operation: &str, input: Value) -> String {
        let answer = self.0.call(Service::Logs, operation, input);
        answer.map_or_else(|error| error.code, |answer| panic!("{operation} succeeded: {answer}"))
    }

    /// A task writes lines, one a second.
    fn write(&self, stream: &str, lines: &[&str]) {
        for line in lines {
            self.0.with_world(|world, now| logs::append(world, now, GROUP, stream, (*line).to_owned()));
            self.0.advance(Duration::from_secs(1));
        }
    }

    fn get(&self, more: Value) -> Value {
        let mut input = json!({ "logGroupName": GROUP, "logStreamName": "s" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ok("GetLogEvents", input)
    }
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[test]
fn a_group_is_created_described_and_deleted() {
    let logs = Logs::new();
    assert_eq!(logs.code("CreateLogGroup", json!({ "logGroupName": GROUP })), "ResourceAlreadyExistsException");
    assert_eq!(logs.code("CreateLogGroup", json!({ "logGroupName": "a b" })), "InvalidParameterException");
    assert_eq!(logs.code("CreateLogGroup", json!({ "logGroupName": "k", "kmsKeyId": "x" })), "NotImplemented");
    logs.ok("PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 7 }));
    assert_eq!(
        logs.code("PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 8 })),
        "InvalidParameterException"
    );
    let groups = logs.ok("DescribeLogGroups", json!({ "logGroupNamePrefix": "inter" }));
    assert_eq!(
        groups["logGroups"],
        json!([{
            "logGroupName": GROUP,
            "creationTime": START,
            "metricFilterCount": 0,
            "arn": format!("{ARN}:*"),
            "logGroupArn": ARN,
            "storedBytes": 0,
            "logGroupClass": "STANDARD",
            "retentionInDays": 7,
        }])
    );
    logs.ok("DeleteRetentionPolicy", json!({ "logGroupName": GROUP }));
    let groups = logs.ok("DescribeLogGroups", json!({}));
    assert_eq!(groups["logGroups"][0].get("retentionInDays"), None);
    logs.ok("DeleteLogGroup", json!({ "logGroupName": GROUP }));
    assert_eq!(logs.code("DeleteLogGroup", json!({ "logGroupName": GROUP })), "ResourceNotFoundException");
}

#[test]
fn groups_come_in_ascii_order_on_pages() {
    let logs = Logs::new();
    for name in ["b", "B", "a/1", "a-1"] {
        logs.ok("CreateLogGroup", json!({ "logGroupName": name }));
    }
    let first = logs.ok("DescribeLogGroups", json!({ "limit": 3 }));
    let second = logs.ok("DescribeLogGroups", json!({ "limit": 3, "nextToken": first["nextToken"] }));
    let names = |page: &Value| {
        let groups = page["logGroups"].as_array().unwrap().iter();
        groups.map(|group| group["logGroupName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["B", "a-1", "a/1"]);
    assert_eq!(names(&second), ["b", GROUP]);
    assert_eq!(second.get("nextToken"), None);
    assert_eq!(logs.code("DescribeLogGroups", json!({ "limit": 51 })), "InvalidParameterException");
}

#[test]
fn tags_are_merged_and_removed_by_the_arn_without_star() {
    let logs = Logs::new();
    logs.ok("TagResource", json!({ "resourceArn": ARN, "tags": { "b": "2" } }));
    logs.ok("UntagResource", json!({ "resourceArn": ARN, "tagKeys": ["a"] }));
    assert_eq!(logs.ok("ListTagsForResource", json!({ "resourceArn": ARN }))["tags"], json!({ "b": "2" }));
    let with_star = format!("{ARN}:*");
    assert_eq!(logs.code("ListTagsForResource", json!({ "resourceArn": with_star })), "InvalidParameterException");
    let tagged = logs.0.with_world(|world, _| logs::tagged(world));
    assert_eq!(tagged, [(ARN.to_owned(), [("b".to_owned(), "2".to_owned())].into())]);
}

#[test]
fn a_reader_follows_a_stream_until_the_token_repeats() {
    let logs = Logs::new();
    logs.write("s", &["1", "2", "3"]);
    let first = logs.get(json!({ "startFromHead": true, "limit": 2 }));
    assert_eq!(messages(&first), ["1", "2"]);
    let second = logs.get(json!({ "nextToken": first["nextForwardToken"], "limit": 2 }));
    assert_eq!(messages(&second), ["3"]);
    let third = logs.get(json!({ "nextToken": second["nextForwardToken"] }));
    assert_eq!(messages(&third), Vec::<&str>::new());
    assert_eq!(third["nextForwardToken"], second["nextForwardToken"]);
    logs.write("s", &["4"]);
    assert_eq!(messages(&logs.get(json!({ "nextToken": third["nextForwardToken"] }))), ["4"]);
    assert_eq!(messages(&logs.get(json!({ "nextToken": second["nextBackwardToken"], "limit": 1 }))), ["2"]);
}

#[test]
fn without_a_token_the_latest_events_are_read() {
    let logs = Logs::new();
    logs.write("s", &["1", "2", "3"]);
    let latest = logs.get(json!({ "limit": 2 }));
    assert_eq!(messages(&latest), ["2", "3"]);
    let before = logs.get(json!({ "nextToken": latest["nextBackwardToken"] }));
    assert_eq!(messages(&before), ["1"]);
    let end = logs.get(json!({ "nextToken": before["nextBackwardToken"] }));
    assert_eq!(messages(&end), Vec::<&str>::new());
    assert_eq!(end["nextBackwardToken"], before["nextBackwardToken"]);
    assert_eq!(messages(&logs.get(json!({ "startTime": START + 1000, "endTime": START + 2000 }))), ["2"]);
}

#[test]
fn a_stream_holds_its_last_ten_thousand_events() {
    let logs = Logs::new();
    logs.0.with_world(|world, now| {
        for number in 0..10_001 {
            logs::append(world, now, GROUP, "s", number.to_string());
        }
    });
    let answer = logs.get(json!({ "startFromHead": true }));
    let messages = messages(&answer);
    assert_eq!((messages.len(), messages[0]), (10_000, "1"));
}

#[test]
fn a_search_goes_over_streams_in_order_of_time_page_by_page() {
    let logs = Logs::new();
    logs.write("web/1", &["Getting Iridium", "Bundle fulfilled"]);
    logs.write("web/2", &["Getting Magnesite"]);
    logs.write("job/1", &["Getting nothing"]);
    let search = |more: Value| {
        let mut input = json!({ "logGroupIdentifier": ARN, "filterPattern": "Getting", "limit": 1 });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        logs.ok("FilterLogEvents", input)
    };
    let first = search(json!({ "logStreamNamePrefix": "web" }));
    assert_eq!(messages(&first), ["Getting Iridium"]);
    let second = search(json!({ "logStreamNamePrefix": "web", "nextToken": first["nextToken"] }));
    assert_eq!((messages(&second), second.get("nextToken")), (vec!["Getting Magnesite"], None));
    assert_eq!(messages(&search(json!({ "filterPattern": "\"Bundle fulfilled\"" }))), ["Bundle fulfilled"]);
    let refused = json!({ "logGroupName": GROUP, "filterPattern": "{ $.a = 1 }" });
    assert_eq!(logs.code("FilterLogEvents", refused), "NotImplemented");
}

#[test]
fn events_can_be_put_by_hand_in_order() {
    let logs = Logs::new();
    let put = |events: Value| json!({ "logGroupName": GROUP, "logStreamName": "s", "logEvents": events });
    let one = json!([{ "timestamp": START, "message": "one" }]);
    assert_eq!(logs.code("PutLogEvents", put(one.clone())), "ResourceNotFoundException");
    logs.ok("CreateLogStream", json!({ "logGroupName": GROUP, "logStreamName": "s" }));
    logs.ok("PutLogEvents", put(one));
    let late = START + 3 * 3600 * 1000;
    let mixed = json!([
        { "timestamp": 0, "message": "old" }, { "timestamp": START, "message": "two" }, { "timestamp": late, "message": "new" },
    ]);
    let answer = logs.ok("PutLogEvents", put(mixed));
    assert_eq!(answer["rejectedLogEventsInfo"], json!({ "tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2 }));
    let backwards = json!([{ "timestamp": START + 1, "message": "b" }, { "timestamp": START, "message": "a" }]);
    assert_eq!(logs.code("PutLogEvents", put(backwards)), "InvalidParameterException");
    assert_eq!(messages(&logs.get(json!({ "startFromHead": true }))), ["one", "two"]);
}

#[test]
fn streams_are_listed_by_name_or_last_event() {
    let logs = Logs::new();
    logs.write("b", &["1"]);
    logs.write("a", &["2"]);
    let names = |more: Value| {
        let mut input = json!({ "logGroupName": GROUP });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = logs.ok("DescribeLogStreams", input);
        let streams = answer["logStreams"].as_array().unwrap().iter();
        streams.map(|stream| stream["logStreamName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})), ["a", "b"]);
    assert_eq!(names(json!({ "orderBy": "LastEventTime" })), ["b", "a"]);
    assert_eq!(names(json!({ "orderBy": "LastEventTime", "descending": true, "limit": 1 })), ["a"]);
}

#[test]
fn a_missing_group_loses_the_line() {
    let logs = Logs::new();
    logs.0.with_world(|world, now| {
        logs::append(world, now, "elsewhere", "s", "lost".to_owned());
        assert!(!logs::exists(world, "elsewhere"));
        assert!(logs::exists(world, GROUP));
    });
}

/// Every task has a stream of its own, and tasks come and go.
#[test]
fn a_group_holds_its_last_mebibyte_and_its_last_thousand_streams() {
    let logs = Logs::new();
    let line = "x".repeat(1024 - 26);
    logs.0.with_world(|world, now| {
        for number in 0..3000 {
            logs::append(world, now, GROUP, "s", format!("{number:04}{}", &line[4..]));
        }
    });
    let answer = logs.get(json!({ "startFromHead": true }));
    assert_eq!((messages(&answer).len(), &messages(&answer)[0][..4]), (1024, "1976"));
    logs.0.advance(Duration::from_secs(1));
    logs.0.with_world(|world, now| {
        for number in 0..1000 {
            logs::append(world, now, GROUP, &format!("task/{number}"), "started".to_owned());
        }
    });
    let groups = logs.ok("DescribeLogGroups", json!({}));
    assert_eq!(groups["logGroups"][0]["storedBytes"], 1000 * ("started".len() + 26));
    let (mut count, mut token) = (0, Value::Null);
    loop {
        let page = logs.ok("DescribeLogStreams", json!({ "logGroupName": GROUP, "nextToken": token }));
        count += page["logStreams"].as_array().unwrap().len();
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(count, 1000, "the one that was silent for longest has gone");
}
