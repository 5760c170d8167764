//! What an app should be, in AWS's terms: the normal form of every resource, from a valid manifest. No I/O.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde::Serialize;

use crate::app::{AppName, Manager, Marks};
use crate::aws::Identity;
use crate::manifest::{self, Manifest};
use crate::resource::task_definition::Hashes;
use crate::resource::{
    alarm, listener, load_balancer, log_group, scalable_target, scaling_policy, scheduled_action, service,
    subscription, target_group, task_definition,
};

/// Hexadecimal digits of a hash that goes into a tag.
const TAG_HASH_LENGTH: usize = 16;

/// What an app should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Desired {
    /// Its name and our marks.
    pub marks: Marks,
    /// Whether it should be at all.
    pub presence: Presence,
    /// Why this account or region must not be touched for it.
    pub refusal: Option<String>,
    /// Whether what AWS cannot change may be deleted and made anew.
    pub allow_replace: bool,
    /// Log groups by name.
    pub log_groups: BTreeMap<String, log_group::Spec>,
    /// Family and content.
    pub task_definition: (String, task_definition::Spec),
    /// How many of the newest ACTIVE revisions stay.
    pub keep_revisions: usize,
    /// Hashes of the content and of the rollout.
    pub hashes: Hashes,
    /// What stands in front of the service.
    pub front: Option<Front>,
    /// The service.
    pub service: service::Wanted,
    /// Topics that the load balancer's address is subscribed to.
    pub subscriptions: Vec<subscription::Wanted>,
    /// Auto scaling of the service.
    pub scaling: Option<Scaling>,
}

/// Auto scaling of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// The bounds that the manifest begins with, and what is suspended.
    pub target: scalable_target::Spec,
    /// Policies by their names in AWS.
    pub policies: BTreeMap<String, scaling_policy::Wanted>,
    /// Scheduled actions by their names in AWS.
    pub actions: BTreeMap<String, scheduled_action::Spec>,
    /// The alarms of step policies by their names in AWS.
    pub alarms: BTreeMap<String, alarm::Wanted>,
    /// Whether a forecast may raise the maximum.
    pub raises_maximum: bool,
}

/// Whether an app should be at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It should.
    Present,
    /// Everything of it should go.
    Absent,
    /// No manifest says what it should be: it is looked at, and nothing is planned.
    Undeclared,
}

/// What stands in front of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Front {
    /// Name and normal form.
    pub load_balancer: (String, load_balancer::Spec),
    /// Name and normal form.
    pub target_group: (String, target_group::Spec),
    /// What the manifest says.
    pub listener: listener::Wanted,
}

impl Desired {
    /// The app as the manifest says. `identity` is where it would go; a manifest that is pinned elsewhere is refused.
    #[must_use]
    pub fn present(manifest: &Manifest, identity: &Identity, manager: &Manager) -> Self {
        Self::new(manifest, identity, manager, Presence::Present)
    }

    /// Nothing of the app; the manifest tells its names.
    #[must_use]
    pub fn absent(manifest: &Manifest, identity: &Identity, manager: &Manager) -> Self {
        Self::new(manifest, identity, manager, Presence::Absent)
    }

    fn new(manifest: &Manifest, identity: &Identity, manager: &Manager, presence: Presence) -> Self {
        let spec = &manifest.spec;
        let name = &manifest.metadata.name;
        let front = spec.load_balancer.as_ref().map(|wanted| Front {
            load_balancer: load_balancer::desired(name, wanted),
            target_group: target_group::desired(name, spec.task_definition.network_mode, &wanted.target_group),
            listener: listener::desired(&wanted.listener),
        });
        let task_definition = task_definition::desired(manifest, &identity.region);
        let service = service::desired(manifest);
        let app = AppName { cluster: spec.cluster.clone(), name: name.clone() };
        let scaling = spec.scaling.as_ref().map(|wanted| Scaling::new(&app, wanted));
        Self {
            marks: Marks { app, manager: manager.clone() },
            presence,
            refusal: refusal(manifest, identity),
            allow_replace: spec.allow_replace,
            log_groups: log_group::desired(manifest),
            hashes: hashes(&task_definition, &service, front.as_ref(), scaling.is_some()),
            task_definition,
            keep_revisions: usize::try_from(spec.task_definition.keep_revisions).unwrap_or(usize::MAX),
            front,
            service,
            subscriptions: subscription::desired(&spec.subscriptions),
            scaling,
        }
    }

    /// An app that no manifest at hand describes: what there is of it is found by its marks alone.
    #[must_use]
    pub fn by_marks(app: AppName, manager: &Manager, presence: Presence) -> Self {
        let family = app.name.clone();
        Self {
            marks: Marks { app, manager: manager.clone() },
            presence,
            refusal: None,
            allow_replace: false,
            log_groups: BTreeMap::new(),
            task_definition: (family, task_definition::Spec::default()),
            keep_revisions: usize::MAX,
            hashes: Hashes { content: String::new(), rollout: String::new() },
            front: None,
            service: service::Wanted::default(),
            subscriptions: Vec::new(),
            scaling: None,
        }
    }

    /// Whether the app should be, and as the manifest says.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    /// Whether everything of the app should go.
    #[must_use]
    pub fn is_going(&self) -> bool {
        self.presence == Presence::Absent
    }

    /// The load balancer that should be.
    #[must_use]
    pub fn load_balancer(&self) -> Option<&(String, load_balancer::Spec)> {
        self.front.as_ref().filter(|_| self.is_present()).map(|front| &front.load_balancer)
    }

    /// The target group that should be.
    #[must_use]
    pub fn target_group(&self) -> Option<&(String, target_group::Spec)> {
        self.front.as_ref().filter(|_| self.is_present()).map(|front| &front.target_group)
    }
}

impl Scaling {
    fn new(app: &AppName, wanted: &manifest::Scaling) -> Self {
        Self {
            target: scalable_target::desired(wanted),
            policies: scaling_policy::desired(wanted),
            actions: scheduled_action::desired(wanted),
            alarms: alarm::desired(app, wanted),
            raises_maximum: wanted.predictive.as_ref().is_some_and(scaling_policy::raises_maximum),
        }
    }
}

fn refusal(manifest: &Manifest, identity: &Identity) -> Option<String> {
    let pins = [
        ("account", &manifest.metadata.account, &identity.account),
        ("region", &manifest.metadata.region, &identity.region),
    ];
    pins.into_iter().find_map(|(what, pin, actual)| {
        let pin = pin.as_ref().filter(|pin| *pin != actual)?;
        Some(format!("the manifest is pinned to {what} {pin}, but the credentials and settings lead to {actual}"))
    })
}

fn hashes(
    task_definition: &(String, task_definition::Spec),
    service: &service::Wanted,
    front: Option<&Front>,
    delegates_count: bool,
) -> Hashes {
    let service = if delegates_count { Cow::Owned(with_the_usual_count(service)) } else { Cow::Borrowed(service) };
    let health_check = front.map(|front| &front.target_group.1.health_check);
    let mut hashes =
        Hashes { content: hash(task_definition), rollout: hash(&(task_definition, service, health_check)) };
    hashes.content.truncate(TAG_HASH_LENGTH);
    hashes.rollout.truncate(TAG_HASH_LENGTH);
    hashes
}

/// A count that belongs to auto scaling is no part of a rollout. The manifest's default stands for it, so that auto scaling may
/// come and go without another hash where no count is given.
fn with_the_usual_count(service: &service::Wanted) -> service::Wanted {
    service::Wanted { desired_count: manifest::default_desired_count(), ..service.clone() }
}

/// SHA-256 of a value's JSON, in hexadecimal digits.
#[must_use]
pub fn hash<T: Serialize>(value: &T) -> String {
    // Specs are plain data, which always serialises.
    let json = serde_json::to_vec(value).unwrap_or_default();
    hex::encode(digest::digest(&digest::SHA256, &json))
}
