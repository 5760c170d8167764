//! What a load balancer's metrics say of the traffic to each target.

/// `RequestCountPerTarget` of a minute: its requests divided by the healthy targets, on average over the looks taken in the minute,
/// and by one at least. AWS does not document which targets it counts; this definition is ours (unverified).
#[must_use]
pub fn requests_per_target(requests: f64, healthy_targets: &[u32]) -> f64 {
    let looks = u32::try_from(healthy_targets.len()).unwrap_or(u32::MAX).max(1);
    let sum: f64 = healthy_targets.iter().copied().map(f64::from).sum();
    requests / (sum / f64::from(looks)).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::requests_per_target;

    #[test]
    fn requests_are_shared_by_the_targets_that_were_healthy() {
        assert_eq!(requests_per_target(120.0, &[2; 6]), 60.0);
        assert_eq!(requests_per_target(120.0, &[1, 1, 1, 3, 3, 3]), 60.0);
        assert_eq!(requests_per_target(120.0, &[0; 6]), 120.0, "at least one");
        assert_eq!(requests_per_target(120.0, &[]), 120.0);
    }
}
