//! What a render is asked for: a source, what lies at it, and what the tools are told of the world around it.
//! It holds no credentials and reads nothing.

use std::{borrow::Cow, collections::BTreeMap, fmt, sync::Arc};

use super::{KustomizeSettings, SourceOptions};
use crate::{
    charts::Chart,
    git::{Fetched, GitError, Tree, redacted},
};

/// One source, with all that its render may read.
#[derive(Clone, Debug)]
pub struct Request {
    pub options: SourceOptions,
    pub root: Root,
    /// Whether `.argocd-source.yaml` beside the source counts: not where an Application has several sources.
    pub overridable: bool,
    /// The roots of other sources of the Application, by their `ref`.
    pub references: BTreeMap<String, Tree>,
    pub environment: BuildEnvironment,
    pub cluster: Arc<ClusterFacts>,
    pub kustomize: Arc<KustomizeSettings>,
    /// Charts that [`super::Renderer::needs`] asked for.
    pub dependencies: Vec<Arc<Chart>>,
    /// Roots of the other repositories that kustomizations have bases in.
    pub bases: BTreeMap<RemoteBase, Tree>,
}

/// Another repository in which a kustomization has a base.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteBase {
    pub url: String,
    /// A branch, tag or commit; empty for the server's `HEAD`.
    pub revision: String,
}

impl Request {
    /// The same with the files of one more submodule, for each of its trees that has it.
    ///
    /// # Errors
    /// As [`Tree::with`].
    pub fn with(mut self, fetched: &Fetched) -> Result<Self, GitError> {
        if let Root::Tree(tree) = &mut self.root {
            *tree = tree.with(fetched)?;
        }
        let others = self.references.values_mut();
        for tree in others.chain(self.bases.values_mut()) {
            *tree = tree.with(fetched)?;
        }
        Ok(self)
    }
}

impl fmt::Display for RemoteBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = redacted(&self.url);
        match self.revision.as_str() {
            "" => f.write_str(&url),
            revision => write!(f, "{url}?ref={revision}"),
        }
    }
}

/// What lies at a source.
#[derive(Clone, Debug)]
pub enum Root {
    /// A directory of a commit.
    Tree(Tree),
    /// A chart from a repository of charts.
    Chart(Arc<Chart>),
}

/// What the destination cluster says of itself, for charts that ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Such as `v1.36.3`.
    pub kube_version: String,
    /// Such as `apps/v1` and `apps/v1/Deployment`, sorted.
    pub api_versions: Vec<String>,
}

/// What the variables `ARGOCD_APP_…` stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildEnvironment {
    pub app_name: String,
    /// Of the destination.
    pub namespace: String,
    pub project: String,
    /// The commit, or the version of a chart.
    pub revision: String,
    pub repo_url: String,
    pub path: String,
    /// As written in the Application.
    pub target_revision: String,
}

impl BuildEnvironment {
    /// The value of a variable; `None` when there is no such variable.
    fn value<'a>(&'a self, name: &str, cluster: &'a ClusterFacts) -> Option<Cow<'a, str>> {
        let short = |length| self.revision.get(..length).unwrap_or(&self.revision);
        let value = match name {
            "ARGOCD_APP_NAME" => &self.app_name,
            "ARGOCD_APP_NAMESPACE" => &self.namespace,
            "ARGOCD_APP_PROJECT_NAME" => &self.project,
            "ARGOCD_APP_REVISION" => &self.revision,
            "ARGOCD_APP_REVISION_SHORT" => short(7),
            "ARGOCD_APP_REVISION_SHORT_8" => short(8),
            "ARGOCD_APP_SOURCE_REPO_URL" => &self.repo_url,
            "ARGOCD_APP_SOURCE_PATH" => &self.path,
            "ARGOCD_APP_SOURCE_TARGET_REVISION" => &self.target_revision,
            "KUBE_VERSION" => &cluster.kube_version,
            "KUBE_API_VERSIONS" => return Some(cluster.api_versions.join(",").into()),
            _ => return None,
        };
        Some(value.into())
    }

    /// Replaces `$NAME` and `${NAME}` as Go's `os.Expand` does: what is no variable is nothing, `$$` is a dollar sign.
    pub(super) fn expand(&self, text: &str, cluster: &ClusterFacts) -> String {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            expanded.push_str(&rest[..at]);
            let (name, length) = variable(&rest[at + 1..]);
            match name {
                Some("$") => expanded.push('$'),
                Some(name) => expanded += &self.value(name, cluster).unwrap_or_default(),
                None if length == 0 => expanded.push('$'),
                None => {}
            }
            rest = &rest[at + 1 + length..];
        }
        expanded + rest
    }
}

/// The name behind a dollar sign, and how much of the text it takes; no name where it can't be read.
fn variable(text: &str) -> (Option<&str>, usize) {
    let special = |c: char| "*#$@!?-".contains(c) || c.is_ascii_digit();
    let Some(first) = text.chars().next() else {
        return (None, 0);
    };
    if let Some(inside) = text.strip_prefix('{') {
        return match inside.find('}') {
            Some(0) => (None, 2),
            Some(end) => (Some(&inside[..end]), end + 2),
            None => (None, 1),
        };
    }
    if special(first) {
        return (Some(&text[..1]), 1);
    }
    let length = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    (text.get(..length).filter(|name| !name.is_empty()), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_go_does() {
        let environment = BuildEnvironment {
            app_name: "shop".to_owned(),
            revision: "94c2159a7b3c".to_owned(),
            ..BuildEnvironment::default()
        };
        let cluster = ClusterFacts {
            kube_version: "v1.36.3".to_owned(),
            api_versions: vec!["v1".to_owned(), "v1/Pod".to_owned()],
        };
        for (text, expanded) in [
            ("no variable", "no variable"),
            ("$ARGOCD_APP_NAME-x", "shop-x"),
            ("a${ARGOCD_APP_NAME}b", "ashopb"),
            (
                "$ARGOCD_APP_REVISION_SHORT $ARGOCD_APP_REVISION_SHORT_8",
                "94c2159 94c2159a",
            ),
            ("$KUBE_VERSION $KUBE_API_VERSIONS", "v1.36.3 v1,v1/Pod"),
            ("$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME"),
            ("x$UNKNOWN-y${ALSO}z", "x-yz"),
            ("5$ and 6$", "5$ and 6$"),
            ("$1a ${} ${x", "a  x"),
            ("ü$ü", "ü$ü"),
        ] {
            assert_eq!(environment.expand(text, &cluster), expanded, "{text}");
        }
    }
}
