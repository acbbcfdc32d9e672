//! One log line: time, level, message and what belongs to it, as `time=… level=… msg=… key=value` or as JSON.
//! It must not know where lines go.

use std::error::Error;
use std::fmt::{self, Write as _};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

/// What an event says.
pub(super) struct Line {
    time: Timestamp,
    level: &'static str,
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Line {
    pub(super) fn new(time: Timestamp, level: &'static str) -> Self {
        Self {
            time,
            level,
            message: String::new(),
            fields: Vec::new(),
        }
    }

    pub(super) fn text(&self) -> String {
        let time = self.time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let mut text = format!(
            "time={time} level={} msg={}",
            self.level,
            quoted(&self.message)
        );
        for (name, value) in &self.fields {
            let value = match value {
                Value::String(value) => quoted(value),
                value => value.to_string(),
            };
            // Writing to a String does not fail.
            let _ = write!(text, " {name}={value}");
        }
        text
    }

    pub(super) fn json(&self) -> String {
        let mut object = Map::new();
        object.insert("time".to_owned(), self.time.to_string().into());
        object.insert("level".to_owned(), self.level.into());
        object.insert("msg".to_owned(), self.message.as_str().into());
        let fields = self.fields.iter();
        object.extend(fields.map(|(name, value)| ((*name).to_owned(), value.clone())));
        Value::Object(object).to_string()
    }

    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.add(field, value.to_string().into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value.into());
    }
}

/// In quotes where a reader of `key=value` would else stumble.
fn quoted(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fields: Vec<(&'static str, Value)>) -> Line {
        Line {
            time: Timestamp::from_millisecond(1_700_000_000_120).unwrap(),
            level: "INFO",
            message: "New key written".to_owned(),
            fields,
        }
    }

    #[test]
    fn text_is_what_slog_writes() {
        let fields = vec![
            ("namespace", "kube-system".into()),
            ("certificate", "-----BEGIN\nx".into()),
            ("note", "a=\"b\"".into()),
            ("empty", "".into()),
            ("count", 3.into()),
            ("key", "ns/name".into()),
        ];
        assert_eq!(
            line(fields).text(),
            r#"time=2023-11-14T22:13:20.120Z level=INFO msg="New key written" namespace=kube-system certificate="-----BEGIN\nx" note="a=\"b\"" empty="" count=3 key=ns/name"#
        );
    }

    #[test]
    fn json_is_what_slog_writes() {
        assert_eq!(
            line(vec![("addr", ":8080".into()), ("count", 3.into())]).json(),
            r#"{"time":"2023-11-14T22:13:20.12Z","level":"INFO","msg":"New key written","addr":":8080","count":3}"#
        );
    }
}
