//! `simulate`: what a service would do under a load curve, before it is deployed.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use interstella_autoscaling::simulate::{Load, Pattern, Simulation, simulate};
use interstella_controller::app::AppName;
use interstella_controller::manifest::{PredefinedMetric, Scaling};
use jiff::Timestamp;

use crate::failure::Failure;
use crate::profile::Profile;
use crate::simulate::conversion::convert;
use crate::simulate::duration::duration;
use crate::simulate::history::{self, History};
use crate::simulate::prices::{Cost, Prices};
use crate::simulate::report::{self, Report};
use crate::simulate::setup::{Given, Setup, tracking};
use crate::simulate::sweep::{self, Axis, Row};
use crate::simulate::{curve, drawing, front, sheet};
use crate::verb::Context;
use crate::{manifests, output};

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A manifest, or a directory of manifests, whose `scaling` is tried; without it, the settings are those of the
    /// flags
    path: Option<PathBuf>,
    #[command(flatten)]
    load: LoadFlags,
    #[command(flatten)]
    model: ModelFlags,
    #[command(flatten)]
    settings: SettingFlags,
    #[command(flatten)]
    result: ResultFlags,
}

/// What arrives.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
struct LoadFlags {
    /// Orders by the curve of a CSV file (minute,ordersPerMinute), such as manifests/load/rush-hour.csv
    #[arg(long, value_name = "FILE", required_unless_present = "history")]
    load: Option<PathBuf>,
    /// Requests of the running app in so much time until now, from CloudWatch, in place of a file
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["load", "days", "start"])]
    history: Option<Duration>,
    /// The app: NAME among several manifests, or CLUSTER/NAME without one [default: the one that there is]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// So many days, of which each begins with the curve
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=366))]
    days: Option<u32>,
    /// When it begins, which is what schedules go by: a whole minute
    #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z")]
    start: Timestamp,
    /// Another seed is another run of the same curve
    #[arg(long, value_name = "N", default_value_t = 8888)]
    seed: u64,
    /// How orders are spread over a minute
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    arrivals: Arrivals,
}

/// How orders are spread over a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Arrivals {
    /// Independently of each other
    Poisson,
    /// Evenly
    Even,
}

/// How the service works.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
struct ModelFlags {
    /// How long a task works on an order [default: the manifest's INTERSTELLA_GATHER_MS, or 2s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    service_time: Option<Duration>,
    /// Each order takes another time, exponentially distributed around it
    #[arg(long)]
    exponential: bool,
    /// Orders that a task works on at once [default: the manifest's INTERSTELLA_MAX_CONCURRENT_ORDERS, or 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: Option<u32>,
    /// How long an order waits in a task before it is sent away [default: 8s less the service time, as the worker's]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    patience: Option<Duration>,
    /// How long after that it comes back [default: the subscription's minDelayTarget, or 20s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    retry: Option<Duration>,
    /// From the moment at which a task is wanted until it is healthy
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    start_up: Duration,
    /// When an order is late
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    late_after: Duration,
}

/// Settings without a manifest.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings without a manifest")]
struct SettingFlags {
    /// Fewest tasks
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "path")]
    min: u32,
    /// Most tasks
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "path")]
    max: u32,
    /// The value to keep: requests a minute for each task, or percent
    #[arg(long, value_name = "VALUE", value_parser = above_zero, default_value = "20", conflicts_with = "path")]
    target: f64,
    /// The metric to keep there
    #[arg(long, value_enum, default_value_t = Metric::Requests, conflicts_with = "path")]
    metric: Metric,
    /// After a scale-out, for so long only a larger one follows
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300s", conflicts_with = "path")]
    scale_out_cooldown: Duration,
    /// After a scale-in, for so long no other follows
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "300s", conflicts_with = "path")]
    scale_in_cooldown: Duration,
}

/// A metric that can be tracked without a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Metric {
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
struct ResultFlags {
    /// A picture of it: a file whose name ends with .svg or .png
    #[arg(long, value_name = "FILE", value_parser = picture)]
    plot: Option<PathBuf>,
    /// Compare settings: name=a..b, name=a..b:step or name=a,b,c of target, minCapacity, maxCapacity, scaleOutCooldown,
    /// scaleInCooldown; several times for every combination
    #[arg(long = "sweep", value_name = "NAME=VALUES", value_parser = sweep::axis)]
    sweeps: Vec<Axis>,
    /// The largest part of late orders, in percent, with which a setting is recommended
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    late_share: f64,
    /// Prices in place of the program's own
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// CPU units of a task, for the cost [default: the manifest's, or 256]
    #[arg(long, value_name = "UNITS", value_parser = clap::value_parser!(u32).range(1..))]
    cpu: Option<u32>,
    /// MiB of a task, for the cost [default: the manifest's, or 512]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..))]
    memory: Option<u32>,
}

/// Simulates one setting, or several, and prints what came of it.
pub async fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let setup = setup(context, arguments)?;
    let prices = Prices::read(arguments.result.prices.as_deref())?;
    let (name, load) = load(context, arguments, &setup).await?;
    let case = Case { name, load, setup, prices, result: &arguments.result };
    // The threads that simulate are the machine's own; the runtime has nothing else to do meanwhile.
    tokio::task::block_in_place(|| {
        if arguments.result.sweeps.is_empty() { case.one(context) } else { case.sweep(context) }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What is simulated, and what is made of it.
struct Case<'a> {
    name: String,
    load: Load,
    setup: Setup,
    prices: Prices,
    result: &'a ResultFlags,
}

impl Case<'_> {
    fn one(&self, context: &Context) -> Result<(), Failure> {
        let (simulation, left_out) = self.simulate(&self.setup.scaling)?;
        let notes: Vec<String> = self.setup.presumed.iter().cloned().chain(left_out).collect();
        let report = Report {
            load: &self.name,
            setup: &self.setup,
            simulation: &simulation,
            prices: &self.prices,
            cost: self.cost(&simulation),
            notes: &notes,
        };
        if let Some(path) = &self.result.plot {
            drawing::write(path, &sheet::svg(&simulation.samples, &report.heading())?)?;
            output::note(format_args!("{} drawn", path.display()));
        }
        output::result(&context.common, &report.json(), report.text())
    }

    fn sweep(&self, context: &Context) -> Result<(), Failure> {
        let axes = &self.result.sweeps;
        let settings = sweep::settings(&self.setup.scaling, axes)?;
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(settings.len() as u64));
        let show = |done: usize| bar.iter().for_each(|bar| bar.set_position(done as u64));
        let rows = sweep::in_parallel(&settings, |(values, scaling)| self.row(values, scaling), show);
        bar.iter().for_each(ProgressBar::finish_and_clear);
        let mut rows = rows.into_iter().collect::<Result<Vec<Row>, Failure>>()?;
        sweep::mark_front(&mut rows);
        let best = sweep::recommend(&rows, self.result.late_share / 100.0);
        if let (Some(path), Some((index, reason))) = (&self.result.plot, &best) {
            let chosen = report::assignments(axes, &rows[*index].values);
            let title =
                format!("{} under {}: cost against lateness of {} settings", self.setup.app, self.name, rows.len());
            let names: Vec<&str> = axes.iter().map(|axis| axis.setting.name()).collect();
            let heading = [title, format!("recommended: {chosen}: {reason}; labels are {}", names.join(", "))];
            drawing::write(path, &front::svg(&rows, *index, &heading, &self.prices.currency)?)?;
            output::note(format_args!("{} drawn", path.display()));
        }
        for note in &self.setup.presumed {
            output::note(format_args!("note: {note}"));
        }
        let text = report::sweep_text(axes, &rows, best.as_ref(), &self.prices.currency);
        output::result(&context.common, &report::sweep_json(axes, &rows, best.as_ref(), &self.prices), text)
    }

    fn row(&self, values: &[f64], scaling: &Scaling) -> Result<Row, Failure> {
        let (simulation, _) = self.simulate(scaling)?;
        let totals = &simulation.totals;
        Ok(Row {
            values: values.to_vec(),
            cost: self.cost(&simulation).total(),
            late_share: totals.late_share(),
            p99_seconds: totals.p99_seconds,
            task_hours: totals.task_hours,
            most_tasks: totals.most_tasks,
            utilisation_percent: totals.utilisation_percent,
            scalings: simulation.activities.iter().filter(|activity| activity.change().is_some()).count(),
            is_on_front: false,
        })
    }

    fn simulate(&self, scaling: &Scaling) -> Result<(Simulation, Vec<String>), Failure> {
        let converted = convert(scaling, &self.setup.app, self.setup.initial_capacity, self.load.start)?;
        Ok((simulate(&self.load, &self.setup.service, &converted.target), converted.left_out))
    }

    fn cost(&self, simulation: &Simulation) -> Cost {
        let hours = simulation.samples.len() as f64 / 60.0;
        self.prices.cost(&simulation.totals, self.setup.size, hours, self.setup.has_load_balancer)
    }
}

fn setup(context: &Context, arguments: &Arguments) -> Result<Setup, Failure> {
    let ModelFlags { service_time, exponential, concurrency, patience, retry, start_up, late_after } = arguments.model;
    let ResultFlags { cpu, memory, .. } = arguments.result;
    let is_exponential = exponential;
    let given = Given { service_time, is_exponential, concurrency, patience, retry, start_up, late_after, cpu, memory };
    let Some(path) = &arguments.path else {
        let flags = &arguments.settings;
        if flags.min > flags.max {
            return Err(Failure::new(format!("--min {} is above --max {}", flags.min, flags.max)).remedy("raise --max"));
        }
        let metric = match flags.metric {
            Metric::Requests => PredefinedMetric::ALBRequestCountPerTarget,
            Metric::Cpu => PredefinedMetric::ECSServiceAverageCPUUtilization,
        };
        let seconds = |cooldown: Duration| u32::try_from(cooldown.as_secs()).unwrap_or(u32::MAX);
        let cooldowns = (seconds(flags.scale_out_cooldown), seconds(flags.scale_in_cooldown));
        let app = app_of_flags(arguments)?;
        return Ok(Setup::of_flags(app, tracking((flags.min, flags.max), metric, flags.target, cooldowns), &given));
    };
    let mut found = manifests::require(context, path)?;
    match &arguments.load.app {
        Some(name) => found.retain(|manifest| manifest.metadata.name == *name),
        None if found.len() > 1 => found.retain(|manifest| manifest.spec.scaling.is_some()),
        None => {}
    }
    match found.as_slice() {
        [manifest] => Setup::of_manifest(manifest, &given),
        many => Err(Failure::new(format!("{} has {} apps that could be meant", path.display(), many.len()))
            .remedy("name one of the apps with --app")),
    }
}

/// The app that is meant without a manifest; its name matters only if its history is read.
fn app_of_flags(arguments: &Arguments) -> Result<AppName, Failure> {
    let LoadFlags { app, history, .. } = &arguments.load;
    let (cluster, name) = match app.as_deref() {
        Some(app) => app.split_once('/').unwrap_or(("default", app)),
        None if history.is_some() => {
            return Err(Failure::new("--history is of an app").remedy("give a manifest, or --app CLUSTER/NAME"));
        }
        None => ("default", "service"),
    };
    Ok(AppName { cluster: cluster.to_owned(), name: name.to_owned() })
}

/// The load, and what it is called.
async fn load(context: &Context, arguments: &Arguments, setup: &Setup) -> Result<(String, Load), Failure> {
    let flags = &arguments.load;
    let pattern = match flags.arrivals {
        Arrivals::Poisson => Pattern::Poisson,
        Arrivals::Even => Pattern::Even,
    };
    let (name, start, orders_per_minute) = match (&flags.load, flags.history) {
        (Some(path), _) => {
            let curve = curve::of_profile(&Profile::read(path)?, flags.days)?;
            (path.display().to_string(), flags.start, curve)
        }
        (None, span) => {
            let History { name, start, orders_per_minute } =
                history::read(context, &setup.app, &setup.topic_arns, span.unwrap_or_default()).await?;
            (name, start, curve::within_bounds(orders_per_minute)?)
        }
    };
    if start.as_second() % 60 != 0 {
        return Err(Failure::new(format!("{start} is no whole minute")).remedy("give --start with 0 seconds"));
    }
    Ok((name, Load { start, orders_per_minute, pattern, seed: flags.seed }))
}

fn above_zero(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|value| (0.0001..1e9).contains(value))
        .ok_or_else(|| "a target is a number above 0".to_owned())
}

fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    drawing::extension(&path).map(|_| path).ok_or_else(|| "a picture's name ends with .svg or .png".to_owned())
}
