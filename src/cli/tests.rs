//! Every verb with every flag: it acts or is refused.

use std::path::Path;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

/// The common flags as they are typed.
const COMMON: [(&str, &[&str]); 7] = [
    ("region", &["--region", "eu-west-1"]),
    ("profile", &["--profile", "prod"]),
    ("endpoint_url", &["--endpoint-url", "http://127.0.0.1:1"]),
    ("manager", &["--manager", "me"]),
    ("output", &["-o", "json"]),
    ("verbose", &["-v"]),
    ("no_color", &["--no-color"]),
];

/// What a verb cannot do without.
fn least(verb: &str) -> &'static [&'static str] {
    match verb {
        "restart" | "retry" => &["monolith"],
        "load" => &["--rate", "5"],
        "simulate" => &["--history", "7d", "--app", "interstella/monolith"],
        "completions" => &["bash"],
        _ => &[],
    }
}

/// Flags behind the parts of the local cloud are those parts' own, and a verb's own flag does not stand before it.
fn is_for_another(typed: &[&str]) -> bool {
    ["worker", "hq", "--aws-profile"].contains(&typed[0])
}

fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::read(std::iter::once("interstella").chain(arguments.iter().copied()).map(OsString::from))
}

fn verbs() -> Vec<String> {
    Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect()
}

#[test]
fn every_common_flag_acts_or_is_refused_wherever_it_stands() {
    for verb in verbs() {
        let acting = flags::acting(&verb).unwrap_or_else(|| panic!("{verb} does not say which flags it acts on"));
        for (id, flag) in COMMON {
            // The curve of `load` has the name of the common flag.
            let flag = if (verb.as_str(), id) == ("load", "profile") { &["--aws-profile", "prod"] } else { flag };
            let typed = [&[verb.as_str()], least(&verb)].concat();
            let before = [flag, &typed[..]].concat();
            let after = [&typed[..], flag].concat();
            for typed in [before, after].iter().filter(|typed| !is_for_another(typed)) {
                match read(typed) {
                    Ok(_) => assert!(acting.contains(&id), "{typed:?} is accepted and does nothing"),
                    Err(error) => {
                        assert!(!acting.contains(&id), "{typed:?} is refused: {error}");
                        assert_eq!(error.kind(), ErrorKind::ArgumentConflict, "{typed:?}: {error}");
                    }
                }
            }
        }
    }
}

/// All of the program's source.
fn source(folder: &Path) -> String {
    let mut text = String::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            text.push_str(&source(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// The compiler does not tell: what clap makes of a field counts as its use.
#[test]
fn every_flag_of_a_verb_is_read_somewhere() {
    let source = source(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    let is_read = |field: &str| {
        let alone = |text: &str| {
            let ends = |at: usize| !source[at + text.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            source.match_indices(text).any(|(at, _)| ends(at))
        };
        // By its owner, or taken out of it.
        alone(&format!(".{field}"))
            || [format!(" {field},"), format!(" {field} }}")].iter().any(|text| source.contains(text))
    };
    for verb in Cli::command().get_subcommands() {
        let own = verb.get_arguments().map(|arg| arg.get_id().as_str());
        for id in own.filter(|id| !["help", "version"].contains(id)) {
            let field = if id == "curve_file" { "profile" } else { id };
            assert!(is_read(field), "{} accepts {id} and nothing reads it", verb.get_name());
        }
    }
}

#[test]
fn what_calls_nobody_takes_no_account_and_no_region() {
    for (typed, flag) in [
        (&["simulate", "--load", "a.csv", "--region", "eu-west-1"][..], "--region"),
        (&["load", "--rate", "5", "--to", "http://x/", "--aws-profile", "prod"], "--aws-profile"),
        (&["top", "--controller", "http://127.0.0.1:8888", "--manager", "me"], "--manager"),
    ] {
        let error = read(typed).unwrap_err().to_string();
        assert!(error.contains(&format!("{flag} does nothing")), "{error}");
    }
}

#[test]
fn flags_of_a_verb_that_need_another_say_so() {
    for typed in [
        &["load", "--burst", "5@1s", "--duration", "5m"][..],
        &["simulate", "--load", "a.csv", "--runs", "3"],
        &["simulate", "--load", "a.csv", "--late-share", "3"],
        &["status", "--timeout", "3"],
    ] {
        assert_eq!(read(typed).unwrap_err().kind(), ErrorKind::MissingRequiredArgument, "{typed:?}");
    }
}

#[test]
fn the_common_flags_have_one_help_section() {
    let mut command = command();
    let whole = command.render_long_help().to_string();
    assert!(whole.contains("Common flags:") && whole.contains("-o, --output <OUTPUT>"), "{whole}");
    for verb in verbs().iter().filter(|verb| *verb != "load") {
        let help = command.find_subcommand_mut(verb).unwrap().render_long_help().to_string();
        let named = help.matches("Common flags").count();
        assert_eq!(named, usize::from(!flags::acting(verb).unwrap().is_empty()), "{help}");
        assert!(!help.contains("<ENDPOINT_URL>") && !help.contains("      --no-color"), "{help}");
    }
}

#[test]
fn a_word_of_another_tool_leads_to_its_verb_and_never_by_likeness_to_deletion() {
    for (typed, suggested) in [
        ("deploy", "'apply'"),
        ("delete", "'destroy'"),
        ("destory", "'destroy'"),
        ("diff", "'plan'"),
        ("plam", "'plan'"),
        ("statsu", "'status'"),
    ] {
        let error = read(&[typed]).unwrap_err().to_string();
        assert!(error.contains(suggested), "{error}");
        assert_eq!(error.contains("'destroy'"), suggested == "'destroy'", "{error}");
    }
    for typed in ["destruct", "employ", "deployed", "destro-all"] {
        let error = read(&[typed]).unwrap_err().to_string();
        assert!(!error.contains("'destroy'"), "{error}");
    }
}
