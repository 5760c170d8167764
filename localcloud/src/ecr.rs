//! Elastic Container Registry: repositories. There is nothing to push to or pull from; a repository holds one image, `latest`, if
//! its name stands for a program.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::{Answer, ApiError, Call, input};
use crate::clock::CloudTime;
use crate::page::page;
use crate::world::{ACCOUNT, World};

/// Repositories on a page unless the caller says otherwise.
const PAGE: usize = 100;
/// Media type of the only kind of manifest.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// When each repository was created, by its name.
#[derive(Debug, Clone, Default)]
pub struct Ecr(BTreeMap<String, CloudTime>);

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, given: Value) -> Answer {
    match operation {
        "CreateRepository" => create(world, call.now, input("ecr", operation, given)?),
        "DeleteRepository" => delete(world, &input("ecr", operation, given)?),
        "DescribeRepositories" => describe(world, &input("ecr", operation, given)?),
        "DescribeImages" => describe_images(world, &input("ecr", operation, given)?),
        "ListImages" => list_images(world, &input("ecr", operation, given)?),
        "BatchGetImage" => get_images(world, &input("ecr", operation, given)?),
        _ => Err(ApiError::not_implemented(format!("ecr {operation}"))),
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfImages {
    repository_name: String,
    #[serde(default)]
    image_ids: Vec<ImageId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ImageId {
    image_digest: Option<String>,
    image_tag: Option<String>,
}

fn create(world: &mut World, now: CloudTime, request: Named) -> Answer {
    let name = request.repository_name;
    if world.ecr.0.contains_key(&name) {
        let message = format!("The repository with name '{name}' already exists in the registry with id '{ACCOUNT}'");
        return Err(ApiError::new("RepositoryAlreadyExistsException", message));
    }
    world.ecr.0.insert(name.clone(), now);
    Ok(json!({"repository": shown(world, &name, now)}))
}

fn delete(world: &mut World, request: &Delete) -> Answer {
    let name = &request.repository_name;
    let created = existing(world, name)?;
    if !request.force && image(world, name).is_some() {
        let message = format!(
            "The repository with name '{name}' in registry with id '{ACCOUNT}' cannot be deleted because it still contains images"
        );
        return Err(ApiError::new("RepositoryNotEmptyException", message));
    }
    let shown = shown(world, name, created);
    world.ecr.0.remove(name);
    Ok(json!({"repository": shown}))
}

fn describe(world: &World, request: &Describe) -> Answer {
    for name in &request.repository_names {
        existing(world, name)?;
    }
    let wanted = |name: &String| request.repository_names.is_empty() || request.repository_names.contains(name);
    let found: Vec<_> = world.ecr.0.iter().filter(|(name, _)| wanted(name)).collect();
    let size = request.max_results.unwrap_or(PAGE);
    let invalid = || ApiError::new("InvalidParameterException", "The specified token is not valid.");
    let (found, next) = page(found, |(name, _)| name, request.next_token.as_deref(), size).ok_or_else(invalid)?;
    let repositories: Vec<Value> = found.into_iter().map(|(name, created)| shown(world, name, *created)).collect();
    Ok(json!({"repositories": repositories, "nextToken": next}))
}

fn describe_images(world: &World, request: &OfImages) -> Answer {
    let name = &request.repository_name;
    let created = existing(world, name)?;
    let image = image(world, name);
    if let Some(missing) = request.image_ids.iter().find(|id| !image.as_ref().is_some_and(|image| image.is(id))) {
        let id = missing.shown();
        let message = format!(
            "The image with imageId {id} does not exist within the repository with name '{name}' in the registry with id '{ACCOUNT}'"
        );
        return Err(ApiError::new("ImageNotFoundException", message));
    }
    let details: Vec<Value> = image
        .iter()
        .map(|image| {
            json!({
                "registryId": ACCOUNT,
                "repositoryName": name,
                "imageDigest": image.digest,
                "imageTags": ["latest"],
                "imageSizeInBytes": image.manifest.len(),
                "imagePushedAt": created.as_epoch_seconds(),
                "imageManifestMediaType": MANIFEST,
            })
        })
        .collect();
    Ok(json!({"imageDetails": details}))
}

fn list_images(world: &World, request: &Named) -> Answer {
    existing(world, &request.repository_name)?;
    let ids: Vec<Value> = image(world, &request.repository_name).iter().map(Image::id).collect();
    Ok(json!({"imageIds": ids}))
}

fn get_images(world: &World, request: &OfImages) -> Answer {
    let name = &request.repository_name;
    existing(world, name)?;
    let image = image(world, name);
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in &request.image_ids {
        match image.as_ref().filter(|image| image.is(id)) {
            Some(image) => images.push(json!({
                "registryId": ACCOUNT,
                "repositoryName": name,
                "imageId": image.id(),
                "imageManifest": image.manifest,
                "imageManifestMediaType": MANIFEST,
            })),
            None => failures.push(json!({
                "imageId": {"imageDigest": id.image_digest, "imageTag": id.image_tag},
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

fn existing(world: &World, name: &str) -> Result<CloudTime, ApiError> {
    world.ecr.0.get(name).copied().ok_or_else(|| {
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

/// The image `latest` of a repository.
struct Image {
    manifest: String,
    digest: String,
}

/// The image of the repository called `name`, if that stands for a program. Its digest is that of its manifest.
fn image(world: &World, name: &str) -> Option<Image> {
    world.images.resolve(name)?;
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "annotations": {"program": name}}).to_string();
    let digest = format!("sha256:{}", hex::encode(digest(&SHA256, manifest.as_bytes())));
    Some(Image { manifest, digest })
}

impl Image {
    fn id(&self) -> Value {
        json!({"imageDigest": self.digest, "imageTag": "latest"})
    }

    fn is(&self, id: &ImageId) -> bool {
        id.image_digest.as_ref().is_none_or(|digest| *digest == self.digest)
            && id.image_tag.as_ref().is_none_or(|tag| tag == "latest")
    }
}

impl ImageId {
    fn shown(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "null".to_owned());
        format!("{{imageDigest:'{}', imageTag:'{}'}}", part(&self.image_digest), part(&self.image_tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Service;
    use crate::images::{Images, Program};

    fn ecr(world: &mut World, operation: &str, input: Value) -> Answer {
        world.call(&Call { now: CloudTime::from_millis(1000) }, Service::Ecr, operation, input)
    }

    fn code(answer: Answer) -> String {
        answer.unwrap_err().code
    }

    #[test]
    fn a_repository_holds_the_image_of_its_name() {
        let mut images = Images::default();
        images.insert("a/monolith", Program { path: "/bin/true".into(), arguments: Vec::new() });
        let mut world = World::new("us-west-2", 1, images);
        let named = json!({"repositoryName": "a/monolith"});
        let uri = "123456789012.dkr.ecr.us-west-2.amazonaws.com/a/monolith";
        assert_eq!(code(ecr(&mut world, "ListImages", named.clone())), "RepositoryNotFoundException");
        assert_eq!(ecr(&mut world, "CreateRepository", named.clone()).unwrap()["repository"]["repositoryUri"], uri);
        assert_eq!(code(ecr(&mut world, "CreateRepository", named.clone())), "RepositoryAlreadyExistsException");
        let described = ecr(&mut world, "DescribeImages", named.clone()).unwrap();
        let digest = described["imageDetails"][0]["imageDigest"].clone();
        assert!(digest.as_str().unwrap().starts_with("sha256:"));
        let ids = json!([{"imageTag": "latest"}, {"imageTag": "v9"}]);
        let both = json!({"repositoryName": "a/monolith", "imageIds": ids});
        assert_eq!(code(ecr(&mut world, "DescribeImages", both.clone())), "ImageNotFoundException");
        let got = ecr(&mut world, "BatchGetImage", both).unwrap();
        assert_eq!(got["images"][0]["imageId"]["imageDigest"], digest);
        assert_eq!(got["failures"][0]["imageId"]["imageTag"], "v9");
        assert_eq!(code(ecr(&mut world, "DeleteRepository", named)), "RepositoryNotEmptyException");
        ecr(&mut world, "DeleteRepository", json!({"repositoryName": "a/monolith", "force": true})).unwrap();
        assert_eq!(ecr(&mut world, "DescribeRepositories", json!({})).unwrap()["repositories"], json!([]));
    }
}
