//! How long anything may take. The defaults are the product's; a test may shorten them, and must not lengthen them.

use std::time::Duration;

/// Times that bound what a peer can hold and how long SNS waits (it gives up after 15 seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From a connection's start to its first byte.
    pub first_byte: Duration,
    /// From a head's first byte to its last.
    pub head: Duration,
    /// From an answer to the next request. Longer than a load balancer keeps an idle connection (60 s), so that it
    /// closes first and never meets our close.
    pub idle: Duration,
    /// For a whole body.
    pub body: Duration,
    /// For one signing certificate.
    pub certificate: Duration,
    /// For the confirmation of a subscription.
    pub confirmation: Duration,
    /// From an order's arrival until its call, where orders wait for their turn; gathering is part of it. The ledger
    /// and one attempt then still fit into SNS's 15 seconds. A call that has to be repeated does not: SNS delivers that
    /// order again, to be told that it is being worked on.
    pub begin: Duration,
    /// For one attempt at the fulfilment API.
    pub attempt: Duration,
    /// For a call with its repetition. With gathering and the ledger it stays under SNS's 15 seconds.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(5),
            idle: Duration::from_secs(90),
            body: Duration::from_secs(5),
            certificate: Duration::from_secs(2),
            confirmation: Duration::from_secs(5),
            begin: Duration::from_secs(8),
            attempt: Duration::from_secs(4),
            call: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cases run with shorter times; this is what they stand for.
    #[test]
    fn w29_w30_w50_w60_the_defaults_are_what_the_failure_model_says() {
        let Limits { first_byte, head, idle, body, certificate, confirmation, begin, attempt, call } =
            Limits::default();
        assert_eq!([first_byte, head, body].map(|limit| limit.as_secs()), [10, 5, 5]);
        assert!(idle.as_secs() >= 75);
        assert_eq!([certificate, confirmation, attempt, call].map(|limit| limit.as_secs()), [2, 5, 4, 10]);
        let claim_intent_and_finish = 3 * crate::ledger::TIMEOUT;
        assert!(call + claim_intent_and_finish < Duration::from_secs(15), "SNS still listens");
        assert!(
            begin + attempt + claim_intent_and_finish <= Duration::from_secs(15),
            "also to an order that has waited"
        );
    }
}
