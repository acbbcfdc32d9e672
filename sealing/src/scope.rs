//! Scopes: how far a sealed value may travel, and the RSA-OAEP label that enforces it.
//! Reads nothing but the annotations it is given.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crds::names::{CLUSTER_WIDE, NAMESPACE_WIDE};

/// How far a sealed value may travel from the Secret it was sealed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Opens only in the same namespace and under the same name.
    #[default]
    Strict,
    /// Opens only in the same namespace, under any name.
    NamespaceWide,
    /// Opens in any namespace, under any name.
    ClusterWide,
}

impl Scope {
    /// The scope that the annotations of an object ask for. Only the exact value `true` counts, and cluster-wide
    /// wins over namespace-wide. When unsealing these are the SealedSecret's own annotations, not its template's.
    #[must_use]
    pub fn of(annotations: Option<&BTreeMap<String, String>>) -> Self {
        let set = |key: &str| {
            annotations
                .and_then(|annotations| annotations.get(key))
                .is_some_and(|value| value == "true")
        };
        if set(CLUSTER_WIDE) {
            Self::ClusterWide
        } else if set(NAMESPACE_WIDE) {
            Self::NamespaceWide
        } else {
            Self::Strict
        }
    }

    /// The label that a value of this scope is bound to:
    /// `namespace "/" name` (strict), `namespace` (namespace-wide) or nothing (cluster-wide).
    #[must_use]
    pub fn label(self, namespace: &str, name: &str) -> Label {
        Label(match self {
            Self::Strict => format!("{namespace}/{name}"),
            Self::NamespaceWide => namespace.to_owned(),
            Self::ClusterWide => String::new(),
        })
    }

    /// The annotation that marks this scope; strict has none.
    #[must_use]
    pub fn annotation(self) -> Option<&'static str> {
        match self {
            Self::Strict => None,
            Self::NamespaceWide => Some(NAMESPACE_WIDE),
            Self::ClusterWide => Some(CLUSTER_WIDE),
        }
    }

    /// The spelling used on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::NamespaceWide => "namespace-wide",
            Self::ClusterWide => "cluster-wide",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    /// Reads the spelling of [`Scope::as_str`]; the empty string is strict, as it is for kubeseal.
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        match text {
            "" | "strict" => Ok(Self::Strict),
            "namespace-wide" => Ok(Self::NamespaceWide),
            "cluster-wide" => Ok(Self::ClusterWide),
            other => Err(UnknownScope(other.to_owned())),
        }
    }
}

/// A word that names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope \"{0}\": must be one of: strict, namespace-wide, cluster-wide")]
pub struct UnknownScope(String);

/// The RSA-OAEP label (RFC 8017 §7.1.1, *L*) of a value: where it may be opened. Compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label(String);

impl Label {
    /// The bytes that go into the padding, without terminator.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotations(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn only_the_exact_word_true_widens_the_scope() {
        assert_eq!(Scope::of(None), Scope::Strict);
        for value in ["TRUE", "1", "false", "", "true "] {
            let given = annotations(&[(CLUSTER_WIDE, value)]);
            assert_eq!(Scope::of(Some(&given)), Scope::Strict, "{value:?}");
        }
        let given = annotations(&[(NAMESPACE_WIDE, "true")]);
        assert_eq!(Scope::of(Some(&given)), Scope::NamespaceWide);
    }

    #[test]
    fn cluster_wide_wins_over_namespace_wide() {
        let given = annotations(&[(NAMESPACE_WIDE, "true"), (CLUSTER_WIDE, "true")]);
        assert_eq!(Scope::of(Some(&given)), Scope::ClusterWide);
    }

    #[test]
    fn the_strict_label_has_a_slash() {
        assert_eq!(Scope::Strict.label("ns", "n").as_bytes(), b"ns/n");
        assert_eq!(Scope::NamespaceWide.label("ns", "n").as_bytes(), b"ns");
        assert_eq!(Scope::ClusterWide.label("ns", "n").as_bytes(), b"");
    }

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        for scope in [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert_eq!("".parse(), Ok(Scope::Strict));
        assert!("Strict".parse::<Scope>().is_err());
    }
}
