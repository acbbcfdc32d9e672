//! Who sends webhooks: how each is told apart, names its event, and proves that it knows the secret.
//! It must not read a body.

use axum::http::HeaderMap;

use crate::dialect::webhooks as keys;

/// A kind of Git server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Provider {
    AzureDevOps,
    Forgejo,
    Gitea,
    Gogs,
    GitHub,
    GitLab,
    BitbucketCloud,
    BitbucketServer,
}

/// How a sender proves that it knows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// A header with the HMAC-SHA256 of the body, in hexadecimal.
    Hmac(&'static str),
    /// A header with the secret itself.
    Token(&'static str),
    /// User and password.
    Basic,
}

impl Provider {
    /// In this order: Forgejo sends Gitea's headers too, Gitea those of Gogs, and all three those of GitHub.
    pub(super) const ALL: [Self; 8] = [
        Self::AzureDevOps,
        Self::Forgejo,
        Self::Gitea,
        Self::Gogs,
        Self::GitHub,
        Self::GitLab,
        Self::BitbucketCloud,
        Self::BitbucketServer,
    ];

    /// Whose webhook has these headers.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|provider| headers.contains_key(provider.mark()))
    }

    /// A header that it alone sends, and those who imitate it.
    fn mark(self) -> &'static str {
        match self {
            Self::AzureDevOps => "x-vss-activityid",
            Self::Forgejo => "x-forgejo-event",
            Self::Gitea => "x-gitea-event",
            Self::Gogs => "x-gogs-event",
            Self::GitHub => "x-github-event",
            Self::GitLab => "x-gitlab-event",
            Self::BitbucketCloud => "x-hook-uuid",
            Self::BitbucketServer => "x-event-key",
        }
    }

    /// What happened, where a header says it.
    pub(super) fn event(self, headers: &HeaderMap) -> &str {
        let value = headers.get(self.event_header());
        let value = value.and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    pub(super) fn event_header(self) -> &'static str {
        match self {
            Self::BitbucketCloud => Self::BitbucketServer.mark(),
            other => other.mark(),
        }
    }

    pub(super) fn proof(self) -> Proof {
        match self {
            Self::AzureDevOps => Proof::Basic,
            Self::Forgejo => Proof::Hmac("x-forgejo-signature"),
            Self::Gitea => Proof::Hmac("x-gitea-signature"),
            Self::Gogs => Proof::Hmac("x-gogs-signature"),
            // X-Hub-Signature is SHA-1 here, so it does not count.
            Self::GitHub => Proof::Hmac("x-hub-signature-256"),
            Self::GitLab => Proof::Token("x-gitlab-token"),
            Self::BitbucketCloud => Proof::Token("x-hook-uuid"),
            Self::BitbucketServer => Proof::Hmac("x-hub-signature"),
        }
    }

    /// Keys of the Secret that may hold its secret; the first that is set counts.
    pub(super) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::AzureDevOps => &[keys::AZURE_DEVOPS_PASSWORD],
            Self::Forgejo | Self::Gitea => &[keys::GITEA, keys::GOGS],
            Self::Gogs => &[keys::GOGS],
            Self::GitHub => &[keys::GITHUB],
            Self::GitLab => &[keys::GITLAB],
            Self::BitbucketCloud => &[keys::BITBUCKET_CLOUD],
            Self::BitbucketServer => &[keys::BITBUCKET_SERVER],
        }
    }

    /// Its name in logs and metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AzureDevOps => "azure-devops",
            Self::Forgejo => "forgejo",
            Self::Gitea => "gitea",
            Self::Gogs => "gogs",
            Self::GitHub => "github",
            Self::GitLab => "gitlab",
            Self::BitbucketCloud => "bitbucket",
            Self::BitbucketServer => "bitbucket-server",
        }
    }
}
