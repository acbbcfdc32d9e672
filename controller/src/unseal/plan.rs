//! Decides what becomes of the Secret of one SealedSecret: left, created, updated or refused.
//! It must not read the cluster or a clock, and what it prints holds no value.

pub mod changed;
pub mod managers;
mod print;
mod rendered;

use std::collections::BTreeMap;

use crds::SealedSecret;
use crds::names::{MANAGED, PATCH, SEALING_KEY_LABEL};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use sealing::Unsealed;

use super::attempts::keeps_foreign_metadata;
use super::reason::UnsealReason;

/// Everything that the plan depends on.
#[derive(Debug)]
pub struct World<'a> {
    pub sealed: &'a SealedSecret,
    pub opened: &'a Result<Unsealed, UnsealReason>,
    /// The Secret of that name, as it is now.
    pub existing: Option<Secret>,
    /// This generation of the SealedSecret was put into effect before, so what others added since may stay.
    pub settled: bool,
}

/// What to do with the Secret, and what to say of the SealedSecret afterwards.
#[derive(Debug)]
pub struct Plan {
    pub write: Write,
    /// Why the SealedSecret is not in effect, if it is not.
    pub refusal: Option<UnsealReason>,
}

/// What to do with the Secret.
pub enum Write {
    Nothing,
    Create(Box<Secret>),
    /// The whole new Secret, and the old one for what is printed.
    Update {
        new: Box<Secret>,
        old: Box<Secret>,
    },
}

/// The plan for one SealedSecret.
pub fn plan(world: World<'_>) -> Plan {
    let unsealed = match world.opened {
        Ok(unsealed) => unsealed,
        Err(reason) => return Plan::refuse(reason.clone()),
    };
    let mut wanted = unsealed.secret.to_secret();
    if let Some(rendering) = &unsealed.rendering {
        rendered::keep(
            &mut wanted,
            rendering,
            world.existing.as_ref(),
            world.settled,
        );
    }
    if wanted
        .metadata
        .labels
        .as_ref()
        .is_some_and(|labels| labels.contains_key(SEALING_KEY_LABEL))
    {
        return Plan::refuse(UnsealReason::SealingKeyLabel);
    }
    match world.existing {
        None => {
            let refusal = (!is_ours(&wanted, world.sealed)).then(|| not_managed(world.sealed));
            Plan {
                write: Write::Create(Box::new(wanted)),
                refusal,
            }
        }
        Some(existing) => {
            let is_left_ours = world.settled && lost_owner(&existing);
            if !is_ours(&existing, world.sealed) && !is_left_ours {
                return Plan::refuse(not_managed(world.sealed));
            }
            let foreign = match keeps_foreign_metadata(world.sealed) {
                true => Foreign::Kept,
                false if world.settled => Foreign::AddedSince,
                false => Foreign::Dropped,
            };
            update(existing, &wanted, foreign, |old, new| {
                changed::note(world.sealed, old, new, world.settled);
            })
        }
    }
}

impl Plan {
    fn refuse(reason: UnsealReason) -> Self {
        Self {
            write: Write::Nothing,
            refusal: Some(reason),
        }
    }
}

fn not_managed(sealed: &SealedSecret) -> UnsealReason {
    UnsealReason::NotManaged {
        name: sealed.metadata.name.clone().unwrap_or_default(),
    }
}

/// True when the Secret holds what we wrote and somebody took its controller away.
fn lost_owner(secret: &Secret) -> bool {
    let mut owners = secret.metadata.owner_references.iter().flatten();
    owners.all(|owner| owner.controller != Some(true)) && managers::has_our_items(&secret.metadata)
}

/// True when the Secret is controlled by this SealedSecret, or says that a SealedSecret may write it.
fn is_ours(secret: &Secret, sealed: &SealedSecret) -> bool {
    let owners = secret.metadata.owner_references.iter().flatten();
    let controlled = owners
        .filter(|owner| owner.controller == Some(true))
        .any(|owner| Some(&owner.uid) == sealed.metadata.uid.as_ref());
    controlled || has(secret, MANAGED) || has(secret, PATCH)
}

fn has(secret: &Secret, annotation: &str) -> bool {
    let annotations = secret.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(annotation))
        .is_some_and(|value| value == "true")
}

/// What becomes of labels, annotations and owners that the SealedSecret does not name.
#[derive(Clone, Copy)]
enum Foreign {
    /// They go, as upstream does it.
    Dropped,
    /// They came after this version was put into effect: nothing asks for their end.
    AddedSince,
    /// The SealedSecret asks for it. What we wrote ourselves and is wanted no more goes.
    Kept,
}

fn update(
    existing: Secret,
    wanted: &Secret,
    foreign: Foreign,
    note_changes: impl FnOnce(&Secret, &mut Secret),
) -> Plan {
    let mut new = existing.clone();
    match foreign {
        _ if has(&existing, PATCH) => patch(&mut new, wanted),
        Foreign::Dropped => overwrite(&mut new, wanted),
        Foreign::AddedSince => restore(&mut new, wanted),
        Foreign::Kept => {
            managers::drop_ours(&mut new.metadata);
            restore(&mut new, wanted);
        }
    }
    note_changes(&existing, &mut new);
    if let Some(reason) = impossible(&existing, &new, wanted) {
        return Plan::refuse(reason);
    }
    if is_same(&existing, &new) {
        return Plan {
            write: Write::Nothing,
            refusal: None,
        };
    }
    // The server keeps the record of managers that it has.
    new.metadata.managed_fields = None;
    Plan {
        write: Write::Update {
            new: Box::new(new),
            old: Box::new(existing),
        },
        refusal: None,
    }
}

/// Everything as the SealedSecret says, and nothing else.
fn overwrite(new: &mut Secret, wanted: &Secret) {
    new.data = wanted.data.clone();
    new.metadata.labels = wanted.metadata.labels.clone();
    new.metadata.annotations = wanted.metadata.annotations.clone();
    new.metadata.owner_references = wanted.metadata.owner_references.clone();
}

/// Everything that the SealedSecret says, beside labels, annotations and owners that others added.
fn restore(new: &mut Secret, wanted: &Secret) {
    new.data = wanted.data.clone();
    merge_metadata(&mut new.metadata, &wanted.metadata);
    let owners = new.metadata.owner_references.get_or_insert_default();
    for owner in wanted.metadata.owner_references.iter().flatten() {
        owners.retain(|other| other.uid != owner.uid && other.controller != Some(true));
        owners.insert(0, owner.clone());
    }
}

/// Items, labels and annotations added to what is there.
fn patch(new: &mut Secret, wanted: &Secret) {
    let items = wanted
        .data
        .iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()));
    new.data.get_or_insert_default().extend(items);
    merge_metadata(&mut new.metadata, &wanted.metadata);
    if has(new, MANAGED) {
        new.metadata.owner_references = wanted.metadata.owner_references.clone();
    }
}

fn merge_metadata(new: &mut ObjectMeta, wanted: &ObjectMeta) {
    let copy = |(key, value): (&String, &String)| (key.clone(), value.clone());
    new.labels
        .get_or_insert_default()
        .extend(wanted.labels.iter().flatten().map(copy));
    new.annotations
        .get_or_insert_default()
        .extend(wanted.annotations.iter().flatten().map(copy));
}

/// What the API server would refuse, in its words.
fn impossible(existing: &Secret, new: &Secret, wanted: &Secret) -> Option<UnsealReason> {
    let name = || existing.metadata.name.clone().unwrap_or_default();
    // Patching adds items to a Secret of somebody else; its type is theirs.
    let overwrites = !has(existing, PATCH);
    if overwrites && type_of(existing) != type_of(wanted) {
        return Some(UnsealReason::TypeIsImmutable {
            name: name(),
            wanted: type_of(wanted).to_owned(),
        });
    }
    let data_changes = entries(&existing.data) != entries(&new.data);
    (existing.immutable == Some(true) && data_changes).then(|| UnsealReason::SecretIsImmutable {
        name: name(),
        namespace: existing.metadata.namespace.clone().unwrap_or_default(),
    })
}

/// The API server makes an empty type `Opaque` before it compares.
fn type_of(secret: &Secret) -> &str {
    let type_ = secret.type_.as_deref().filter(|type_| !type_.is_empty());
    type_.unwrap_or("Opaque")
}

fn is_same(existing: &Secret, new: &Secret) -> bool {
    let (old_metadata, new_metadata) = (&existing.metadata, &new.metadata);
    entries(&existing.data) == entries(&new.data)
        && entries(&old_metadata.labels) == entries(&new_metadata.labels)
        && entries(&old_metadata.annotations) == entries(&new_metadata.annotations)
        && owners(old_metadata) == owners(new_metadata)
}

/// A map that is absent and one that is empty are the same.
fn entries<V>(map: &Option<BTreeMap<String, V>>) -> Vec<(&String, &V)> {
    map.iter().flatten().collect()
}

/// Order means nothing among owners.
fn owners(metadata: &ObjectMeta) -> BTreeMap<&str, &OwnerReference> {
    metadata
        .owner_references
        .iter()
        .flatten()
        .map(|owner| (owner.uid.as_str(), owner))
        .collect()
}

#[cfg(test)]
mod tests;
