//! In which order objects are applied: slots, within a slot the kinds' ranks, and what others stand on in front of them.
//! It looks at wanted objects only; when a step is due is decided elsewhere.

use std::collections::BTreeMap;

use crate::sync::desired::Desired;
use crate::sync::desired::hooks::Hook;
use crate::sync::key::ObjectKey;
use crate::sync::plan::Slot;

/// Kinds in the order in which they are applied inside a wave; every other kind comes last.
const RANKS: [&str; 30] = [
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "IngressClass",
    "Ingress",
    "APIService",
];

/// Where an object stands: slot, rank, and what goes in front among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    slot: Slot,
    rank: usize,
    front: Front,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Front {
    Namespace,
    Definition,
    SealedSecret,
    Other,
}

/// Rank of a kind inside a wave. A SealedSecret stands where its Secret would.
pub(in crate::sync) fn rank(key: &ObjectKey) -> usize {
    let kind = if is_sealed_secret(key) {
        "Secret"
    } else {
        &key.kind
    };
    RANKS
        .iter()
        .position(|ranked| *ranked == kind)
        .unwrap_or(RANKS.len())
}

/// True for a `SealedSecret`.
pub(in crate::sync) fn is_sealed_secret(key: &ObjectKey) -> bool {
    key.is(
        crds::names::sealed_secret::GROUP,
        crds::names::sealed_secret::KIND,
    )
}

/// True for a `CustomResourceDefinition`.
pub(in crate::sync) fn is_definition(key: &ObjectKey) -> bool {
    key.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// True for a `Namespace`.
pub(in crate::sync) fn is_namespace(key: &ObjectKey) -> bool {
    key.is("", "Namespace")
}

/// Sorts the wanted objects and gives each its slot. What others stand on moves in front of the first of them,
/// also into an earlier slot: a SealedSecret before its users, a definition before its objects, a Namespace before all in it.
pub(in crate::sync) fn arrange(desired: &mut Desired) {
    let mut places: BTreeMap<ObjectKey, Place> = desired
        .objects
        .iter()
        .map(|(key, wanted)| (key.clone(), place(key, wanted.own_slot())))
        .collect();
    let hooks = desired.hooks.values();
    let hooks: Vec<(Place, &Hook)> = hooks
        .map(|hook| (place(&hook.id.key, hook.slot()), hook))
        .collect();
    let users = |key: &ObjectKey| -> Vec<ObjectKey> {
        desired
            .users
            .get(key)
            .map(|users| users.iter().cloned().collect())
            .unwrap_or_default()
    };
    bubble(&mut places, is_sealed_secret, users, |secret| {
        first(&hooks, |hook| hook.secrets.contains(secret))
    });
    let all: Vec<ObjectKey> = desired.objects.keys().cloned().collect();
    let defines = |definition: &ObjectKey, object: &ObjectKey| {
        let defined = desired.definitions.get(&object.group_kind());
        defined.is_some_and(|defined| defined.key == *definition)
    };
    let objects_of_definition = |key: &ObjectKey| -> Vec<ObjectKey> {
        let belongs = |object: &&ObjectKey| defines(key, object);
        all.iter().filter(belongs).cloned().collect()
    };
    bubble(&mut places, is_definition, objects_of_definition, |key| {
        first(&hooks, |hook| defines(key, &hook.id.key))
    });
    let lies_in = |namespace: &ObjectKey, object: &ObjectKey| {
        object.namespace.as_deref() == Some(&namespace.name)
    };
    let objects_in_namespace = |key: &ObjectKey| -> Vec<ObjectKey> {
        let inside = |object: &&ObjectKey| lies_in(key, object);
        all.iter().filter(inside).cloned().collect()
    };
    bubble(&mut places, is_namespace, objects_in_namespace, |key| {
        first(&hooks, |hook| lies_in(key, &hook.id.key))
    });
    let mut order: Vec<(Place, ObjectKey)> = places
        .into_iter()
        .map(|(key, place)| (place, key))
        .collect();
    order.sort();
    for (place, key) in &order {
        if let Some(wanted) = desired.objects.get_mut(key) {
            wanted.slot = place.slot;
        }
    }
    desired.order = order.into_iter().map(|(_, key)| key).collect();
}

/// Where the first hook stands that is one of these.
fn first(hooks: &[(Place, &Hook)], is: impl Fn(&Hook) -> bool) -> Option<Place> {
    let found = hooks.iter().filter(|(_, hook)| is(hook));
    found.map(|(place, _)| *place).min()
}

fn place(key: &ObjectKey, slot: Slot) -> Place {
    let front = match key {
        key if is_namespace(key) => Front::Namespace,
        key if is_definition(key) => Front::Definition,
        key if is_sealed_secret(key) => Front::SealedSecret,
        _ => Front::Other,
    };
    Place {
        slot,
        rank: rank(key),
        front,
    }
}

fn bubble(
    places: &mut BTreeMap<ObjectKey, Place>,
    moves: fn(&ObjectKey) -> bool,
    dependants: impl Fn(&ObjectKey) -> Vec<ObjectKey>,
    first_hook: impl Fn(&ObjectKey) -> Option<Place>,
) {
    let movers: Vec<ObjectKey> = places.keys().filter(|key| moves(key)).cloned().collect();
    for mover in movers {
        let first = dependants(&mover)
            .iter()
            .filter_map(|key| places.get(key).copied())
            .chain(first_hook(&mover))
            .min();
        if let (Some(first), Some(place)) = (first, places.get_mut(&mover))
            && (first.slot, first.rank) < (place.slot, place.rank)
        {
            place.slot = first.slot;
            place.rank = first.rank;
        }
    }
}
