//! What a pass tells: the Application's new status, events and metric values, as plain values.
//! It decides nothing and writes nothing, and never says more when all is well and unchanged.

mod events;
mod history;
mod operation_state;
mod restarts;
mod results;
mod room;
mod status;

use std::collections::BTreeSet;

use crds::{ApplicationStatus, names::HOLD};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::dialect::Finalizer;
use crate::dialect::argocd::{DELETION_APPROVED, REFRESH};
use crate::sync::outcome::Outcome;
use crate::sync::plan::{Decision, Finalizers, Operation, OperationPhase, Plan, Step, SyncStatus};
use crate::sync::plan::{consent, hold};
use crate::sync::world::{HealthStatus, World};
pub use restarts::restarts;

/// What to tell: when a `ClaimInventory` step comes up (`claim`), and after a pass (`report`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The whole status as it should stand; `Report::patch` turns it into the write that is needed.
    pub status: ApplicationStatus,
    /// `.operation` was taken up and leaves in the same patch.
    pub takes_operation: bool,
    /// Annotations that were obeyed and leave in the same patch.
    pub obeyed_annotations: Vec<&'static str>,
    /// All finalizers as they should stand; `None` when they stand so.
    pub finalizers: Option<Vec<String>>,
    /// Events on the Application.
    pub events: Vec<Event>,
    /// Values for the metrics; `None` when the Application is left alone.
    pub metrics: Option<AppMetrics>,
}

/// An event on the Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Warning instead of Normal.
    pub warning: bool,
    /// From a closed set.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

/// What the metrics say of one Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppMetrics {
    /// Label `sync_status`.
    pub sync: SyncStatus,
    /// Label `health_status`.
    pub health: HealthStatus,
    /// An operation ended in this pass: one more for `argocd_app_sync_total`.
    pub ended: Option<OperationPhase>,
}

impl Report {
    /// The merge patch of the Application that brings `stored`, its status as last written, to this report,
    /// conditional on `resource_version`. `None` when there is nothing to write.
    pub fn patch(&self, stored: &ApplicationStatus, resource_version: &str) -> Option<Value> {
        let changed = *stored != self.status;
        let status = changed.then(|| difference(&as_json(stored), &as_json(&self.status)));
        self.patch_with(status.flatten(), resource_version)
    }

    /// The same over a status with fields that can't be read, of which nothing stays.
    pub fn replacement(&self, stored: &Value, resource_version: &str) -> Option<Value> {
        self.patch_with(difference(stored, &as_json(&self.status)), resource_version)
    }

    fn patch_with(&self, status: Option<Value>, resource_version: &str) -> Option<Value> {
        let mut metadata = Map::new();
        metadata.insert("resourceVersion".into(), resource_version.into());
        if !self.obeyed_annotations.is_empty() {
            let gone = self
                .obeyed_annotations
                .iter()
                .map(|annotation| ((*annotation).to_owned(), Value::Null));
            metadata.insert("annotations".into(), gone.collect::<Map<_, _>>().into());
        }
        if let Some(finalizers) = &self.finalizers {
            metadata.insert("finalizers".into(), finalizers.clone().into());
        }
        let nothing = status.is_none()
            && !self.takes_operation
            && self.obeyed_annotations.is_empty()
            && self.finalizers.is_none();
        let mut patch = json!({ "metadata": metadata });
        if self.takes_operation {
            patch["operation"] = Value::Null;
        }
        if let Some(status) = status {
            patch["status"] = status;
        }
        (!nothing).then_some(patch)
    }

    /// The request to look again is taken off.
    pub(crate) fn takes_refresh(&self) -> bool {
        self.obeyed_annotations.contains(&REFRESH)
    }

    /// Finalizers have changed, and one of ours still keeps the Application.
    pub(crate) fn still_keeps(&self) -> bool {
        let mut left = self.finalizers.iter().flatten();
        left.any(|name| Finalizer::named(name).is_some())
    }
}

/// Whether a patch of [`Report::patch`] says no more than that a newer commit was compared: it holds nothing new for the Application.
pub fn moves_revision_alone(patch: &Value) -> bool {
    let only = |value: &Value, allowed: &[&str]| {
        let fields = value.as_object();
        fields.is_some_and(|fields| fields.keys().all(|field| allowed.contains(&field.as_str())))
    };
    let status = &patch["status"];
    only(patch, &["metadata", "status"])
        && only(&patch["metadata"], &["resourceVersion"])
        && only(status, &["sync", "reconciledAt"])
        && only(&status["sync"], &["revision", "revisions"])
}

/// What a `ClaimInventory` step writes: inventory old ∪ new, and the operation as running. How each object stands is left to the report
/// of this pass where the inventory is the old one: with thousands of them the list is most of the write.
pub fn claim(world: &World, plan: &Plan) -> Report {
    let mut report = Report {
        status: status::status(world, plan, &[]),
        takes_operation: takes_operation(world, plan),
        events: events::started(plan).into_iter().collect(),
        obeyed_annotations: outdated(world, plan).collect(),
        finalizers: finalizers(world, &plan.finalizers.add, &BTreeSet::new()),
        ..Report::default()
    };
    let recorded = &world.application.status.resources;
    if status::lists_the_same(&report.status.resources, recorded) {
        report.status.resources.clone_from(recorded);
    }
    if let Some(operation) = &plan.operation {
        history::replace(world, operation, &mut report.status);
        let state = operation_state::claimed(world, operation);
        report.status.last_sync = operation_state::last_sync(world, &state);
        report.status.operation_state = Some(state);
    }
    date(world, &mut report);
    report
}

/// Tells what a pass did. Called at the end of every pass, also one without steps.
pub fn report(world: &World, plan: &Plan, outcomes: &[Outcome]) -> Report {
    if plan.hands_off.is_some() {
        return Report {
            status: world.application.status.clone(),
            ..Report::default()
        };
    }
    let mut status = status::status(world, plan, outcomes);
    let ended = operation_state::close(world, plan, outcomes, &mut status);
    let claimed = plan
        .steps
        .iter()
        .any(|step| step.step == Step::ClaimInventory);
    let refreshed = world.application.marks.refresh.map(|_| REFRESH);
    let mut report = Report {
        events: events::events(world, plan, &status, ended, claimed),
        metrics: Some(status::metrics(&status, ended)),
        takes_operation: takes_operation(world, plan) && !claimed,
        finalizers: finalizers_after(world, plan, outcomes, claimed),
        obeyed_annotations: refreshed
            .into_iter()
            .chain(outdated(world, plan).filter(|_| !claimed))
            .collect(),
        status,
    };
    date(world, &mut report);
    report
}

/// What goes in the write with which an operation begins: a hold in whose place it comes, else a restart would roll back again,
/// and an approval that is not for it.
fn outdated(world: &World, plan: &Plan) -> impl Iterator<Item = &'static str> {
    let operation = plan.operation.as_ref();
    let hold = hold::is_over(world, operation).then_some(HOLD);
    let is_misdated = operation.is_some_and(|operation| consent::is_misdated(world, operation));
    hold.into_iter()
        .chain(is_misdated.then_some(DELETION_APPROVED))
}

/// Finalizers after a pass. Those that come off wait for its steps.
fn finalizers_after(
    world: &World,
    plan: &Plan,
    outcomes: &[Outcome],
    claimed: bool,
) -> Option<Vec<String>> {
    let Finalizers { add, remove } = &plan.finalizers;
    let done = outcomes.iter().all(|outcome| outcome.result.is_ok());
    let remove = if done { remove } else { &BTreeSet::new() };
    finalizers(world, add, remove).filter(|_| !claimed || !remove.is_empty())
}

/// The list with these changes; those of others stay.
fn finalizers(
    world: &World,
    add: &BTreeSet<Finalizer>,
    remove: &BTreeSet<Finalizer>,
) -> Option<Vec<String>> {
    let stays = |name: &&String| !Finalizer::named(name).is_some_and(|one| remove.contains(&one));
    let kept = world.application.finalizers.iter().filter(stays).cloned();
    let new = add.iter().flat_map(|finalizer| finalizer.names().first());
    let list: Vec<String> = kept.chain(new.map(|name| (*name).to_owned())).collect();
    (list != world.application.finalizers).then_some(list)
}

fn takes_operation(world: &World, plan: &Plan) -> bool {
    let started = plan
        .operation
        .as_ref()
        .is_some_and(|operation| operation.decision == Decision::Start);
    started && world.application.operation.is_some()
}

/// `reconciledAt` moves only together with something else, or when somebody asked for a look.
fn date(world: &World, report: &mut Report) {
    if report.status != world.application.status {
        room::fit(&mut report.status);
    }
    let news = report.status != world.application.status
        || report.takes_operation
        || report.finalizers.is_some()
        || !report.obeyed_annotations.is_empty();
    if news {
        report.status.reconciled_at = Some(time(world.now));
    }
}

/// A time as Kubernetes writes it, in whole seconds.
/// When an operation ends that ends now: never before it began, which may have been put into the next second.
fn end(world: &World, operation: &Operation) -> Time {
    time(world.now.max(operation.started_at))
}

fn time(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

fn as_json(status: &ApplicationStatus) -> Value {
    // Maps with text keys and plain values: there is nothing in a status that could fail to serialise.
    serde_json::to_value(status).unwrap_or_default()
}

/// The merge patch from `old` to `new`; `None` when they are equal.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = Map::new();
            for field in old.keys().filter(|field| !new.contains_key(*field)) {
                patch.insert(field.clone(), Value::Null);
            }
            for (field, value) in new {
                match old.get(field) {
                    Some(old) => {
                        patch.extend(difference(old, value).map(|change| (field.clone(), change)))
                    }
                    None => {
                        patch.insert(field.clone(), value.clone());
                    }
                }
            }
            (!patch.is_empty()).then(|| patch.into())
        }
        (old, new) if old == new => None,
        (_, new) => Some(new.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_holds_what_changed_and_nothing_else() {
        let old = json!({"sync": {"status": "Synced", "revision": "a"}, "gone": {"x": 1}, "list": [1, 2]});
        let new = json!({"sync": {"status": "OutOfSync", "revision": "a"}, "list": [1], "new": {}});
        let expected =
            json!({"gone": null, "sync": {"status": "OutOfSync"}, "list": [1], "new": {}});
        assert_eq!(difference(&old, &new), Some(expected));
        assert_eq!(difference(&new, &new), None);
    }

    #[test]
    fn a_report_that_says_nothing_new_is_no_write() {
        let report = Report::default();
        assert_eq!(report.patch(&ApplicationStatus::default(), "7"), None);
        let taken = Report {
            takes_operation: true,
            ..Report::default()
        };
        let patch = taken.patch(&ApplicationStatus::default(), "7");
        assert_eq!(
            patch,
            Some(json!({"metadata": {"resourceVersion": "7"}, "operation": null}))
        );
    }

    #[test]
    fn nothing_stays_of_a_field_that_nobody_can_read() {
        let unreadable = json!({"history": [{"id": "secret"}], "sync": {"status": 1, "new": 2}});
        let status = json!({"sync": {"status": "Synced"}});
        let report = Report {
            status: serde_json::from_value(status).unwrap(),
            ..Report::default()
        };
        let patch = report.replacement(&unreadable, "7").unwrap();
        let expected = json!({"history": null, "sync": {"status": "Synced", "new": null}});
        assert_eq!(patch["status"], expected);
    }

    #[test]
    fn a_commit_that_changes_nothing_moves_the_revision_alone() {
        let patch = |old: Value, new: Value| {
            let status = |value| serde_json::from_value(value).unwrap();
            let report = Report {
                status: status(new),
                ..Report::default()
            };
            let patch = report.patch(&status(old), "7").unwrap();
            moves_revision_alone(&patch)
        };
        let compared = |status: &str, revision: &str| json!({"sync": {"status": status, "revision": revision}});
        assert!(patch(compared("Synced", "a"), compared("Synced", "b")));
        assert!(!patch(compared("Synced", "a"), compared("OutOfSync", "b")));
        let mut sick = compared("Synced", "b");
        sick["health"] = json!({"status": "Degraded"});
        assert!(!patch(compared("Synced", "a"), sick));
        let taken = Report {
            takes_operation: true,
            ..Report::default()
        };
        let patch = taken.patch(&ApplicationStatus::default(), "7");
        assert!(!moves_revision_alone(&patch.unwrap()));
    }
}
