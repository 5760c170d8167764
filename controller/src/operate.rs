//! What a person may ask for beside the manifest: a forced new deployment, of the present revision or of one that failed.

use std::collections::BTreeMap;

use crate::app::{AppName, Manager, Marks, Owner};
use crate::aws::Aws;
use crate::desired::Desired;
use crate::error::{Class, Error};
use crate::observe::{self, Cache};
use crate::observed::Observed;
use crate::resource::service::{self, Found, Life};
use crate::resource::tags::{self, Scope};

/// Every app of a manager that AWS's index of tags knows, with how many resources of it are there. The index is written after the
/// resources, so what was made a moment ago may not be in it yet (AWS: Resource Groups Tagging API, GetResources).
///
/// # Errors
/// When the read fails.
pub async fn apps(aws: &Aws, manager: &Manager) -> Result<BTreeMap<AppName, usize>, Error> {
    let index = tags::index(aws, manager, Scope::Everything).await?;
    Ok(index.into_iter().filter_map(|(app, arns)| Some((app.parse().ok()?, arns.len()))).collect())
}

/// Starts a new deployment of the service's revision, for a tag that was pushed again.
///
/// # Errors
/// When there is no such service, it is not ours, or a call fails.
pub async fn restart(aws: &Aws, app: &AppName, manager: &Manager) -> Result<(), Error> {
    ours(aws, app, manager).await?;
    force(aws, app, None).await
}

/// Starts the failed rollout of what the manifest says once more. Returns the revision's ARN.
///
/// # Errors
/// When there is no such service, it is not ours, that rollout has not failed, or a call fails.
pub async fn retry(aws: &Aws, desired: &Desired) -> Result<String, Error> {
    let Marks { app, manager } = &desired.marks;
    ours(aws, app, manager).await?;
    let observed = observe::observe(aws, &[desired], &mut Cache::default()).await.remove(app);
    let observed = observed.unwrap_or_else(|| Ok(Observed::default()))?;
    let Some(arn) = service::failed_rollout(desired, &observed) else {
        let message = format!(
            "no rollout of {app} that its manifest asks for has failed; to deploy the same again: interstella restart {app}"
        );
        return Err(Error::terminal("retry", "nothing to retry", message));
    };
    force(aws, app, Some(arn)).await?;
    Ok(arn.to_owned())
}

async fn ours(aws: &Aws, app: &AppName, manager: &Manager) -> Result<Found, Error> {
    let names = [app.name.clone()].into();
    let mut fetched = service::observe::observe(aws, &app.cluster, names).await;
    let found = fetched.remove(&app.name).unwrap_or(Ok(None))?.filter(|found| found.life == Life::Active);
    let Some(found) = found else {
        let (code, message) = ("no such service".to_owned(), format!("there is no ACTIVE service {app}"));
        return Err(Error { operation: "ecs:DescribeServices", code, message, class: Class::NotFound });
    };
    let marks = Marks { app: app.clone(), manager: manager.clone() };
    match marks.owner(&found.tags) {
        Owner::Ours => Ok(found),
        Owner::Another(owner) => {
            let (code, message) = (
                "not ours".to_owned(),
                format!("the service {app} is not touched: {owner}; if it is yours, say its manager with `--manager`"),
            );
            Err(Error { operation: "ecs:DescribeServices", code, message, class: Class::Conflict })
        }
    }
}

async fn force(aws: &Aws, app: &AppName, revision: Option<&str>) -> Result<(), Error> {
    let call = aws.write.ecs.update_service().cluster(&app.cluster).service(&app.name).force_new_deployment(true);
    let call = call.set_task_definition(revision.map(str::to_owned)).send().await;
    call.map(drop).map_err(Error::of("ecs:UpdateService"))
}
