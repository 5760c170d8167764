//! How long a scaling holds back the next one.
//!
//! AWS: Application Auto Scaling user guide, "How cooldowns work". A cooldown begins when its scaling has succeeded; until then
//! the scaling is under way, which holds back as much.

use jiff::Timestamp;

use crate::series::later;

/// A scaling, as far as the next one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaling {
    /// The capacity before it, and before any other of the same run of scale-outs.
    pub from: u32,
    /// The capacity it set.
    pub to: u32,
    /// When as many tasks ran; `None`: they do not yet.
    pub succeeded_at: Option<Timestamp>,
    /// How long it then holds back.
    pub cooldown_seconds: u32,
}

/// Until when something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until a scaling that is under way has succeeded, and its cooldown after that.
    Success,
    /// Until this moment.
    Moment(Timestamp),
}

impl Scaling {
    /// Until when it holds back at `now`; `None`: it no longer does.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> Option<Until> {
        let Some(succeeded_at) = self.succeeded_at else { return Some(Until::Success) };
        let end = later(succeeded_at, i64::from(self.cooldown_seconds));
        (now < end).then_some(Until::Moment(end))
    }
}

/// The last scaling in each direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cooldowns {
    scale_out: Option<Scaling>,
    scale_in: Option<Scaling>,
}

impl Cooldowns {
    /// Notes a scaling that begins. A scale-out ends the cooldown of a scale-in.
    pub fn began(&mut self, now: Timestamp, from: u32, to: u32, cooldown_seconds: u32) {
        let scaling = Scaling { from, to, succeeded_at: None, cooldown_seconds };
        if to > from {
            self.scale_out = Some(Scaling { from: self.base(now, from), ..scaling });
            self.scale_in = None;
        } else {
            self.scale_in = Some(scaling);
        }
    }

    /// Notes that the scalings under way have ended.
    pub fn ended(&mut self, now: Timestamp) {
        for scaling in [&mut self.scale_out, &mut self.scale_in].into_iter().flatten() {
            scaling.succeeded_at.get_or_insert(now);
        }
    }

    /// What a scale-out adds to: `capacity`, but while the cooldown of another one holds, the capacity before that one. So what
    /// was already added counts, and only a larger scale-out changes anything.
    #[must_use]
    pub fn base(&self, now: Timestamp, capacity: u32) -> u32 {
        self.scale_out
            .filter(|scaling| scaling.holds(now).is_some())
            .map_or(capacity, |scaling| scaling.from.min(capacity))
    }

    /// Until when a scale-out is held back by an earlier one.
    #[must_use]
    pub fn holds_out(&self, now: Timestamp) -> Option<Until> {
        self.scale_out?.holds(now)
    }

    /// Until when a scale-in is held back by an earlier one.
    #[must_use]
    pub fn holds_in(&self, now: Timestamp) -> Option<Until> {
        self.scale_in?.holds(now)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_cooldown_begins_with_success() {
        let mut cooldowns = Cooldowns::default();
        cooldowns.began(at(0), 2, 4, 60);
        assert_eq!(cooldowns.holds_out(at(1000)), Some(Until::Success));
        cooldowns.ended(at(1000));
        cooldowns.ended(at(1010));
        assert_eq!(cooldowns.holds_out(at(1059)), Some(Until::Moment(at(1060))));
        assert_eq!(cooldowns.holds_out(at(1060)), None);
    }

    #[test]
    fn what_a_scale_out_added_counts_for_the_next() {
        let mut cooldowns = Cooldowns::default();
        cooldowns.began(at(0), 2, 4, 60);
        assert_eq!(cooldowns.base(at(10), 4), 2);
        cooldowns.began(at(10), 4, 6, 60);
        assert_eq!(cooldowns.base(at(20), 6), 2, "a run of scale-outs counts from its beginning");
        cooldowns.ended(at(20));
        assert_eq!(cooldowns.base(at(80), 6), 6);
    }

    #[test]
    fn a_scale_out_ends_the_cooldown_of_a_scale_in() {
        let mut cooldowns = Cooldowns::default();
        cooldowns.began(at(0), 4, 2, 300);
        cooldowns.ended(at(5));
        assert_eq!(cooldowns.holds_in(at(10)), Some(Until::Moment(at(305))));
        cooldowns.began(at(10), 2, 3, 300);
        assert_eq!(cooldowns.holds_in(at(11)), None);
    }
}
