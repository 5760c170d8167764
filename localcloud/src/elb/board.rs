//! Where every region puts up its routing, and the one proxy that they share reads all of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::routing::Routing;

/// The routing of every region. Clones are the same board.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    regions: Mutex<BTreeMap<String, Routing>>,
    joined: watch::Sender<Arc<Routing>>,
}

impl Board {
    /// Whether anybody reads it.
    pub(super) fn is_read(&self) -> bool {
        self.0.joined.receiver_count() > 0
    }

    /// Reads it from now on.
    pub(super) fn read(&self) -> watch::Receiver<Arc<Routing>> {
        self.0.joined.subscribe()
    }

    /// Puts up the routing of a region in place of what it was.
    pub(super) fn put(&self, region: &str, routing: Routing) {
        let mut regions = self.0.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if regions.get(region) == Some(&routing) {
            return;
        }
        regions.insert(region.to_owned(), routing);
        self.0.joined.send_replace(Arc::new(join(regions.values())));
    }
}

/// Listeners of several regions share a port as those of several load balancers do: by the name that is asked for,
/// which has the region in it.
fn join<'a>(regions: impl Iterator<Item = &'a Routing>) -> Routing {
    let mut joined = Routing::default();
    for Routing { ports, target_groups } in regions {
        for (port, fronts) in ports {
            joined.ports.entry(*port).or_default().extend_from_slice(fronts);
        }
        joined.target_groups.extend(target_groups.iter().map(|(arn, group)| (arn.clone(), group.clone())));
    }
    joined
}
