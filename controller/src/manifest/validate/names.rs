//! `metadata`, the cluster and what derives from them.

use super::{Problems, grammar, spec};
use crate::manifest::Manifest;
use crate::manifest::pointer::Pointer;

/// Longest value of an ECS tag; `interstella:app` holds `<cluster>/<name>`.
const MAX_TAG_VALUE: usize = 256;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let metadata = Pointer::root().key("metadata");
    let name = &manifest.metadata.name;
    problems.grammar(metadata.key("name"), name, grammar::ecs_name, grammar::ECS_NAME);
    problems.grammar(spec().key("cluster"), &manifest.spec.cluster, grammar::ecs_name, grammar::ECS_NAME);
    if let Some(account) = &manifest.metadata.account {
        problems.grammar(metadata.key("account"), account, grammar::account, "use the 12 digits of the account, in quotes");
    }
    if let Some(region) = &manifest.metadata.region {
        problems.grammar(metadata.key("region"), region, grammar::region, "use a region such as us-west-2");
    }
    if manifest.spec.cluster.len() + 1 + name.len() > MAX_TAG_VALUE {
        let what = format!("with its cluster the name has more than {} characters", MAX_TAG_VALUE - 1);
        problems.add(metadata.key("name"), what, "shorten it; the tag that marks ownership holds both");
    }
    derived(manifest, problems);
}

/// Names that come from the app's must follow the rules of what they name.
fn derived(manifest: &Manifest, problems: &mut Problems) {
    let name = &manifest.metadata.name;
    if !grammar::ecs_name(name) {
        return;
    }
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
