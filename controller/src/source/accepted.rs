//! What is in force: the last good version of every file.
//!
//! A broken, missing or emptied file changes nothing and is reported. An app that left a good file is reported as
//! withdrawn; whether that deletes anything is not decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::SourceEvent;
use crate::app::AppName;
use crate::manifest::Manifest;
use crate::manifest::diagnostic::Diagnostic;

/// The last good version of every file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Accepted {
    files: BTreeMap<PathBuf, Vec<Manifest>>,
}

/// What an update changed, by app.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Apps that are new or different.
    pub changed: BTreeMap<AppName, Manifest>,
    /// Apps that no good file declares any more, as they were last declared.
    pub withdrawn: BTreeMap<AppName, Manifest>,
    /// Everything that is wrong with the files now; the files concerned stay at their last good version.
    pub problems: Vec<Diagnostic>,
}

impl Accepted {
    /// The apps in force.
    pub fn apps(&self) -> BTreeMap<AppName, Manifest> {
        self.files.values().flatten().map(|manifest| (manifest.app(), manifest.clone())).collect()
    }

    /// Takes over every good file of `event` and says what that changed.
    pub fn update(&mut self, event: SourceEvent) -> Changes {
        let before = self.apps();
        let present: BTreeSet<PathBuf> = event.manifests.keys().cloned().collect();
        let mut declared = BTreeSet::new();
        let mut problems = Vec::new();
        for (file, result) in event.manifests {
            match result {
                Ok(manifests) => {
                    declared.extend(manifests.iter().map(|manifest| (manifest.app(), file.clone())));
                    self.files.insert(file, manifests);
                }
                Err(found) => problems.extend(found),
            }
        }
        self.yield_to(&declared);
        problems.extend(self.missing(&present));
        let mut after = self.apps();
        let withdrawn = before.iter().filter(|(app, _)| !after.contains_key(*app));
        let withdrawn = withdrawn.map(|(app, manifest)| (app.clone(), manifest.clone())).collect();
        after.retain(|app, manifest| before.get(app) != Some(manifest));
        Changes { changed: after, withdrawn, problems }
    }

    /// Files that were good once and are gone: they stay in force.
    fn missing(&self, present: &BTreeSet<PathBuf>) -> Vec<Diagnostic> {
        let gone = self.files.iter().filter(|(file, _)| !present.contains(*file));
        gone.map(|(file, manifests)| {
            let apps: Vec<String> = manifests.iter().map(|manifest| manifest.app().to_string()).collect();
            let what = format!("the file is gone; {} stays as it was", apps.join(", "));
            let destroy: Vec<String> = apps.iter().map(|app| format!("`interstella destroy --stop {app}`")).collect();
            let remedy = format!("restore the file, or delete the app with {}", destroy.join(", "));
            Diagnostic::of_file(file.to_string_lossy(), what, remedy)
        })
        .collect()
    }

    /// An app that a good file declares now is no longer held by the last good version of another: the file was renamed,
    /// or the document moved.
    fn yield_to(&mut self, declared: &BTreeSet<(AppName, PathBuf)>) {
        let apps: BTreeSet<&AppName> = declared.iter().map(|(app, _)| app).collect();
        for (file, manifests) in &mut self.files {
            manifests.retain(|manifest| {
                let app = manifest.app();
                !apps.contains(&app) || declared.contains(&(app, file.clone()))
            });
        }
        self.files.retain(|_, manifests| !manifests.is_empty());
    }
}

#[cfg(test)]
mod tests;
