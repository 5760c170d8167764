//! Header fields: what is dropped, added and rewritten on the way to a target and back. Pure.

use std::net::IpAddr;

use http::header::{
    self, CONNECTION, CONTENT_LENGTH, EXPECT, HeaderMap, HeaderName, HeaderValue, SERVER, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{StatusCode, Version};

use crate::elb::routing::{ForwardedFor, Front};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Fields for the other end, whatever a peer says of them in Connection: naming them would hide from a target who asks and for what, or
/// from a client how an answer is framed or for how long it may be kept (RFC 9110 §7.6.1 forbids to name such fields). What an ALB
/// does is unverified.
const END_TO_END: [HeaderName; 30] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::AGE,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_ENCODING,
    CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_SECURITY_POLICY,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::ETAG,
    header::EXPIRES,
    header::FORWARDED,
    header::HOST,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::ORIGIN,
    header::PRAGMA,
    header::RANGE,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::USER_AGENT,
    header::VARY,
    header::VIA,
    header::WWW_AUTHENTICATE,
];
/// Beginnings of more such names: what proxies say of the client, AWS of its messages and browsers of a request's origin.
const END_TO_END_PREFIXES: [&str; 4] = ["access-control-", "sec-", "x-amz", "x-forwarded-"];

/// Addresses that X-Forwarded-For may hold (ALB: 30, else 463).
const FORWARDED_MAX: usize = 30;
/// Bytes of one field, and of all fields together (ALB quotas).
const FIELD_BYTES_MAX: usize = 16 * 1024;
const FIELDS_BYTES_MAX: usize = 64 * 1024;

/// Who asks, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// The listener's port, as the API has it.
    pub(super) listener_port: u16,
    /// The port that the client connected to: another one where something else holds the listener's.
    pub(super) reached_port: u16,
}

/// Whether the fields are within the load balancer's bounds.
pub(super) fn within_bounds(headers: &HeaderMap) -> bool {
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    headers.iter().map(size).all(|size| size <= FIELD_BYTES_MAX)
        && headers.iter().map(size).sum::<usize>() <= FIELDS_BYTES_MAX
}

/// Whether the request came through more proxies than a load balancer takes.
pub(super) fn forwarded_too_often(headers: &HeaderMap) -> bool {
    let values = headers.get_all(FORWARDED_FOR);
    values.iter().map(|value| value.as_bytes().split(|byte| *byte == b',').count()).sum::<usize>() > FORWARDED_MAX
}

/// Makes a client's header fields those of the request to a target. Host is passed on as it came: what an ALB does to it while
/// `preserve_host_header` is off is not documented exactly, and a target that builds URLs needs the client's.
pub(super) fn to_target(headers: &mut HeaderMap, front: &Front, client: Client, trace: &str) {
    // A length beside a transfer coding lies; the coding holds (RFC 9112 §6.3).
    let is_chunked = headers.contains_key(TRANSFER_ENCODING);
    if is_chunked {
        headers.remove(CONTENT_LENGTH);
    }
    drop_hop_by_hop(headers);
    if is_chunked {
        // Without it hyper sends a GET or HEAD without its body.
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    headers.remove(EXPECT);
    if front.drop_invalid_headers {
        drop_unusual(headers);
    }
    forwarded_for(headers, front, client);
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(FORWARDED_PORT, HeaderValue::from(client.reached_port));
    trace_id(headers, trace);
}

/// Makes a target's header fields those of the answer to a client.
pub(super) fn to_client(headers: &mut HeaderMap, front: &Front) {
    drop_hop_by_hop(headers);
    if !front.server_header {
        headers.remove(SERVER);
    }
}

/// An answer whose end two readers may see at different places.
#[derive(Debug, thiserror::Error)]
#[error("a target's answer is framed ambiguously")]
pub(super) struct Ambiguous;

/// Checks how a target frames its answer (RFC 9112 §6.1, §6.3), and leaves one length where it is said twice alike. hyper would
/// settle the rest silently, while the fields say something else to the client.
pub(super) fn framing(status: StatusCode, version: Version, headers: &mut HeaderMap) -> Result<(), Ambiguous> {
    // Nobody is asked to switch protocols: Upgrade is not passed on.
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Ambiguous);
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    if let Some(coding) = codings.next() {
        let is_chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
        let is_plain = is_chunked && version == Version::HTTP_11 && !headers.contains_key(CONTENT_LENGTH);
        return if is_plain { Ok(()) } else { Err(Ambiguous) };
    }
    let lines = headers.get_all(CONTENT_LENGTH).iter();
    let mut lengths = lines.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(length);
    let Some(first) = lengths.next() else { return Ok(()) };
    let first = first?;
    if lengths.any(|other| !matches!(other, Ok(other) if other == first)) {
        return Err(Ambiguous);
    }
    headers.insert(CONTENT_LENGTH, HeaderValue::from(first));
    Ok(())
}

/// Digits alone (RFC 9110 §8.6), where `parse` takes a sign too, and no more than 64 bits, which is what hyper checks only where a
/// body follows, so not for HEAD.
fn length(text: &[u8]) -> Result<u64, Ambiguous> {
    let text = str::from_utf8(text.trim_ascii()).map_err(|_| Ambiguous)?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number).ok_or(Ambiguous)
}

/// Fields that concern one connection only (RFC 9110 §7.6.1).
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !is_end_to_end(name))
        .collect();
    for name in named.iter().chain(&[CONNECTION, KEEP_ALIVE, PROXY_CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE])
    {
        headers.remove(name);
    }
}

fn is_end_to_end(name: &HeaderName) -> bool {
    END_TO_END.contains(name) || END_TO_END_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))
}

/// Names outside of `[-A-Za-z0-9]+`.
fn drop_unusual(headers: &mut HeaderMap) {
    let usual = |name: &HeaderName| name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let unusual: Vec<HeaderName> = headers.keys().filter(|name| !usual(name)).cloned().collect();
    for name in unusual {
        headers.remove(name);
    }
}

fn forwarded_for(headers: &mut HeaderMap, front: &Front, client: Client) {
    match front.forwarded_for {
        ForwardedFor::Preserve => {}
        ForwardedFor::Remove => {
            headers.remove(FORWARDED_FOR);
        }
        ForwardedFor::Append => {
            let mut hops: Vec<u8> = Vec::new();
            for value in headers.get_all(FORWARDED_FOR) {
                hops.extend_from_slice(value.as_bytes());
                hops.extend_from_slice(b", ");
            }
            let hop = match front.client_port {
                true => std::net::SocketAddr::new(client.address, client.port).to_string(),
                false => client.address.to_string(),
            };
            hops.extend_from_slice(hop.as_bytes());
            if let Ok(value) = HeaderValue::from_bytes(&hops) {
                headers.insert(FORWARDED_FOR, value);
            }
        }
    }
}

/// `Root=…` where there is none, else `Self=…` before what there is.
fn trace_id(headers: &mut HeaderMap, trace: &str) {
    let value = match headers.get(TRACE_ID).and_then(|value| value.to_str().ok()) {
        Some(given) => format!("Self={trace};{given}"),
        None => format!("Root={trace}"),
    };
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(TRACE_ID, value);
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;
    use crate::elb::{Action, FixedResponse};

    /// A front with the defaults of a load balancer.
    pub(in crate::proxy) fn front() -> Front {
        Front {
            dns_name: "lb.localhost".to_owned(),
            idle_timeout: Duration::from_secs(60),
            client_keep_alive: Duration::from_secs(3600),
            forwarded_for: ForwardedFor::Append,
            client_port: false,
            drop_invalid_headers: false,
            server_header: true,
            rules: Vec::new(),
            default_action: Action::FixedResponse(FixedResponse {
                status: 200,
                content_type: "text/plain".to_owned(),
                body: String::new(),
            }),
        }
    }

    fn sent(given: &[(&str, &str)], front: &Front) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        let client =
            Client { address: Ipv4Addr::LOCALHOST.into(), port: 40_000, listener_port: 5000, reached_port: 15_000 };
        to_target(&mut headers, front, client, "1-00000000-1");
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_plain_request_gets_what_a_load_balancer_adds() {
        assert_eq!(
            sent(&[("host", "lb.localhost:5000")], &front()),
            [
                "host: lb.localhost:5000",
                "x-amzn-trace-id: Root=1-00000000-1",
                "x-forwarded-for: 127.0.0.1",
                "x-forwarded-port: 15000",
                "x-forwarded-proto: http",
            ]
        );
    }

    #[test]
    fn earlier_hops_are_kept_and_connection_headers_dropped() {
        let given = [
            ("connection", "close, x-private, Host"),
            ("connection", "x-forwarded-for, Cookie, content-type"),
            ("content-length", "4"),
            ("content-type", "text/plain"),
            ("cookie", "a=1"),
            ("host", "lb.localhost"),
            ("expect", "100-continue"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("x-amzn-trace-id", "Root=1-1-2"),
            ("x-forwarded-for", "10.1.1.1"),
            ("x-forwarded-for", "10.2.2.2"),
            ("x-forwarded-proto", "https"),
            ("x-private", "1"),
        ];
        assert_eq!(
            sent(&given, &front()),
            [
                "content-type: text/plain",
                "cookie: a=1",
                "host: lb.localhost",
                "transfer-encoding: chunked",
                "x-amzn-trace-id: Self=1-00000000-1;Root=1-1-2",
                "x-forwarded-for: 10.1.1.1, 10.2.2.2, 127.0.0.1",
                "x-forwarded-port: 15000",
                "x-forwarded-proto: http",
            ]
        );
    }

    #[test]
    fn attributes_change_what_is_sent() {
        let changed = Front { client_port: true, drop_invalid_headers: true, ..front() };
        let lines = sent(&[("bad_name", "1")], &changed);
        assert!(lines.contains(&"x-forwarded-for: 127.0.0.1:40000".to_owned()), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("bad_name")), "{lines:?}");
        let removed = Front { forwarded_for: ForwardedFor::Remove, ..front() };
        assert!(
            !sent(&[("x-forwarded-for", "1.1.1.1")], &removed).iter().any(|line| line.starts_with("x-forwarded-for"))
        );
    }
}
