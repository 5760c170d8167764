//! The text of a file with secrets blotted out, character for character, so that places stay where they are.

use serde_json::Value;

use crate::manifest::pointer::Pointer;
use crate::manifest::validate::secrecy::{is_reference, is_secret_name};
use crate::manifest::yaml::Document;

const BLOT: char = '*';

/// Blots out the values that look like secrets in documents that could be parsed.
pub(super) fn values(text: &str, documents: &[Document]) -> String {
    let mut secret = Vec::new();
    for document in documents {
        for (pointer, spot) in document.spots.iter() {
            let value = document.value.pointer(pointer.as_str());
            if spot.scalar && value.is_some_and(|value| hides(&document.value, pointer, value)) {
                secret.push(spot.value.index..spot.value.index + spot.value.len);
            }
        }
    }
    secret.sort_by_key(|range| range.start);
    blot_ranges(text, &secret)
}

/// Under `secrets` stand references: whatever is none may be the secret itself. Elsewhere the name tells: a key, or the
/// `name` beside a `value` in one of ECS's lists.
fn hides(document: &Value, pointer: &Pointer, value: &Value) -> bool {
    let segments: Vec<String> = pointer.segments().collect();
    if let Some((_, above)) = segments.split_last()
        && above.iter().rev().take(2).any(|segment| segment.eq_ignore_ascii_case("secrets"))
    {
        return !value.as_str().is_some_and(is_reference);
    }
    segments.iter().any(|segment| is_secret_name(segment)) || is_listed_secret(document, pointer)
}

fn is_listed_secret(document: &Value, pointer: &Pointer) -> bool {
    let Some((parent, key)) = pointer.as_str().rsplit_once('/') else { return false };
    let entries = document.pointer(parent).and_then(Value::as_object);
    let name = entries.and_then(|entries| entries.iter().find(|(key, _)| key.eq_ignore_ascii_case("name")));
    let named = name.and_then(|(_, name)| name.as_str()).is_some_and(is_secret_name);
    named && !key.eq_ignore_ascii_case("name")
}

fn blot_ranges(text: &str, secret: &[std::ops::Range<usize>]) -> String {
    let mut rest = secret.iter().peekable();
    let blot = |(index, c): (usize, char)| {
        while rest.next_if(|range| range.end <= index).is_some() {}
        let hidden = rest.peek().is_some_and(|range| range.contains(&index));
        if hidden && !c.is_control() { BLOT } else { c }
    };
    text.chars().enumerate().map(blot).collect()
}

/// Blots out whatever follows a secret-looking name, and the deeper lines under it. For text that could not be parsed:
/// rather too much than too little.
pub(super) fn lines(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut under: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        if under.is_some_and(|above| indent > above || line.trim().is_empty()) {
            masked.extend(line.chars().map(blot));
            continue;
        }
        under = None;
        match secret_start(line) {
            Some(start) => {
                under = Some(indent);
                masked.push_str(&line[..start]);
                masked.extend(line[start..].chars().map(blot));
            }
            None => masked.push_str(line),
        }
    }
    masked
}

fn blot(c: char) -> char {
    if c.is_whitespace() || c.is_control() { c } else { BLOT }
}

/// Byte after the colon of the first secret-looking key of a line.
fn secret_start(line: &str) -> Option<usize> {
    line.match_indices(':').map(|(at, _)| at).find_map(|at| {
        let key = line[..at].trim_end().trim_end_matches(['"', '\'']);
        let name = key.rsplit(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c)).next()?;
        // In a list the name is on another line, so every `value` may be the secret.
        (is_secret_name(name) || name.eq_ignore_ascii_case("value")).then_some(at + 1)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::manifest::yaml::parse;

    #[test]
    fn values_of_parsed_text() {
        let text = "a:\n  environment: { DB_PASSWORD: hünter2, OTHER: x }\n  secrets: { API_KEY: /a/b, B: \"1=2\"}\n";
        let masked = values(text, &parse(text).unwrap());
        assert_eq!(masked, text.replace("hünter2", "*******").replace("\"1=2\"", "*****"));
    }

    #[test]
    fn values_of_lists() {
        let text = "environment: [{name: DB_PASSWORD, value: hunter2}, {name: A, value: plain}]\n\
                    secrets: [{name: B, valueFrom: 'hunter2 3'}, {name: C, valueFrom: /a/b}]\n\
                    Secrets: [{Name: B, ValueFrom: 'hunter2 3'}]\n";
        let masked = values(text, &parse(text).unwrap());
        assert_eq!(masked, text.replace("hunter2}", "*******}").replace("'hunter2 3'", "***********"));
        let broken = lines("- name: DB_PASSWORD\n  value: hunter2\n- [\n");
        assert!(!broken.contains("hunter2") && broken.contains("DB_PASSWORD"), "{broken}");
    }

    #[test]
    fn lines_of_broken_text() {
        let text = "environment:\n  \"API_KEY\": hunter2 x\n  DB_TOKEN: |\n    hunter3\n  B: 1\n {TOKEN: hunter4\n";
        let masked = lines(text);
        assert!(!masked.contains("hunter"), "{masked}");
        assert!(masked.contains("B: 1"));
        assert_eq!(masked.chars().count(), text.chars().count());
    }
}
