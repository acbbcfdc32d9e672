//! All commits that lead to one, without trees and files, in a store of their own: a mirror has commits without history.
//! It must not judge them.

use std::{
    collections::BTreeSet,
    io::{BufRead, Read},
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, atomic::AtomicBool},
};

use gix::{
    ObjectId,
    odb::pack::{Bundle, bundle::write::Options as PackOptions},
    progress::Discard,
    protocol::{
        fetch::{
            Arguments, Context, Negotiate, Options, Response, Shallow, Tags,
            negotiate::{Action, Round, one_round},
        },
        transport::{Protocol, Service},
    },
};

use super::{
    CommitId, GitError, Mirrors, Repository,
    ancestry::{Ancestry, Commit},
    failure,
    signature::{self, Signed},
    store::Store,
    wire::{self, Failed, Way},
};

/// Commits of one repository: each is some hundred bytes of memory.
const COMMITS: usize = 200_000;
/// A signed commit is some kilobyte in a pack.
const BYTES: u64 = 256 << 20;
/// What single objects may need when they are unpacked.
const OBJECT: usize = 16 << 20;
/// Fetches of one store, each of which adds a pack.
const PACKS: u16 = 500;
/// The newest commits that we tell the server we have: what it sends begins at one of them.
const HAVES: usize = 32;
/// Commits alone, whatever leads to them.
const FILTER: &str = "tree:0";

/// The histories that were fetched of one repository.
#[derive(Debug)]
pub(super) struct History {
    store: Store,
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    ancestry: Ancestry,
    /// The commits that were asked for, the last one last.
    tips: Vec<ObjectId>,
}

/// A commit with all that led to it.
#[derive(Clone, Debug)]
pub struct Ancestors {
    history: Arc<History>,
    repository: Repository,
    tip: CommitId,
}

impl History {
    /// An empty one below `parent`, which must exist.
    pub(super) fn create(parent: &Path) -> Result<Self, String> {
        Ok(Self {
            store: Store::create(parent, "history-", PACKS)?,
            known: RwLock::default(),
        })
    }

    pub(super) fn has(&self, commit: CommitId) -> bool {
        self.known().ancestry.has(commit.0)
    }

    /// Whether the next fetch should go into a new one.
    pub(super) fn is_full(&self) -> bool {
        self.known().tips.len() >= usize::from(PACKS)
    }

    /// Fetches what leads to `tip` and is not there yet.
    pub(super) fn fetch(
        &self,
        way: &Way<'_>,
        tip: CommitId,
        stop: &AtomicBool,
    ) -> Result<(), GitError> {
        let haves: Vec<_> = {
            let known = self.known();
            known.tips.iter().rev().take(HAVES).copied().collect()
        };
        let store = self.store.open();
        let count = receive(&store, way, tip, &haves, stop)?;
        let too_long = |limit: String| GitError::HistoryTooLong {
            url: way.repository.url.to_string(),
            limit,
        };
        if self.known().ancestry.len() + count > COMMITS {
            return Err(too_long(format!("{COMMITS} commits")));
        }
        let read =
            |id: ObjectId| -> gix::Result<_> { Ok(Commit::read(&store.find_object(id)?.data)) };
        let found = Ancestry::unknown(tip.0, |id| self.has(CommitId(id)), read);
        let found = found.map_err(|error| unreadable(way.repository, &error))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.ancestry.extend(found);
        known.tips.push(tip.0);
        Ok(())
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ancestors {
    /// The commit itself.
    #[must_use]
    pub fn tip(&self) -> CommitId {
        self.tip
    }

    /// Those among them that claim to vouch for all that led to them.
    #[must_use]
    pub fn seals(&self) -> Vec<CommitId> {
        self.history.known().ancestry.seals(self.tip.0)
    }

    /// Those whose signatures count when these `seals` do, nearest first.
    #[must_use]
    pub fn unsealed(&self, seals: &BTreeSet<CommitId>) -> Vec<CommitId> {
        self.history.known().ancestry.unsealed(self.tip.0, seals)
    }

    /// One of them, with its signature. Reads from disk: not for async threads.
    ///
    /// # Errors
    /// `Err` when it can't be read; `Ok(Err)` when it is none that could carry a signature.
    pub fn signed(&self, commit: CommitId) -> Result<Result<Signed, &'static str>, GitError> {
        let read = signature::read(&self.history.store.open(), commit.0, commit);
        read.map_err(|error| unreadable(&self.repository, &error))
    }
}

impl Mirrors {
    /// All commits that led to `commit`, fetched as far as they are not there.
    ///
    /// # Errors
    /// When they can't be fetched, or are too many.
    pub async fn ancestors(
        &self,
        repository: &Repository,
        commit: CommitId,
    ) -> Result<Ancestors, GitError> {
        let history = self.mirror(repository)?.history_of(commit).await?;
        Ok(Ancestors {
            history,
            repository: repository.clone(),
            tip: commit,
        })
    }

    /// Starts anew with an empty history: its objects on disk can't be read.
    pub fn discard_history(&self, repository: &Repository) {
        if let Ok(mirror) = self.mirror(repository) {
            mirror.discard_history();
        }
    }
}

/// Fetches the commits that lead to `tip` into `local`, which has `haves` with all that led to them; how many came.
fn receive(
    local: &gix::Repository,
    way: &Way<'_>,
    tip: CommitId,
    haves: &[ObjectId],
    stop: &AtomicBool,
) -> Result<usize, GitError> {
    let url = || way.repository.url.to_string();
    let mut question = Question {
        tip: tip.0,
        haves,
        filters: true,
    };
    let (mut count, mut left) = (0, BYTES);
    let mut take = |pack: &mut dyn BufRead, stop: &AtomicBool| -> gix::Result<bool> {
        let mut pack = pack.take(BYTES);
        let written = Bundle::write_to_directory(
            &mut pack,
            Some(&local.objects.store_ref().path().join("pack")),
            &mut Discard,
            stop,
            Some(local.objects.clone()),
            local.object_hash(),
            PackOptions {
                alloc_limit_bytes: Some(OBJECT),
                ..PackOptions::default()
            },
        );
        left = pack.limit();
        count = written?.index.num_objects as usize;
        Ok(true)
    };
    let received = wire::talk(local, way, [], |_, mut transport| {
        let mut handshake = gix::protocol::handshake(
            &mut transport,
            Service::UploadPack,
            |_| Ok(None),
            Vec::new(),
            &mut Discard,
        )?;
        let version = handshake.server_protocol_version;
        let agent = gix::protocol::agent(gix::env::agent());
        gix::protocol::fetch(
            &mut question,
            |pack, _, stop| take(pack, stop),
            Discard,
            stop,
            Context {
                handshake: &mut handshake,
                transport: &mut transport,
                user_agent: ("agent", Some(agent)),
                trace_packetlines: false,
            },
            Options {
                shallow_file: local.shallow_file()?,
                shallow: &Shallow::NoChange,
                tags: Tags::None,
                reject_shallow_remote: true,
            },
        )?;
        if version == Protocol::V2 {
            // What was asked for is here: nobody minds how the conversation ends.
            let _ = gix::protocol::indicate_end_of_interaction(&mut transport, false);
        }
        Ok(())
    });
    if !question.filters {
        return Err(GitError::NoFilter { url: url() });
    }
    match received {
        Ok(()) => Ok(count),
        Err(_) if left == 0 => Err(GitError::HistoryTooLong {
            url: url(),
            limit: format!("{} MiB", BYTES >> 20),
        }),
        Err(Failed::Known(error)) => Err(error),
        Err(Failed::Gix(error)) => Err(failure::of_fetch(way.repository, tip, &error)),
    }
}

/// What is asked of the server, all at once.
struct Question<'a> {
    tip: ObjectId,
    haves: &'a [ObjectId],
    /// Whether the server leaves out what we do not want.
    filters: bool,
}

impl Negotiate for Question<'_> {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<Action> {
        Ok(Action::MustNegotiate {
            remote_ref_target_known: Vec::new(),
        })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _: &[bool]) -> bool {
        self.filters = arguments.can_use_filter();
        if self.filters {
            arguments.want(self.tip);
            arguments.filter(FILTER);
        }
        self.filters
    }

    fn one_round(
        &mut self,
        _: &mut one_round::State,
        arguments: &mut Arguments,
        answer: Option<&Response>,
    ) -> gix::Result<(Round, bool)> {
        if answer.is_some() {
            let problem = std::io::Error::other("there is no pack in the answer");
            return Err(gix::Error::from_error(problem));
        }
        for have in self.haves {
            arguments.have(have);
        }
        let round = Round {
            haves_sent: self.haves.len(),
            in_vain: 0,
            haves_to_send: self.haves.len(),
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}

fn unreadable(repository: &Repository, error: &gix::Error) -> GitError {
    GitError::Mirror {
        url: repository.url.to_string(),
        cause: error.to_string(),
    }
}
