//! What an answer, or the lack of one, says about the order. Pure.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use jiff::Timestamp;

use crate::outbound::SendError;

/// What is known after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// 2xx: the order is fulfilled.
    Accepted(u16),
    /// A 4xx that repeating cannot help.
    Refused(u16),
    /// The API answered that it did not process the order.
    NotProcessed(&'static str),
    /// No connection was made.
    NotSent,
    /// It may or may not be fulfilled.
    Unknown(&'static str),
}

/// The longest that an API may keep the worker waiting with `Retry-After`.
const MAX_PAUSE: Duration = Duration::from_secs(60);
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);
/// A refused API key does not come right within seconds.
const KEY_PAUSE: Duration = Duration::from_secs(5);

impl Verdict {
    /// A redirect is not followed, because the API key would go with it; the order may have been processed before it was sent.
    pub(crate) fn of_status(status: u16) -> Verdict {
        match status {
            200..=299 => Verdict::Accepted(status),
            401 | 403 => Verdict::NotProcessed("the API key is refused"),
            425 | 429 => Verdict::NotProcessed("the API asks to come back later"),
            408 => Verdict::Unknown("the API gave up reading"),
            409 => Verdict::Unknown("the key is in use"),
            400..=499 => Verdict::Refused(status),
            300..=399 => Verdict::Unknown("the API redirects"),
            _ => Verdict::Unknown("the API failed"),
        }
    }

    pub(crate) fn of_error(error: SendError) -> Verdict {
        match error {
            SendError::NotSent => Verdict::NotSent,
            SendError::TooLong | SendError::Unknown => Verdict::Unknown("the answer was lost, late or too long"),
        }
    }

    /// Two attempts under one key: an unknown first attempt stays unknown unless the second one settles it.
    pub(crate) fn then(self, second: Verdict) -> Verdict {
        match (self, second) {
            (_, Verdict::Accepted(_) | Verdict::Refused(_) | Verdict::Unknown(_)) => second,
            (Verdict::Unknown(_), _) => self,
            _ => second,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Accepted(status) => write!(f, "accepted with {status}"),
            Verdict::Refused(status) => write!(f, "refused with {status}"),
            Verdict::NotProcessed(why) => write!(f, "not processed: {why}"),
            Verdict::NotSent => f.write_str("not sent: no connection"),
            Verdict::Unknown(why) => write!(f, "unknown: {why}"),
        }
    }
}

/// How long every order has to wait after such an answer. `Retry-After` is seconds or a date.
pub(crate) fn pause(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let default = match status.as_u16() {
        408 | 425 | 429 => DEFAULT_PAUSE,
        401 | 403 => KEY_PAUSE,
        503 if headers.contains_key(header::RETRY_AFTER) => DEFAULT_PAUSE,
        _ => return None,
    };
    let text = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let asked = text.and_then(|text| match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(date.duration_since(now)).ok()
        }
    });
    Some(asked.unwrap_or(default).min(MAX_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_classified_once() {
        for (status, verdict) in [
            (200, "accepted with 200"),
            (204, "accepted with 204"),
            (302, "unknown: the API redirects"),
            (400, "refused with 400"),
            (401, "not processed: the API key is refused"),
            (404, "refused with 404"),
            (408, "unknown: the API gave up reading"),
            (409, "unknown: the key is in use"),
            (422, "refused with 422"),
            (429, "not processed: the API asks to come back later"),
            (500, "unknown: the API failed"),
            (504, "unknown: the API failed"),
        ] {
            assert_eq!(Verdict::of_status(status).to_string(), verdict, "{status}");
        }
    }

    #[test]
    fn a_second_attempt_that_was_never_sent_does_not_undo_the_first() {
        let unknown = Verdict::Unknown("x");
        assert_eq!(unknown.then(Verdict::NotSent), unknown);
        assert_eq!(unknown.then(Verdict::NotProcessed("y")), unknown);
        assert_eq!(unknown.then(Verdict::Accepted(200)), Verdict::Accepted(200));
        assert_eq!(Verdict::NotSent.then(Verdict::NotSent), Verdict::NotSent);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now: Timestamp = "2026-11-22T20:00:00Z".parse().unwrap();
        for (status, value, seconds) in [
            (429, Some("7"), Some(7)),
            (429, None, Some(1)),
            (429, Some("99999"), Some(60)),
            (429, Some("Sun, 22 Nov 2026 20:00:09 GMT"), Some(9)),
            (429, Some("rubbish"), Some(1)),
            (503, Some("3"), Some(3)),
            (503, None, None),
            (401, None, Some(5)),
            (500, Some("3"), None),
            (200, Some("3"), None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            }
            let pause = pause(StatusCode::from_u16(status).unwrap(), &headers, now);
            assert_eq!(pause, seconds.map(Duration::from_secs), "{status} {value:?}");
        }
    }
}
