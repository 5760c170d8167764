//! What names of Application Auto Scaling and CloudWatch may look like (AWS: API references, botocore models).

/// What stands before the name of a policy or an action in AWS.
pub(super) const PREFIX: &str = "interstella.";
/// Longest name of a policy or a scheduled action, without [`PREFIX`].
const MAX_NAME: usize = 256 - PREFIX.len();

/// Policy: AWS allows 1–256 of `\p{Print}`; that this means ASCII is unverified.
pub(super) fn policy_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && text.trim() == text
}
/// What to say about a text that is not a [`policy_name`].
pub(super) const POLICY_NAME: &str = "use 1 to 244 printable ASCII characters, no spaces at the ends";

/// Scheduled action: 1–256, no control characters, none of `:/|`, no spaces at the ends.
pub(super) fn action_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.chars().count())
        && !text.chars().any(|c| c.is_control() || ":/|".contains(c))
        && text.trim() == text
}
/// What to say about a text that is not an [`action_name`].
pub(super) const ACTION_NAME: &str = "use 1 to 244 characters, none of `:/|`, no spaces at the ends";

/// Namespace of metrics: 1–255, not starting `:`.
pub(super) fn namespace(text: &str) -> bool {
    metric_name(text) && !text.starts_with(':')
}
/// What to say about a text that is not a [`namespace`].
pub(super) const NAMESPACE: &str = "use 1 to 255 characters, not starting `:`, such as AWS/SQS";

/// Name of a metric: 1–255 without control characters.
pub(super) fn metric_name(text: &str) -> bool {
    (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}
/// What to say about a text that is not a [`metric_name`].
pub(super) const METRIC_NAME: &str = "use 1 to 255 characters, such as ApproximateNumberOfMessagesVisible";

/// Name of a dimension: 1–255 of ASCII, not all of it spaces, not starting `:`.
pub(super) fn dimension_name(text: &str) -> bool {
    ascii_words(text, 255) && !text.starts_with(':')
}
/// What to say about a text that is not a [`dimension_name`].
pub(super) const DIMENSION_NAME: &str = "use 1 to 255 ASCII characters, not starting `:`, such as QueueName";

/// Value of a dimension: 1–1024 of ASCII, not all of it spaces.
pub(super) fn dimension_value(text: &str) -> bool {
    ascii_words(text, 1024)
}
/// What to say about a text that is not a [`dimension_value`].
pub(super) const DIMENSION_VALUE: &str = "use 1 to 1024 ASCII characters";

fn ascii_words(text: &str, most: usize) -> bool {
    text.len() <= most && !text.trim().is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// Identifier of a query in metric math: a lower-case letter, then letters, digits and `_`; 1–255.
pub(super) fn query_id(text: &str) -> bool {
    text.len() <= 255
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
/// What to say about a text that is not a [`query_id`].
pub(super) const QUERY_ID: &str = "start it with a lower-case letter; go on with letters, digits and `_`";

/// Statistic: one of the five, a percentile, or one of the trimmed ones (AWS: CloudWatch statistics definitions).
pub(super) fn statistic(text: &str) -> bool {
    if ["Average", "Minimum", "Maximum", "SampleCount", "Sum", "IQM"].contains(&text) {
        return true;
    }
    ["p", "tm", "wm", "tc", "ts"].iter().any(|kind| text.strip_prefix(kind).is_some_and(percentile))
        || ["TM", "WM", "TC", "TS", "PR"].iter().any(|kind| text.strip_prefix(kind).is_some_and(interval))
}
/// What to say about a text that is not a [`statistic`].
pub(super) const STATISTIC: &str =
    "use Average, Minimum, Maximum, SampleCount, Sum, or a percentile such as p99 or a trimmed mean such as tm90";

/// A number from 0 to 100 with up to ten decimals.
fn percentile(text: &str) -> bool {
    decimal(text) && text.parse().is_ok_and(|number: f64| number <= 100.0)
}

/// `(from:to)` of numbers or percentages, of which one may be absent.
fn interval(text: &str) -> bool {
    let Some((from, to)) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')?.split_once(':')) else {
        return false;
    };
    let end = |text: &str| text.is_empty() || decimal(text.strip_suffix('%').unwrap_or(text));
    !(from.is_empty() && to.is_empty()) && end(from) && end(to)
}

fn decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.len() <= 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

/// Unit (AWS: CloudWatch StandardUnit).
pub(super) fn unit(text: &str) -> bool {
    const SIZES: [&str; 10] = [
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
    ];
    let countable = text.strip_suffix("/Second").unwrap_or(text);
    SIZES.contains(&countable)
        || countable == "Count"
        || ["Seconds", "Microseconds", "Milliseconds", "Percent", "None"].contains(&text)
}
/// What to say about a text that is not a [`unit`].
pub(super) const UNIT: &str = "use a unit of CloudWatch such as Count, Percent, Seconds, Bytes or Count/Second";

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rule: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(rule(text), "{text:?} should be accepted");
        }
        for text in bad {
            assert!(!rule(text), "{text:?} should be refused");
        }
    }

    #[test]
    fn names() {
        let (n244, n245, n255, n256) = ("a".repeat(244), "a".repeat(245), "a".repeat(255), "a".repeat(256));
        table(policy_name, &["a", "out on CPU", "a:b/c|d", &n244], &["", " a", "a ", "ä", "a\nb", &n245]);
        table(action_name, &["a", "ä", "every morning", &n244], &["", " a", "a:b", "a/b", "a|b", "a\u{85}", &n245]);
        table(namespace, &["AWS/SQS", "Orders", "a:b", &n255], &["", ":a", "a\n", &n256]);
        table(dimension_name, &["QueueName", "a b"], &["", " ", ":a", "ä"]);
        table(dimension_value, &["orders", ":a"], &["", " ", "a\t"]);
        table(query_id, &["m1", "a_B9"], &["", "M1", "1m", "_a", "a-b"]);
    }

    #[test]
    fn statistics_and_units() {
        table(
            statistic,
            &["Average", "SampleCount", "p99", "p99.9", "p0", "tm90", "IQM", "TM(2%:98%)", "PR(:300)", "WM(10:)"],
            &["", "average", "p", "p101", "p-1", "p9.", "PR(:)", "PR(1)", "TM(a:b)", "TM(1:2", "Median", "pinf"],
        );
        table(unit, &["Count", "Bytes/Second", "None", "Percent"], &["", "count", "Percent/Second", "None/Second"]);
    }
}
