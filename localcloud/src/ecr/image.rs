//! Images of a repository: what was registered under its name when the cloud started.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Named, existing};
use crate::call::{Answer, ApiError};
use crate::images::Image;
use crate::world::{ACCOUNT, World};

/// Media type of the only kind of manifest.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OfImages {
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

impl ImageId {
    fn is(&self, tag: &str, image: &Image) -> bool {
        self.image_digest.as_ref().is_none_or(|digest| *digest == image.digest)
            && self.image_tag.as_ref().is_none_or(|wanted| wanted == tag)
    }

    fn shown(&self) -> String {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "null".to_owned());
        format!("{{imageDigest:'{}', imageTag:'{}'}}", part(&self.image_digest), part(&self.image_tag))
    }
}

/// `DescribeImages`: one detail for each digest, with all its tags.
pub(super) fn describe(world: &World, request: &OfImages) -> Answer {
    let name = &request.repository_name;
    let created = existing(world, name)?;
    let of = || world.images.of(name);
    if let Some(missing) = request.image_ids.iter().find(|id| !of().any(|(tag, image)| id.is(tag, image))) {
        let id = missing.shown();
        let message = format!(
            "The image with imageId {id} does not exist within the repository with name '{name}' in the registry with id '{ACCOUNT}'"
        );
        return Err(ApiError::new("ImageNotFoundException", message));
    }
    let wanted =
        |tag: &str, image: &Image| request.image_ids.is_empty() || request.image_ids.iter().any(|id| id.is(tag, image));
    let mut by_digest: BTreeMap<&str, (Vec<&str>, &Image)> = BTreeMap::new();
    for (tag, image) in of() {
        by_digest.entry(&image.digest).or_insert((Vec::new(), image)).0.push(tag);
    }
    by_digest.retain(|_, (tags, image)| tags.iter().any(|tag| wanted(tag, image)));
    let detail = |(tags, image): (Vec<&str>, &Image)| {
        json!({
            "registryId": ACCOUNT,
            "repositoryName": name,
            "imageDigest": image.digest,
            "imageTags": tags,
            "imageSizeInBytes": image.size_bytes,
            "imagePushedAt": created.as_epoch_seconds(),
            "imageManifestMediaType": MANIFEST,
        })
    };
    Ok(json!({"imageDetails": by_digest.into_values().map(detail).collect::<Vec<_>>()}))
}

/// `ListImages`: one ID for each tag.
pub(super) fn list(world: &World, request: &Named) -> Answer {
    existing(world, &request.repository_name)?;
    let ids: Vec<Value> = world.images.of(&request.repository_name).map(|(tag, image)| id(tag, image)).collect();
    Ok(json!({"imageIds": ids}))
}

/// `BatchGetImage`. The manifest names the program alone: there are no layers.
pub(super) fn get(world: &World, request: &OfImages) -> Answer {
    let name = &request.repository_name;
    existing(world, name)?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for wanted in &request.image_ids {
        match world.images.of(name).find(|(tag, image)| wanted.is(tag, image)) {
            Some((tag, image)) => images.push(json!({
                "registryId": ACCOUNT,
                "repositoryName": name,
                "imageId": id(tag, image),
                "imageManifest": manifest(name, image),
                "imageManifestMediaType": MANIFEST,
            })),
            None => failures.push(json!({
                "imageId": {"imageDigest": wanted.image_digest, "imageTag": wanted.image_tag},
                "failureCode": "ImageNotFound",
                "failureReason": "Requested image not found",
            })),
        }
    }
    Ok(json!({"images": images, "failures": failures}))
}

fn id(tag: &str, image: &Image) -> Value {
    json!({"imageDigest": image.digest, "imageTag": tag})
}

/// What stands in for a manifest. The digest is that of the program's file and not of this text.
fn manifest(repository: &str, image: &Image) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "annotations": {"program": repository, "digest": image.digest},
    })
    .to_string()
}
