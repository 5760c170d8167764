//! Settings side by side: which values are tried, what each comes to, and which one is recommended.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use interstella_autoscaling::simulate::Totals;
use interstella_controller::manifest::Scaling;
use serde::Serialize;

use crate::failure::Failure;

/// Most settings of one sweep.
const MOST_SETTINGS: usize = 1_000;
/// Most values that a range without a step has.
const MOST_VALUES: f64 = 20.0;

/// What is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    Target,
    MinCapacity,
    MaxCapacity,
    ScaleOutCooldown,
    ScaleInCooldown,
}

const SETTINGS: [(&str, Setting); 5] = [
    ("target", Setting::Target),
    ("minCapacity", Setting::MinCapacity),
    ("maxCapacity", Setting::MaxCapacity),
    ("scaleOutCooldown", Setting::ScaleOutCooldown),
    ("scaleInCooldown", Setting::ScaleInCooldown),
];

/// A setting with the values that are tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    pub setting: Setting,
    pub values: Vec<f64>,
}

impl Setting {
    /// As the manifest calls it.
    pub fn name(self) -> &'static str {
        SETTINGS.iter().find(|(_, setting)| *setting == self).map_or("", |(name, _)| name)
    }

    /// Gives the setting a value. What cannot be set says why.
    fn set(self, scaling: &mut Scaling, value: f64) -> Result<(), String> {
        let whole = value as u32;
        match self {
            Self::MinCapacity => scaling.min_capacity = whole,
            Self::MaxCapacity => scaling.max_capacity = whole,
            Self::Target | Self::ScaleOutCooldown | Self::ScaleInCooldown => {
                let [policy] = scaling.target_tracking.as_mut_slice() else {
                    return Err(format!("{} can be varied of exactly one target-tracking policy", self.name()));
                };
                match self {
                    Self::ScaleOutCooldown => policy.scale_out_cooldown = whole,
                    Self::ScaleInCooldown => policy.scale_in_cooldown = whole,
                    _ => policy.target = value,
                }
            }
        }
        Ok(())
    }
}

/// Reads `name=a..b`, `name=a..b:step` or `name=a,b,c`.
///
/// # Errors
/// What a sweep looks like, or what is wrong with this one.
pub fn axis(text: &str) -> Result<Axis, String> {
    let said = || "a sweep is name=a..b, name=a..b:step or name=a,b,c, such as target=50..200".to_owned();
    let (name, values) = text.split_once('=').ok_or_else(said)?;
    let known = SETTINGS.iter().find(|(known, _)| *known == name).ok_or_else(|| {
        let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
        format!("{name:?} cannot be varied; these can: {}", names.join(", "))
    })?;
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|value| (0.0..1e9).contains(value)).ok_or_else(said);
    let values = match values.split_once("..") {
        None => values.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
        Some((from, rest)) => {
            let (to, step) = rest.split_once(':').map_or((rest, None), |(to, step)| (to, Some(step)));
            let (from, to) = (number(from)?, number(to)?);
            let step = step.map_or_else(|| Ok(round_step(to - from)), number)?;
            range(from, to, step)?
        }
    };
    let setting = known.1;
    if setting == Setting::Target && values.contains(&0.0) {
        return Err("a target is above 0".to_owned());
    }
    if setting != Setting::Target && values.iter().any(|value| value.fract() != 0.0) {
        return Err(format!("{name} takes whole numbers"));
    }
    Ok(Axis { setting, values })
}

/// The smallest of 1, 2, 5, 10, 20, … with which a range has few values.
fn round_step(length: f64) -> f64 {
    let mut steps = (0..10).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(power)));
    steps.find(|step| length / step <= MOST_VALUES).unwrap_or(length)
}

fn range(from: f64, to: f64, step: f64) -> Result<Vec<f64>, String> {
    if to < from {
        return Err(format!("{from}..{to} goes down; write {to}..{from}"));
    }
    if step <= 0.0 {
        return Err("a step is above 0".to_owned());
    }
    let count = ((to - from) / step + 1e-9).floor();
    if count >= MOST_SETTINGS as f64 {
        return Err(format!(
            "{from}..{to} in steps of {step} has more than {MOST_SETTINGS} values; take a larger step"
        ));
    }
    Ok((0..=count as u32).map(|index| from + f64::from(index) * step).collect())
}

/// Every combination of the values: the values in the order of the axes, and the scaling with them.
///
/// # Errors
/// If there are too many, or a value cannot be set.
pub fn settings(scaling: &Scaling, axes: &[Axis]) -> Result<Vec<(Vec<f64>, Scaling)>, Failure> {
    let count = axes.iter().fold(1_usize, |count, axis| count.saturating_mul(axis.values.len()));
    if count > MOST_SETTINGS {
        return Err(Failure::new(format!("these are {count} settings; a sweep has at most {MOST_SETTINGS}"))
            .remedy("give ranges a larger step, such as target=50..200:25"));
    }
    let mut all = vec![(Vec::new(), scaling.clone())];
    for axis in axes {
        let mut next = Vec::with_capacity(all.len() * axis.values.len());
        for (values, scaling) in &all {
            for value in &axis.values {
                let (mut values, mut scaling) = (values.clone(), scaling.clone());
                axis.setting.set(&mut scaling, *value).map_err(Failure::new)?;
                values.push(*value);
                next.push((values, scaling));
            }
        }
        all = next;
    }
    all.retain(|(_, scaling)| scaling.min_capacity <= scaling.max_capacity);
    if all.is_empty() {
        return Err(Failure::new("minCapacity is above maxCapacity in every setting").remedy("give other ranges"));
    }
    Ok(all)
}

/// What one run of a setting comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// What the simulated time costs.
    pub cost: f64,
    pub totals: Totals,
    /// Activities that changed the count.
    pub scalings: usize,
}

/// What a setting comes to, on average over its runs: a single run owes too much to the orders that happen to come together.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The values, in the order of the axes.
    pub values: Vec<f64>,
    /// What the simulated time costs.
    pub cost: f64,
    /// Late orders as a part of all, from 0 to 1.
    pub late_share: f64,
    pub p99_seconds: Option<f64>,
    pub task_hours: f64,
    /// The most of all runs.
    pub most_tasks: u32,
    pub utilisation_percent: Option<f64>,
    /// Activities that changed the count.
    pub scalings: f64,
    /// Whether no other setting is as good in both, and better in one: cost and late orders.
    pub is_on_front: bool,
}

/// The averages of a setting's runs.
pub fn row(values: &[f64], runs: &[Run]) -> Row {
    let average = |of: &dyn Fn(&Run) -> Option<f64>| {
        let known: Vec<f64> = runs.iter().filter_map(of).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let certain = |of: &dyn Fn(&Run) -> f64| average(&|run| Some(of(run))).unwrap_or_default();
    Row {
        values: values.to_vec(),
        cost: certain(&|run| run.cost),
        late_share: certain(&|run| run.totals.late_share()),
        p99_seconds: average(&|run| run.totals.p99_seconds),
        task_hours: certain(&|run| run.totals.task_hours),
        most_tasks: runs.iter().map(|run| run.totals.most_tasks).max().unwrap_or(0),
        utilisation_percent: average(&|run| run.totals.utilisation_percent),
        scalings: certain(&|run| run.scalings as f64),
        is_on_front: false,
    }
}

/// Marks the settings that no other one beats.
pub fn mark_front(rows: &mut [Row]) {
    let all: Vec<(f64, f64)> = rows.iter().map(|row| (row.cost, row.late_share)).collect();
    for row in rows {
        let (cost, late) = (row.cost, row.late_share);
        row.is_on_front = !all.iter().any(|(c, l)| *c <= cost && *l <= late && (*c < cost || *l < late));
    }
}

/// The setting that is recommended, by its index, and why: the cheapest whose late orders are at most so many; if
/// there is none, the one with the fewest late orders. What is alike in that goes to the cheaper, then to the first.
pub fn recommend(rows: &[Row], late_share: f64) -> Option<(usize, String)> {
    let by_cost = |(_, a): &(usize, &Row), (_, b): &(usize, &Row)| a.cost.total_cmp(&b.cost);
    let indexed = || rows.iter().enumerate();
    let percent = late_share * 100.0;
    if let Some((index, _)) = indexed().filter(|(_, row)| row.late_share <= late_share).min_by(by_cost) {
        return Some((index, format!("the cheapest with at most {percent} % late orders")));
    }
    let fewest = indexed().min_by(|a, b| a.1.late_share.total_cmp(&b.1.late_share).then(by_cost(a, b)));
    fewest.map(|(index, _)| (index, format!("none has at most {percent} % late orders; this has the fewest")))
}

/// Does `work` for every one of `all` on as many threads as the machine has, and gives the results in their order.
/// `progress` is told how many are done.
pub fn in_parallel<T: Sync, R: Send>(
    all: &[T],
    work: impl Fn(&T) -> R + Sync,
    progress: impl Fn(usize) + Sync,
) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(all.len());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(all.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((index, one)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|i| Some((i, all.get(i)?)))
                {
                    let result = work(one);
                    results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, result));
                    progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests;
