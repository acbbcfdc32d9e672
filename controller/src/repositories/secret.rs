//! One repository Secret, decoded: whom it is for, and what it says about reaching that.
//! It chooses nothing: which Secrets count for a repository is decided next door.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};

use super::{
    Confidential, Login, ProxySettings, RepositoryKind, RepositoryUrl, client,
    github_app::{GITHUB, GitHubApp},
    signing::SigningKey,
};
use crate::dialect::repository_config::{REPOSITORY, REPOSITORY_CREDENTIALS, SECRET_TYPE};

/// On a repository Secret: its server may have a loopback or link-local address, when `"true"`.
pub const ALLOW_LOCAL_ADDRESSES: &str = "signet.dev/allow-local-addresses";

/// One repository Secret, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySecret {
    pub(super) url: RepositoryUrl,
    /// `namespace/name`
    pub(super) name: String,
    /// Only Applications of this project may use it; empty for all.
    pub(super) project: String,
    pub(super) scope: Scope,
    /// What it says, or what about it can't be used.
    pub(super) says: Result<Says, Flaw>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// `repository`: exactly this URL.
    Url(RepositoryKind),
    /// `repo-creds`: each URL below it.
    Prefix,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) login: Login,
    pub(super) insecure: bool,
    pub(super) identity: Option<Confidential>,
    pub(super) proxy: Option<ProxySettings>,
    pub(super) plain_http: bool,
    pub(super) any_host_key: bool,
    pub(super) allow_local_addresses: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A key that changes how the repository is reached, and that is not honoured.
    NotSupported(&'static str),
    Invalid(String),
}

/// Keys that change how a repository is reached and that we do not honour: never ignored, since ignoring one would
/// reach another server, or read other files, than the user asked for.
const NOT_SUPPORTED: [&str; 7] = [
    "gcpServiceAccountKey",
    "azureServicePrincipalClientId",
    "azureServicePrincipalClientSecret",
    "azureServicePrincipalTenantId",
    "azureActiveDirectoryEndpoint",
    "useAzureWorkloadIdentity",
    "enableLfs",
];

/// Keys that each hold a login; two of them contradict each other.
const LOGINS: [&str; 4] = [
    "password",
    "bearerToken",
    "sshPrivateKey",
    "githubAppPrivateKey",
];

impl RepositorySecret {
    /// Decodes a labelled Secret; `None` when it is not about a repository that anybody could read.
    #[must_use]
    pub fn decode(secret: &Secret) -> Option<Self> {
        let metadata = &secret.metadata;
        let name = format!(
            "{}/{}",
            metadata.namespace.as_deref()?,
            metadata.name.as_deref()?
        );
        let values = Values(secret.data.as_ref()?);
        let registry = match values.get("type").as_str() {
            "" | "git" => None,
            "helm" => Some(values.is_true("enableOCI").unwrap_or_default()),
            "oci" => Some(true),
            _ => return None,
        };
        let scope = match metadata.labels.as_ref()?.get(SECRET_TYPE)?.as_str() {
            REPOSITORY => Scope::Url(match registry {
                None => RepositoryKind::Git,
                Some(false) => RepositoryKind::Helm,
                Some(true) => RepositoryKind::Oci,
            }),
            REPOSITORY_CREDENTIALS => Scope::Prefix,
            _ => return None,
        };
        let allow_local_addresses = metadata
            .annotations
            .as_ref()
            .and_then(|annotations| annotations.get(ALLOW_LOCAL_ADDRESSES))
            .is_some_and(|value| value == "true");
        Some(Self {
            url: RepositoryUrl::read(&values.get("url"), registry == Some(true)).ok()?,
            name,
            project: values.get("project"),
            scope,
            says: values.says(allow_local_addresses),
        })
    }

    /// What it is for: a repository, or all below the URL of a credential template.
    #[must_use]
    pub fn url(&self) -> &RepositoryUrl {
        &self.url
    }

    /// Whether it is a credential template.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.scope == Scope::Prefix
    }

    /// Whether an Application of `project` may use it.
    pub(super) fn serves(&self, project: &str) -> bool {
        self.project.is_empty() || self.project == project
    }

    /// Whether it is for `url`, whatever the project.
    pub(super) fn covers(&self, url: &RepositoryUrl) -> bool {
        match self.scope {
            Scope::Url(_) => self.url.same_repository(url),
            Scope::Prefix => url.is_below(&self.url),
        }
    }
}

struct Values<'a>(&'a BTreeMap<String, ByteString>);

impl Values<'_> {
    /// The value of `key` without white space around it; empty when there is none that is text.
    fn get(&self, key: &str) -> String {
        let bytes = self.0.get(key).map(|value| value.0.as_slice());
        let text = std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        text.trim().to_owned()
    }

    /// The value of `key` as it is: white space may belong to a password.
    fn secret(&self, key: &str) -> Option<Confidential> {
        let text = std::str::from_utf8(&self.0.get(key)?.0).ok()?;
        (!text.is_empty()).then(|| Confidential::of(text.to_owned()))
    }

    /// As Go's `strconv.ParseBool` reads it.
    fn is_true(&self, key: &str) -> Result<bool, Flaw> {
        match self.get(key).as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(Flaw::Invalid(format!(
                "key {key} is neither true nor false"
            ))),
        }
    }

    fn number(&self, key: &str) -> Result<Option<u64>, Flaw> {
        match self.get(key).as_str() {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Flaw::Invalid(format!("key {key} is not a number"))),
            },
        }
    }

    fn says(&self, allow_local_addresses: bool) -> Result<Says, Flaw> {
        let set = |key: &&str| !matches!(self.get(key).as_str(), "" | "false");
        if let Some(key) = NOT_SUPPORTED.iter().find(|key| set(key)) {
            return Err(Flaw::NotSupported(key));
        }
        let insecure = self.is_true("insecure")?;
        Ok(Says {
            login: self.login()?,
            insecure,
            identity: self.identity()?,
            proxy: self.proxy()?,
            plain_http: self.is_true("insecureOCIForceHttp")?,
            any_host_key: insecure || self.is_true("insecureIgnoreHostKey")?,
            allow_local_addresses,
        })
    }

    fn login(&self) -> Result<Login, Flaw> {
        let mut held = LOGINS.iter().filter(|key| self.secret(key).is_some());
        let (Some(key), other) = (held.next(), held.next()) else {
            return Ok(self.without_password());
        };
        if let Some(other) = other {
            return Err(Flaw::Invalid(format!("it holds both {key} and {other}")));
        }
        let value = self.secret(key).unwrap_or_default();
        match *key {
            "bearerToken" => Ok(Login::Bearer(Confidential::of(
                value.expose().trim().to_owned(),
            ))),
            "sshPrivateKey" => self.key(key, &value).map(Login::SshKey),
            "githubAppPrivateKey" => self.github_app(key, &value).map(Login::GitHubApp),
            _ => Ok(Login::Basic {
                username: self.secret("username").unwrap_or_default(),
                password: value,
            }),
        }
    }

    /// Some servers take a token for a user name. Over ssh, a user name is no login: the URL has it.
    fn without_password(&self) -> Login {
        let over_ssh =
            RepositoryUrl::read(&self.get("url"), false).is_ok_and(|url| url.ssh().is_some());
        match self.secret("username").filter(|_| !over_ssh) {
            Some(username) => Login::Basic {
                username,
                password: Confidential::default(),
            },
            None => Login::None,
        }
    }

    fn key(&self, key: &str, value: &Confidential) -> Result<SigningKey, Flaw> {
        SigningKey::from_pem(value.expose())
            .map_err(|refused| Flaw::Invalid(format!("key {key} can not be used: {refused}")))
    }

    fn github_app(&self, key: &str, value: &Confidential) -> Result<GitHubApp, Flaw> {
        let signing = self.key(key, value)?;
        if !signing.is_rsa() {
            return Err(Flaw::Invalid(format!("key {key} is not an RSA key")));
        }
        let id = self.number("githubAppID")?;
        let api = self.get("githubAppEnterpriseBaseUrl");
        let api = if api.is_empty() { GITHUB } else { &api };
        if !api.starts_with("https://") && !api.starts_with("http://") {
            return Err(Flaw::Invalid(
                "key githubAppEnterpriseBaseUrl is not a URL".to_owned(),
            ));
        }
        Ok(GitHubApp {
            id: id.ok_or_else(|| Flaw::Invalid(format!("it holds {key} but no githubAppID")))?,
            installation: self.number("githubAppInstallationID")?.filter(|id| *id > 0),
            key: signing,
            api: api.trim_end_matches('/').to_owned(),
        })
    }

    fn identity(&self) -> Result<Option<Confidential>, Flaw> {
        let (certificate, key) = (
            self.secret("tlsClientCertData"),
            self.secret("tlsClientCertKey"),
        );
        let pem = match (certificate, key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => {
                Confidential::of(format!("{}\n{}\n", certificate.expose(), key.expose()))
            }
            _ => {
                let problem = "it holds only one of tlsClientCertData and tlsClientCertKey";
                return Err(Flaw::Invalid(problem.to_owned()));
            }
        };
        match client::identity(pem.expose()) {
            Some(_) => Ok(Some(pem)),
            None => Err(Flaw::Invalid(
                "tlsClientCertData and tlsClientCertKey are not a PEM certificate and its key"
                    .to_owned(),
            )),
        }
    }

    fn proxy(&self) -> Result<Option<ProxySettings>, Flaw> {
        let url = self.get("proxy");
        if url.is_empty() {
            return Ok(None);
        }
        let settings = ProxySettings {
            url: Confidential::of(url),
            no_proxy: self.get("noProxy"),
        };
        match client::proxy(&settings) {
            Some(_) => Ok(Some(settings)),
            None => Err(Flaw::Invalid(
                "key proxy is not the URL of a proxy".to_owned(),
            )),
        }
    }
}
