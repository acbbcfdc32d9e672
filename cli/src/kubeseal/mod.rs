//! kubeseal: the front door that behaves as Sealed Secrets' own command does, to the byte.
//! Must not decide anything that is not kubeseal's; what `signet` decides is in `commands`.

mod certificate;
mod client_check;
mod client_config;
mod coerce;
mod flag_table;
mod flag_value;
mod flags;
mod go_json;
mod go_text;
mod go_yaml;
mod go_yaml_scalar;
mod input;
mod json_value;
mod merge;
mod raw;
mod re_encrypt;
mod schema;
mod seal;
mod sealed_object;
mod service;
mod settings;
mod sink;
mod texts;
mod typed;
mod unseal;
mod usage;
mod validate;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::Path;
use std::process::ExitCode;

use flags::{Flags, Misuse};
use input::Opened;
use settings::Settings;
use sink::Sink;
use texts::Error;

use crate::report;

/// The version whose behaviour this is; see docs/kubeseal.md.
const VERSION: &str = "0.40.0";
/// A command line that can't be understood.
const MISUSE: u8 = 2;

/// Said on a terminal, in kubeseal's words and without a colour.
const IGNORED_KEY: &str = "warning: ignoring --recovery-private-key because unseal command not chosen with --recovery-unseal";

/// A run of kubeseal, whichever name it was started by.
#[derive(Debug)]
pub(crate) struct Call<'arguments> {
    /// What the user typed before the first flag.
    program: String,
    arguments: &'arguments [OsString],
}

impl<'arguments> Call<'arguments> {
    /// A call under the name `kubeseal`, or of `signet kubeseal`.
    pub(crate) fn of(command_line: &'arguments [OsString]) -> Option<Self> {
        let (program, arguments) = command_line.split_first()?;
        let name = Path::new(program).file_name()?;
        if name == "kubeseal" || name == "kubeseal.exe" {
            return Some(Self {
                program: program.to_string_lossy().into_owned(),
                arguments,
            });
        }
        match arguments.split_first() {
            Some((command, rest)) if command == "kubeseal" => Some(Self {
                program: format!("{} kubeseal", program.to_string_lossy()),
                arguments: rest,
            }),
            _ => None,
        }
    }

    pub(crate) fn run(&self) -> ExitCode {
        let (flags, parsed) = Flags::parse(self.arguments, |name| std::env::var_os(name));
        for line in &flags.deprecations {
            print(&format!("{line}\n"));
        }
        if parsed.is_err() || flags.help_requested {
            return self.usage(parsed);
        }
        if flags.switch("version") {
            print(&format!("kubeseal version: {VERSION}\n"));
            return ExitCode::SUCCESS;
        }
        if flags.switch("help") {
            print(&format!("Usage of {}:\n{}", self.program, usage::list()));
            return ExitCode::SUCCESS;
        }
        if let Some(unusable) = flags.unusable() {
            report::note(format_args!("error: {unusable}"));
            return ExitCode::from(MISUSE);
        }
        match run(Settings::new(&flags)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                report::note(format_args!("error: {error}"));
                ExitCode::FAILURE
            }
        }
    }

    /// The list of flags goes to standard output, so that the last line there says what is wrong.
    fn usage(&self, parsed: Result<(), Misuse>) -> ExitCode {
        report::note(format_args!("Usage of {}:", self.program));
        match parsed {
            Ok(()) => {
                print(&usage::list());
                ExitCode::SUCCESS
            }
            Err(misuse) => {
                print(&format!("{}{misuse}\n", usage::list()));
                ExitCode::from(MISUSE)
            }
        }
    }
}

/// A reader that went away takes nothing from the outcome.
fn print(text: &str) {
    let _ = report::result(text.as_bytes());
}

/// The order of these steps is kubeseal's: scripts see which error comes first.
fn run(mut settings: Settings) -> Result<(), Error> {
    if !settings.from_file.is_empty() && !settings.raw {
        return Err(Error::FromFileWithoutRaw);
    }
    let input = open_input(&settings)?;
    if settings.re_encrypt && settings.output.is_none() {
        settings.output.clone_from(&settings.input);
    }
    if settings.output.as_deref().is_some_and(is_yaml) {
        "yaml".clone_into(&mut settings.format);
    }
    let mut sink = Sink::new(settings.output.as_deref())?;
    mode(&settings, &input, &mut sink)?;
    sink.finish()
}

fn open_input(settings: &Settings) -> Result<Opened, Error> {
    let input = Opened::new(settings.input.as_deref()).map_err(|_| Error::SecretFile)?;
    if input.name().is_terminal() && !settings.raw && !settings.fetch_certificate {
        report::note("(tty detected: expecting json/yaml k8s resource in stdin)");
    }
    Ok(input)
}

/// A name that is nothing but an extension has one too.
fn is_yaml(path: &Path) -> bool {
    let path = path.as_os_str().as_encoded_bytes();
    path.ends_with(b".yaml") || path.ends_with(b".yml")
}

fn mode(settings: &Settings, input: &Opened, sink: &mut Sink) -> Result<(), Error> {
    if settings.unseal {
        return unseal::run(settings, input, sink);
    }
    if !settings.private_keys.is_empty() && std::io::stderr().is_terminal() {
        report::note(IGNORED_KEY);
    }
    if settings.validate {
        return validate::run(settings, input);
    }
    if settings.re_encrypt {
        return re_encrypt::run(settings, input, sink);
    }
    let pem = certificate::fetch(settings)?;
    if settings.fetch_certificate {
        return sink.write(&pem);
    }
    let certificate = certificate::parse(&pem)?;
    if let Some(path) = &settings.merge_into {
        return merge::run(settings, path, input, &certificate);
    }
    if settings.raw {
        return raw::run(settings, &certificate, sink);
    }
    seal::run(settings, input, &certificate, sink)
}
