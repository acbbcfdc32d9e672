//! The wire: asks a server for its refs and for single commits. Blocking, for threads of their own.
//! It keeps nothing between two calls, and follows no redirect when credentials would go with it.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use gix::{
    progress::Discard,
    protocol::{
        handshake::Ref,
        transport::client::blocking_io::http::{self, options::FollowRedirects},
    },
    remote::{
        Direction,
        fetch::{Shallow, Tags},
    },
};

use super::{CommitId, Credentials, GitError, Repository, failure, revision::Refs};

/// What a listing asks for: names of pull requests and the like can be a hundred times as many as branches and tags.
const LISTED: [&str; 3] = [
    "HEAD",
    "refs/heads/*:refs/heads/*",
    "refs/tags/*:refs/tags/*",
];
/// Matches no ref, so that fetching by id lists none.
const NOTHING: &str = "refs/signet/none/*:refs/signet/none/*";

/// The refs of `repository`, and of `extra` full ref names; `local` lends its object format only.
pub(super) fn list_refs(
    local: &gix::Repository,
    repository: &Repository,
    extra: &[String],
    timeout: Duration,
) -> Result<Refs, GitError> {
    let specs = LISTED
        .into_iter()
        .map(str::to_owned)
        .chain(extra.iter().cloned());
    let failed = |error: gix::Error| failure::of_listing(repository, timeout, &error);
    let remote = remote(local, repository, specs).map_err(failed)?;
    let connection = connect(&remote, repository, timeout).map_err(failed)?;
    let (map, _) = connection
        .ref_map(Discard, gix::remote::ref_map::Options::default())
        .map_err(failed)?;
    Ok(Refs(
        map.remote_refs.iter().filter_map(name_and_commit).collect(),
        map.remote_refs.iter().filter_map(name_and_tag).collect(),
    ))
}

/// Fetches `commit` without its history into `local`.
pub(super) fn fetch_commit(
    local: &gix::Repository,
    repository: &Repository,
    commit: CommitId,
    timeout: Duration,
    stop: &AtomicBool,
) -> Result<(), GitError> {
    let specs = [
        format!("+{commit}:refs/signet/{commit}"),
        NOTHING.to_owned(),
    ];
    let failed = |error: gix::Error| failure::of_fetch(repository, commit, timeout, &error);
    let remote = remote(local, repository, specs).map_err(failed)?;
    let connection = connect(&remote, repository, timeout).map_err(failed)?;
    let fetch = connection
        .prepare_fetch(Discard, gix::remote::ref_map::Options::default())
        .map_err(failed)?;
    fetch
        .with_shallow(Shallow::DepthAtRemote(NonZeroU32::MIN))
        .with_write_packed_refs_only(true)
        .receive(Discard, stop)
        .map_err(failed)?;
    Ok(())
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

type Connection<'a, 'b> = gix::remote::Connection<
    'a,
    'a,
    'b,
    Box<dyn gix::protocol::transport::client::blocking_io::Transport + Send>,
>;

fn connect<'a, 'b>(
    remote: &'a gix::Remote<'b>,
    repository: &Repository,
    timeout: Duration,
) -> gix::Result<Connection<'a, 'b>> {
    // No helper program and no prompt is ever asked: what the repository Secret holds goes with the first request.
    let connection = remote
        .connect(Direction::Fetch)?
        .with_credentials(|_| Ok(None));
    if repository.url.is_file() {
        return Ok(connection);
    }
    Ok(connection.with_transport_options(Box::new(http_options(
        repository.credentials.as_ref(),
        timeout,
    ))))
}

/// With a header of ours set, gix refuses redirects altogether; without one it follows the first as git does.
fn http_options(credentials: Option<&Credentials>, timeout: Duration) -> http::Options {
    let backend = http::reqwest::Options {
        configure_client: Some(Box::new(move |client| {
            Ok(client.timeout(timeout).connect_timeout(timeout))
        })),
        configure_request: None,
    };
    let authorization =
        credentials.map(|found| format!("Authorization: {}", *found.authorization()));
    http::Options {
        follow_redirects: FollowRedirects::Initial,
        extra_headers: authorization.into_iter().collect(),
        backend: Some(Arc::new(Mutex::new(backend))),
        ..http::Options::default()
    }
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
