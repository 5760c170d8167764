//! Which service and operation a request is for. Any credentials are accepted; their scope says where the request belongs.

use http::request::Parts;

use super::model::{Model, Protocol};
use crate::call::{ApiError, Service};
use crate::region;

/// A form's fields.
pub type Fields = Vec<(String, String)>;

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The region that the request was signed for, or that the ARN in a subscriber's link is of; `None`: it names none.
    pub region: Option<String>,
    /// The service.
    pub service: Service,
    /// The protocol that the client speaks.
    pub protocol: Protocol,
    /// The operation, as the request names it.
    pub operation: String,
    /// The access key that the request was signed with, if it was.
    pub access_key: Option<String>,
    /// The fields of an awsQuery request besides action, version and signature.
    pub fields: Fields,
}

/// A request that goes nowhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Unroutable {
    /// The protocol in which the client expects the error.
    pub protocol: Protocol,
    /// The service, if it is known.
    pub service: Option<Service>,
    /// Why.
    pub error: ApiError,
}

/// Finds where a request goes.
pub fn route(parts: &Parts, body: &[u8]) -> Result<Route, Unroutable> {
    let (protocol, target) = match cbor_target(parts) {
        Some(target) => (Protocol::Cbor, Some(target)),
        None => match header(parts, "x-amz-target") {
            Some(target) => (Protocol::Json, Some(target.rsplit_once('.').unwrap_or(("", target)))),
            None => (Protocol::Query, None),
        },
    };
    let fields = if target.is_none() { fields(parts, body) } else { Fields::new() };
    let fail = |service, error| Err(Unroutable { protocol, service, error });

    let scope = scope(parts, &fields);
    let access_key = scope.map(|scope| scope.access_key.to_owned());
    let region = scope.map(|scope| scope.region).or_else(|| linked_region(&fields)).map(str::to_owned);
    let service = match scope.map(|scope| scope.service) {
        Some(name) => match Service::ALL.into_iter().find(|service| service.scope() == name) {
            Some(service) => service,
            None => return fail(None, ApiError::not_implemented(format!("the service {name}"))),
        },
        None => match unsigned(target, &fields) {
            Some(service) => service,
            None => return fail(None, unsigned_error()),
        },
    };
    let metadata = &Model::of(service).metadata;
    let unknown = |operation| fail(Some(service), super::errors::unknown_operation(protocol, service, operation));
    let spoken = metadata.protocols.contains(&protocol);
    match target {
        Some((prefix, operation)) if spoken && prefix == metadata.target_prefix => {
            Ok(Route { region, service, protocol, operation: operation.to_owned(), access_key, fields })
        }
        None if spoken && field(&fields, "Version").is_none_or(|version| version == metadata.api_version) => {
            let Some(operation) = field(&fields, "Action").map(str::to_owned) else { return unknown("(none)") };
            Ok(Route { region, service, protocol, operation, access_key, fields: parameters(fields) })
        }
        target => {
            let operation =
                target.map_or_else(|| field(&fields, "Action").unwrap_or("(none)"), |(_, operation)| operation);
            unknown(operation)
        }
    }
}

/// Service and operation of an rpc-v2-cbor request, whose path is `/service/<service>/operation/<operation>`.
fn cbor_target(parts: &Parts) -> Option<(&str, &str)> {
    header(parts, "smithy-protocol").filter(|protocol| *protocol == "rpc-v2-cbor")?;
    parts.uri.path().strip_prefix("/service/")?.split_once("/operation/")
}

fn unsigned_error() -> ApiError {
    let message = "The request does not say which service it is for. Sign it; any credentials will do.";
    ApiError::with_status("MissingAuthenticationToken", 403, message)
}

/// What a request was signed with and for.
#[derive(Debug, Clone, Copy)]
struct Scope<'a> {
    access_key: &'a str,
    region: &'a str,
    service: &'a str,
}

/// The scope in a header or, presigned, in the query.
fn scope<'a>(parts: &'a Parts, fields: &'a Fields) -> Option<Scope<'a>> {
    let signed = header(parts, "authorization").and_then(|header| header.split_once("Credential="));
    let credential = match signed {
        Some((_, credential)) => credential.split([',', ' ']).next()?,
        None => field(fields, "X-Amz-Credential")?,
    };
    // An access key may hold slashes as far as this cloud is concerned, so the parts are counted from the end.
    let mut parts = credential.rsplitn(5, '/').skip(1);
    let (service, region, _date) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Scope { access_key: parts.next()?, region, service })
}

/// The region of what a link in a message is about. On AWS the link's host tells it.
fn linked_region(fields: &Fields) -> Option<&str> {
    ["TopicArn", "SubscriptionArn"].into_iter().find_map(|name| region::of_arn(field(fields, name)?))
}

/// Who an unsigned request is for: whoever its target names, or SNS for what a subscriber does without an account.
fn unsigned(target: Option<(&str, &str)>, fields: &Fields) -> Option<Service> {
    match (target, field(fields, "Action")) {
        (Some((prefix, _)), _) => {
            let named = |service: &Service| Model::of(*service).metadata.target_prefix == prefix && !prefix.is_empty();
            Service::ALL.into_iter().find(named)
        }
        (None, Some("ConfirmSubscription" | "Unsubscribe")) => Some(Service::Sns),
        (None, _) => None,
    }
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).and_then(|value| value.to_str().ok())
}

fn fields(parts: &Parts, body: &[u8]) -> Fields {
    let query = parts.uri.query().unwrap_or_default();
    [query.as_bytes(), body].into_iter().flat_map(|form| form_urlencoded::parse(form).into_owned()).collect()
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

fn parameters(fields: Fields) -> Fields {
    let besides = |name: &str| name == "Action" || name == "Version" || name.starts_with("X-Amz-");
    fields.into_iter().filter(|(name, _)| !besides(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=A/20260101/us-west-2/";

    fn routed(authorization: &str, target: &str, uri: &str, body: &str) -> String {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in [("authorization", authorization), ("x-amz-target", target)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        match route(&parts, body.as_bytes()) {
            Ok(Route { region, service, operation, fields, .. }) => {
                format!("{} {service} {operation} {fields:?}", region.as_deref().unwrap_or("-"))
            }
            Err(unroutable) => format!("{:?} {}", unroutable.protocol, unroutable.error),
        }
    }

    #[test]
    fn signed_requests_go_where_their_scope_says() {
        let scope = |service: &str| format!("{SIGNED}{service}/aws4_request, SignedHeaders=host, Signature=f");
        let target = "AmazonEC2ContainerServiceV20141113.ListServices";
        assert_eq!(routed(&scope("ecs"), target, "/", "{}"), "us-west-2 ecs ListServices []");
        let form = "Action=DescribeTags&Version=2015-12-01&ResourceArns.member.1=a%2Fb";
        let wanted = r#"us-west-2 elasticloadbalancing DescribeTags [("ResourceArns.member.1", "a/b")]"#;
        assert_eq!(routed(&scope("elasticloadbalancing"), "", "/", form), wanted);
        let presigned =
            "/?Action=ListTopics&X-Amz-Credential=A%2F20260101%2Fus-west-2%2Fsns%2Faws4_request&X-Amz-Signature=f";
        assert_eq!(routed("", "", presigned, ""), "us-west-2 sns ListTopics []");
    }

    #[test]
    fn unsigned_requests_are_known_by_target_or_as_a_subscriber_s() {
        assert_eq!(routed("", "Logs_20140328.PutLogEvents", "/", "{}"), "- logs PutLogEvents []");
        let wanted = r#"- sns ConfirmSubscription [("TopicArn", "t"), ("Token", "1")]"#;
        assert_eq!(routed("", "", "/?Action=ConfirmSubscription&TopicArn=t&Token=1", ""), wanted);
        let arn = "arn:aws:sns:eu-west-1:123456789012:a";
        let unsubscribed = routed("", "", &format!("/?Action=Unsubscribe&SubscriptionArn={arn}:1"), "");
        assert!(unsubscribed.starts_with("eu-west-1 sns Unsubscribe"), "{unsubscribed}");
        assert!(routed("", "", "/?Action=ListTopics", "").starts_with("Query MissingAuthenticationToken"));
    }

    #[test]
    fn what_goes_nowhere_is_said() {
        let scope =
            |scope: &str| format!("AWS4-HMAC-SHA256 Credential=A/20260101/{scope}/aws4_request, SignedHeaders=host");
        let cases = [
            (
                "us-west-2/dynamodb",
                "DynamoDB_20120810.GetItem",
                "",
                "Json NotImplemented: the local cloud does not implement",
            ),
            ("us-west-2/ec2", "", "Action=DescribeVpcs", "Query NotImplemented: the local cloud does not implement"),
            ("us-west-2/ecs", "Other.ListServices", "", "Json UnknownOperationException"),
            (
                "us-west-2/sns",
                "",
                "Action=Publish&Version=2000-01-01",
                "Query InvalidAction: Could not find operation Publish",
            ),
            ("us-west-2/sns", "", "", "Query InvalidAction: Could not find operation (none)"),
        ];
        for (scoped, target, body, wanted) in cases {
            let found = routed(&scope(scoped), target, "/", body);
            assert!(found.contains(wanted), "{found}");
        }
    }
}
