//! Names of regions.

use interstella_guard::partition;

/// Whether a region of the partition `aws` can have this name, such as `eu-west-1`: credentials of one partition are not valid in
/// another (AWS: IAM user guide, "Partitions"), and the account of this cloud is one of `aws`.
pub fn is_name(text: &str) -> bool {
    partition::of_region(text).is_some_and(|one| one.id == "aws")
}

/// The region that an ARN names; `None`: it names none.
pub fn of_arn(arn: &str) -> Option<&str> {
    match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, _, region, _, _] if !region.is_empty() => Some(region),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_one_partition() {
        for name in ["us-west-2", "eu-central-1", "ap-southeast-10", "mx-central-1", "il-central-1"] {
            assert!(is_name(name), "{name}");
        }
        let others =
            ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-west-2a", "us-west", "US-WEST-2", "us--1", ""];
        for name in others {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn an_arn_tells_its_region() {
        assert_eq!(of_arn("arn:aws:sns:eu-west-1:123456789012:a:b"), Some("eu-west-1"));
        for none in ["arn:aws:iam::123456789012:root", "arn:aws:sns:x", "a:b:c:d:e:f"] {
            assert_eq!(of_arn(none), None, "{none}");
        }
    }
}
