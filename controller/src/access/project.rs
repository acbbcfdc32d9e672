//! A project's rules, read once and asked often.
//! It must not permit what it does not understand: such a project permits nothing at all.

use crds::{AppProject, ClusterKind, ProjectDestination};

use super::claim::Claim;
use super::denied::{Denied, Reason};
use super::destinations::{self, Rule};
use super::features;
use super::kinds::{KindRule, KindRules};
use super::pattern::{Pattern, Separator, permits};
use super::plaintext::PlaintextSecrets;
use super::signatures::{SignatureDemand, SignatureRules};
use super::source;
use super::windows::{Window, Windows};
use crate::dialect::Destination;
use crate::repositories::redacted;

/// The project of Applications that name none. It exists without an object, and permits everything then.
const DEFAULT: &str = "default";

/// What the Applications of a project may do.
#[derive(Clone, Debug)]
pub struct Project {
    name: String,
    source_repos: Vec<Pattern>,
    destinations: Vec<Rule>,
    kinds: KindRules,
    source_namespaces: Vec<Pattern>,
    signatures: SignatureRules,
    windows: Vec<Window>,
    plaintext_secrets: PlaintextSecrets,
}

impl Project {
    /// The project `name`, of which `object` is what the cluster holds. The project `default` permits
    /// everything when there is no object of that name.
    ///
    /// # Errors
    /// When there is no such project, or it holds a feature or a rule that is not understood.
    pub fn find(name: &str, object: Option<&AppProject>) -> Result<Self, Vec<Denied>> {
        match object {
            Some(project) => Self::new(project),
            None if name == DEFAULT => Self::new(&wide_open()),
            None => {
                let message =
                    format!("there is no AppProject {name} in the controller's namespace");
                Err(vec![Denied::new(Reason::ProjectNotFound, message)])
            }
        }
    }

    /// The rules of a project.
    ///
    /// # Errors
    /// Every feature that is not supported and every rule that can't be read.
    pub fn new(project: &AppProject) -> Result<Self, Vec<Denied>> {
        let name = project.metadata.name.clone().unwrap_or_default();
        let mut denied = features::refused(&name, project);
        let mut reader = Reader {
            project: &name,
            denied: &mut denied,
        };
        let spec = &project.spec;
        let signatures = reader.signatures(project);
        let repository =
            |url: &String| Pattern::new(&source::normalise_pattern(url), Separator::Slash);
        let rules = Self {
            source_repos: reader.read("sourceRepos", &spec.source_repos, repository),
            destinations: reader.read("destinations", &spec.destinations, Rule::new),
            kinds: KindRules {
                cluster_allowed: reader.read(
                    "clusterResourceWhitelist",
                    &spec.cluster_resource_whitelist,
                    KindRule::cluster,
                ),
                cluster_denied: reader.read(
                    "clusterResourceBlacklist",
                    &spec.cluster_resource_blacklist,
                    KindRule::cluster,
                ),
                namespaced_allowed: spec.namespace_resource_whitelist.as_ref().map(|rules| {
                    reader.read("namespaceResourceWhitelist", rules, KindRule::namespaced)
                }),
                namespaced_denied: reader.read(
                    "namespaceResourceBlacklist",
                    &spec.namespace_resource_blacklist,
                    KindRule::namespaced,
                ),
            },
            source_namespaces: reader.read("sourceNamespaces", &spec.source_namespaces, |text| {
                namespace_pattern(text)
            }),
            signatures,
            plaintext_secrets: reader.plaintext_secrets(project),
            windows: reader.read("syncWindows", &spec.sync_windows, Window::new),
            name: name.clone(),
        };
        match denied.is_empty() {
            true => Ok(rules),
            false => Err(denied),
        }
    }

    /// Name of the project.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether Applications of this project may live in `namespace`: in the controller's own always, elsewhere
    /// when both `--application-namespaces` (`also`) and the project's `sourceNamespaces` say so.
    ///
    /// # Errors
    /// When they may not.
    pub fn permits_application_namespace(
        &self,
        namespace: &str,
        own: &str,
        also: &[String],
    ) -> Result<(), Denied> {
        let told = also.iter().any(|also| also == namespace);
        if namespace == own || told && permits(&self.source_namespaces, namespace) {
            return Ok(());
        }
        let who = match told {
            true => format!("sourceNamespaces of project {}", self.name),
            false => "--application-namespaces".to_owned(),
        };
        let message = format!("{who} does not name the namespace {namespace}");
        Err(Denied::new(
            Reason::ApplicationNamespaceNotPermitted,
            message,
        ))
    }

    /// Whether Applications of this project may read the repository. `files` is `--allow-file-repositories`.
    ///
    /// # Errors
    /// When they may not.
    pub fn permits_source(&self, url: &str, files: bool) -> Result<(), Denied> {
        let problem = if source::is_file(url) && !files {
            "it is in the controller's file system, which needs --allow-file-repositories"
                .to_owned()
        } else if let Some(ambiguity) = source::ambiguity(url) {
            ambiguity.to_owned()
        } else if permits(&self.source_repos, &source::normalise(url)) {
            return Ok(());
        } else {
            format!("it is not in sourceRepos of project {}", self.name)
        };
        let message = format!("repository {} is not permitted: {problem}", redacted(url));
        Err(Denied::new(Reason::SourceNotPermitted, message))
    }

    /// Whose signature a commit of the repository needs; none when it needs no signature.
    ///
    /// # Errors
    /// When the project's policies contradict each other for this repository.
    pub fn demanded_signature(&self, url: &str) -> Result<Option<SignatureDemand>, Denied> {
        self.signatures.demand(&self.name, url).map_err(|problem| {
            let message = format!("AppProject {}: {problem}: {}", self.name, redacted(url));
            Denied::new(Reason::ProjectInvalid, message)
        })
    }

    /// The sync windows that are for an Application of this project.
    pub fn windows(&self, application: &str, destination: &Destination) -> Windows<'_> {
        Windows::of(&self.name, &self.windows, application, destination)
    }

    /// What becomes of Secrets of this project that are not sealed.
    pub fn plaintext_secrets(&self) -> PlaintextSecrets {
        self.plaintext_secrets
    }

    /// Whether Applications of this project may have this destination.
    ///
    /// # Errors
    /// When they may not.
    pub fn permits_destination(&self, destination: &Destination) -> Result<(), Denied> {
        self.permits_namespace(destination, &destination.namespace)
    }

    fn permits_namespace(&self, destination: &Destination, namespace: &str) -> Result<(), Denied> {
        let Destination { server, name, .. } = destination;
        if destinations::permits(&self.destinations, server, name, namespace) {
            return Ok(());
        }
        let project = &self.name;
        let message = format!(
            "namespace \"{namespace}\" of {server} is not in destinations of project {project}"
        );
        Err(Denied::new(Reason::DestinationNotPermitted, message))
    }

    /// Whether Applications of this project may create, change or delete the object. `own` is the
    /// controller's namespace.
    ///
    /// # Errors
    /// When they may not.
    pub fn permits_object(
        &self,
        claim: &Claim<'_>,
        destination: &Destination,
        own: &str,
    ) -> Result<(), Denied> {
        let Destination { server, name, .. } = destination;
        let names_own = self
            .destinations
            .iter()
            .any(|rule| rule.names(own) && rule.allows(server, name, own));
        if claim.touches(own) && !names_own {
            let message = format!(
                "{} is the controller's own: {}",
                object(claim),
                self.literally(own)
            );
            return Err(Denied::new(Reason::OwnNamespace, message));
        }
        if claim.sealing_key && !names_own {
            let message = format!(
                "{} is a sealing key: {}",
                object(claim),
                self.literally(own)
            );
            return Err(Denied::new(Reason::SealingKey, message));
        }
        self.permits_kind(claim, claim.group, claim.kind)?;
        if claim.is_sealed_secret() {
            self.permits_kind(claim, "", "Secret")?;
        }
        claim.namespace.map_or(Ok(()), |namespace| {
            self.permits_namespace(destination, namespace)
        })
    }

    fn permits_kind(&self, claim: &Claim<'_>, group: &str, kind: &str) -> Result<(), Denied> {
        let namespaced = claim.namespace.is_some();
        if self.kinds.permits(group, kind, namespaced, claim.name) {
            return Ok(());
        }
        let list = if namespaced {
            "namespaceResource"
        } else {
            "clusterResource"
        };
        let needs = match (group, kind) == (claim.group, claim.kind) {
            true => String::new(),
            false => format!(" needs the kind {kind} as well, which"),
        };
        let message = format!(
            "{}{needs} is not permitted by {list}Whitelist and {list}Blacklist of project {}",
            object(claim),
            self.name
        );
        Err(Denied::new(Reason::KindNotPermitted, message))
    }

    fn literally(&self, own: &str) -> String {
        format!(
            "destinations of project {} would have to name the namespace {own} without a wildcard",
            self.name
        )
    }
}

/// Reads lists of rules and collects what can't be read.
struct Reader<'a> {
    project: &'a str,
    denied: &'a mut Vec<Denied>,
}

impl Reader<'_> {
    fn signatures(&mut self, project: &AppProject) -> SignatureRules {
        SignatureRules::read(self.project, project).unwrap_or_else(|denied| {
            self.denied.extend(denied);
            SignatureRules::default()
        })
    }

    fn plaintext_secrets(&mut self, project: &AppProject) -> PlaintextSecrets {
        PlaintextSecrets::read(project).unwrap_or_else(|problem| {
            let message = format!("AppProject {}: {problem}", self.project);
            self.denied
                .push(Denied::new(Reason::ProjectInvalid, message));
            PlaintextSecrets::default()
        })
    }

    fn read<T, R>(
        &mut self,
        field: &str,
        items: &[T],
        read: impl Fn(&T) -> Result<R, String>,
    ) -> Vec<R> {
        let mut rules = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match read(item) {
                Ok(rule) => rules.push(rule),
                Err(problem) => {
                    let message = format!(
                        "AppProject {}: spec.{field}[{index}]: {problem}",
                        self.project
                    );
                    self.denied
                        .push(Denied::new(Reason::ProjectInvalid, message));
                }
            }
        }
        rules
    }
}

/// A namespace may be a glob, not a regular expression between slashes.
fn namespace_pattern(text: &str) -> Result<Pattern, String> {
    match text.len() > 1 && text.starts_with('/') && text.ends_with('/') {
        true => Err(format!(
            "found \"{text}\", expected a glob: regular expressions are not supported yet"
        )),
        false => Pattern::new(text, Separator::None),
    }
}

fn object(claim: &Claim<'_>) -> String {
    let Claim {
        group,
        kind,
        namespace,
        name,
        ..
    } = claim;
    let kind = if group.is_empty() {
        (*kind).to_owned()
    } else {
        format!("{group}/{kind}")
    };
    match namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

fn wide_open() -> AppProject {
    let any = || "*".to_owned();
    let mut project = AppProject::default();
    project.metadata.name = Some(DEFAULT.to_owned());
    project.spec.source_repos = vec![any()];
    project.spec.destinations = vec![ProjectDestination {
        server: any(),
        name: any(),
        namespace: any(),
        ..ProjectDestination::default()
    }];
    project.spec.cluster_resource_whitelist = vec![ClusterKind {
        group: any(),
        kind: any(),
        ..ClusterKind::default()
    }];
    project
}
