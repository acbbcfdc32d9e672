//! What a comparison says of objects, as conditions of the Application.
//! It names objects, files and fields, and decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{TRACKING_ANNOTATION, is_hook};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::comparison::{Terms, named, refusal};
use crate::sync::plan::hold;
use crate::sync::plan::plaintext;
use crate::sync::plan::recreate;
use crate::sync::plan::{Compared, Condition, ConditionKind, Difference};
use crate::sync::world::World;
use crate::sync::{plan::fights, plan::inventory, plan::recorded};

/// All that there is to say of the objects.
pub(in crate::sync) fn conditions(
    world: &World,
    terms: &Terms<'_>,
    objects: &BTreeMap<ObjectKey, Compared>,
) -> Vec<Condition> {
    let mut conditions = terms.desired().warnings.clone();
    for (key, compared) in objects {
        conditions.extend(condition(world, terms, key, compared));
    }
    let error = |message| Condition::new(ConditionKind::ComparisonError, message);
    conditions.extend(refused_hooks(world, terms).map(error));
    conditions.extend(unlisted(objects));
    conditions.extend(doubts(objects));
    conditions.extend(orphans(world, terms));
    conditions.extend(plaintext::condition(terms));
    conditions.extend(hold::condition(world, terms));
    conditions
}

/// Hooks are not compared, but one that is not accepted refuses the revision like an object.
pub(in crate::sync) fn refused_hooks(
    world: &World,
    terms: &Terms<'_>,
) -> impl Iterator<Item = String> {
    let hooks = terms.source.desired.hooks.values();
    hooks.filter_map(move |hook| {
        let why = refusal(world, terms, &hook.wanted)?;
        Some(format!("{}: {}: {why}", hook.wanted.origin, hook.id))
    })
}

/// One condition for all kinds that can't be listed.
fn unlisted(objects: &BTreeMap<ObjectKey, Compared>) -> Option<Condition> {
    let unlisted = |compared: &Compared| compared.difference == Some(Difference::Unlisted);
    let objects = objects.iter().filter(|(_, compared)| unlisted(compared));
    let kinds: BTreeSet<String> = objects
        .map(|(key, _)| key.group_kind().to_string())
        .collect();
    let kinds = named(&Vec::from_iter(kinds))?;
    let message = format!("objects of these kinds can't be listed: {kinds}");
    Some(Condition::new(ConditionKind::ComparisonError, message))
}

/// One condition for all objects that are kept for the same reason.
fn doubts(objects: &BTreeMap<ObjectKey, Compared>) -> Vec<Condition> {
    let mut by_reason: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (key, compared) in objects {
        let reason = match &compared.difference {
            Some(Difference::Doubt(doubt)) => doubt,
            Some(Difference::OutOfReach) => "the cluster does not know its kind any more",
            _ => continue,
        };
        by_reason.entry(reason).or_default().push(key.to_string());
    }
    let condition = |(reason, keys): (&str, Vec<String>)| {
        let message = format!(
            "not deleted, although no longer in Git: {}: {reason}",
            named(&keys)?
        );
        Some(Condition::new(
            ConditionKind::OrphanedResourceWarning,
            message,
        ))
    };
    by_reason.into_iter().filter_map(condition).collect()
}

fn condition(
    world: &World,
    terms: &Terms<'_>,
    key: &ObjectKey,
    compared: &Compared,
) -> Option<Condition> {
    let at = || {
        terms
            .desired()
            .objects
            .get(key)
            .map(|wanted| wanted.origin.to_string())
            .unwrap_or_default()
    };
    let (kind, message) = match compared.difference.as_ref()? {
        Difference::Refused(why) => (
            ConditionKind::ComparisonError,
            format!("{}: {key}: {why}", at()),
        ),
        Difference::UnknownKind => (
            ConditionKind::ComparisonError,
            format!(
                "{}: {key}: the cluster does not know this kind in version {:?}; {}",
                at(),
                compared.version,
                of_unknown_kind(&key.group_kind())
            ),
        ),
        Difference::KindUnavailable => (
            ConditionKind::ComparisonError,
            format!("{key}: the API group {:?} does not answer", key.group()),
        ),
        Difference::Shared(owner) => (
            ConditionKind::SharedResourceWarning,
            format!(
                "{key} is part of Applications {} and {owner}: it is left to {owner}",
                world.application.tracking_name
            ),
        ),
        Difference::Immutable(why) => {
            let wanted = terms.desired().objects.get(key)?;
            let remedy = recreate::remedy(wanted)?;
            (
                ConditionKind::ComparisonError,
                format!("{key} can't be changed in place: {why}{remedy}"),
            )
        }
        Difference::Forbidden(why) | Difference::Unreadable(why) => {
            (ConditionKind::ComparisonError, format!("{key}: {why}"))
        }
        Difference::Drift(_) => {
            let fight = fights::fight(world, key)?;
            (
                ConditionKind::FightingManager,
                format!(
                    "{key}: {:?} keeps taking {}: the object is not healed",
                    fight.manager, fight.field
                ),
            )
        }
        _ => return None,
    };
    Some(Condition::new(kind, message))
}

/// What somebody can do about an object of a kind that the cluster does not know.
pub(in crate::sync) fn of_unknown_kind(kind: &GroupKind) -> String {
    format!("check apiVersion and kind, or install the CRD of {kind}; it is applied by itself then")
}

/// Objects with our tracking id that neither Git nor the inventory names: reported, never deleted.
fn orphans(world: &World, terms: &Terms<'_>) -> Option<Condition> {
    let inventory: BTreeSet<ObjectKey> = recorded::inventory(&world.application.status)
        .into_keys()
        .collect();
    let orphan = |key: &&ObjectKey| {
        let desired = terms.desired();
        !desired.objects.contains_key(*key) && !desired.is_apart(key) && !inventory.contains(*key)
    };
    let ours = world
        .live
        .iter()
        .filter(|(key, live)| inventory::is_ours(world, key, live) && !is_hook(&live.metadata))
        .map(|(key, _)| key);
    let orphans: Vec<String> = ours.filter(orphan).map(ToString::to_string).collect();
    let text = named(&orphans)?;
    let message = format!(
        "{text}: the annotation {TRACKING_ANNOTATION} says they are ours, but they are neither in Git nor in the inventory"
    );
    Some(Condition::new(
        ConditionKind::OrphanedResourceWarning,
        message,
    ))
}
