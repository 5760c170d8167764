//! What an order says, and the identity under which it has one effect.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use serde::Deserialize;
use uuid::{Builder, Uuid};

use crate::ledger::Fingerprint;

/// Orders are identified within this namespace.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f1d_7a52_2c0e_4f7b_9c55_1e57_e11a_8888);
/// The largest order; a bigger number is a mistake.
const MAX_BUNDLES: u32 = 1000;

/// An order as the topic publishes it: `{"bundle": 1}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Order {
    bundle: u32,
}

impl Order {
    /// Reads an order. The error says what is wrong in our words.
    pub(crate) fn parse(text: &str) -> Result<Order, &'static str> {
        let order: Order =
            serde_json::from_str(text).map_err(|_| "the message is not an order like {\"bundle\": 1}")?;
        if (1..=MAX_BUNDLES).contains(&order.bundle) {
            Ok(order)
        } else {
            Err("the number of bundles is not between 1 and 1000")
        }
    }

    /// The fingerprint of the order in its one canonical form.
    pub(crate) fn fingerprint(self) -> Fingerprint {
        Fingerprint::of(&format!("{{\"bundle\":{}}}", self.bundle))
    }

    /// The request to the fulfilment API: `{"iridium":1,"magnesite":1}`.
    pub(crate) fn body(self) -> String {
        format!("{{\"iridium\":{0},\"magnesite\":{0}}}", self.bundle)
    }
}

/// The idempotency key of a message: every delivery of it, on every replica, has the same. It is the version 5 UUID of
/// `TOPIC|MESSAGE` in the namespace, made with the processor's own SHA-1.
pub(crate) fn key(topic_arn: &str, message_id: &str) -> Uuid {
    let mut sha1 = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for part in [NAMESPACE.as_bytes(), topic_arn.as_bytes(), b"|", message_id.as_bytes()] {
        sha1.update(part);
    }
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(sha1.finish().as_ref()).for_each(|(byte, digest)| *byte = *digest);
    Builder::from_sha1_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orders_are_orders() {
        let order = Order::parse(" {\"bundle\" : 1}").unwrap();
        assert_eq!(order.body(), "{\"iridium\":1,\"magnesite\":1}");
        assert_eq!(order.fingerprint(), Order::parse("{\"bundle\":1}").unwrap().fingerprint());
        for text in ["", "1", "[]", "{}", "{\"bundle\":0}", "{\"bundle\":-1}", "{\"bundle\":1e308}", "{\"bundle\":1.5}"]
        {
            assert!(Order::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn keys_differ_by_topic_and_message() {
        let id = "165545c9-2a5c-472c-8df2-7ff2be2b3b1b";
        assert_eq!(key("a", id), Uuid::new_v5(&NAMESPACE, format!("a|{id}").as_bytes()));
        assert_ne!(key("a", id), key("b", id));
    }
}
