//! The cases: for every mode each input class with each flag class, and single ones for rules that need more.
//! What the data files say is all there is: no case is made up here.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ciphertext::Ciphertexts;
use super::fixtures::folder;
use super::words::CommandLine;

/// One call of kubeseal.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// `MODE/INPUT CLASS/SAMPLE + FLAG CLASS/NUMBER`, or `rules/FILE/NAME`.
    pub(crate) id: String,
    pub(crate) cell: Cell,
    pub(crate) line: CommandLine,
    pub(crate) input: Vec<u8>,
    /// Whether upstream's program never ends here, so that only ours is run.
    pub(crate) endless: bool,
    /// Whether it is run on a terminal, where nobody types.
    pub(crate) terminal: bool,
}

/// A field of the table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Cell {
    pub(crate) mode: String,
    pub(crate) input: String,
    pub(crate) flags: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mode {
    pub(crate) mode: String,
    run: String,
    pub(crate) inputs: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputClass {
    pub(crate) class: String,
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    name: String,
    #[serde(default)]
    text: String,
    /// In base64, instead of `text`.
    bytes: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlagClass {
    pub(crate) class: String,
    pub(crate) run: Vec<String>,
    /// The modes it is for; all where there is none.
    #[serde(default)]
    modes: Vec<String>,
    /// Why other modes have no such cell.
    pub(crate) because: Option<String>,
}

impl Case {
    /// Whether it is about the connection to the API server, which is then the usual one, with TLS.
    pub(crate) fn is_about_the_connection(&self) -> bool {
        CONNECTION.contains(&self.cell.flags.as_str())
    }
}

impl FlagClass {
    fn is_about_the_connection(&self) -> bool {
        CONNECTION.contains(&self.class.as_str())
    }

    pub(crate) fn is_for(&self, mode: &str) -> bool {
        self.modes.is_empty() || self.modes.iter().any(|known| known == mode)
    }
}

/// Classes of flags that say how the API server is reached.
const CONNECTION: [&str; 3] = ["kubeconfig", "kubectl", "API server"];

/// A case for a rule of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    rule: String,
    cell: (String, String, String),
    run: String,
    #[serde(default)]
    stdin: String,
    #[serde(default)]
    endless: bool,
    #[serde(default)]
    terminal: bool,
}

/// The axes of the table.
pub(crate) struct Axes {
    /// The controller in the cluster, for modes that ask it.
    server: Option<&'static str>,
    pub(crate) modes: Vec<Mode>,
    pub(crate) flags: Vec<FlagClass>,
}

impl Axes {
    /// The modes that need nothing but files.
    pub(crate) fn offline() -> Self {
        Self {
            server: None,
            modes: yaml("modes.yaml"),
            flags: yaml("flags.yaml"),
        }
    }

    /// The modes that ask the cluster, where upstream's controller is.
    pub(crate) fn upstream() -> Self {
        Self {
            server: Some("upstream's controller"),
            modes: yaml("modes-online.yaml"),
            flags: yaml("flags.yaml"),
        }
    }

    /// The same with ours, and with the flags that change what it is asked or what becomes of the answer.
    pub(crate) fn ours() -> Self {
        const ASKING: [&str; 5] = ["none", "format", "input file", "output file", "controller"];
        let flags = Self::upstream()
            .flags
            .into_iter()
            .filter(|flags| ASKING.contains(&flags.class.as_str()))
            .collect();
        Self {
            server: Some("our controller"),
            flags,
            ..Self::upstream()
        }
    }

    /// Whether every sample of a class is tried. With a cluster only those that change who is asked and how: offline all are.
    fn tries_all(&self, flags: &FlagClass) -> bool {
        self.server.is_none()
            || ["none", "controller"].contains(&flags.class.as_str())
            || flags.is_about_the_connection()
    }

    /// What the grid of a mode is called.
    pub(crate) fn title(&self, mode: &str) -> String {
        self.server
            .map_or_else(|| mode.to_owned(), |server| format!("{mode}, {server}"))
    }

    pub(crate) fn inputs(mode: &Mode) -> Vec<InputClass> {
        yaml(&format!("inputs/{}.yaml", mode.inputs))
    }

    /// Every case of the table.
    pub(crate) fn cases(&self, ciphertexts: &Ciphertexts) -> Vec<Case> {
        let mut cases = Vec::new();
        for mode in &self.modes {
            let inputs = Self::inputs(mode);
            for (row, input) in inputs.iter().enumerate() {
                for (column, flags) in self
                    .flags
                    .iter()
                    .enumerate()
                    .filter(|(_, flags)| flags.is_for(&mode.mode))
                {
                    let place = (row, column, self.tries_all(flags));
                    for (sample, run) in pairs(place, input.samples.len(), flags.run.len()) {
                        cases.push(self.case(mode, (input, sample), (flags, run), ciphertexts));
                    }
                }
            }
        }
        cases
    }

    fn case(
        &self,
        mode: &Mode,
        (input, sample): (&InputClass, usize),
        (flags, run): (&FlagClass, usize),
        ciphertexts: &Ciphertexts,
    ) -> Case {
        let sample = &input.samples[sample];
        let bytes = sample.bytes.as_ref().map_or_else(
            || ciphertexts.fill_in(&sample.text).into_bytes(),
            |bytes| STANDARD.decode(bytes).expect("a sample in base64"),
        );
        let title = self.title(&mode.mode);
        Case {
            id: format!(
                "{title}/{}/{} + {}/{}",
                input.class,
                sample.name,
                flags.class,
                run + 1
            ),
            cell: Cell {
                mode: title,
                input: input.class.clone(),
                flags: flags.class.clone(),
            },
            line: CommandLine::parse(&mode.run).and(&CommandLine::parse(&flags.run[run])),
            input: bytes,
            endless: false,
            terminal: false,
        }
    }
}

/// Which samples meet in a cell: all with the plainest of the other axis, elsewhere one of each in turn.
fn pairs(
    (row, column, tries_all): (usize, usize, bool),
    samples: usize,
    runs: usize,
) -> Vec<(usize, usize)> {
    const PLAIN_ROW: usize = 1;
    const PLAIN_COLUMN: usize = 0;
    let is_plain = row == PLAIN_ROW || column == PLAIN_COLUMN;
    let many = if tries_all && is_plain {
        samples.max(runs)
    } else {
        1
    };
    (0..many)
        .map(|turn| ((column + turn) % samples, (row + turn) % runs))
        .collect()
}

/// The single cases in the files of a folder.
pub(crate) fn rules(rules: &str, ciphertexts: &Ciphertexts) -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(folder().join(rules))
        .expect("the folder of rules")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let stem = path
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned();
        for rule in yaml::<Vec<Rule>>(&format!("{rules}/{stem}.yaml")) {
            let (mode, input, flags) = rule.cell;
            cases.push(Case {
                id: format!("{rules}/{stem}/{}", rule.rule),
                cell: Cell { mode, input, flags },
                line: CommandLine::parse(&rule.run),
                input: ciphertexts.fill_in(&rule.stdin).into_bytes(),
                endless: rule.endless,
                terminal: rule.terminal,
            });
        }
    }
    cases
}

pub(crate) fn yaml<T: DeserializeOwned>(name: &str) -> T {
    let text =
        fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}
