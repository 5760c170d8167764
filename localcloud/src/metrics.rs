//! Metrics of what really happens here, put into CloudWatch as AWS's services put theirs.
//!
//! Every ten seconds of cloud time the hosts and tasks are looked at; every whole minute the minute that ended becomes values, and
//! then CloudWatch evaluates its alarms. The simulator ticks at the same moments, which is why both come to the same decisions.
//! What has no value stays without one: no CPU while no task runs, no response time without a response.
//!
//! Two times meet here. Requests are counted by the cloud's minute and mean the same at any `--speed`. CPU and memory are what the
//! processes use of this machine in its own time, so at a speed of 60 the same load shows sixty times the CPU that it would on AWS.
//! Response times are measured on this machine and multiplied by the speed.

mod balancing;
mod messages;
mod tasks;

use std::time::Duration;

use interstella_autoscaling::series::Bucket;

use crate::clock::CloudTime;
use crate::cloudwatch::{self, MetricName};
use crate::effect::{Effect, TaskUsage};
use crate::world::{Timer, World};

/// Between two looks.
const TICK_MS: i64 = 10_000;
/// The period of every metric here.
const MINUTE_MS: i64 = 60_000;

/// What was seen since the last whole minute.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    is_ticking: bool,
    balancing: balancing::Samples,
    tasks: tasks::Samples,
    messages: messages::Samples,
}

/// Begins to look, if that has not begun: there is something to see, or somebody who watches.
pub fn start(world: &mut World, now: CloudTime) {
    if !std::mem::replace(&mut world.metrics.is_ticking, true) {
        tick_after(world, now);
    }
}

/// Looks at everything; at a whole minute puts the minute that ended into CloudWatch and has it evaluate its alarms.
pub fn tick(world: &mut World, now: CloudTime) {
    if now.as_millis() % MINUTE_MS == 0 {
        let minute = CloudTime::from_millis(now.as_millis() - MINUTE_MS);
        balancing::put(world, minute);
        tasks::put(world, minute);
        messages::put(world, now, minute);
    }
    balancing::sample(world);
    world.effects.push(Effect::MeasureTasks);
    cloudwatch::evaluate(world, now);
    tick_after(world, now);
}

/// Takes in what tasks have used since they were measured last.
pub fn measured(world: &mut World, usage: Vec<TaskUsage>) {
    tasks::measured(world, usage);
}

fn tick_after(world: &mut World, now: CloudTime) {
    let passed = now.as_millis().rem_euclid(TICK_MS);
    let rest = u64::try_from(TICK_MS - passed).unwrap_or_default();
    world.timers.set(now.after(Duration::from_millis(rest)), Timer::Metrics);
}

/// A metric's name with its dimensions.
fn metric(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> MetricName {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    MetricName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.iter().map(own).collect(),
    }
}

/// Puts one value of a minute.
fn put_value(world: &mut World, metric: &MetricName, unit: &str, minute: CloudTime, value: f64) {
    cloudwatch::put(world, metric, unit, minute, &Bucket::of(value));
}
