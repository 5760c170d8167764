//! What names and identifiers may look like (AWS: botocore models of each service, 2026).

/// ECS cluster, service, family and container: 1–255 letters, digits, `_`, `-`.
pub(super) fn ecs_name(text: &str) -> bool {
    sized(text, 255) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}
/// What to say about a text that is not an [`ecs_name`].
pub(super) const ECS_NAME: &str = "use 1 to 255 letters, digits, `_` and `-`";

/// Target group: 1–32 letters, digits, `-`, no `-` at the ends.
pub(super) fn target_group_name(text: &str) -> bool {
    let hyphen_inside = !text.starts_with('-') && !text.ends_with('-');
    sized(text, 32) && hyphen_inside && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}
/// What to say about a text that is not a [`target_group_name`].
pub(super) const TARGET_GROUP_NAME: &str = "use 1 to 32 letters, digits and `-`, no `-` at the ends";

/// Load balancer: as a target group, but not starting `internal-`.
pub(super) fn load_balancer_name(text: &str) -> bool {
    target_group_name(text) && !text.starts_with("internal-")
}
/// What to say about a text that is not a [`load_balancer_name`].
pub(super) const LOAD_BALANCER_NAME: &str =
    "use 1 to 32 letters, digits and `-`, no `-` at the ends, not starting `internal-`";

/// Log group: 1–512 of letters, digits, `.-_/#`, not starting `aws/`.
pub(super) fn log_group_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
    sized(text, 512) && !text.starts_with("aws/") && text.bytes().all(known)
}
/// What to say about a text that is not a [`log_group_name`].
pub(super) const LOG_GROUP_NAME: &str = "use 1 to 512 letters, digits and `.-_/#`, not starting `aws/`";

/// Prefix of log streams: no `:` or `*`.
pub(super) fn stream_prefix(text: &str) -> bool {
    !text.is_empty() && !text.contains([':', '*']) && !text.chars().any(char::is_control)
}

/// AWS account: 12 digits.
pub(super) fn account(text: &str) -> bool {
    text.len() == 12 && digits(text)
}

/// Subnet ID.
pub(super) fn subnet_id(text: &str) -> bool {
    identifier(text, "subnet-")
}

/// Security group ID.
pub(super) fn security_group_id(text: &str) -> bool {
    identifier(text, "sg-")
}

/// Name of an environment variable. AWS names no grammar; what Docker takes ends at `=`, and spaces are mistakes.
pub(super) fn variable(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control())
}

/// SSM parameter name or path.
pub(super) fn parameter(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-/".contains(&byte);
    sized(text, 1011) && text.bytes().all(known) && !text.contains("//") && text != "/" && !text.ends_with('/')
}

/// Path of a URL, without query.
pub(super) fn url_path(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
    sized(text, 1024) && text.starts_with('/') && text.bytes().all(known)
}

/// Path of a health check, which may have a query.
pub(super) fn health_check_path(text: &str) -> bool {
    sized(text, 1024) && text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `[registry[:port]/]path[:tag][@algorithm:digest]`.
pub(super) fn image(text: &str) -> bool {
    if !sized(text, 512) {
        return false;
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (text, None),
    };
    let last_slash = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[last_slash..].split_once(':') {
        Some((last, tag)) => (&rest[..last_slash + last.len()], Some(tag)),
        None => (rest, None),
    };
    repository(name) && tag.is_none_or(image_tag) && digest.is_none_or(image_digest)
}

fn repository(name: &str) -> bool {
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), path),
        _ => (None, name),
    };
    let component = |part: &str| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        ends(part.bytes().next()) && ends(part.bytes().last()) && part.bytes().all(known)
    };
    path.split('/').all(component) && registry.is_none_or(image_registry)
}

fn image_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "443"));
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    !host.is_empty() && host.bytes().all(known) && port.parse::<u16>().is_ok()
}

fn image_tag(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    sized(text, 128) && !text.starts_with(['.', '-']) && text.bytes().all(known)
}

fn image_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn identifier(text: &str, prefix: &str) -> bool {
    let rest = text.strip_prefix(prefix).unwrap_or_default();
    sized(rest, 32) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn sized(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rule: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(rule(text), "{text:?} should be accepted");
        }
        for text in bad {
            assert!(!rule(text), "{text:?} should be refused");
        }
    }

    #[test]
    fn names() {
        let (n32, n33, n255, n256) = ("a".repeat(32), "a".repeat(33), "a".repeat(255), "a".repeat(256));
        table(ecs_name, &["a", "A_b-9", &n255], &["", "a b", "a.b", "ä", &n256]);
        table(target_group_name, &["a", "a-b", "internal-a", &n32], &["", "-a", "a-", "a_b", &n33]);
        table(load_balancer_name, &["interstella"], &["internal-a", "a_b"]);
        table(log_group_name, &["/ecs/app#1", "a.b_c-d"], &["", "aws/x", "a b", "a:b"]);
        table(stream_prefix, &["app", "a/b"], &["", "a:b", "a*"]);
    }

    #[test]
    fn identifiers() {
        table(account, &["123456789012"], &["", "12345678901", "1234567890123", "12345678901a"]);
        table(subnet_id, &["subnet-0a1b2c3d4e5f60001"], &["subnet-", "sg-1", "subnet-a b"]);
        table(security_group_id, &["sg-0a1b2c3d"], &["sg-", "subnet-1"]);
    }

    #[test]
    fn texts_of_containers() {
        table(variable, &["A", "_a", "A.b-C_1", "1A", "Logging:Level"], &["", "A=B", "A B", "A\n"]);
        table(parameter, &["/a/b", "name", "a.b-c_d"], &["", "/", "a//b", "a b", "/a/"]);
        table(url_path, &["/", "/order/", "/a-b/c.d"], &["", "order", "/a b", "/a?b", "/a#b"]);
        table(health_check_path, &["/", "/a?b=c"], &["", "a", "/a b"]);
    }

    #[test]
    fn images() {
        let digest = format!("a@sha256:{}", "0".repeat(64));
        table(
            image,
            &[
                "nginx",
                "interstella/monolith:latest",
                "123456789012.dkr.ecr.us-west-2.amazonaws.com/a/b:v1.2",
                "localhost:5000/a",
                &digest,
            ],
            &["", "a b", "UPPER/case", "a:", "a:b:c", "/a", "a/", "a@sha256:12", "a:-x", "host.name:port/a"],
        );
    }
}
