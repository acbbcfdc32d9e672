//! Status conditions and the observed generation, as all kinds have them. It must not know single kinds.

use serde_json::Value;

use crate::fields::{count, elements, number, text};
use crate::verdict::{Health, progressing};

/// An entry of a list of conditions.
#[derive(Clone, Copy)]
pub(crate) struct Condition<'a>(pub(crate) &'a Value);

impl<'a> Condition<'a> {
    pub(crate) fn kind(self) -> &'a str {
        text(self.0, "/type")
    }

    pub(crate) fn is(self, status: &str) -> bool {
        text(self.0, "/status") == status
    }

    pub(crate) fn reason(self) -> &'a str {
        text(self.0, "/reason")
    }

    pub(crate) fn message(self) -> &'a str {
        text(self.0, "/message")
    }

    /// The message, or at least the reason.
    pub(crate) fn words(self) -> &'a str {
        match self.message() {
            "" => self.reason(),
            message => message,
        }
    }

    /// The generation that it is about, where it says so.
    pub(crate) fn observed_generation(self) -> Option<i64> {
        number(self.0, "/observedGeneration")
    }
}

pub(crate) fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    elements(object, "/status/conditions").map(Condition)
}

pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|condition| condition.kind() == kind)
}

/// The same when it has this status.
pub(crate) fn holds<'a>(object: &'a Value, kind: &str, status: &str) -> Option<Condition<'a>> {
    condition(object, kind).filter(|condition| condition.is(status))
}

/// The controller has not looked at the newest spec yet.
pub(crate) fn not_observed(object: &Value) -> Option<Health> {
    let generation = number(object, "/metadata/generation")?;
    let lags = generation > count(object, "/status/observedGeneration");
    lags.then(|| progressing(NOT_OBSERVED))
}

pub(crate) const NOT_OBSERVED: &str = "Waiting for the controller to observe the newest spec";
