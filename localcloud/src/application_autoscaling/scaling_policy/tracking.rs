//! The configuration of a target-tracking policy.

use interstella_autoscaling::tracking::{DEFAULT_COOLDOWN_SECONDS, TargetTracking};
use serde::Deserialize;

use super::metric::{Customized, Predefined};
use crate::application_autoscaling::errors::invalid;
use crate::call::ApiError;
use crate::cloudwatch::Watched;
use crate::ecs::ServiceKey;
use crate::world::World;

/// TargetTrackingScalingPolicyConfiguration of the API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Configuration {
    target_value: f64,
    predefined_metric_specification: Option<Predefined>,
    customized_metric_specification: Option<Customized>,
    scale_out_cooldown: Option<i64>,
    scale_in_cooldown: Option<i64>,
    #[serde(default)]
    disable_scale_in: bool,
}

impl Configuration {
    /// What the policy says.
    ///
    /// # Errors
    /// `ValidationException` for a target that is not above zero and for negative cooldowns.
    pub fn policy(&self) -> Result<TargetTracking, ApiError> {
        if !(self.target_value.is_finite() && self.target_value > 0.0) {
            return Err(invalid("TargetValue must be above zero."));
        }
        Ok(TargetTracking {
            target: self.target_value,
            scale_out_cooldown_seconds: cooldown("ScaleOutCooldown", self.scale_out_cooldown)?,
            scale_in_cooldown_seconds: cooldown("ScaleInCooldown", self.scale_in_cooldown)?,
            disable_scale_in: self.disable_scale_in,
        })
    }

    /// The metric that the policy keeps near its target.
    ///
    /// # Errors
    /// `ValidationException` for none, for two, and for one that the service does not have.
    pub fn metric(&self, world: &World, key: &ServiceKey) -> Result<Watched, ApiError> {
        match (&self.predefined_metric_specification, &self.customized_metric_specification) {
            (Some(predefined), None) => predefined.metric(world, key),
            (None, Some(customized)) => customized.metric(),
            _ => Err(invalid(
                "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be given.",
            )),
        }
    }
}

/// A cooldown in seconds; AWS's default for ECS services where none is given.
pub fn cooldown(name: &str, given: Option<i64>) -> Result<u32, ApiError> {
    let given = given.unwrap_or_else(|| i64::from(DEFAULT_COOLDOWN_SECONDS));
    u32::try_from(given).map_err(|_| invalid(format!("{name} cannot be negative.")))
}
