//! What each of these tests begins with: mirrors of their own, repositories to serve, and Secrets that say how to reach them.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use controller::{
    git::{CommitId, Freshness, GitError, MirrorOptions, Mirrors, Repository, RepositoryUrl},
    repositories::{ALLOW_LOCAL_ADDRESSES, Access, Known, RepositorySecret},
};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use tempfile::TempDir;

use crate::{repository::Origin, server::GitServer};

pub(crate) struct Bench {
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) root: PathBuf,
    _directory: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(MirrorOptions {
            allow_file: true,
            ..MirrorOptions::default()
        })
    }

    pub(crate) fn with(options: MirrorOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("served");
        std::fs::create_dir(&root).unwrap();
        let mirrors = Arc::new(Mirrors::new(&directory.path().join("data"), options).unwrap());
        Self {
            mirrors,
            root,
            _directory: directory,
        }
    }

    /// A repository at `root/NAME.git`, in a folder of its own where the name has one.
    pub(crate) fn origin(&self, name: &str) -> Origin {
        if let Some((folder, _)) = name.rsplit_once('/') {
            std::fs::create_dir_all(self.root.join(folder)).unwrap();
        }
        Origin::create(&self.root, name)
    }

    pub(crate) fn serve(&self) -> GitServer {
        GitServer::start(self.root.clone(), "http://127.0.0.1:1".to_owned())
    }

    pub(crate) async fn latest(
        &self,
        repository: &Repository,
        revision: &str,
    ) -> Result<String, GitError> {
        let commit = self
            .mirrors
            .resolve(repository, revision, Freshness::Latest)
            .await?;
        Ok(commit.to_string())
    }

    /// The content of `file` at the root of what `revision` means now.
    pub(crate) async fn read(
        &self,
        repository: &Repository,
        revision: &str,
        file: &str,
    ) -> Result<String, GitError> {
        let commit = self
            .mirrors
            .resolve(repository, revision, Freshness::Latest)
            .await?;
        self.read_commit(repository, &commit, file).await
    }

    pub(crate) async fn read_commit(
        &self,
        repository: &Repository,
        commit: &CommitId,
        file: &str,
    ) -> Result<String, GitError> {
        let tree = self.mirrors.tree(repository, commit, "").await?;
        let entries = tree.entries(true)?;
        let entry = entries
            .iter()
            .find(|entry| entry.path == file)
            .expect("the file is in the tree");
        Ok(String::from_utf8(tree.read(entry)?).unwrap())
    }
}

pub(crate) fn message<T: std::fmt::Debug>(result: Result<T, GitError>) -> String {
    result.expect_err("an error was expected").to_string()
}

/// A repository without login, on this machine.
pub(crate) fn open(url: &str) -> Repository {
    Repository {
        url: RepositoryUrl::parse(url).unwrap(),
        access: Access {
            allow_local_addresses: true,
            ..Access::default()
        },
    }
}

/// A repository Secret `signet/config-repository` for `url` that allows local addresses.
pub(crate) fn secret(url: &str, values: &[(&str, &str)]) -> RepositorySecret {
    labelled("repository", url, values)
}

pub(crate) fn labelled(kind: &str, url: &str, values: &[(&str, &str)]) -> RepositorySecret {
    let data = std::iter::once(("url", url))
        .chain(values.iter().copied())
        .map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
    let mut secret = Secret {
        data: Some(data.collect()),
        ..Secret::default()
    };
    let pair = |key: &str, value: &str| Some(BTreeMap::from([(key.to_owned(), value.to_owned())]));
    secret.metadata.name = Some("config-repository".to_owned());
    secret.metadata.namespace = Some("signet".to_owned());
    secret.metadata.labels = pair("argocd.argoproj.io/secret-type", kind);
    secret.metadata.annotations = pair(ALLOW_LOCAL_ADDRESSES, "true");
    RepositorySecret::decode(&secret).unwrap()
}

pub(crate) fn known(secret: RepositorySecret) -> Known {
    Known {
        secrets: vec![secret],
        ..Known::default()
    }
}

/// The repository at `url` for a project that may use what is `known`.
pub(crate) fn reached(known: &Known, url: &str) -> Result<Repository, GitError> {
    let kind = controller::repositories::RepositoryKind::Git;
    Ok(Repository {
        url: RepositoryUrl::parse(url)?,
        access: known.access(kind, url, "default")?,
    })
}

/// The repository at `url` with a Secret of these values.
pub(crate) fn with_secret(url: &str, values: &[(&str, &str)]) -> Repository {
    reached(&known(secret(url, values)), url).unwrap()
}

pub(crate) fn with_password(url: &str, password: &str) -> Repository {
    with_secret(url, &[("username", "signet"), ("password", password)])
}
