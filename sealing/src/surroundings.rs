//! What templates may know of the world: the time and randomness, both handed in by the caller.
//! Reads no clock and no generator of its own.

use std::cell::RefCell;
use std::fmt;

use k8s_openapi::jiff::Timestamp;
use rand_core::TryCryptoRng;

/// Fills a buffer, and says whether it could.
type Fill<'a> = dyn FnMut(&mut [u8]) -> bool + 'a;

/// The time and a generator of random numbers, for the template functions that ask for them.
pub struct Surroundings<'a> {
    /// The time of all of one rendering: `now` says the same in each template of an object.
    pub(crate) now: Timestamp,
    random: RefCell<Box<Fill<'a>>>,
}

impl<'a> Surroundings<'a> {
    /// A moment and a generator that is good enough for keys.
    pub fn new(now: Timestamp, random: &'a mut impl TryCryptoRng) -> Self {
        let fill = move |buffer: &mut [u8]| random.try_fill_bytes(buffer).is_ok();
        Self {
            now,
            random: RefCell::new(Box::new(fill)),
        }
    }

    /// Fills a buffer with random bytes; false when the generator fails.
    pub(crate) fn fill(&self, buffer: &mut [u8]) -> bool {
        (self.random.borrow_mut())(buffer)
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Surroundings({})", self.now)
    }
}
