//! Health of what runs to an end: Job, CronJob, Workflow.
//! Their Pods are looked at elsewhere.

use serde_json::Value;

use crate::conditions::{conditions, holds};
use crate::fields::{elements, flag, text};
use crate::verdict::{Health, degraded, healthy, progressing, suspended, unknown};

pub(super) fn job(object: &Value) -> Health {
    let mut complete = None;
    for condition in conditions(object).filter(|condition| condition.is("True")) {
        match condition.kind() {
            "Failed" => return degraded(condition.message()),
            "Suspended" => return suspended(condition.message()),
            "Complete" => complete = Some(healthy(condition.message())),
            _ => {}
        }
    }
    complete.unwrap_or_else(|| progressing(text(object, "/status/message")))
}

pub(super) fn cron_job(object: &Value) -> Health {
    if flag(object, "/spec/suspend") || holds(object, "Suspended", "True").is_some() {
        return healthy("CronJob is suspended");
    }
    let scheduled = text(object, "/status/lastScheduleTime");
    let succeeded = text(object, "/status/lastSuccessfulTime");
    let active = elements(object, "/status/active").next().is_some();
    // Times of the API server are RFC 3339 in UTC with one precision, so they compare as text.
    match (scheduled, succeeded) {
        ("", _) => healthy("CronJob has not been scheduled yet"),
        (_, "") => healthy("No Job of this CronJob has succeeded yet"),
        _ if active || succeeded >= scheduled => healthy(""),
        _ => degraded("The last scheduled Job did not succeed"),
    }
}

pub(super) fn workflow(object: &Value) -> Health {
    let message = text(object, "/status/message");
    match text(object, "/status/phase") {
        "" | "Pending" | "Running" => progressing(message),
        "Succeeded" => healthy(message),
        "Failed" | "Error" => degraded(message),
        other => unknown(other),
    }
}
