//! Where log lines go and how they look.
//! It must not be used for anything but the start of the process.

use std::io::{stderr, stdout};

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt};

use crate::settings::{Log, LogFormat, LogLevel};

/// Starts logging. A second start in one process changes nothing.
pub(super) fn init(settings: &Log) {
    let writer = match settings.log_info_stdout {
        true => BoxMakeWriter::new(stderr.with_max_level(Level::WARN).or_else(stdout)),
        false => BoxMakeWriter::new(stderr),
    };
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(settings.log_level))
        .with_target(false)
        .with_ansi(false)
        .with_writer(writer);
    let started = match settings.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    drop(started);
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
