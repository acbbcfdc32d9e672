//! The kind lists of a project: cluster-scoped kinds are denied unless listed, namespaced ones allowed unless listed.
//! It must not know which kinds a cluster serves.

use crds::{ClusterKind, GroupKind};

use super::pattern::{Pattern, Separator};

/// One entry of a kind list.
#[derive(Clone, Debug)]
pub(super) struct KindRule {
    group: Pattern,
    kind: Pattern,
    /// Name of the object; every name when absent.
    name: Option<Pattern>,
}

impl KindRule {
    pub(super) fn namespaced(rule: &GroupKind) -> Result<Self, String> {
        Self::new(&rule.group, &rule.kind, "")
    }

    pub(super) fn cluster(rule: &ClusterKind) -> Result<Self, String> {
        Self::new(&rule.group, &rule.kind, &rule.name)
    }

    fn new(group: &str, kind: &str, name: &str) -> Result<Self, String> {
        let pattern = |text: &str| match text.strip_prefix('!') {
            Some(_) => Err(format!(
                "found \"{text}\", expected no ! in a list of kinds: there is one list to allow and one to deny"
            )),
            None => Pattern::new(text, Separator::None),
        };
        Ok(Self {
            group: pattern(group)?,
            kind: pattern(kind)?,
            name: (!name.is_empty()).then(|| pattern(name)).transpose()?,
        })
    }

    fn hits(&self, group: &str, kind: &str, name: &str) -> bool {
        self.group.hits(group)
            && self.kind.hits(kind)
            && self.name.as_ref().is_none_or(|pattern| pattern.hits(name))
    }
}

/// The four kind lists of a project.
#[derive(Clone, Debug)]
pub(super) struct KindRules {
    pub(super) cluster_allowed: Vec<KindRule>,
    pub(super) cluster_denied: Vec<KindRule>,
    /// `None` allows every namespaced kind; an empty list allows none.
    pub(super) namespaced_allowed: Option<Vec<KindRule>>,
    pub(super) namespaced_denied: Vec<KindRule>,
}

impl KindRules {
    pub(super) fn permits(&self, group: &str, kind: &str, namespaced: bool, name: &str) -> bool {
        let listed = |rules: &[KindRule]| rules.iter().any(|rule| rule.hits(group, kind, name));
        match namespaced {
            true => {
                self.namespaced_allowed.as_deref().is_none_or(listed)
                    && !listed(&self.namespaced_denied)
            }
            false => listed(&self.cluster_allowed) && !listed(&self.cluster_denied),
        }
    }
}
