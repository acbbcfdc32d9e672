//! Where the two programs differ, and whether the table of accepted differences says so.
//! A difference is accepted for what is seen of both programs, never for the case it was seen in.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Deserialize;

use super::cases::Case;
use super::run::Outcome;

/// A row of the table of accepted differences.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    pub(crate) class: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
    /// The section of the specification, and the mark that stands there.
    pub(crate) mark: String,
    /// How the difference shows: in one of these ways.
    when: Vec<When>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    #[serde(default)]
    ours: Shown,
    #[serde(default)]
    theirs: Shown,
    /// What may differ then.
    explains: BTreeSet<Aspect>,
}

/// What an outcome must be: an exit code, and texts that are in its parts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    exit: Option<String>,
    stdout: Option<String>,
    stderr: Option<String>,
    files: Option<String>,
}

/// A part of an outcome that is compared by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Aspect {
    Exit,
    Stdout,
    /// But for what is under `Told`.
    Stderr,
    /// Warnings, causes and hints on standard error.
    Told,
    /// But for what is under `Leftovers`.
    Files,
    /// Temporary files that stayed.
    Leftovers,
}

impl Aspect {
    const ALL: [Self; 6] = [
        Self::Exit,
        Self::Stdout,
        Self::Stderr,
        Self::Told,
        Self::Files,
        Self::Leftovers,
    ];

    fn of(self, outcome: &Outcome) -> String {
        let told = |line: &&str| {
            ["warning: ", "caused by: ", "hint: "]
                .iter()
                .any(|start| line.starts_with(start))
        };
        let errors = outcome.stderr.split_inclusive('\n');
        let files = |left: bool| {
            let files = outcome
                .files
                .iter()
                .filter(|(name, _)| name.contains("<random>") == left);
            files
                .map(|(name, content)| format!("{name} {content}\n"))
                .collect()
        };
        match self {
            Self::Exit => outcome.exit.clone(),
            Self::Stdout => outcome.stdout.clone(),
            Self::Stderr => errors.filter(|line| !told(line)).collect(),
            Self::Told => errors.filter(told).collect(),
            Self::Files => files(false),
            Self::Leftovers => files(true),
        }
    }
}

impl Shown {
    fn is(&self, outcome: &Outcome) -> bool {
        let within = |text: &Option<String>, whole: &str| {
            text.as_ref().is_none_or(|text| whole.contains(text))
        };
        let files = Aspect::Files.of(outcome) + &Aspect::Leftovers.of(outcome);
        self.exit.as_ref().is_none_or(|exit| *exit == outcome.exit)
            && within(&self.stdout, &outcome.stdout)
            && within(&self.stderr, &outcome.stderr)
            && within(&self.files, &files)
    }
}

/// One case in which the programs differ.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    case: Case,
    ours: Outcome,
    theirs: Outcome,
}

impl Difference {
    pub(crate) fn between(case: &Case, ours: Outcome, theirs: Outcome) -> Option<Self> {
        (ours != theirs).then(|| Self {
            case: case.clone(),
            ours,
            theirs,
        })
    }

    /// The classes that together explain everything that differs; none when something is left.
    pub(crate) fn classes<'a>(&self, accepted: &'a [Accepted]) -> Vec<&'a Accepted> {
        let mut left = Aspect::ALL.to_vec();
        left.retain(|aspect| aspect.of(&self.ours) != aspect.of(&self.theirs));
        let mut needed = Vec::new();
        for row in accepted {
            let fitting = row
                .when
                .iter()
                .filter(|when| when.ours.is(&self.ours) && when.theirs.is(&self.theirs));
            let explained: BTreeSet<Aspect> = fitting
                .flat_map(|when| when.explains.iter().copied())
                .collect();
            if left.iter().any(|aspect| explained.contains(aspect)) {
                left.retain(|aspect| !explained.contains(aspect));
                needed.push(row);
            }
        }
        if left.is_empty() { needed } else { Vec::new() }
    }

    /// The case, and what the programs made of it where they differ.
    pub(crate) fn show(&self) -> String {
        let mut text = format!("## {}\n", self.case.id);
        let line = &self.case.line;
        let environment: String = line
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value} "))
            .collect();
        writeln!(text, "$ {environment}kubeseal {}", line.arguments.join(" ")).expect("memory");
        let (ours, theirs) = (&self.ours, &self.theirs);
        for (what, ours, theirs) in [
            ("exit", &ours.exit, &theirs.exit),
            ("stdout", &ours.stdout, &theirs.stdout),
            ("stderr", &ours.stderr, &theirs.stderr),
        ] {
            show_both(&mut text, what, Some(ours), Some(theirs));
        }
        let names: BTreeSet<&String> = ours.files.keys().chain(theirs.files.keys()).collect();
        for name in names {
            show_both(
                &mut text,
                name,
                ours.files.get(name),
                theirs.files.get(name),
            );
        }
        text
    }
}

/// Between the lines that are equal at both ends: all that ours has, and the beginning of what theirs has.
fn show_both(text: &mut String, what: &str, ours: Option<&String>, theirs: Option<&String>) {
    const ENOUGH: usize = 5;
    if ours == theirs {
        return;
    }
    let lines = |side: Option<&String>| -> Vec<String> {
        side.map_or_else(
            || vec!["(no such file)".to_owned()],
            |side| side.lines().map(str::to_owned).collect(),
        )
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    let before = ours
        .iter()
        .zip(&theirs)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let ends = ours[before..]
        .iter()
        .rev()
        .zip(theirs[before..].iter().rev());
    let after = ends.take_while(|(ours, theirs)| ours == theirs).count();
    text.push_str(&if before > 0 {
        format!("{what}, line {}:\n", before + 1)
    } else {
        format!("{what}:\n")
    });
    let theirs = &theirs[before..theirs.len() - after];
    text.extend(
        theirs
            .iter()
            .take(ENOUGH)
            .map(|line| format!("  - {line}\n")),
    );
    text.extend(
        (theirs.len() > ENOUGH).then(|| format!("  - … {} more lines\n", theirs.len() - ENOUGH)),
    );
    text.extend(
        ours[before..ours.len() - after]
            .iter()
            .map(|line| format!("  + {line}\n")),
    );
}
