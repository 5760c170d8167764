//! Elastic Container Registry: repositories, and the images that were registered under their names when the cloud
//! started. There is nothing to push to or pull from.

mod image;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Answer, ApiError, Call, input};
use crate::clock::CloudTime;
use crate::page::page;
use crate::world::{ACCOUNT, World};

/// Repositories on a page unless the caller says otherwise.
const PAGE: usize = 100;

/// The repositories.
#[derive(Debug, Clone, Default)]
pub struct Ecr {
    /// When each was created, by its name.
    repositories: BTreeMap<String, CloudTime>,
    /// Whether those of the registered images have been made.
    has_begun: bool,
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, given: Value) -> Answer {
    begin(world, call.now);
    match operation {
        "CreateRepository" => create(world, call.now, input("ecr", operation, given)?),
        "DeleteRepository" => delete(world, &input("ecr", operation, given)?),
        "DescribeRepositories" => describe(world, &input("ecr", operation, given)?),
        "DescribeImages" => image::describe(world, &input("ecr", operation, given)?),
        "ListImages" => image::list(world, &input("ecr", operation, given)?),
        "BatchGetImage" => image::get(world, &input("ecr", operation, given)?),
        _ => Err(ApiError::not_implemented(format!("ecr {operation}"))),
    }
}

/// Makes a repository for every image that was registered, with the first call of a region: nobody has to create what
/// is there.
fn begin(world: &mut World, now: CloudTime) {
    let World { ecr, images, .. } = world;
    if !std::mem::replace(&mut ecr.has_begun, true) {
        ecr.repositories.extend(images.repositories().map(|name| (name.to_owned(), now)));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Named {
    repository_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Delete {
    repository_name: String,
    #[serde(default)]
    force: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Describe {
    #[serde(default)]
    repository_names: Vec<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

fn create(world: &mut World, now: CloudTime, request: Named) -> Answer {
    let name = request.repository_name;
    if world.ecr.repositories.contains_key(&name) {
        let message = format!("The repository with name '{name}' already exists in the registry with id '{ACCOUNT}'");
        return Err(ApiError::new("RepositoryAlreadyExistsException", message));
    }
    world.ecr.repositories.insert(name.clone(), now);
    Ok(json!({"repository": shown(world, &name, now)}))
}

fn delete(world: &mut World, request: &Delete) -> Answer {
    let name = &request.repository_name;
    let created = existing(world, name)?;
    if !request.force && world.images.of(name).next().is_some() {
        let message = format!(
            "The repository with name '{name}' in registry with id '{ACCOUNT}' cannot be deleted because it still contains images"
        );
        return Err(ApiError::new("RepositoryNotEmptyException", message));
    }
    let shown = shown(world, name, created);
    world.ecr.repositories.remove(name);
    world.images.remove(name);
    Ok(json!({"repository": shown}))
}

fn describe(world: &World, request: &Describe) -> Answer {
    for name in &request.repository_names {
        existing(world, name)?;
    }
    let wanted = |name: &String| request.repository_names.is_empty() || request.repository_names.contains(name);
    let found: Vec<_> = world.ecr.repositories.iter().filter(|(name, _)| wanted(name)).collect();
    let size = request.max_results.unwrap_or(PAGE);
    let invalid = || ApiError::new("InvalidParameterException", "The specified token is not valid.");
    let (found, next) = page(found, |(name, _)| name, request.next_token.as_deref(), size).ok_or_else(invalid)?;
    let repositories: Vec<Value> = found.into_iter().map(|(name, created)| shown(world, name, *created)).collect();
    Ok(json!({"repositories": repositories, "nextToken": next}))
}

fn existing(world: &World, name: &str) -> Result<CloudTime, ApiError> {
    world.ecr.repositories.get(name).copied().ok_or_else(|| {
        let message = format!("The repository with name '{name}' does not exist in the registry with id '{ACCOUNT}'");
        ApiError::new("RepositoryNotFoundException", message)
    })
}

fn shown(world: &World, name: &str, created: CloudTime) -> Value {
    json!({
        "repositoryArn": world.arn("ecr", &format!("repository/{name}")),
        "registryId": ACCOUNT,
        "repositoryName": name,
        "repositoryUri": format!("{ACCOUNT}.dkr.ecr.{}.amazonaws.com/{name}", world.region),
        "createdAt": created.as_epoch_seconds(),
        "imageTagMutability": "MUTABLE",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Service;
    use crate::images::{Image, Images, Program};

    fn ecr(world: &mut World, operation: &str, input: Value) -> Answer {
        world.call(&Call { now: CloudTime::from_millis(1000) }, Service::Ecr, operation, input)
    }

    fn code(answer: Answer) -> String {
        answer.unwrap_err().code
    }

    fn images() -> Images {
        let mut images = Images::default();
        let program = || Program { path: "/bin/true".into(), arguments: Vec::new() };
        for (name, content) in [("a/monolith", "one"), ("a/monolith:v1", "one"), ("a/monolith:v2", "two")] {
            images.insert(name, Image::new(program(), content.as_bytes()).unwrap());
        }
        images
    }

    #[test]
    fn a_repository_holds_the_images_of_its_name() {
        let mut world = World::new("us-west-2", 1, images());
        let named = json!({"repositoryName": "a/monolith"});
        let shown = ecr(&mut world, "DescribeRepositories", json!({})).unwrap()["repositories"].clone();
        assert_eq!(shown[0]["repositoryUri"], "123456789012.dkr.ecr.us-west-2.amazonaws.com/a/monolith");
        let other = json!({"repositoryName": "a/other"});
        assert_eq!(code(ecr(&mut world, "ListImages", other.clone())), "RepositoryNotFoundException");
        ecr(&mut world, "CreateRepository", other.clone()).unwrap();
        assert_eq!(ecr(&mut world, "ListImages", other.clone()).unwrap()["imageIds"], json!([]));
        ecr(&mut world, "DeleteRepository", other).unwrap();
        assert_eq!(code(ecr(&mut world, "CreateRepository", named.clone())), "RepositoryAlreadyExistsException");
        let listed = ecr(&mut world, "ListImages", named.clone()).unwrap();
        let tags = listed["imageIds"].as_array().unwrap().iter().map(|id| id["imageTag"].as_str().unwrap());
        assert_eq!(tags.collect::<Vec<_>>(), ["latest", "v1", "v2"]);
        assert_eq!(code(ecr(&mut world, "DeleteRepository", named)), "RepositoryNotEmptyException");
        ecr(&mut world, "DeleteRepository", json!({"repositoryName": "a/monolith", "force": true})).unwrap();
        assert_eq!(ecr(&mut world, "DescribeRepositories", json!({})).unwrap()["repositories"], json!([]));
        assert_eq!(world.images.resolve("a/monolith"), None);
    }

    #[test]
    fn images_are_found_by_tag_and_by_digest() {
        let mut world = World::new("us-west-2", 1, images());
        let of = |ids: Value| json!({"repositoryName": "a/monolith", "imageIds": ids});
        let all = ecr(&mut world, "DescribeImages", json!({"repositoryName": "a/monolith"})).unwrap();
        let mut details = all["imageDetails"].as_array().unwrap().clone();
        details.sort_by_key(|detail| detail["imageTags"].to_string());
        let tags: Vec<&Value> = details.iter().map(|detail| &detail["imageTags"]).collect();
        assert_eq!(tags, [&json!(["latest", "v1"]), &json!(["v2"])]);
        let digest = details[1]["imageDigest"].clone();
        let by_digest = ecr(&mut world, "DescribeImages", of(json!([{"imageDigest": digest}]))).unwrap();
        assert_eq!(by_digest["imageDetails"], json!([details[1]]));
        let ids = json!([{"imageTag": "v2"}, {"imageTag": "v9"}, {"imageTag": "v1", "imageDigest": digest}]);
        assert_eq!(code(ecr(&mut world, "DescribeImages", of(ids.clone()))), "ImageNotFoundException");
        let got = ecr(&mut world, "BatchGetImage", of(ids)).unwrap();
        assert_eq!(got["images"][0]["imageId"], json!({"imageDigest": digest, "imageTag": "v2"}));
        let missing: Vec<&Value> =
            got["failures"].as_array().unwrap().iter().map(|one| &one["imageId"]["imageTag"]).collect();
        assert_eq!(missing, ["v9", "v1"]);
    }
}
