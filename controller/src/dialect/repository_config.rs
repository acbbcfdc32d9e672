//! How Argo CD names the Secrets and ConfigMaps that say how repositories are reached. It decodes none: `repositories/` does.

/// The label of every Secret that Argo CD reads as configuration.
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// [`SECRET_TYPE`] of one repository.
pub const REPOSITORY: &str = "repository";
/// [`SECRET_TYPE`] of credentials for all repositories below a URL.
pub const REPOSITORY_CREDENTIALS: &str = "repo-creds";

/// The ConfigMap with PEM certificates of authorities, each under the name of a host.
pub const TLS_CERTIFICATES: &str = "argocd-tls-certs-cm";
/// The ConfigMap with the host keys of ssh servers.
pub const HOST_KEYS: &str = "argocd-ssh-known-hosts-cm";
/// The key of [`HOST_KEYS`] that holds them all.
pub const HOST_KEYS_KEY: &str = "ssh_known_hosts";
