//! Security Token Service: who am I.

use serde_json::{Value, json};

use crate::call::{Answer, ApiError, Call};
use crate::world::{ACCOUNT, World};

/// Answers a call. Any credentials are accepted, so everyone is the account's root user.
pub fn call(_world: &mut World, _call: &Call, operation: &str, _input: Value) -> Answer {
    match operation {
        "GetCallerIdentity" => {
            Ok(json!({"UserId": ACCOUNT, "Account": ACCOUNT, "Arn": format!("arn:aws:iam::{ACCOUNT}:root")}))
        }
        _ => Err(ApiError::not_implemented(format!("sts {operation}"))),
    }
}
