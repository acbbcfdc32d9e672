//! The clusters and namespaces of a project.
//! It must not know which clusters there are.

use crds::ProjectDestination;

use super::pattern::{Pattern, Separator};

/// One entry of `spec.destinations`. It denies when one of its patterns begins with `!`.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    server: Option<Pattern>,
    name: Option<Pattern>,
    namespace: Pattern,
}

impl Rule {
    pub(super) fn new(destination: &ProjectDestination) -> Result<Self, String> {
        let optional = |text: &str| match text {
            "" => Ok(None),
            text => Pattern::new(text, Separator::None).map(Some),
        };
        Ok(Self {
            server: optional(&destination.server)?,
            name: optional(&destination.name)?,
            namespace: Pattern::new(&destination.namespace, Separator::None)?,
        })
    }

    /// What it says without `!` takes in this namespace of this cluster.
    pub(super) fn allows(&self, server: &str, name: &str, namespace: &str) -> bool {
        let denies = self.clusters().any(|pattern| pattern.denies) || self.namespace.denies;
        !denies && self.is_cluster(server, name) && self.namespace.hits(namespace)
    }

    /// A pattern with `!` hits, and what the entry says without `!` does not lead elsewhere.
    fn denies(&self, server: &str, name: &str, namespace: &str) -> bool {
        let of_cluster = [(&self.server, server), (&self.name, name)];
        let cluster_denied = of_cluster
            .iter()
            .any(|(pattern, value)| pattern.as_ref().is_some_and(|p| p.denies && p.hits(value)));
        let namespace_denied = self.namespace.denies && self.namespace.hits(namespace);
        let has_cluster_denial = self.clusters().any(|pattern| pattern.denies);
        cluster_denied && (self.namespace.denies || self.namespace.hits(namespace))
            || namespace_denied && (has_cluster_denial || self.is_cluster(server, name))
    }

    fn is_cluster(&self, server: &str, name: &str) -> bool {
        self.server
            .as_ref()
            .is_some_and(|pattern| !pattern.denies && pattern.hits(server))
            || self
                .name
                .as_ref()
                .is_some_and(|pattern| !pattern.denies && pattern.hits(name))
    }

    fn clusters(&self) -> impl Iterator<Item = &Pattern> {
        self.server.iter().chain(&self.name)
    }

    /// The entry names this namespace itself, not by a wildcard.
    pub(super) fn names(&self, namespace: &str) -> bool {
        self.namespace.is_literally(namespace)
    }
}

/// Whether a namespace of a cluster is permitted. The cluster is known by URL and by name.
pub(super) fn permits(rules: &[Rule], server: &str, name: &str, namespace: &str) -> bool {
    rules
        .iter()
        .any(|rule| rule.allows(server, name, namespace))
        && !rules
            .iter()
            .any(|rule| rule.denies(server, name, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://kubernetes.default.svc";
    const NAME: &str = "in-cluster";

    #[test]
    fn a_destination_is_permitted_by_server_or_name_and_by_namespace() {
        for (entries, namespace, permitted) in [
            (vec![("*", "", "*")], "web", true),
            (vec![("*", "", "*")], "", true),
            (vec![(SERVER, "", "web")], "web", true),
            (vec![(SERVER, "", "web")], "other", false),
            (vec![("", NAME, "team-*")], "team-a", true),
            (vec![("", "production", "*")], "web", false),
            (vec![("https://other", "", "*")], "web", false),
            (vec![("https://other", NAME, "*")], "web", true),
            (vec![("", "", "*")], "web", false),
            (vec![("*", "", "")], "web", false),
            (vec![], "web", false),
        ] {
            assert_eq!(
                decide(&entries, namespace),
                permitted,
                "{entries:?} {namespace}"
            );
        }
    }

    #[test]
    fn a_denial_wins_wherever_it_stands() {
        for (entries, namespace, permitted) in [
            (
                vec![("*", "", "*"), ("*", "", "!kube-*")],
                "kube-system",
                false,
            ),
            (vec![("*", "", "*"), ("*", "", "!kube-*")], "web", true),
            (vec![("*", "", "!kube-*")], "web", false),
            (
                vec![("*", "", "*"), ("https://other", "", "!web")],
                "web",
                true,
            ),
            (
                vec![("*", "", "*"), ("!https://other", "", "*")],
                "web",
                true,
            ),
            (
                vec![("*", "", "*"), ("!https://kubernetes.*", "", "*")],
                "web",
                false,
            ),
            (
                vec![("*", "", "*"), ("!https://kubernetes.*", "", "kube-*")],
                "web",
                true,
            ),
            (vec![("*", "", "*"), ("", "!in-cluster", "*")], "web", false),
            (
                vec![("*", "", "*"), ("*", "!in-cluster", "*")],
                "web",
                false,
            ),
            (
                vec![("*", "", "*"), ("!https://other", "", "!kube-*")],
                "kube-system",
                false,
            ),
            (
                vec![("*", "", "*"), ("!https://kubernetes.*", "", "!kube-*")],
                "web",
                false,
            ),
        ] {
            assert_eq!(
                decide(&entries, namespace),
                permitted,
                "{entries:?} {namespace}"
            );
        }
    }

    fn decide(entries: &[(&str, &str, &str)], namespace: &str) -> bool {
        let rules: Vec<Rule> = entries
            .iter()
            .map(|(server, name, namespace)| ProjectDestination {
                server: (*server).into(),
                name: (*name).into(),
                namespace: (*namespace).into(),
                ..ProjectDestination::default()
            })
            .map(|destination| Rule::new(&destination).expect("a rule"))
            .collect();
        permits(&rules, SERVER, NAME, namespace)
    }
}
