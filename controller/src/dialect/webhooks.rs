//! Where Argo CD keeps the secrets of webhooks. It decodes none of them: `web/` does.

/// The Secret that holds them, in our own namespace.
pub const SECRET: &str = "argocd-secret";

pub const GITHUB: &str = "webhook.github.secret";
pub const GITLAB: &str = "webhook.gitlab.secret";
/// Argo CD has none of Gitea's own: its users configure Gitea as Gogs.
pub const GITEA: &str = "webhook.gitea.secret";
pub const GOGS: &str = "webhook.gogs.secret";
pub const BITBUCKET_CLOUD: &str = "webhook.bitbucket.uuid";
pub const BITBUCKET_SERVER: &str = "webhook.bitbucketserver.secret";
pub const AZURE_DEVOPS_USERNAME: &str = "webhook.azuredevops.username";
pub const AZURE_DEVOPS_PASSWORD: &str = "webhook.azuredevops.password";
