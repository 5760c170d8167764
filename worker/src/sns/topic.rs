//! Topic ARNs, and the one SNS host that belongs to a topic's region.

use interstella_guard::partition;

/// A topic that the worker takes orders from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Topic {
    arn: String,
    host: String,
}

impl Topic {
    /// Reads `arn:PARTITION:sns:REGION:ACCOUNT:NAME`. A region of another partition is refused rather than guessed at.
    pub(crate) fn parse(arn: &str) -> Option<Topic> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", partition, "sns", region, account, name] = parts[..] else { return None };
        let domain = partition::of_region(region).filter(|found| found.id == partition)?.domain;
        let is_account = account.len() == 12 && is_word(account, |byte| byte.is_ascii_digit());
        let plain_name = name.strip_suffix(".fifo").unwrap_or(name);
        let is_name = name.len() <= 256
            && is_word(plain_name, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (is_account && is_name).then(|| Topic { arn: arn.to_owned(), host: format!("sns.{region}.{domain}") })
    }

    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    /// `us-west-2`.
    pub(crate) fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }

    /// `sns.REGION.amazonaws.com`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where this topic's SNS answers and serves its certificates: the local cloud's origin, if there is one.
    pub(crate) fn origin(&self, local_origin: Option<&str>) -> String {
        local_origin.map_or_else(|| format!("https://{}", self.host), str::to_owned)
    }
}

fn is_word(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= 256 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_follow_the_partition() {
        for (arn, host) in [
            ("arn:aws:sns:us-west-2:123456789012:orderTopic", Some("sns.us-west-2.amazonaws.com")),
            ("arn:aws-cn:sns:cn-north-1:123456789012:t.fifo", Some("sns.cn-north-1.amazonaws.com.cn")),
            ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:t", Some("sns.us-gov-west-1.amazonaws.com")),
            ("arn:aws-eusc:sns:eusc-de-east-1:123456789012:t", Some("sns.eusc-de-east-1.amazonaws.eu")),
            ("arn:aws-iso:sns:us-iso-east-1:123456789012:t", Some("sns.us-iso-east-1.c2s.ic.gov")),
            ("arn:aws:sns:eusc-de-east-1:123456789012:t", None),
            ("arn:aws-xx:sns:us-west-2:123456789012:t", None),
            ("arn:aws:sns:us-west-2.evil.com/:123456789012:t", None),
            ("arn:aws:sns:us-west-2:12345678901:t", None),
            ("arn:aws:sns:us-west-2:123456789012:", None),
            ("arn:aws:sns:us-west-2:123456789012:a:b", None),
            ("", None),
        ] {
            assert_eq!(Topic::parse(arn).as_ref().map(Topic::host), host, "{arn}");
        }
    }
}
