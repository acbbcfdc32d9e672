//! From the plan of a sync to what it would change, object by object. Pure.
//! It must not decide what a sync does: the plan has decided that.

use std::collections::{BTreeMap, BTreeSet};

use super::Sides;
use super::answer::{Change, Condition, Object, Preview};
use super::hidden::hide;
use crate::dialect::parse_tracking;
use crate::sync::desired::Desired;
use crate::sync::items::Items;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::{
    Compared, Comparison, ConditionKind, Difference, Ending, HookRun, Plan, PlannedStep, Slot, Step,
};
use crate::sync::world::World;

/// What a preview is made of.
pub(super) struct Seen<'a> {
    pub(super) world: &'a World,
    pub(super) plan: &'a Plan,
    /// The files in question were sent by who asks: nobody else has seen them, so less is shown of what is there.
    pub(super) sent: bool,
}

impl Preview {
    /// What the plan of a sync would change, and how.
    pub(super) fn of(seen: &Seen<'_>, sides: BTreeMap<ObjectKey, Sides>) -> Self {
        let Seen { world, plan, .. } = seen;
        let refused = refused(world, plan);
        let source = world.source.as_ref().ok();
        let mut objects = match (&plan.comparison, source) {
            (Some(comparison), Some(source)) => seen.objects(comparison, &source.desired, sides),
            _ => Vec::new(),
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
        (None, Some(Ending::Failed(why))) => Some(why.clone()),
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

impl Seen<'_> {
    /// Objects that are not as wanted, in the order of the plan.
    fn objects(
        &self,
        comparison: &Comparison,
        desired: &Desired,
        mut sides: BTreeMap<ObjectKey, Sides>,
    ) -> Vec<Object> {
        let steps = || self.plan.steps.iter().chain(&self.plan.later);
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
        let deleted: BTreeSet<&ObjectKey> = steps().filter_map(deleted).collect();
        let mut found = Vec::new();
        for (key, compared) in &comparison.objects {
            let both = sides.remove(key).unwrap_or_default();
            let anew = deleted.contains(key);
            if let Some(object) = self.object(desired, key, compared, both, anew) {
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

    /// What would become of an object; nothing of one that is as wanted. `anew` is one that the plan deletes.
    fn object(
        &self,
        desired: &Desired,
        key: &ObjectKey,
        compared: &Compared,
        mut sides: Sides,
        anew: bool,
    ) -> Option<Object> {
        let operation = self.plan.operation.as_ref();
        let left_out = operation.and_then(|operation| operation.left_out.get(key));
        let left_out = left_out.map(|left_out| left_out.message.clone());
        let mut problem = sides.problem.take().or(left_out);
        let named = named(desired, key, compared);
        let wanted = desired.objects.get(key);
        let guess = key.is("", "Secret") && wanted.is_some() && self.world.live.contains_key(key);
        if let Some(why) = self.hides(key).filter(|_| guess) {
            // Whether it is as wanted would tell of its values.
            let note = Some(why);
            return Some(Object { note, ..named });
        }
        let difference = match &compared.difference {
            Some(Difference::Finished) => return None,
            Some(difference) => difference,
            None => {
                let problem = Some(problem?);
                return Some(Object { problem, ..named });
            }
        };
        let (change, mut note, why_not) = said(difference, compared.asks);
        let made = || wanted.map(|wanted| wanted.object.clone());
        if change == Change::Update && anew {
            note = Some("it is deleted and made anew".to_owned());
            (problem, sides.becomes) = (None, made());
        } else {
            problem = problem.or(why_not);
        }
        let mut object = Object {
            change,
            note,
            problem,
            ..named
        };
        if !matches!(change, Change::Create | Change::Update) {
            return Some(object);
        }
        if change == Change::Create {
            // Nobody was asked where its kind comes with the same sync.
            (sides.live, sides.becomes) = (None, sides.becomes.or_else(made));
        } else if let Some(why) = self.hides(key) {
            let (note, problem) = (Some(why), None);
            return Some(Object {
                note,
                problem,
                ..object
            });
        }
        let annotations = wanted.and_then(|wanted| wanted.object.pointer("/metadata/annotations"));
        object.items = hide(key, annotations, &mut sides);
        if sides.live != sides.becomes {
            (object.live, object.becomes) = (sides.live, sides.becomes);
        } else if object.items.is_empty() {
            // What differs does not stand in what is shown.
            object.note.get_or_insert_with(|| difference.to_string());
        }
        Some(object)
    }

    /// Why what is there is not shown. By files of their own somebody could look at any object, and guess at the values of Secrets.
    fn hides(&self, key: &ObjectKey) -> Option<String> {
        if !self.sent {
            return None;
        }
        if key.is("", "Secret") {
            return Some("values of files that are sent are not compared".to_owned());
        }
        let live = self.world.live.get(key);
        let tracking = live.and_then(|live| parse_tracking(live.tracking.as_deref()?));
        let own = &self.world.application.tracking_name;
        let is_ours = tracking.is_some_and(|tracking| tracking.application == *own);
        let why =
            "what is there is not this Application's yet, and not shown for files that are sent";
        (!is_ours).then(|| why.to_owned())
    }
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

/// A wanted object that a step deletes, so that it can be made anew.
fn deleted(planned: &PlannedStep) -> Option<&ObjectKey> {
    match &planned.step {
        Step::Delete { key, .. } => Some(key),
        _ => None,
    }
}

/// What would be done with an object; what there is to say of it, and why nothing can be done.
fn said(difference: &Difference, asks: bool) -> (Change, Option<String>, Option<String>) {
    let text = || Some(difference.to_string());
    match difference {
        Difference::Missing | Difference::AwaitsKind => (Change::Create, None, None),
        Difference::Deleting => (Change::Create, text(), None),
        Difference::Changed | Difference::Drift(_) => (Change::Update, None, None),
        Difference::Immutable(_) => (Change::Update, None, text()),
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
        labels: wanted.and_then(|wanted| wanted.object.pointer("/metadata/labels").cloned()),
        place: place(compared.slot),
        ..bare(key)
    }
}

fn bare(key: &ObjectKey) -> Object {
    Object {
        group: key.group().to_owned(),
        version: String::new(),
        kind: key.kind().to_owned(),
        namespace: key.namespace().map(str::to_owned),
        name: key.name().to_owned(),
        labels: None,
        place: String::new(),
        origin: None,
        change: Change::None,
        note: None,
        problem: None,
        live: None,
        becomes: None,
        items: Items::default(),
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
