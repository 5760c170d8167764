#![allow(clippy::unwrap_used, clippy::expect_used)]
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn one(text: &str) -> Document {
    let mut documents = parse(text).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn first_fault(text: &str) -> String {
    let fault = parse(text).unwrap_err().remove(0);
    format!("{}:{} {}", fault.at.line, fault.at.column, fault.what)
}

#[test]
fn a_quoted_value_ends_with_its_quote() {
    for (written, len) in [
        (r#""one"   # a comment"#, 5),
        (r#""a \" b" # "c""#, 8),
        (r#""\\" # x"#, 4),
        ("'it''s' # ' b", 7),
        ("'' # b", 2),
        (
            r#""é"
# below"#,
            3,
        ),
    ] {
        let document = one(&format!("a: {written}\n'b': 2\n"));
        assert_eq!(document.spots.value(&Pointer::root().key("a")).len, len, "{written}");
        assert_eq!(document.spots.key(&Pointer::root().key("b")).len, 3, "{written}");
    }
}

#[test]
fn marks_keys_and_values() {
    let document = one("a:\n  bé: [x, 10]\n");
    assert_eq!(document.value, json!({ "a": { "bé": ["x", 10] } }));
    let at = document.spots.value(&Pointer::root().key("a").key("bé").index(1));
    assert_eq!((at.line, at.column, at.index, at.len), (2, 11, 13, 2));
    let at = document.spots.value(&Pointer::root().key("a").key("bé"));
    assert_eq!((at.line, at.column), (2, 3), "a list is shown by its key");
    let at = document.spots.value(&Pointer::root().key("a").key("missing"));
    assert_eq!((at.line, at.column), (1, 1), "what is missing is shown by what should hold it");
}

#[test]
fn quoted_scalars_are_text() {
    assert_eq!(one("[\"1\", 'true', 1, true, ~, |-\n]").value[0], json!("1"));
    assert_eq!(one("a: '1'\nb: |\n  true\n").value, json!({ "a": "1", "b": "true\n" }));
}

#[test]
fn all_duplicate_keys_are_reported() {
    let faults = parse("a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n").unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| (fault.at.line, fault.at.column)).collect();
    assert_eq!(places, [(3, 1), (4, 11)]);
}

#[test]
fn aliases_repeat_values_and_marks() {
    let document = one("a: &x { k: [1, 2] }\nb: *x\n");
    assert_eq!(document.value["b"], json!({ "k": [1, 2] }));
    let b = Pointer::root().key("b");
    assert_eq!(document.spots.value(&b).line, 2);
    assert_eq!(document.spots.value(&b.key("k").index(1)).line, 1);
}

#[test]
fn an_alias_bomb_is_refused_before_it_grows() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    assert!(first_fault(&text).contains("more than 10000 values"));
}

#[test]
fn budgets() {
    assert!(first_fault(&"[".repeat(65)).contains("deeper than 64"));
    assert!(first_fault(&"- 1\n".repeat(MAX_NODES + 1)).contains("more than 10000 values"));
    assert!(first_fault(&"--- 1\n".repeat(MAX_DOCUMENTS + 1)).contains("more than 100 documents"));
    assert!(first_fault(&"#".repeat(MAX_BYTES + 1)).contains("larger than 1024 KiB"));
    let long = format!("{}: {{ b: 1 }}", "k".repeat(MAX_PATH_BYTES));
    assert!(parse(&long).is_err());
}

#[test]
fn deep_aliases_count_as_depth() {
    let mut text = String::from("a0: &a0 [1]\n");
    for level in 1..70 {
        text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(first_fault(&text).contains("deeper than 64"));
}

#[test]
fn what_is_ambiguous_is_refused() {
    assert!(first_fault("a: !!str 1\n").contains("tags"));
    assert!(first_fault("a: &a [*a]\n").contains("inside the very node"));
    assert!(first_fault("? [a]\n: 1\n").contains("key must be plain text"));
    assert!(first_fault("a: .nan\n").contains("not-a-number"));
    assert!(first_fault("a: *nowhere\n").contains("not valid YAML"));
}

#[test]
fn documents_without_content_are_left_out() {
    assert_eq!(parse("---\na: 1\n---\n").unwrap().len(), 1);
    assert_eq!(parse("# nothing\n").unwrap().len(), 0);
}

/// Parsers like to be deep or slow where a text repeats itself.
#[test]
fn endless_repetition_is_no_danger() {
    for piece in [
        "[", "{", "- ", "? ", "a: ", "&a ", "*a ", "!a ", "\"", "|\n ", "[a,", "{?", "\t", "a\n", ": ", "---\n",
        ">\n\n",
    ] {
        let _ = parse(&piece.repeat(100_000 / piece.len()));
    }
}

proptest! {
    #[test]
    fn random_text_never_panics(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn random_yaml_like_text_never_panics(text in "[-a:&*!|>%@?{}\\[\\],#'\"\\\\ \t\r\n0.~<=]{0,120}") {
        let _ = parse(&text);
    }

    #[test]
    fn json_is_yaml(numbers in proptest::collection::vec(any::<i64>(), 0..8), text in "[ -~äé\n\t]{0,20}") {
        let value = json!({ "numbers": numbers, "text": text, "flag": true, "none": null });
        prop_assert_eq!(one(&serde_json::to_string(&value).unwrap()).value, value);
    }
}
