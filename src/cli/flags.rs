//! Which of the common flags each verb acts on. One that it does not act on is refused rather than ignored, and no help shows it.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Error};

const PLACE: &[&str] = &["region", "profile", "endpoint_url"];
const TELLING: &[&str] = &["verbose", "no_color"];

/// The common flags that `verb` acts on, by their IDs; `None` for a verb that is not known here.
pub fn acting(verb: &str) -> Option<Vec<&'static str>> {
    let groups: &[&[&str]] = match verb {
        "plan" | "apply" | "status" | "list" | "restart" | "retry" | "destroy" => {
            &[PLACE, &["manager", "output"], TELLING]
        }
        "run" | "top" => &[PLACE, &["manager"], TELLING],
        "load" | "simulate" => &[PLACE, &["output"], TELLING],
        "validate" => &[&["output"], TELLING],
        "up" => &[&["region", "manager"], TELLING],
        "cloud" => &[&["region"], TELLING],
        "env" => &[&["region"]],
        "schema" | "completions" | "man" | "worker" | "hq" | "reaper" | "help" => &[],
        _ => return None,
    };
    Some(groups.concat())
}

/// Those that make the local cloud: what points AWS's tools to an account in the environment says nothing about it.
const LOCAL: [&str; 3] = ["up", "cloud", "env"];

/// Whether the common flag `id` counts for what was typed, or comes from an environment that is not meant.
pub fn is_meant(matches: &ArgMatches, id: &str) -> bool {
    let verb = matches.subcommand_name().unwrap_or_default();
    !LOCAL.contains(&verb) || is_typed(matches, id)
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// As [`acting`], with what was typed: some verbs call AWS only if they are asked to.
fn acting_on(verb: &str, matches: &ArgMatches) -> Vec<&'static str> {
    let mut acting = acting(verb).unwrap_or_default();
    let calls_nobody = match verb {
        "simulate" => !is_typed(matches, "history"),
        "load" => is_typed(matches, "to"),
        // The controller that it asks has them itself.
        "top" => is_typed(matches, "controller"),
        _ => false,
    };
    acting.retain(|id| !(calls_nobody && (PLACE.contains(id) || *id == "manager")));
    acting
}

/// Refuses a common flag that was typed and would do nothing.
///
/// # Errors
/// For the first such flag.
pub fn refuse_idle(command: &mut Command, matches: &ArgMatches) -> Result<(), Error> {
    let Some((verb, of_verb)) = matches.subcommand() else { return Ok(()) };
    let acting = acting_on(verb, of_verb);
    let common: Vec<String> = common(command).iter().map(|arg| arg.get_id().to_string()).collect();
    let is_idle = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        common.iter().any(|one| one == id) && !acting.contains(&id) && is_typed(of_verb, id)
    };
    let flags = command.find_subcommand(verb).into_iter().flat_map(Command::get_arguments);
    let Some(flag) = flags.into_iter().find(is_idle).and_then(Arg::get_long) else { return Ok(()) };
    let said = format!("--{flag} does nothing for `{verb}` as it was typed; leave it out");
    Err(command.error(ErrorKind::ArgumentConflict, said))
}

/// Shows the common flags once, in the help of the program; each verb names those that it acts on in one line.
pub fn shown_once(mut command: Command) -> Command {
    let common: Vec<Arg> = common(&command);
    for name in verbs(&command) {
        command = command.mut_subcommand(&name, |verb| {
            let acting = acting(&name).unwrap_or_default();
            let hidden: Vec<&Arg> = common.iter().filter(|arg| !has(&verb, arg)).collect();
            let named = hidden.iter().filter(|arg| acting.contains(&arg.get_id().as_str()));
            let named: Vec<String> = named.map(|arg| shown(arg)).collect();
            let verb = verb.args(hidden.into_iter().map(|arg| arg.clone().hide(true)));
            if named.is_empty() {
                return verb;
            }
            verb.after_help(format!("Common flags: {} (see `interstella --help`)", named.join(", ")))
        });
    }
    command
}

/// For completions: each verb has the common flags that it acts on and no others, and what is hidden is left out.
pub fn each_its_own(command: &Command) -> Command {
    let common: Vec<Arg> = common(command).into_iter().map(|arg| arg.global(false)).collect();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(|verb| {
        let acting = acting(verb.get_name()).unwrap_or_default();
        let own = common.iter().filter(|arg| acting.contains(&arg.get_id().as_str()) && !has(verb, arg));
        verb.clone().args(own)
    });
    Command::new("interstella").args(&common).subcommands(verbs)
}

fn common(command: &Command) -> Vec<Arg> {
    command.get_arguments().filter(|arg| arg.is_global_set()).cloned().collect()
}

fn verbs(command: &Command) -> Vec<String> {
    command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
}

/// Whether the verb has a flag of its own in the place of the common one.
fn has(verb: &Command, wanted: &Arg) -> bool {
    verb.get_arguments().any(|arg| arg.get_id() == wanted.get_id())
}

/// `-o, --output`, as the help has it.
fn shown(arg: &Arg) -> String {
    let long = arg.get_long().map(|long| format!("--{long}"));
    let short = arg.get_short().map(|short| format!("-{short}"));
    short.into_iter().chain(long).collect::<Vec<_>>().join("/")
}
