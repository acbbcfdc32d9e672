//! The kinds of values that flags take, each read as Go's flag packages read it, errors in their words.
//! Must not know which flags there are.

use sealing::go::boolean;
use sealing::go::integer::{NotInt, parse_uint};

use super::go_text::quote;

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A namespace, which may be written as `ns/NAME`.
    Namespace,
    Scope,
    Switch,
    /// Separated by commas, as in one line of a CSV file.
    Strings,
    StringArray,
    /// A switch of the logging library, which has other words for a bad value.
    LogSwitch,
    LogPath,
    LogSize,
    LogLevel,
    LogSeverity,
    LogLocation,
    LogModules,
}

/// The value of a flag. Options of the logging library are checked and kept, and have no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Switch(bool),
    List(Vec<String>),
}

impl Kind {
    pub(super) fn is_list(self) -> bool {
        matches!(self, Self::Strings | Self::StringArray)
    }

    pub(super) fn is_log_option(self) -> bool {
        matches!(
            self,
            Self::LogSwitch
                | Self::LogPath
                | Self::LogSize
                | Self::LogLevel
                | Self::LogSeverity
                | Self::LogLocation
                | Self::LogModules
        )
    }

    /// What a flag without `=` and without an argument of its own means.
    pub(super) fn value_when_bare(self) -> Option<&'static str> {
        matches!(self, Self::Switch | Self::LogSwitch).then_some("true")
    }

    /// The word for the value in the list of flags.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Switch | Self::LogSwitch => "",
            Self::Text | Self::Namespace | Self::Scope | Self::LogPath => "string",
            Self::Strings => "strings",
            Self::StringArray => "stringArray",
            Self::LogSize => "uint",
            Self::LogLevel => "Level",
            Self::LogSeverity => "severity",
            Self::LogLocation => "traceLocation",
            Self::LogModules => "moduleSpec",
        }
    }

    /// The value that `text` stands for, or what is wrong with it.
    pub(super) fn read(self, text: &str) -> Result<Value, String> {
        let as_text = || Value::Text(text.to_owned());
        match self {
            Self::Text | Self::LogPath => Ok(as_text()),
            Self::Namespace => Ok(Value::Text(without_resource(text).to_owned())),
            Self::Scope => scope(text).map(|()| as_text()),
            Self::Switch => boolean::parse(text)
                .map(Value::Switch)
                .ok_or_else(|| numeric_error("ParseBool", text, "invalid syntax")),
            Self::LogSwitch => boolean::parse(text)
                .map(Value::Switch)
                .ok_or_else(|| "parse error".to_owned()),
            Self::Strings => csv(text).map(Value::List),
            Self::StringArray => Ok(Value::List(vec![text.to_owned()])),
            Self::LogSize => log_size(text).map(|()| as_text()),
            Self::LogLevel => parse_int32(text).map(|_| as_text()),
            Self::LogSeverity => log_severity(text).map(|()| as_text()),
            Self::LogLocation => log_location(text).map(|()| as_text()),
            Self::LogModules => log_modules(text).map(|()| as_text()),
        }
    }
}

fn scope(text: &str) -> Result<(), String> {
    text.parse::<sealing::Scope>()
        .map(drop)
        .map_err(|_| "must be one of: strict, namespace-wide, cluster-wide".to_owned())
}

fn without_resource(text: &str) -> &str {
    for prefix in ["namespaces/", "namespace/", "ns/"] {
        match text.split_at_checked(prefix.len()) {
            Some((start, name)) if start.eq_ignore_ascii_case(prefix) && !name.is_empty() => {
                return name;
            }
            _ => {}
        }
    }
    text
}

fn numeric_error(function: &str, text: &str, reason: &str) -> String {
    format!("strconv.{function}: parsing {}: {reason}", quote(text))
}

/// Decimal digits with an optional sign that fit 32 bits.
fn parse_int32(text: &str) -> Result<i32, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let reason = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "invalid syntax"
    } else {
        "value out of range"
    };
    text.parse()
        .map_err(|_| numeric_error("ParseInt", text, reason))
}

/// Unsigned, in any of Go's notations.
fn log_size(text: &str) -> Result<(), String> {
    parse_uint(text, 0)
        .map(drop)
        .map_err(|problem| match problem {
            NotInt::Syntax => "parse error".to_owned(),
            NotInt::Range(_) => "value out of range".to_owned(),
        })
}

fn log_severity(text: &str) -> Result<(), String> {
    match text.to_uppercase().as_str() {
        "INFO" | "WARNING" | "ERROR" | "FATAL" => Ok(()),
        _ => parse_int32(text).map(drop),
    }
}

/// `file.go:LINE`.
fn log_location(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let line = match text.split_once(':') {
        Some((file, line)) if file.contains('.') => line.parse::<i64>().ok(),
        _ => None,
    };
    match line {
        None => Err("syntax error: expect file.go:234".to_owned()),
        Some(line) if line <= 0 => Err("negative or zero value for level".to_owned()),
        Some(_) => Ok(()),
    }
}

/// `pattern=N,…`; empty pieces are passed over.
fn log_modules(text: &str) -> Result<(), String> {
    for piece in text.split(',').filter(|piece| !piece.is_empty()) {
        let level = match piece.split('=').collect::<Vec<_>>()[..] {
            [pattern, level] if !pattern.is_empty() => parse_int32(level).ok(),
            _ => None,
        };
        match level {
            Some(level) if level < 0 => return Err("negative value for vmodule level".to_owned()),
            Some(_) => {}
            None => {
                return Err("syntax error: expect comma-separated list of filename=N".to_owned());
            }
        }
    }
    Ok(())
}

/// The fields of the first line: a field in quotes may hold commas, and `""` for a quote.
fn csv(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let text = text.trim_start_matches('\n');
    if text.is_empty() {
        return Err("EOF".to_owned());
    }
    let wrong = |at: usize, what: &str| {
        let column = at + 1;
        Err(format!("parse error on line 1, column {column}: {what}"))
    };
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let rest = &text[at..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let (field, length) = match quoted_field(quoted) {
                Ok(found) => found,
                Err(inside) => {
                    return wrong(at + 1 + inside, "extraneous or missing \" in quoted-field");
                }
            };
            fields.push(field);
            at += 1 + length;
        } else {
            let length = rest.find([',', '\n']).unwrap_or(rest.len());
            if let Some(quote) = rest[..length].find('"') {
                return wrong(at + quote, "bare \" in non-quoted-field");
            }
            fields.push(rest[..length].to_owned());
            at += length;
        }
        match text[at..].chars().next() {
            Some(',') => at += 1,
            _ => return Ok(fields),
        }
    }
}

/// The content of a field in quotes and its length with the closing quote, or where it goes wrong.
fn quoted_field(text: &str) -> Result<(String, usize), usize> {
    let mut field = String::new();
    let mut at = 0;
    while let Some(quote) = text[at..].find('"') {
        field.push_str(&text[at..at + quote]);
        at += quote + 1;
        match text[at..].chars().next() {
            Some('"') => {
                field.push('"');
                at += 1;
            }
            None | Some(',' | '\n') => return Ok((field, at)),
            Some(_) => return Err(at - 1),
        }
    }
    Err(text.len())
}
