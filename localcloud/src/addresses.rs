//! Addresses are virtual: the API shows container instances with host ports, or network interfaces with addresses of a VPC;
//! this table maps them to the loopback ports that processes really listen on.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

/// First and last loopback port that is given to tasks.
const PORTS: std::ops::RangeInclusive<u16> = 20_000..=31_999;

/// The table. A virtual address is a host (EC2 instance ID or ENI address) and a port on it.
#[derive(Debug, Default)]
pub struct Addresses {
    bound: BTreeMap<(String, u16), SocketAddr>,
    taken: BTreeSet<u16>,
    last: Option<u16>,
}

impl Addresses {
    /// Binds the virtual address to a free loopback port. `free` says whether nothing else on the machine holds a port (always
    /// true under the `model` runtime). `None` if no port is left.
    pub fn bind(&mut self, host: &str, port: u16, free: impl Fn(u16) -> bool) -> Option<SocketAddr> {
        let after_last = self.last.map_or(*PORTS.start(), |last| last.saturating_add(1));
        let real = (after_last..=*PORTS.end()).chain(PORTS).find(|real| !self.taken.contains(real) && free(*real))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, real));
        self.taken.insert(real);
        self.last = Some(real);
        self.bound.insert((host.to_owned(), port), address);
        Some(address)
    }

    /// Where the virtual address is really served.
    pub fn resolve(&self, host: &str, port: u16) -> Option<SocketAddr> {
        self.bound.get(&(host.to_owned(), port)).copied()
    }

    /// Gives the virtual address and its loopback port back.
    pub fn release(&mut self, host: &str, port: u16) {
        if let Some(address) = self.bound.remove(&(host.to_owned(), port)) {
            self.taken.remove(&address.port());
        }
    }
}
