//! One command starts everything, orders are fulfilled, and nothing outlives it.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::aws::APP;
use crate::support::http::{get, get_json};
use crate::support::processes::{left, tree};
use crate::support::up::Up;
use crate::support::wait::{SLACK, holds, until};

const FIRST_ORDER: Duration = Duration::from_secs(5);
const GONE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn orders_are_fulfilled_soon_and_ctrl_c_ends_everything() {
    let mut up = Up::converged(&[]).await;
    let first = up.fulfils_more(0, FIRST_ORDER * SLACK).await;
    assert!(up.started.elapsed() < FIRST_ORDER * SLACK, "the first order took {:?}", up.started.elapsed());
    assert_eq!(up.fulfils_more(first.fulfilled + 5, GONE).await.duplicates, 0);

    let said = up.output.since(0);
    for step in ["create log group", "create task definition", "create service monolith", "create subscription"] {
        assert!(said.contains(step), "{step} is not shown in {said}");
    }
    let endpoint = up.output.after(&format!("  {APP} "), GONE).await;
    let (status, body) = get(&format!("{endpoint}/")).await.unwrap();
    assert!(status == 200 && body.contains("Welcome to the monolith"), "{status} {body}");
    for path in ["livez", "readyz", "metrics"] {
        assert_eq!(get(&format!("{}/{path}", up.controller)).await.unwrap().0, 200, "{path}");
    }
    let apps = get_json(&format!("{}/api/v1/apps", up.controller)).await.unwrap();
    assert_eq!(apps["apps"][0]["name"], APP, "{apps}");

    let processes = tree(up.pid());
    assert!(processes.iter().any(|one| one.command.ends_with(" worker")), "{processes:?}");
    up.signal(Signal::INT);
    assert_eq!(up.ended(GONE).await.code(), Some(130));
    until("everything is gone", GONE, async || {
        let left = left(&processes, &up.cloud);
        holds(left.is_empty(), format!("{left:?}"))
    })
    .await;
    get(&format!("{endpoint}/")).await.expect_err("the load balancer is gone");
}

#[tokio::test]
async fn killing_up_leaves_no_process() {
    let mut up = Up::converged(&[]).await;
    up.manifest.edit("desiredCount: 1 ", "desiredCount: 2 ");
    until("two workers run", GONE * SLACK, async || holds(up.workers().len() == 2, format!("{:?}", up.workers())))
        .await;
    let processes = tree(up.pid());
    up.signal(Signal::KILL);
    up.ended(GONE).await;
    until("everything is gone", GONE, async || {
        let left = left(&processes, &up.cloud);
        holds(left.is_empty(), format!("{left:?}"))
    })
    .await;
}

#[tokio::test]
async fn a_signal_before_it_has_converged_ends_it() {
    let mut up = Up::start(&[]).await;
    let processes = tree(up.pid());
    up.signal(Signal::TERM);
    assert_eq!(up.ended(GONE).await.code(), Some(143));
    until("everything is gone", GONE, async || {
        let left = left(&processes, &up.cloud);
        holds(left.is_empty(), format!("{left:?}"))
    })
    .await;
}
