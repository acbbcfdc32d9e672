//! Syncs that deal with more objects than their status can tell of one by one.
//! What becomes of each object is the business of the folders.

use controller::sync::items::Items;
use controller::sync::key::ObjectKey;
use controller::sync::outcome::{Done, Failure, FailureReason, Outcome};
use controller::sync::plan::{PlannedStep, Step, plan};
use controller::sync::report::report;
use controller::sync::world::World;
use crds::{ApplicationStatus, ResourceResult, SyncOperationResult};

use crate::too_many::multiplied;

/// A sync that runs: its hook is done, and that many objects are to be made.
fn running(objects: usize) -> World {
    let folder = "what_a_hook_made_goes_at_the_end_where_it_says_so";
    let settings = ObjectKey::of("", "ConfigMap", "demo", "settings");
    multiplied(folder, &settings, objects)
}

/// What a pass writes in which objects fail by their names.
fn status(world: &World, fails: impl Fn(&str) -> bool) -> ApplicationStatus {
    let plan = plan(world);
    let steps = plan.steps.iter();
    let outcomes: Vec<Outcome> = steps.map(|step| outcome(step, &fails)).collect();
    report(world, &plan, &outcomes).status
}

fn outcome(step: &PlannedStep, fails: &impl Fn(&str) -> bool) -> Outcome {
    let result = match &step.step {
        Step::Apply(key) if fails(key.name()) => Err(Failure {
            reason: FailureReason::Invalid,
            // Longer than a result tells.
            message: "denied ".repeat(100),
        }),
        Step::Apply(_) => Ok(Done::Created(Items::default())),
        _ => Ok(Done::Noted),
    };
    Outcome {
        step: step.clone(),
        result,
    }
}

fn results(status: &ApplicationStatus) -> &SyncOperationResult {
    let state = status.operation_state.as_ref().unwrap();
    state.sync_result.as_ref().unwrap()
}

#[test]
fn hooks_and_failures_are_listed_first_and_what_is_not_listed_is_counted() {
    let status = status(&running(700), |name| name >= "settings-0000000697");
    let result = results(&status);
    let told = |result: &ResourceResult| (result.name.clone(), result.status.clone());
    let first: Vec<_> = result.resources.iter().take(5).map(told).collect();
    let expected = [
        ("migrate", "Synced"),
        ("settings-0000000697", "SyncFailed"),
        ("settings-0000000698", "SyncFailed"),
        ("settings-0000000699", "SyncFailed"),
        ("settings-0000000000", "Synced"),
    ];
    let expected = expected.map(|(name, status)| (name.to_owned(), status.to_owned()));
    assert_eq!(first, expected);
    assert_eq!(result.resources.len(), 500);
    assert_eq!(result.omitted_resources, 201);
}

#[test]
fn no_result_of_a_hook_gives_way_to_one_of_an_object() {
    let mut world = running(10);
    let state = world.application.status.operation_state.as_mut().unwrap();
    let hooks = &mut state.sync_result.as_mut().unwrap().resources;
    for number in 0..600 {
        let hook = ResourceResult {
            name: format!("migrate-{number}"),
            ..hooks[0].clone()
        };
        hooks.push(hook);
    }
    let status = status(&world, |_| true);
    let result = results(&status);
    let is_of_hook = |result: &ResourceResult| result.hook_type == "PreSync";
    assert!(result.resources.iter().all(is_of_hook));
    assert_eq!(result.resources.len(), 601);
    assert_eq!(result.omitted_resources, 10);
}

#[test]
fn where_the_list_of_objects_leaves_little_room_fewer_results_are_listed() {
    let status = status(&running(9300), |_| true);
    let size = serde_json::to_vec(&status).unwrap().len();
    assert!(size <= 1024 * 1024, "{size}");
    assert_eq!(status.resources.len(), 9301, "every object is listed");
    let result = results(&status);
    let listed = result.resources.len();
    assert!(listed < 500, "{listed}");
    assert_eq!(result.resources[0].hook_type, "PreSync");
    assert_eq!(
        result.omitted_resources,
        9301 - i64::try_from(listed).unwrap()
    );
}
