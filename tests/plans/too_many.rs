//! An Application with more objects than its status can list.
//! A folder of YAML would be too long for it: a small one is multiplied.

use std::path::Path;
use std::sync::Arc;

use controller::dialect;
use controller::sync::key::ObjectKey;
use controller::sync::plan::{OperationPhase, Plan, plan};
use controller::sync::report::report;
use controller::sync::world::World;

use crate::world::Case;

fn world(folder: &str, objects: usize) -> World {
    let service = ObjectKey::of("", "Service", "demo", "web");
    multiplied(folder, &service, objects)
}

/// The World of a folder with that many objects more like `model` that are wanted and not there.
pub(crate) fn multiplied(folder: &str, model: &ObjectKey, objects: usize) -> World {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/plans");
    let mut world = Case::read(&root.join(folder)).world;
    let source = world.source.as_mut().unwrap();
    let desired = Arc::make_mut(&mut source.desired);
    for number in 0..objects {
        let mut wanted = desired.objects[model].clone();
        let name = format!("{}-{number:010}", model.name());
        wanted.key = ObjectKey::new(&model.group_kind(), model.namespace(), &name);
        desired.order.push(wanted.key.clone());
        desired.objects.insert(wanted.key.clone(), wanted);
    }
    world
}

fn told(plan: &Plan) -> Vec<&str> {
    let messages = plan
        .conditions
        .iter()
        .map(|condition| condition.message.as_str());
    messages.collect()
}

#[test]
fn as_many_objects_as_a_status_can_list_are_synced() {
    let world = world("objects_as_wanted_plan_nothing_and_write_nothing", 8000);
    let plan = plan(&world);
    assert_eq!(told(&plan), [""; 0]);
    // The claim, and an apply of each.
    assert_eq!(plan.steps.len(), 8001);
}

#[test]
fn an_application_of_too_many_objects_says_so_and_leaves_everything_as_it_is() {
    for folder in [
        "objects_as_wanted_plan_nothing_and_write_nothing",
        "an_object_that_left_git_is_pruned_and_stays_in_the_inventory",
    ] {
        let world = world(folder, 12_000);
        let plan = plan(&world);
        let message = "objects are too many for one Application";
        assert!(told(&plan)[0].contains(message), "{:?}", told(&plan));
        assert!(plan.steps.is_empty(), "{folder}: {:?}", plan.steps[0]);
        let status = report(&world, &plan, &[]).status;
        assert_eq!(status.resources, world.application.status.resources);
        assert_eq!(status.sync.unwrap().status, "Unknown");
    }
}

#[test]
fn a_sync_of_too_many_objects_that_somebody_asks_for_ends_at_once() {
    let mut world = world("objects_as_wanted_plan_nothing_and_write_nothing", 12_000);
    let request = crds::Application {
        operation: Some(crds::Operation::default()),
        ..crds::Application::default()
    };
    world.application.operation = request.operation.clone();
    world.request = dialect::operation(&request, request.operation.as_ref());
    let plan = plan(&world);
    let report = report(&world, &plan, &[]);
    assert!(report.takes_operation);
    let state = report.status.operation_state.unwrap();
    assert_eq!(state.phase, OperationPhase::Error.name());
    assert!(state.message.contains("too many"), "{}", state.message);
}
