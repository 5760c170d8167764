//! What a plain scalar means: YAML 1.2's core schema (chapter 10.3.2), as JSON.

use serde_json::{Number, Value};

/// The JSON value of a plain (unquoted) scalar; `Err` says what JSON cannot hold.
pub(super) fn resolve(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err("infinity and not-a-number are no values here");
    }
    if let Some(digits) = text.strip_prefix("0o").filter(|digits| is_all(digits, |c| c.is_digit(8))) {
        return integer(u64::from_str_radix(digits, 8).ok().map(Number::from));
    }
    if let Some(digits) = text.strip_prefix("0x").filter(|digits| is_all(digits, |c| c.is_ascii_hexdigit())) {
        return integer(u64::from_str_radix(digits, 16).ok().map(Number::from));
    }
    if is_all(unsigned, |c| c.is_ascii_digit()) {
        return integer(decimal(text));
    }
    if is_float(unsigned) {
        return float(text);
    }
    Ok(Value::String(text.to_owned()))
}

fn is_all(text: &str, test: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(test)
}

fn integer(number: Option<Number>) -> Result<Value, &'static str> {
    number.map(Value::Number).ok_or("the number has more than 64 bits")
}

fn decimal(text: &str) -> Option<Number> {
    let text = text.strip_prefix('+').unwrap_or(text);
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}

/// `[0-9]*(\.[0-9]*)?([eE][-+]?[0-9]+)?` with at least one digit before the exponent.
fn is_float(unsigned: &str) -> bool {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| is_all(exponent, |c| c.is_ascii_digit()))
}

/// A whole number stays one however it is written, because JSON Schema counts `5.0` among the integers.
fn float(text: &str) -> Result<Value, &'static str> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = text.parse().map_err(|_| "the number cannot be read")?;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and within 2^53, so the conversion is exact")]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or("the number is too large")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn the_core_schema() {
        for (text, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("null", Value::Null),
            ("True", json!(true)),
            ("yes", json!("yes")),
            ("no", json!("no")),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("012", json!(12)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("5.0", json!(5)),
            ("1e3", json!(1000)),
            ("1_000", json!("1_000")),
            ("1.2.3", json!("1.2.3")),
            ("e3", json!("e3")),
            (".", json!(".")),
            ("-", json!("-")),
            ("0x", json!("0x")),
        ] {
            assert_eq!(resolve(text).unwrap(), value, "{text:?}");
        }
    }

    #[test]
    fn numbers_that_json_cannot_hold_are_refused() {
        for text in [".nan", "-.inf", ".INF", "99999999999999999999", "0xffffffffffffffffff", "1e999"] {
            assert!(resolve(text).is_err(), "{text}");
        }
    }
}
