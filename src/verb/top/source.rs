//! Where `top` has it from: a controller that runs, or AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use interstella_controller::app::AppName;
use interstella_controller::desired::{Desired, Presence};
use interstella_controller::memory::Memory;
use interstella_controller::plan::{Action, Summary};
use interstella_controller::reconcile::{self, Outcome};
use interstella_controller::status::AppStatus;
use interstella_controller::transition::{Look, Tone, Track, Transition};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Arguments;
use crate::block::row::{self, App};
use crate::failure::Failure;
use crate::session::{Session, now};
use crate::telemetry::line::{Line, Time};
use crate::verb::Context;
use crate::{apps, http, manifests};

/// What one look shows.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The apps.
    pub apps: Vec<App>,
    /// The last event.
    pub last: Option<Line>,
}

/// Where it comes from.
pub enum Source {
    /// A controller's HTTP interface.
    Controller { url: String, app: Option<String>, has_answered: bool },
    /// AWS itself, without changing anything.
    Account(Box<Account>),
}

/// AWS, and what the looks so far have told.
pub struct Account {
    session: Session,
    apps: Vec<Desired>,
    memory: Memory,
    tracks: BTreeMap<AppName, Track>,
}

/// As `/api/v1/apps` answers, as far as it is needed here.
#[derive(Debug, Deserialize)]
struct Answer {
    apps: Vec<App>,
    last: Option<Transition>,
}

impl Source {
    /// The controller that is named, or the account.
    pub async fn open(context: &Context, arguments: &Arguments) -> Result<Self, Failure> {
        let Arguments { app, manifests: flag, controller, .. } = arguments;
        if let Some(url) = controller {
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Self::Controller { url, app: app.clone(), has_answered: false });
        }
        let session = Session::connect(&context.common).await?;
        let apps = match app {
            Some(name) => vec![apps::named(context, &session, name, &flag.path).await?],
            None => all(context, &session, &flag.path).await?,
        };
        let mut memory = Memory::default();
        memory.cache.shows_health = true;
        Ok(Self::Account(Box::new(Account { session, apps, memory, tracks: BTreeMap::new() })))
    }

    /// Where it comes from, for people.
    pub fn place(&self) -> String {
        match self {
            Self::Controller { url, .. } => url.clone(),
            Self::Account(account) => {
                let identity = &account.session.identity;
                format!("account {}, region {}", identity.account, identity.region)
            }
        }
    }

    /// Looks. A controller that has answered once may be away for a while; that is then the last event, and the apps are as
    /// they were in the view before.
    pub async fn look(&mut self, before: &View) -> Result<View, Failure> {
        match self {
            Self::Account(account) => Ok(account.look(before).await),
            Self::Controller { url, app, has_answered } => match ask(url, app.as_deref()).await {
                Ok(view) => {
                    *has_answered = true;
                    Ok(view)
                }
                Err(failure) if *has_answered => Ok(View { last: Some(away(&failure, before)), ..before.clone() }),
                Err(failure) => Err(failure),
            },
        }
    }
}

/// The apps of the manifests at `path`, if there are any, and those of this manager that only AWS knows.
async fn all(context: &Context, session: &Session, path: &Path) -> Result<Vec<Desired>, Failure> {
    let declared = if path.exists() { manifests::require(context, path)? } else { Vec::new() };
    let mut apps = session.present(&declared);
    let known: BTreeSet<AppName> = apps.iter().map(|one| one.marks.app.clone()).collect();
    let others = apps::everything(session).await?.into_keys().filter(|app| !known.contains(app));
    apps.extend(others.map(|app| Desired::by_marks(app, &session.manager, Presence::Undeclared)));
    Ok(apps)
}

/// The line of a controller that does not answer, with the time at which that began.
fn away(failure: &Failure, before: &View) -> Line {
    let text = failure.to_string().lines().next().unwrap_or_default().to_owned();
    let time = Time::Clock.of(now(), &TimeZone::system());
    let line = Line { time, tone: Some(Tone::Bad), text, ..Line::default() };
    before.last.clone().filter(|last| last.text == line.text).unwrap_or(line)
}

async fn ask(url: &str, app: Option<&str>) -> Result<View, Failure> {
    let (status, body) = http::get(url, "/api/v1/apps").await?;
    let not = |what: String| {
        Failure::new(what).remedy("name the controller that `interstella up` or `run` shows at its start")
    };
    if status != 200 {
        return Err(not(format!("{url} answers {status} and is no controller")));
    }
    let answer: Answer = serde_json::from_slice(&body)
        .map_err(|error| not(format!("{url} gives an answer that is not understood: {error}")))?;
    let apps: Vec<App> = answer.apps.into_iter().filter(|one| app.is_none_or(|name| one.is_meant_by(name))).collect();
    if let (Some(name), true) = (app, apps.is_empty()) {
        return Err(Failure::new(format!("the controller at {url} has no app {name}")));
    }
    let last = answer.last.map(|one| Line::of(&one, &TimeZone::system()));
    Ok(View { apps, last })
}

impl Account {
    async fn look(&mut self, before: &View) -> View {
        let outcomes = reconcile::plan_only(&self.session.aws, &self.apps, &mut self.memory, now()).await;
        let told: Vec<Transition> = outcomes.iter().flat_map(|(app, outcome)| self.tell(app, outcome)).collect();
        let last = told.last().map(|one| Line::of(one, &TimeZone::system())).or_else(|| before.last.clone());
        let statuses: Vec<AppStatus> = outcomes.into_values().map(|outcome| outcome.status).collect();
        View { apps: row::of_statuses(&statuses), last }
    }

    /// What has become of an app since the look before; how it was at the first is no event.
    fn tell(&mut self, app: &AppName, outcome: &Outcome) -> Vec<Transition> {
        let Outcome { status, ended, plan, .. } = outcome;
        let actions = plan.as_ref().map_or(&[][..], |plan| &plan.actions);
        let changes: Vec<Summary> = actions.iter().map(Action::summary).collect();
        let waiting = plan.as_ref().map_or(&[][..], |plan| &plan.waiting);
        let look = Look { app, at: now(), edition: 0, status, changes: &changes, waiting, ended };
        let before = self.tracks.get(app);
        let (track, told) = before.cloned().unwrap_or_default().step(&look);
        let is_first = before.is_none();
        self.tracks.insert(app.clone(), track);
        if is_first { Vec::new() } else { told }
    }
}
