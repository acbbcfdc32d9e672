//! What went wrong on the wire, as one of our reasons. No reason repeats what a server sent.

use std::{io::ErrorKind, time::Duration};

use gix::Error;

use super::{CommitId, GitError, Repository, revision::not_found};
use crate::repositories::{AccessError, Login, guard::LocalAddress};

/// Words in which servers refuse an object that they do not have, or do not give by its id.
const NO_SUCH_OBJECT: [&str; 2] = ["not our ref", "unadvertised object"];
/// What gix says of a repository whose objects are not named by SHA-1.
const OTHER_OBJECT_NAMES: &str = "object format used by the remote";
/// What gix says where a history ends at the server before its roots.
const CUT_OFF: &str = "from shallow remotes";
/// Words in which git and the forges say over ssh that there is no such repository, or none for this key.
const NO_SUCH_REPOSITORY: [&str; 5] = [
    "does not appear to be a git repository",
    "epository not found",
    "could not be found",
    "does not exist",
    "not a git repository",
];
/// What `ssh` says of a connection that does not come to be, and what we make of it.
const NO_CONNECTION: [(&str, &str); 7] = [
    ("Connection refused", "connection refused"),
    ("Connection timed out", "the connection timed out"),
    ("No route to host", "no route to the host"),
    ("Network is unreachable", "the network is unreachable"),
    ("Connection reset", "the server broke off"),
    ("Connection closed", "the server broke off"),
    ("Broken pipe", "the server broke off"),
];

/// Why the refs of `repository` could not be listed, from what gix tells.
pub(super) fn of_listing(repository: &Repository, error: &Error) -> GitError {
    let url = repository.url.to_string();
    tracing::debug!(url, ?error, "git request failed");

    if error.is_unauthenticated() {
        return authentication(repository);
    }
    if let Some(io) = error.downcast_any_ref::<std::io::Error>() {
        return of_io(repository, io);
    }
    if says(error, &[OTHER_OBJECT_NAMES]) {
        return GitError::NotSupported {
            url,
            what: "repositories with SHA-256 object names".to_owned(),
        };
    }
    if error.is_unsupported() {
        return GitError::NotAGitServer {
            url,
            cause: "it does not speak Git's smart protocol".to_owned(),
        };
    }
    not_understood(repository)
}

/// Why `commit` could not be fetched.
pub(super) fn of_fetch(repository: &Repository, commit: CommitId, error: &Error) -> GitError {
    if says(error, &NO_SUCH_OBJECT) {
        return not_found(&repository.url, &commit.to_string());
    }
    if says(error, &[CUT_OFF]) {
        return GitError::NotSupported {
            url: repository.url.to_string(),
            what: "a history that ends at the server before its beginning".to_owned(),
        };
    }
    match of_listing(repository, error) {
        GitError::Mirror { url, cause } => GitError::Mirror {
            url,
            cause: format!("commit {commit}: {cause}"),
        },
        other => other,
    }
}

/// Whether some cause has one of these words in its text: for reasons that gix gives no type to.
fn says(error: &Error, words: &[&str]) -> bool {
    error.iter_errors().any(|cause| {
        let text = cause.to_string();
        words.iter().any(|words| text.contains(words))
    })
}

/// The server wants a login, or does not take ours.
pub(super) fn authentication(repository: &Repository) -> GitError {
    let url = repository.url.to_string();
    match (&repository.access.login, &repository.access.secret) {
        (Login::None, _) | (_, None) => GitError::AuthenticationRequired { url },
        (_, Some(secret)) => GitError::AuthenticationFailed {
            url,
            secret: secret.clone(),
        },
    }
}

pub(super) fn unreachable(repository: &Repository, cause: &str) -> GitError {
    GitError::Unreachable {
        url: repository.url.to_string(),
        cause: cause.to_owned(),
    }
}

pub(super) fn timed_out(repository: &Repository, limit: Duration) -> GitError {
    GitError::TimedOut {
        url: repository.url.to_string(),
        seconds: limit.as_secs(),
    }
}

pub(super) fn redirected(repository: &Repository) -> GitError {
    let url = repository.url.to_string();
    GitError::Redirected { url }
}

pub(super) fn not_understood(repository: &Repository) -> GitError {
    GitError::NotAGitServer {
        url: repository.url.to_string(),
        cause: "its answer is not understood".to_owned(),
    }
}

pub(super) fn too_much(repository: &Repository) -> GitError {
    GitError::NotAGitServer {
        url: repository.url.to_string(),
        cause: "it lists more refs than 128 MiB".to_owned(),
    }
}

pub(super) fn local_address(repository: &Repository, local: &LocalAddress) -> GitError {
    GitError::Access(AccessError::LocalAddress {
        url: repository.url.to_string(),
        host: local.0.clone(),
    })
}

/// What an HTTP status means; `None` for success.
pub(super) fn of_status(repository: &Repository, status: u16) -> Option<GitError> {
    let url = repository.url.to_string();
    let cause = format!("HTTP status {status}");
    Some(match status {
        200..300 => return None,
        401 => authentication(repository),
        403 => GitError::Forbidden { url },
        404 | 410 => GitError::NotFound { url },
        429 | 500.. => GitError::Unreachable { url, cause },
        _ => GitError::NotAGitServer { url, cause },
    })
}

/// Why a request got no answer, or not all of one.
pub(super) fn of_http(
    repository: &Repository,
    limit: Duration,
    error: &reqwest::Error,
) -> GitError {
    let causes = || {
        let first: &(dyn std::error::Error + 'static) = error;
        std::iter::successors(Some(first), |cause| cause.source())
    };
    // The first has the URL, whose query a redirect may have brought.
    tracing::debug!(url = %repository.url, causes = ?causes().skip(1).map(ToString::to_string).collect::<Vec<_>>(), "request failed");
    if let Some(local) = causes().find_map(|cause| cause.downcast_ref::<LocalAddress>()) {
        return local_address(repository, local);
    }
    if error.is_timeout() {
        return timed_out(repository, limit);
    }
    let texts: Vec<String> = causes().skip(1).map(ToString::to_string).collect();
    let broke_off = texts
        .iter()
        .any(|text| text.contains("closed before message completed"));
    if broke_off || error.is_body() || error.is_decode() {
        return unreachable(repository, "the server broke off its answer");
    }
    unreachable(repository, &why_no_connection(&texts))
}

/// The cause of a connection that did not come to be: these texts come from our own TLS, resolver and system.
pub(crate) fn why_no_connection(texts: &[String]) -> String {
    if let Some(tls) = texts.iter().find(|text| text.contains("certificate")) {
        return format!("TLS: {tls}");
    }
    let no_name = ["dns error", "failed to lookup address"];
    if texts
        .iter()
        .any(|text| no_name.iter().any(|words| text.contains(words)))
    {
        return "the host name does not resolve".to_owned();
    }
    texts
        .last()
        .cloned()
        .unwrap_or_else(|| "no connection".to_owned())
}

fn of_io(repository: &Repository, error: &std::io::Error) -> GitError {
    match error.kind() {
        kind @ (ErrorKind::StorageFull
        | ErrorKind::QuotaExceeded
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::PermissionDenied) => GitError::Mirror {
            url: repository.url.to_string(),
            cause: kind.to_string(),
        },
        ErrorKind::UnexpectedEof => unreachable(repository, "the server broke off its answer"),
        ErrorKind::Other | ErrorKind::InvalidData => not_understood(repository),
        kind => unreachable(repository, &kind.to_string()),
    }
}

/// What `ssh` said before it ended; `None` when it said nothing that we know.
pub(super) fn of_ssh(repository: &Repository, host: &str, said: &str) -> Option<GitError> {
    let (url, host) = (repository.url.to_string(), host.to_owned());
    let any = |words: &[&str]| words.iter().any(|words| said.contains(words));
    if any(&[
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "has changed and you have requested",
    ]) {
        return Some(GitError::HostKeyChanged { url, host });
    }
    if any(&["Host key verification failed", "host key is known for"]) {
        return Some(GitError::HostKeyUnknown { url, host });
    }
    if any(&["Permission denied (", "Too many authentication failures"]) {
        return Some(authentication(repository));
    }
    if any(&["No user exists for uid"]) {
        return Some(GitError::NoSshUser { url });
    }
    if any(&NO_SUCH_REPOSITORY) {
        return Some(GitError::NotFound { url });
    }
    let cause = NO_CONNECTION
        .iter()
        .find(|(words, _)| said.contains(words))?;
    Some(unreachable(repository, cause.1))
}
