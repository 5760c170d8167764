//! Health of targets. A new target is `initial` until its first checks decide; one success makes it healthy. Afterwards thresholds
//! hold. Checks go out as effects and come back as reports; a result of a target that is not registered any more is ignored.

use std::time::Duration;

use super::health_check::HealthCheck;
use super::{Registered, Target, TargetHealth, Timer};
use crate::clock::CloudTime;
use crate::effect::{CheckResult, Effect, HealthCheckRequest};
use crate::world::{self, World};

/// From registration to the first check.
const FIRST_CHECK: Duration = Duration::from_millis(100);
/// Between checks of a target that is still initial. AWS's several nodes each check a new target, so the first success comes soon;
/// failures are still counted only once per interval.
const INITIAL_INTERVAL: Duration = Duration::from_millis(500);

/// A registered target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Registration {
    /// Tells this registration from others of the same target.
    pub(super) id: u64,
    pub(super) state: State,
    /// Checks in a row that passed, or that failed.
    streak: u32,
    /// Before this moment further failures of an initial target are not counted.
    count_from: CloudTime,
    /// Whether the result of a check is awaited.
    awaited: bool,
}

/// Where a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// No load balancer uses the group.
    Unused,
    /// Just registered.
    Registering,
    /// The first checks are being made.
    Initial,
    Healthy,
    /// With the last check's result.
    Unhealthy(CheckResult),
    /// Deregistered, until the delay is over.
    Draining,
}

impl State {
    /// State and reason code as the API names them.
    pub(super) fn names(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Unused => ("unused", Some("Target.NotInUse")),
            Self::Registering => ("initial", Some("Elb.RegistrationInProgress")),
            Self::Initial => ("initial", Some("Elb.InitialHealthChecking")),
            Self::Healthy => ("healthy", None),
            Self::Unhealthy(CheckResult::Status(_)) => ("unhealthy", Some("Target.ResponseCodeMismatch")),
            Self::Unhealthy(CheckResult::Timeout) => ("unhealthy", Some("Target.Timeout")),
            Self::Unhealthy(CheckResult::Failed) => ("unhealthy", Some("Target.FailedHealthChecks")),
            Self::Draining => ("draining", Some("Target.DeregistrationInProgress")),
        }
    }

    /// AWS's sentence about the state.
    pub(super) fn description(self) -> Option<String> {
        let text = match self {
            Self::Healthy => return None,
            Self::Unhealthy(CheckResult::Status(status)) => {
                return Some(format!("Health checks failed with these codes: [{status}]"));
            }
            Self::Unhealthy(CheckResult::Timeout) => "Request timed out",
            Self::Unhealthy(CheckResult::Failed) => "Health checks failed",
            Self::Unused => "Target group is not configured to receive traffic from the load balancer",
            Self::Registering => "Target registration is in progress",
            Self::Initial => "Initial health checks in progress",
            Self::Draining => "Target deregistration is in progress",
        };
        Some(text.to_owned())
    }
}

impl Registration {
    /// A registration that is not started yet.
    pub(super) fn new(id: u64) -> Self {
        Self { id, state: State::Unused, streak: 0, count_from: CloudTime::default(), awaited: false }
    }

    /// Takes in a result. Returns whether the state has changed.
    fn take(&mut self, now: CloudTime, settings: &HealthCheck, result: CheckResult) -> bool {
        self.awaited = false;
        let passed = settings.passes(result);
        let before = self.state;
        match before {
            State::Unused | State::Registering | State::Draining => return false,
            State::Initial if passed => self.enter(State::Healthy),
            State::Initial if now < self.count_from => {}
            State::Initial => {
                self.count_from = now.after(settings.interval);
                self.count(settings.unhealthy_threshold, State::Unhealthy(result));
            }
            State::Healthy if passed => self.streak = 0,
            State::Healthy => self.count(settings.unhealthy_threshold, State::Unhealthy(result)),
            State::Unhealthy(_) if passed => self.count(settings.healthy_threshold, State::Healthy),
            State::Unhealthy(_) => self.enter(State::Unhealthy(result)),
        }
        self.state != before
    }

    fn count(&mut self, threshold: u32, next: State) {
        self.streak += 1;
        if self.streak >= threshold {
            self.enter(next);
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.streak = 0;
    }
}

/// Health of a registered target; `None` once it is not registered any more (draining is over).
pub fn health(world: &World, target_group_arn: &str, target: &Target) -> Option<TargetHealth> {
    let registration = world.elb.target_groups.get(target_group_arn)?.targets.get(target)?;
    let (state, reason) = registration.state.names();
    Some(TargetHealth { state: state.to_owned(), reason: reason.map(str::to_owned) })
}

/// Takes in the result of a health check.
pub fn checked(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target, result: CheckResult) {
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    let Some(registration) = group.targets.get_mut(target).filter(|registration| registration.awaited) else { return };
    if registration.take(now, &group.settings.health_check, result) {
        changed(world, now, target_group_arn, target);
    }
}

/// Begins the checks of a target that was just registered or whose group has just come into use.
pub(super) fn start(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    world.elb.registrations += 1;
    let id = world.elb.registrations;
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    let in_use = !group.load_balancers.is_empty();
    let Some(registration) = group.targets.get_mut(target) else { return };
    *registration = Registration::new(id);
    if in_use {
        registration.state = State::Registering;
        let registered =
            Registered { target_group_arn: target_group_arn.to_owned(), target: target.clone(), registration: id };
        world.timers.set(now.after(FIRST_CHECK), world::Timer::Elb(Timer::Check(registered)));
    }
    world.elb.unpublished = true;
}

/// A load balancer has begun or ceased to use the group. A draining target goes on draining.
pub(super) fn use_changed(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    if state(world, target_group_arn, target).is_some_and(|state| state != State::Draining) {
        start(world, now, target_group_arn, target);
        changed(world, now, target_group_arn, target);
    }
}

/// Has all targets of a group checked in the rhythm that its settings now say.
pub(super) fn reschedule(world: &mut World, now: CloudTime, target_group_arn: &str) {
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    let at = now.after(group.settings.health_check.interval);
    for (target, registration) in &mut group.targets {
        if matches!(registration.state, State::Healthy | State::Unhealthy(_)) {
            world.elb.registrations += 1;
            registration.id = world.elb.registrations;
            let registered = Registered {
                target_group_arn: target_group_arn.to_owned(),
                target: target.clone(),
                registration: registration.id,
            };
            world.timers.set(at, world::Timer::Elb(Timer::Check(registered)));
        }
    }
}

/// Sends one check and sets the timer of the next.
pub(super) fn check(world: &mut World, now: CloudTime, registered: &Registered) {
    let Registered { target_group_arn, target, registration: id } = registered;
    let Some(group) = world.elb.target_groups.get_mut(target_group_arn) else { return };
    let Some(registration) = group.targets.get_mut(target).filter(|registration| registration.id == *id) else {
        return;
    };
    let settings = &group.settings.health_check;
    let next = match registration.state {
        State::Unused | State::Draining => return,
        State::Registering | State::Initial => INITIAL_INTERVAL,
        State::Healthy | State::Unhealthy(_) => settings.interval,
    };
    // A slow target is not asked again before it has answered, except at the interval, in case the answer was lost.
    let send = !std::mem::replace(&mut registration.awaited, true) || next == settings.interval;
    let request = HealthCheckRequest {
        target_group_arn: target_group_arn.clone(),
        target: target.clone(),
        address: world.addresses.resolve(&target.id, settings.fixed_port().unwrap_or(target.port)),
        path: settings.path.clone(),
        timeout: settings.timeout,
    };
    if registration.state == State::Registering {
        registration.state = State::Initial;
    }
    if send {
        world.effects.push(Effect::CheckTarget(request));
    }
    world.timers.set(now.after(next), world::Timer::Elb(Timer::Check(registered.clone())));
}

/// State of a registered target.
pub(super) fn state(world: &World, target_group_arn: &str, target: &Target) -> Option<State> {
    Some(world.elb.target_groups.get(target_group_arn)?.targets.get(target)?.state)
}

/// A target's state has changed: the proxy and ECS have to know.
fn changed(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    world.elb.unpublished = true;
    crate::ecs::target_changed(world, now, target_group_arn, target);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds results one interval apart and writes down the state after each.
    fn run(results: &[CheckResult]) -> Vec<&'static str> {
        let mut settings = HealthCheck::default();
        settings.healthy_threshold = 3;
        let mut registration = Registration { state: State::Initial, ..Registration::new(1) };
        let mut now = CloudTime::from_millis(1_000_000);
        let mut states = Vec::new();
        for result in results {
            registration.take(now, &settings, *result);
            states.push(registration.state.names().0);
            now = now.after(settings.interval);
        }
        states
    }

    const OK: CheckResult = CheckResult::Status(200);
    const BAD: CheckResult = CheckResult::Status(500);

    #[test]
    fn one_success_makes_a_new_target_healthy() {
        assert_eq!(run(&[OK]), ["healthy"]);
        assert_eq!(run(&[BAD, OK]), ["initial", "healthy"]);
    }

    #[test]
    fn thresholds_count_results_in_a_row() {
        assert_eq!(run(&[OK, BAD, OK, BAD, BAD]), ["healthy", "healthy", "healthy", "healthy", "unhealthy"]);
        let recovery = run(&[BAD, BAD, OK, OK, BAD, OK, OK, OK]);
        assert_eq!(
            recovery,
            ["initial", "unhealthy", "unhealthy", "unhealthy", "unhealthy", "unhealthy", "unhealthy", "healthy"]
        );
    }

    #[test]
    fn early_failures_of_an_initial_target_count_once_per_interval() {
        let settings = HealthCheck::default();
        let mut registration = Registration { state: State::Initial, ..Registration::new(1) };
        let start = CloudTime::from_millis(1_000_000);
        for half_seconds in 0..59 {
            registration.take(start.after(INITIAL_INTERVAL * half_seconds), &settings, CheckResult::Failed);
        }
        assert_eq!(registration.state, State::Initial);
        registration.take(start.after(settings.interval), &settings, CheckResult::Failed);
        assert_eq!(registration.state, State::Unhealthy(CheckResult::Failed));
    }
}
