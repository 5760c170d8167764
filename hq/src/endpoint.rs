//! A base URL on this machine. hq never speaks to another one: it has no signature to offer and no secret to risk.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

/// `http://` plus a loopback address or `localhost`, and a port if given; no path, no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopbackUrl(String);

/// Why a text is no [`LoopbackUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` {what}; give a URL such as http://127.0.0.1:4566")]
pub struct InvalidEndpoint {
    given: String,
    what: &'static str,
}

impl FromStr for LoopbackUrl {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |what| InvalidEndpoint { given: text.to_owned(), what };
        let uri: Uri = text.parse().map_err(|_| refuse("is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(refuse("does not start with http://"));
        }
        let authority = uri.authority().ok_or_else(|| refuse("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refuse("holds credentials"));
        }
        if !is_loopback(authority.host()) {
            return Err(refuse("is not on this machine, and hq speaks to nothing else"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(refuse("has a path"));
        }
        Ok(Self(format!("http://{authority}")))
    }
}

impl LoopbackUrl {
    /// The URL of `path` (which starts with `/`) below this one.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for LoopbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_loopback(host: &str) -> bool {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || literal.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_of_this_machine_only() {
        for good in ["http://127.0.0.1:4566", "http://localhost", "http://[::1]:1/", "http://127.8.8.8:9"] {
            assert_eq!(good.parse::<LoopbackUrl>().unwrap().to_string(), good.trim_end_matches('/'));
        }
        for bad in [
            "https://127.0.0.1:4566",
            "http://sns.us-west-2.amazonaws.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com/",
            "http://me@127.0.0.1/",
            "http://127.0.0.1/path",
            "127.0.0.1:4566",
            "http://",
            "",
        ] {
            assert!(bad.parse::<LoopbackUrl>().is_err(), "{bad:?} was taken");
        }
    }
}
