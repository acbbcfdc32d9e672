//! What a plan wants to touch: an object's identity, and whether it is or becomes a sealing key.
//! It must not hold anything else of the object.

use crds::names;
use serde_json::Value;

/// An object that a plan wants to create, change or delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Namespace; `None` for a cluster-scoped object.
    pub namespace: Option<&'a str>,
    /// Name.
    pub name: &'a str,
    /// It is a sealing key, or a SealedSecret that would become one.
    pub sealing_key: bool,
}

impl<'a> Claim<'a> {
    /// The claim on a whole object, live or wanted. `namespace` is `None` for a cluster-scoped one.
    pub fn of(
        group: &'a str,
        kind: &'a str,
        namespace: Option<&'a str>,
        name: &'a str,
        object: &Value,
    ) -> Self {
        let labels = |pointer| has_sealing_key_label(object.pointer(pointer));
        let sealing_key = match (group, kind) {
            ("", "Secret") => labels("/metadata/labels"),
            (names::sealed_secret::GROUP, names::sealed_secret::KIND) => {
                labels("/spec/template/metadata/labels")
            }
            _ => false,
        };
        Self {
            group,
            kind,
            namespace,
            name,
            sealing_key,
        }
    }

    /// The claim on a live object of which only `metadata` is known.
    pub fn of_live(
        group: &'a str,
        kind: &'a str,
        namespace: Option<&'a str>,
        name: &'a str,
        metadata: &Value,
    ) -> Self {
        let secret = (group, kind) == ("", "Secret");
        let sealing_key = secret && has_sealing_key_label(metadata.get("labels"));
        Self {
            group,
            kind,
            namespace,
            name,
            sealing_key,
        }
    }

    /// The claim on a namespace that a sync makes.
    pub fn of_namespace(name: &'a str) -> Self {
        Self {
            group: "",
            kind: "Namespace",
            namespace: None,
            name,
            sealing_key: false,
        }
    }

    pub(super) fn is_sealed_secret(&self) -> bool {
        (self.group, self.kind) == (names::sealed_secret::GROUP, names::sealed_secret::KIND)
    }

    /// Whether it stands in `namespace` or is that namespace.
    pub(super) fn touches(&self, namespace: &str) -> bool {
        match self.namespace {
            Some(own) => own == namespace,
            None => (self.group, self.kind, self.name) == ("", "Namespace", namespace),
        }
    }
}

/// Any value of the label counts: a key that is taken out of use still opens what it sealed.
fn has_sealing_key_label(labels: Option<&Value>) -> bool {
    labels
        .and_then(|labels| labels.get(names::SEALING_KEY_LABEL))
        .is_some()
}
