//! What is told of an attempt, and above all what is not.

use super::*;
use crate::unseal::RESEAL;

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

fn telling<'a>(sealed: &'a SealedSecret, outcome: &'a UnsealOutcome) -> Telling<'a> {
    Telling {
        sealed,
        outcome,
        before: Before::Other,
        rival: None,
        writes_status: true,
        now: at(100),
    }
}

fn told(sealed: &SealedSecret, outcome: &UnsealOutcome) -> Report {
    report(&telling(sealed, outcome))
}

fn refused() -> UnsealOutcome {
    UnsealOutcome::Refused(UnsealReason::NotManaged {
        name: "a".to_owned(),
    })
}

fn reason(report: &Report) -> Option<&'static str> {
    report.event.as_ref().map(|event| event.reason)
}

#[test]
fn an_object_at_rest_is_left_in_peace() {
    let first = told(&sealed(1, None), &UnsealOutcome::Created);
    let rested = told(&sealed(1, first.status), &UnsealOutcome::Unchanged);
    assert_eq!((&rested.status, reason(&rested)), (&None, None));
}

#[test]
fn success_has_no_message_and_one_event() {
    let report = told(&sealed(3, None), &UnsealOutcome::Created);
    assert_eq!((reason(&report), report.synced), (Some("Unsealed"), true));
    let status = report.status.unwrap();
    assert_eq!(status.observed_generation, Some(3));
    let condition = &status.conditions[0];
    assert_eq!(
        (condition.status.as_str(), &condition.message),
        ("True", &None)
    );
}

#[test]
fn a_transition_time_moves_only_with_the_status() {
    let first = report(&Telling {
        now: at(1),
        ..telling(&sealed(1, None), &refused())
    });
    let quota = UnsealOutcome::Refused(UnsealReason::WriteRefused {
        message: "quota".to_owned(),
    });
    let second = told(&sealed(1, first.status), &quota).status.unwrap();
    let condition = &second.conditions[0];
    assert_eq!(condition.message.as_deref(), Some("quota"));
    assert_eq!(condition.last_transition_time, Some(Time(at(1))));
    assert_eq!(condition.last_update_time, Some(Time(at(100))));
    let third = told(&sealed(1, Some(second)), &UnsealOutcome::Updated)
        .status
        .unwrap();
    assert_eq!(
        third.conditions[0].last_transition_time,
        Some(Time(at(100)))
    );
    assert_eq!(third.conditions[0].message, None);
}

#[test]
fn a_new_generation_that_fails_in_the_same_way_is_observed() {
    let first = told(&sealed(1, None), &refused());
    let second = told(&sealed(2, first.status), &refused());
    assert_eq!(second.status.unwrap().observed_generation, Some(2));
}

#[test]
fn the_same_failure_is_told_once_and_again_after_a_long_time() {
    let first = told(&sealed(1, None), &refused());
    assert_eq!(reason(&first), Some("ErrUpdateFailed"));
    let standing = sealed(1, first.status);
    for before in [Before::Other, Before::Same] {
        let quiet = report(&Telling {
            before,
            ..telling(&standing, &refused())
        });
        assert_eq!(
            (&quiet.status, reason(&quiet), quiet.synced),
            (&None, None, false)
        );
    }
    let again = report(&Telling {
        before: Before::LongTheSame,
        now: at(500),
        ..telling(&standing, &refused())
    });
    assert_eq!(reason(&again), Some("ErrUpdateFailed"));
    let condition = again.status.unwrap().conditions.remove(0);
    assert_eq!(condition.last_update_time, Some(Time(at(500))));
    assert_eq!(condition.last_transition_time, Some(Time(at(100))));
}

#[test]
fn where_the_status_is_left_alone_events_tell_what_is_new() {
    let quiet = |outcome: &UnsealOutcome, before| {
        let sealed = sealed(1, None);
        let told = report(&Telling {
            before,
            writes_status: false,
            ..telling(&sealed, outcome)
        });
        assert_eq!(told.status, None);
        reason(&told)
    };
    assert_eq!(quiet(&UnsealOutcome::Unchanged, Before::Other), None);
    assert_eq!(
        quiet(&UnsealOutcome::Created, Before::Other),
        Some("Unsealed")
    );
    assert_eq!(quiet(&refused(), Before::Other), Some("ErrUpdateFailed"));
    assert_eq!(quiet(&refused(), Before::Same), None);
}

#[test]
fn who_fights_for_the_secret_is_named() {
    let standing = sealed(1, told(&sealed(1, None), &UnsealOutcome::Created).status);
    let fight = |outcome: &UnsealOutcome| {
        report(&Telling {
            rival: Some("their-tool"),
            ..telling(&standing, outcome)
        })
    };
    let event = fight(&UnsealOutcome::Updated).event.unwrap();
    assert_eq!(
        (event.reason, event.type_),
        ("FightingManager", EventType::Warning)
    );
    assert!(event.message.contains("by their-tool;"), "{event:?}");
    assert_eq!(fight(&UnsealOutcome::Unchanged).event, None);
}

#[test]
fn a_missing_key_is_not_held_against_what_another_controller_opened() {
    let mut opened = sealed(1, told(&sealed(1, None), &UnsealOutcome::Created).status);
    let by = |manager: &str| {
        let entry = ManagedFieldsEntry {
            manager: Some(manager.to_owned()),
            subresource: Some("status".to_owned()),
            ..ManagedFieldsEntry::default()
        };
        Some(vec![entry])
    };
    let outcome = without_key();
    opened.metadata.managed_fields = by("controller");
    let silent = Report {
        status: None,
        event: None,
        synced: true,
    };
    assert_eq!(told(&opened, &outcome), silent);
    opened.metadata.managed_fields = by("signet");
    let condition = &told(&opened, &outcome).status.unwrap().conditions[0];
    assert_eq!(condition.status, "False");
}

/// What comes of a SealedSecret that no key opens.
fn without_key() -> UnsealOutcome {
    let mut sealed = SealedSecret::default();
    let items = &mut sealed.spec.encrypted_data;
    items.insert("a".to_owned(), "AAAA".to_owned());
    let mut random = rand::rngs::SysRng;
    let surroundings = sealing::Surroundings::new(Timestamp::now(), &mut random);
    let error = sealing::unseal(&sealed, &sealing::Keyring::default(), &surroundings).unwrap_err();
    UnsealOutcome::Refused(UnsealReason::CannotOpen(error))
}

#[test]
fn what_to_do_without_a_key_is_told_by_the_event_alone() {
    let report = told(&sealed(1, None), &without_key());
    let says = "no key could decrypt secret (a)";
    let condition = report.status.unwrap().conditions.remove(0);
    assert_eq!(condition.message.as_deref(), Some(says));
    let event = report.event.unwrap().message;
    assert_eq!(event, format!("Failed to unseal: {says}; {RESEAL}"));
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
    let conditions = told(&sealed(1, Some(status)), &UnsealOutcome::Created)
        .status
        .unwrap()
        .conditions;
    assert_eq!(
        (conditions[0].type_.as_str(), &conditions[1]),
        ("Synced", &other)
    );
}
