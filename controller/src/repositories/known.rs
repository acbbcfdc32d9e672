//! All that our namespace says about repositories, and which of it counts for one of them. Pure: no cluster, no server.
//! What is not for an Application's project is as if it was not there.

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use super::{
    Access, AccessError, HostKeys, Login, RepositoryKind, RepositorySecret, RepositoryUrl, Tls,
    client,
    secret::{Flaw, Says, Scope},
};

/// The repository Secrets and the two ConfigMaps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub secrets: Vec<RepositorySecret>,
    /// PEM certificates of a host's authorities, by host.
    pub authorities: BTreeMap<String, Arc<str>>,
    /// Host keys, in the format of ssh's `known_hosts`.
    pub host_keys: Arc<str>,
}

impl Known {
    /// How an Application of `project` may reach `url`: by the Secret for exactly that URL, its project's own first; and
    /// where that has no login, with the one of the longest credential template.
    ///
    /// # Errors
    /// When the URL is refused, or a Secret that counts says something that can't be used.
    pub fn access(
        &self,
        kind: RepositoryKind,
        url: &str,
        project: &str,
    ) -> Result<Access, AccessError> {
        let url = RepositoryUrl::parse_of(kind, url)?;
        let nothing = Says::default();
        let entry = self.entry(kind, &url, project);
        let own = entry.map_or(Ok(&nothing), |secret| says(secret, &url))?;
        let template = match own.login {
            Login::None => self.template(&url, project),
            _ => None,
        };
        let lent = template.map_or(Ok(&nothing), |secret| says(secret, &url))?;
        let with_login = if own.login == Login::None { lent } else { own };
        let name = |secret: Option<&RepositorySecret>| secret.map(|secret| secret.name.clone());
        let access = Access {
            secret: name(template).or_else(|| name(entry)),
            settings: template.and(name(entry)),
            login: with_login.login.clone(),
            tls: Tls {
                insecure: own.insecure || lent.insecure,
                authorities: self.authorities(&url)?,
                identity: own.identity.clone().or_else(|| lent.identity.clone()),
            },
            proxy: own.proxy.clone().or_else(|| lent.proxy.clone()),
            plain_http: own.plain_http || lent.plain_http,
            host_keys: match own.any_host_key || lent.any_host_key {
                true => HostKeys::Any,
                false => HostKeys::Known(Arc::clone(&self.host_keys)),
            },
            allow_local_addresses: own.allow_local_addresses || lent.allow_local_addresses,
        };
        access.fits(&url)?;
        Ok(access)
    }

    /// Whether there is a Secret with this `namespace/name`.
    #[must_use]
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|secret| secret.name == name)
    }

    fn entry(
        &self,
        kind: RepositoryKind,
        url: &RepositoryUrl,
        project: &str,
    ) -> Option<&RepositorySecret> {
        self.secrets
            .iter()
            .filter(|secret| {
                secret.scope == Scope::Url(kind) && secret.serves(project) && secret.covers(url)
            })
            .min_by_key(|secret| (secret.project.is_empty(), &secret.name))
    }

    fn template(&self, url: &RepositoryUrl, project: &str) -> Option<&RepositorySecret> {
        self.secrets
            .iter()
            .filter(|secret| {
                secret.scope == Scope::Prefix && secret.serves(project) && secret.covers(url)
            })
            .min_by_key(|secret| {
                let length = secret.url.as_str().len();
                (Reverse(length), secret.project.is_empty(), &secret.name)
            })
    }

    fn authorities(&self, url: &RepositoryUrl) -> Result<Option<Arc<str>>, AccessError> {
        let host = url.host();
        let Some(pem) = self.authorities.get(&host) else {
            return Ok(None);
        };
        match client::certificates(pem) {
            Some(_) => Ok(Some(Arc::clone(pem))),
            None => Err(AccessError::InvalidAuthorities {
                url: url.to_string(),
                host,
            }),
        }
    }
}

fn says<'a>(secret: &'a RepositorySecret, url: &RepositoryUrl) -> Result<&'a Says, AccessError> {
    let url = url.to_string();
    secret.says.as_ref().map_err(|flaw| match flaw {
        Flaw::NotSupported(key) => AccessError::NotSupported {
            url,
            what: format!("key {key} of Secret {}", secret.name),
        },
        Flaw::Invalid(problem) => AccessError::InvalidSecret {
            url,
            secret: secret.name.clone(),
            problem: problem.clone(),
        },
    })
}

#[cfg(test)]
#[path = "known/tests.rs"]
mod tests;
