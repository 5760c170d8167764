//! What came of the orders: counted as answers come, and reported at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::books::Fate;
use super::target::Outcome;

/// Counts of one run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Orders that were to be sent.
    pub scheduled: usize,
    /// Orders that were sent.
    pub sent: usize,
    /// Orders that were not sent, because too many were on their way.
    pub saturated: usize,
    /// Time of this machine from the first order's start to the last one's answer.
    pub took: Duration,
    /// Time of this machine after which an answer is late, if that is asked for.
    pub late_after: Option<Duration>,
    accepted: usize,
    late: usize,
    outcomes: BTreeMap<String, usize>,
    latencies: Vec<Duration>,
}

impl Tally {
    /// Of a run of so many orders, before the first.
    pub fn of(scheduled: usize, late_after: Option<Duration>) -> Self {
        Self { scheduled, late_after, ..Self::default() }
    }

    /// Counts an answer that came `latency` after its order was due.
    pub fn add(&mut self, outcome: Outcome, latency: Duration) {
        self.accepted += usize::from(outcome.accepted);
        let is_late = self.late_after.is_some_and(|late_after| latency > late_after);
        self.late += usize::from(is_late || !outcome.accepted);
        *self.outcomes.entry(outcome.status).or_default() += 1;
        self.latencies.push(latency);
    }

    /// How it stands.
    pub fn line(&self) -> String {
        let Self { scheduled, sent, saturated, accepted, latencies, .. } = self;
        let in_flight = sent.saturating_sub(latencies.len());
        let failed = latencies.len() - accepted;
        format!(
            "{sent} of {scheduled} orders sent: {accepted} accepted, {failed} refused, {in_flight} under way, \
             {saturated} not sent"
        )
    }

    /// How many orders were accepted.
    pub fn accepted(&self) -> usize {
        self.accepted
    }

    /// The report.
    pub fn report(self, fate: Option<Fate>) -> Report {
        let Self { scheduled, sent, saturated, took, late_after, accepted, late, outcomes, mut latencies } = self;
        latencies.sort_unstable();
        let latency_ms = Percentiles::of(&latencies);
        Report {
            scheduled,
            sent,
            saturated,
            accepted,
            seconds: rounded(took.as_secs_f64()),
            outcomes,
            latency_ms,
            late: late_after.map(|_| late + saturated),
            headquarters: fate,
        }
    }
}

/// What came of a run.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Orders that were to be sent.
    scheduled: usize,
    /// Orders that were sent.
    sent: usize,
    /// Orders that were not sent, because too many were on their way.
    saturated: usize,
    /// Orders that were accepted: published, or answered with 2xx.
    accepted: usize,
    /// Seconds of this machine.
    seconds: f64,
    /// How many orders had each outcome: `published`, an error's code, or an HTTP status.
    outcomes: BTreeMap<String, usize>,
    /// Milliseconds from when an order was due to its answer; null without answers.
    latency_ms: Option<Percentiles>,
    /// Orders whose answer came too late, or was none of success, or that were not sent; null if that was not asked for.
    late: Option<usize>,
    /// What headquarters has recorded; null if it was not asked.
    headquarters: Option<Fate>,
}

impl Report {
    /// Whether every order was sent and accepted and, as far as is known, has had its one effect.
    pub fn is_good(&self) -> bool {
        let fulfilled = self.headquarters.as_ref().is_none_or(|fate| fate.lost == 0 && fate.duplicates == 0);
        self.accepted == self.scheduled && fulfilled
    }
}

/// Latencies below which so many percent of the answers came: an answer's own, never interpolated.
#[derive(Debug, PartialEq, Serialize)]
struct Percentiles {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

impl Percentiles {
    /// Of latencies in ascending order.
    fn of(sorted: &[Duration]) -> Option<Self> {
        let last = sorted.len().checked_sub(1)?;
        // The nearest rank: the smallest latency that so many percent do not exceed.
        let at = |percent: usize| millis(sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1).min(last)]);
        Some(Self { p50: at(50), p90: at(90), p99: at(99), max: millis(sorted[last]) })
    }
}

fn millis(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1000.0)
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheduled, sent, saturated, accepted, seconds, outcomes, latency_ms, late, headquarters } = self;
        writeln!(f, "orders        {sent} of {scheduled} sent in {seconds} s, {accepted} accepted")?;
        if *saturated > 0 {
            writeln!(f, "not sent      {saturated}: too many were on their way (--max-in-flight)")?;
        }
        let outcomes: Vec<String> = outcomes.iter().map(|(status, count)| format!("{status} {count}")).collect();
        write!(f, "outcomes      {}", outcomes.join(", "))?;
        if let Some(Percentiles { p50, p90, p99, max }) = latency_ms {
            write!(
                f,
                "\nlatency       p50 {p50} ms, p90 {p90} ms, p99 {p99} ms, max {max} ms, from when an order was due"
            )?;
        }
        if let Some(late) = late {
            let percent = *late as f64 * 100.0 / (*scheduled).max(1) as f64;
            write!(f, "\nlate          {late} ({percent:.2} %)")?;
        }
        if let Some(fate) = headquarters {
            write!(f, "\nheadquarters  {fate}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: &str, accepted: bool) -> Outcome {
        Outcome { status: status.to_owned(), accepted }
    }

    fn tally() -> Tally {
        let mut tally =
            Tally { scheduled: 105, sent: 102, saturated: 3, took: Duration::from_millis(12_345), ..Tally::default() };
        tally.late_after = Some(Duration::from_millis(90));
        for milliseconds in (1..=100).rev() {
            tally.add(outcome("published", true), Duration::from_millis(milliseconds));
        }
        tally.add(outcome("Throttled", false), Duration::from_millis(2500));
        tally
    }

    #[test]
    fn the_live_line_says_what_is_under_way() {
        let line = "102 of 105 orders sent: 100 accepted, 1 refused, 1 under way, 3 not sent";
        assert_eq!(tally().line(), line);
    }

    #[test]
    fn the_report_is_for_people_and_for_machines() {
        let fate = Fate { published: 100, fulfilled: 99, duplicates: 0, lost: 1 };
        let report = tally().report(Some(fate));
        insta::assert_snapshot!(format!("{report}\n\n{}", serde_json::to_string_pretty(&report).unwrap()));
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        for (count, expected) in [
            (0, None),
            (1, Some([1.0, 1.0, 1.0, 1.0])),
            (2, Some([1.0, 2.0, 2.0, 2.0])),
            (10, Some([5.0, 9.0, 10.0, 10.0])),
            (1000, Some([500.0, 900.0, 990.0, 1000.0])),
        ] {
            let latencies: Vec<Duration> = (1..=count).map(Duration::from_millis).collect();
            let found = Percentiles::of(&latencies).map(|Percentiles { p50, p90, p99, max }| [p50, p90, p99, max]);
            assert_eq!(found, expected, "{count}");
        }
    }

    #[test]
    fn only_a_run_of_which_nothing_is_missing_is_good() {
        let fate = |lost, duplicates| Some(Fate { published: 1, fulfilled: 1, duplicates, lost });
        for (saturated, accepted, fate, good) in [
            (0, true, None, true),
            (0, true, fate(0, 0), true),
            (0, true, fate(1, 0), false),
            (0, true, fate(0, 1), false),
            (0, false, None, false),
            (1, true, None, false),
        ] {
            let mut tally = Tally { scheduled: 1 + saturated, sent: 1, saturated, ..Tally::default() };
            tally.add(outcome("x", accepted), Duration::ZERO);
            assert_eq!(tally.report(fate).is_good(), good, "{saturated} {accepted}");
        }
    }
}
