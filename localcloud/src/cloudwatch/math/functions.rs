//! The functions of metric math.

use super::{Expression, Scope, Term, Values};

/// What a function comes to.
pub(super) fn call(scope: &mut Scope, name: &str, arguments: &[Expression]) -> Result<Term, String> {
    match (name, arguments) {
        ("METRICS", []) => Ok(metrics(scope, "")),
        ("METRICS", [Expression::Text(part)]) => Ok(metrics(scope, part)),
        ("SUM", [of]) => reduce(scope.term(of)?, |values| values.iter().sum()),
        ("AVG", [of]) => reduce(scope.term(of)?, |values| values.iter().sum::<f64>() / count(values)),
        ("MIN", [of]) => reduce(scope.term(of)?, |values| values.iter().copied().fold(f64::INFINITY, f64::min)),
        ("MAX", [of]) => reduce(scope.term(of)?, |values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        ("CEIL", [of]) => Ok(each(scope.term(of)?, f64::ceil)),
        ("FLOOR", [of]) => Ok(each(scope.term(of)?, f64::floor)),
        ("ABS", [of]) => Ok(each(scope.term(of)?, f64::abs)),
        ("DIFF", [of]) => Ok(by_series(scope.term(of)?, |values| changes(values, 1.0, 1))),
        ("RATE", [of]) => {
            let seconds = f64::from(scope.period_seconds);
            Ok(by_series(scope.term(of)?, |values| changes(values, seconds, values.len())))
        }
        ("PERIOD", [of]) => scope.term(of).map(|_| Term::Number(f64::from(scope.period_seconds))),
        ("FILL", [of, with]) => fill(scope, of, with),
        ("IF", [condition, yes]) => choose(scope, condition, yes, None),
        ("IF", [condition, yes, no]) => choose(scope, condition, yes, Some(no)),
        (
            "METRICS" | "SUM" | "AVG" | "MIN" | "MAX" | "CEIL" | "FLOOR" | "ABS" | "DIFF" | "RATE" | "PERIOD" | "FILL"
            | "IF",
            _,
        ) => Err(format!("{name} does not take these {} arguments", arguments.len())),
        _ => Err(format!("the local cloud does not know the function {name}")),
    }
}

/// The series of every metric whose identifier has `part` in it.
fn metrics(scope: &Scope, part: &str) -> Term {
    let chosen = scope.metrics.iter().filter(|(id, _)| id.contains(part));
    Term::Several(chosen.map(|(_, values)| values.clone()).collect())
}

/// Of several series one, period by period; of one series a number, over all its periods.
fn reduce(of: Term, all: impl Fn(&[f64]) -> f64) -> Result<Term, String> {
    let over = |values: Vec<f64>| if values.is_empty() { None } else { Some(all(&values)) };
    match of {
        Term::Number(number) => Ok(Term::Number(number)),
        Term::Series(values) => over(values.into_iter().flatten().collect())
            .map(Term::Number)
            .ok_or_else(|| "a series has no values".to_owned()),
        Term::Several(several) => {
            let periods = several.first().map_or(0, Vec::len);
            let at =
                |index: usize| over(several.iter().filter_map(|values| values.get(index).copied().flatten()).collect());
            Ok(Term::Series((0..periods).map(at).collect()))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a request has far fewer than 2^52 series")]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

fn each(of: Term, apply: impl Fn(f64) -> f64 + Copy) -> Term {
    match of {
        Term::Number(number) => Term::Number(apply(number)),
        series => by_series(series, |values| values.iter().map(|value| value.map(apply)).collect()),
    }
}

fn by_series(of: Term, apply: impl Fn(&Values) -> Values) -> Term {
    match of {
        Term::Number(_) => Term::Number(0.0),
        Term::Series(values) => Term::Series(apply(&values)),
        Term::Several(several) => Term::Several(several.iter().map(apply).collect()),
    }
}

/// How much each value differs from the one before it, which may be up to `reach` periods back, per `seconds` of that distance.
fn changes(values: &Values, seconds: f64, reach: usize) -> Values {
    let mut before: Option<(usize, f64)> = None;
    let mut changed = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let near = before.filter(|(at, _)| index - at <= reach);
        changed.push(value.zip(near).map(|(value, (at, earlier))| {
            let periods = u32::try_from(index - at).unwrap_or(u32::MAX);
            (value - earlier) / (seconds * f64::from(periods))
        }));
        before = value.map(|value| (index, value)).or(before);
    }
    changed
}

/// Gives periods without a value one: a number, another series' value, or the last value there was.
fn fill(scope: &mut Scope, of: &Expression, with: &Expression) -> Result<Term, String> {
    let of = scope.term(of)?;
    if *with == Expression::Name("REPEAT".to_owned()) {
        return Ok(by_series(of, |values| {
            let repeated = values.iter().scan(None, |last, value| {
                *last = value.or(*last);
                Some(*last)
            });
            repeated.collect()
        }));
    }
    if *with == Expression::Name("LINEAR".to_owned()) {
        return Err("the local cloud does not know FILL with LINEAR; it knows numbers, series and REPEAT".to_owned());
    }
    let with = scope.term(with)?;
    let with = scope.spread(with);
    Ok(by_series(of, |values| values.iter().zip(&with).map(|(value, with)| value.or(*with)).collect()))
}

/// Where the condition is not zero the one, elsewhere the other. A period without a condition has no value.
fn choose(
    scope: &mut Scope,
    condition: &Expression,
    yes: &Expression,
    no: Option<&Expression>,
) -> Result<Term, String> {
    let condition = scope.term(condition)?;
    let yes = scope.term(yes)?;
    let no = no.map(|no| scope.term(no)).transpose()?;
    if let (Term::Number(condition), Term::Number(yes), Some(Term::Number(no))) = (&condition, &yes, &no) {
        return Ok(Term::Number(if *condition == 0.0 { *no } else { *yes }));
    }
    let no = no.map_or_else(|| vec![None; scope.count], |no| scope.spread(no));
    let (condition, yes) = (scope.spread(condition), scope.spread(yes));
    let chosen = condition.iter().zip(yes.iter().zip(&no));
    Ok(Term::Series(
        chosen
            .map(|(condition, (yes, no))| condition.and_then(|truth| if truth == 0.0 { *no } else { *yes }))
            .collect(),
    ))
}
