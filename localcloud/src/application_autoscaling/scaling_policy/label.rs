//! Resource labels of ALBRequestCountPerTarget: the tails of a load balancer's and a target group's ARN, joined by a slash.

use crate::application_autoscaling::errors::invalid;
use crate::call::ApiError;
use crate::ecs::{self, ServiceKey};
use crate::world::World;

/// Hexadecimal digits of an ID in an ARN of load balancing.
const ID_DIGITS: usize = 16;

/// The two halves of a label, as dimensions of metrics have them.
#[derive(Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// `app/<name>/<id>`.
    pub load_balancer: &'a str,
    /// `targetgroup/<name>/<id>`.
    pub target_group: &'a str,
}

/// Admits `app/<name>/<id>/targetgroup/<name>/<id>` if the target group is one of the service's. As recorded on AWS, the load
/// balancer need not exist.
///
/// # Errors
/// `ValidationException`, in words that are unverified.
pub fn admit<'a>(world: &World, key: &ServiceKey, label: &'a str) -> Result<Label<'a>, ApiError> {
    let label = parse(label).ok_or_else(|| {
        invalid(format!(
            "The resource label {label:?} is not valid: it is \
             app/<load balancer name>/<load balancer id>/targetgroup/<target group name>/<target group id>."
        ))
    })?;
    let arn = world.arn("elasticloadbalancing", label.target_group);
    if ecs::target_groups(world, key).contains(&arn) {
        return Ok(label);
    }
    Err(invalid(format!("The target group {arn} of the resource label is not attached to the ECS service.")))
}

fn parse(label: &str) -> Option<Label<'_>> {
    let parts: Vec<&str> = label.split('/').collect();
    let ["app", balancer, balancer_id, "targetgroup", group, group_id] = parts[..] else { return None };
    let is_id = |id: &str| id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if balancer.is_empty() || group.is_empty() || !is_id(balancer_id) || !is_id(group_id) {
        return None;
    }
    let middle = label.find("/targetgroup/")?;
    Some(Label { load_balancer: &label[..middle], target_group: &label[middle + 1..] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_two_tails_of_arns() {
        let label = parse("app/a/0123456789abcdef/targetgroup/g/fedcba9876543210");
        let (load_balancer, target_group) = ("app/a/0123456789abcdef", "targetgroup/g/fedcba9876543210");
        assert_eq!(label, Some(Label { load_balancer, target_group }));
    }

    #[test]
    fn what_aws_refuses_is_none() {
        let refused = [
            "",
            "net/a/0123456789abcdef/targetgroup/g/fedcba9876543210",
            "app/a/0123456789abcde/targetgroup/g/fedcba9876543210",
            "app/a/0123456789abcdef/targetgroup/g/fedcba987654321",
            "app/a/0123456789abcdef/targetgroup/g/fedcba9876543210/more",
            "targetgroup/g/fedcba9876543210",
        ];
        assert_eq!(refused.map(parse), [const { None }; 6]);
    }
}
