//! Why a revision is refused whole, before anything of it is applied: one function for each reason.
//! Each looks at one wanted object, says what is wrong with it, and what somebody can do about it.

use std::collections::BTreeSet;

use crate::sync::desired::Wanted;
use crate::sync::plan::comparison::{Terms, named};
use crate::sync::plan::conditions::{of_unknown_kind, refused_hooks};
use crate::sync::plan::gates::is_new_revision;
use crate::sync::plan::order::is_sealed_secret;
use crate::sync::plan::plaintext;
use crate::sync::plan::{Comparison, Difference};
use crate::sync::world::World;
use crate::unseal::RESEAL;

/// What is wrong with one object.
struct Refusal {
    text: String,
    remedy: Option<String>,
}

type Reason = fn(&World, &Terms<'_>, &Wanted, &Difference) -> Option<Refusal>;

const REASONS: [Reason; 4] = [not_accepted, is_shared, no_sealed_secrets, does_not_open];

/// Why this revision is refused, and the remedies.
pub(in crate::sync) fn refuses(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
) -> Option<String> {
    let refused = terms.desired().objects.values().flat_map(|wanted| {
        let difference = comparison.difference(&wanted.key);
        let reason = move |reason: &Reason| reason(world, terms, wanted, difference?);
        REASONS.iter().filter_map(reason)
    });
    let plaintext = plaintext::refused(terms).map(|text| Refusal {
        text,
        remedy: Some(plaintext::SEAL.to_owned()),
    });
    let hooks = refused_hooks(world, terms).map(|text| Refusal { text, remedy: None });
    let (texts, remedies): (Vec<String>, BTreeSet<Option<String>>) = refused
        .chain(plaintext)
        .chain(hooks)
        .map(|refusal| (refusal.text, refusal.remedy))
        .unzip();
    let refused = named(&texts)?;
    let lines = std::iter::once(refused).chain(remedies.into_iter().flatten());
    Some(Vec::from_iter(lines).join("; "))
}

/// It is refused by name or by the project.
fn not_accepted(
    _: &World,
    _: &Terms<'_>,
    wanted: &Wanted,
    difference: &Difference,
) -> Option<Refusal> {
    let Difference::Refused(why) = difference else {
        return None;
    };
    Some(Refusal {
        text: format!("{}: {}: {why}", wanted.origin, wanted.key),
        remedy: None,
    })
}

/// It belongs to another Application, and the options say not to sync beside one.
fn is_shared(
    _: &World,
    terms: &Terms<'_>,
    wanted: &Wanted,
    difference: &Difference,
) -> Option<Refusal> {
    let Difference::Shared(owner) = difference else {
        return None;
    };
    let Wanted { key, origin, .. } = wanted;
    terms.options.fail_on_shared_resource.then(|| Refusal {
        text: format!("{origin}: {key}: it belongs to Application {owner}"),
        remedy: Some(
            "FailOnSharedResource=true: let one of the two Applications give it up".to_owned(),
        ),
    })
}

/// The destination can't hold SealedSecrets.
fn no_sealed_secrets(
    _: &World,
    _: &Terms<'_>,
    wanted: &Wanted,
    difference: &Difference,
) -> Option<Refusal> {
    let Wanted { key, origin, .. } = wanted;
    let unknown = is_sealed_secret(key) && matches!(difference, Difference::UnknownKind);
    unknown.then(|| Refusal {
        text: format!("NoSealedSecretKind: {origin}: {key}: the cluster does not know the kind"),
        remedy: Some(of_unknown_kind(&key.group_kind())),
    })
}

/// A SealedSecret, new or changed since the last synced revision, that can't be opened.
fn does_not_open(
    world: &World,
    terms: &Terms<'_>,
    wanted: &Wanted,
    difference: &Difference,
) -> Option<Refusal> {
    let Wanted { key, origin, .. } = wanted;
    let is_written = matches!(
        difference,
        Difference::Missing | Difference::Changed | Difference::Drift(_) | Difference::Unlisted
    );
    let answer = world
        .opening
        .get(key)
        .filter(|_| is_written && is_new_revision(world, terms))?;
    let why = answer.as_ref().err()?;
    Some(Refusal {
        text: format!("{origin}: {key} can't be opened: {why}"),
        remedy: Some(RESEAL.to_owned()),
    })
}
