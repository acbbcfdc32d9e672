//! Private keys for offline recovery: PEM files, and key Secrets as `kubectl get secret -o yaml` prints them.
//! Must not say anything of a key but why it can't be used.

use sealing::{KeyError, KeyOrder, Keyring, PRIVATE_KEY_ITEM, PrivateKey};
use zeroize::Zeroizing;

use crate::documents::{self, Document, Input, Place};
use crate::node::Node;
use crate::report;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Documents(#[from] documents::Error),
    #[error("{input} holds no usable private key")]
    File { input: Input, source: KeyError },
    #[error("{input} holds no key Secret")]
    NoSecret { input: Input },
    #[error("{place}: this key Secret holds no usable private key")]
    Secret { place: Place, source: KeyError },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::File {
                source: KeyError::Encrypted,
                ..
            }
            | Self::Secret {
                source: KeyError::Encrypted,
                ..
            } => Some("remove the passphrase: openssl pkey -in FILE -out PLAIN".to_owned()),
            Self::File {
                source: KeyError::TooSmall { .. } | KeyError::TooLarge { .. },
                ..
            }
            | Self::Secret {
                source: KeyError::TooSmall { .. } | KeyError::TooLarge { .. },
                ..
            } => Some(
                "`kubeseal --recovery-unseal` of Sealed Secrets takes keys of any size".to_owned(),
            ),
            Self::Documents(documents::Error::Read { .. })
            | Self::File { .. }
            | Self::NoSecret { .. }
            | Self::Secret { .. } => {
                let label = crds::names::SEALING_KEY_LABEL;
                Some(format!(
                    "save the keys with: kubectl get secret -n signet -l {label} -o yaml"
                ))
            }
            Self::Documents(error) => error.hint(),
        }
    }

    /// The error and its cause, for a warning.
    pub(crate) fn in_one_line(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
}

/// A keyring of all keys in `files`. A file that gives none is a warning, unless no file gives one.
pub(crate) fn load(files: &[Input]) -> Result<Keyring, Error> {
    let (keyring, problems) = read(files);
    let mut problems = problems.into_iter();
    if keyring.is_empty()
        && let Some(problem) = problems.next()
    {
        return Err(problem);
    }
    for problem in problems {
        report::warning(problem.in_one_line());
    }
    Ok(keyring)
}

/// All keys in `files`, and what could not be used.
pub(crate) fn read(files: &[Input]) -> (Keyring, Vec<Error>) {
    let keyring = Keyring::new(KeyOrder::CertNotBefore);
    let mut problems = Vec::new();
    for key in files.iter().flat_map(keys) {
        match key {
            Ok((name, key)) => keyring.insert_private(name, key),
            Err(problem) => problems.push(problem),
        }
    }
    (keyring, problems)
}

fn keys(input: &Input) -> Vec<Result<(String, PrivateKey), Error>> {
    let text = match input.read_text() {
        Ok(text) => text,
        Err(error) => return vec![Err(error.into())],
    };
    if text.lines().any(|line| line.starts_with("-----BEGIN ")) {
        let key = PrivateKey::from_pem(text.as_bytes());
        let named = key.map(|key| (input.to_string(), key));
        return vec![named.map_err(|source| Error::File {
            input: input.clone(),
            source,
        })];
    }
    match documents::parse(input, &text) {
        Ok(documents) => secret_keys(input, documents),
        Err(error) => vec![Err(error.into())],
    }
}

fn secret_keys(
    input: &Input,
    documents: Vec<Document>,
) -> Vec<Result<(String, PrivateKey), Error>> {
    let objects = documents.into_iter().flat_map(Document::objects);
    let keys: Vec<_> = objects
        .filter(|object| object.kind().as_deref() == Some("Secret"))
        .map(|secret| secret_key(&secret))
        .collect();
    if keys.is_empty() {
        return vec![Err(Error::NoSecret {
            input: input.clone(),
        })];
    }
    keys
}

fn secret_key(secret: &Document) -> Result<(String, PrivateKey), Error> {
    let failed = |source| Error::Secret {
        place: secret.place.clone(),
        source,
    };
    let item = secret
        .root
        .get("data")
        .and_then(|data| data.get(PRIVATE_KEY_ITEM))
        .and_then(Node::secret_text);
    let encoded = item.ok_or_else(|| {
        failed(KeyError::MissingItem {
            item: PRIVATE_KEY_ITEM,
        })
    })?;
    let mut compact = Zeroizing::new(String::with_capacity(encoded.len()));
    compact.extend(encoded.split_ascii_whitespace());
    let pem =
        sealing::decode_base64(compact.as_bytes()).map_err(|_| failed(KeyError::Malformed))?;
    let name = secret
        .root
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .and_then(Node::text);
    let key = PrivateKey::from_pem(pem.expose()).map_err(failed)?;
    Ok((name.unwrap_or_else(|| secret.place.to_string()), key))
}
