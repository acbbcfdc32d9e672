//! Starting the Pods of a workload anew: one annotation of their template, under a manager of its own.
//! It changes nothing else, and writes no object that is not there.

use std::borrow::Cow;

use crds::names::RESTART_FIELD_MANAGER;
use kube::api::{DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};

use super::{Answer, Executor, answer::write_failure};
use crate::dialect::SECRETS;
use crate::sync::key::ObjectKey;
use crate::sync::outcome::Done;

impl Executor<'_> {
    /// Notes on the template which changes of Secrets its Pods know from now on.
    pub(super) async fn restart(&self, key: &ObjectKey, uid: &str, secrets: &str) -> Answer {
        let (api, resource) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let body = json!({
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": { "name": key.name(), "namespace": key.namespace(), "uid": uid },
            "spec": { "template": { "metadata": { "annotations": { SECRETS: secrets } } } },
        });
        let params = PatchParams::apply(RESTART_FIELD_MANAGER).force();
        self.engine.live.index().writing(key);
        let answer = api.patch(key.name(), &params, &Patch::Apply(&body)).await;
        self.engine.live.index().written(key);
        match answer {
            Ok(object) => {
                tracing::info!(workload = %key, "restarted: a Secret that it uses has changed");
                let seen = self.engine.live.sight(object, &resource);
                self.engine.live.see(key, seen);
                Ok(Ok(Done::Configured))
            }
            Err(error) => {
                let failure = write_failure(key, error)?;
                tracing::warn!(workload = %key, error = failure.message, "can't be restarted");
                Ok(Err(failure))
            }
        }
    }

    /// The body of a write with what is noted on the template of a workload: what is due, else what stands there already. Without it
    /// the write would take it away, and so start Pods anew for nothing.
    pub(super) fn with_note<'a>(&self, key: &ObjectKey, body: Cow<'a, Value>) -> Cow<'a, Value> {
        let due = self.world.restarts.get(key);
        let there = || self.world.live.get(key)?.secrets.as_ref();
        noted(body, due.or_else(there).map(String::as_str))
    }
}

/// The body of a write that leaves what is noted on the live workload.
pub(super) fn with_note_of<'a>(live: &DynamicObject, body: Cow<'a, Value>) -> Cow<'a, Value> {
    let annotations = live.data.pointer("/spec/template/metadata/annotations");
    noted(body, annotations.and_then(|all| all.get(SECRETS)?.as_str()))
}

fn noted<'a>(body: Cow<'a, Value>, secrets: Option<&str>) -> Cow<'a, Value> {
    let has_template = body.pointer("/spec/template").is_some_and(Value::is_object);
    match secrets.filter(|_| has_template) {
        Some(secrets) => {
            let mut body = body.into_owned();
            body["spec"]["template"]["metadata"]["annotations"][SECRETS] = secrets.into();
            Cow::Owned(body)
        }
        None => body,
    }
}
