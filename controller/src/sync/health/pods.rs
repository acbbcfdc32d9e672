//! Health of a Pod.
//! What made the Pod is looked at elsewhere.

use serde_json::Value;

use super::{condition, degraded, healthy, light, progressing, text};
use crate::sync::world::{Health, HealthStatus};

pub(super) fn pod(object: &Value) -> Health {
    let restarts = matches!(text(object, "/spec/restartPolicy"), "Always" | "");
    if let Some(problem) = restarts.then(|| stuck(object)).flatten() {
        return problem;
    }
    match text(object, "/status/phase") {
        "Pending" | "" => progressing(text(object, "/status/message")),
        "Succeeded" => healthy(),
        "Failed" => degraded(failure(object)),
        "Running" if restarts => running(object),
        "Running" => progressing(text(object, "/status/message")),
        _ => light(HealthStatus::Unknown, text(object, "/status/message")),
    }
}

/// A container that waits for a reason that does not pass by itself.
fn stuck(object: &Value) -> Option<Health> {
    container_statuses(object).find_map(|status| {
        let reason = text(status, "/state/waiting/reason");
        let bad =
            reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff");
        bad.then(|| {
            let message = text(status, "/state/waiting/message");
            degraded(if message.is_empty() { reason } else { message })
        })
    })
}

fn running(object: &Value) -> Health {
    if condition(object, "Ready").is_some_and(|ready| ready.is("True")) {
        return healthy();
    }
    let died =
        container_statuses(object).find(|status| status.pointer("/lastState/terminated").is_some());
    match died {
        Some(status) => degraded(text(status, "/lastState/terminated/reason")),
        None => progressing(text(object, "/status/message")),
    }
}

fn failure(object: &Value) -> String {
    let message = text(object, "/status/message");
    if !message.is_empty() {
        return message.to_owned();
    }
    let terminated = container_statuses(object).find_map(|status| {
        let terminated = status.pointer("/state/terminated")?;
        let code = terminated
            .get("exitCode")
            .and_then(Value::as_i64)
            .filter(|code| *code != 0)?;
        Some(format!(
            "container {:?} failed with exit code {code}",
            text(status, "/name")
        ))
    });
    terminated.unwrap_or_else(|| text(object, "/status/reason").to_owned())
}

fn container_statuses(object: &Value) -> impl Iterator<Item = &Value> {
    ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .filter_map(|list| object.pointer(list).and_then(Value::as_array))
        .flatten()
}
