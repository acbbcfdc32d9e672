//! Dates and durations: sprig's date.go. The local zone is UTC, as it is in a container.
//! `now` is the moment that the caller hands in.

use super::Param::{Any, Text as Str, Time as Moment};
use super::{Call, CallError, Function, Value, failed, function, text};
use crate::go::duration;
use crate::go::integer::parse_int;
use crate::template::text::Text;
use crate::template::time::{Time, parse};
use crate::template::value::IntType;

pub(super) const FUNCTIONS: &[Function] = &[
    function("ago", &[Any], |call| {
        let nanos = now(call).since(&moment(call, &call.args[0]));
        let seconds = nanos.unsigned_abs().saturating_add(500_000_000) / 1_000_000_000;
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX) * nanos.signum();
        text(duration::text(seconds.saturating_mul(1_000_000_000)))
    })
    .varying(),
    function("date", &[Str, Any], |call| {
        shown(call, call.text(0), 1, "Local")
    }),
    function("dateInZone", &[Str, Any, Str], |call| {
        shown(call, call.text(0), 1, &call.text(2).lossy())
    }),
    function("dateModify", &[Str, Moment], |call| {
        modified(call).or_else(|_| Ok(call.args[1].clone()))
    }),
    function("date_in_zone", &[Str, Any, Str], |call| {
        shown(call, call.text(0), 1, &call.text(2).lossy())
    }),
    function("date_modify", &[Str, Moment], |call| {
        modified(call).or_else(|_| Ok(call.args[1].clone()))
    }),
    function("duration", &[Any], |call| {
        let seconds = match &call.args[0] {
            Value::Text(text) => parse_int(&text.lossy(), 10).unwrap_or(0),
            Value::Int(number, IntType::Int64) => *number,
            _ => 0,
        };
        text(duration::text(seconds.wrapping_mul(1_000_000_000)))
    }),
    function("durationRound", &[Any], duration_round),
    function("htmlDate", &[Any], |call| {
        shown(call, b"2006-01-02", 0, "Local")
    }),
    function("htmlDateInZone", &[Any, Str], |call| {
        shown(call, b"2006-01-02", 0, &call.text(1).lossy())
    }),
    function("mustDateModify", &[Str, Moment], modified),
    function("mustToDate", &[Str, Str], |call| {
        read(call).map(Value::Time).map_err(CallError::Echo)
    }),
    function("must_date_modify", &[Str, Moment], modified),
    function("now", &[], |call| Ok(Value::Time(now(call)))).varying(),
    function("toDate", &[Str, Str], |call| {
        Ok(Value::Time(read(call).unwrap_or(Time::ZERO)))
    }),
    function("unixEpoch", &[Moment], |call| match &call.args[0] {
        Value::Time(time) => text(time.seconds.to_string()),
        _ => text(""),
    }),
];

fn now(call: &Call<'_>) -> Time {
    Time::of_timestamp(call.run.now())
}

/// A time or a number of seconds since 1970; anything else counts as now.
fn moment(call: &Call<'_>, value: &Value) -> Time {
    match value {
        Value::Time(time) => time.clone(),
        Value::Int(seconds, IntType::Int | IntType::Int64) => Time::of_unix(*seconds),
        _ => now(call),
    }
}

fn shown(call: &Call<'_>, layout: &[u8], index: usize, zone: &str) -> Result<Value, CallError> {
    let time = moment(call, &call.args[index]).in_named(zone);
    text(time.format(&Text::from(layout).lossy()))
}

fn modified(call: &Call<'_>) -> Result<Value, CallError> {
    let nanos = duration::parse(&call.text(0).lossy()).ok_or(failed("time: invalid duration"))?;
    match &call.args[1] {
        Value::Time(time) => Ok(Value::Time(time.add(nanos))),
        other => Ok(other.clone()),
    }
}

fn read(call: &Call<'_>) -> Result<Time, String> {
    parse(&call.text(0).lossy(), &call.text(1).lossy())
}

/// The greatest unit that fits: `2h` of `2h10m5s`.
fn duration_round(call: &Call<'_>) -> Result<Value, CallError> {
    let nanos = match &call.args[0] {
        Value::Text(text) => duration::parse(&text.lossy()).unwrap_or(0),
        Value::Int(number, IntType::Int64) => *number,
        Value::Time(time) => now(call).since(time),
        _ => 0,
    };
    const HOUR: u64 = 3_600_000_000_000;
    let units = [
        (HOUR * 24 * 365, "y"),
        (HOUR * 24 * 30, "mo"),
        (HOUR * 24, "d"),
        (HOUR, "h"),
        (HOUR / 60, "m"),
        (HOUR / 3600, "s"),
    ];
    let size = nanos.unsigned_abs();
    let fits = units.into_iter().find(|(unit, _)| size > *unit);
    text(fits.map_or_else(
        || "0s".to_owned(),
        |(unit, name)| format!("{}{name}", size / unit),
    ))
}
