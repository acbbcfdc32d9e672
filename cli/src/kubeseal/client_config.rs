//! Which cluster and namespace are meant: kubeconfig files with kubectl's flags laid over them, as client-go does it.
//! Must not talk to a cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, KubeconfigError};
use sealing::go::duration;

use super::client_check::{self, EMPTY_CLUSTER};
use super::go_text::{quote, system_error, unregistered};
use super::settings::Overrides;

/// Where a pod finds who it is.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What there is when nothing is said.
const DEFAULT_NAMESPACE: &str = "default";

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("stat {}: {reason}", path.display())]
    Missing { path: PathBuf, reason: String },
    #[error("error loading config file {path}: {reason}")]
    Load { path: String, reason: String },
    #[error("{kind} {name} does not exist")]
    Unknown { kind: &'static str, name: String },
    #[error(
        "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
    )]
    Nothing,
    #[error("invalid configuration: {0}")]
    Invalid(String),
    #[error(
        "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)"
    )]
    Timeout,
}

/// The namespace that is meant, and whether it was asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) is_explicit: bool,
}

/// Which cluster to ask and as whom.
#[derive(Debug)]
pub(super) enum Connection {
    InCluster,
    Configured {
        kubeconfig: Box<Kubeconfig>,
        timeout: Option<Duration>,
    },
}

/// What the files and flags say together.
#[derive(Debug, Default)]
struct Merged {
    context: Context,
    cluster_name: String,
    cluster: Cluster,
    user_name: String,
    user: AuthInfo,
    /// Something that a flag names and that is not there.
    unknown: Option<(&'static str, String)>,
    missing_context: Option<String>,
}

/// The namespace for Secrets that name none.
pub(super) fn namespace(overrides: &Overrides) -> Result<Namespace, Error> {
    // A kubeconfig that can't be read hides the flag too, as in client-go.
    let merged = Merged::new(load(overrides)?, overrides);
    if !overrides.namespace.is_empty() {
        return Ok(Namespace {
            name: overrides.namespace.clone(),
            is_explicit: true,
        });
    }
    let name = match (
        merged.check(),
        merged.context.namespace.filter(|name| !name.is_empty()),
    ) {
        (Err(Error::Nothing), _) | (Ok(()), None) if is_pod() => pod_namespace(),
        (Err(error), _) => return Err(error),
        (Ok(()), name) => name.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
    };
    Ok(Namespace {
        name,
        is_explicit: false,
    })
}

/// The cluster to ask.
pub(super) fn connection(overrides: &Overrides) -> Result<Connection, Error> {
    let merged = Merged::new(load(overrides)?, overrides);
    if let Some((kind, name)) = &merged.unknown {
        return Err(Error::Unknown {
            kind,
            name: quote(name),
        });
    }
    match merged.check() {
        Err(Error::Nothing) if is_pod() => return Ok(Connection::InCluster),
        checked => checked?,
    }
    Ok(Connection::Configured {
        timeout: timeout(&overrides.timeout)?,
        kubeconfig: Box::new(merged.into_kubeconfig()),
    })
}

fn load(overrides: &Overrides) -> Result<Kubeconfig, Error> {
    let mut all = Kubeconfig::default();
    for path in paths(overrides)? {
        match Kubeconfig::read_from(&path) {
            Ok(kubeconfig) => {
                let kubeconfig = mergeable(&path, kubeconfig)?;
                all = all
                    .merge(kubeconfig)
                    .map_err(|error| unreadable(&path, &error))?
            }
            Err(KubeconfigError::ReadConfig(error, _))
                if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unreadable(&path, &error)),
        }
    }
    Ok(all)
}

/// A file, checked for what it is, and without the values that would hide those of the files behind it: client-go passes
/// over empty ones.
fn mergeable(path: &Path, kubeconfig: Kubeconfig) -> Result<Kubeconfig, Error> {
    let said = |field: Option<String>, usual: &str| {
        let text = field.filter(|text| !text.is_empty());
        text.unwrap_or_else(|| usual.to_owned())
    };
    let kind = said(kubeconfig.kind, "Config");
    let version = said(kubeconfig.api_version, "v1");
    if (kind.as_str(), version.as_str()) != ("Config", "v1") {
        return Err(Error::Load {
            path: quote(path.display().to_string()),
            reason: unregistered(&kind, &version),
        });
    }
    Ok(Kubeconfig {
        kind: None,
        api_version: None,
        current_context: kubeconfig.current_context.filter(|name| !name.is_empty()),
        ..kubeconfig
    })
}

fn unreadable(path: &Path, error: &KubeconfigError) -> Error {
    let reason = match error {
        KubeconfigError::ReadConfig(error, _) => {
            format!("read {}: {}", path.display(), system_error(error))
        }
        // What follows the first line repeats the file, which holds credentials.
        other => other
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned(),
    };
    Error::Load {
        path: quote(path.display().to_string()),
        reason,
    }
}

/// The files to read; of those that nobody named, missing ones are passed over.
fn paths(overrides: &Overrides) -> Result<Vec<PathBuf>, Error> {
    if !overrides.kubeconfig.is_empty() {
        let path = PathBuf::from(&overrides.kubeconfig);
        return match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::Missing {
                reason: system_error(&error),
                path,
            }),
            _ => Ok(vec![path]),
        };
    }
    let named = std::env::var_os("KUBECONFIG").filter(|names| !names.is_empty());
    Ok(match named {
        Some(names) => std::env::split_paths(&names)
            .filter(|path| !path.as_os_str().is_empty())
            .collect(),
        None => std::env::home_dir()
            .map(|home| home.join(".kube").join("config"))
            .into_iter()
            .collect(),
    })
}

fn is_pod() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("KUBERNETES_SERVICE_HOST")
        && is_set("KUBERNETES_SERVICE_PORT")
        && Path::new(SERVICE_ACCOUNT).join("token").is_file()
}

fn pod_namespace() -> String {
    let named = std::env::var("POD_NAMESPACE").ok();
    let of_account = || std::fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace")).ok();
    named
        .filter(|name| !name.is_empty())
        .or_else(|| of_account().map(|name| name.trim().to_owned()))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())
}

/// Seconds, or Go's spelling of a duration such as `1m30s`; zero and less are no limit.
fn timeout(text: &str) -> Result<Option<Duration>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let time = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let nanos = duration::parse(text).ok_or(Error::Timeout)?;
            Duration::from_nanos(nanos.try_into().unwrap_or(0))
        }
    };
    Ok(Some(time).filter(|time| !time.is_zero()))
}

impl Merged {
    fn new(kubeconfig: Kubeconfig, overrides: &Overrides) -> Self {
        let mut merged = Self::default();
        let name = first(&overrides.context, kubeconfig.current_context.as_deref());
        let contexts = kubeconfig.contexts.into_iter();
        let context = contexts
            .filter(|context| context.name == name)
            .find_map(|context| context.context);
        if context.is_none() && !name.is_empty() {
            merged.missing_context = Some(name.clone());
            if !overrides.context.is_empty() {
                merged.unknown = Some(("context", name));
            }
        }
        merged.context = context.unwrap_or_default();
        merged.cluster_name = first(&overrides.cluster, Some(&merged.context.cluster));
        merged.user_name = first(&overrides.user, merged.context.user.as_deref());
        let users = kubeconfig.auth_infos.into_iter();
        let user = users
            .filter(|user| user.name == merged.user_name)
            .find_map(|user| user.auth_info);
        if user.is_none() && !overrides.user.is_empty() {
            merged.unknown = Some(("auth info", merged.user_name.clone()));
        }
        let clusters = kubeconfig.clusters.into_iter();
        let cluster = clusters
            .filter(|cluster| cluster.name == merged.cluster_name)
            .find_map(|cluster| cluster.cluster);
        if cluster.is_none() && !overrides.cluster.is_empty() && merged.unknown.is_none() {
            merged.unknown = Some(("cluster", merged.cluster_name.clone()));
        }
        merged.user = with_user_flags(user.unwrap_or_default(), overrides);
        merged.cluster = with_cluster_flags(cluster.unwrap_or_default(), overrides);
        merged
    }

    /// Everything that is wrong, in one sentence.
    fn check(&self) -> Result<(), Error> {
        let mut problems = Vec::new();
        if let Some(name) = &self.missing_context {
            problems.push(format!(
                "context was not found for specified context: {name}"
            ));
        }
        problems.extend(client_check::user(&self.user_name, &self.user));
        problems.extend(client_check::cluster(
            &self.cluster_name,
            &self.cluster,
            matches!(self.unknown, Some(("cluster", _))),
        ));
        match &problems[..] {
            [] => Ok(()),
            [only] if only == EMPTY_CLUSTER => Err(Error::Nothing),
            [only] => Err(Error::Invalid(only.clone())),
            all => Err(Error::Invalid(format!("[{}]", all.join(", ")))),
        }
    }

    fn into_kubeconfig(self) -> Kubeconfig {
        const NAME: &str = "kubeseal";
        let mut kubeconfig = Kubeconfig {
            current_context: Some(NAME.to_owned()),
            ..Kubeconfig::default()
        };
        kubeconfig.clusters.push(kube::config::NamedCluster {
            name: NAME.to_owned(),
            cluster: Some(self.cluster),
            ..kube::config::NamedCluster::default()
        });
        kubeconfig.auth_infos.push(kube::config::NamedAuthInfo {
            name: NAME.to_owned(),
            auth_info: Some(self.user),
            ..kube::config::NamedAuthInfo::default()
        });
        kubeconfig.contexts.push(kube::config::NamedContext {
            name: NAME.to_owned(),
            context: Some(Context {
                cluster: NAME.to_owned(),
                user: Some(NAME.to_owned()),
                ..self.context
            }),
            ..kube::config::NamedContext::default()
        });
        kubeconfig
    }
}

fn first(flag: &str, otherwise: Option<&str>) -> String {
    match flag {
        "" => otherwise.unwrap_or_default().to_owned(),
        flag => flag.to_owned(),
    }
}

fn set(field: &mut Option<String>, flag: &str) {
    if !flag.is_empty() {
        *field = Some(flag.to_owned());
    }
}

fn with_user_flags(mut user: AuthInfo, overrides: &Overrides) -> AuthInfo {
    set(&mut user.username, &overrides.username);
    set(&mut user.impersonate, &overrides.impersonate);
    set(&mut user.impersonate_uid, &overrides.impersonate_uid);
    if !overrides.password.is_empty() {
        user.password = Some(overrides.password.clone().into());
    }
    if !overrides.token.is_empty() {
        user.token = Some(overrides.token.clone().into());
    }
    if !overrides.impersonate_groups.is_empty() {
        user.impersonate_groups = Some(overrides.impersonate_groups.clone());
    }
    if !overrides.client_key.is_empty() {
        user.client_key = Some(overrides.client_key.clone());
        user.client_key_data = None;
    }
    if !overrides.client_certificate.is_empty() {
        user.client_certificate = Some(overrides.client_certificate.clone());
        user.client_certificate_data = None;
    }
    user
}

/// What says how the server is trusted stands together: a flag for one part leaves no other part of the file's.
fn with_cluster_flags(mut cluster: Cluster, overrides: &Overrides) -> Cluster {
    set(&mut cluster.server, &overrides.server);
    set(&mut cluster.proxy_url, &overrides.proxy);
    if overrides.disable_compression {
        cluster.disable_compression = Some(true);
    }
    if overrides.insecure || !overrides.certificate_authority.is_empty() {
        cluster.insecure_skip_tls_verify = Some(overrides.insecure);
        cluster.certificate_authority_data = None;
        cluster.certificate_authority = None;
        set(
            &mut cluster.certificate_authority,
            &overrides.certificate_authority,
        );
    }
    if !overrides.tls_server_name.is_empty() || !overrides.server.is_empty() {
        cluster.tls_server_name = None;
        set(&mut cluster.tls_server_name, &overrides.tls_server_name);
    }
    cluster
}

#[cfg(test)]
#[path = "client_config_tests.rs"]
mod tests;
