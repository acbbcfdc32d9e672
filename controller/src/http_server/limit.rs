//! How often each caller may ask, and the headers that tell.
//! It must not grow with the number of callers: the header that tells them apart can be made up.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::rate::{Bucket, Rate, Verdict};

/// What a limited caller reads.
pub(crate) const EXCEEDED: &str = "limit exceeded\n";
/// Callers that are told apart at once. Further ones share a bucket.
const BUCKETS: usize = 4096;
/// Longest part of the header that tells callers apart.
const LONGEST_CALLER: usize = 256;

/// One bucket per path and caller.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: Rate,
    buckets: Mutex<HashMap<Caller, Bucket>>,
}

type Caller = (String, Vec<u8>);

impl Limiter {
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            rate: Rate::new(f64::from(per_second), burst),
            buckets: Mutex::default(),
        }
    }

    /// Requests that may come at once.
    pub(crate) fn limit(&self) -> u32 {
        self.rate.limit()
    }

    pub(crate) fn check(&self, path: &str, caller: &[u8], now: Instant) -> Verdict {
        let caller = &caller[..caller.len().min(LONGEST_CALLER)];
        let mut key = (path.to_owned(), caller.to_vec());
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| !bucket.is_empty(now));
            if buckets.len() >= BUCKETS {
                key.1.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert_with(|| Bucket::new(now));
        self.rate.check(bucket, now)
    }
}

/// Tells the caller where it stands, in whole seconds, rounded up.
pub(crate) fn write_headers(verdict: &Verdict, limit: u32, headers: &mut HeaderMap) {
    let seconds =
        |time: Duration| HeaderValue::from(time.as_nanos().div_ceil(1_000_000_000) as u64);
    headers.insert(
        HeaderName::from_static("x-ratelimit-limit"),
        HeaderValue::from(limit),
    );
    headers.insert(
        HeaderName::from_static("x-ratelimit-remaining"),
        HeaderValue::from(verdict.remaining),
    );
    headers.insert(
        HeaderName::from_static("x-ratelimit-reset"),
        seconds(verdict.reset_after),
    );
    if !verdict.allowed {
        headers.insert(RETRY_AFTER, seconds(verdict.retry_after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_and_caller_has_its_own_bucket() {
        let limiter = Limiter::new(2, 0);
        let now = Instant::now();
        assert!(limiter.check("/v1/verify", b"a", now).allowed);
        assert!(!limiter.check("/v1/verify", b"a", now).allowed);
        assert!(limiter.check("/v1/verify", b"b", now).allowed);
        assert!(limiter.check("/v1/rotate", b"a", now).allowed);
    }

    #[test]
    fn made_up_callers_share_a_bucket_once_memory_is_full() {
        let limiter = Limiter::new(2, 0);
        let now = Instant::now();
        for caller in 0..BUCKETS {
            assert!(
                limiter
                    .check("/v1/verify", &caller.to_be_bytes(), now)
                    .allowed
            );
        }
        assert!(limiter.check("/v1/verify", b"one more", now).allowed);
        assert!(!limiter.check("/v1/verify", b"and another", now).allowed);
        assert!(
            limiter
                .check("/v1/verify", b"later", now + Duration::from_secs(1))
                .allowed
        );
    }

    #[test]
    fn a_limited_caller_is_told_to_come_again() {
        let limiter = Limiter::new(2, 2);
        let now = Instant::now();
        let last = (0..4)
            .map(|_| limiter.check("/v1/verify", b"", now))
            .last()
            .unwrap();
        let mut headers = HeaderMap::new();
        write_headers(&last, limiter.limit(), &mut headers);
        let read = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(
            (read("x-ratelimit-limit"), read("x-ratelimit-remaining")),
            ("3".to_owned(), "0".to_owned())
        );
        assert_eq!(read("retry-after"), "1");
    }
}
