//! What a simulation tells, as text for people and as JSON for machines.

use std::fmt::Write as _;

use interstella_autoscaling::simulate::{Activity, Outcome, Sample, Simulation, Totals};
use interstella_controller::manifest::Scaling;
use interstella_controller::resource::metric::word;
use serde_json::{Value, json};

use super::prices::{Cost, Prices};
use super::setup::Setup;
use super::sweep::{Axis, Row};
use crate::output::count;

/// Activities that are shown to people; all are in the JSON.
const MOST_SHOWN: usize = 40;

/// A simulation with what it is a simulation of.
pub struct Report<'a> {
    /// The file or the app that the load comes from.
    pub load: &'a str,
    pub setup: &'a Setup,
    pub simulation: &'a Simulation,
    pub prices: &'a Prices,
    pub cost: Cost,
    /// What was presumed or left out, a sentence each.
    pub notes: &'a [String],
}

impl Report<'_> {
    /// Three lines above a plot: what it is, with which settings, and what came of it.
    pub fn heading(&self) -> [String; 3] {
        [
            format!("{} under {}, {}", self.setup.app, self.load, length(self.simulation.samples.len())),
            settings(self.setup),
            self.outcome(),
        ]
    }

    fn outcome(&self) -> String {
        let Totals { orders, late, p99_seconds, task_hours, most_tasks, .. } = self.simulation.totals;
        let share = self.simulation.totals.late_share() * 100.0;
        let after = self.setup.service.late_after_seconds;
        let p99 = seconds(p99_seconds);
        let cost = money(self.cost.total(), &self.prices.currency);
        format!(
            "{orders} orders, {late} ({share:.2} %) later than {after} s, 99 % within {p99}; at most {most_tasks} tasks, \
             {task_hours:.1} task-hours, {cost}"
        )
    }

    /// For people.
    pub fn text(&self) -> String {
        let [title, settings, _] = self.heading();
        let mut text = format!("{title}\n  {settings}\n\n");
        self.write_totals(&mut text);
        self.write_activities(&mut text);
        for note in self.notes {
            // Writing to a String does not fail.
            let _ = write!(text, "\nnote: {note}");
        }
        text
    }

    fn write_totals(&self, text: &mut String) {
        let Totals { orders, done: _, unfinished, late, median_seconds, p99_seconds, longest_seconds, .. } =
            self.simulation.totals;
        let Totals { most_tasks, utilisation_percent, task_hours, .. } = self.simulation.totals;
        let busiest = self.simulation.samples.iter().map(|sample| sample.orders).max().unwrap_or(0);
        let (median, p99, longest) = (seconds(median_seconds), seconds(p99_seconds), seconds(longest_seconds));
        let (share, after) = (self.simulation.totals.late_share() * 100.0, self.setup.service.late_after_seconds);
        let Cost { tasks, load_balancer } = self.cost;
        let Prices { currency, region, date, .. } = self.prices;
        let lines = [
            format!("orders       {orders}, at most {busiest} a minute; {unfinished} not done at the end"),
            format!("response     median {median}, 99 % within {p99}, longest {longest}"),
            format!("late         {late} ({share:.2} %) later than {after} s"),
            format!(
                "tasks        at most {most_tasks}, {task_hours:.1} task-hours, utilisation {}",
                utilisation_percent.map_or("unknown".to_owned(), |percent| format!("{percent:.0} %"))
            ),
            format!(
                "cost         {}: tasks {}, load balancer {} (list prices of Fargate, {region}, {date})",
                money(self.cost.total(), currency),
                money(tasks, currency),
                money(load_balancer, currency)
            ),
        ];
        text.push_str(&lines.join("\n"));
        text.push('\n');
    }

    fn write_activities(&self, text: &mut String) {
        let (vain, scaled): (Vec<&Activity>, Vec<&Activity>) =
            self.simulation.activities.iter().partition(|activity| matches!(activity.outcome, Outcome::NotScaled(_)));
        let _ = writeln!(text, "\nactivities   {}, and {} that changed nothing", scaled.len(), vain.len());
        for activity in scaled.iter().take(MOST_SHOWN) {
            let what =
                activity.change().map_or_else(|| activity.description(), |(from, to)| format!("{from:>3} -> {to}"));
            let _ = writeln!(text, "  {}  {what:<12}  {}", activity.at.strftime("%a %H:%M:%S"), activity.cause);
        }
        if let Some(more @ 1..) = scaled.len().checked_sub(MOST_SHOWN) {
            let _ = writeln!(text, "  {more} more; see all with --output json");
        }
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let Simulation { samples, totals, activities } = self.simulation;
        let Setup { app, scaling, service, size, .. } = self.setup;
        json!({
            "app": app.to_string(),
            "load": self.load,
            "settings": {
                "scaling": scaling,
                "serviceTimeSeconds": service.service_time_seconds,
                "concurrency": service.concurrency,
                "patienceSeconds": service.patience_seconds,
                "retrySeconds": service.retry_seconds,
                "startUpSeconds": service.start_up_seconds,
                "lateAfterSeconds": service.late_after_seconds,
                "taskSize": size,
            },
            "totals": self::totals(totals),
            "cost": { "total": self.cost.total(), "parts": self.cost, "prices": self.prices },
            "activities": activities.iter().map(activity).collect::<Vec<_>>(),
            "minutes": samples.iter().map(minute).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

fn totals(totals: &Totals) -> Value {
    let Totals { orders, done, unfinished, late, .. } = totals;
    let Totals { median_seconds, p99_seconds, longest_seconds, most_tasks, utilisation_percent, task_hours, .. } =
        totals;
    json!({
        "orders": orders,
        "done": done,
        "unfinished": unfinished,
        "late": late,
        "lateShare": totals.late_share(),
        "medianSeconds": median_seconds,
        "p99Seconds": p99_seconds,
        "longestSeconds": longest_seconds,
        "mostTasks": most_tasks,
        "utilisationPercent": utilisation_percent,
        "taskHours": task_hours,
    })
}

/// As DescribeScalingActivities calls things.
fn activity(activity: &Activity) -> Value {
    let Activity { at, ended_at, cause, outcome } = activity;
    let not_scaled = if let Outcome::NotScaled(reason) = outcome { Some(reason.code()) } else { None };
    json!({
        "startTime": at,
        "endTime": ended_at,
        "from": activity.change().map(|(from, _)| from),
        "to": activity.change().map(|(_, to)| to),
        "cause": cause,
        "description": activity.description(),
        "statusCode": activity.status().name(),
        "statusMessage": activity.status_message(),
        "notScaledReason": not_scaled,
    })
}

fn minute(sample: &Sample) -> Value {
    let Sample { minute, orders, desired, running, utilisation_percent, waiting, late } = sample;
    json!({
        "minute": minute,
        "orders": orders,
        "desired": desired,
        "running": running,
        "utilisationPercent": utilisation_percent,
        "waiting": waiting,
        "late": late,
    })
}

/// The settings in a line.
pub fn settings(setup: &Setup) -> String {
    let Setup { scaling, service, .. } = setup;
    let Scaling { min_capacity, max_capacity, target_tracking, step, scheduled, .. } = scaling;
    let mut parts = vec![format!("{min_capacity} to {max_capacity} tasks")];
    parts.extend(target_tracking.iter().map(|policy| {
        let metric = policy.metric.map_or("custom metric".to_owned(), |metric| word(&metric));
        let (out, in_) = (policy.scale_out_cooldown, policy.scale_in_cooldown);
        format!("{metric} {} (cooldowns {out} s out, {in_} s in)", policy.target)
    }));
    let counted =
        [(step.len(), "step policy", "step policies"), (scheduled.len(), "scheduled action", "scheduled actions")];
    let counted = counted.into_iter().filter(|(number, ..)| *number > 0);
    parts.extend(counted.map(|(number, one, many)| count(number, one, many)));
    let slots = service.concurrency.map_or("any number".to_owned(), |slots| slots.to_string());
    let (each, start_up) = (service.service_time_seconds, service.start_up_seconds);
    parts.push(format!("{each} s an order, {slots} at once, {start_up} s to start"));
    parts.join("; ")
}

/// A sweep for people: a table, the front marked with `*` and the recommended setting with `>`.
pub fn sweep_text(axes: &[Axis], rows: &[Row], recommended: Option<&(usize, String)>, currency: &str) -> String {
    let mut text = String::from("  ");
    for axis in axes {
        let _ = write!(text, "{:>17}", axis.setting.name());
    }
    let _ = writeln!(
        text,
        "{:>14}{:>9}{:>10}{:>7}{:>13}{:>7}{:>10}",
        format!("cost {currency}"),
        "late %",
        "p99 s",
        "tasks",
        "task-hours",
        "use %",
        "scalings"
    );
    for (index, row) in rows.iter().enumerate() {
        let is_recommended = recommended.is_some_and(|(best, _)| *best == index);
        text.push(if is_recommended { '>' } else { ' ' });
        text.push(if row.is_on_front { '*' } else { ' ' });
        for value in &row.values {
            let _ = write!(text, "{value:>17}");
        }
        let Row { cost, late_share, p99_seconds, task_hours, most_tasks, utilisation_percent, scalings, .. } = row;
        let (late, p99, used) = (late_share * 100.0, p99_seconds.unwrap_or(0.0), utilisation_percent.unwrap_or(0.0));
        let _ = writeln!(
            text,
            "{cost:>14.4}{late:>9.2}{p99:>10.1}{most_tasks:>7}{task_hours:>13.1}{used:>7.0}{scalings:>10.1}"
        );
    }
    text.push_str("* no other setting is as good in both cost and late orders, and better in one\n");
    if let Some((index, reason)) = recommended {
        let _ = write!(text, "> recommended: {}: {reason}", assignments(axes, &rows[*index].values));
    }
    text
}

/// A sweep for machines.
pub fn sweep_json(axes: &[Axis], rows: &[Row], recommended: Option<&(usize, String)>, prices: &Prices) -> Value {
    let row = |row: &Row| {
        let values: serde_json::Map<String, Value> =
            axes.iter().zip(&row.values).map(|(axis, value)| (axis.setting.name().to_owned(), json!(value))).collect();
        json!({ "setting": values, "result": row })
    };
    let chosen = |(index, reason): &(usize, String)| json!({ "index": index, "setting": row(&rows[*index])["setting"], "reason": reason });
    json!({
        "settings": rows.iter().map(row).collect::<Vec<_>>(),
        "recommended": recommended.map(chosen),
        "prices": prices,
    })
}

/// Settings as a sweep names them.
pub fn assignments(axes: &[Axis], values: &[f64]) -> String {
    let named = axes.iter().zip(values).map(|(axis, value)| format!("{}={value}", axis.setting.name()));
    named.collect::<Vec<_>>().join(" ")
}

fn seconds(value: Option<f64>) -> String {
    value.map_or("unknown".to_owned(), |seconds| format!("{seconds:.1} s"))
}

fn money(amount: f64, currency: &str) -> String {
    format!("{amount:.2} {currency}")
}

fn length(minutes: usize) -> String {
    match (minutes / 1_440, minutes % 1_440 / 60, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes:02} min"),
        (days, 0, 0) => format!("{days} d"),
        (days, hours, minutes) => format!("{days} d {hours} h {minutes:02} min"),
    }
}
