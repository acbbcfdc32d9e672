//! How Argo CD labels the Secrets that hold credentials of repositories. It decodes none of them: `git/` does.

/// The label of every Secret that Argo CD reads as configuration.
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// [`SECRET_TYPE`] of one repository.
pub const REPOSITORY: &str = "repository";
/// [`SECRET_TYPE`] of credentials for all repositories whose URL begins alike.
pub const REPOSITORY_CREDENTIALS: &str = "repo-creds";
