//! How much one child may use. Each number has its reason beside it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much one child may use.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// From its start to its end; Argo CD gives as much.
    pub time: Duration,
    /// Bytes of standard output.
    pub output: usize,
    /// Processor seconds of each of its processes.
    pub cpu_seconds: u64,
    /// Bytes of address space of each of its processes. Programs in Go reserve more than a gigabyte that they never touch.
    pub address_space: u64,
    /// Bytes of memory that each of its processes may write to, of that.
    pub data: u64,
    /// Bytes of the largest file that it may write.
    pub file_size: u64,
    /// Open files of each of its processes.
    pub files: u64,
    /// Processes and threads, where they can be counted apart from those of others.
    pub processes: u64,
    /// Processes and threads where its user has others too, on the whole node.
    pub processes_of_user: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(90),
            output: super::super::limits::TOTAL_BYTES,
            cpu_seconds: 90,
            address_space: 8 << 30,
            data: 1 << 30,
            file_size: 64 << 20,
            files: 1024,
            processes: 256,
            processes_of_user: 4096,
        }
    }
}
