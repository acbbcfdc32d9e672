//! The rules of sealing keys, each a printed plan that ends where it ends: nothing else happens.

use super::*;

const DAY: i64 = 86_400;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(day * DAY).unwrap()
}

fn key(name: &str, day: i64) -> KeySecret {
    let state = State::Usable {
        time: at(day),
        certificate: format!("certificate of {name}"),
    };
    KeySecret {
        name: name.to_owned(),
        version: "1".to_owned(),
        state,
        rotate: false,
    }
}

/// Day 100, keys live 30 days, and what is there is loaded and published.
fn settled(secrets: Vec<KeySecret>) -> World {
    let published = newest(&secrets).map(|secret| format!("certificate of {}", secret.name));
    World {
        now: at(100),
        policy: Policy {
            prefix: "key".to_owned(),
            renew_period: Duration::from_secs(30 * 86_400),
            cutoff: None,
            take_over: false,
        },
        loaded: secrets
            .iter()
            .map(|secret| (secret.name.clone(), secret.version.clone()))
            .collect(),
        secrets,
        reported: BTreeMap::new(),
        taken: BTreeSet::new(),
        other_controller: None,
        published,
        newest_at_start: None,
        signalled: false,
    }
}

fn printed(world: &World) -> String {
    plan(world).to_string()
}

#[test]
fn a_young_key_only_waits_for_its_age() {
    assert_eq!(
        printed(&settled(vec![key("a", 90)])),
        "look again in 1728000 s\n"
    );
}

#[test]
fn without_keys_one_is_generated_and_nothing_else_happens() {
    assert_eq!(
        printed(&settled(vec![])),
        "generate keyjqc77: there is no key\n"
    );
}

#[test]
fn where_another_controller_was_no_key_is_made_until_asked() {
    let mut world = settled(vec![]);
    world.other_controller = Some("SealedSecret a/b has a status".to_owned());
    assert_eq!(
        printed(&world),
        "observe: SealedSecret a/b has a status\nlook again in 10 s\n"
    );
    world.policy.take_over = true;
    assert_eq!(printed(&world), "generate keyjqc77: there is no key\n");
}

#[test]
fn an_old_key_is_followed_by_one_whose_name_any_process_would_choose() {
    let world = settled(vec![key("a", 60)]);
    assert_eq!(printed(&world), printed(&world.clone()));
    assert!(
        printed(&world).ends_with(": the newest key reached its age\n"),
        "{}",
        printed(&world)
    );
}

#[test]
fn a_key_is_rotated_once_when_it_asks_for_it() {
    let mut old = key("a", 90);
    old.rotate = true;
    let first = plan(&settled(vec![old.clone()]));
    let [
        Step::Generate {
            name,
            because: Cause::Annotation,
            ..
        },
    ] = first.steps.as_slice()
    else {
        panic!("{first}");
    };
    // The new key counts as older because of a wrong clock: still there is no third.
    assert_eq!(
        printed(&settled(vec![old, key(name, 80)])),
        "look again in 1728000 s\n"
    );
}

#[test]
fn a_key_that_follows_within_the_second_is_newer_all_the_same() {
    let begins = |day| {
        let mut world = settled(vec![key("a", day)]);
        world.signalled = true;
        match plan(&world).steps.remove(0) {
            Step::Generate { begin, .. } => begin,
            other => panic!("{other}"),
        }
    };
    assert_eq!(begins(100), at(100) + SignedDuration::from_secs(1));
    assert_eq!((begins(90), begins(200)), (at(100), at(100)));
}

#[test]
fn the_name_of_a_retired_key_is_not_used_again() {
    let world = settled(vec![key("a", 60)]);
    let [Step::Generate { name: first, .. }] = &plan(&world).steps[..] else {
        panic!()
    };
    let retired = KeySecret {
        state: State::Retired,
        ..key(first, 95)
    };
    let mut world = settled(vec![key("a", 60), retired]);
    world.loaded.remove(first);
    let [Step::Generate { name: second, .. }] = &plan(&world).steps[..] else {
        panic!()
    };
    assert_ne!(first, second);
}

#[test]
fn the_cutoff_counts_at_start_only() {
    let mut world = settled(vec![key("a", 90)]);
    world.policy.cutoff = Some(at(95));
    assert_eq!(printed(&world), "look again in 1728000 s\n");
    world.newest_at_start = Some("a".to_owned());
    assert!(printed(&world).contains("older than the cutoff time"));
}

#[test]
fn a_cutoff_in_the_future_makes_one_key() {
    let starting = |secrets| {
        let mut world = settled(secrets);
        world.policy.cutoff = Some(at(200));
        world.newest_at_start = Some("a".to_owned());
        world
    };
    let first = plan(&starting(vec![key("a", 90)]));
    let [
        Step::Generate {
            name,
            because: Cause::Cutoff,
            ..
        },
    ] = first.steps.as_slice()
    else {
        panic!("{first}");
    };
    assert_eq!(
        printed(&starting(vec![key("a", 90), key(name, 100)])),
        "look again in 2592000 s\n"
    );
}

#[test]
fn a_relabelled_key_is_dropped_and_an_added_one_loaded_and_published() {
    let mut world = settled(vec![
        KeySecret {
            state: State::Retired,
            ..key("a", 90)
        },
        key("b", 91),
    ]);
    world.loaded.remove("b");
    world.published = Some("certificate of a".to_owned());
    assert_eq!(
        printed(&world),
        "unload a\nload b\npublish the certificate\nlook again in 1814400 s\n"
    );
}

#[test]
fn an_unusable_key_is_reported_once_and_stops_nothing() {
    let broken = State::Unusable {
        reason: "KeyTooSmall",
        message: "1024 bits".to_owned(),
    };
    let mut world = settled(vec![
        key("a", 90),
        KeySecret {
            state: broken,
            ..key("b", 91)
        },
    ]);
    world.loaded.remove("b");
    assert_eq!(
        printed(&world),
        "report b: KeyTooSmall: 1024 bits\nlook again in 1728000 s\n"
    );
    world.reported.insert("b".to_owned(), "1".to_owned());
    assert_eq!(printed(&world), "look again in 1728000 s\n");
}

#[test]
fn keys_are_never_renewed_at_a_period_of_zero() {
    let mut world = settled(vec![key("a", 0)]);
    world.policy.renew_period = Duration::ZERO;
    assert_eq!(printed(&world), "");
}
