//! What the workshop's CloudFormation stack provided: a cluster with two container instances, parameters, topics and the
//! monolith's repository.

use serde_json::{Value, json};

use crate::call::{ApiError, Call, Service};
use crate::clock::CloudTime;
use crate::ecs::container_instance;
use crate::world::World;

/// The cluster.
pub const CLUSTER: &str = "interstella";
/// The repository of the monolith's image.
pub const REPOSITORY: &str = "interstella/monolith";
/// Subnets of the VPC. There is no EC2 API to ask for them.
pub const SUBNETS: [&str; 2] = ["subnet-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60002"];
/// The security group of the VPC.
pub const SECURITY_GROUP: &str = "sg-0a1b2c3d4e5f60001";
/// Parameter with the key of the fulfilment API.
pub const API_KEY: &str = "/interstella/apiKey";
/// Parameter with the URL of the fulfilment API.
pub const API_ENDPOINT: &str = "/interstella/apiEndpoint";
/// Topics that orders and resources come from.
pub const TOPICS: [&str; 3] = ["orderTopic", "iridium", "magnesite"];

/// CPU units of a container instance.
const INSTANCE_CPU: u32 = 2048;
/// MiB of a container instance that are left for tasks.
const INSTANCE_MEMORY: u32 = 3900;

/// What differs from one place to another.
#[derive(Clone)]
pub struct SeedOptions {
    /// Key of the fulfilment API.
    pub api_key: String,
    /// URL of the fulfilment API.
    pub api_endpoint: String,
}

impl std::fmt::Debug for SeedOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeedOptions").field("api_endpoint", &self.api_endpoint).finish_non_exhaustive()
    }
}

/// Fills an empty cloud. Roles need no seed: any role ARN is accepted.
pub fn workshop(world: &mut World, now: CloudTime, options: &SeedOptions) -> Result<(), ApiError> {
    let has_image = world.images.of(REPOSITORY).next().is_some();
    let mut call = |service, operation, input: Value| world.call(&Call { now }, service, operation, input).map(|_| ());
    call(Service::Ecs, "CreateCluster", json!({"clusterName": CLUSTER}))?;
    call(Service::Ssm, "PutParameter", json!({"Name": API_KEY, "Type": "SecureString", "Value": options.api_key}))?;
    call(Service::Ssm, "PutParameter", json!({"Name": API_ENDPOINT, "Type": "String", "Value": options.api_endpoint}))?;
    // Where there is an image of its name, the repository is there already.
    if !has_image {
        call(Service::Ecr, "CreateRepository", json!({"repositoryName": REPOSITORY}))?;
    }
    for topic in TOPICS {
        // With the version that a topic begins with, 1, the worker refuses every message for good: SHA-1 proves nothing.
        call(Service::Sns, "CreateTopic", json!({"Name": topic, "Attributes": {"SignatureVersion": "2"}}))?;
    }
    for _ in 0..2 {
        container_instance::register(world, now, CLUSTER, INSTANCE_CPU, INSTANCE_MEMORY);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;

    #[test]
    fn the_workshop_is_there_and_the_key_is_not_printed() {
        let mut world = World::new("us-west-2", 1, Images::default());
        let options = SeedOptions { api_key: "canary".to_owned(), api_endpoint: "http://127.0.0.1:8889".to_owned() };
        workshop(&mut world, CloudTime::from_millis(0), &options).unwrap();
        let call = Call { now: CloudTime::from_millis(0) };
        let clusters = world.call(&call, Service::Ecs, "DescribeClusters", json!({"clusters": [CLUSTER]})).unwrap();
        assert_eq!(clusters["clusters"][0]["registeredContainerInstancesCount"], 2);
        assert_eq!(crate::ssm::get(&world, API_KEY).map(|parameter| parameter.value.as_str()), Some("canary"));
        assert!(!format!("{options:?}").contains("canary"));
    }
}
