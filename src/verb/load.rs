//! `load`: orders by a profile, at a rate or in bursts, through SNS or straight to a load balancer.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgGroup, Args};
use interstella_guard::partition;
use tokio::sync::Semaphore;

use crate::cli::speed;
use crate::failure::Failure;
use crate::load::books::{Books, Fate};
use crate::load::report::Tally;
use crate::load::schedule::{self, Burst, MOST_ORDERS, Span};
use crate::load::send::Run;
use crate::load::target::{Address, Target};
use crate::output;
use crate::profile::{MOST_PER_MINUTE, Profile};
use crate::session::Session;
use crate::verb::Context;

/// Headquarters of `interstella up`.
const LOCAL_HQ: &str = "http://127.0.0.1:8889";
/// The topic of the workshop's orders.
const TOPIC: &str = "orderTopic";
/// Longest time at which a burst may come, and longest duration: a leap year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Flags of `load`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("curve").args(["curve_file", "rate", "bursts"]).required(true).multiple(true)))]
pub struct Arguments {
    /// Orders by the curve of a CSV file (minute,ordersPerMinute), such as manifests/load/rush-hour.csv
    #[arg(id = "curve_file", long = "profile", value_name = "FILE", conflicts_with = "rate")]
    profile: Option<PathBuf>,
    /// Orders at a constant rate a minute
    #[arg(long, value_name = "N[/min]", value_parser = rate)]
    rate: Option<f64>,
    /// How long, with --rate
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10m", requires = "rate")]
    duration: Duration,
    /// Orders all at once, such as 100@30s; also besides a profile or rate, and more than once
    #[arg(long = "burst", value_name = "N@TIME", value_parser = burst)]
    bursts: Vec<Burst>,
    /// How much faster than its own minutes the load comes; as the speed of the cloud
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// The topic to publish to [default: orderTopic of the account and region]
    #[arg(long, value_name = "ARN")]
    topic: Option<String>,
    /// POST the orders to this URL instead, such as http://HOST:5000/fulfill/, which workers answer when the order is
    /// fulfilled, if INTERSTELLA_DIRECT_FULFIL=true
    #[arg(long, value_name = "URL", conflicts_with = "topic")]
    to: Option<String>,
    /// With --to: an order whose answer comes later than this after it was due is late, in the load's own time
    #[arg(long, value_name = "TIME", value_parser = time, requires = "to")]
    late_after: Option<Duration>,
    /// Headquarters, to ask what became of the orders [default: http://127.0.0.1:8889 with a local cloud]
    #[arg(long, value_name = "URL")]
    hq: Option<String>,
    /// Longest wait for their fulfilment
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "2m")]
    settle: Duration,
    /// Most orders on their way at once; what is due beyond that is not sent, and counted
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_in_flight: u32,
    /// Another seed is another run of the same curve
    #[arg(long, value_name = "N", default_value_t = 8888)]
    seed: u64,
    /// Profile of the AWS configuration files, which other verbs call --profile
    // It has the name of the common flag, takes its place and is read there, so that --profile is free for the curve.
    #[arg(id = "profile", long = "aws-profile", value_name = "PROFILE", help_heading = "Common flags")]
    _aws_profile: Option<String>,
}

/// Sends, waits for what becomes of it, and reports. Exit 1 unless every order was sent, accepted and, as far as
/// headquarters was asked, fulfilled once.
pub async fn run(context: Context, arguments: Arguments) -> Result<ExitCode, Failure> {
    let due = due(&arguments)?;
    let (target, is_local) = target(&context, &arguments).await?;
    let books = books(arguments.hq.as_deref(), is_local).await?;
    output::note(output::count(due.len(), "order", "orders"));
    let run = Run {
        target: Arc::new(target),
        due,
        most_in_flight: usize::try_from(arguments.max_in_flight).unwrap_or(Semaphore::MAX_PERMITS),
        late_after: arguments.late_after.map(|late_after| late_after.div_f64(arguments.speed)),
    };
    let tally = run.run(context.shutdown.clone().over()).await;
    let fate = settle(&context, books, &tally, arguments.settle).await?;
    let report = tally.report(fate);
    output::result(&context.common, &report, &report)?;
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// When each order is due, in time of this machine.
fn due(arguments: &Arguments) -> Result<Vec<Duration>, Failure> {
    let spans = match (&arguments.profile, arguments.rate) {
        (Some(path), _) => schedule::spans(&Profile::read(path)?),
        (None, Some(per_minute)) => vec![Span { from: Duration::ZERO, to: arguments.duration, per_minute }],
        (None, None) => Vec::new(),
    };
    let arrivals = schedule::arrivals(&spans, &arguments.bursts, arguments.seed).ok_or_else(|| {
        Failure::new(format!("these are more than {MOST_ORDERS} orders"))
            .remedy("send less at once: a lower rate, a shorter time, or one part of the curve after the other")
    })?;
    Ok(arrivals.into_iter().map(|at| at.div_f64(arguments.speed)).collect())
}

/// Where the orders go, and whether that is the topic of a cloud on this machine.
async fn target(context: &Context, arguments: &Arguments) -> Result<(Target, bool), Failure> {
    if let Some(url) = &arguments.to {
        return Ok((Target::Url(Box::new(Address::parse(url)?)), false));
    }
    let session = Session::connect(&context.common).await?;
    let identity = &session.identity;
    let partition = partition::of_region(&identity.region).map_or("aws", |partition| partition.id);
    let own = || format!("arn:{partition}:sns:{}:{}:{TOPIC}", identity.region, identity.account);
    let arn = arguments.topic.clone().unwrap_or_else(own);
    let region = match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "sns", region, _, _] if partition::is_region(region) => region.to_owned(),
        _ => {
            return Err(Failure::new(format!("{arn:?} is no topic"))
                .remedy("give an ARN such as arn:aws:sns:us-west-2:123456789012:orderTopic"));
        }
    };
    let client = session.aws.write.sns(&region);
    Ok((Target::Topic { client, arn }, session.aws.is_local()))
}

/// The books of headquarters: those that were asked for, or a local cloud's if there are any.
async fn books(hq: Option<&str>, is_local: bool) -> Result<Option<Books>, Failure> {
    let url = hq.or(is_local.then_some(LOCAL_HQ));
    if let Some(url) = url {
        output::note(format_args!("what becomes of the orders is asked of headquarters at {url} (--hq)"));
    }
    match hq {
        Some(url) => Books::open(url.trim_end_matches('/')).await.map(Some),
        None if is_local => Ok(Books::open(LOCAL_HQ).await.ok().or_else(|| {
            output::note(format_args!(
                "no headquarters answers at {LOCAL_HQ}: what becomes of the orders is not known (--hq)"
            ));
            None
        })),
        None => Ok(None),
    }
}

async fn settle(
    context: &Context,
    books: Option<Books>,
    tally: &Tally,
    within: Duration,
) -> Result<Option<Fate>, Failure> {
    let Some(books) = books else { return Ok(None) };
    books.settle(tally.accepted(), within, context.shutdown.clone().over()).await.map(Some)
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/min").unwrap_or(text);
    let rate = number.parse().ok().filter(|rate| *rate > 0.0 && *rate <= MOST_PER_MINUTE);
    rate.ok_or_else(|| {
        format!("a rate is a number of orders a minute, above 0 and up to {MOST_PER_MINUTE}, such as 200/min")
    })
}

fn time(text: &str) -> Result<Duration, String> {
    let said = || "a time is a number and s, m or h, such as 90s or 2.5h, and at most 8784h".to_owned();
    let split = text.len().saturating_sub(1);
    let (number, seconds) = match (text.get(..split), text.get(split..)) {
        (Some(number), Some("s")) => (number, 1.0),
        (Some(number), Some("m")) => (number, 60.0),
        (Some(number), Some("h")) => (number, 3600.0),
        _ => return Err(said()),
    };
    let number: f64 = number.parse().map_err(|_| said())?;
    Duration::try_from_secs_f64(number * seconds).ok().filter(|time| *time <= LONGEST).ok_or_else(said)
}

fn burst(text: &str) -> Result<Burst, String> {
    let said = || "a burst is a number of orders and a time, such as 100@30s";
    let (orders, at) = text.split_once('@').ok_or_else(said)?;
    let orders = orders.parse().ok().filter(|orders| *orders > 0).ok_or_else(said)?;
    Ok(Burst { orders, at: time(at)? })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::{Cli, Verb};

    fn parse(arguments: &[&str]) -> Result<(Option<String>, Arguments), String> {
        match Cli::try_parse_from([&["interstella", "load"], arguments].concat()) {
            Ok(Cli { common, verb: Verb::Load(arguments) }) => Ok((common.profile, arguments)),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn values_are_read_or_refused_with_an_example() {
        for (text, seconds) in [("90s", Some(90.0)), ("2.5h", Some(9000.0)), ("0m", Some(0.0)), ("1", None), ("", None)]
        {
            assert_eq!(time(text).ok().map(|time| time.as_secs_f64()), seconds, "{text}");
        }
        for text in ["s", "-1s", "NaNs", "1d", "9000h", "1é"] {
            assert!(time(text).unwrap_err().contains("such as 90s"), "{text}");
        }
        assert_eq!(burst("100@30s"), Ok(Burst { orders: 100, at: Duration::from_secs(30) }));
        assert!(burst("100").is_err() && burst("x@1s").is_err() && burst("-1@1s").is_err());
        assert_eq!((rate("200/min"), rate("0.5")), (Ok(200.0), Ok(0.5)));
        assert!(rate("0").is_err() && rate("inf").is_err() && rate("200/s").is_err());
        assert!(speed("0").is_err() && speed("NaN").is_err() && speed("60").is_ok());
    }

    #[test]
    fn the_curve_is_required_and_the_two_kinds_of_profile_do_not_meet() {
        Cli::command().debug_assert();
        let (aws, arguments) = parse(&["--profile", "a.csv", "--aws-profile", "prod", "--burst", "5@1m"]).unwrap();
        assert_eq!((aws.as_deref(), arguments.profile), (Some("prod"), Some("a.csv".into())));
        assert_eq!(arguments.bursts.len(), 1);
        let (aws, arguments) = parse(&["--rate", "5"]).unwrap();
        assert_eq!((aws, arguments.profile, arguments.rate), (None, None, Some(5.0)));
        for (arguments, said) in [
            (&[][..], "required"),
            (&["--profile", "a.csv", "--rate", "5"], "cannot be used with"),
            (&["--rate", "5", "--to", "http://x/", "--topic", "y"], "cannot be used with"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(said), "{arguments:?}: {error}");
        }
    }
}
