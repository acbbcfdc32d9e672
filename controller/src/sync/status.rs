//! Writing an Application's status: a merge patch on condition of its resourceVersion, no more often than people can read.
//! It writes what a report says and nothing when nothing changed; whoever wrote the Application meanwhile wins.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crds::{ApplicationStatus, ResourceResult};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

use crate::refusal;
use crate::sync::{
    engine::Engine,
    observe::applications::{self, AppId, owners_part},
    observe::stored_status,
    plan::recorded,
    report::{Report, moves_revision_alone},
};

/// The status is written at most this often, but for where an operation stands.
const PACE: Duration = Duration::from_secs(1);
/// Attempts while others write the same Application.
const ATTEMPTS: usize = 5;

/// What became of a report.
#[derive(Debug)]
pub(crate) enum Written {
    /// There was nothing to write.
    Nothing,
    /// It is written; this is the Application now.
    Done(Arc<Value>),
    /// It has to wait until then.
    Later(Instant),
    /// It has to wait until nobody waits for anything else.
    Behind,
    /// The Application was changed by its owner, or deleted: plan again.
    Superseded,
}

/// Where an operation stands. The next look reads it from the status and nobody else knows it, so it can't wait.
#[derive(PartialEq)]
struct Stage<'a> {
    phase: &'a str,
    times: [&'a Option<Time>; 2],
    retry_count: i64,
    failure: Option<String>,
    /// What became of each object and hook, but for how that is worded.
    results: Vec<[&'a str; 7]>,
}

impl<'a> Stage<'a> {
    fn of(status: &'a ApplicationStatus) -> Option<Self> {
        let state = status.operation_state.as_ref()?;
        let results = state.sync_result.iter().flat_map(|all| &all.resources);
        let result = |result: &'a ResourceResult| {
            let of = [&result.group, &result.kind, &result.namespace, &result.name];
            let [group, kind, namespace, name] = of.map(String::as_str);
            let [hook, phase] = [&result.hook_type, &result.hook_phase].map(String::as_str);
            [group, kind, namespace, name, hook, phase, &result.status]
        };
        Some(Self {
            phase: &state.phase,
            times: [&state.started_at, &state.finished_at],
            retry_count: state.retry_count,
            failure: recorded::failure(state),
            results: results.map(result).collect(),
        })
    }
}

impl Engine {
    /// Writes a report over the Application as `base` shows it.
    ///
    /// # Errors
    /// When the API server is away or refuses.
    pub(crate) async fn write(
        &self,
        app: &AppId,
        base: &Arc<Value>,
        report: &Report,
    ) -> Result<Written, kube::Error> {
        let Some((patch, urgent)) = needed(base, report) else {
            return Ok(Written::Nothing);
        };
        let last = self.memories.get(app).written;
        if let Some(due) = last
            .map(|last| last + PACE)
            .filter(|due| !urgent && *due > Instant::now())
        {
            return Ok(Written::Later(due));
        }
        // A commit to a large repository is news for few of its Applications: those come first.
        if moves_revision_alone(&patch) && self.queue.is_pressing() {
            return Ok(Written::Behind);
        }
        let written = self.patch(app, base, patch).await?;
        if let Written::Done(_) = written {
            self.memories
                .with(app, |memory| memory.written = Some(Instant::now()));
        }
        Ok(written)
    }

    /// Sends a patch that was made from `base`. When somebody wrote the Application meanwhile without changing what its owner
    /// writes, the patch still holds.
    async fn patch(
        &self,
        app: &AppId,
        base: &Arc<Value>,
        mut patch: Value,
    ) -> Result<Written, kube::Error> {
        let api = applications::api(self.context.client.clone(), &app.namespace);
        let params = PatchParams {
            field_manager: Some(crds::names::FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        for _ in 0..ATTEMPTS {
            match api.patch(&app.name, &params, &Patch::Merge(&patch)).await {
                Ok(object) => return Ok(Written::Done(self.applications.wrote(app, object))),
                Err(kube::Error::Api(status)) if status.code == 404 => {
                    return Ok(Written::Superseded);
                }
                Err(kube::Error::Api(status)) if status.is_conflict() => {}
                // A webhook may quote what it refuses.
                Err(error) => return Err(refusal::error_without_values(app, error)),
            }
            let Some(now) = api.get_opt(&app.name).await? else {
                return Ok(Written::Superseded);
            };
            let now = self.applications.wrote(app, now);
            if owners_part(&now) != owners_part(base) || now.get("status") != base.get("status") {
                return Ok(Written::Superseded);
            }
            patch["metadata"]["resourceVersion"] = resource_version(&now).into();
        }
        Ok(Written::Superseded)
    }
}

/// The patch that a report needs over the Application as `base` shows it, and whether that can't wait.
fn needed(base: &Value, report: &Report) -> Option<(Value, bool)> {
    let (stored, is_whole) = stored_status(base);
    let patch = match is_whole {
        true => report.patch(&stored, resource_version(base)),
        false => report.replacement(&base["status"], resource_version(base)),
    }?;
    let urgent = Stage::of(&stored) != Stage::of(&report.status)
        || report.takes_operation
        || report.finalizers.is_some()
        || !report.obeyed_annotations.is_empty();
    Some((patch, urgent))
}

fn resource_version(object: &Value) -> &str {
    object
        .pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .unwrap_or_default()
}
