//! The load of a simulation, minute by minute, from a profile.

use crate::failure::Failure;
use crate::profile::Profile;

const MINUTES_OF_A_DAY: u32 = 24 * 60;
/// Most orders of a simulation: each takes four bytes, and about a ten-millionth of a second.
const MOST_ORDERS: f64 = 100_000_000.0;

/// Orders a minute for each minute of the profile; with `days` for so many days, of which each begins with the
/// profile. A profile that is longer than a day then begins anew when its last day is over.
///
/// # Errors
/// If that is more than a hundred million orders.
pub fn of_profile(profile: &Profile, days: Option<u32>) -> Result<Vec<f64>, Failure> {
    let length = profile.duration_minutes();
    let period = length.div_ceil(MINUTES_OF_A_DAY) * MINUTES_OF_A_DAY;
    let minutes = days.map_or(length, |days| days * MINUTES_OF_A_DAY);
    let curve: Vec<f64> = (0..minutes).map(|minute| profile.rate_at(minute % period)).collect();
    within_bounds(curve)
}

/// The curve itself.
///
/// # Errors
/// If it has more than a hundred million orders.
pub fn within_bounds(curve: Vec<f64>) -> Result<Vec<f64>, Failure> {
    let orders: f64 = curve.iter().sum();
    if orders > MOST_ORDERS {
        return Err(Failure::new(format!("{orders:.0} orders are more than a simulation takes: {MOST_ORDERS:.0}"))
            .remedy("simulate fewer days, or a profile with smaller rates"));
    }
    Ok(curve)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_with_the_profile() {
        let profile = Profile { steps: vec![(0, 20.0), (2, 0.0)] };
        assert_eq!(of_profile(&profile, None).unwrap(), [20.0, 20.0]);
        let days = of_profile(&profile, Some(2)).unwrap();
        assert_eq!((days.len(), days.iter().sum::<f64>(), &days[1440..1443]), (2_880, 80.0, &[20.0, 20.0, 0.0][..]));
    }

    #[test]
    fn a_longer_profile_goes_on_the_next_day() {
        let profile = Profile { steps: vec![(0, 1.0), (1_440, 2.0), (1_500, 0.0)] };
        let days = of_profile(&profile, Some(3)).unwrap();
        assert_eq!([days[0], days[1_440], days[2_000], days[2_880]], [1.0, 2.0, 0.0, 1.0]);
    }

    #[test]
    fn too_many_orders_are_refused() {
        let profile = Profile { steps: vec![(0, 1_000_000.0), (101, 0.0)] };
        assert!(of_profile(&profile, None).unwrap_err().to_string().contains("101000000 orders"));
    }
}
