//! AWS's service models, trimmed by `models/trim.py` and embedded. Read-only; parsed once.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::call::Service;

/// The model of one service.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// Protocol and names on the wire.
    pub metadata: Metadata,
    /// Every operation of the service, also those that are not implemented here.
    pub operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

/// Protocol and names on the wire.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// The `Version` of awsQuery requests.
    pub api_version: String,
    /// How requests and responses may be written; the request says which it is.
    pub protocols: Vec<Protocol>,
    /// Names of errors by their awsQuery codes where these differ, of a service that speaks awsQuery and others.
    #[serde(default)]
    pub error_shapes: BTreeMap<String, String>,
    /// Version of awsJson, `1.0` or `1.1`; awsJson only.
    #[serde(default)]
    pub json_version: String,
    /// What stands before the operation in `X-Amz-Target`; awsJson only.
    #[serde(default)]
    pub target_prefix: String,
    /// Namespace of XML responses; awsQuery only.
    #[serde(default)]
    pub xml_namespace: String,
}

/// A wire protocol of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// rpc-v2-cbor: the operation in the path, CBOR in and out.
    Cbor,
    /// awsJson1.0 or 1.1.
    Json,
    /// awsQuery: a form in, XML out.
    Query,
}

/// An operation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Name of the input's shape; `None`: this operation is not implemented here.
    pub input: Option<String>,
    /// Name of the output's shape; `None`: it answers nothing.
    pub output: Option<String>,
    /// Element around the output; awsQuery only.
    pub result_wrapper: Option<String>,
    /// How it is paginated, if its answer is one list and a token.
    pub pagination: Option<Pagination>,
}

/// Members through which an operation is paginated.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    /// The token in the input.
    pub input_token: String,
    /// The token in the output.
    pub output_token: String,
    /// The list in the output.
    pub list: String,
}

/// A shape: a type with constraints.
#[derive(Debug, Deserialize)]
pub struct Shape {
    /// Its type.
    #[serde(flatten)]
    pub kind: Kind,
    /// Least value of a number, length of a string in characters, or size of a list or map.
    pub min: Option<i64>,
    /// Greatest of the same.
    pub max: Option<i64>,
    /// Whether its values must not be logged.
    #[serde(default)]
    pub sensitive: bool,
}

/// The type of a shape.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Kind {
    /// Named members.
    Structure {
        /// The members.
        members: BTreeMap<String, Reference>,
        /// Names of the members that must be there.
        #[serde(default)]
        required: Vec<String>,
        /// Whether it holds any JSON instead of members.
        #[serde(default)]
        document: bool,
    },
    /// A list.
    List {
        /// Its elements.
        member: Reference,
    },
    /// A map with string keys.
    Map {
        /// Its keys.
        key: Reference,
        /// Its values.
        value: Reference,
    },
    /// Text.
    String {
        /// The values allowed; empty: any.
        #[serde(default, rename = "enum")]
        values: Vec<String>,
        /// A regular expression that the whole text matches.
        pattern: Option<String>,
    },
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A floating point number.
    Double,
    /// True or false.
    Boolean,
    /// A moment; in a `Value`: seconds since the epoch.
    Timestamp,
    /// Bytes; in a `Value`: base64.
    Blob,
}

/// A use of a shape.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// Name of the shape.
    pub shape: String,
    /// Name on the wire where it differs from the member's; awsQuery only.
    pub location_name: Option<String>,
}

/// Stands for a shape that the model lacks. `trim.py` keeps every shape that can be reached, so none does.
static ANYTHING: Shape = Shape {
    kind: Kind::Structure { members: BTreeMap::new(), required: Vec::new(), document: true },
    min: None,
    max: None,
    sensitive: false,
};

impl Model {
    /// The model of `service`.
    pub fn of(service: Service) -> &'static Self {
        static ECS: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/ecs.json")));
        static ELB: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/elbv2.json")));
        static LOGS: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/logs.json")));
        static SNS: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/sns.json")));
        static SSM: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/ssm.json")));
        static ECR: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/ecr.json")));
        static STS: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/sts.json")));
        static TAGGING: LazyLock<Model> =
            LazyLock::new(|| parse(include_str!("../../models/resourcegroupstaggingapi.json")));
        static SQS: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/sqs.json")));
        static CLOUDWATCH: LazyLock<Model> = LazyLock::new(|| parse(include_str!("../../models/cloudwatch.json")));
        static AUTO_SCALING: LazyLock<Model> =
            LazyLock::new(|| parse(include_str!("../../models/application-autoscaling.json")));
        match service {
            Service::Ecs => &ECS,
            Service::Elb => &ELB,
            Service::Logs => &LOGS,
            Service::Sns => &SNS,
            Service::Ssm => &SSM,
            Service::Ecr => &ECR,
            Service::Sts => &STS,
            Service::Tagging => &TAGGING,
            Service::Sqs => &SQS,
            Service::CloudWatch => &CLOUDWATCH,
            Service::ApplicationAutoScaling => &AUTO_SCALING,
        }
    }

    /// The shape called `name`.
    pub fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).unwrap_or(&ANYTHING)
    }

    /// Every shape with its name.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, &Shape)> {
        self.shapes.iter().map(|(name, shape)| (name.as_str(), shape))
    }
}

#[expect(clippy::expect_used, reason = "the text is part of the program, and a test parses every model")]
fn parse(text: &str) -> Model {
    serde_json::from_str(text).expect("an embedded model is valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_resolves() {
        for service in Service::ALL {
            let model = Model::of(service);
            let ends = model.operations.values().flat_map(|operation| [&operation.input, &operation.output]);
            let mut names: Vec<&str> = ends.flatten().map(String::as_str).collect();
            for (_, shape) in model.shapes() {
                match &shape.kind {
                    Kind::Structure { members, .. } => {
                        names.extend(members.values().map(|member| member.shape.as_str()));
                    }
                    Kind::List { member } => names.push(&member.shape),
                    Kind::Map { key, value } => names.extend([key.shape.as_str(), &value.shape]),
                    _ => (),
                }
            }
            assert!(names.len() > 1, "{service} has no shapes");
            assert_eq!(names.iter().find(|name| !model.shapes.contains_key(**name)), None, "in {service}");
        }
    }
}
