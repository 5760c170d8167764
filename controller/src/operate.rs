//! What a person may ask for beside the manifest: a forced new deployment, of the present revision or of one that failed.

use crate::app::{AppName, Manager, Marks, Owner};
use crate::aws::Aws;
use crate::error::{Class, Error};
use crate::resource::service::{self, Found, Life, history};

/// Starts a new deployment of the service's revision, for a tag that was pushed again.
///
/// # Errors
/// When there is no such service, it is not ours, or a call fails.
pub async fn restart(aws: &Aws, app: &AppName, manager: &Manager) -> Result<(), Error> {
    ours(aws, app, manager).await?;
    force(aws, app, None).await
}

/// Starts a new deployment of the revision whose rollout failed last. Returns the revision's ARN.
///
/// # Errors
/// When there is no such service, it is not ours, none of its deployments failed, or a call fails.
pub async fn retry(aws: &Aws, app: &AppName, manager: &Manager) -> Result<String, Error> {
    let found = ours(aws, app, manager).await?;
    let record = history::observe(aws, app, &found).await?;
    let Some(history::Attempt { task_definition: arn, .. }) = record.failed.into_iter().next() else {
        let message = format!("no deployment of {app} has failed; to deploy the same again: interstella restart");
        return Err(Error::terminal("retry", "nothing to retry", message));
    };
    force(aws, app, Some(&arn)).await?;
    Ok(arn)
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
            let (code, message) = ("not ours".to_owned(), format!("the service {app} is not touched: {owner}"));
            Err(Error { operation: "ecs:DescribeServices", code, message, class: Class::Conflict })
        }
    }
}

async fn force(aws: &Aws, app: &AppName, revision: Option<&str>) -> Result<(), Error> {
    let call = aws.write.ecs.update_service().cluster(&app.cluster).service(&app.name).force_new_deployment(true);
    let call = call.set_task_definition(revision.map(str::to_owned)).send().await;
    call.map(drop).map_err(Error::of("ecs:UpdateService"))
}
