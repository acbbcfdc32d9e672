//! Submodules: which repository and commit a directory of a commit stands for, and how its files come to be there.
//! What `.gitmodules` says is a tenant's word: no option, path or host of it is taken further than a URL may go.

use std::sync::Arc;

use gix::{bstr::ByteSlice, config::parse::Events};

use super::{
    CommitId, GitError, Mirrors, Repository, RepositoryUrl,
    snapshot::{Part, Snapshot, unreadable},
};

/// The file that names them.
pub(super) const GIT_MODULES: &str = ".gitmodules";
/// A line or three for each submodule: no such file is longer.
const LONGEST: u64 = 1 << 20;

/// A submodule that some reader came upon and that is not fetched yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// From the root of the source.
    pub(super) path: Arc<str>,
    pub(super) url: RepositoryUrl,
    pub(super) commit: CommitId,
    /// The repository of the source, and its commit.
    pub(super) top: Repository,
    pub(super) top_commit: CommitId,
}

/// A submodule with its files.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub(super) submodule: Submodule,
    pub(super) part: Arc<Part>,
}

impl Submodule {
    /// The submodule at `path` of a commit or, when it lies in the submodule `within`, of that one.
    pub(super) fn find(
        snapshot: &Snapshot,
        within: &str,
        path: String,
        commit: gix::ObjectId,
    ) -> Result<Self, GitError> {
        let (_, part) = snapshot.part(within).expect("what was walked through");
        let own = path[within.len()..].trim_start_matches('/').to_owned();
        let refused = |problem: &str| refused(&part.repository.url, &path, problem);
        let file = git_modules(part)?.ok_or_else(|| refused("has no .gitmodules to name it"))?;
        let url = url(&file, &own).ok_or_else(|| refused("has no URL in .gitmodules"))?;
        let url = resolved(&part.repository.url, &url).map_err(refused)?;
        let url = RepositoryUrl::parse(&url)
            .map_err(|error| refused(&format!("has no usable URL: {error}")))?;
        if url.is_file() && !part.repository.url.is_file() {
            return Err(refused("is a file repository, expected one on a server"));
        }
        let top = snapshot.top();
        Ok(Self {
            path: path.into(),
            url,
            commit: CommitId(commit),
            top: top.repository.clone(),
            top_commit: top.commit,
        })
    }

    /// The repository of the source that has it.
    #[must_use]
    pub fn top(&self) -> &Repository {
        &self.top
    }

    pub(super) fn refused(&self, problem: &str) -> GitError {
        refused(&self.top.url, &self.path, problem)
    }
}

impl std::fmt::Display for Submodule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "submodule {:?} of {}", self.path, self.top.url)
    }
}

impl Mirrors {
    /// The repository of a submodule as an Application of `project` may read it.
    ///
    /// # Errors
    /// As [`Self::repository`], or when submodules are not read.
    pub async fn submodule_repository(
        &self,
        submodule: &Submodule,
        project: &str,
    ) -> Result<Repository, GitError> {
        if !self.options.submodules {
            return Err(GitError::SubmodulesOff {
                url: submodule.url.to_string(),
            });
        }
        self.readers.note(&submodule.url, &submodule.top.url);
        self.repository(submodule.url.as_str(), project).await
    }

    /// The submodule with its files, fetched when the mirror of its repository does not have them.
    ///
    /// # Errors
    /// When its commit can't be fetched.
    pub async fn submodule(
        &self,
        submodule: &Submodule,
        repository: &Repository,
    ) -> Result<Fetched, GitError> {
        let part = self.part(repository, submodule.commit).await;
        let part = part.map_err(|error| match error {
            GitError::RevisionNotFound { url, .. } => GitError::SubmoduleCommit {
                url,
                commit: submodule.commit.to_string(),
            },
            error => error,
        })?;
        Ok(Fetched {
            submodule: submodule.clone(),
            part: Arc::new(part),
        })
    }
}

/// The content of the file that names submodules. A symlink of that name is none, as for git.
fn git_modules(part: &Part) -> Result<Option<Vec<u8>>, GitError> {
    let read = || {
        let repository = part.store.open();
        let root = repository.find_tree(part.root)?;
        let entry = root.find_entry(GIT_MODULES);
        let Some(entry) = entry.filter(|entry| entry.mode().is_blob()) else {
            return Ok(None);
        };
        let id = entry.object_id();
        if repository.find_header(id)?.size() > LONGEST {
            return Ok(None);
        }
        Ok(Some(repository.find_blob(id)?.take_data()))
    };
    read().map_err(|error: gix::Error| unreadable(&part.repository, &error))
}

/// The URL of the submodule at `path`; what can't be read names none.
fn url(git_modules: &[u8], path: &str) -> Option<String> {
    let events = Events::from_bytes(git_modules, None).ok()?;
    let metadata = gix::config::file::Metadata::api();
    let config = gix::config::File::from_parse_events_no_includes(events, metadata);
    let mut sections = config.sections_by_name("submodule")?;
    sections.find_map(|section| {
        let at = section.value("path")?;
        let is_it = at.to_str().is_ok_and(|at| at.trim_end_matches('/') == path);
        let url = is_it.then(|| section.value("url")).flatten()?;
        url.to_str().ok().map(str::to_owned)
    })
}

/// `url` as git takes it: where it begins with `./` or `../` it counts from the URL of the repository that has it, and here
/// it never leaves that one's server.
fn resolved(of: &RepositoryUrl, url: &str) -> Result<String, &'static str> {
    let is_relative = |url: &str| url.starts_with("./") || url.starts_with("../");
    if !is_relative(url) {
        return Ok(url.to_owned());
    }
    let base = of.as_str();
    let server = match base.split_once("://") {
        Some((scheme, rest)) => scheme.len() + 3 + rest.find('/').map_or(rest.len(), |at| at + 1),
        None => base.len() - base.rsplit_once(':').map_or("", |(_, path)| path).len(),
    };
    let (server, path) = base.split_at(server);
    let mut parts: Vec<_> = path.split('/').collect();
    let mut rest = url;
    while is_relative(rest) {
        if rest.starts_with("../") {
            let above = parts.pop().filter(|part| !part.is_empty());
            above.ok_or("has a URL that leaves the server")?;
        }
        rest = &rest[rest.find('/').map_or(0, |slash| slash + 1)..];
    }
    parts.push(rest);
    Ok(format!("{server}{}", parts.join("/")))
}

fn refused(url: &RepositoryUrl, path: &str, problem: &str) -> GitError {
    GitError::InvalidSubmodule {
        url: url.to_string(),
        path: path.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_url_counts_from_the_repository_and_stays_on_its_server() {
        const LEAVES: Result<&str, &str> = Err("has a URL that leaves the server");
        for (of, url, expected) in [
            (
                "https://a.org/team/app.git",
                "../lib.git",
                Ok("https://a.org/team/lib.git"),
            ),
            (
                "https://a.org/team/app",
                "../../other/lib",
                Ok("https://a.org/other/lib"),
            ),
            (
                "https://a.org/team/app",
                "./lib",
                Ok("https://a.org/team/app/lib"),
            ),
            (
                "https://a.org/team/app",
                ".././../lib",
                Ok("https://a.org/lib"),
            ),
            ("https://a.org/team/app", "../../../b.org/lib", LEAVES),
            (
                "ssh://git@a.org:2222/team/app.git",
                "../lib.git",
                Ok("ssh://git@a.org:2222/team/lib.git"),
            ),
            (
                "git@a.org:team/app.git",
                "../lib.git",
                Ok("git@a.org:team/lib.git"),
            ),
            (
                "git@a.org:team/app.git",
                "../../lib.git",
                Ok("git@a.org:lib.git"),
            ),
            ("https://a.org/app", "../../lib", LEAVES),
            ("git@a.org:app.git", "../../b.org:lib.git", LEAVES),
            (
                "file:///srv/app.git",
                "../lib.git",
                Ok("file:///srv/lib.git"),
            ),
            (
                "https://a.org/team/app",
                "https://b.org/lib",
                Ok("https://b.org/lib"),
            ),
        ] {
            let of = RepositoryUrl::parse(of).unwrap();
            let expected = expected.map(str::to_owned);
            assert_eq!(resolved(&of, url), expected, "{of} {url}");
        }
    }

    #[test]
    fn a_url_is_found_by_the_path_of_its_submodule_alone() {
        let file = b"[submodule \"vendor/lib\"]\n\tpath = vendor/lib/\n\turl = ../lib.git # mine\n\
            [submodule \"../../x\"]\n\tpath = \"odd\\\"name\"\n\turl = https://a.org/odd\n\tupdate = !touch /tmp/x\n\
            [submodule \"none\"]\n\tpath = none\n[other]\n\tpath = other\n\turl = https://a.org/other\n";
        for (path, expected) in [
            ("vendor/lib", Some("../lib.git")),
            ("odd\"name", Some("https://a.org/odd")),
            ("none", None),
            ("other", None),
            ("vendor", None),
        ] {
            assert_eq!(url(file, path).as_deref(), expected, "{path}");
        }
        assert_eq!(url(b"[submodule", "vendor/lib"), None);
        assert_eq!(url(b"", "vendor/lib"), None);
    }
}
