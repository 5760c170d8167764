//! Rule conditions against requests.

use crate::elb::{Condition, Field};

/// Whether all conditions hold for the request. `host` comes without its port and in lower case, `path` as it was sent.
pub(super) fn all_hold(conditions: &[Condition], host: &str, path: &str) -> bool {
    conditions.iter().all(|condition| {
        let mut patterns = condition.patterns.iter();
        match condition.field {
            Field::Host => patterns.any(|pattern| matches(&pattern.to_lowercase(), host)),
            Field::Path => patterns.any(|pattern| matches(pattern, path)),
        }
    })
}

/// Whether the whole text matches: `*` stands for any bytes, `?` for one. Linear in the text for each star.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where to go on if what follows the last star does not fit: let the star take one byte more.
    let mut last_star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                last_star = Some((at_pattern + 1, at_text));
                at_pattern += 1;
            }
            Some(byte) if *byte == b'?' || text.get(at_text) == Some(byte) => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((after_star, taken)) = last_star else { return false };
                last_star = Some((after_star, taken + 1));
                at_pattern = after_star;
                at_text = taken + 1;
            }
        }
    }
    pattern.iter().skip(at_pattern).all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text) in [
            ("/order/", "/order/"),
            ("/*", "/"),
            ("*", ""),
            ("/a*b*c", "/aXbYbZc"),
            ("/?", "/x"),
            ("**", "x"),
            ("*.js", "/a/b.js"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("/order", "/order/"), ("/?", "/"), ("/a*c", "/ab"), ("", "x"), ("/Order/", "/order/")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn hosts_match_whatever_their_case_and_all_conditions_must_hold() {
        let host = Condition { field: Field::Host, patterns: vec!["*.Example.com".to_owned()] };
        let path = Condition { field: Field::Path, patterns: vec!["/a".to_owned(), "/b".to_owned()] };
        assert!(all_hold(&[host.clone(), path.clone()], "www.example.com", "/b"));
        assert!(!all_hold(&[host, path], "www.example.com", "/c"));
    }
}
