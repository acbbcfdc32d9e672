//! Which commits lead to which, and which of them claim to seal what is before them: all that is known of a history in memory.
//! It reads no object, and must not judge a signature.

use std::collections::{BTreeSet, HashMap, HashSet};

use gix::{ObjectId, objs::commit::MessageRef};

use super::CommitId;

/// The trailer of a commit whose author vouches for all that led to it. Git compares such names without regard to case.
const SEAL: &[u8] = b"Argocd-gpg-seal";

/// What a history needs to know of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    parents: Box<[ObjectId]>,
    /// It has the trailer of a seal; whether that counts is for its signature to say.
    seals: bool,
}

impl Commit {
    /// Of the text of a commit. Parents are those that git takes for parents: the lines behind that of the tree.
    pub(super) fn read(raw: &[u8]) -> Self {
        let mut lines = raw.split(|byte| *byte == b'\n').skip(1);
        let parent = |line: &[u8]| ObjectId::from_hex(line.strip_prefix(b"parent ")?).ok();
        let parents = lines.by_ref().map_while(parent).collect();
        let message = raw.windows(2).position(|two| two == b"\n\n");
        let message = message.map_or(&[][..], |at| &raw[at + 2..]);
        let body = MessageRef::from_bytes(message).body();
        let seals = body.is_some_and(|body| {
            let mut trailers = body.trailers();
            trailers.any(|trailer| trailer.token.eq_ignore_ascii_case(SEAL))
        });
        Self { parents, seals }
    }
}

/// Commits, each with all that led to it.
#[derive(Debug, Default)]
pub(super) struct Ancestry(HashMap<ObjectId, Commit>);

impl Ancestry {
    pub(super) fn has(&self, commit: ObjectId) -> bool {
        self.0.contains_key(&commit)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes over the commits that lead to a new one, which must be all that are not known.
    pub(super) fn extend(&mut self, commits: HashMap<ObjectId, Commit>) {
        self.0.extend(commits);
    }

    /// The commits up to `tip` that are not known, as `read` finds them.
    pub(super) fn unknown<E>(
        tip: ObjectId,
        known: impl Fn(ObjectId) -> bool,
        read: impl Fn(ObjectId) -> Result<Commit, E>,
    ) -> Result<HashMap<ObjectId, Commit>, E> {
        let (mut unknown, mut left) = (HashMap::new(), vec![tip]);
        while let Some(id) = left.pop() {
            if known(id) || unknown.contains_key(&id) {
                continue;
            }
            let commit = read(id)?;
            left.extend(&commit.parents);
            unknown.insert(id, commit);
        }
        Ok(unknown)
    }

    /// The commits up to `tip` that claim to be seals.
    pub(super) fn seals(&self, tip: ObjectId) -> Vec<CommitId> {
        let mut all = self.upwards([tip], &HashSet::new());
        all.retain(|id| self.0.get(id).is_some_and(|commit| commit.seals));
        all.into_iter().map(CommitId).collect()
    }

    /// The commits whose signatures count for `tip`, nearest first: those that lead to it, but none that led to one of the
    /// `seals`. Of these, commits that others were built on past the seal count again, as in Argo CD.
    pub(super) fn unsealed(&self, tip: ObjectId, seals: &BTreeSet<CommitId>) -> Vec<CommitId> {
        let seals: HashSet<_> = seals.iter().map(|seal| seal.0).collect();
        let sealed = seals
            .iter()
            .flat_map(|seal| self.parents(seal).iter().copied());
        let sealed: HashSet<_> = self.upwards(sealed, &HashSet::new()).into_iter().collect();
        let mut counting = self.upwards([tip], &sealed);
        let past = counting.iter().filter(|id| !seals.contains(*id));
        let past = past.flat_map(|id| self.parents(id));
        let past: Vec<_> = past.filter(|id| sealed.contains(*id)).copied().collect();
        let mut known: HashSet<_> = counting.iter().copied().collect();
        counting.extend(past.into_iter().filter(|id| known.insert(*id)));
        counting.into_iter().map(CommitId).collect()
    }

    /// The commits and all that led to them, nearest first, without those of `but` and what led to those alone.
    fn upwards(
        &self,
        from: impl IntoIterator<Item = ObjectId>,
        but: &HashSet<ObjectId>,
    ) -> Vec<ObjectId> {
        let (mut found, mut known) = (Vec::new(), HashSet::new());
        let new =
            |id: &ObjectId, known: &mut HashSet<ObjectId>| !but.contains(id) && known.insert(*id);
        found.extend(from.into_iter().filter(|id| new(id, &mut known)));
        let mut at = 0;
        while let Some(id) = found.get(at).copied() {
            let parents = self.parents(&id).iter().copied();
            found.extend(parents.filter(|id| new(id, &mut known)));
            at += 1;
        }
        found
    }

    fn parents(&self, id: &ObjectId) -> &[ObjectId] {
        self.0.get(id).map_or(&[], |commit| &commit.parents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: char) -> ObjectId {
        let mut bytes = [0; 20];
        bytes[0] = u8::try_from(name).unwrap();
        ObjectId::from_bytes_or_panic(&bytes)
    }

    /// Lines such as `c ba`: the commit `c` has the parents `b` and `a`.
    fn ancestry(lines: &[&str]) -> Ancestry {
        let commits = lines.iter().map(|line| {
            let mut names = line.chars().filter(|name| *name != ' ');
            let name = names.next().unwrap();
            let parents = names.map(id).collect();
            (
                id(name),
                Commit {
                    parents,
                    seals: name.is_uppercase(),
                },
            )
        });
        Ancestry(commits.collect())
    }

    fn names(commits: &[CommitId]) -> String {
        let names = commits.iter().map(|commit| commit.0.as_bytes()[0]);
        names.map(char::from).collect()
    }

    #[test]
    fn a_seal_hides_what_led_to_it_on_each_line_and_no_other_commit() {
        // A root `a`, work on it, a seal `S` on the one line, a merge `m` of the other, and work on that.
        let shapes: [(&[&str], &str, &str, &str); 7] = [
            (&["a", "b a", "c b"], "c", "", "cba"),
            (&["a", "b a", "c a", "m bc"], "m", "", "mbca"),
            (&["a", "b a", "S b", "d S"], "d", "S", "dS"),
            (&["a", "b a", "S b", "d S"], "S", "S", "S"),
            (&["a", "b a", "S b", "d S"], "d", "", "dSba"),
            // The second line left the history before the seal, from `a`, which therefore counts.
            (&["r", "a r", "S a", "c a", "m Sc"], "m", "S", "mSca"),
            (&["a", "S a", "b S", "T b", "c T"], "c", "ST", "cT"),
        ];
        for (lines, tip, seals, counting) in shapes {
            let ancestry = ancestry(lines);
            let tip = id(tip.chars().next().unwrap());
            let seals = seals.chars().map(|name| CommitId(id(name))).collect();
            assert_eq!(
                names(&ancestry.unsealed(tip, &seals)),
                counting,
                "{lines:?}"
            );
        }
        let sealed = ancestry(&["a", "S a", "b S", "T b", "c T", "U a"]);
        assert_eq!(names(&sealed.seals(id('c'))), "TS");
    }

    #[test]
    fn parents_and_the_trailer_of_a_seal_are_read_as_git_reads_them() {
        let parent = "1".repeat(40);
        let read = |rest: &str| {
            let raw = format!("tree {}\nparent {parent}\n{rest}", "0".repeat(40));
            Commit::read(raw.as_bytes())
        };
        let authored = format!("author A <a@b> 1 +0000\nparent {parent}\n\n");
        let commit = read(&authored);
        assert_eq!(commit.parents.len(), 1);
        assert_eq!(
            read(&format!("parent {parent}\n{authored}")).parents.len(),
            2
        );
        for (message, seals) in [
            ("Seal\n\nArgocd-gpg-seal: reviewed\n", true),
            (
                "Seal\n\nWords.\n\nSigned-off-by: A <a@b>\nArgoCD-GPG-seal: all is well\n",
                true,
            ),
            ("Tell of Argocd-gpg-seal: no trailer\n", false),
            (
                "Quote\n\nArgocd-gpg-seal: quoted\n\nThis is what it looks like.\n",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(
                read(&format!("{authored}{message}")).seals,
                seals,
                "{message}"
            );
        }
    }

    #[test]
    fn a_history_that_can_not_be_read_whole_is_not_known_at_all() {
        let read = |id: ObjectId| match id.as_bytes()[0] {
            b'a' => Err("missing"),
            name => Ok(Commit {
                parents: [self::id(char::from(name - 1))].into(),
                seals: false,
            }),
        };
        assert_eq!(Ancestry::unknown(id('c'), |_| false, read), Err("missing"));
        let found = Ancestry::unknown(id('c'), |known| known == id('b'), read);
        assert_eq!(found.unwrap().len(), 1);
    }
}
