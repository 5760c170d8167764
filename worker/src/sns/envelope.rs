//! The JSON envelope of a message, read strictly: one spelling of each member, none twice, and a grammar for each that keeps
//! the string to sign from having two readings (its values are not escaped).

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use uuid::Uuid;

use super::Refusal;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Notification,
    SubscriptionConfirmation,
    UnsubscribeConfirmation,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Notification => "Notification",
            Kind::SubscriptionConfirmation => "SubscriptionConfirmation",
            Kind::UnsubscribeConfirmation => "UnsubscribeConfirmation",
        }
    }

    fn parse(name: &str) -> Option<Kind> {
        [Kind::Notification, Kind::SubscriptionConfirmation, Kind::UnsubscribeConfirmation]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A message whose members have the right form. Nothing says yet who wrote it.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub kind: Kind,
    pub message_id: Cow<'a, str>,
    pub topic_arn: Cow<'a, str>,
    pub subject: Option<Cow<'a, str>>,
    pub message: Cow<'a, str>,
    pub timestamp_text: Cow<'a, str>,
    pub timestamp: Timestamp,
    pub signature_version: Cow<'a, str>,
    pub signature: Cow<'a, str>,
    pub signing_cert_url: Cow<'a, str>,
    pub subscribe_url: Cow<'a, str>,
    pub token: Cow<'a, str>,
}

const SUBJECT_CHARS: usize = 100;

impl<'a> Envelope<'a> {
    /// Reads a request's body.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::Malformed("body is not UTF-8"))?;
        let members: Members<'a> =
            serde_json::from_str(text).map_err(|_| Refusal::Malformed("body is not the JSON of an SNS message"))?;
        members.check()
    }
}

/// Members in the order of [`NAMES`].
#[derive(Default)]
struct Members<'a>([Option<Cow<'a, str>>; NAMES.len()]);

const NAMES: [&str; 12] = [
    "Type",
    "MessageId",
    "TopicArn",
    "Subject",
    "Message",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
    "SubscribeURL",
    "Token",
    "UnsubscribeURL",
];

impl<'a> Members<'a> {
    fn check(self) -> Result<Envelope<'a>, Refusal> {
        let [kind, id, topic, subject, message, time, version, signature, cert, subscribe, token, _unsubscribe] =
            self.0;
        let kind = required(kind)?;
        let kind = Kind::parse(&kind).ok_or(Refusal::Malformed("Type is not one that SNS sends"))?;
        let message_id = required(id)?;
        if message_id.len() != 36 || Uuid::try_parse(&message_id).is_err() {
            return Err(Refusal::Malformed("MessageId is not a UUID"));
        }
        if subject.as_ref().is_some_and(|subject| !is_subject(subject)) {
            return Err(Refusal::Malformed("Subject is not one short line"));
        }
        let timestamp_text = required(time)?;
        let timestamp = timestamp(&timestamp_text).ok_or(Refusal::Malformed("Timestamp is not one of SNS's"))?;
        let (subscribe_url, token) = match kind {
            Kind::Notification => (Cow::Borrowed(""), Cow::Borrowed("")),
            _ => (one_line(required(subscribe)?)?, one_line(required(token)?)?),
        };
        Ok(Envelope {
            kind,
            message_id,
            topic_arn: one_line(required(topic)?)?,
            subject,
            message: required(message)?,
            timestamp_text,
            timestamp,
            signature_version: required(version)?,
            signature: required(signature)?,
            signing_cert_url: required(cert)?,
            subscribe_url,
            token,
        })
    }
}

/// A message that lacks a member was not signed by SNS; raw deliveries and bare orders end here.
fn required(member: Option<Cow<'_, str>>) -> Result<Cow<'_, str>, Refusal> {
    member.ok_or(Refusal::Forged("unsigned"))
}

fn one_line(text: Cow<'_, str>) -> Result<Cow<'_, str>, Refusal> {
    if text.chars().any(char::is_control) {
        return Err(Refusal::Malformed("a member that is one line has several"));
    }
    Ok(text)
}

fn is_subject(text: &str) -> bool {
    text.chars().count() <= SUBJECT_CHARS && !text.chars().any(char::is_control)
}

/// Exactly `2012-05-02T00:54:06.655Z`.
fn timestamp(text: &str) -> Option<Timestamp> {
    const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let fits = text.len() == SHAPE.len()
        && text
            .bytes()
            .zip(SHAPE)
            .all(|(byte, shape)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape });
    if fits { text.parse().ok() } else { None }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the envelope of an SNS message")
    }

    /// A name that differs from a known one in case only is refused: somebody else may read it as that one.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members::default();
        while let Some(Text(name)) = map.next_key()? {
            let Some(place) = NAMES.iter().position(|known| known.eq_ignore_ascii_case(&name)) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let slot = members.0.get_mut(place).ok_or_else(|| de::Error::custom("unknown member"))?;
            if slot.is_some() || NAMES.get(place).is_none_or(|known| *known != name) {
                return Err(de::Error::custom("a member twice or in another spelling"));
            }
            let Text(value) = map.next_value()?;
            *slot = Some(value);
        }
        Ok(members)
    }
}

/// A string that is borrowed unless JSON escapes it.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sns_timestamps_are_timestamps() {
        assert!(timestamp("2012-05-02T00:54:06.655Z").is_some());
        for text in [
            "2012-05-02T00:54:06Z",
            "2012-05-02T00:54:06.655+00:00",
            "2012-05-02 00:54:06.655Z",
            "2012-13-02T00:54:06.655Z",
            "2012-05-02T00:54:06.6551",
            "",
        ] {
            assert!(timestamp(text).is_none(), "{text}");
        }
    }
}
