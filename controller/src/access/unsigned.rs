//! Why a commit is not signed as its project demands: a closed set of reasons, each with a remedy.
//! It must not carry text of a commit.

use crate::{
    dialect::GPG_KEYS_CONFIG_MAP,
    git::{CommitId, signature::Store},
};

/// Why a commit or tag is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature.
    #[error("{object} is not signed, expected a signature by {expected}")]
    NotSigned { object: String, expected: String },
    /// It was made with a key that the cluster does not know.
    #[error("{object} is signed by {signer}, which {} does not hold{unread}", config_map(*store))]
    UnknownKey {
        object: String,
        signer: String,
        store: Store,
        /// What of the store can't be read, if anything.
        unread: String,
    },
    /// It was made with a known key, which the project does not list.
    #[error("{object} is signed by {signer}, which project {project} does not list")]
    NotListed {
        object: String,
        signer: String,
        project: String,
    },
    /// It was made with a known key, and does not hold.
    #[error("{object} is signed by {signer}, but the signature is not valid: {problem}")]
    Invalid {
        object: String,
        signer: String,
        problem: &'static str,
    },
    /// It is no signature of a kind that is known here.
    #[error("the signature of {object} can not be read: {problem}")]
    Unreadable {
        object: String,
        problem: &'static str,
    },
    /// It is so with a commit that the one in question builds on.
    #[error("{why}; commit {tip} builds on it{}", and_on(*others))]
    InHistory {
        why: Box<SignatureError>,
        tip: CommitId,
        /// How many more of them do not count.
        others: usize,
    },
}

fn and_on(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(", and on {others} more that are not signed as demanded"),
    }
}

fn config_map(store: Store) -> String {
    let name = match store {
        Store::Keys => GPG_KEYS_CONFIG_MAP,
        Store::Signers => crds::names::ALLOWED_SIGNERS_CONFIG_MAP,
    };
    format!("ConfigMap {name}")
}

impl SignatureError {
    /// What somebody can do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotSigned { .. } => "sign with `git commit -S`, or set commit.gpgSign",
            Self::UnknownKey { .. } => "add the public key to that ConfigMap, if it may be trusted",
            Self::NotListed { .. } => "sign with a key of the project, or add this one to it",
            Self::Invalid { .. } => "sign again, with a key that is in force",
            Self::InHistory { .. } => {
                "review what leads to the commit, then seal it: git commit --allow-empty --gpg-sign --trailer \"Argocd-gpg-seal: REASON\""
            }
            Self::Unreadable { .. } => "sign with a current gpg or ssh-keygen",
        }
    }
}
