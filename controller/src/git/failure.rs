//! What went wrong on the wire, as one of our reasons. No reason repeats what a server sent.

use std::{io::ErrorKind, time::Duration};

use gix::{Error, protocol::transport::client::AuthenticationRequired};

use super::{CommitId, GitError, Repository, revision::not_found};

/// Words in which servers refuse an object that they do not have, or do not give by its id.
const NO_SUCH_OBJECT: [&str; 2] = ["not our ref", "unadvertised object"];

/// What gix says of a repository whose objects are not named by SHA-1.
const OTHER_OBJECT_NAMES: &str = "object format used by the remote";

/// Why the refs of `repository` could not be listed.
pub(super) fn of_listing(repository: &Repository, timeout: Duration, error: &Error) -> GitError {
    let url = repository.url.to_string();
    tracing::debug!(url, ?error, "git request failed");

    if error.is_unauthenticated() || error.downcast_any_ref::<AuthenticationRequired>().is_some() {
        return unauthenticated(repository);
    }
    if let Some(http) = error.downcast_any_ref::<reqwest::Error>() {
        return of_http(url, timeout, http);
    }
    if let Some(io) = error.downcast_any_ref::<std::io::Error>() {
        return of_io(url, timeout, io);
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
    GitError::NotAGitServer {
        url,
        cause: "its answer is not understood".to_owned(),
    }
}

/// Why `commit` could not be fetched.
pub(super) fn of_fetch(
    repository: &Repository,
    commit: CommitId,
    timeout: Duration,
    error: &Error,
) -> GitError {
    if says(error, &NO_SUCH_OBJECT) {
        return not_found(&repository.url, &commit.to_string());
    }
    of_listing(repository, timeout, error)
}

/// Whether some cause has one of these words in its text: for reasons that gix gives no type to.
fn says(error: &Error, words: &[&str]) -> bool {
    error.iter_errors().any(|cause| {
        let text = cause.to_string();
        words.iter().any(|words| text.contains(words))
    })
}

fn unauthenticated(repository: &Repository) -> GitError {
    let url = repository.url.to_string();
    match &repository.credentials {
        Some(credentials) => GitError::AuthenticationFailed {
            url,
            secret: credentials.secret.clone(),
        },
        None => GitError::AuthenticationRequired { url },
    }
}

fn of_http(url: String, timeout: Duration, error: &reqwest::Error) -> GitError {
    if error.is_timeout() {
        return GitError::TimedOut {
            url,
            seconds: timeout.as_secs(),
        };
    }
    if error.is_redirect() {
        return GitError::Redirected { url };
    }
    match error.status().map(|status| status.as_u16()) {
        Some(403) => GitError::Forbidden { url },
        Some(404 | 410) => GitError::NotFound { url },
        Some(status @ (429 | 500..)) => GitError::Unreachable {
            url,
            cause: format!("HTTP status {status}"),
        },
        Some(status) => GitError::NotAGitServer {
            url,
            cause: format!("HTTP status {status}"),
        },
        None => GitError::Unreachable {
            url,
            cause: why_no_connection(error),
        },
    }
}

fn of_io(url: String, timeout: Duration, error: &std::io::Error) -> GitError {
    match error.kind() {
        ErrorKind::TimedOut => GitError::TimedOut {
            url,
            seconds: timeout.as_secs(),
        },
        kind @ (ErrorKind::StorageFull
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::PermissionDenied) => GitError::Mirror {
            url,
            cause: kind.to_string(),
        },
        kind => GitError::Unreachable {
            url,
            cause: kind.to_string(),
        },
    }
}

/// The cause of a connection that did not come to be: these texts come from our own TLS, resolver and system.
pub(crate) fn why_no_connection(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    if let Some(tls) = texts.iter().find(|text| text.contains("certificate")) {
        return format!("TLS: {tls}");
    }
    if texts
        .iter()
        .any(|text| text.contains("dns error") || text.contains("failed to lookup address"))
    {
        return "the host name does not resolve".to_owned();
    }
    texts
        .last()
        .cloned()
        .unwrap_or_else(|| "no connection".to_owned())
}
