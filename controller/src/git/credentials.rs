//! Credentials of repositories, as Argo CD's repository Secrets hold them, and which of them an Application may use.
//! They are shown nowhere: not in Debug, not in errors, not in URLs.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use zeroize::Zeroizing;

use super::{GitError, Repository, RepositoryUrl};
use crate::dialect::secret_labels::{REPOSITORY, REPOSITORY_CREDENTIALS, SECRET_TYPE};

/// User and password for HTTP basic authentication, and the Secret they come from.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `namespace/name` of the Secret, for messages and so that Secrets do not share a mirror.
    pub secret: String,
    username: Zeroizing<String>,
    password: Zeroizing<String>,
}

impl Credentials {
    /// The value of an HTTP `Authorization` header.
    pub(super) fn authorization(&self) -> Zeroizing<String> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let pair = Zeroizing::new(format!("{}:{}", *self.username, *self.password));
        Zeroizing::new(format!(
            "Basic {}",
            *Zeroizing::new(STANDARD.encode(pair.as_bytes()))
        ))
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials(redacted, of Secret {})", self.secret)
    }
}

/// One repository Secret, decoded: whom it is for, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySecret {
    pub url: RepositoryUrl,
    /// `namespace/name`
    pub(super) name: String,
    /// Only Applications of this project may use it; empty for all.
    project: String,
    scope: Scope,
    holds: Holds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// `repository`: exactly this URL.
    Url,
    /// `repo-creds`: each URL that begins with it.
    Prefix,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Holds {
    Nothing,
    Basic(Credentials),
    /// A key of the Secret that we can't act on yet.
    Unsupported(&'static str),
}

/// Keys of a repository Secret that change how a repository is reached and that we do not honour yet: never ignored,
/// since ignoring one would reach another server, or trust another certificate, than the user asked for.
const UNSUPPORTED_KEYS: [&str; 14] = [
    "bearerToken",
    "sshPrivateKey",
    "tlsClientCertData",
    "tlsClientCertKey",
    "githubAppID",
    "githubAppPrivateKey",
    "gcpServiceAccountKey",
    "azureServicePrincipalClientSecret",
    "useAzureWorkloadIdentity",
    "insecure",
    "insecureIgnoreHostKey",
    "enableLfs",
    "proxy",
    "enableOCI",
];

impl RepositorySecret {
    /// Decodes a labelled Secret; `None` when it is not about a Git repository that we could read.
    #[must_use]
    pub fn decode(secret: &Secret) -> Option<Self> {
        let metadata = &secret.metadata;
        let scope = match metadata.labels.as_ref()?.get(SECRET_TYPE)?.as_str() {
            REPOSITORY => Scope::Url,
            REPOSITORY_CREDENTIALS => Scope::Prefix,
            _ => return None,
        };
        let name = format!(
            "{}/{}",
            metadata.namespace.as_deref()?,
            metadata.name.as_deref()?
        );
        let values = Values(secret.data.as_ref()?);
        if !matches!(
            values.get("type").as_deref().map(String::as_str),
            None | Some("" | "git")
        ) {
            return None;
        }
        Some(Self {
            url: RepositoryUrl::parse(&values.get("url")?).ok()?,
            project: values
                .get("project")
                .map_or_else(String::new, |project| project.trim().to_owned()),
            scope,
            holds: values.holds(&name),
            name,
        })
    }

    fn applies(&self, url: &RepositoryUrl, project: &str) -> bool {
        self.covers(url) && (self.project.is_empty() || self.project == project)
    }

    /// Whether it is for `url`, whatever the project.
    pub(super) fn covers(&self, url: &RepositoryUrl) -> bool {
        match self.scope {
            Scope::Url => self.url.same_repository(url),
            Scope::Prefix => url.has_prefix(&self.url),
        }
    }

    fn credentials(&self, url: &RepositoryUrl) -> Result<Option<Credentials>, GitError> {
        let not_supported = |what: String| GitError::NotSupported {
            url: url.to_string(),
            what,
        };
        match (&self.holds, self.scope) {
            (Holds::Nothing, _) => Ok(None),
            (Holds::Unsupported(key), _) => {
                Err(not_supported(format!("key {key} of Secret {}", self.name)))
            }
            (Holds::Basic(_), Scope::Prefix) => Err(not_supported(format!(
                "credential template Secret {}",
                self.name
            ))),
            (Holds::Basic(credentials), Scope::Url) => Ok(Some(credentials.clone())),
        }
    }
}

struct Values<'a>(&'a BTreeMap<String, ByteString>);

impl Values<'_> {
    /// The value of `key`, when there is one and it is text.
    fn get(&self, key: &str) -> Option<Zeroizing<String>> {
        let bytes = &self.0.get(key)?.0;
        std::str::from_utf8(bytes)
            .ok()
            .map(|text| Zeroizing::new(text.to_owned()))
    }

    fn says(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| !matches!(value.trim(), "" | "false"))
    }

    fn holds(&self, secret: &str) -> Holds {
        if let Some(key) = UNSUPPORTED_KEYS.into_iter().find(|key| self.says(key)) {
            return Holds::Unsupported(key);
        }
        let username = self.get("username").unwrap_or_default();
        let password = self.get("password").unwrap_or_default();
        if username.is_empty() && password.is_empty() {
            return Holds::Nothing;
        }
        Holds::Basic(Credentials {
            secret: secret.to_owned(),
            username,
            password,
        })
    }
}

/// The repository of `url` as an Application of `project` may read it: with the project's own Secret for it, else with
/// one of no project, else without credentials.
///
/// # Errors
/// When the URL is refused, or the Secret that applies holds credentials of a kind not supported yet.
pub fn repository(
    url: &str,
    project: &str,
    secrets: &[RepositorySecret],
) -> Result<Repository, GitError> {
    let url = RepositoryUrl::parse(url)?;
    let mut applying: Vec<_> = secrets
        .iter()
        .filter(|secret| secret.applies(&url, project))
        .collect();
    applying.sort_by_key(|secret| {
        let length = std::cmp::Reverse(secret.url.as_str().len());
        (
            secret.scope == Scope::Prefix,
            secret.project.is_empty(),
            length,
            &secret.name,
        )
    });
    for secret in applying {
        if let Some(credentials) = secret.credentials(&url)? {
            return Ok(Repository {
                url,
                credentials: Some(credentials),
            });
        }
    }
    Ok(Repository {
        url,
        credentials: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, kind: &str, values: &[(&str, &str)]) -> RepositorySecret {
        let data = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        let mut secret = Secret {
            data: Some(data.collect()),
            ..Secret::default()
        };
        secret.metadata.name = Some(name.to_owned());
        secret.metadata.namespace = Some("signet".to_owned());
        secret.metadata.labels = Some(BTreeMap::from([(SECRET_TYPE.to_owned(), kind.to_owned())]));
        RepositorySecret::decode(&secret).unwrap()
    }

    fn basic(name: &str, url: &str, project: &str) -> RepositorySecret {
        secret(
            name,
            REPOSITORY,
            &[
                ("url", url),
                ("username", "u"),
                ("password", "hunter2"),
                ("project", project),
            ],
        )
    }

    fn used(url: &str, project: &str, secrets: &[RepositorySecret]) -> String {
        match repository(url, project, secrets) {
            Ok(repository) => repository
                .credentials
                .map_or_else(|| "none".to_owned(), |found| found.secret),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_secret_serves_its_url_however_it_is_spelled() {
        let secrets = [basic("a", "https://git.example/a.git", "")];
        for url in [
            "https://git.example/a",
            "https://git.example/a.git/",
            "https://GIT.example:443/a.git",
        ] {
            assert_eq!(used(url, "default", &secrets), "signet/a");
        }
        assert_eq!(used("https://git.example/ab", "default", &secrets), "none");
        assert_eq!(used("http://git.example/a", "default", &secrets), "none");
    }

    #[test]
    fn the_secret_of_the_project_wins_and_serves_no_other_project() {
        let url = "https://git.example/a";
        let secrets = [basic("all", url, ""), basic("team", url, "team")];
        assert_eq!(used(url, "team", &secrets), "signet/team");
        assert_eq!(used(url, "other", &secrets), "signet/all");
        assert_eq!(used(url, "other", &secrets[1..]), "none");
    }

    #[test]
    fn credentials_of_another_kind_are_refused_by_name() {
        let url = "https://git.example/a";
        let token = secret("a", REPOSITORY, &[("url", url), ("bearerToken", "hunter2")]);
        let message = used(url, "default", &[token]);
        assert_eq!(
            message,
            "https://git.example/a: not supported yet: key bearerToken of Secret signet/a"
        );
        let harmless = secret(
            "a",
            REPOSITORY,
            &[
                ("url", url),
                ("insecure", "false"),
                ("name", "a"),
                ("type", "git"),
            ],
        );
        assert_eq!(used(url, "default", &[harmless]), "none");
    }

    #[test]
    fn a_credential_template_is_refused_where_it_would_apply() {
        let template = secret(
            "t",
            REPOSITORY_CREDENTIALS,
            &[("url", "https://git.example/team"), ("password", "x")],
        );
        let secrets = [template, basic("a", "https://git.example/team/a", "")];
        assert_eq!(
            used("https://git.example/team/a", "default", &secrets),
            "signet/a"
        );
        assert_eq!(
            used("https://git.example/other", "default", &secrets),
            "none"
        );
        let message = used("https://git.example/team/b", "default", &secrets);
        assert_eq!(
            message,
            "https://git.example/team/b: not supported yet: credential template Secret signet/t"
        );
    }

    #[test]
    fn a_password_is_in_no_debug_text() {
        let secret = basic("a", "https://git.example/a", "");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }
}
