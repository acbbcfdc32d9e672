//! Which objects are hooks: made by an operation in one of its phases, and not kept as Git says.
//! It must not look at anything but annotations, and never runs one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::argocd::object as argocd;
use super::helm;
use super::refusal::Refusal;

/// Parts of an operation, and of a deletion, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before the objects.
    PreSync,
    /// The objects.
    Sync,
    /// Once the objects work.
    PostSync,
    /// Once something has failed, and only then.
    SyncFail,
    /// Before the Application's objects are deleted.
    PreDelete,
    /// Once they are gone.
    PostDelete,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::PreSync,
        Self::Sync,
        Self::PostSync,
        Self::SyncFail,
        Self::PreDelete,
        Self::PostDelete,
    ];

    /// Argo CD's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
            Self::PreDelete => "PreDelete",
            Self::PostDelete => "PostDelete",
        }
    }

    /// The phase of this spelling.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// It belongs to the deletion of an Application, not to a sync.
    pub fn is_of_deletion(self) -> bool {
        matches!(self, Self::PreDelete | Self::PostDelete)
    }
}

/// When an object that a hook has made is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookDeletion {
    /// Before the hook runs again.
    BeforeHookCreation,
    /// Once an operation has succeeded.
    HookSucceeded,
    /// Once an operation has failed.
    HookFailed,
}

/// What the annotations of a hook ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookPolicy {
    /// The phases it runs in.
    pub phases: BTreeSet<Phase>,
    /// When what it made is deleted; never empty.
    pub deletions: BTreeSet<HookDeletion>,
}

/// What an object is to a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is kept as Git says.
    Object,
    /// It runs.
    Hook(HookPolicy),
    /// It is left alone; the text says which hooks never run, unless it asks for just that.
    LeftAlone(Option<String>),
}

/// What one word of a list of hook types means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Runs(Phase),
    /// The object is no hook at all.
    Object,
    /// It never runs.
    Skips,
}

/// What an object with this `metadata` is.
///
/// # Errors
/// Hook types and policies that are not known.
pub fn role(metadata: &Value) -> Result<Role, Vec<Refusal>> {
    match argocd::role(metadata) {
        Ok(None) => helm::role(metadata),
        Ok(Some(role)) => Ok(role),
        Err(refusals) => Err(refusals),
    }
}

/// The object was made as a hook, by us, Argo CD or Helm; maybe as one that we would refuse.
pub fn is_hook(metadata: &Value) -> bool {
    matches!(role(metadata), Ok(Role::Hook(_)) | Err(_))
}

/// Reads a list of hook types in a tool's spelling.
pub(super) fn read(
    (field, types): (&str, &str),
    word: impl Fn(&str) -> Option<Word>,
    expected: &str,
    metadata: &Value,
) -> Result<Role, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let (mut phases, mut others) = (BTreeSet::new(), Vec::new());
    for text in words(types) {
        match word(text) {
            Some(Word::Runs(phase)) => {
                phases.insert(phase);
            }
            Some(Word::Object) => return Ok(Role::Object),
            Some(Word::Skips) => others.push(text),
            None => refusals.push(Refusal::invalid(
                field,
                format!("found \"{text}\", expected {expected}"),
            )),
        }
    }
    match deletions(metadata) {
        Ok(_) if !refusals.is_empty() => Err(refusals),
        Ok(_) if phases.is_empty() && others.is_empty() => Err(vec![Refusal::invalid(
            field,
            format!("found nothing, expected {expected}"),
        )]),
        Ok(_) if phases.is_empty() => Ok(Role::LeftAlone(Some(others.join(",")))),
        Ok(deletions) => Ok(Role::Hook(HookPolicy { phases, deletions })),
        Err(more) => {
            refusals.extend(more);
            Err(refusals)
        }
    }
}

/// When what a hook made is deleted: as both tools' annotations say, whichever made it a hook. Without one it is deleted before the
/// hook runs again.
fn deletions(metadata: &Value) -> Result<BTreeSet<HookDeletion>, Vec<Refusal>> {
    let (mut deletions, mut refusals) = (BTreeSet::new(), Vec::new());
    for read in [argocd::deletions(metadata), helm::deletions(metadata)] {
        match read {
            Ok(found) => deletions.extend(found),
            Err(more) => refusals.extend(more),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    if deletions.is_empty() {
        deletions.insert(HookDeletion::BeforeHookCreation);
    }
    Ok(deletions)
}

/// Reads a list of deletion policies in a tool's spelling.
pub(super) fn policies(
    field: &str,
    text: Option<&str>,
    spellings: [(&str, HookDeletion); 3],
) -> Result<BTreeSet<HookDeletion>, Vec<Refusal>> {
    let known = |word: &str| spellings.iter().find(|(spelling, _)| *spelling == word);
    let (found, unknown): (Vec<&str>, Vec<&str>) =
        words(text.unwrap_or_default()).partition(|word| known(word).is_some());
    if !unknown.is_empty() {
        let [first, second, third] = spellings.map(|(spelling, _)| spelling);
        let refusal = |word: &&str| {
            Refusal::invalid(
                field,
                format!("found \"{word}\", expected {first}, {second} or {third}"),
            )
        };
        return Err(unknown.iter().map(refusal).collect());
    }
    let found = found.into_iter().filter_map(known);
    Ok(found.map(|(_, deletion)| *deletion).collect())
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deletions_of(annotations: &Value) -> Result<Vec<HookDeletion>, String> {
        match role(&json!({ "annotations": annotations })) {
            Ok(Role::Hook(policy)) => Ok(policy.deletions.into_iter().collect()),
            Ok(other) => panic!("expected a hook, found {other:?}"),
            Err(refusals) => Err(refusals[0].to_string()),
        }
    }

    #[test]
    fn the_deletion_policies_of_both_tools_count_for_a_hook_of_either() {
        for hook in [
            ("helm.sh/hook", "pre-install"),
            ("argocd.argoproj.io/hook", "PreSync"),
        ] {
            let both = json!({
                hook.0: hook.1,
                "argocd.argoproj.io/hook-delete-policy": "HookSucceeded",
                "helm.sh/hook-delete-policy": "before-hook-creation",
            });
            let expected = [
                HookDeletion::BeforeHookCreation,
                HookDeletion::HookSucceeded,
            ];
            assert_eq!(deletions_of(&both).unwrap(), expected);
            let one =
                json!({hook.0: hook.1, "argocd.argoproj.io/hook-delete-policy": "HookFailed"});
            assert_eq!(deletions_of(&one).unwrap(), [HookDeletion::HookFailed]);
            let none = json!({ hook.0: hook.1 });
            assert_eq!(
                deletions_of(&none).unwrap(),
                [HookDeletion::BeforeHookCreation]
            );
        }
    }

    #[test]
    fn an_unknown_deletion_policy_of_either_tool_is_refused() {
        for policy in [
            "argocd.argoproj.io/hook-delete-policy",
            "helm.sh/hook-delete-policy",
        ] {
            let misspelt = json!({"helm.sh/hook": "pre-install", policy: "HookSuceeded"});
            let refusal = deletions_of(&misspelt).unwrap_err();
            assert!(refusal.contains("HookSuceeded"), "{refusal}");
        }
    }
}
