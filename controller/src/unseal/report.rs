//! What is told of one attempt: status, event and metrics, as values.
//! It must not tell what was told already: an object at rest causes no write.

use crds::names::FIELD_MANAGER;
use crds::{SealedSecret, SealedSecretCondition, SealedSecretStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, Time};
use k8s_openapi::jiff::Timestamp;

use super::UnsealOutcome;
use crate::events::{Component, Event, EventType};

/// Type of the one condition.
const SYNCED: &str = "Synced";

/// What there is to report on.
#[derive(Debug)]
pub struct Attempt<'a> {
    pub sealed: &'a SealedSecret,
    pub outcome: &'a UnsealOutcome,
    /// The attempt before this one, in this process, failed too.
    pub failed_before: bool,
    pub now: Timestamp,
}

/// What to tell.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    /// The new status, where it is not what stands there already.
    pub status: Option<SealedSecretStatus>,
    pub event: Option<Event>,
}

/// What to tell of an attempt.
pub fn report(attempt: &Attempt<'_>) -> Report {
    let refusal = match attempt.outcome {
        UnsealOutcome::Refused(reason) => Some(reason),
        _ => None,
    };
    if refusal.is_some_and(super::UnsealReason::may_lack_key)
        && is_in_effect_by_another(attempt.sealed)
    {
        return Report::default();
    }
    let status = status(
        attempt.sealed,
        refusal.map(ToString::to_string),
        attempt.now,
    );
    let event = match refusal {
        None => {
            let news = status.is_some()
                || matches!(
                    attempt.outcome,
                    UnsealOutcome::Created | UnsealOutcome::Updated
                );
            news.then(|| {
                event(
                    EventType::Normal,
                    "Unsealed",
                    "SealedSecret unsealed successfully".to_owned(),
                )
            })
        }
        Some(reason) => {
            let news = status.is_some() || attempt.failed_before;
            news.then(|| {
                event(
                    EventType::Warning,
                    reason.event_reason(),
                    reason.event_message(),
                )
            })
        }
    };
    Report { status, event }
}

fn event(type_: EventType, reason: &'static str, message: String) -> Event {
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
fn status(
    sealed: &SealedSecret,
    message: Option<String>,
    now: Timestamp,
) -> Option<SealedSecretStatus> {
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
    if !flips
        && old_message == message.as_deref()
        && status.observed_generation == sealed.metadata.generation
    {
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
mod tests {
    use super::*;
    use crate::unseal::UnsealReason;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn sealed(generation: i64, status: Option<SealedSecretStatus>) -> SealedSecret {
        let mut sealed = SealedSecret {
            status,
            ..SealedSecret::default()
        };
        sealed.metadata.generation = Some(generation);
        sealed
    }

    fn told(sealed: &SealedSecret, outcome: &UnsealOutcome, failed_before: bool) -> Report {
        report(&Attempt {
            sealed,
            outcome,
            failed_before,
            now: at(100),
        })
    }

    fn refused() -> UnsealOutcome {
        UnsealOutcome::Refused(UnsealReason::NotManaged {
            name: "a".to_owned(),
        })
    }

    #[test]
    fn an_object_at_rest_is_left_in_peace() {
        let first = told(&sealed(1, None), &UnsealOutcome::Created, false);
        let rested = sealed(1, first.status);
        assert_eq!(
            told(&rested, &UnsealOutcome::Unchanged, false),
            Report::default()
        );
    }

    #[test]
    fn success_has_no_message_and_one_event() {
        let report = told(&sealed(3, None), &UnsealOutcome::Created, false);
        let status = report.status.unwrap();
        assert_eq!(status.observed_generation, Some(3));
        assert_eq!(
            (
                status.conditions[0].status.as_str(),
                &status.conditions[0].message
            ),
            ("True", &None)
        );
        assert_eq!(report.event.unwrap().reason, "Unsealed");
    }

    #[test]
    fn a_transition_time_moves_only_with_the_status() {
        let first = report(&Attempt {
            sealed: &sealed(1, None),
            outcome: &refused(),
            failed_before: false,
            now: at(1),
        });
        let reason = UnsealReason::WriteRefused {
            message: "quota".to_owned(),
        };
        let second = told(
            &sealed(1, first.status),
            &UnsealOutcome::Refused(reason),
            true,
        );
        let condition = second.status.unwrap().conditions.remove(0);
        assert_eq!(condition.message.as_deref(), Some("quota"));
        assert_eq!(condition.last_transition_time, Some(Time(at(1))));
        assert_eq!(condition.last_update_time, Some(Time(at(100))));
        let third = told(&sealed(1, None), &UnsealOutcome::Updated, true);
        assert_eq!(
            third.status.unwrap().conditions[0].last_transition_time,
            Some(Time(at(100)))
        );
    }

    #[test]
    fn the_same_failure_is_written_once_and_counted_on_retries() {
        let first = told(&sealed(1, None), &refused(), false);
        let standing = sealed(1, first.status);
        assert_eq!(
            told(&standing, &refused(), false),
            Report::default(),
            "after a restart nothing is new"
        );
        let retry = told(&standing, &refused(), true);
        assert_eq!(
            (retry.status.is_some(), retry.event.unwrap().reason),
            (false, "ErrUpdateFailed")
        );
    }

    #[test]
    fn a_missing_key_is_not_held_against_what_another_controller_opened() {
        let status = told(&sealed(1, None), &UnsealOutcome::Created, false).status;
        let mut opened = sealed(1, status);
        let by = |manager: &str| {
            let entry = ManagedFieldsEntry {
                manager: Some(manager.to_owned()),
                subresource: Some("status".to_owned()),
                ..ManagedFieldsEntry::default()
            };
            Some(vec![entry])
        };
        let mut random = rand::rngs::SysRng;
        let surroundings = sealing::Surroundings::new(Timestamp::now(), &mut random);
        let error = sealing::unseal(&unopenable(), &sealing::Keyring::default(), &surroundings)
            .unwrap_err();
        let outcome = UnsealOutcome::Refused(UnsealReason::CannotOpen(error));
        opened.metadata.managed_fields = by("controller");
        assert_eq!(told(&opened, &outcome, false), Report::default());
        opened.metadata.managed_fields = by("signet");
        assert_eq!(
            told(&opened, &outcome, false).status.unwrap().conditions[0].status,
            "False"
        );
    }

    fn unopenable() -> SealedSecret {
        let mut sealed = SealedSecret::default();
        sealed
            .spec
            .encrypted_data
            .insert("a".to_owned(), "AAAA".to_owned());
        sealed
    }

    #[test]
    fn conditions_of_others_stay_behind_ours() {
        let other = SealedSecretCondition {
            type_: "Other".to_owned(),
            status: "True".to_owned(),
            ..SealedSecretCondition::default()
        };
        let status = SealedSecretStatus {
            conditions: vec![other.clone()],
            ..SealedSecretStatus::default()
        };
        let conditions = told(&sealed(1, Some(status)), &UnsealOutcome::Created, false)
            .status
            .unwrap()
            .conditions;
        assert_eq!(
            (conditions[0].type_.as_str(), &conditions[1]),
            ("Synced", &other)
        );
    }
}
