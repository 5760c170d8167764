//! What a verb that does not exist may have meant. The verb that deletes is named only to somebody who means to delete.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Words of other tools, and the verb that does that here.
const MEANT: [(&str, &[&str]); 7] = [
    ("apply", &["deploy", "redeploy", "create", "update", "sync", "rollout", "release"]),
    ("destroy", &["delete", "remove", "rm", "uninstall", "teardown"]),
    ("plan", &["diff", "preview", "changes"]),
    ("status", &["get", "describe", "show", "ps", "wait"]),
    ("up", &["start", "dev", "local", "serve"]),
    ("validate", &["check", "lint", "test"]),
    ("run", &["controller", "watch", "reconcile"]),
];

/// The verb that deletes.
const DELETING: &str = "destroy";
/// Letters that may be wrong in a word that is taken for the verb that deletes.
const FEW: usize = 2;

/// Puts right what an error about an unknown verb suggests.
pub fn mended(mut error: Error) -> Error {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return error;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand).cloned() else { return error };
    let close = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::String(verb)) => vec![verb.clone()],
        Some(ContextValue::Strings(verbs)) => verbs.clone(),
        _ => Vec::new(),
    };
    error.remove(ContextKind::SuggestedSubcommand);
    let suggested = suggested(&typed, close);
    if !suggested.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(suggested));
    }
    error
}

/// The verb of that meaning, or those that are written like it.
fn suggested(typed: &str, mut close: Vec<String>) -> Vec<String> {
    if let Some((verb, _)) = MEANT.iter().find(|(_, words)| words.contains(&typed)) {
        return vec![(*verb).to_owned()];
    }
    close.retain(|verb| verb != DELETING || strsim::osa_distance(typed, DELETING) <= FEW);
    close
}
