//! A cloud with nothing in it, and short words for what tests do with its metrics and alarms.

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::{Cloud, Runtime};
use interstella_localcloud::effect::{Effect, Report};
use interstella_localcloud::images::Images;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

/// A whole minute.
pub const START: i64 = 1_790_000_040;

/// Carries out nothing.
struct Nothing;

impl Runtime for Nothing {
    fn apply(&self, _: &Arc<Cloud>, _: Effect) -> Vec<(Duration, Report)> {
        Vec::new()
    }
}

/// The cloud.
pub struct Lab {
    pub cloud: Arc<Cloud>,
}

impl Lab {
    pub fn new() -> Self {
        Self::with(Box::new(Nothing))
    }

    pub fn with(runtime: Box<dyn Runtime>) -> Self {
        let clock = Clock::stepped(CloudTime::from_millis(START * 1000));
        Self { cloud: Cloud::new(World::new("us-west-2", 7, Images::default()), clock, runtime) }
    }

    /// A call to CloudWatch that succeeds.
    pub fn call(&self, operation: &str, input: Value) -> Value {
        self.cloud.call(Service::CloudWatch, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// A call to CloudWatch that is refused, as `Code: message`.
    pub fn refused(&self, operation: &str, input: Value) -> String {
        match self.cloud.call(Service::CloudWatch, operation, input) {
            Ok(answer) => panic!("{operation} was not refused: {answer}"),
            Err(error) => error.to_string(),
        }
    }

    /// Seconds since 1970.
    pub fn now(&self) -> i64 {
        self.cloud.now().as_millis() / 1000
    }

    /// Puts a value of the metric `Load` at the current moment.
    pub fn put(&self, value: f64) {
        let datum = json!({"MetricName": "Load", "Value": value, "StorageResolution": 1});
        self.call("PutMetricData", json!({"Namespace": "Test", "MetricData": [datum]}));
    }

    /// Lets so many seconds pass, in which alarms are evaluated as they are due.
    pub fn advance(&self, seconds: u64) {
        self.cloud.advance(Duration::from_secs(seconds));
    }

    /// A minute for each word: a value of `Load`, or `-` for none. Returns the state of the alarm `a` after each.
    pub fn minutes(&self, values: &str) -> String {
        let each = values.split(' ').map(|value| {
            if let Ok(value) = value.parse() {
                self.put(value);
            }
            self.advance(60);
            self.state("a")
        });
        each.collect::<Vec<_>>().join(" ")
    }

    /// Makes an alarm on `Load` above 50 in three of three minutes, merged with `more`.
    pub fn alarm(&self, name: &str, more: Value) {
        let base = json!({
            "AlarmName": name, "Namespace": "Test", "MetricName": "Load", "Statistic": "Average", "Period": 60,
            "EvaluationPeriods": 3, "Threshold": 50, "ComparisonOperator": "GreaterThanThreshold",
        });
        self.call("PutMetricAlarm", merged(base, more));
    }

    /// An alarm as DescribeAlarms has it, without members that have no value.
    pub fn described(&self, name: &str) -> Value {
        let mut answer = self.call("DescribeAlarms", json!({"AlarmNames": [name]}));
        let mut alarm = answer["MetricAlarms"][0].take();
        if let Some(members) = alarm.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        alarm
    }

    /// `OK`, `ALARM` or `?` for insufficient data.
    pub fn state(&self, name: &str) -> String {
        let state = self.described(name)["StateValue"].as_str().unwrap().to_owned();
        if state == "INSUFFICIENT_DATA" { "?".to_owned() } else { state }
    }

    /// Summaries of an alarm's history, newest first.
    pub fn history(&self, name: &str) -> Vec<String> {
        let answer = self.call("DescribeAlarmHistory", json!({"AlarmName": name}));
        texts(&answer["AlarmHistoryItems"], "HistorySummary")
    }

    /// Names of the alarms that a filter finds.
    pub fn found(&self, filter: Value) -> Vec<String> {
        texts(&self.call("DescribeAlarms", filter)["MetricAlarms"], "AlarmName")
    }
}

/// One member of every element.
pub fn texts(list: &Value, member: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|element| element[member].as_str().unwrap().to_owned()).collect()
}

/// The members of `more` over those of `base`; null takes a member away.
pub fn merged(mut base: Value, more: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    base
}
