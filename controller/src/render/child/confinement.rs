//! What a process gives up before it becomes a child: namespaces, limits, files, network, signals. Nothing of it can be had back.
//! It must run in a process of one thread, before anything else is started there.

use std::{fs, path::PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};
use nix::{
    errno::Errno,
    sched::{CloneFlags, unshare},
    sys::{
        prctl,
        resource::{Resource, setrlimit},
        signal::Signal,
    },
};
use serde::{Deserialize, Serialize};

use super::limits::Limits;

/// The newest rights that were tried; an older kernel enforces those of them that it knows.
const LANDLOCK: ABI = ABI::V7;
/// What any program may expect to be there.
const DEVICES: [&str; 2] = ["/dev/null", "/dev/urandom"];
/// What a program needs to find hosts and to trust them.
const NETWORK: [&str; 6] = [
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/ssl",
    "/usr/share/ca-certificates",
];

/// What a child keeps.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Confinement {
    pub(super) readable: Vec<PathBuf>,
    pub(super) writable: PathBuf,
    pub(super) network: bool,
    pub(super) landlocked: bool,
    pub(super) limits: Limits,
}

/// Why a process can't be confined.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unconfined {
    #[error("can't set its limits: {0}")]
    Limits(#[from] Errno),
    #[error("can't restrict its files: {0}")]
    Files(#[from] RulesetError),
    #[error("can't restrict its files: the kernel has no Landlock")]
    NoLandlock,
}

impl Confinement {
    /// As an argument of the launcher. It names paths and numbers only.
    pub(super) fn to_argument(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Confines this process. What the kernel does not have, or does not permit, is left out: each layer stands alone.
    pub(super) fn enter(&self) -> Result<(), Unconfined> {
        // Ends with whoever started it, however that ends.
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // When memory is short, the child goes before the controller. Raising the score needs no privilege.
        let _ = fs::write("/proc/self/oom_score_adj", "1000");
        let alone = self.leave_namespaces();
        self.limit(alone)?;
        self.restrict()?;
        Ok(())
    }

    /// A user namespace takes all capabilities away and counts processes apart; the network one holds no way out.
    fn leave_namespaces(&self) -> bool {
        let mut namespaces = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWIPC;
        if !self.network {
            namespaces |= CloneFlags::CLONE_NEWNET;
        }
        unshare(namespaces).is_ok()
    }

    fn limit(&self, alone: bool) -> Result<(), Errno> {
        let Limits {
            cpu_seconds,
            address_space,
            data,
            file_size,
            files,
            processes,
            processes_of_user,
            ..
        } = self.limits;
        let processes = if alone { processes } else { processes_of_user };
        for (resource, limit) in [
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_CPU, cpu_seconds),
            (Resource::RLIMIT_AS, address_space),
            (Resource::RLIMIT_DATA, data),
            (Resource::RLIMIT_FSIZE, file_size),
            (Resource::RLIMIT_NOFILE, files),
            (Resource::RLIMIT_NPROC, processes),
        ] {
            setrlimit(resource, limit, limit)?;
        }
        Ok(())
    }

    /// Landlock also keeps it from signalling and tracing processes outside, and from reading their memory.
    fn restrict(&self) -> Result<(), Unconfined> {
        let mut rules = Ruleset::default()
            .handle_access(AccessFs::from_all(LANDLOCK))?
            .scope(Scope::from_all(LANDLOCK))?;
        if !self.network {
            rules = rules.handle_access(AccessNet::from_all(LANDLOCK))?;
        }
        let network = NETWORK.iter().filter(|_| self.network);
        let status = rules
            .create()?
            .add_rules(path_beneath_rules(
                &self.readable,
                AccessFs::from_read(LANDLOCK),
            ))?
            .add_rules(path_beneath_rules(network, AccessFs::from_read(LANDLOCK)))?
            .add_rules(path_beneath_rules(
                DEVICES,
                AccessFs::ReadFile | AccessFs::WriteFile,
            ))?
            .add_rules(path_beneath_rules(
                [&self.writable],
                AccessFs::from_all(LANDLOCK),
            ))?
            .restrict_self()?;
        match status.ruleset {
            RulesetStatus::NotEnforced if self.landlocked => Err(Unconfined::NoLandlock),
            _ => Ok(()),
        }
    }
}
