//! The regions of one cloud: a world each. A region begins with the first call that names it.

use std::collections::BTreeMap;

use crate::call::ApiError;
use crate::clock::CloudTime;
use crate::effect::Effect;
use crate::event::Event;
use crate::world::World;
use crate::{elb, region};

/// Regions of one cloud. AWS has about as many; here it keeps whoever makes names up from filling the memory.
const MAX_REGIONS: usize = 40;

/// The worlds of a cloud.
pub(crate) struct Regions {
    home: World,
    abroad: BTreeMap<String, World>,
}

impl Regions {
    /// A cloud with one region so far: that of `home`.
    pub(crate) fn new(home: World) -> Self {
        Self { home, abroad: BTreeMap::new() }
    }

    /// The world of a region, which begins with this if it was not there.
    pub(crate) fn world(&mut self, region: &str) -> &mut World {
        if region == self.home.region {
            return &mut self.home;
        }
        self.abroad.entry(region.to_owned()).or_insert_with(|| self.home.beside(region))
    }

    /// Whether a region has begun.
    pub(crate) fn has(&self, region: &str) -> bool {
        region == self.home.region || self.abroad.contains_key(region)
    }

    /// Whether a call may begin a region, or go to one that has begun.
    ///
    /// # Errors
    /// As AWS refuses a signature for a region that there is not, and `NotImplemented` for one region too many.
    pub(crate) fn admit(&self, region: &str) -> Result<(), ApiError> {
        if self.has(region) {
            Ok(())
        } else if !region::is_name(region) {
            let message = format!("Credential should be scoped to a valid region, not '{region}'.");
            Err(ApiError::with_status("InvalidSignatureException", 403, message))
        } else if self.abroad.len() + 1 >= MAX_REGIONS {
            Err(ApiError::not_implemented(format!("more than {MAX_REGIONS} regions at once")))
        } else {
            Ok(())
        }
    }

    /// Fires what is due everywhere and carries what one region has to tell another, until nothing is left to do.
    pub(crate) fn settle(&mut self, now: CloudTime) {
        loop {
            self.worlds().for_each(|world| world.fire_due(now));
            let leaving: Vec<Event> = self.worlds().flat_map(|world| std::mem::take(&mut world.leaving)).collect();
            if leaving.is_empty() {
                return;
            }
            leaving.into_iter().for_each(|event| self.carry(event));
        }
    }

    /// Hands an event to the region that it is for. Where no region has begun nothing can take it, and its sender is
    /// told so.
    fn carry(&mut self, event: Event) {
        let is_there = event.region().is_none_or(|region| self.has(region));
        let event = if is_there { Some(event) } else { event.unheard() };
        if let Some(event) = event {
            let region = event.region().unwrap_or(&self.home.region).to_owned();
            self.world(&region).events.push(event);
        }
    }

    /// Takes what has to happen outside, by region.
    pub(crate) fn take_effects(&mut self) -> Vec<(String, Effect)> {
        let of = |world: &mut World| {
            let region = world.region.clone();
            std::mem::take(&mut world.effects).into_iter().map(move |effect| (region.clone(), effect))
        };
        self.worlds().flat_map(of).collect()
    }

    /// When the next timer fires.
    pub(crate) fn next_timer(&self) -> Option<CloudTime> {
        std::iter::once(&self.home).chain(self.abroad.values()).filter_map(|world| world.timers.next()).min()
    }

    /// Publishes what changed for the load balancers.
    pub(crate) fn publish(&mut self) {
        self.worlds().for_each(elb::publish);
    }

    fn worlds(&mut self) -> impl Iterator<Item = &mut World> {
        std::iter::once(&mut self.home).chain(self.abroad.values_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;

    #[test]
    fn names_that_are_made_up_do_not_fill_the_memory() {
        let mut regions = Regions::new(World::new("us-west-2", 7, Images::default()));
        let refused = (1..1000).find_map(|number| {
            let region = format!("us-west-{number}");
            let admitted = regions.admit(&region);
            regions.world(if admitted.is_ok() { &region } else { "us-west-2" });
            admitted.err()
        });
        assert_eq!(refused.map(|error| error.code), Some("NotImplemented".to_owned()));
        assert_eq!(regions.worlds().count(), MAX_REGIONS);
        assert!(regions.admit("us-west-7").is_ok(), "those that have begun go on");
    }

    #[test]
    fn identifiers_of_two_regions_differ() {
        let mut regions = Regions::new(World::new("us-west-2", 7, Images::default()));
        let mut id = |region: &str| regions.world(region).ids.hex(32);
        let ids = [id("us-west-2"), id("us-east-1"), id("eu-west-1")];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    }
}
