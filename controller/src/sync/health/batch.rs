//! Health of Job and CronJob.
//! Their pods are looked at elsewhere.

use serde_json::Value;

use super::{condition, conditions, degraded, flag, healthy, progressing, suspended, text};
use crate::sync::world::Health;

pub(super) fn job(object: &Value) -> Health {
    let mut complete = None;
    for condition in conditions(object).filter(|condition| condition.is("True")) {
        match condition.kind() {
            "Failed" => return degraded(condition.message()),
            "Suspended" => return suspended(condition.message()),
            "Complete" => complete = Some(healthy()),
            _ => {}
        }
    }
    complete.unwrap_or_else(|| progressing(""))
}

pub(super) fn cron_job(object: &Value) -> Health {
    if flag(object, "/spec/suspend") || condition(object, "Suspended").is_some_and(|c| c.is("True"))
    {
        return healthy();
    }
    let scheduled = text(object, "/status/lastScheduleTime");
    let succeeded = text(object, "/status/lastSuccessfulTime");
    let active = object
        .pointer("/status/active")
        .and_then(Value::as_array)
        .is_some_and(|jobs| !jobs.is_empty());
    // Times of the API server are RFC 3339 in UTC with one precision, so they compare as text.
    if scheduled.is_empty() || succeeded.is_empty() || active || succeeded >= scheduled {
        return healthy();
    }
    degraded("The last scheduled Job did not succeed")
}
