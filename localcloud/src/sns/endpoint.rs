//! Endpoints of HTTP deliveries: URLs on loopback, where this cloud's load balancers are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::Uri;

use super::invalid;
use crate::call::ApiError;
use crate::elb;
use crate::world::World;

/// Where an HTTP endpoint is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Address to connect to.
    pub address: SocketAddr,
    /// Value of the `Host` header: the load balancer tells its names apart by it.
    pub host: String,
    /// Path and query.
    pub path: String,
}

impl Endpoint {
    /// The port to connect to where it is not the URL's: a listener whose own port something else on this machine
    /// holds.
    pub(super) fn moved_port(&self, world: &World) -> Option<u16> {
        let host = self.host.strip_suffix(&format!(":{}", self.address.port())).unwrap_or(&self.host);
        elb::moved_port(world, host, self.address.port())
    }
}

/// Reads the URL of an HTTP endpoint. Names under `.localhost` are loopback by definition (RFC 6761) and are not looked up, for the
/// C library may not know that.
pub fn read(url: &str) -> Result<Endpoint, ApiError> {
    let uri: Uri = url.parse().map_err(|_| invalid("Endpoint"))?;
    if uri.scheme_str() != Some("http") {
        return Err(invalid("Endpoint must match the specified protocol"));
    }
    let authority = uri.authority().ok_or_else(|| invalid("Endpoint"))?;
    if authority.as_str().contains('@') {
        return Err(ApiError::not_implemented("endpoints with user name and password"));
    }
    let off = || ApiError::not_implemented(format!("deliveries off this machine, here to {}", authority.host()));
    let ip = loopback(authority.host()).ok_or_else(off)?;
    // The type takes a port that does not exist for none, so the text is read.
    let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or_default().trim_start_matches(':') {
        "" => 80,
        port => port.parse().ok().filter(|port| *port > 0).ok_or_else(|| invalid("Endpoint"))?,
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok(Endpoint { address: SocketAddr::new(ip, port), host: authority.as_str().to_owned(), path: path.to_owned() })
}

/// The loopback address that a host is by its name alone.
fn loopback(host: &str) -> Option<IpAddr> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    name.parse().ok().filter(IpAddr::is_loopback)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::read;

    #[test]
    fn a_load_balancers_name_is_loopback_and_stays_the_host() {
        let endpoint = read("http://interstella-1.us-west-2.elb.localhost:5000/order/?a=1").unwrap();
        assert_eq!(endpoint.address.to_string(), "127.0.0.1:5000");
        assert_eq!(endpoint.host, "interstella-1.us-west-2.elb.localhost:5000");
        assert_eq!(endpoint.path, "/order/?a=1");
        assert_eq!(read("http://[::1]").unwrap().address.to_string(), "[::1]:80");
    }

    #[test]
    fn nothing_leaves_the_machine() {
        for url in ["http://example.com/", "http://10.0.0.1/", "http://localhost.example.com/", "http://u:p@localhost/"]
        {
            assert_eq!(read(url).unwrap_err().code, "NotImplemented", "{url}");
        }
        for url in ["https://localhost/", "localhost", "/order/", "", "http://localhost:99999/", "http://localhost:0/"]
        {
            assert_eq!(read(url).unwrap_err().code, "InvalidParameter", "{url}");
        }
    }
}
