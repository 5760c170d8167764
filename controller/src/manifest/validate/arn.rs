//! ARNs: `arn:partition:service:region:account:resource`.

use interstella_guard::partition;

use super::Problems;
use super::grammar;
use crate::manifest::Metadata;
use crate::manifest::pointer::Pointer;

/// The parts of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    partition: &'a str,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// `None` unless `text` has the six parts and a partition of AWS.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let [scheme, partition] = [parts.next()?, parts.next()?];
        let [service, region, account, resource] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
        let known = scheme == "arn" && partition::is_partition(partition);
        (clean && known && !resource.is_empty()).then_some(Self { partition, service, region, account, resource })
    }

    /// An ARN of `service` in some account and in a region of the ARN's partition.
    pub(super) fn regional(text: &'a str, service: &str) -> Option<Self> {
        let arn = Self::parse(text)?;
        let placed = partition::of_region(arn.region).is_some_and(|found| found.id == arn.partition);
        (arn.service == service && placed && grammar::account(arn.account)).then_some(arn)
    }
}

/// Checks the ARN of an IAM role, and that it is of the pinned account.
pub(super) fn role(problems: &mut Problems, path: Pointer, text: &str, metadata: &Metadata) {
    let arn = Arn::parse(text).filter(|arn| {
        let named = arn.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty() && !name.ends_with('/'));
        arn.service == "iam" && arn.region.is_empty() && grammar::account(arn.account) && named
    });
    match arn {
        None => {
            let what = format!("`{}` is not the ARN of a role", super::shorten(text));
            problems.add(path, what, "write arn:aws:iam::<account>:role/<name>");
        }
        Some(arn) => same_account(problems, path, arn.account, metadata),
    }
}

/// Checks `account` against the pin, unless the pin itself is wrong.
pub(super) fn same_account(problems: &mut Problems, path: Pointer, account: &str, metadata: &Metadata) {
    if let Some(pinned) = metadata.account.as_deref().filter(|pinned| grammar::account(pinned) && *pinned != account) {
        let what = format!("it belongs to account {account}, but metadata.account is {pinned}");
        problems.add(path, what, "use one account in both places");
    }
}

/// Checks `region` against the pin, unless the pin itself is wrong.
pub(super) fn same_region(problems: &mut Problems, path: Pointer, region: &str, metadata: &Metadata) {
    if let Some(pinned) = metadata.region.as_deref().filter(|pinned| partition::is_region(pinned) && *pinned != region)
    {
        let what = format!("it is in region {region}, but metadata.region is {pinned}");
        problems.add(path, what, "use one region in both places");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let topic = Arn::regional("arn:aws:sns:us-west-2:123456789012:orderTopic", "sns");
        assert_eq!(topic.map(|arn| (arn.region, arn.resource)), Some(("us-west-2", "orderTopic")));
        let resource = Arn::parse("arn:aws-cn:ecs:cn-north-1:123456789012:a:b/c").map(|arn| arn.resource);
        assert_eq!(resource, Some("a:b/c"));
        for bad in
            ["", "arn", "arn:aws:sns:us-west-2:123456789012", "arn:aws:sns:us-west-2:123456789012:", "urn:aws:a:b:c:d"]
        {
            assert_eq!(Arn::parse(bad), None, "{bad}");
        }
        for (region, partition, fits) in [
            ("eusc-de-east-1", "aws-eusc", true),
            ("us-gov-west-1", "aws-us-gov", true),
            ("eusc-de-east-1", "aws", false),
            ("us-west-2", "aws-cn", false),
            ("us-west-2", "aws-xx", false),
        ] {
            let text = format!("arn:{partition}:sns:{region}:123456789012:t");
            assert_eq!(Arn::regional(&text, "sns").is_some(), fits, "{text}");
        }
        assert_eq!(Arn::regional("arn:aws:sns:us-west-2:1:orderTopic", "sns"), None);
        assert_eq!(Arn::regional("arn:aws:sqs:us-west-2:123456789012:q", "sns"), None);
    }
}
