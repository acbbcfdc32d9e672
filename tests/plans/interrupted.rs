//! A sync that is killed after any of its writes: the same planner and reports over a cluster made of maps.
//! It proves that a restart needs nothing but the cluster and the Application's status.

#[path = "outside.rs"]
mod outside;
#[path = "scene.rs"]
mod scene;

use std::collections::BTreeMap;

use controller::sync::key::ObjectKey;
use controller::sync::plan::{Step, plan};
use controller::sync::report::{claim, report};
use controller::sync::world::Source;

use outside::{Killed, Outside};
use scene::{observe, source};

/// More passes than any run needs.
const PASSES: usize = 500;

/// One life of the process: passes until nothing is due, or until it is killed.
fn live_through(outside: &mut Outside, source: &Source, kill: Option<usize>) -> Result<(), Killed> {
    let mut fresh = true;
    for pass in 0..PASSES {
        let world = observe(outside, source, fresh, pass);
        let plan = plan(&world);
        if plan
            .steps
            .iter()
            .any(|step| step.step == Step::ClaimInventory)
        {
            outside.write(kill)?;
            outside.told(claim(&world, &plan));
        }
        let mut outcomes = Vec::new();
        for step in &plan.steps {
            outcomes.push(outside.execute(step, &source.desired, kill)?);
        }
        let report = report(&world, &plan, &outcomes);
        let lets_go = report.finalizers.is_some();
        if report.patch(&outside.status, "1").is_some() {
            outside.write(kill)?;
            outside.told(report);
        }
        let running = outside
            .status
            .operation_state
            .as_ref()
            .is_some_and(|state| state.phase == "Running");
        if plan.steps.is_empty() && plan.wake_at.is_none() && !running && !lets_go {
            return Ok(());
        }
        fresh = false;
        outside.settle();
    }
    panic!("no end after {PASSES} passes");
}

fn inventory(outside: &Outside) -> Vec<(String, String, String)> {
    let resources = outside.status.resources.iter();
    resources
        .map(|resource| {
            (
                resource.kind.clone(),
                resource.name.clone(),
                resource.status.clone(),
            )
        })
        .collect()
}

/// What may differ by the order of uids only.
fn objects(outside: &Outside) -> BTreeMap<ObjectKey, (usize, usize)> {
    outside
        .objects
        .iter()
        .map(|(key, object)| (key.clone(), (object.created, object.changed)))
        .collect()
}

/// Kind and phase of each run; names and times may differ.
fn runs(outside: &Outside) -> Vec<(String, String)> {
    let phase = |run: &str| run.rsplit('/').next().unwrap_or_default().to_owned();
    let runs = outside.runs.keys();
    let mut runs: Vec<_> = runs
        .map(|(key, run)| (key.kind().to_owned(), phase(run)))
        .collect();
    runs.sort();
    runs
}

fn check(killed: &Outside, undisturbed: &Outside, after: usize, expected: &str) {
    assert_eq!(
        runs(killed),
        runs(undisturbed),
        "killed after write {after}"
    );
    assert!(
        killed.runs.values().all(|times| *times == 1),
        "a run made its object again after write {after}: {:?}",
        killed.runs
    );
    assert_eq!(
        killed.finalizers, undisturbed.finalizers,
        "killed after write {after}"
    );
    let held = |outside: &Outside| outside.objects.values().any(|object| object.held);
    assert!(!held(killed), "a finalizer is left after write {after}");
    assert_eq!(
        objects(killed),
        objects(undisturbed),
        "killed after write {after}"
    );
    assert_eq!(
        inventory(killed),
        inventory(undisturbed),
        "killed after write {after}"
    );
    let revisions = |outside: &Outside| -> Vec<(i64, String)> {
        outside
            .status
            .history
            .iter()
            .map(|entry| (entry.id, entry.revision.clone()))
            .collect()
    };
    assert_eq!(
        revisions(killed),
        revisions(undisturbed),
        "killed after write {after}"
    );
    let phase = killed
        .status
        .operation_state
        .as_ref()
        .map(|state| state.phase.as_str());
    assert_eq!(phase, Some(expected), "killed after write {after}");
}

fn killed_after_every_write(before: &Outside, source: &Source, expected: &str) -> Outside {
    let mut undisturbed = before.clone();
    live_through(&mut undisturbed, source, None)
        .ok()
        .expect("nobody killed it");
    let first = before.writes;
    assert!(
        undisturbed.writes - first >= 50,
        "only {} writes",
        undisturbed.writes - first
    );
    for after in first..undisturbed.writes {
        let mut outside = before.clone();
        assert!(
            live_through(&mut outside, source, Some(after)).is_err(),
            "nothing was killed after write {after}"
        );
        live_through(&mut outside, source, None)
            .ok()
            .expect("nobody killed it");
        check(&outside, &undisturbed, after, expected);
    }
    undisturbed
}

#[test]
fn a_first_sync_killed_after_any_write_ends_like_an_undisturbed_one() {
    killed_after_every_write(&Outside::default(), &source("web:1"), "Succeeded");
}

#[test]
fn a_second_sync_that_changes_and_prunes_ends_the_same_too() {
    let mut first = Outside::default();
    live_through(&mut first, &source("web:1"), None)
        .ok()
        .expect("nobody killed it");
    killed_after_every_write(&first, &source("web:2"), "Succeeded");
}

#[test]
fn a_sync_that_fails_at_its_end_runs_its_hooks_of_failure_once() {
    let before = Outside {
        broken: &["smoke"],
        ..Outside::default()
    };
    let mut failed = before.clone();
    live_through(&mut failed, &source("web:1"), None)
        .ok()
        .expect("nobody killed it");
    let last = |(kind, phase): &(String, String)| (kind == "Job").then(|| phase.clone());
    let phases: Vec<String> = runs(&failed).iter().filter_map(last).collect();
    assert!(phases.contains(&"SyncFail".to_owned()), "{phases:?}");
    killed_after_every_write(&before, &source("web:1"), "Failed");
}

#[test]
fn a_deletion_killed_after_any_write_runs_its_hooks_once() {
    let mut synced = Outside {
        finalizers: vec!["resources-finalizer.argocd.argoproj.io".to_owned()],
        ..Outside::default()
    };
    live_through(&mut synced, &source("web:1"), None)
        .ok()
        .expect("nobody killed it");
    assert_eq!(synced.finalizers.len(), 5, "{:?}", synced.finalizers);
    synced.deleted = true;
    synced.runs.clear();
    let gone = killed_after_every_write(&synced, &source("web:1"), "Succeeded");
    assert!(gone.finalizers.is_empty() && gone.objects.is_empty());
    let job = |phase: &str| ("Job".to_owned(), phase.to_owned());
    assert_eq!(runs(&gone), [job("PostDelete"), job("PreDelete")]);
}
