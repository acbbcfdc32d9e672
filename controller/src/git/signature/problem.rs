//! Why a signature says nothing: a closed set of reasons.
//! They never carry text of a commit: keys are named by their numbers, people by what the cluster's own files call them.

/// Why it is not known who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no signature.
    NotSigned,
    /// It was made with a key that the cluster does not know.
    UnknownKey {
        signer: String,
        /// Where it would have to stand.
        store: Store,
    },
    /// It was made with a known key, and does not hold.
    Invalid {
        signer: String,
        problem: &'static str,
    },
    /// It is no signature of a kind that is known here.
    Unreadable(&'static str),
}

/// What the cluster knows keys from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// The OpenPGP public keys.
    Keys,
    /// The file of allowed SSH signers.
    Signers,
}
