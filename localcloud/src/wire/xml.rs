//! Writes awsQuery's answers as XML. Element names come from the model; only text is escaped.

use std::borrow::Cow;

use quick_xml::escape::escape;
use serde_json::Value;

use super::model::{Kind, Model, Reference};

/// The members of `value` as elements, or its text.
pub fn content(model: &Model, shape: &str, value: &Value) -> String {
    let mut xml = String::new();
    write(&mut xml, model, shape, value);
    xml
}

/// Text with everything replaced or escaped that XML 1.0 does not allow.
pub fn text(raw: &str) -> String {
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    let clean: Cow<'_, str> = if raw.chars().all(legal) {
        Cow::Borrowed(raw)
    } else {
        raw.chars().map(|c| if legal(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
    };
    // A parser turns a bare carriage return into a line feed.
    escape(clean).replace('\r', "&#13;")
}

fn write(xml: &mut String, model: &Model, shape: &str, value: &Value) {
    match (&model.shape(shape).kind, value) {
        (Kind::Structure { members, .. }, Value::Object(object)) => {
            for (name, value) in object {
                if let Some(member) = members.get(name) {
                    inside(xml, wire_name(member, name), |xml| write(xml, model, &member.shape, value));
                }
            }
        }
        (Kind::List { member }, Value::Array(elements)) => {
            for value in elements {
                inside(xml, wire_name(member, "member"), |xml| write(xml, model, &member.shape, value));
            }
        }
        (Kind::Map { key, value: reference }, Value::Object(object)) => {
            for (name, value) in object {
                inside(xml, "entry", |xml| {
                    inside(xml, wire_name(key, "key"), |xml| xml.push_str(&text(name)));
                    inside(xml, wire_name(reference, "value"), |xml| write(xml, model, &reference.shape, value));
                });
            }
        }
        (Kind::Timestamp, value) => xml.push_str(&moment(value)),
        (_, Value::String(string)) => xml.push_str(&text(string)),
        (_, value) => xml.push_str(&value.to_string()),
    }
}

fn inside(xml: &mut String, name: &str, write: impl FnOnce(&mut String)) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    write(xml);
    xml.push_str("</");
    xml.push_str(name);
    xml.push('>');
}

/// Seconds since the epoch in ISO 8601 with milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a moment that is out of range saturates and is refused by jiff")]
fn moment(seconds: &Value) -> String {
    let millis = (seconds.as_f64().unwrap_or_default() * 1000.0).round() as i64;
    jiff::Timestamp::from_millisecond(millis).map(|moment| format!("{moment:.3}")).unwrap_or_default()
}

fn wire_name<'a>(reference: &'a Reference, otherwise: &'a str) -> &'a str {
    reference.location_name.as_deref().unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::Service;

    #[test]
    fn structures_lists_and_moments() {
        let value =
            json!({"LoadBalancers": [{"DNSName": "a<b", "CreatedTime": 1_450_472_934.25, "SecurityGroups": []}]});
        let wanted = "<LoadBalancers><member><DNSName>a&lt;b</DNSName><CreatedTime>2015-12-18T21:08:54.250Z</CreatedTime>\
            <SecurityGroups></SecurityGroups></member></LoadBalancers>";
        assert_eq!(content(Model::of(Service::Elb), "DescribeLoadBalancersOutput", &value), wanted);
    }

    #[test]
    fn maps() {
        let value = json!({"Attributes": {"Policy": "{\"a\"}\r\u{1}"}});
        let wanted =
            "<Attributes><entry><key>Policy</key><value>{&quot;a&quot;}&#13;\u{FFFD}</value></entry></Attributes>";
        assert_eq!(content(Model::of(Service::Sns), "GetTopicAttributesResponse", &value), wanted);
    }
}
