//! How a live object compares with the wanted one, by what is read of it and, where that leaves a doubt, by what the API server
//! predicts of an apply. It asks nobody itself; what it finds names fields and holds no value.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use k8s_openapi::jiff::Timestamp;
use kube::api::DynamicObject;
use serde_json::Value;

use super::differences;
use super::ownership::{self, Lost};
use super::unwanted;
use crate::dialect::ApplyMode;
use crate::field_set::part;
use crate::sync::apply::adoption::Adoption;
use crate::sync::desired::Wanted;
use crate::sync::outcome::{Failure, FailureReason};
use crate::sync::world::{LiveState, Take};

/// What a dry-run of the apply answered.
pub(in crate::sync) enum Predicted {
    /// The object would be this one.
    Object(Box<DynamicObject>),
    /// Something on the way takes no dry-run.
    NoDryRun,
    /// The apply would be refused.
    Refusal(Failure),
}

/// A wanted and a live object, as far as their differences count.
pub(in crate::sync) struct Pair<'a> {
    wanted: &'a Wanted,
    live: &'a DynamicObject,
    target: Value,
    read: Value,
}

impl<'a> Pair<'a> {
    /// # Errors
    /// How the object compares when that can't be told.
    pub(in crate::sync) fn of(
        wanted: &'a Wanted,
        live: &'a DynamicObject,
    ) -> Result<Self, LiveState> {
        let strip = |object| counting(wanted, object, live);
        Ok(Self {
            wanted,
            live,
            target: strip(&wanted.object)?,
            read: strip(&comparable(live))?,
        })
    }

    /// How the object compares; `None` where only a dry-run can tell.
    pub(in crate::sync) fn at_first_sight(&self) -> Option<LiveState> {
        // A field that is not ours any more may have grown: a list or map that is owned as a whole.
        let certain = differences(&self.target, &self.read).is_empty()
            && ownership::lost(&self.target, managed_fields(self.live)).is_empty();
        certain.then(|| self.differs(Vec::new()))
    }

    /// How the object compares by a dry-run's answer.
    pub(in crate::sync) fn by_prediction(&self, predicted: Predicted) -> LiveState {
        let missing = || self.differs(differences(&self.target, &self.read));
        match predicted {
            Predicted::Object(predicted) => {
                match counting(self.wanted, &comparable(&predicted), self.live) {
                    Ok(becomes) => self.differs(self.changes(&becomes, &predicted)),
                    Err(state) => state,
                }
            }
            Predicted::NoDryRun => self.differs(self.unpredicted()),
            Predicted::Refusal(failure) => undecided(self.wanted, failure, missing()),
        }
    }

    /// What counts of the live object.
    pub(in crate::sync) fn read(&self) -> &Value {
        &self.read
    }

    /// What a write would make of the object, as far as it counts. Without a prediction it is taken to set what is wanted, and
    /// no more.
    pub(in crate::sync) fn becomes(&self, predicted: Option<&Predicted>) -> Value {
        let becomes = match predicted {
            Some(Predicted::Object(predicted)) => {
                counting(self.wanted, &comparable(predicted), self.live).ok()
            }
            Some(Predicted::NoDryRun | Predicted::Refusal(_)) => None,
            None => Some(self.read.clone()),
        };
        let becomes = becomes.unwrap_or_else(|| {
            let mut becomes = self.read.clone();
            lay_over(&mut becomes, &self.target);
            becomes
        });
        if self.wanted.apply_policy().mode == ApplyMode::Merge {
            return becomes;
        }
        // Who owns what once ours is applied: what a predecessor then has alone goes.
        let managed = match predicted {
            Some(Predicted::Object(predicted)) => managed_fields(predicted),
            _ => managed_fields(self.live),
        };
        let adoption = Adoption::of(self.wanted);
        let goes = |entry: &ManagedFieldsEntry| adoption.takes(entry);
        unwanted::without(&self.wanted.key, managed, goes, &becomes)
    }

    /// What an apply would change of our fields. What admission webhooks add to them is nobody's business unless it is asked for.
    fn changes(&self, becomes: &Value, predicted: &DynamicObject) -> Vec<String> {
        let ours = |object| ownership::ours(managed_fields(object));
        let policy = self.wanted.policy.as_ref();
        let whole = policy.is_ok_and(|policy| policy.include_webhooks);
        // A server that says nothing of owners has no webhooks told apart either.
        let Some(then) = ours(predicted).filter(|_| !whole) else {
            return changes(&self.read, becomes);
        };
        let sets: Vec<&Value> = ours(self.live).into_iter().chain([then]).collect();
        changes(&part(&self.read, &sets), &part(becomes, &sets))
    }

    /// What is not as wanted, as far as that can be told without a prediction: what others have added to lists of ours doesn't count.
    fn unpredicted(&self) -> Vec<String> {
        let managed = managed_fields(self.live);
        let Some(ours) = ownership::ours(managed) else {
            return differences(&self.target, &self.read);
        };
        let lost = ownership::lost(&self.target, managed).into_iter();
        let mut fields = differences(&part(&self.target, &[ours]), &part(&self.read, &[ours]));
        fields.extend(lost.map(|lost| lost.field));
        fields
    }

    /// Fields of the last apply that somebody else has taken since.
    pub(in crate::sync) fn takes(&self, at: Timestamp) -> Vec<Take> {
        let lost = ownership::lost(&self.target, managed_fields(self.live)).into_iter();
        let takes = lost.filter_map(|Lost { field, manager }| {
            Some(Take {
                at,
                manager: manager?,
                field,
            })
        });
        takes.collect()
    }

    /// These fields differ, and what people have added or a predecessor left.
    fn differs(&self, mut fields: Vec<String>) -> LiveState {
        if self.wanted.apply_policy().mode != ApplyMode::Merge {
            let managed = managed_fields(self.live);
            let predecessor = self.wanted.predecessor.as_deref();
            fields.extend(unwanted::unwanted(
                &self.wanted.key,
                managed,
                predecessor,
                &self.read,
            ));
        }
        let wanted = self.wanted.hash;
        if fields.is_empty() {
            LiveState::Matches(wanted)
        } else {
            LiveState::Differs { wanted, fields }
        }
    }
}

/// What counts of an object.
fn counting(wanted: &Wanted, object: &Value, live: &DynamicObject) -> Result<Value, LiveState> {
    let stripped = wanted.ignored.strip(object, managed_fields(live));
    stripped.map_err(|problem| LiveState::Unreadable {
        wanted: wanted.hash,
        message: problem.to_string(),
    })
}

/// Who owns what of an object.
pub(in crate::sync) fn managed_fields(object: &DynamicObject) -> &[ManagedFieldsEntry] {
    object
        .metadata
        .managed_fields
        .as_deref()
        .unwrap_or_default()
}

/// What a refused dry-run says of the object. One that would be invalid differs, and applying it tells why.
fn undecided(wanted: &Wanted, failure: Failure, differs: LiveState) -> LiveState {
    let Failure { reason, message } = failure;
    match reason {
        FailureReason::ImmutableField => LiveState::Immutable {
            wanted: wanted.hash,
            message,
        },
        FailureReason::Forbidden => LiveState::Forbidden {
            wanted: wanted.hash,
            message,
        },
        FailureReason::Invalid | FailureReason::NotFound => differs,
        FailureReason::Conflict | FailureReason::NotUnsealed | FailureReason::Unavailable => {
            LiveState::Unreadable {
                wanted: wanted.hash,
                message,
            }
        }
    }
}

/// Sets the fields of an object over those of another; lists as a whole.
fn lay_over(object: &mut Value, fields: &Value) {
    match (object, fields) {
        (Value::Object(object), Value::Object(fields)) => {
            for (field, value) in fields {
                lay_over(object.entry(field.clone()).or_insert(Value::Null), value);
            }
        }
        (object, fields) => *object = fields.clone(),
    }
}

/// Names of the fields that a dry-run would set, change or remove.
fn changes(live: &Value, predicted: &Value) -> Vec<String> {
    let mut fields = differences(predicted, live);
    fields.extend(differences(live, predicted));
    fields.sort();
    fields.dedup();
    fields
}

/// An object without what every write changes.
pub(in crate::sync) fn comparable(object: &DynamicObject) -> Value {
    let mut metadata = object.metadata.clone();
    metadata.managed_fields = None;
    metadata.resource_version = None;
    metadata.generation = None;
    let mut value = object.data.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    if let Some(types) = &object.types {
        value["apiVersion"] = types.api_version.as_str().into();
        value["kind"] = types.kind.as_str().into();
    }
    value["metadata"] = serde_json::json!(metadata);
    value
}

#[cfg(test)]
mod tests;
