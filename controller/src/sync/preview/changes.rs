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
    let problem = sides.problem.take().or(left_out);
    let named = named(desired, key, compared);
    let difference = match &compared.difference {
        Some(Difference::Finished) => return None,
        Some(difference) => difference,
        None => {
            let problem = Some(problem?);
            return Some(Object { problem, ..named });
        }
    };
    let (change, note, why_not) = said(difference, compared.asks);
    let mut object = Object {
        change,
        note,
        problem: problem.or(why_not),
        ..named
    };
    if !matches!(change, Change::Create | Change::Update) {
        return Some(object);
    }
    if change == Change::Create {
        // Nobody was asked where its kind comes with the same sync.
        let wanted = desired.objects.get(key);
        let made = || wanted.map(|wanted| wanted.object.clone());
        (sides.live, sides.becomes) = (None, sides.becomes.or_else(made));
    }
    object.items = hide(key, &mut sides);
    if sides.live != sides.becomes {
        (object.live, object.becomes) = (sides.live, sides.becomes);
    } else if object.items.is_empty() {
        // What differs does not stand in what is shown.
        object.note.get_or_insert_with(|| difference.to_string());
    }
    Some(object)
}

/// What would be done with an object; what there is to say of it, and why nothing can be done.
fn said(difference: &Difference, asks: bool) -> (Change, Option<String>, Option<String>) {
    let text = || Some(difference.to_string());
    match difference {
        Difference::Missing | Difference::AwaitsKind => (Change::Create, None, None),
        Difference::Deleting => (Change::Create, text(), None),
        Difference::Changed | Difference::Drift(_) => (Change::Update, None, None),
        Difference::Immutable(_) => (Change::Update, text(), None),
        Difference::Extra => {
            let note = asks.then(|| "waits until somebody approves that".to_owned());
            (Change::Delete, note, None)
        }
        Difference::Finished | Difference::Kept(_) | Difference::OutOfReach => {
            (Change::None, text(), None)
        }
        Difference::Doubt(_)
        | Difference::Unverified
        | Difference::Unlisted
        | Difference::UnknownKind
        | Difference::KindUnavailable
        | Difference::Shared(_)
        | Difference::Refused(_)
        | Difference::Forbidden(_)
        | Difference::Unreadable(_) => (Change::None, None, text()),
    }
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
