//! Golden plans: every folder of `tests/plans` is one World, and `plan.txt` the plan that it leads to.
//! The folder's name is the rule that it proves. `TRYCMD=overwrite` writes the outputs anew; the review is `git diff`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on fails"
)]

#[path = "plans/folder.rs"]
mod folder;
#[path = "plans/interrupted.rs"]
mod interrupted;
#[path = "plans/kinds.rs"]
mod kinds;
#[path = "plans/large.rs"]
mod large;
#[path = "plans/live.rs"]
mod live;
#[path = "plans/results.rs"]
mod results;
#[path = "plans/too_many.rs"]
mod too_many;
#[path = "plans/world.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use controller::dialect;
use controller::sync::items::Items;
use controller::sync::outcome::{Done, Failure, FailureReason, Outcome};
use controller::sync::plan::{Plan, PlannedStep, Step, plan};
use controller::sync::report::{Event, Report, claim, report, restarts};
use controller::sync::world::World;
use folder::folders;
use serde_json::{Value, json};
use snapbox::{Assert, Data};
use world::Case;

/// Written into every value of every Secret of the folders; it must come out nowhere.
const CANARY: &str = "canary";
/// Base64 of the canary's first letters, at its three offsets.
const ENCODED_CANARIES: [&str; 3] = ["Y2FuYX", "NhbmFy", "jYW5hc"];

fn assert() -> Assert {
    Assert::new().action_env("TRYCMD").normalize_paths(false)
}

#[test]
fn every_world_leads_to_its_plan() {
    let folders = folders();
    assert!(folders.len() >= 40, "found {} folders", folders.len());
    let mut failed = Vec::new();
    for folder in &folders {
        let case = Case::read(folder);
        let plan = plan(&case.world);
        let mut outputs = vec![("plan.txt", plan.to_string())];
        if case.report {
            outputs.push(("report.yaml", told(&case, &plan)));
        }
        for (file, text) in outputs {
            no_secret_in(folder, &text);
            if compare(&folder.join(file), &text).is_err() {
                failed.push(folder.join(file));
            }
        }
    }
    assert!(failed.is_empty(), "these differ (see above): {failed:#?}");
}

fn compare(golden: &Path, text: &str) -> Result<(), PathBuf> {
    let expected = Data::read_from(golden, None);
    let result = std::panic::catch_unwind(|| assert().eq(text, expected));
    result.map_err(|_| golden.to_owned())
}

fn no_secret_in(folder: &Path, text: &str) {
    let found =
        text.contains(CANARY) || ENCODED_CANARIES.iter().any(|canary| text.contains(canary));
    assert!(!found, "{}: a secret value is printed", folder.display());
}

/// What a pass writes when each step succeeds, but for those that the folder lets fail.
fn told(case: &Case, plan: &Plan) -> String {
    let mut parts = serde_json::Map::new();
    let mut stored = case.stored.clone();
    if plan
        .steps
        .iter()
        .any(|step| step.step == Step::ClaimInventory)
    {
        let claimed = claim(&case.world, plan);
        parts.insert("claim".into(), tell(&claimed, &stored));
        stored = claimed.status;
    }
    let outcomes: Vec<Outcome> = plan.steps.iter().map(|step| outcome(case, step)).collect();
    let reported = report(&case.world, plan, &outcomes);
    parts.insert("report".into(), tell(&reported, &stored));
    let restarts = restarts(&case.world, &outcomes);
    let restarts: Vec<Value> = restarts.values().flatten().map(print).collect();
    if !restarts.is_empty() {
        parts.insert("restarts".into(), restarts.into());
    }
    serde_saphyr::to_string(&Value::Object(parts)).expect("plain values")
}

fn tell(report: &Report, stored: &crds::ApplicationStatus) -> Value {
    let mut told = json!({ "patch": report.patch(stored, "7") });
    if !report.events.is_empty() {
        told["events"] = report.events.iter().map(print).collect();
    }
    told
}

fn print(event: &Event) -> Value {
    let kind = if event.warning { "Warning" } else { "Normal" };
    Value::from(format!("{kind} {}: {}", event.reason, event.message))
}

fn outcome(case: &Case, step: &PlannedStep) -> Outcome {
    let text = step.step.to_string();
    let failure = case.failures.get(&text).map(|message| Failure {
        reason: FailureReason::Invalid,
        message: message.clone(),
    });
    let asked = match &step.step {
        Step::DryRun { step, .. } => step,
        step => step,
    };
    let done = match asked {
        Step::Replace(_) => Done::Configured(Items::default()),
        Step::Apply(key) | Step::Merge(key) if case.world.live.contains_key(key) => {
            Done::Configured(Items::default())
        }
        Step::Apply(_)
        | Step::Merge(_)
        | Step::CreateNamespace(_)
        | Step::Unseal(_)
        | Step::RunHook(_) => Done::Created(Items::default()),
        Step::ApplyNamespace(_) => Done::Configured(Items::default()),
        Step::Delete { .. } | Step::DeleteHook { .. } => Done::Deleted,
        _ => Done::Noted,
    };
    Outcome {
        step: step.clone(),
        result: failure.map_or(Ok(done), Err),
    }
}

#[test]
fn the_same_world_gives_the_same_plan() {
    for folder in folders() {
        let world: World = Case::read(&folder).world;
        assert_eq!(plan(&world), plan(&world.clone()), "{}", folder.display());
    }
}

#[test]
fn no_plan_deletes_what_its_inventory_and_tracking_do_not_prove_to_be_ours() {
    for folder in folders() {
        let world = Case::read(&folder).world;
        for step in plan(&world).steps {
            let (Step::Delete { key, uid, .. } | Step::DeleteHook { key, uid }) = step.step else {
                continue;
            };
            let live = &world.live[&key];
            let is_hook = dialect::is_hook(&live.metadata);
            let name = &world.application.tracking_name;
            let ours = |tracking: &String| tracking.starts_with(&format!("{name}:"));
            // Helm left it, and tracks nothing.
            let of_helm = is_hook && live.tracking.is_none();
            assert_eq!(live.uid, uid, "{}", folder.display());
            assert!(
                live.tracking.as_ref().is_some_and(ours) || of_helm,
                "{}: {key}",
                folder.display()
            );
            let listed = |resource: &crds::ResourceStatus| {
                resource.kind == key.kind() && resource.name == key.name()
            };
            assert!(
                world.application.status.resources.iter().any(listed) || is_hook,
                "{}: {key}",
                folder.display()
            );
        }
    }
}

#[test]
fn every_folder_holds_nothing_else() {
    for folder in folders() {
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let known = [
                "application.yaml",
                "project.yaml",
                "world.yaml",
                "source",
                "dependencies",
                "live",
                "plan.txt",
                "report.yaml",
            ];
            assert!(
                known.contains(&name.as_str()),
                "{}: unexpected {name}",
                folder.display()
            );
        }
    }
}
