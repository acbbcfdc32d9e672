//! The secrets of webhooks, as Argo CD's Secret holds them, watched so that a change counts at once.
//! They are shown nowhere: not in Debug, not in logs.

use std::collections::BTreeMap;
use std::convert::Infallible;

use futures::TryStreamExt;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::provider::Provider;
use crate::dialect::webhooks as keys;
use crate::watch_backoff::WatchBackoff;

/// What is configured, by sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<Provider, Configured>);

/// What is configured for a sender.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Configured {
    /// What its proof is compared with: the secret, or `user:password`.
    Value(Zeroizing<Vec<u8>>),
    /// `$secret:key`: a key of another Secret, which we do not look up.
    Elsewhere,
}

impl std::fmt::Debug for Configured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value(redacted)",
            Self::Elsewhere => "Elsewhere",
        })
    }
}

impl Secrets {
    /// Reads the Secret.
    #[must_use]
    pub fn decode(secret: &Secret) -> Self {
        let Some(data) = &secret.data else {
            return Self::default();
        };
        let data = Data(data);
        let configured = Provider::ALL.into_iter().filter_map(|provider| {
            let value = provider.keys().iter().find_map(|key| data.get(key))?;
            Some((provider, configured(provider, value, &data)))
        });
        Self(configured.collect())
    }

    pub(super) fn of(&self, provider: Provider) -> Option<&Configured> {
        self.0.get(&provider)
    }
}

fn configured(provider: Provider, value: &[u8], data: &Data<'_>) -> Configured {
    let value = match data.follow(value) {
        Some(value) => value,
        None => return Configured::Elsewhere,
    };
    Configured::Value(Zeroizing::new(match provider {
        Provider::AzureDevOps => {
            let user = data.get(keys::AZURE_DEVOPS_USERNAME).unwrap_or_default();
            [user, b":", value].concat()
        }
        Provider::BitbucketCloud => without_braces(value).to_vec(),
        _ => value.to_vec(),
    }))
}

/// Bitbucket shows a UUID with braces and sends it with them; people write it without.
pub(super) fn without_braces(uuid: &[u8]) -> &[u8] {
    let inner = uuid.strip_prefix(b"{");
    let inner = inner.and_then(|rest| rest.strip_suffix(b"}"));
    inner.unwrap_or(uuid)
}

struct Data<'a>(&'a BTreeMap<String, ByteString>);

impl<'a> Data<'a> {
    /// A value, without the line end that `echo` and editors leave; nothing when it is empty.
    fn get(&self, key: &str) -> Option<&'a [u8]> {
        let value = self.0.get(key)?.0.as_slice();
        let end = value
            .iter()
            .rposition(|byte| !matches!(byte, b'\n' | b'\r'))?;
        Some(&value[..=end])
    }

    /// The value that `$key` stands for, or the text itself where there is no such key; nothing for `$secret:key`.
    fn follow(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        let Some(name) = value
            .strip_prefix(b"$")
            .and_then(|name| std::str::from_utf8(name).ok())
        else {
            return Some(value);
        };
        match self.get(name) {
            Some(followed) => Some(followed),
            None if is_elsewhere(name) => None,
            None => Some(value),
        }
    }
}

/// Whether this names a Secret and a key of it.
fn is_elsewhere(name: &str) -> bool {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.split_once(':').is_some_and(|(secret, key)| {
        [secret, key]
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(is_key))
    })
}

/// Keeps `known` as the Secret of `namespace` says, for ever. Until it was read once, nothing is known.
pub(super) async fn follow(
    client: Client,
    namespace: &str,
    known: watch::Sender<Option<Secrets>>,
) -> Infallible {
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    let config = watcher::Config::default().fields(&format!("metadata.name={}", keys::SECRET));
    let mut events = Box::pin(watcher::watcher(secrets, config).backoff(WatchBackoff::new()));
    let mut listed = Secrets::default();
    loop {
        match events.try_next().await {
            Ok(Some(Event::Init)) => listed = Secrets::default(),
            Ok(Some(Event::InitApply(secret))) => listed = Secrets::decode(&secret),
            Ok(Some(Event::InitDone)) => take(&known, std::mem::take(&mut listed)),
            Ok(Some(Event::Apply(secret))) => take(&known, Secrets::decode(&secret)),
            Ok(Some(Event::Delete(_))) => take(&known, Secrets::default()),
            Ok(None) => return std::future::pending().await,
            Err(error) => {
                tracing::warn!(%error, secret = keys::SECRET, "watching the webhook secrets failed");
            }
        }
    }
}

/// Takes over what changed, and says for whom there is a secret.
fn take(known: &watch::Sender<Option<Secrets>>, secrets: Secrets) {
    if known.borrow().as_ref() == Some(&secrets) {
        return;
    }
    let names: Vec<_> = secrets.0.keys().map(|provider| provider.name()).collect();
    tracing::info!(providers = names.join(","), "webhook secrets");
    known.send_replace(Some(secrets));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(entries: &[(&str, &str)]) -> Secrets {
        let data = entries
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        Secrets::decode(&Secret {
            data: Some(data.collect()),
            ..Secret::default()
        })
    }

    fn value(secrets: &Secrets, provider: Provider) -> Option<String> {
        match secrets.of(provider)? {
            Configured::Value(value) => Some(String::from_utf8(value.to_vec()).unwrap()),
            Configured::Elsewhere => Some("elsewhere".to_owned()),
        }
    }

    #[test]
    fn each_sender_has_the_key_that_argo_cd_gives_it() {
        let secrets = decoded(&[
            ("webhook.github.secret", "a"),
            ("webhook.gitlab.secret", "b\n"),
            ("webhook.gogs.secret", "c"),
            ("webhook.bitbucket.uuid", "{d}"),
            ("webhook.bitbucketserver.secret", "e"),
            ("webhook.azuredevops.username", "f"),
            ("webhook.azuredevops.password", "g"),
            ("server.secretkey", "x"),
        ]);
        for (provider, expected) in [
            (Provider::GitHub, "a"),
            (Provider::GitLab, "b"),
            (Provider::Gogs, "c"),
            (Provider::Gitea, "c"),
            (Provider::Forgejo, "c"),
            (Provider::BitbucketCloud, "d"),
            (Provider::BitbucketServer, "e"),
            (Provider::AzureDevOps, "f:g"),
        ] {
            assert_eq!(value(&secrets, provider).as_deref(), Some(expected));
        }
        assert!(!format!("{secrets:?}").contains("f:g"));
    }

    #[test]
    fn giteas_own_key_wins_over_that_of_gogs_and_an_empty_one_is_none() {
        let secrets = decoded(&[
            ("webhook.gitea.secret", "a"),
            ("webhook.gogs.secret", "b"),
            ("webhook.github.secret", "\n"),
        ]);
        assert_eq!(value(&secrets, Provider::Forgejo).as_deref(), Some("a"));
        assert_eq!(value(&secrets, Provider::Gogs).as_deref(), Some("b"));
        assert_eq!(value(&secrets, Provider::GitHub), None);
    }

    #[test]
    fn a_dollar_names_another_key_or_is_a_dollar() {
        for (written, expected) in [
            ("$other", "o"),
            ("$pa:ss word", "$pa:ss word"),
            ("$absent", "$absent"),
            ("$my-secret:github", "elsewhere"),
        ] {
            let secrets = decoded(&[("webhook.github.secret", written), ("other", "o")]);
            let value = value(&secrets, Provider::GitHub);
            assert_eq!(value.as_deref(), Some(expected), "{written}");
        }
    }
}
