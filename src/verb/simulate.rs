//! `simulate`: what a service would do under a load curve, before it is deployed.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::ProgressBar;
use interstella_autoscaling::simulate::{Load, Pattern, Simulation, simulate};
use interstella_controller::app::AppName;
use interstella_controller::manifest::{PredefinedMetric, Scaling};

use crate::failure::Failure;
use crate::profile::Profile;
use crate::simulate::conversion::convert;
use crate::simulate::flags::{Arguments, Arrivals, LoadFlags, Metric, ModelFlags, ResultFlags};
use crate::simulate::history::{self, History};
use crate::simulate::prices::{Cost, Prices};
use crate::simulate::report::{self, Report};
use crate::simulate::setup::{Given, Setup, tracking};
use crate::simulate::sweep::{self, Row, Run};
use crate::simulate::{curve, drawing, front, sheet};
use crate::verb::Context;
use crate::{manifests, output};

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
        let (simulation, left_out) = self.simulate(&self.load, &self.setup.scaling)?;
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
        let run = |run: u32| {
            let load = Load { seed: self.load.seed.wrapping_add(run.into()), ..self.load.clone() };
            let (simulation, _) = self.simulate(&load, scaling)?;
            let changes = simulation.activities.iter().filter(|activity| activity.change().is_some()).count();
            Ok(Run { cost: self.cost(&simulation).total(), totals: simulation.totals, scalings: changes })
        };
        let runs = (0..self.result.runs).map(run).collect::<Result<Vec<Run>, Failure>>()?;
        Ok(sweep::row(values, &runs))
    }

    fn simulate(&self, load: &Load, scaling: &Scaling) -> Result<(Simulation, Vec<String>), Failure> {
        let converted = convert(scaling, &self.setup.app, self.setup.initial_capacity, load.start)?;
        Ok((simulate(load, &self.setup.service, &converted.target), converted.left_out))
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
    let names: Vec<String> = found.iter().map(|manifest| manifest.metadata.name.clone()).collect();
    match &arguments.load.app {
        Some(name) => found.retain(|manifest| manifest.metadata.name == *name),
        None if found.len() > 1 => found.retain(|manifest| manifest.spec.scaling.is_some()),
        None => {}
    }
    match found.as_slice() {
        [manifest] => Setup::of_manifest(manifest, &given),
        [] => Err(Failure::new(format!(
            "{} declares no app {}",
            path.display(),
            arguments.load.app.as_deref().unwrap_or("with `scaling`")
        ))
        .remedy(format!("name one of these with --app: {}", names.join(", ")))),
        many => Err(Failure::new(format!("{} has {} apps that could be meant", path.display(), many.len()))
            .remedy(format!("name one of these with --app: {}", names.join(", ")))),
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
