//! When a CloudWatch alarm is in which state: M breaching values out of N, and what a missing value counts as.
//!
//! AWS: CloudWatch user guide, "Evaluating an alarm" and "How alarm state is evaluated when data is missing".

use jiff::Timestamp;

use crate::series::Point;

/// Periods that are looked at beyond the evaluation periods. AWS: five for an alarm of three; for others the number is not documented.
const FURTHER_PERIODS: u32 = 2;

/// What an alarm compares, and how often a value has to breach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// How a value is compared with the threshold.
    pub comparison: Comparison,
    /// In the metric's unit.
    pub threshold: f64,
    /// N: how many values decide; from 1.
    pub evaluation_periods: u32,
    /// M: how many of them have to breach; from 1 to N.
    pub datapoints_to_alarm: u32,
    /// What a missing value counts as.
    pub missing: Missing,
}

/// How an alarm compares a value with its threshold (AWS: ComparisonOperator).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// At or above it.
    GreaterThanOrEqualToThreshold,
    /// Above it.
    GreaterThanThreshold,
    /// Below it.
    LessThanThreshold,
    /// At or below it.
    LessThanOrEqualToThreshold,
}

impl Comparison {
    /// Whether `value` breaches `threshold`.
    #[must_use]
    pub fn is_breached(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }

    /// As the reason of a state says it.
    fn words(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "greater than or equal to",
            Self::GreaterThanThreshold => "greater than",
            Self::LessThanThreshold => "less than",
            Self::LessThanOrEqualToThreshold => "less than or equal to",
        }
    }
}

/// What a missing value counts as (AWS: TreatMissingData).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    /// As nothing.
    #[default]
    Missing,
    /// The alarm keeps its state.
    Ignore,
    /// As a breach.
    Breaching,
    /// As no breach.
    NotBreaching,
}

/// The state of an alarm (AWS: StateValue).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The threshold holds.
    Ok,
    /// It is breached.
    Alarm,
    /// Too little is known, as after the alarm was made.
    #[default]
    InsufficientData,
}

impl State {
    /// AWS's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// What an evaluation came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The state from now on.
    pub state: State,
    /// Why, in CloudWatch's words.
    pub reason: String,
    /// The values that decided, oldest first, at most N of them.
    pub datapoints: Vec<(Timestamp, f64)>,
}

impl Rule {
    /// How many of the newest periods an evaluation looks at: more than N, so that late values do not count as missing at once.
    #[must_use]
    pub fn evaluation_range(&self) -> u32 {
        self.evaluation_periods.saturating_add(FURTHER_PERIODS)
    }

    /// Evaluates the alarm over the values of its evaluation range, oldest first. `before` is its state so far.
    #[must_use]
    pub fn evaluate(&self, range: &[Point], before: State) -> Evaluation {
        let real: Vec<(Timestamp, f64)> = range.iter().filter_map(|point| Some((point.at, point.value?))).collect();
        let decisive = real[real.len().saturating_sub(self.evaluation_periods as usize)..].to_vec();
        let state = self.state(range, &decisive, before);
        let reason = self.reason(state, &decisive);
        Evaluation { state, reason, datapoints: decisive }
    }

    fn breaches(&self, value: f64) -> bool {
        self.comparison.is_breached(value, self.threshold)
    }

    fn state(&self, range: &[Point], decisive: &[(Timestamp, f64)], before: State) -> State {
        let breaching = decisive.iter().filter(|(_, value)| self.breaches(*value)).count();
        let needed = self.datapoints_to_alarm as usize;
        let lacking = (self.evaluation_periods as usize).saturating_sub(decisive.len());
        let counted = if self.missing == Missing::Breaching { breaching + lacking } else { breaching };
        if counted >= needed {
            return State::Alarm;
        }
        let enough = lacking == 0 || breaching < decisive.len();
        match self.missing {
            Missing::Breaching | Missing::NotBreaching => State::Ok,
            Missing::Missing | Missing::Ignore if enough => State::Ok,
            Missing::Ignore => before,
            // Nothing contradicts the breach, and it is old enough that M values would have been there by now.
            Missing::Missing if self.oldest_breach(range).is_some_and(|periods| periods >= needed) => State::Alarm,
            Missing::Missing => State::InsufficientData,
        }
    }

    /// How many periods ago the oldest breach of the range was, counting the newest period as 1.
    fn oldest_breach(&self, range: &[Point]) -> Option<usize> {
        let index = range.iter().position(|point| point.value.is_some_and(|value| self.breaches(value)))?;
        Some(range.len() - index)
    }

    /// The words that CloudWatch puts into `StateReason`.
    fn reason(&self, state: State, decisive: &[(Timestamp, f64)]) -> String {
        if state == State::InsufficientData {
            let unknown = self.evaluation_periods as usize - decisive.len().min(self.evaluation_periods as usize);
            let (datapoints, were) = if unknown == 1 { ("datapoint", "was") } else { ("datapoints", "were") };
            return format!("Insufficient Data: {unknown} {datapoints} {were} unknown.");
        }
        let holds = state == State::Alarm;
        let telling: Vec<_> = decisive.iter().filter(|(_, value)| self.breaches(*value) == holds).collect();
        let shown: Vec<String> =
            telling.iter().map(|(at, value)| format!("{value:?} ({})", at.strftime("%d/%m/%y %H:%M:%S"))).collect();
        let were = if telling.len() == 1 { "was" } else { "were" };
        let not = if holds { "" } else { "not " };
        let (minimum, transition) = if holds {
            (self.datapoints_to_alarm, "OK -> ALARM")
        } else {
            (self.evaluation_periods - self.datapoints_to_alarm + 1, "ALARM -> OK")
        };
        let datapoints = if minimum == 1 { "datapoint" } else { "datapoints" };
        format!(
            "Threshold Crossed: {} out of the last {} datapoints [{}] {were} {not}{} the threshold ({:?}) (minimum {minimum} {datapoints} for {transition} transition).",
            telling.len(),
            self.evaluation_periods,
            shown.join(", "),
            self.comparison.words(),
            self.threshold,
        )
    }
}

#[cfg(test)]
mod tests;
