//! What looks like a secret.
//!
//! The loader masks such values in every snippet, and `containers` refuses them, so the two must agree: they share this file.

use super::arn::Arn;
use super::grammar;

/// Last words of a variable's name that say its value is a secret; written without separators.
const ENDINGS: [&str; 11] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "secretkey",
    "credential",
    "credentials",
];

/// Whether a variable of this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    ENDINGS.iter().any(|ending| folded.ends_with(ending))
}

/// Whether `value` is a literal secret; an empty value is none.
pub(super) fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && is_secret_name(name)
}

/// Whether `text` names a secret (an SSM parameter's name, path or ARN, a Secrets Manager secret's ARN) and is none itself.
pub(crate) fn is_reference(text: &str) -> bool {
    let of_ssm = |arn: Arn<'_>| arn.resource.strip_prefix("parameter/").is_some_and(|name| !name.is_empty());
    let of_manager = |arn: Arn<'_>| arn.resource.strip_prefix("secret:").is_some_and(|name| !name.is_empty());
    if text.starts_with("arn:") {
        return Arn::regional(text, "ssm").is_some_and(of_ssm)
            || Arn::regional(text, "secretsmanager").is_some_and(of_manager);
    }
    grammar::parameter(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in ["API_KEY", "INTERSTELLA_API_KEY", "dbPassword", "AWS_SECRET_ACCESS_KEY", "token", "github-token"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["TOKEN_TTL", "PASSWORD_FILE", "INTERSTELLA_API_ENDPOINT", "KEY", "AWS_ACCESS_KEY_ID", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(!is_secret("API_KEY", ""));
    }

    #[test]
    fn references() {
        for text in [
            "/interstella/apiKey",
            "apiKey",
            "arn:aws:ssm:us-west-2:123456789012:parameter/interstella/apiKey",
            "arn:aws:secretsmanager:us-west-2:123456789012:secret:api-AbCdEf",
        ] {
            assert!(is_reference(text), "{text}");
        }
        for text in ["", "two words", "a=b", "arn:aws:ssm:us-west-2:123456789012:parameter/", "arn:aws:s3:::bucket"] {
            assert!(!is_reference(text), "{text}");
        }
    }
}
