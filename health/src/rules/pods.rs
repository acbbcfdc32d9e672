//! Health of a Pod.
//! What made the Pod is looked at elsewhere.

use serde_json::Value;

use crate::argocd::{HOOKS, IGNORE_RESTART_POLICY};
use crate::conditions::holds;
use crate::fields::{annotation, elements, number, text};
use crate::verdict::{Health, degraded, healthy, progressing, unknown};

/// `helm.sh/hook` with this value makes no hook.
const NO_HOOK: &str = "crd-install";

pub(super) fn pod(object: &Value) -> Health {
    let stays = stays(object);
    if let Some(problem) = stays.then(|| stuck(object)).flatten() {
        return problem;
    }
    let message = text(object, "/status/message");
    match text(object, "/status/phase") {
        "Pending" | "" => progressing(message),
        "Succeeded" => healthy(message),
        "Failed" => degraded(failure(object)),
        "Running" if stays => running(object),
        "Running" => progressing(message),
        _ => unknown(message),
    }
}

/// It is meant to run for ever, so that running is its aim and not its way.
fn stays(object: &Value) -> bool {
    let restarts = matches!(text(object, "/spec/restartPolicy"), "Always" | "");
    let is_hook = || {
        HOOKS
            .iter()
            .any(|key| annotation(object, key).is_some_and(|hook| hook != NO_HOOK))
    };
    restarts || (annotation(object, IGNORE_RESTART_POLICY) == Some("true") && !is_hook())
}

/// A container that waits for a reason that does not pass by itself.
fn stuck(object: &Value) -> Option<Health> {
    let init = elements(object, "/status/initContainerStatuses");
    init.chain(containers(object)).find_map(|status| {
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
    let message = text(object, "/status/message");
    if holds(object, "Ready", "True").is_some() {
        return healthy(message);
    }
    let died = containers(object).find(|status| status.pointer("/lastState/terminated").is_some());
    match died {
        Some(status) => degraded(text(status, "/lastState/terminated/reason")),
        None => progressing(message),
    }
}

/// The first that says something: the Pod, a container that ended badly, the Pod's reason.
fn failure(object: &Value) -> String {
    let message = text(object, "/status/message");
    if !message.is_empty() {
        return message.to_owned();
    }
    let init = elements(object, "/status/initContainerStatuses");
    let ended = init.chain(containers(object)).find_map(end);
    ended.unwrap_or_else(|| text(object, "/status/reason").to_owned())
}

fn end(status: &Value) -> Option<String> {
    let message = text(status, "/state/terminated/message");
    let reason = text(status, "/state/terminated/reason");
    if !message.is_empty() {
        return Some(message.to_owned());
    }
    if reason == "OOMKilled" {
        return Some(reason.to_owned());
    }
    let code = number(status, "/state/terminated/exitCode").filter(|code| *code != 0)?;
    let name = text(status, "/name");
    Some(format!("container {name:?} failed with exit code {code}"))
}

fn containers(object: &Value) -> impl Iterator<Item = &Value> {
    elements(object, "/status/containerStatuses")
}
