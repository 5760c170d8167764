//! SNS subscription of the load balancer's address. It carries no tags: one is ours if its endpoint's host is the DNS name of a
//! load balancer of ours. It must not touch any other.

mod observe;
mod spec;

use crate::app::Owner;
use crate::aws::Aws;
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{On, Plan, Summary, Verb};
use crate::resource::{load_balancer, service};

pub use observe::{observe, observe_spec, observe_topic};
pub use spec::{DeliveryPolicy, Spec, Wanted, desired};

const RESOURCE: &str = "subscription";
const PENDING: &str = "PendingConfirmation";

/// A subscription in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its ARN; absent = it waits for confirmation.
    pub arn: Option<String>,
    /// ARN of the topic.
    pub topic: String,
    /// Where messages go.
    pub endpoint: String,
    /// Host of the endpoint.
    pub host: String,
    /// What it is; absent while it waits for confirmation.
    pub spec: Option<Spec>,
}

/// What may be done to a subscription.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Subscribe with all attributes. SNS sends the confirmation at once.
    Subscribe {
        /// ARN of the topic.
        topic: String,
        /// Where messages go.
        endpoint: String,
        /// What it will be.
        spec: Spec,
        /// Whether it is there and waits for a confirmation that has not come.
        again: bool,
    },
    /// SetSubscriptionAttributes, as the changes need.
    Update {
        /// Its ARN.
        arn: String,
        /// Topic and endpoint, for people.
        name: String,
        /// What it will be.
        spec: Spec,
        /// What changes.
        changes: Vec<Change>,
    },
    /// Unsubscribe.
    Unsubscribe {
        /// Its ARN.
        arn: String,
        /// Topic and endpoint, for people.
        name: String,
    },
}

/// The region that a topic's subscriptions live in.
#[must_use]
pub fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(front) = &desired.front else { return };
    let balancer = observed.load_balancer(&front.load_balancer.0);
    let balancer = balancer.filter(|one| load_balancer::going(desired, one).is_none());
    let wants_tasks = service::wants_tasks(desired, observed);
    for wanted in &desired.subscriptions {
        let Some(balancer) = balancer.filter(|one| desired.marks.owner(&one.tags) == Owner::Ours) else {
            let (name, reason) =
                (name(&wanted.topic, &wanted.path), format!("needs the load balancer {}", front.load_balancer.0));
            if wants_tasks {
                plan.wait(Verb::Create, RESOURCE, &name, On::Us, reason);
            } else {
                plan.note(pending(&name));
            }
            continue;
        };
        let endpoint = endpoint(desired, balancer, &wanted.path);
        if observed.missing_topics.contains(&wanted.topic) {
            let reason = missing_topic(&wanted.topic);
            plan.wait(Verb::Create, RESOURCE, &name(&wanted.topic, &endpoint), On::Person, reason);
        } else {
            plan_one(observed, wanted, endpoint, wants_tasks, plan);
        }
    }
}

/// What a person can do where a topic is missing.
#[must_use]
pub fn missing_topic(topic: &str) -> String {
    let mut parts = topic.split(':').skip(3);
    let (region, name) = (parts.next().unwrap_or_default(), parts.last().unwrap_or_default());
    format!(
        "the topic does not exist: {topic}; make it again (aws sns create-topic --region {region} --name {name} --attributes \
         SignatureVersion=2), or take the subscription out of the manifest"
    )
}

fn pending(name: &str) -> String {
    format!("{RESOURCE} {name} is pending: it is made once tasks run, and desiredCount is 0")
}

/// Without any task to answer SNS's confirmation nothing can be subscribed; that is what the manifest asks for, and no fault.
fn plan_one(observed: &Observed, wanted: &Wanted, endpoint: String, wants_tasks: bool, plan: &mut Plan) {
    let name = name(&wanted.topic, &endpoint);
    let (topic, spec) = (wanted.topic.clone(), wanted.spec.clone());
    let mut same = observed.subscriptions.iter().filter(|one| one.topic == topic && one.endpoint == endpoint);
    // A repeated Subscribe may have left a pending one beside the confirmed one.
    let found = same.clone().find(|one| one.arn.is_some()).or_else(|| same.next());
    let healthy = observed.targets.iter().any(|target| target.state == "healthy");
    match found {
        None | Some(Found { arn: None, .. }) if !wants_tasks => {
            plan.note(pending(&name));
        }
        None | Some(Found { arn: None, .. }) if !healthy => {
            let reason = "needs a healthy target, which has to answer SNS's confirmation";
            plan.wait(Verb::Create, RESOURCE, &name, On::Aws, reason.into());
        }
        None => plan.act(Action::Subscribe { topic, endpoint, spec, again: false }),
        Some(Found { arn: None, .. }) => plan.act(Action::Subscribe { topic, endpoint, spec, again: true }),
        Some(Found { arn: Some(arn), spec: there, .. }) => {
            let changes = there.as_ref().map(|there| diff::diff(there, &spec)).unwrap_or_default();
            if !changes.is_empty() {
                plan.act(Action::Update { arn: arn.clone(), name, spec, changes });
            }
        }
    }
}

fn endpoint(desired: &Desired, balancer: &load_balancer::Found, path: &str) -> String {
    let listener = desired.front.as_ref().map(|front| &front.listener);
    let https = listener.is_some_and(|listener| listener.protocol == "HTTPS");
    let (scheme, usual) = if https { ("https", 443) } else { ("http", 80) };
    match listener.map_or(usual, |listener| listener.port) {
        port if port == usual => format!("{scheme}://{}{path}", balancer.dns_name),
        port => format!("{scheme}://{}:{port}{path}", balancer.dns_name),
    }
}

fn name(topic: &str, endpoint: &str) -> String {
    format!("{topic} → {endpoint}")
}

/// Plans the end of our subscriptions that are no longer wanted; one that has a successor stays until that is confirmed.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for found in &observed.subscriptions {
        // SNS drops those that are never confirmed; until then nothing can remove them.
        let Some(arn) = &found.arn else { continue };
        let balancer = observed.load_balancers.iter().find(|one| one.dns_name == found.host);
        let Some(balancer) = balancer.filter(|one| desired.marks.owner(&one.tags) == Owner::Ours) else { continue };
        let going = !desired.is_present() || load_balancer::going(desired, balancer).is_some();
        let mut wanted = desired.subscriptions.iter().filter(|_| desired.is_present());
        let is_wanted = wanted
            .clone()
            .any(|one| one.topic == found.topic && endpoint(desired, balancer, &one.path) == found.endpoint);
        if is_wanted && !going {
            continue;
        }
        let name = name(&found.topic, &found.endpoint);
        let successor = wanted.find(|one| one.topic == found.topic);
        let replaced = load_balancer::going(desired, balancer).is_some_and(|changes| !changes.is_empty());
        match successor.filter(|one| !replaced && !is_confirmed(desired, observed, one)) {
            // Nothing would confirm a successor, and the load balancer is not to wait for what does not come.
            Some(_) if !service::wants_tasks(desired, observed) && going => {
                plan.act(Action::Unsubscribe { arn: arn.clone(), name });
            }
            Some(_) if !service::wants_tasks(desired, observed) => {
                plan.note(format!("{RESOURCE} {name} stays until its successor is confirmed, which takes a task"));
            }
            Some(_) => {
                plan.wait(Verb::Delete, RESOURCE, &name, On::Aws, "serves until its successor is confirmed".into());
            }
            None => plan.act(Action::Unsubscribe { arn: arn.clone(), name }),
        }
    }
}

/// Whether a wanted subscription is there, at the endpoint that it should have.
#[must_use]
pub fn is_confirmed(desired: &Desired, observed: &Observed, wanted: &Wanted) -> bool {
    let balancer = desired.load_balancer().and_then(|(name, _)| observed.load_balancer(name));
    let Some(endpoint) = balancer.map(|balancer| endpoint(desired, balancer, &wanted.path)) else { return false };
    observed.subscriptions.iter().any(|one| one.arn.is_some() && one.topic == wanted.topic && one.endpoint == endpoint)
}

/// Makes the calls of one action.
///
/// # Errors
/// When a call fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Subscribe { topic, endpoint, spec, .. } => {
            let sns = aws.write.sns(region_of(topic).unwrap_or_else(|| aws.region()));
            let protocol = endpoint.split(':').next().unwrap_or("http");
            let attributes = spec::attributes(spec);
            let call = sns.subscribe().topic_arn(topic).protocol(protocol).endpoint(endpoint);
            let call = call.set_attributes((!attributes.is_empty()).then(|| attributes.into_iter().collect()));
            call.send().await.map(drop).map_err(Error::of("sns:Subscribe"))
        }
        Action::Update { arn, spec, changes, .. } => update(aws, arn, spec, changes).await,
        Action::Unsubscribe { arn, .. } => {
            let sns = aws.write.sns(region_of(arn).unwrap_or_else(|| aws.region()));
            sns.unsubscribe().subscription_arn(arn).send().await.map(drop).map_err(Error::of("sns:Unsubscribe"))
        }
    }
}

async fn update(aws: &Aws, arn: &str, spec: &Spec, changes: &[Change]) -> Result<(), Error> {
    let sns = aws.write.sns(region_of(arn).unwrap_or_else(|| aws.region()));
    let wanted = spec::attributes(spec);
    let keys = [
        ("deliveryPolicy", "DeliveryPolicy", spec::policy_json(&spec::default_policy())),
        ("deadLetterQueue", "RedrivePolicy", "{}".to_owned()),
        ("rawMessageDelivery", "RawMessageDelivery", "false".to_owned()),
    ];
    for (path, name, reset) in keys {
        if changes.iter().any(|change| change.path.starts_with(path)) {
            let value = wanted.get(name).cloned().unwrap_or(reset);
            let call =
                sns.set_subscription_attributes().subscription_arn(arn).attribute_name(name).attribute_value(value);
            call.send().await.map_err(Error::of("sns:SetSubscriptionAttributes"))?;
        }
    }
    Ok(())
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Subscribe { topic, endpoint, spec, again } => {
                let verb = if *again { Verb::Update } else { Verb::Create };
                let summary = Summary::new(verb, RESOURCE, &name(topic, endpoint), diff::all(spec));
                if *again { summary.effect("asks for confirmation again") } else { summary }
            }
            Self::Update { name, changes, .. } => Summary::new(Verb::Update, RESOURCE, name, changes.clone()),
            Self::Unsubscribe { name, .. } => Summary::new(Verb::Delete, RESOURCE, name, Vec::new()),
        }
    }
}
