//! When a step of an operation is due: in which phase, and in which wave of it.
//! Slots come after each other: nothing of a later one begins before an earlier one is finished.

use std::fmt;

use crate::dialect::Phase;

/// A wave of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// Which part of the operation.
    pub phase: Phase,
    /// The sync wave.
    pub wave: i32,
}

impl Slot {
    /// A wave of the objects themselves.
    pub fn sync(wave: i32) -> Self {
        Self {
            phase: Phase::Sync,
            wave,
        }
    }

    /// Where everything stands that says nothing else.
    pub fn is_ordinary(self) -> bool {
        self == Self::sync(0)
    }
}

/// What is not ordinary in it.
impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.phase, self.wave) {
            (Phase::Sync, wave) => write!(f, "wave {wave}"),
            (phase, 0) => f.write_str(phase.name()),
            (phase, wave) => write!(f, "{}, wave {wave}", phase.name()),
        }
    }
}
