//! AWS's partitions: which regions belong to them, and under which domain their services answer.
//!
//! A region becomes part of the name of a host that gets requests, and that certificates are fetched from. So there is
//! one reading of regions and partitions for every crate, and a text that is no region never gets into a name.
//!
//! Source of the table: the partitions that AWS's SDKs carry (`regionRegex` and `dnsSuffix` of `partitions.json`,
//! 2026).

/// A separate part of AWS, with accounts, regions and ARNs of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// As the second part of an ARN says it, such as `aws-cn`.
    pub id: &'static str,
    /// What the names of its services' hosts end in, such as `amazonaws.com.cn`.
    pub domain: &'static str,
    /// How its regions begin, up to the `-` before the direction. Empty for `aws`, which has all others.
    area: &'static str,
}

const AWS: Partition = Partition { id: "aws", domain: "amazonaws.com", area: "" };

const OTHERS: [Partition; 7] = [
    Partition { id: "aws-cn", domain: "amazonaws.com.cn", area: "cn" },
    Partition { id: "aws-us-gov", domain: "amazonaws.com", area: "us-gov" },
    Partition { id: "aws-eusc", domain: "amazonaws.eu", area: "eusc-de" },
    Partition { id: "aws-iso", domain: "c2s.ic.gov", area: "us-iso" },
    Partition { id: "aws-iso-b", domain: "sc2s.sgov.gov", area: "us-isob" },
    Partition { id: "aws-iso-e", domain: "cloud.adc-e.uk", area: "eu-isoe" },
    Partition { id: "aws-iso-f", domain: "csp.hci.ic.gov", area: "us-isof" },
];

/// The partition that `region` belongs to; `None` if the text cannot be a region.
///
/// A region need not exist yet: whatever has two letters, a direction and a number is one of `aws`, as AWS's SDKs take
/// it.
#[must_use]
pub fn of_region(region: &str) -> Option<&'static Partition> {
    let (place, number) = region.rsplit_once('-')?;
    let (area, direction) = place.rsplit_once('-')?;
    let numbered = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    if !numbered || !is_word(direction) {
        return None;
    }
    let other = OTHERS.iter().find(|partition| partition.area == area);
    other.or((area.len() == 2 && is_word(area)).then_some(&AWS))
}

/// Whether `text` can be a region, such as `us-west-2`, `us-gov-east-1` or `eusc-de-east-1`.
#[must_use]
pub fn is_region(text: &str) -> bool {
    of_region(text).is_some()
}

/// Whether `id` is a partition of AWS, such as `aws` or `aws-eusc`.
#[must_use]
pub fn is_partition(id: &str) -> bool {
    id == AWS.id || OTHERS.iter().any(|partition| partition.id == id)
}

fn is_word(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_partition_and_domain() {
        for (region, id, domain) in [
            ("us-west-2", "aws", "amazonaws.com"),
            ("ap-southeast-7", "aws", "amazonaws.com"),
            ("zz-north-12", "aws", "amazonaws.com"),
            ("cn-northwest-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-east-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-west-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
        ] {
            let found = of_region(region).map(|partition| (partition.id, partition.domain));
            assert_eq!(found, Some((id, domain)), "{region}");
            assert!(is_partition(id), "{id}");
        }
    }

    #[test]
    fn what_is_no_region_gets_into_no_name() {
        for text in [
            "",
            "us",
            "us-west",
            "US-west-2",
            "us--2",
            "us-west-",
            "us-west-123",
            "us-west-2a",
            "us-west-2.evil.com/",
            "us-west-2 ",
            "eusc-east-1",
            "eusc-fr-east-1",
            "usa-west-2",
            "us-xxx-west-2",
            "aws-global",
            "-west-2",
        ] {
            assert_eq!(of_region(text), None, "{text:?}");
        }
        for text in ["", "aws-", "aws-xx", "AWS", "aws-eusc "] {
            assert!(!is_partition(text), "{text:?}");
        }
    }
}
