//! The requests that make and change a target group, from the normal form.

use aws_sdk_elasticloadbalancingv2::types::{Matcher, ProtocolEnum, TargetGroupAttribute};

use super::{ALGORITHM, DELAY, Spec};
use crate::app::Marks;
use crate::aws::Aws;
use crate::diff::Change;
use crate::error::Error;
use crate::manifest::HealthCheck;
use crate::resource::tags;

/// CreateTargetGroup.
///
/// # Errors
/// When the call fails.
pub(super) async fn create(aws: &Aws, name: &str, vpc_id: &str, spec: &Spec, marks: &Marks) -> Result<(), Error> {
    let check = &spec.health_check;
    let call = aws.write.elb.create_target_group().name(name).vpc_id(vpc_id).protocol(ProtocolEnum::Http);
    let call = call.port(count(spec.port)).target_type(spec.target_type.as_str().into());
    let call = call.health_check_protocol(ProtocolEnum::Http).health_check_enabled(true);
    let call = call.health_check_path(&check.path).health_check_port(&check.port).matcher(matcher(check));
    let call = call.health_check_interval_seconds(count(check.interval_seconds));
    let call = call.health_check_timeout_seconds(count(check.timeout_seconds));
    let call = call.healthy_threshold_count(count(check.healthy_threshold));
    let call = call.unhealthy_threshold_count(count(check.unhealthy_threshold));
    let call = call.set_tags(Some(tags::for_elb(marks))).send().await;
    call.map(drop).map_err(Error::of("elasticloadbalancing:CreateTargetGroup"))
}

/// ModifyTargetGroup, ModifyTargetGroupAttributes, as the changes need.
///
/// # Errors
/// When a call fails.
pub(super) async fn update(aws: &Aws, arn: &str, spec: &Spec, changes: &[Change]) -> Result<(), Error> {
    let (check, elb) = (&spec.health_check, &aws.write.elb);
    let (of_check, of_attributes): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| change.path.starts_with("healthCheck."));
    if !of_check.is_empty() {
        let call = elb.modify_target_group().target_group_arn(arn).health_check_path(&check.path);
        let call = call.health_check_port(&check.port).matcher(matcher(check));
        let call = call.health_check_interval_seconds(count(check.interval_seconds));
        let call = call.health_check_timeout_seconds(count(check.timeout_seconds));
        let call = call.healthy_threshold_count(count(check.healthy_threshold));
        let call = call.unhealthy_threshold_count(count(check.unhealthy_threshold)).send().await;
        call.map_err(Error::of("elasticloadbalancing:ModifyTargetGroup"))?;
    }
    if !of_attributes.is_empty() {
        let attribute = |key: &str, value: &str| TargetGroupAttribute::builder().key(key).value(value).build();
        let delay = attribute(DELAY, &spec.attributes.deregistration_delay_seconds.to_string());
        let call = elb.modify_target_group_attributes().target_group_arn(arn).attributes(delay);
        let call = call.attributes(attribute(ALGORITHM, &spec.attributes.algorithm)).send().await;
        call.map_err(Error::of("elasticloadbalancing:ModifyTargetGroupAttributes"))?;
    }
    Ok(())
}

fn matcher(check: &HealthCheck) -> Matcher {
    Matcher::builder().http_code(&check.matcher).build()
}

/// Validation keeps all numbers far below; AWS would refuse what is cut here.
fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
