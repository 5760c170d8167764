//! Names and ARNs by which requests mean resources.

use serde_json::Value;

use super::errors::invalid;
use crate::call::ApiError;
use crate::region;

/// What follows the last `/` of an ARN; a bare name or ID is itself.
pub(super) fn name_of(name_or_arn: &str) -> &str {
    name_or_arn.rsplit('/').next().unwrap_or(name_or_arn)
}

/// Refuses a request that means a resource of another region by its ARN: its name alone might be that of one here.
pub(super) fn check_region(own_region: &str, input: &Value) -> Result<(), ApiError> {
    let members = input.as_object().into_iter().flat_map(|members| members.values());
    let texts = members.flat_map(|member| member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice));
    let mut arns = texts.filter_map(Value::as_str).filter(|text| text.starts_with("arn:aws:ecs:"));
    match arns.find_map(|arn| region::of_arn(arn).filter(|region| *region != own_region)) {
        Some(region) => {
            Err(invalid(format!("Invalid identifier: Identifier is for {region}. Your region is {own_region}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arns_of_other_regions_are_refused_wherever_they_stand() {
        let cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/a";
        for input in [json!({ "cluster": cluster }), json!({ "clusters": ["b", cluster] })] {
            assert!(check_region("eu-west-1", &input).is_ok(), "{input}");
            let refused = check_region("us-west-2", &input).map_err(|error| error.message);
            let wanted = "Invalid identifier: Identifier is for eu-west-1. Your region is us-west-2";
            assert_eq!(refused, Err(wanted.to_owned()), "{input}");
        }
        assert!(check_region("us-west-2", &json!({ "cluster": "a", "role": "arn:aws:iam::1:role/r" })).is_ok());
    }
}
