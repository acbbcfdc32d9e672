//! Where log lines go and how they look: as Go's slog writes them, which is what scripts over upstream's log read.
//! It must not be used for anything but the start of the process.

mod line;

use std::fmt;
use std::io::{stderr, stdout};
use std::panic::PanicHookInfo;

use k8s_openapi::jiff::Timestamp;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use self::line::Line;
use crate::settings::{Log, LogFormat, LogLevel};

/// Starts logging. A second start in one process changes nothing.
pub(super) fn init(settings: &Log) {
    let writer = match settings.log_info_stdout {
        true => BoxMakeWriter::new(stderr.with_max_level(Level::WARN).or_else(stdout)),
        false => BoxMakeWriter::new(stderr),
    };
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter(settings.log_level))
        .event_format(Lines(settings.log_format))
        .with_writer(writer)
        .try_init();
    drop(started);
    std::panic::set_hook(Box::new(tell_panic));
}

/// Says where it happened, never the message: that can quote the text at which it happened.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "a panic, which is a defect: please report it");
}

/// Libraries speak only where something is wrong; the client reports a failed request to us, who log it with its object.
fn filter(level: LogLevel) -> EnvFilter {
    let level = match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    };
    EnvFilter::new(format!(
        "warn,controller={level},kube_client=off,kube_runtime=off"
    ))
}

/// One line for each event, in this format.
struct Lines(LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line::new(Timestamp::now(), event.metadata().level().as_str());
        event.record(&mut line);
        match self.0 {
            LogFormat::Text => writeln!(writer, "{}", line.text()),
            LogFormat::Json => writeln!(writer, "{}", line.json()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, read_to_string};
    use std::panic::{catch_unwind, set_hook, take_hook};

    use super::*;

    #[test]
    fn a_panic_is_told_by_its_place_and_without_its_message() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines = tracing_subscriber::fmt()
            .event_format(Lines(LogFormat::Text))
            .with_writer(File::create(log.path()).unwrap())
            .finish();
        let usual = take_hook();
        set_hook(Box::new(tell_panic));
        let panicked = tracing::subscriber::with_default(lines, || {
            // As a slice that ends inside of a character does: its message quotes the text.
            catch_unwind(|| panic!("'é' of `hunter2é`"))
        });
        set_hook(usual);
        assert!(panicked.is_err());
        let told = read_to_string(log.path()).unwrap();
        assert!(
            told.contains("level=ERROR") && told.contains("log.rs:"),
            "{told}"
        );
        assert!(!told.contains("hunter2"), "{told}");
    }
}
