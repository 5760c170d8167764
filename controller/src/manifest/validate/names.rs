//! `metadata`, the cluster and what derives from them.

use interstella_guard::partition;

use super::{Problems, grammar, spec, task_definition};
use crate::manifest::Manifest;
use crate::manifest::pointer::Pointer;

/// Longest value of an ECS tag; `interstella:app` holds `<cluster>/<name>`.
const MAX_TAG_VALUE: usize = 256;
/// Longest family of task definitions.
const MAX_FAMILY: usize = 255;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let metadata = Pointer::root().key("metadata");
    let name = &manifest.metadata.name;
    problems.grammar(metadata.key("name"), name, grammar::ecs_name, grammar::ECS_NAME);
    problems.grammar(spec().key("cluster"), &manifest.spec.cluster, grammar::ecs_name, grammar::ECS_NAME);
    if let Some(account) = &manifest.metadata.account {
        problems.grammar(
            metadata.key("account"),
            account,
            grammar::account,
            "use the 12 digits of the account, in quotes",
        );
    }
    if let Some(region) = &manifest.metadata.region {
        problems.grammar(metadata.key("region"), region, partition::is_region, "use a region such as us-west-2");
    }
    if grammar::ecs_name(name) && grammar::ecs_name(&manifest.spec.cluster) {
        together(manifest, problems);
        derived(manifest, problems);
    }
}

/// The tag that marks ownership and the default family hold the cluster's name and the app's.
fn together(manifest: &Manifest, problems: &mut Problems) {
    let length = manifest.spec.cluster.len() + 1 + manifest.metadata.name.len();
    if length > MAX_TAG_VALUE {
        let what = format!("with its cluster the name has more than {} characters", MAX_TAG_VALUE - 1);
        let path = Pointer::root().key("metadata").key("name");
        problems.add(path, what, "shorten it; the tag that marks ownership holds both");
    } else if manifest.spec.task_definition.family.is_none() && length > MAX_FAMILY {
        let what = format!("the family would be <cluster>-<name>, which has more than {MAX_FAMILY} characters");
        problems.add(task_definition(), what, "give `family` under it");
    }
}

/// Names that come from the app's must follow the rules of what they name.
fn derived(manifest: &Manifest, problems: &mut Problems) {
    let name = &manifest.metadata.name;
    let Some(load_balancer) = &manifest.spec.load_balancer else { return };
    let path = spec().key("loadBalancer");
    if load_balancer.name.is_none() && !grammar::load_balancer_name(name) {
        let what = "the app's name cannot name a load balancer";
        problems.add(path.clone(), what, format!("give `name` under it; {}", grammar::LOAD_BALANCER_NAME));
    }
    if load_balancer.target_group.name.is_none() && !grammar::target_group_name(name) {
        let what = "the app's name cannot name a target group";
        problems.add(path.key("targetGroup"), what, format!("give `name` under it; {}", grammar::TARGET_GROUP_NAME));
    }
}
