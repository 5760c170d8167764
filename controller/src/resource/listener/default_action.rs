//! What a listener does with requests that no rule takes. AWS answers one target group in two ways at once, and the groups in any
//! order; here they are the same.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ForwardActionConfig, TargetGroupTuple};
use serde::{Serialize, Serializer};

use crate::resource::given::Given;
use crate::resource::target_group;

/// Normal form of a default action. As text, and so in plans: `forward <target group ARN>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultAction {
    /// `forward`, `redirect` and so on.
    pub kind: String,
    /// Weights by target group ARN. One group alone has the weight 1, whatever AWS says, unless it has none.
    pub groups: BTreeMap<String, u32>,
    /// Whether a client's requests stay with one group.
    pub sticky: bool,
}

impl DefaultAction {
    /// Forwards to a target group; as long as another one stands in, that has all requests and the first is only attached.
    #[must_use]
    pub fn forward(group: &target_group::Found, stand_in: Option<&target_group::Found>) -> Self {
        let mut groups = BTreeMap::from([(group.arn.clone(), u32::from(stand_in.is_none()))]);
        groups.extend(stand_in.map(|other| (other.arn.clone(), 1)));
        Self { kind: ActionTypeEnum::Forward.as_str().to_owned(), groups, sticky: false }
    }

    /// Normal form of AWS's answer. What comes before the last action, authentication, makes it another kind.
    #[must_use]
    pub fn from_aws(actions: &[Action]) -> Self {
        let kinds: Vec<_> = actions.iter().filter_map(|one| one.r#type()).map(ActionTypeEnum::as_str).collect();
        let configs = || actions.iter().filter_map(Action::forward_config);
        let tuples = configs().flat_map(ForwardActionConfig::target_groups);
        let weight = |one: &TargetGroupTuple| one.weight.and_then(|weight| u32::try_from(weight).ok()).unwrap_or(1);
        let mut groups: BTreeMap<_, _> =
            tuples.filter_map(|one| Some((one.target_group_arn.clone().given()?, weight(one)))).collect();
        if groups.is_empty() {
            groups.extend(actions.iter().filter_map(|one| Some((one.target_group_arn.clone().given()?, 1))));
        }
        if groups.len() == 1 {
            groups.values_mut().for_each(|weight| *weight = (*weight).min(1));
        }
        let mut stickiness = configs().filter_map(ForwardActionConfig::target_group_stickiness_config);
        let sticky = stickiness.any(|one| one.enabled == Some(true));
        Self { kind: kinds.join(", "), groups, sticky }
    }

    /// The action for a call. Only what [`Self::forward`] makes is ever sent.
    #[must_use]
    pub fn to_aws(&self) -> Action {
        let action = Action::builder().r#type(self.kind.as_str().into());
        if let (Some((arn, _)), 1) = (self.groups.first_key_value(), self.groups.len()) {
            return action.target_group_arn(arn).build();
        }
        let tuple = |(arn, weight): (&String, &u32)| {
            TargetGroupTuple::builder().target_group_arn(arn).set_weight(i32::try_from(*weight).ok()).build()
        };
        let tuples = self.groups.iter().map(tuple).collect();
        action.forward_config(ForwardActionConfig::builder().set_target_groups(Some(tuples)).build()).build()
    }

    /// Whether it names this target group, which AWS then counts as in use.
    #[must_use]
    pub fn forwards_to(&self, target_group_arn: &str) -> bool {
        self.groups.contains_key(target_group_arn)
    }

    /// Whether requests go to this target group.
    #[must_use]
    pub fn sends_to(&self, target_group_arn: &str) -> bool {
        self.groups.get(target_group_arn).is_some_and(|weight| *weight > 0)
    }
}

impl fmt::Display for DefaultAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        let plain = self.groups.values().eq(&[1]);
        for (index, (arn, weight)) in self.groups.iter().enumerate() {
            write!(f, "{}{arn}", if index == 0 { " " } else { "," })?;
            if !plain {
                write!(f, " {weight}")?;
            }
        }
        if self.sticky { f.write_str(" sticky") } else { Ok(()) }
    }
}

impl Serialize for DefaultAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
