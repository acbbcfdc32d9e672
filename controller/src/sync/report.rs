//! What a pass tells: the Application's new status, events and metric values, as plain values.
//! It decides nothing and writes nothing, and never says more when all is well and unchanged.

use crds::ApplicationStatus;
use serde_json::Value;

use super::outcome::Outcome;
use super::plan::{OperationPhase, Plan, SyncStatus};
use super::world::{HealthStatus, World};

/// What to tell: when a `ClaimInventory` step comes up (`claim`), and after a pass (`report`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The whole status as it should stand; `Report::patch` turns it into the write that is needed.
    pub status: ApplicationStatus,
    /// `.operation` was taken up and leaves in the same patch.
    pub takes_operation: bool,
    /// Annotations that were obeyed and leave in the same patch.
    pub obeyed_annotations: Vec<&'static str>,
    /// Events on the Application.
    pub events: Vec<Event>,
    /// Values for the metrics.
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
        let _ = (stored, resource_version);
        None
    }
}

/// What a `ClaimInventory` step writes: inventory old ∪ new, and the operation as running.
pub fn claim(_world: &World, _plan: &Plan) -> Report {
    Report::default()
}

/// Tells what a pass did. Called at the end of every pass, also one without steps.
pub fn report(_world: &World, _plan: &Plan, _outcomes: &[Outcome]) -> Report {
    Report::default()
}
