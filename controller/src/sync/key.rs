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
    /// Group, kind, namespace and name, each but the last ended by a character that none of them has.
    text: Arc<str>,
}

/// Below every character of a name, so that the text is ordered as its parts are.
const END: char = '\0';

impl ObjectKey {
    /// Names an object of `kind` (its group and kind) in `namespace`.
    pub fn new(kind: &GroupKind, namespace: Option<&str>, name: &str) -> Self {
        Self::of(&kind.group, &kind.kind, namespace.unwrap_or_default(), name)
    }

    /// Names an object by its parts: `group` is empty for the core group, `namespace` for a cluster-scoped object.
    pub fn of(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        let parts = [group, kind, namespace].map(|part| part.replace(END, ""));
        let [group, kind, namespace] = &parts;
        Self {
            text: format!("{group}{END}{kind}{END}{namespace}{END}{name}").into(),
        }
    }

    /// API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.parts()[0]
    }

    /// Kind, as in `kind:`.
    pub fn kind(&self) -> &str {
        self.parts()[1]
    }

    /// Namespace; `None` for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.namespace_or_empty()).filter(|namespace| !namespace.is_empty())
    }

    /// The namespace, or an empty string for a cluster-scoped object.
    pub fn namespace_or_empty(&self) -> &str {
        self.parts()[2]
    }

    /// Name.
    pub fn name(&self) -> &str {
        self.parts()[3]
    }

    /// The kind in its group.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group(), self.kind())
    }

    /// True when the object is a `kind` of `group`.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind() == kind
    }

    fn parts(&self) -> [&str; 4] {
        let mut parts = self.text.splitn(4, END);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
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
    fn a_part_that_ends_too_early_makes_no_other_key() {
        let odd = ObjectKey::of("", "Secret", "a\0b", "c");
        assert_eq!((odd.namespace_or_empty(), odd.name()), ("ab", "c"));
        let odd = ObjectKey::of("", "Secret", "a", "b\0c");
        assert_eq!((odd.namespace_or_empty(), odd.name()), ("a", "b\0c"));
    }
}
