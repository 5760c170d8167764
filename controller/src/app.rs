//! Whose things are whose: the name of an app, the manager, and the two tags that say so in AWS.
//!
//! Nothing here talks to AWS; every resource writes these tags in its create call and reads them back before it is touched.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Tag that names the app a resource belongs to, as `<cluster>/<name>`.
pub const APP_TAG: &str = "interstella:app";
/// Tag that names the manager (`--manager`) that made a resource.
pub const MANAGER_TAG: &str = "interstella:manager";

/// Tags of one resource.
pub type Tags = BTreeMap<String, String>;

/// Name of an app: its ECS cluster and service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppName {
    /// Name of the ECS cluster.
    pub cluster: String,
    /// Name of the ECS service.
    pub name: String,
}

impl AppName {
    /// Whether a person who says `text` means this app: its name, or its cluster and name.
    #[must_use]
    pub fn is_meant_by(&self, text: &str) -> bool {
        text == self.name || text == self.to_string()
    }
}

impl FromStr for AppName {
    type Err = NotAnAppName;

    /// Reads `<cluster>/<name>`, as the tag [`APP_TAG`] has it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (cluster, name) = text.split_once('/').ok_or(NotAnAppName)?;
        let is_name = |part: &str| !part.is_empty() && !part.contains('/');
        if !is_name(cluster) || !is_name(name) {
            return Err(NotAnAppName);
        }
        Ok(Self { cluster: cluster.to_owned(), name: name.to_owned() })
    }
}

/// A text that is not `<cluster>/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form CLUSTER/NAME")]
pub struct NotAnAppName;

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.name)
    }
}

impl Serialize for AppName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AppName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (cluster, name) = text.split_once('/').ok_or_else(|| de::Error::custom("an app is named CLUSTER/NAME"))?;
        Ok(Self { cluster: cluster.to_owned(), name: name.to_owned() })
    }
}

/// Who manages: two managers with different names never touch each other's resources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager(pub String);

impl Default for Manager {
    fn default() -> Self {
        Self("default".into())
    }
}

/// The marks that every taggable resource of one app carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// The app.
    pub app: AppName,
    /// Its manager.
    pub manager: Manager,
}

/// Whose a resource is, by its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// It carries both of our marks.
    Ours,
    /// It carries other marks, or none. The text says whose.
    Another(String),
}

impl Marks {
    /// The tags, as key and value, to be sent in the create call.
    #[must_use]
    pub fn tags(&self) -> [(&'static str, String); 2] {
        [(APP_TAG, self.app.to_string()), (MANAGER_TAG, self.manager.0.clone())]
    }

    /// Whose a resource with these tags is.
    #[must_use]
    pub fn owner(&self, tags: &Tags) -> Owner {
        let Some(manager) = tags.get(MANAGER_TAG) else {
            return Owner::Another(format!("it belongs to somebody else (it lacks the tag {MANAGER_TAG})"));
        };
        if *manager != self.manager.0 {
            return Owner::Another(format!("it belongs to the manager {manager:?}"));
        }
        match tags.get(APP_TAG) {
            Some(app) if *app == self.app.to_string() => Owner::Ours,
            Some(app) => Owner::Another(format!("it belongs to the app {app:?}")),
            None => Owner::Another(format!("it belongs to somebody else (it lacks the tag {APP_TAG})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks() -> Marks {
        Marks { app: AppName { cluster: "c".into(), name: "n".into() }, manager: Manager::default() }
    }

    #[test]
    fn ours_needs_both_marks() {
        let ours: Tags = marks().tags().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        assert_eq!(marks().owner(&ours), Owner::Ours);
        for key in [APP_TAG, MANAGER_TAG] {
            let mut less = ours.clone();
            less.remove(key);
            assert!(matches!(marks().owner(&less), Owner::Another(_)), "without {key}");
            let mut other = ours.clone();
            other.insert(key.to_owned(), "other".to_owned());
            assert!(matches!(marks().owner(&other), Owner::Another(_)), "with another {key}");
        }
    }
}
