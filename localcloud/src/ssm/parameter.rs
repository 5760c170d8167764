//! One parameter.

use std::fmt;

use serde_json::{Value, json};

use crate::clock::CloudTime;
use crate::world::World;

/// A parameter. Its `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, with a leading slash if it is in a hierarchy.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    /// Its value, which may be a secret: not to be logged.
    pub value: String,
    pub(super) description: Option<String>,
    pub(super) version: u32,
    pub(super) modified: CloudTime,
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameter({} {} version {})", self.kind, self.name, self.version)
    }
}

impl Parameter {
    /// Its ARN: `…:parameter/a/b` for `/a/b`, `…:parameter/a` for `a`.
    pub fn arn(&self, world: &World) -> String {
        world.arn("ssm", &format!("parameter/{}", self.name.strip_prefix('/').unwrap_or(&self.name)))
    }

    /// As GetParameter answers it. A secret that the caller did not ask to decrypt is shown as something that is none.
    pub(super) fn shown(&self, world: &World, decrypted: bool) -> Value {
        let value = if self.kind == "SecureString" && !decrypted { "AQICAHencrypted" } else { &self.value };
        json!({
            "Name": self.name,
            "Type": self.kind,
            "Value": value,
            "Version": self.version,
            "LastModifiedDate": self.modified.as_epoch_seconds(),
            "ARN": self.arn(world),
            "DataType": "text",
        })
    }

    /// As DescribeParameters answers it.
    pub(super) fn described(&self, world: &World) -> Value {
        json!({
            "Name": self.name,
            "ARN": self.arn(world),
            "Type": self.kind,
            "Description": self.description,
            "Version": self.version,
            "LastModifiedDate": self.modified.as_epoch_seconds(),
            "Tier": "Standard",
            "DataType": "text",
        })
    }
}
