//! What keeps a deleted Application until something was done for it: finalizers, Argo CD's and our own.
//! It must not decide when one goes on or comes off.

use super::argocd::{
    BACKGROUND_FINALIZER, FINALIZER, FOREGROUND_FINALIZER, POST_DELETE_CLEANUP_FINALIZER,
    POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER, PRE_DELETE_FINALIZER,
};
use super::signet::HOOKS_FINALIZER;

/// What a deleted Application waits for, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finalizer {
    /// Its `PreDelete` hooks have run.
    PreDelete,
    /// What they made is let go, or deleted.
    PreDeleteCleanup,
    /// Its `PostDelete` hooks have run.
    PostDelete,
    /// What they made is let go, or deleted.
    PostDeleteCleanup,
    /// What hooks of its syncs made is let go.
    Hooks,
    /// Its objects are gone, and all of the above is done.
    Resources,
}

impl Finalizer {
    /// All of them, in their order.
    pub const ALL: [Self; 6] = [
        Self::PreDelete,
        Self::PreDeleteCleanup,
        Self::PostDelete,
        Self::PostDeleteCleanup,
        Self::Hooks,
        Self::Resources,
    ];

    /// Its spellings; the first is how we write it.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::PreDelete => &[PRE_DELETE_FINALIZER],
            Self::PreDeleteCleanup => &[PRE_DELETE_CLEANUP_FINALIZER],
            Self::PostDelete => &[POST_DELETE_FINALIZER],
            Self::PostDeleteCleanup => &[POST_DELETE_CLEANUP_FINALIZER],
            Self::Hooks => &[HOOKS_FINALIZER],
            Self::Resources => &[FINALIZER, FOREGROUND_FINALIZER, BACKGROUND_FINALIZER],
        }
    }

    /// The finalizer of this spelling.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|finalizer| finalizer.names().contains(&name))
    }
}
