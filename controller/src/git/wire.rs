//! The wire: asks a server for its refs and for single commits. Blocking, for threads of their own.
//! It keeps nothing between two calls.

use std::{
    io::{self, Read},
    num::NonZeroU32,
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use gix::{
    progress::Discard,
    protocol::{handshake::Ref, transport::client::blocking_io::Transport},
    remote::{
        Direction,
        fetch::{Shallow, Tags},
    },
};
use tokio::runtime::Handle;

use super::{CommitId, GitError, Repository, failure, http, revision::Refs, ssh};
use crate::repositories::Repositories;

/// What a listing asks for: names of pull requests and the like can be a hundred times as many as branches and tags.
const LISTED: [&str; 3] = [
    "HEAD",
    "refs/heads/*:refs/heads/*",
    "refs/tags/*:refs/tags/*",
];
/// Matches no ref, so that fetching by id lists none.
const NOTHING: &str = "refs/signet/none/*:refs/signet/none/*";
/// A listing with a million refs is below this; it is held in memory.
const LISTING_BYTES: u64 = 128 << 20;

/// How to reach a repository, and how long that may take.
pub(super) struct Way<'a> {
    pub(super) repository: &'a Repository,
    pub(super) repositories: &'a Repositories,
    /// A folder that only we can enter.
    pub(super) place: &'a Path,
    pub(super) limits: Limits,
}

/// Limits of one conversation with a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For each sign of life.
    pub(super) idle: Duration,
    /// For all of it.
    pub(super) whole: Duration,
    /// What the server may send.
    pub(super) bytes: u64,
}

impl Limits {
    pub(super) fn listing(timeout: Duration) -> Self {
        Self {
            idle: timeout,
            whole: timeout,
            bytes: LISTING_BYTES,
        }
    }

    /// A pack goes to disk as it comes: the volume is its limit.
    pub(super) fn fetch(timeout: Duration, whole: Duration) -> Self {
        Self {
            idle: timeout,
            whole,
            bytes: u64::MAX,
        }
    }
}

impl Way<'_> {
    pub(super) fn unreachable(&self, cause: &str) -> GitError {
        failure::unreachable(self.repository, cause)
    }

    pub(super) fn timed_out(&self, limit: Duration) -> GitError {
        failure::timed_out(self.repository, limit)
    }

    pub(super) fn not_understood(&self) -> GitError {
        failure::not_understood(self.repository)
    }

    pub(super) fn mirror_error(&self, error: &io::Error) -> GitError {
        GitError::Mirror {
            url: self.repository.url.to_string(),
            cause: error.to_string(),
        }
    }

    /// `reader` up to the limit of bytes; it ends there, as if the server had broken off.
    pub(super) fn limited<R: Read>(&self, reader: R) -> io::Take<R> {
        reader.take(self.limits.bytes)
    }
}

/// What a transport of ours knows about its failure, which is more than gix tells.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<GitError>>>);

impl Trouble {
    /// Notes why; the first reason is the one.
    pub(super) fn note(&self, error: GitError) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert(error);
    }

    fn take(&self) -> Option<GitError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(super) type BoxedTransport = Box<dyn Transport + Send>;

type Connection<'a, 'b> = gix::remote::Connection<'a, 'static, 'b, BoxedTransport>;

/// What keeps a transport going, and knows why it does not.
enum Line {
    File,
    Http(Trouble),
    Ssh(Box<ssh::Session>),
}

/// Why there is no answer.
pub(super) enum Failed {
    Known(GitError),
    Gix(gix::Error),
}

impl From<gix::Error> for Failed {
    fn from(error: gix::Error) -> Self {
        Self::Gix(error)
    }
}

impl From<GitError> for Failed {
    fn from(error: GitError) -> Self {
        Self::Known(error)
    }
}

/// The refs of the repository, and of `extra` full ref names; `local` lends its object format only.
pub(super) fn list_refs(
    local: &gix::Repository,
    way: &Way<'_>,
    extra: &[String],
) -> Result<Refs, GitError> {
    let specs = LISTED
        .into_iter()
        .map(str::to_owned)
        .chain(extra.iter().cloned());
    let listed = ask(local, way, specs, |connection| {
        let (map, _) = connection.ref_map(Discard, gix::remote::ref_map::Options::default())?;
        Ok(Refs(
            map.remote_refs.iter().filter_map(name_and_commit).collect(),
            map.remote_refs.iter().filter_map(name_and_tag).collect(),
        ))
    });
    listed.map_err(|failed| match failed {
        Failed::Known(error) => error,
        Failed::Gix(error) => failure::of_listing(way.repository, &error),
    })
}

/// Fetches `commit` without its history into `local`.
pub(super) fn fetch_commit(
    local: &gix::Repository,
    way: &Way<'_>,
    commit: CommitId,
    stop: &AtomicBool,
) -> Result<(), GitError> {
    let specs = [
        format!("+{commit}:refs/signet/{commit}"),
        NOTHING.to_owned(),
    ];
    let fetched = ask(local, way, specs, |connection| {
        let fetch = connection.prepare_fetch(Discard, gix::remote::ref_map::Options::default())?;
        fetch
            .with_shallow(Shallow::DepthAtRemote(NonZeroU32::MIN))
            .with_write_packed_refs_only(true)
            .receive(Discard, stop)?;
        Ok(())
    });
    fetched.map_err(|failed| match failed {
        Failed::Known(error) => error,
        Failed::Gix(error) => failure::of_fetch(way.repository, commit, &error),
    })
}

/// Connects, and has `question` answered.
fn ask<T>(
    local: &gix::Repository,
    way: &Way<'_>,
    specs: impl IntoIterator<Item = String>,
    question: impl FnOnce(Connection<'_, '_>) -> gix::Result<T>,
) -> Result<T, Failed> {
    talk(local, way, specs, |remote, transport| {
        // No helper program and no prompt is ever asked: a login goes with the first request.
        let connection = remote
            .to_connection_with_transport(transport)
            .with_credentials(|_| Ok(None))
            .with_transport_options(Box::new(()));
        question(connection)
    })
}

/// The same for who speaks to the server himself.
pub(super) fn talk<T>(
    local: &gix::Repository,
    way: &Way<'_>,
    specs: impl IntoIterator<Item = String>,
    conversation: impl FnOnce(&gix::Remote<'_>, BoxedTransport) -> gix::Result<T>,
) -> Result<T, Failed> {
    let remote = remote(local, way.repository, specs)?;
    let (mut line, transport) = open(&remote, way)?;
    conversation(&remote, transport).map_err(|error| {
        let why = match &mut line {
            Line::File => None,
            Line::Http(trouble) => trouble.take(),
            Line::Ssh(session) => session.why(way),
        };
        if matches!(why, Some(GitError::AuthenticationFailed { .. })) {
            Handle::current().block_on(way.repositories.refused(&way.repository.access));
        }
        why.map_or(Failed::Gix(error), Failed::Known)
    })
}

fn open(remote: &gix::Remote<'_>, way: &Way<'_>) -> Result<(Line, BoxedTransport), Failed> {
    if way.repository.url.is_file() {
        let (url, version) = remote.sanitized_url_and_version(Direction::Fetch)?;
        let options = gix::protocol::transport::client::blocking_io::connect::Options {
            version,
            ..Default::default()
        };
        let transport =
            gix::protocol::transport::client::blocking_io::connect::connect(url, options)?;
        return Ok((Line::File, transport));
    }
    if let Some(target) = way.repository.url.ssh() {
        let (session, transport) = ssh::Session::start(way, target)?;
        return Ok((Line::Ssh(Box::new(session)), transport));
    }
    let trouble = Trouble::default();
    let transport = http::transport(way, &trouble)?;
    Ok((Line::Http(trouble), transport))
}

fn remote<'a>(
    local: &'a gix::Repository,
    repository: &Repository,
    specs: impl IntoIterator<Item = String>,
) -> gix::Result<gix::Remote<'a>> {
    let specs: Vec<gix::bstr::BString> = specs.into_iter().map(Into::into).collect();
    local
        .remote_at_without_url_rewrite(repository.url.as_str())?
        .with_fetch_tags(Tags::None)
        .with_refspecs(specs, Direction::Fetch)
}

fn name_and_commit(listed: &Ref) -> Option<(String, gix::ObjectId)> {
    let (name, object) = match listed {
        Ref::Peeled {
            full_ref_name,
            object,
            ..
        }
        | Ref::Direct {
            full_ref_name,
            object,
        }
        | Ref::Symbolic {
            full_ref_name,
            object,
            ..
        } => (full_ref_name, object),
        Ref::Unborn { .. } => return None,
    };
    Some((String::from_utf8(name.to_vec()).ok()?, *object))
}

fn name_and_tag(listed: &Ref) -> Option<(String, gix::ObjectId)> {
    match listed {
        Ref::Peeled {
            full_ref_name, tag, ..
        } => Some((String::from_utf8(full_ref_name.to_vec()).ok()?, *tag)),
        _ => None,
    }
}
