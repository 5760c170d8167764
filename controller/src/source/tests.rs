#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::fs;

use tokio::runtime::Builder;
use tokio::time::timeout;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// Notifications alone: the poll would come after the deadline.
const NOTIFIED: Timing = Timing {
    quiet: Duration::from_millis(20),
    between_reads: Duration::from_millis(10),
    poll: Duration::from_secs(600),
    most: Duration::from_secs(2),
};

fn manifest(name: &str, count: u32) -> String {
    format!(
        "apiVersion: interstella.trade/v1\nkind: Service\nmetadata: {{ name: {name} }}\nspec:\n  cluster: c\n  \
         taskDefinition: {{ containers: [{{ name: app, image: a, memory: 64 }}] }}\n  desiredCount: {count}\n"
    )
}

fn run<F: Future<Output = ()>>(test: F) {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// Reads events until one satisfies `wanted`.
async fn until(source: &mut Source, wanted: impl Fn(&SourceEvent) -> bool) {
    let search = async {
        while let Some(event) = source.next().await {
            if wanted(&event) {
                return;
            }
        }
        panic!("the watch has died");
    };
    timeout(DEADLINE, search).await.expect("the change was not seen in time");
}

fn count(event: &SourceEvent) -> Option<u32> {
    Some(event.manifests.values().next()?.as_ref().ok()?.first()?.spec.desired_count)
}

#[test]
fn a_file_that_is_written_in_place_renamed_over_broken_removed_and_restored() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m.yaml");
        fs::write(&file, manifest("x", 1)).unwrap();
        let mut source = Source::watch(&file, NOTIFIED);
        until(&mut source, |event| count(event) == Some(1)).await;
        fs::write(&file, manifest("x", 2)).unwrap();
        until(&mut source, |event| count(event) == Some(2)).await;
        let other = directory.path().join(".m.yaml.swp");
        fs::write(&other, manifest("x", 3)).unwrap();
        fs::rename(&other, &file).unwrap();
        until(&mut source, |event| count(event) == Some(3)).await;
        fs::write(&file, "kind: [").unwrap();
        until(&mut source, |event| event.manifests[&file].is_err()).await;
        fs::remove_file(&file).unwrap();
        let gone = |problems: &Vec<Diagnostic>| problems[0].what.contains("does not exist");
        until(&mut source, |event| event.manifests[&file].as_ref().is_err_and(gone)).await;
        fs::write(&file, manifest("x", 4)).unwrap();
        until(&mut source, |event| count(event) == Some(4)).await;
    });
}

#[cfg(unix)]
#[test]
fn a_mounted_config_map_is_exchanged_by_a_link() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        for (version, replicas) in [("..1", 1), ("..2", 2)] {
            fs::create_dir(path.join(version)).unwrap();
            fs::write(path.join(version).join("m.yaml"), manifest("x", replicas)).unwrap();
        }
        std::os::unix::fs::symlink("..1", path.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/m.yaml", path.join("m.yaml")).unwrap();
        let mut source = Source::watch(path, NOTIFIED);
        until(&mut source, |event| count(event) == Some(1)).await;
        std::os::unix::fs::symlink("..2", path.join("..new")).unwrap();
        fs::rename(path.join("..new"), path.join("..data")).unwrap();
        until(&mut source, |event| count(event) == Some(2)).await;
    });
}

#[test]
fn a_directory_that_gains_and_loses_files() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let mut source = Source::watch(&path, NOTIFIED);
        until(&mut source, |event| event.manifests.contains_key(&path)).await;
        fs::write(path.join("a.yaml"), manifest("a", 1)).unwrap();
        fs::write(path.join("b.yaml"), manifest("b", 1)).unwrap();
        until(&mut source, |event| event.manifests.values().filter(|result| result.is_ok()).count() == 2).await;
        fs::remove_file(path.join("a.yaml")).unwrap();
        until(&mut source, |event| event.manifests.len() == 1 && event.manifests.contains_key(&path.join("b.yaml")))
            .await;
    });
}

#[test]
fn polling_sees_what_nobody_notified() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        // The link's target has a name that no notification is heeded for.
        let target = directory.path().join("elsewhere");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("real.txt"), manifest("x", 1)).unwrap();
        let file = directory.path().join("m.yaml");
        #[cfg(unix)]
        std::os::unix::fs::symlink(target.join("real.txt"), &file).unwrap();
        let mut source = Source::watch(&file, Timing { poll: Duration::from_millis(50), ..NOTIFIED });
        until(&mut source, |event| count(event) == Some(1)).await;
        fs::write(target.join("real.txt"), manifest("x", 2)).unwrap();
        until(&mut source, |event| count(event) == Some(2)).await;
    });
}

#[test]
fn what_did_not_change_is_not_reported() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("m.yaml");
        fs::write(&file, manifest("x", 1)).unwrap();
        let mut source = Source::watch(&file, Timing { poll: Duration::from_millis(20), ..NOTIFIED });
        until(&mut source, |event| count(event) == Some(1)).await;
        // The same content with a new time stamp, then a real change: the next event must be the real one.
        fs::write(directory.path().join("other.yaml"), "kind: [").unwrap();
        for replicas in [1, 2] {
            fs::write(directory.path().join(".tmp"), manifest("x", replicas)).unwrap();
            fs::rename(directory.path().join(".tmp"), &file).unwrap();
        }
        let event = timeout(DEADLINE, source.next()).await.unwrap().unwrap();
        assert_eq!(count(&event), Some(2));
    });
}
