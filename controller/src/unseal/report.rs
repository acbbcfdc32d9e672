//! What is told of one attempt: status, event and metrics, as values.
//! It must not tell what was told already: an object at rest causes no write.

use crds::names::FIELD_MANAGER;
use crds::{SealedSecret, SealedSecretCondition, SealedSecretStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};
use k8s_openapi::jiff::Timestamp;

use super::{UnsealOutcome, UnsealReason};
use crate::events::{Component, Event, EventType};

/// Type of the one condition.
const SYNCED: &str = "Synced";

/// What there is to report on.
#[derive(Debug)]
pub struct Telling<'a> {
    pub sealed: &'a SealedSecret,
    pub outcome: &'a UnsealOutcome,
    /// Whether the attempt before, in this process, came to the same refusal.
    pub before: Before,
    /// Who keeps writing the Secret against us, where that had to be waited for.
    pub rival: Option<&'a str>,
    /// False where the status is left alone.
    pub writes_status: bool,
    pub now: Timestamp,
}

/// What the attempt before came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Something else, or there was none.
    Other,
    /// The same refusal.
    Same,
    /// The same refusal, told so long ago that it is told again.
    LongTheSame,
}

/// What to tell.
#[derive(Debug, PartialEq)]
pub struct Report {
    /// The new status, where it is not what stands there already.
    pub status: Option<SealedSecretStatus>,
    pub event: Option<Event>,
    /// What the condition says afterwards.
    pub synced: bool,
}

/// What to tell of an attempt.
pub fn report(telling: &Telling<'_>) -> Report {
    let refusal = match telling.outcome {
        UnsealOutcome::Refused(reason) => Some(reason),
        _ => None,
    };
    if refusal.is_some_and(UnsealReason::may_lack_key) && is_in_effect_by_another(telling.sealed) {
        return Report {
            status: None,
            event: None,
            synced: true,
        };
    }
    let status = telling
        .writes_status
        .then(|| status(telling, refusal.map(ToString::to_string)))
        .flatten();
    let news = match (refusal, telling.before) {
        (None, _) => is_written(telling.outcome) || status.is_some(),
        (Some(_), Before::LongTheSame) => true,
        (Some(_), Before::Other) => status.is_some() || !telling.writes_status,
        (Some(_), Before::Same) => status.is_some(),
    };
    Report {
        event: news.then(|| event(telling, refusal)),
        status,
        synced: refusal.is_none(),
    }
}

fn is_written(outcome: &UnsealOutcome) -> bool {
    matches!(outcome, UnsealOutcome::Created | UnsealOutcome::Updated)
}

fn event(telling: &Telling<'_>, refusal: Option<&UnsealReason>) -> Event {
    let (type_, reason, message) = match (refusal, telling.rival) {
        (Some(refusal), _) => (
            EventType::Warning,
            refusal.event_reason(),
            refusal.event_message(),
        ),
        (None, Some(rival)) if is_written(telling.outcome) => (
            EventType::Warning,
            "FightingManager",
            format!(
                "the Secret is undone again and again by {rival}; it is put right after pauses of up to five minutes"
            ),
        ),
        (None, _) => (
            EventType::Normal,
            "Unsealed",
            "SealedSecret unsealed successfully".to_owned(),
        ),
    };
    Event {
        type_,
        component: Component::SealedSecrets,
        reason,
        message,
    }
}

/// True when this generation was put into effect before.
pub fn is_in_effect(sealed: &SealedSecret) -> bool {
    let Some(status) = &sealed.status else {
        return false;
    };
    let synced = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == SYNCED);
    status.observed_generation == sealed.metadata.generation
        && synced.is_some_and(|condition| condition.status == "True")
}

/// True when another controller says that this generation is in effect. It has keys that we lack.
fn is_in_effect_by_another(sealed: &SealedSecret) -> bool {
    let managers = sealed.metadata.managed_fields.iter().flatten();
    let last = managers
        .filter(|entry| entry.subresource.as_deref() == Some("status"))
        .max_by_key(|entry| written_at(entry));
    is_in_effect(sealed)
        && last.is_some_and(|entry| entry.manager.as_deref() != Some(FIELD_MANAGER))
}

fn written_at(entry: &ManagedFieldsEntry) -> Option<Timestamp> {
    entry.time.as_ref().map(|time| time.0)
}

/// The status after an attempt that failed with `message`, or did not; nothing where it stands there already.
fn status(telling: &Telling<'_>, message: Option<String>) -> Option<SealedSecretStatus> {
    let Telling { sealed, now, .. } = *telling;
    let mut status = sealed.status.clone().unwrap_or_default();
    let value = if message.is_none() { "True" } else { "False" };
    let index = status
        .conditions
        .iter()
        .position(|condition| condition.type_ == SYNCED);
    let old = index
        .map(|index| status.conditions.remove(index))
        .unwrap_or_default();
    let flips = old.status != value;
    let old_message = old.message.as_deref().filter(|message| !message.is_empty());
    let stands = !flips
        && old_message == message.as_deref()
        && status.observed_generation == sealed.metadata.generation;
    if stands && telling.before != Before::LongTheSame {
        return None;
    }
    let condition = SealedSecretCondition {
        type_: SYNCED.to_owned(),
        status: value.to_owned(),
        last_update_time: Some(Time(now)),
        last_transition_time: if flips {
            Some(Time(now))
        } else {
            old.last_transition_time
        },
        message,
        ..old
    };
    // The columns of kubectl show the first condition.
    status.conditions.insert(0, condition);
    status.observed_generation = sealed.metadata.generation;
    Some(status)
}

#[cfg(test)]
mod tests;
