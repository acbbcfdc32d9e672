//! From the plan of a sync to what it would change, object by object. Pure.
//! It must not decide what a sync does: the plan has decided that.

use std::collections::BTreeMap;

use super::Sides;
use super::answer::{Change, Condition, Object, Preview};
use super::hidden::hide;
use crate::sync::desired::Desired;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::{
    Compared, Comparison, ConditionKind, Difference, Ending, HookRun, Operation, Plan, PlannedStep,
    Slot, Step,
};
use crate::sync::world::World;

impl Preview {
    /// What the plan of a sync would change, and how.
    pub(super) fn of(world: &World, plan: &Plan, sides: BTreeMap<ObjectKey, Sides>) -> Self {
        let refused = refused(world, plan);
        let nothing = Desired::default();
        let source = world.source.as_ref().ok();
        let desired = source.map_or(&nothing, |source| &*source.desired);
        let mut objects = match &plan.comparison {
            Some(comparison) => objects(plan, comparison, desired, sides),
            None => Vec::new(),
        };
        let differs = objects.iter().any(|object| object.change.is_a_difference());
        if !differs {
            objects.retain(|object| object.change != Change::Run);
        }
        let conditions = plan.conditions.iter().filter(|condition| {
            let said = refused.as_ref();
            said.is_none_or(|said| !said.contains(&condition.message))
        });
        let conditions = conditions.map(|condition| Condition {
            type_: condition.kind.name(),
            message: condition.message.clone(),
        });
        Self {
            revisions: source.map_or_else(Vec::new, |source| source.revisions.all().to_vec()),
            differs,
            conditions: conditions.chain(blocked(plan, differs)).collect(),
            refused,
            objects,
            secrets: None,
        }
    }
}

impl Change {
    fn is_a_difference(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }
}

/// Why nothing would be synced.
fn refused(world: &World, plan: &Plan) -> Option<String> {
    if world.application.deletion_timestamp.is_some() {
        return Some("it is being deleted".to_owned());
    }
    let ending = plan.operation.as_ref().map(|operation| &operation.ending);
    match (&plan.hands_off, ending) {
        (Some(reason), _) => Some(reason.clone()),
        (None, Some(Ending::Over(phase, why))) if phase.is_failure() => Some(why.clone()),
        _ => None,
    }
}

/// What the sync would wait for before it did anything.
fn blocked(plan: &Plan, differs: bool) -> Option<Condition> {
    let ending = plan.operation.as_ref().map(|operation| &operation.ending);
    let Some(Ending::Open(waiting)) = ending.filter(|_| differs) else {
        return None;
    };
    let begins = plan.steps.iter().chain(&plan.later).next().is_some();
    (!begins).then(|| Condition {
        type_: ConditionKind::SyncBlocked.name(),
        message: waiting.clone(),
    })
}

fn objects(
    plan: &Plan,
    comparison: &Comparison,
    desired: &Desired,
    mut sides: BTreeMap<ObjectKey, Sides>,
) -> Vec<Object> {
    let steps = || plan.steps.iter().chain(&plan.later);
    let about = steps().map(|planned| about(&planned.step));
    let steps_of = first_places((0..).zip(about).filter_map(|(at, key)| Some((key?, at))));
    let wanted = first_places(desired.order.iter().zip(0..));
    let last = usize::MAX;
    let position = |key: &ObjectKey| {
        let (step, wanted) = (steps_of.get(key), wanted.get(key));
        (
            step.copied().unwrap_or(last),
            wanted.copied().unwrap_or(last),
        )
    };
    let mut found = Vec::new();
    for (key, compared) in &comparison.objects {
        let both = sides.remove(key).unwrap_or_default();
        if let Some(object) = object(plan.operation.as_ref(), desired, key, compared, both) {
            found.push((position(key), object));
        }
    }
    for (index, planned) in steps().enumerate() {
        let at = (index, 0);
        found.extend(made_beside(planned).map(|object| (at, object)));
    }
    found.sort_by_key(|(position, _)| *position);
    found.into_iter().map(|(_, object)| object).collect()
}

/// The object that a step writes or deletes.
fn about(step: &Step) -> Option<&ObjectKey> {
    match step {
        Step::Delete { key, .. } => Some(key),
        step => step.written(),
    }
}

fn first_places<'a>(
    keys: impl Iterator<Item = (&'a ObjectKey, usize)>,
) -> BTreeMap<&'a ObjectKey, usize> {
    let mut places = BTreeMap::new();
    for (key, place) in keys {
        places.entry(key).or_insert(place);
    }
    places
}

fn object(
    operation: Option<&Operation>,
    desired: &Desired,
    key: &ObjectKey,
    compared: &Compared,
    mut sides: Sides,
) -> Option<Object> {
    let left_out = operation.and_then(|operation| operation.left_out.get(key));
    let left_out = left_out.map(|left_out| left_out.message.clone());
    let mut problem = sides.problem.take().or(left_out);
    let mut note = None;
    let Some(difference) = &compared.difference else {
        let problem = problem?;
        return Some(Object {
            problem: Some(problem),
            ..named(desired, key, compared)
        });
    };
    let change = match difference {
        Difference::Finished => return None,
        Difference::Missing | Difference::AwaitsKind => Change::Create,
        Difference::Changed | Difference::Drift(_) => Change::Update,
        Difference::Immutable(_) => {
            note = Some(difference.to_string());
            Change::Update
        }
        Difference::Deleting => {
            note = Some(difference.to_string());
            Change::Create
        }
        Difference::Extra => {
            note = compared
                .asks
                .then(|| "waits until somebody approves that".to_owned());
            Change::Delete
        }
        Difference::Kept(_) | Difference::OutOfReach => {
            note = Some(difference.to_string());
            Change::None
        }
        Difference::Doubt(_)
        | Difference::Unverified
        | Difference::Unlisted
        | Difference::UnknownKind
        | Difference::KindUnavailable
        | Difference::Shared(_)
        | Difference::Refused(_)
        | Difference::Forbidden(_)
        | Difference::Unreadable(_) => {
            problem.get_or_insert_with(|| difference.to_string());
            Change::None
        }
    };
    if change == Change::Create && sides.becomes.is_none() {
        // Its kind comes with the same sync, so that nobody was asked.
        let wanted = desired.objects.get(key);
        sides.becomes = wanted.map(|wanted| wanted.object.clone());
    }
    let items = hide(key, &mut sides);
    let Sides { live, becomes, .. } = sides;
    let (live, becomes) = match change {
        Change::Create => (None, becomes),
        // What differs may not be shown, or not stand in the objects.
        Change::Update if live == becomes => {
            if items.is_empty() {
                note.get_or_insert_with(|| difference.to_string());
            }
            (None, None)
        }
        Change::Update => (live, becomes),
        Change::Delete | Change::Run | Change::None => (None, None),
    };
    let items = match change {
        Change::Create | Change::Update => items,
        Change::Delete | Change::Run | Change::None => BTreeMap::new(),
    };
    Some(Object {
        change,
        note,
        problem,
        live,
        becomes,
        items,
        ..named(desired, key, compared)
    })
}

fn named(desired: &Desired, key: &ObjectKey, compared: &Compared) -> Object {
    let wanted = desired.objects.get(key);
    Object {
        version: compared.version.clone(),
        origin: wanted.map(|wanted| wanted.origin.to_string()),
        place: place(compared.slot),
        ..bare(key)
    }
}

fn bare(key: &ObjectKey) -> Object {
    Object {
        group: key.group.clone(),
        version: String::new(),
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
        place: String::new(),
        origin: None,
        change: Change::None,
        note: None,
        problem: None,
        live: None,
        becomes: None,
        items: BTreeMap::new(),
    }
}

fn place(slot: Slot) -> String {
    match slot.is_ordinary() {
        true => String::new(),
        false => slot.to_string(),
    }
}

/// What a step makes that is no object of the Application: its namespace, and what hooks make.
fn made_beside(planned: &PlannedStep) -> Option<Object> {
    let namespace = |name: &str, change| Object {
        version: "v1".to_owned(),
        change,
        ..bare(&ObjectKey::new(
            &GroupKind::new("", "Namespace"),
            None,
            name,
        ))
    };
    match &planned.step {
        Step::CreateNamespace(name) => Some(namespace(name, Change::Create)),
        Step::ApplyNamespace(name) => Some(namespace(name, Change::Update)),
        Step::RunHook(HookRun { key, .. }) => Some(Object {
            place: place(planned.slot),
            change: Change::Run,
            ..bare(key)
        }),
        _ => None,
    }
}
