//! Which requests a page in a browser may not make. A browser on this machine reaches whatever listens on loopback, on behalf of
//! every page that it shows; it says so in its headers, and this is where they are believed.
//!
//! Two attacks are kept out. A page of another site sends requests here: it says so in `Sec-Fetch-Site`, and in `Origin` when
//! it changes something (Fetch Standard, "Origin header"; Fetch Metadata Request Headers, §2). And a page whose name was made
//! to resolve to loopback ("DNS rebinding") counts as our own site to the browser: only its name in `Host` gives it away.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{Method, StatusCode, Version};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// A refusal: what is answered in place of the service.
pub type Refusal = (StatusCode, &'static str);

const TWO_HOSTS: Refusal = (StatusCode::BAD_REQUEST, "a request has one Host\n");
const FOREIGN_HOST: Refusal = (
    StatusCode::MISDIRECTED_REQUEST,
    "this listener does not go by the name in the Host header; use 127.0.0.1, localhost, or a name that it was told\n",
);
const FOREIGN_PAGE: Refusal = (StatusCode::FORBIDDEN, "requests that a page of another site makes are not answered\n");

/// The names by which a listener may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// Those of loopback.
    Loopback,
    /// Those of loopback, and every IP address: no name resolves to "an address of mine" unless it is one.
    Addresses,
    /// Every name, for a service that has its own, behind a load balancer.
    Any,
}

/// What a listener lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// The names it goes by.
    pub hosts: Hosts,
    /// Further names that somebody has configured, in lower case.
    pub also: Vec<String>,
    /// Whether a person may follow a link of another site to a page here. It reads, and the other site does not see it.
    pub links: bool,
}

impl Gate {
    /// The gate of a listener at `address`: loopback goes by loopback's names, anything else by addresses.
    #[must_use]
    pub fn of(address: SocketAddr) -> Self {
        let hosts = if address.ip().to_canonical().is_loopback() { Hosts::Loopback } else { Hosts::Addresses };
        Gate { hosts, also: Vec::new(), links: true }
    }

    /// Refuses what a page in a browser may not ask for.
    ///
    /// # Errors
    /// The answer in place of the service's.
    pub fn check(&self, parts: &Parts) -> Result<(), Refusal> {
        let own = authority(parts)?;
        if let Some(own) = &own
            && !self.is_called(own.host())
        {
            return Err(FOREIGN_HOST);
        }
        let is_of_another_site = is_foreign(&parts.headers, own.as_ref());
        if is_of_another_site && !(self.links && is_link(parts)) { Err(FOREIGN_PAGE) } else { Ok(()) }
    }

    fn is_called(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        match self.hosts {
            Hosts::Any => true,
            Hosts::Addresses if address(&host).is_some() => true,
            Hosts::Addresses | Hosts::Loopback => is_loopback(&host) || self.also.contains(&host),
        }
    }
}

/// Whether a host is one of loopback's: `localhost`, names under it, 127.0.0.0/8, `[::1]`. In lower case.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name || address(host).is_some_and(|address| address.to_canonical().is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

/// The authority that a request names. HTTP/1.0 may name none (RFC 9112 §3.2).
fn authority(parts: &Parts) -> Result<Option<Authority>, Refusal> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let none_is_fine = parts.version == Version::HTTP_10;
    let host = match (first, second) {
        (None, None) if none_is_fine => None,
        (Some(host), None) => Some(host.to_str().ok().and_then(plain).ok_or(TWO_HOSTS)?),
        _ => return Err(TWO_HOSTS),
    };
    match parts.uri.authority() {
        // RFC 9112 §3.2.2: the target's authority counts. A browser never sends one, and the two must not disagree.
        Some(target) if host.as_ref().is_some_and(|host| host != target) => Err(TWO_HOSTS),
        Some(target) => Ok(Some(target.clone())),
        None => Ok(host),
    }
}

/// An authority that is a host and perhaps a port, and nothing else that one reader may take for the host and another not.
#[must_use]
pub fn plain(text: &str) -> Option<Authority> {
    let authority: Authority = text.parse().ok()?;
    let rest = text.strip_prefix(authority.host())?;
    let port = rest.strip_prefix(':').unwrap_or(rest);
    let is_port = rest.len() > port.len() && port.bytes().all(|byte| byte.is_ascii_digit());
    (rest.is_empty() || is_port).then_some(authority)
}

/// Whether the headers say that a page of another site asks. A page on another port is of another origin, though of the same site.
fn is_foreign(headers: &HeaderMap, own: Option<&Authority>) -> bool {
    let site = headers.get_all(SEC_FETCH_SITE).iter().all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    let is_own = |origin: &str| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        own.is_some_and(|own| authority.is_some_and(|authority| own.as_str().eq_ignore_ascii_case(authority)))
    };
    let origin = headers.get_all(ORIGIN).iter().all(|origin| origin.to_str().is_ok_and(is_own));
    !(site && origin)
}

/// Whether a person has followed a link, into a window of its own and not into a frame.
fn is_link(parts: &Parts) -> bool {
    let says = |name, value: &[u8]| parts.headers.get(name).is_some_and(|header| header.as_bytes() == value);
    matches!(parts.method, Method::GET | Method::HEAD)
        && !parts.headers.contains_key(ORIGIN)
        && says(SEC_FETCH_MODE, b"navigate")
        && says(SEC_FETCH_DEST, b"document")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn check(gate: &Gate, request: &str) -> u16 {
        let mut lines = request.split("; ");
        let (method, uri) = lines.next().unwrap().split_once(' ').unwrap();
        let mut builder = Request::builder().method(method).uri(uri);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            builder = builder.header(name, value);
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        gate.check(&parts).map_or_else(|(status, _)| status.as_u16(), |()| 200)
    }

    #[test]
    fn programs_pass_and_foreign_names_and_pages_do_not() {
        let gate = Gate::of("127.0.0.1:8888".parse().unwrap());
        for (request, status) in [
            ("GET /; host: 127.0.0.1:8888", 200),
            ("POST /; host: localhost", 200),
            ("GET /; host: interstella-1.us-west-2.elb.LOCALHOST.:5000", 200),
            ("GET /; host: [::1]:8888", 200),
            ("GET /; host: 127.9.9.9", 200),
            ("GET /; host: evil.example", 421),
            ("GET /; host: localhost.evil.example", 421),
            ("GET /; host: 127.0.0.1.evil.example", 421),
            ("GET /; host: 10.0.0.7:8888", 421),
            ("GET /; host: a b", 400),
            ("GET /; host: [::1].evil.example", 400),
            ("GET /; host: user@localhost", 400),
            ("GET /; host: localhost:80:90", 400),
            ("GET /", 400),
            ("GET /; host: localhost; host: localhost", 400),
            ("GET http://evil.example/; host: localhost", 400),
            ("GET http://evil.example/; host: evil.example", 421),
            // An image, a form, a fetch, a frame of another site or of another port.
            ("GET /; host: localhost; sec-fetch-site: cross-site; sec-fetch-mode: no-cors; sec-fetch-dest: image", 403),
            ("GET /; host: localhost; sec-fetch-site: same-site; sec-fetch-mode: cors; sec-fetch-dest: empty", 403),
            ("POST /; host: localhost; origin: http://evil.example", 403),
            ("POST /; host: localhost:1; origin: http://localhost:2", 403),
            ("POST /; host: localhost:1; origin: null", 403),
            (
                "GET /; host: localhost; sec-fetch-site: cross-site; sec-fetch-mode: navigate; sec-fetch-dest: iframe",
                403,
            ),
            (
                "POST /; host: localhost; sec-fetch-site: cross-site; sec-fetch-mode: navigate; sec-fetch-dest: document",
                403,
            ),
            // What a person does in the address line, by a link, and what our own page asks for.
            ("GET /; host: localhost; sec-fetch-site: none; sec-fetch-mode: navigate; sec-fetch-dest: document", 200),
            (
                "GET /; host: localhost; sec-fetch-site: cross-site; sec-fetch-mode: navigate; sec-fetch-dest: document",
                200,
            ),
            ("POST /; host: localhost:1; origin: http://localhost:1; sec-fetch-site: same-origin", 200),
        ] {
            assert_eq!(check(&gate, request), status, "{request}");
        }
    }

    #[test]
    fn a_listener_for_others_goes_by_its_addresses_and_the_names_it_was_told() {
        let mut gate = Gate::of("0.0.0.0:8888".parse().unwrap());
        gate.also.push("controller.internal".to_owned());
        gate.links = false;
        for (request, status) in [
            ("GET /; host: 10.0.0.7:8888", 200),
            ("GET /; host: Controller.internal", 200),
            ("GET /; host: localhost", 200),
            ("GET /; host: evil.example", 421),
            (
                "GET /; host: localhost; sec-fetch-site: cross-site; sec-fetch-mode: navigate; sec-fetch-dest: document",
                403,
            ),
        ] {
            assert_eq!(check(&gate, request), status, "{request}");
        }
        let any = Gate { hosts: Hosts::Any, ..gate };
        assert_eq!(check(&any, "POST /order/; host: shop.example"), 200);
    }
}
