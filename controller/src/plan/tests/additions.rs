//! What AWS adds to a revision of ours, what it changes, and what others make of a copy.

use serde_json::json;

use super::model::World;
use super::{desired, full};
use crate::resource::task_definition::{Revision, spec::Logs};

/// The plan after something is done to the revision that the service has.
fn plan_after(alter: impl FnOnce(&mut Revision)) -> String {
    let desired = desired(&json!({}));
    let mut world = World::converged(&desired);
    alter(world.revisions.last_mut().unwrap());
    full(&world, &desired)
}

#[test]
fn what_aws_adds_is_a_remark() {
    let plan = plan_after(|revision| {
        revision.spec.beyond_manifest.insert("ipcMode".into());
        revision.spec.cpu = Some(256);
        revision.spec.containers.get_mut("monolith").unwrap().cpu = 64;
    });
    insta::assert_snapshot!(plan, @r#"
    nothing to do
    note: AWS answers more of task definition interstella-monolith:1 than the manifest says, which is left: cpu 256, containers.monolith.cpu 64, beyondManifest ["ipcMode"]
    "#);
}

#[test]
fn what_aws_changes_or_drops_is_sent_again() {
    let changed = plan_after(|revision| {
        revision.spec.containers.get_mut("monolith").unwrap().image.make_ascii_uppercase();
    });
    let dropped = plan_after(|revision| revision.spec.containers.get_mut("monolith").unwrap().logs = None);
    let both = plan_after(|revision| {
        revision.spec.cpu = Some(256);
        let logs: Option<&mut Logs> = revision.spec.containers.get_mut("monolith").unwrap().logs.as_mut();
        logs.unwrap().driver = "json-file".into();
    });
    for plan in [changed, dropped, both] {
        assert!(plan.contains("create task definition interstella-monolith (a new revision)"), "{plan}");
    }
}

#[test]
fn a_copy_of_our_tags_proves_nothing() {
    for alter in [
        (|copy: &mut Revision| copy.arn = copy.arn.replace(":1", ":2")) as fn(&mut Revision),
        |copy| drop(copy.tags.remove("interstella:revision")),
        |copy| drop(copy.tags.insert("interstella:content".into(), "other".into())),
        |copy| drop(copy.tags.remove("interstella:manager")),
    ] {
        let desired = desired(&json!({}));
        let mut world = World::converged(&desired);
        let copy = world.revisions.last_mut().unwrap();
        copy.spec.beyond_manifest.insert("privileged".into());
        alter(copy);
        let arn = copy.arn.clone();
        world.service.as_mut().unwrap().task_definition_arn = arn;
        let plan = full(&world, &desired);
        assert!(plan.contains("create task definition"), "{plan}");
    }
}
