//! The flags of `simulate`, by what they are about.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::drawing;
use super::duration::duration;
use super::sweep::{self, Axis};

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A manifest, or a directory of manifests, whose `scaling` is tried; without it, the settings are those of the
    /// flags
    pub path: Option<PathBuf>,
    #[command(flatten)]
    pub load: LoadFlags,
    #[command(flatten)]
    pub model: ModelFlags,
    #[command(flatten)]
    pub settings: SettingFlags,
    #[command(flatten)]
    pub result: ResultFlags,
}

/// What arrives.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub struct LoadFlags {
    /// Orders by the curve of a CSV file (minute,ordersPerMinute), such as manifests/load/rush-hour.csv
    #[arg(long, value_name = "FILE", required_unless_present = "history")]
    pub load: Option<PathBuf>,
    /// Requests of the running app in so much time until now, from CloudWatch, in place of a file
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["load", "days", "start"])]
    pub history: Option<Duration>,
    /// The app: NAME among several manifests, or CLUSTER/NAME without one [default: the one that there is]
    #[arg(long, value_name = "NAME")]
    pub app: Option<String>,
    /// So many days, of which each begins with the curve
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: Option<u32>,
    /// When it begins, which is what schedules go by: a whole minute
    #[arg(long, value_name = "TIME", value_parser = start, default_value = "2026-01-05T00:00:00Z")]
    pub start: Timestamp,
    /// Another seed is another run of the same curve
    #[arg(long, value_name = "N", default_value_t = 8888)]
    pub seed: u64,
    /// How orders are spread over a minute
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
}

/// How orders are spread over a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Arrivals {
    /// Independently of each other
    Poisson,
    /// Evenly
    Even,
}

/// How the service works.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelFlags {
    /// How long a task works on an order [default: the manifest's INTERSTELLA_GATHER_MS, or 2s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub service_time: Option<Duration>,
    /// Each order takes another time, exponentially distributed around it
    #[arg(long)]
    pub exponential: bool,
    /// Orders that a task works on at once [default: the manifest's INTERSTELLA_MAX_CONCURRENT_ORDERS, or 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub concurrency: Option<u32>,
    /// How long an order waits in a task before it is sent away [default: 8s less the service time, as the worker's]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub patience: Option<Duration>,
    /// How long after that it comes back [default: the subscription's minDelayTarget, or 20s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub retry: Option<Duration>,
    /// From the moment at which a task is wanted until it is healthy
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    pub start_up: Duration,
    /// When an order is late
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub late_after: Duration,
}

/// Settings without a manifest.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings without a manifest")]
pub struct SettingFlags {
    /// Fewest tasks
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "path")]
    pub min: u32,
    /// Most tasks
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "path")]
    pub max: u32,
    /// The value to keep: requests a minute for each task, or percent
    #[arg(long, value_name = "VALUE", value_parser = above_zero, default_value = "20", conflicts_with = "path")]
    pub target: f64,
    /// The metric to keep there
    #[arg(long, value_enum, default_value_t = Metric::Requests, conflicts_with = "path")]
    pub metric: Metric,
    /// After a scale-out, for so long only a larger one follows
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300s", conflicts_with = "path")]
    pub scale_out_cooldown: Duration,
    /// After a scale-in, for so long no other follows
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300s", conflicts_with = "path")]
    pub scale_in_cooldown: Duration,
}

/// A metric that can be tracked without a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Metric {
    /// Requests a minute for each task
    #[value(name = "ALBRequestCountPerTarget")]
    Requests,
    /// Percent of the tasks' slots for orders in use
    #[value(name = "ECSServiceAverageCPUUtilization")]
    Cpu,
}

/// What is made of it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Result")]
pub struct ResultFlags {
    /// A picture of it: a file whose name ends with .svg or .png
    #[arg(long, value_name = "FILE", value_parser = picture)]
    pub plot: Option<PathBuf>,
    /// Compare settings: name=a..b, name=a..b:step or name=a,b,c of target, minCapacity, maxCapacity, scaleOutCooldown,
    /// scaleInCooldown; several times for every combination
    #[arg(long = "sweep", value_name = "NAME=VALUES", value_parser = sweep::axis)]
    pub sweeps: Vec<Axis>,
    /// Runs of each setting of a sweep, each with other arrivals; a row has their averages
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100), requires = "sweeps")]
    pub runs: u32,
    /// The largest part of late orders, in percent, with which a setting is recommended
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "1", requires = "sweeps")]
    pub late_share: f64,
    /// Prices in place of the program's own
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,
    /// CPU units of a task, for the cost [default: the manifest's, or 256]
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    pub cpu: Option<u32>,
    /// MiB of a task, for the cost [default: the manifest's, or 512]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    pub memory: Option<u32>,
}

fn above_zero(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value| (0.0001..1e9).contains(value))
        .ok_or_else(|| "a target is a number above 0".to_owned())
}

fn start(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "a moment is written as 2026-01-05T00:00:00Z".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|value| (0.0..=100.0).contains(value));
    share.ok_or_else(|| "a share is a number from 0 to 100, in percent".to_owned())
}

fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    drawing::extension(&path).map(|_| path).ok_or_else(|| "a picture's name ends with .svg or .png".to_owned())
}
