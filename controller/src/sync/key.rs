//! How the sync engine names an object: group, kind, namespace and name, with the version left aside.
//! It knows nothing of the object's content.

use std::fmt;
use std::sync::Arc;

/// A kind in its group, whatever the version: what belongs together in an inventory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// API group; empty for the core group.
    pub group: String,
    /// Kind, as in `kind:`.
    pub kind: String,
}

impl GroupKind {
    /// Names a kind; `group` is empty for the core group.
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
        }
    }

    /// True when this is `kind` in `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group.as_str() {
            "" => f.write_str(&self.kind),
            group => write!(f, "{group}/{}", self.kind),
        }
    }
}

/// The identity of an object. Two versions of one kind are the same object, so the version stands beside the key.
///
/// Keys are compared and copied more than anything else of an Application of thousands of objects: all their parts are one text,
/// which copies share. Keys of a kind in a namespace stand together, by name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// Group, kind, namespace and name, with a character between them that is below every other, so that the text is ordered as its
    /// parts are.
    text: Arc<str>,
    /// Where each but the last ends.
    ends: [usize; 3],
}

impl ObjectKey {
    /// Names an object of `kind` (its group and kind) in `namespace`.
    pub fn new(kind: &GroupKind, namespace: Option<&str>, name: &str) -> Self {
        Self::of(&kind.group, &kind.kind, namespace.unwrap_or_default(), name)
    }

    /// Names an object by its parts: `group` is empty for the core group, `namespace` for a cluster-scoped object.
    pub fn of(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let (group_end, kind_end) = (group.len(), group.len() + 1 + kind.len());
        Self {
            text: format!("{group}\0{kind}\0{namespace}\0{name}").into(),
            ends: [group_end, kind_end, kind_end + 1 + namespace.len()],
        }
    }

    /// API group; empty for the core group.
    pub fn group(&self) -> &str {
        &self.text[..self.ends[0]]
    }

    /// Kind, as in `kind:`.
    pub fn kind(&self) -> &str {
        &self.text[self.ends[0] + 1..self.ends[1]]
    }

    /// Namespace; `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.namespace_or_empty()).filter(|namespace| !namespace.is_empty())
    }

    /// The namespace, or an empty string for a cluster-scoped object.
    pub fn namespace_or_empty(&self) -> &str {
        &self.text[self.ends[1] + 1..self.ends[2]]
    }

    /// Name.
    pub fn name(&self) -> &str {
        &self.text[self.ends[2] + 1..]
    }

    /// The kind in its group.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group(), self.kind())
    }

    /// True when the object is a `kind` of `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind() == kind
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.group_kind())?;
        match self.namespace() {
            Some(namespace) => write!(f, "{namespace}/{}", self.name()),
            None => f.write_str(self.name()),
        }
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Group and version of an `apiVersion`: `apps/v1` is (`apps`, `v1`), `v1` is (``, `v1`).
pub fn group_version(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_parts_that_it_was_made_of() {
        for (group, namespace) in [("", Some("demo")), ("apps", None), ("apps", Some("demo"))] {
            let kind = GroupKind::new(group, "Deployment");
            let key = ObjectKey::new(&kind, namespace, "web");
            assert_eq!(
                (key.group_kind(), key.namespace(), key.name()),
                (kind, namespace, "web")
            );
        }
    }

    #[test]
    fn keys_are_ordered_part_by_part() {
        let parts = [
            ("", "Secret", "", "b"),
            ("", "Secret", "a", "z"),
            ("", "Secret", "a-b", "a"),
            ("", "SecretStore", "", "a"),
            ("apps", "Deployment", "a", "a"),
        ];
        let keys =
            parts.map(|(group, kind, namespace, name)| ObjectKey::of(group, kind, namespace, name));
        assert!(keys.is_sorted());
    }

    #[test]
    fn parts_with_the_character_between_them_are_another_key() {
        let (one, other) = (
            ObjectKey::of("", "Secret", "a\0b", "c"),
            ObjectKey::of("", "Secret", "a", "b\0c"),
        );
        assert_eq!((one.namespace(), one.name()), (Some("a\0b"), "c"));
        assert_eq!((other.namespace(), other.name()), (Some("a"), "b\0c"));
        assert_ne!(one, other);
    }
}
