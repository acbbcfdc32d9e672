//! The two programs, both named `kubeseal`, and the comparing of what they do.
//! `SIGNET=PATH` names another build of ours.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cases::Case;
use super::ciphertext::Ciphertexts;
use super::differences::Difference;
use super::fixtures;
use super::normalise::normalise;
use super::run::{Bench, Outcome};

pub(crate) struct Programs {
    pub(crate) ciphertexts: Ciphertexts,
    /// Where `files/` and `targets/` are.
    pub(crate) root: tempfile::TempDir,
    pub(crate) ours: PathBuf,
    pub(crate) theirs: PathBuf,
}

/// What both programs find in their environment, beside what the case itself says.
pub(crate) type Environment<'a> = &'a (dyn Fn(&Case) -> Vec<(String, String)> + Sync);

/// What came of a case.
pub(crate) struct Compared {
    pub(crate) case: Case,
    /// How upstream's program ended.
    pub(crate) exit: String,
    pub(crate) difference: Option<Difference>,
}

impl Programs {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let ciphertexts = Ciphertexts::new();
        fixtures::make(root.path(), &ciphertexts);
        let signet = std::env::var_os("SIGNET").map_or_else(
            || PathBuf::from(env!("CARGO_BIN_EXE_signet")),
            PathBuf::from,
        );
        let ours = named_kubeseal(root.path(), "ours", &signet);
        let theirs = named_kubeseal(root.path(), "theirs", &on_path("kubeseal"));
        Self {
            ciphertexts,
            root,
            ours,
            theirs,
        }
    }

    /// Runs all cases with both programs, many at a time, and returns what came of it in the order of the cases.
    pub(crate) fn compare(&self, cases: &[Case], environment: Environment<'_>) -> Vec<Compared> {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        // A case waits as often as it computes: for processes to start, and for the cluster.
        let workers = 3 * std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for worker in 0..workers {
                let (next, done) = (&next, &done);
                let mut bench = self.bench(worker);
                scope.spawn(move || {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(case) = cases.get(at) else { break };
                        bench.environment = environment(case);
                        let compared = self.both(&bench, case);
                        done.lock().expect("no holder panics").push((at, compared));
                    }
                });
            }
        });
        let mut done = done.into_inner().expect("no holder panics");
        done.sort_by_key(|(at, _)| *at);
        done.into_iter().map(|(_, compared)| compared).collect()
    }

    fn bench(&self, worker: usize) -> Bench {
        Bench {
            root: self.root.path().to_owned(),
            place: self.root.path().join(format!("bench-{worker}")),
            environment: Vec::new(),
        }
    }

    fn both(&self, bench: &Bench, case: &Case) -> Compared {
        let outcome =
            |program: &Path| normalise(&bench.run(program, case), case, &self.ciphertexts);
        let ours = outcome(&self.ours);
        let theirs = if case.endless {
            Outcome::endless(&ours)
        } else {
            outcome(&self.theirs)
        };
        Compared {
            case: case.clone(),
            exit: theirs.exit.clone(),
            difference: Difference::between(case, ours, theirs),
        }
    }
}

fn named_kubeseal(root: &Path, folder: &str, program: &Path) -> PathBuf {
    let link = root.join(folder).join("kubeseal");
    std::fs::create_dir(root.join(folder)).expect("a folder of our own");
    symlink(program, &link).expect("a folder of our own");
    link
}

fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!("{name} is not on the PATH: run this suite in tests/testbed/with")
        })
}
