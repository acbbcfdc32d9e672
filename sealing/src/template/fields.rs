//! What stands behind a dot: entries of maps, fields and methods of times, durations, versions and certificates.
//! Offers what their Go types have as far as it reads a value; nothing here changes one.

use super::arguments::Param;
use super::functions::{Call, CallError, Function, function};
use super::time::Time;
use super::value::{IntType, Value};
use crate::go::semver::Version;

/// The entry or field of this name. A map has all: a missing entry is nothing.
pub(super) fn field(receiver: &Value, name: &str) -> Option<Value> {
    match receiver {
        Value::Dict(dict) => Some(
            dict.borrow()
                .get(name.as_bytes())
                .cloned()
                .unwrap_or(Value::Nil),
        ),
        Value::Texts(texts) => Some(
            texts
                .get(name.as_bytes())
                .cloned()
                .map_or(Value::Nil, Value::Text),
        ),
        Value::Certificate(certificate) => match name {
            "Cert" => Some(Value::Text(certificate.cert.clone())),
            "Key" => Some(Value::Text(certificate.key.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a dict has this entry, and it is nil. Go tells that from a missing one where a field of it is asked for.
pub(super) fn is_null(receiver: &Value, name: &str) -> bool {
    match receiver {
        Value::Dict(dict) => matches!(dict.borrow().get(name.as_bytes()), Some(Value::Nil)),
        _ => false,
    }
}

/// The method of this name.
pub(super) fn method(receiver: &Value, name: &str) -> Option<&'static Function> {
    let methods = match receiver {
        Value::Time(_) => TIME,
        Value::Int(_, IntType::Duration) => DURATION,
        Value::Int(_, IntType::Month | IntType::Weekday) => NAMED,
        Value::Version(_) => VERSION,
        _ => return None,
    };
    methods.iter().find(|method| method.name == name)
}

const TIME: &[Function] = &[
    function("Add", &[Param::Duration], |call| {
        Ok(Value::Time(time(call, 0).add(int(call, 1))))
    }),
    function("AddDate", &[Param::Int, Param::Int, Param::Int], |call| {
        Ok(Value::Time(time(call, 0).add_date(
            int(call, 1),
            int(call, 2),
            int(call, 3),
        )))
    }),
    function("After", &[Param::Time], |call| {
        Ok(Value::Bool(time(call, 0) > time(call, 1)))
    }),
    function("Before", &[Param::Time], |call| {
        Ok(Value::Bool(time(call, 0) < time(call, 1)))
    }),
    function("Compare", &[Param::Time], |call| {
        Ok(Value::int(time(call, 0).cmp(time(call, 1)) as i64))
    }),
    function("Day", &[], |call| Ok(Value::int(time(call, 0).civil().day))),
    function("Equal", &[Param::Time], |call| {
        Ok(Value::Bool(time(call, 0) == time(call, 1)))
    }),
    function("Format", &[Param::Text], |call| {
        Ok(Value::text(time(call, 0).format(&call.text(1).lossy())))
    }),
    function("Hour", &[], |call| {
        Ok(Value::int(time(call, 0).civil().hour))
    }),
    function("IsZero", &[], |call| {
        Ok(Value::Bool(*time(call, 0) == Time::ZERO))
    }),
    function("Local", &[], |call| Ok(Value::Time(time(call, 0).in_utc()))),
    function("Minute", &[], |call| {
        Ok(Value::int(time(call, 0).civil().minute))
    }),
    function("Month", &[], |call| {
        Ok(Value::Int(time(call, 0).civil().month, IntType::Month))
    }),
    function("Nanosecond", &[], |call| {
        Ok(Value::int(time(call, 0).nanos.into()))
    }),
    function("Second", &[], |call| {
        Ok(Value::int(time(call, 0).civil().second))
    }),
    function("String", &[], |call| {
        Ok(Value::text(time(call, 0).to_string()))
    }),
    function("Sub", &[Param::Time], |call| {
        Ok(Value::Int(
            time(call, 0).since(time(call, 1)),
            IntType::Duration,
        ))
    }),
    function("UTC", &[], |call| Ok(Value::Time(time(call, 0).in_utc()))),
    function("Unix", &[], |call| Ok(Value::int64(time(call, 0).seconds))),
    function("UnixMicro", &[], |call| {
        Ok(Value::int64(time(call, 0).unix(1_000_000)))
    }),
    function("UnixMilli", &[], |call| {
        Ok(Value::int64(time(call, 0).unix(1000)))
    }),
    function("UnixNano", &[], |call| {
        Ok(Value::int64(time(call, 0).unix(1_000_000_000)))
    }),
    function("Weekday", &[], |call| {
        Ok(Value::Int(time(call, 0).civil().weekday, IntType::Weekday))
    }),
    function("Year", &[], |call| {
        Ok(Value::int(time(call, 0).civil().year))
    }),
    function("YearDay", &[], |call| {
        Ok(Value::int(time(call, 0).civil().year_day))
    }),
];

#[allow(clippy::cast_precision_loss, reason = "as Go's own methods")]
const DURATION: &[Function] = &[
    function("Hours", &[], |call| {
        Ok(Value::Float(int(call, 0) as f64 / 3.6e12))
    }),
    function("Microseconds", &[], |call| {
        Ok(Value::int64(int(call, 0) / 1000))
    }),
    function("Milliseconds", &[], |call| {
        Ok(Value::int64(int(call, 0) / 1_000_000))
    }),
    function("Minutes", &[], |call| {
        Ok(Value::Float(int(call, 0) as f64 / 6e10))
    }),
    function("Nanoseconds", &[], |call| Ok(Value::int64(int(call, 0)))),
    function("Seconds", &[], |call| {
        Ok(Value::Float(int(call, 0) as f64 / 1e9))
    }),
    function("String", &[], shown),
];

/// Months and days of the week.
const NAMED: &[Function] = &[function("String", &[], shown)];

const VERSION: &[Function] = &[
    function("Compare", &[Param::Version], |call| {
        Ok(Value::int(version(call, 0).compare(version(call, 1)) as i64))
    }),
    function("Equal", &[Param::Version], |call| {
        Ok(Value::Bool(
            version(call, 0).compare(version(call, 1)).is_eq(),
        ))
    }),
    function("GreaterThan", &[Param::Version], |call| {
        Ok(Value::Bool(
            version(call, 0).compare(version(call, 1)).is_gt(),
        ))
    }),
    function("LessThan", &[Param::Version], |call| {
        Ok(Value::Bool(
            version(call, 0).compare(version(call, 1)).is_lt(),
        ))
    }),
    function("Major", &[], |call| Ok(uint(version(call, 0).major))),
    function("Metadata", &[], |call| {
        Ok(Value::text(version(call, 0).metadata.as_str()))
    }),
    function("Minor", &[], |call| Ok(uint(version(call, 0).minor))),
    function("Original", &[], |call| {
        Ok(Value::text(version(call, 0).original.as_str()))
    }),
    function("Patch", &[], |call| Ok(uint(version(call, 0).patch))),
    function("Prerelease", &[], |call| {
        Ok(Value::text(version(call, 0).prerelease.as_str()))
    }),
    function("String", &[], shown),
];

fn shown(call: &Call<'_>) -> Result<Value, CallError> {
    call.display(0).map(Value::Text)
}

fn uint(number: u64) -> Value {
    Value::Int(number.cast_signed(), IntType::Uint64)
}

fn time<'a>(call: &Call<'a>, index: usize) -> &'a Time {
    match &call.args[index] {
        Value::Time(time) => time,
        _ => unreachable!("invariant: the signature says time"),
    }
}

fn int(call: &Call<'_>, index: usize) -> i64 {
    match &call.args[index] {
        Value::Int(number, _) => *number,
        _ => unreachable!("invariant: the signature says number"),
    }
}

fn version<'a>(call: &Call<'a>, index: usize) -> &'a Version {
    match &call.args[index] {
        Value::Version(version) => version,
        _ => unreachable!("invariant: the signature says version"),
    }
}
