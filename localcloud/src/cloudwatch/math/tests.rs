#![allow(clippy::unwrap_used)]
use super::*;

/// The series of an expression over `m1`, `m2` and `other`, a minute to a period.
fn evaluated(text: &str) -> String {
    let series = |drawing: &str| -> Values { drawing.split(' ').map(|value| value.parse().ok()).collect() };
    let mut scope = Scope { period_seconds: 60, count: 4, ..Scope::default() };
    for (id, drawing) in [("m1", "1 2 - 4"), ("m2", "10 - 30 40"), ("other", "- - - -")] {
        scope.metrics.insert(id.to_owned(), series(drawing));
    }
    let expression = match Expression::parse(text) {
        Ok(expression) => expression,
        Err(error) => return format!("parse: {error}"),
    };
    scope.expressions.insert("e1".to_owned(), expression);
    match scope.series("e1") {
        Err(error) => error,
        Ok(values) => {
            let shown = values.iter().map(|value| value.map_or("-".to_owned(), |value| value.to_string()));
            shown.collect::<Vec<_>>().join(" ")
        }
    }
}

#[test]
fn expressions_and_what_they_come_to() {
    let cases = [
        ("m1", "1 2 - 4"),
        ("m1 + m2 * 2", "21 - - 84"),
        ("(m1 + m2) * 2", "22 - - 88"),
        ("-m1 ^ 2", "-1 -4 - -16"),
        ("m1 / 0", "- - - -"),
        ("1.5e1 * m1", "15 30 - 60"),
        ("m1 - 1 - 1", "-1 0 - 2"),
        ("m1 >= 2 AND m1 < 4", "0 1 - 0"),
        ("m1 == 1 || m1 == 4", "1 0 - 1"),
        ("SUM(METRICS())", "11 2 30 44"),
        ("SUM(METRICS(\"m\"))", "11 2 30 44"),
        ("AVG([m1, m2])", "5.5 2 30 22"),
        ("MAX([m1, m2, 3])", "10 3 30 40"),
        ("MIN(METRICS('m'))", "1 2 30 4"),
        ("m2 / MAX(m1)", "2.5 - 7.5 10"),
        ("FILL(m1, 0)", "1 2 0 4"),
        ("FILL(m1, REPEAT)", "1 2 2 4"),
        ("FILL(m1, m2)", "1 2 30 4"),
        ("FILL(other, 0)", "0 0 0 0"),
        ("IF(m1 > 1, m2, 0)", "0 - - 40"),
        ("IF(m1 > 1, 7)", "- 7 - 7"),
        ("CEIL(m1 / 3) + FLOOR(m1 / 3)", "1 1 - 3"),
        ("ABS(0 - m1)", "1 2 - 4"),
        ("DIFF(m2)", "- - - 10"),
        ("RATE(m2)", "- - 0.16666666666666666 0.16666666666666666"),
        ("m1 / PERIOD(m1)", "0.016666666666666666 0.03333333333333333 - 0.06666666666666667"),
    ];
    for (text, wanted) in cases {
        assert_eq!(evaluated(text), wanted, "{text}");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let cases = [
        ("ANOMALY_DETECTION_BAND(m1)", "the local cloud does not know the function ANOMALY_DETECTION_BAND"),
        ("SUM(m1, m2)", "SUM does not take these 2 arguments"),
        ("m3 + 1", "'m3' is no other query's id"),
        ("e1 + 1", "'e1' is no other query's id"),
        ("SUM(m1)", "the result must be a time series, and is a number"),
        ("METRICS()", "the result must be one time series, and is several"),
        ("SUM(other) + m1", "a series has no values"),
        ("FILL(m1, LINEAR)", "the local cloud does not know FILL with LINEAR; it knows numbers, series and REPEAT"),
        ("m1 +", "parse: it ends where a value should stand"),
        ("(m1", "parse: a parenthesis that does not end"),
        ("SUM(m1", "parse: ')' or ',' is missing"),
        ("m1 m2", "parse: m2 is one too many"),
        ("m1 % 2", "parse: '%' has no meaning"),
        ("1.2.3", "parse: 1.2.3 is no number"),
        ("\"m1", "parse: a quote that does not end"),
        ("* m1", "parse: '*' stands where a value should"),
        ("m1 + 'ä'", "\"ä\" stands where a value should"),
    ];
    for (text, wanted) in cases {
        assert_eq!(evaluated(text), wanted, "{text}");
    }
    for deep in ["(".repeat(100_000), "-".repeat(100_000), "SUM(".repeat(100_000), "2^".repeat(100_000)] {
        assert_eq!(evaluated(&deep), "parse: more than 64 levels");
    }
}

#[test]
fn expressions_name_each_other_and_each_is_evaluated_once() {
    let mut scope = Scope { period_seconds: 60, count: 1, ..Scope::default() };
    scope.metrics.insert("e0".to_owned(), vec![Some(1.0)]);
    for index in 1..=60 {
        let text = format!("e{} + e{}", index - 1, index - 1);
        scope.expressions.insert(format!("e{index}"), Expression::parse(&text).unwrap());
    }
    assert_eq!(scope.series("e60"), Ok(vec![Some(2_f64.powi(60))]));
}
