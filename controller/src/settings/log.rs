//! What can be set about the log: where lines go, which, and how they look. Must not write a line.

use std::convert::Infallible;

use clap::Args;

use super::go;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Log")]
pub struct Log {
    /// Informational lines go to stdout, warnings and errors to stderr; false for all to stderr
    #[arg(long, env = "SEALED_SECRETS_LOG_INFO_STDOUT", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub log_info_stdout: bool,

    /// Least level that is logged: DEBUG, INFO, WARN or ERROR; anything else is INFO
    #[arg(long, env = "SEALED_SECRETS_LOG_LEVEL", default_value = "INFO", value_parser = log_level)]
    pub log_level: LogLevel,

    /// Form of log lines: json, anything else is text
    #[arg(long, env = "SEALED_SECRETS_LOG_FORMAT", default_value = "text", value_parser = log_format)]
    pub log_format: LogFormat,
}

/// Least level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Of levels and formats upstream defines what an unknown word means, so it is no error here either.
fn log_level(text: &str) -> Result<LogLevel, Infallible> {
    Ok(match text.to_ascii_uppercase().as_str() {
        "DEBUG" => LogLevel::Debug,
        "WARN" => LogLevel::Warn,
        "ERROR" => LogLevel::Error,
        _ => LogLevel::Info,
    })
}

fn log_format(text: &str) -> Result<LogFormat, Infallible> {
    Ok(match text {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    })
}
