//! A Helm repository: its index as it is downloaded and read at once, and the archives that it names.
//! It keeps no index; who asks does.

use std::{
    io::{BufReader, Read},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use flate2::read::MultiGzDecoder;
use reqwest::{
    Url,
    header::{
        ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, HeaderValue,
        IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    },
};
use tokio::{sync::mpsc, task};

use super::{
    Access, ChartError, Recipients,
    http::{Answer, BROKEN_OFF, Get, Http, Redirects, is_same_host},
    index::{self, Digest, Index, Release, Unreadable},
    limited::Limited,
    limits::{ARCHIVE_BYTES, INDEX_BYTES},
};

/// Pieces of an index that may wait for being read: some 16 KB each.
const WAITING_PIECES: usize = 8;

/// A server that has charts and an index of them.
#[derive(Debug)]
pub(super) struct Repository {
    http: Http,
    at: String,
    authorization: Option<HeaderValue>,
    /// What the server said of the last index that was read whole: headers with which it is asked for a newer one.
    validators: Mutex<HeaderMap>,
}

impl Repository {
    pub(super) fn new(
        home: Url,
        at: String,
        access: &Access,
        timeout: Duration,
    ) -> Result<Self, ChartError> {
        let http = Http::new(home, access, &at, timeout)?;
        Ok(Self {
            authorization: http.authorization(),
            http,
            at,
            validators: Mutex::default(),
        })
    }

    pub(super) fn access(&self) -> &Access {
        self.http.access()
    }

    /// The index; `None` when it is still the `known` one.
    pub(super) async fn index(&self, known: bool) -> Result<Option<Index>, ChartError> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if known {
            headers.extend(self.validators().clone());
        }
        let get = Get {
            at: &self.at,
            url: self
                .http
                .home()
                .join("index.yaml")
                .map_err(|_| self.not_found())?,
            headers,
            authorization: self.authorization.as_ref(),
            known_to: std::slice::from_ref(self.http.home()),
            redirects: Redirects::OwnHost,
        };
        let mut answer = self.http.get(get).await?;
        match answer.status().as_u16() {
            200 => {}
            304 if known => return Ok(None),
            404 | 410 => return Err(self.not_found()),
            status => {
                let refusal = self.http.refusal(&self.at, answer.status());
                return Err(
                    refusal.unwrap_or_else(|| self.problem(format!("HTTP status {status}")))
                );
            }
        }
        let validators = validators(&answer);
        let index = self.read(&mut answer).await?;
        *self.validators() = validators;
        Ok(Some(index))
    }

    /// Reads the index on a thread of its own while it comes in.
    async fn read(&self, answer: &mut Answer) -> Result<Index, ChartError> {
        let is_packed = match answer.headers(CONTENT_ENCODING).next() {
            None | Some("identity" | "") => false,
            Some("gzip" | "x-gzip") => true,
            Some(_) => {
                return Err(
                    self.problem("its index.yaml is compressed, and not with gzip".to_owned())
                );
            }
        };
        let (sender, receiver) = mpsc::channel(WAITING_PIECES);
        let reading = task::spawn_blocking(move || read(receiver, is_packed));
        let sent = send(answer, sender).await;
        let read = reading.await;
        sent?;
        match read {
            Ok(Ok(index)) => Ok(index),
            Ok(Err(Unreadable::Problem(problem))) => Err(self.problem(problem)),
            Ok(Err(Unreadable::BrokenOff)) | Err(_) => Err(ChartError::Unreachable {
                at: self.at.clone(),
                cause: BROKEN_OFF.to_owned(),
            }),
            Ok(Err(too_large)) => Err(ChartError::TooLarge {
                at: self.at.clone(),
                what: "index.yaml",
                limit: too_large.limit(),
            }),
        }
    }

    /// The archive of a release, as the server has it; `at` is the chart, for messages.
    pub(super) async fn archive(
        &self,
        release: &Release,
        recipients: Recipients,
        at: &str,
    ) -> Result<Vec<u8>, ChartError> {
        let url = self.archive_url(release, at)?;
        let known_to = match recipients {
            Recipients::OwnHost => vec![self.http.home().clone()],
            Recipients::ChartHost => vec![self.http.home().clone(), url.clone()],
        };
        let get = Get {
            at,
            url,
            headers: HeaderMap::new(),
            authorization: self.authorization.as_ref(),
            known_to: &known_to,
            redirects: Redirects::Anywhere,
        };
        let answer = self.http.get(get).await?;
        match answer.status().as_u16() {
            200 => answer.body(ARCHIVE_BYTES, "archive").await,
            404 | 410 => Err(ChartError::ArchiveNotFound { at: at.to_owned() }),
            status => Err(self.http.refusal(at, answer.status()).unwrap_or_else(|| {
                ChartError::NotAChart {
                    at: at.to_owned(),
                    problem: format!("HTTP status {status}"),
                }
            })),
        }
    }

    fn archive_url(&self, release: &Release, at: &str) -> Result<Url, ChartError> {
        let unusable = |what| ChartError::NotSupported {
            at: at.to_owned(),
            what,
        };
        let url = self.http.home().join(&release.url);
        let url = url.map_err(|_| unusable("the URL that the index has for the archive"))?;
        let is_pinned = matches!(release.digest, Digest::Sha256(_));
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_pinned || is_same_host(self.http.home(), &url) => Ok(url),
            "http" => Err(unusable(
                "an archive over http without a digest in the index",
            )),
            _ => Err(unusable(
                "an archive at a URL that is neither https nor oci",
            )),
        }
    }

    fn not_found(&self) -> ChartError {
        ChartError::RepositoryNotFound {
            at: self.at.clone(),
        }
    }

    fn problem(&self, problem: String) -> ChartError {
        ChartError::NotARepository {
            at: self.at.clone(),
            problem,
        }
    }

    fn validators(&self) -> std::sync::MutexGuard<'_, HeaderMap> {
        self.validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Longer validators are no validators of ours to keep.
const VALIDATOR_BYTES: usize = 1024;

fn validators(answer: &Answer) -> HeaderMap {
    let validator = |(said, asked): (HeaderName, HeaderName)| {
        let value = answer
            .headers(said)
            .next()
            .filter(|value| value.len() <= VALIDATOR_BYTES)?;
        Some((asked, HeaderValue::from_str(value).ok()?))
    };
    let pairs = [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)];
    pairs.into_iter().filter_map(validator).collect()
}

/// Hands the body on piece by piece, and its end; stops when nobody reads any more.
async fn send(
    answer: &mut Answer,
    pieces: mpsc::Sender<Option<Vec<u8>>>,
) -> Result<(), ChartError> {
    loop {
        let piece = answer.piece().await?;
        let is_end = piece.is_none();
        if pieces.send(piece).await.is_err() || is_end {
            return Ok(());
        }
    }
}

fn read(pieces: mpsc::Receiver<Option<Vec<u8>>>, is_packed: bool) -> Result<Index, Unreadable> {
    let pieces = Pieces {
        pieces,
        piece: Vec::new(),
        read: 0,
        is_whole: false,
    };
    let limited = |input| {
        BufReader::new(Limited {
            input,
            left: INDEX_BYTES,
        })
    };
    let plain: Box<dyn Read> = if is_packed {
        Box::new(MultiGzDecoder::new(pieces))
    } else {
        Box::new(pieces)
    };
    index::read(limited(plain))
}

/// What comes in through a channel, as a reader.
struct Pieces {
    pieces: mpsc::Receiver<Option<Vec<u8>>>,
    piece: Vec<u8>,
    read: usize,
    is_whole: bool,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.read == self.piece.len() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Some(piece)) => (self.piece, self.read) = (piece, 0),
                Some(None) => self.is_whole = true,
                None => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let length = buffer.len().min(self.piece.len() - self.read);
        buffer[..length].copy_from_slice(&self.piece[self.read..][..length]);
        self.read += length;
        Ok(length)
    }
}
