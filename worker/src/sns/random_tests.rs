//! Random and mutated input: nothing that a stranger can send panics, and what passes has one reading.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::Envelope;
use super::certificate::{Trust, check, is_certificate_url, issuer_url, parse_pem};
use super::laws::{has_one_reading, leads_to};
use super::signature::string_to_sign;

const ORIGIN: &str = "https://sns.us-west-2.amazonaws.com";
const URL: &str = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";
const PEM: &str = include_str!("../../tests/fixtures/signature-v1.pem");
const BODY: &str = r#"{
  "Type" : "Notification",
  "MessageId" : "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
  "TopicArn" : "arn:aws:sns:us-west-2:123456789012:orderTopic",
  "Subject" : "a \"subject\" \u00e9",
  "Message" : "{\"bundle\": 1}\nMessageId\n",
  "Timestamp" : "2026-11-22T20:00:00.000Z",
  "SignatureVersion" : "2",
  "Signature" : "AAAA",
  "SigningCertURL" : "https://sns.us-west-2.amazonaws.com/x.pem"
}"#;

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// What an attacker does to a good message.
#[derive(Debug, Clone)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let piece = prop_oneof![
        vec(any::<u8>(), 1..8),
        Just(b"\"".to_vec()),
        Just(b"\\n".to_vec()),
        Just(b"\\ud800".to_vec()),
        Just(b"[[[[".to_vec()),
        Just("\u{202e}".as_bytes().to_vec()),
        Just(b"@evil.com/".to_vec()),
        Just(b"\"Type\":\"Notification\",".to_vec()),
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (any::<usize>(), piece).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (any::<usize>(), 1..20_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        (any::<usize>(), 1..60_usize).prop_map(|(at, count)| Mutation::Repeat(at, count)),
    ]
}

fn mutate(good: &str, mutations: &[Mutation]) -> Vec<u8> {
    let mut bytes = good.as_bytes().to_vec();
    for mutation in mutations {
        let (Mutation::Replace(at, _) | Mutation::Insert(at, _) | Mutation::Remove(at, _) | Mutation::Repeat(at, _)) =
            mutation;
        let at = at % (bytes.len() + 1);
        let end = |count: &usize| (at + count).min(bytes.len());
        match mutation {
            Mutation::Replace(_, byte) => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = *byte),
            Mutation::Insert(_, piece) => drop(bytes.splice(at..at, piece.iter().copied())),
            Mutation::Remove(_, count) => drop(bytes.drain(at..end(count))),
            Mutation::Repeat(_, count) => {
                let piece = bytes[at..end(count)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn w32_random_bodies_do_not_panic(bytes in vec(any::<u8>(), 0..2_000), text in "\\PC*") {
        prop_assert!(Envelope::parse(&bytes).is_err());
        prop_assert!(Envelope::parse(text.as_bytes()).is_err());
    }

    #[test]
    fn w13_w32_mutated_bodies_do_not_panic_and_have_one_reading(mutations in vec(mutation(), 0..6)) {
        let bytes = mutate(BODY, &mutations);
        if let Ok(envelope) = Envelope::parse(&bytes) {
            prop_assert!(has_one_reading(&envelope), "{:?}", string_to_sign(&envelope));
        }
    }

    #[test]
    fn w03_w06_mutated_urls_that_pass_lead_to_sns(mutations in vec(mutation(), 0..3)) {
        let bytes = mutate(URL, &mutations);
        if let Ok(url) = std::str::from_utf8(&bytes) {
            prop_assert!(leads_to(url, "sns.us-west-2.amazonaws.com"), "{url:?}");
        }
    }

    #[test]
    fn w08_mutated_certificates_do_not_panic(mutations in vec(mutation(), 0..4), raw in any::<bool>()) {
        let chain = if raw {
            let good = parse_pem(PEM.as_bytes()).unwrap();
            let hex = hex::encode(&good[0]);
            let bytes = mutate(&hex, &mutations);
            let even = &bytes[..bytes.len() / 2 * 2];
            hex::decode(even).ok().map(|der| vec![der.into()])
        } else {
            parse_pem(&mutate(PEM, &mutations))
        };
        if let Some(chain) = chain {
            let now = "2026-11-22T22:00:00Z".parse().unwrap();
            let _ = issuer_url(&chain[0]);
            let _ = check(&chain, Trust::Loopback, now);
            let trust = Trust::Chain { anchors: webpki_roots::TLS_SERVER_ROOTS, host: "sns.us-west-2.amazonaws.com" };
            prop_assert!(check(&chain, trust, now).is_err(), "no chain to a root");
        }
    }
}

#[test]
fn what_is_mutated_is_good() {
    assert!(has_one_reading(&Envelope::parse(BODY.as_bytes()).unwrap()));
    assert!(is_certificate_url(URL, ORIGIN));
    assert!(parse_pem(PEM.as_bytes()).is_some());
}
