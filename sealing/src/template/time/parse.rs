//! Reads a time by a layout, as Go's `ParseInLocation` does with UTC for the location.
//! Takes what the layout leaves out from the beginning of the year 0.

use super::Time;
use super::layout::{MONTHS, OffsetFields, Part, WEEKDAYS, next};
use super::zone;
use crate::go::quote::quote;

/// What is read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    /// `PM` or `AM`.
    afternoon: Option<bool>,
    utc: bool,
    offset: Option<i64>,
    zone: String,
}

/// Why a field can't be read.
enum Flaw {
    Mismatch,
    /// A field of this name is beyond its range.
    Range(&'static str),
}

use Flaw::{Mismatch, Range};

type Read<'v, T> = Result<(T, &'v str), Flaw>;

/// Reads a time; fails in Go's words, which quote the text.
pub(in crate::template) fn parse(layout: &str, text: &str) -> Result<Time, String> {
    let mut fields = Fields::default();
    let (mut pattern, mut value) = (layout, text);
    let mismatch = |value: &str, element: &str| {
        let (text, layout) = (quote(text), quote(layout));
        format!(
            "parsing time {text} as {layout}: cannot parse {} as {}",
            quote(value),
            quote(element)
        )
    };
    loop {
        let found = next(pattern);
        value = skip(value, found.before).ok_or_else(|| mismatch(value, found.before))?;
        let Some((part, element)) = found.part else {
            break;
        };
        pattern = found.after;
        value = match fields.read(part, value, pattern) {
            Ok(((), rest)) => rest,
            Err(Mismatch) => return Err(mismatch(value, element)),
            Err(Range(field)) => {
                return Err(format!(
                    "parsing time {}: {field} out of range",
                    quote(text)
                ));
            }
        };
    }
    if !value.is_empty() {
        return Err(format!(
            "parsing time {}: extra text: {}",
            quote(text),
            quote(value)
        ));
    }
    let time = fields.time();
    time.ok_or_else(|| format!("parsing time {}: day out of range", quote(text)))
}

/// Passes over literal text; spaces stand for any number of them.
fn skip<'v>(value: &'v str, literal: &str) -> Option<&'v str> {
    let (mut value, mut literal) = (value, literal);
    while let Some(wanted) = literal.chars().next() {
        if wanted == ' ' {
            if !value.is_empty() && !value.starts_with(' ') {
                return None;
            }
            literal = literal.trim_start_matches(' ');
            value = value.trim_start_matches(' ');
        } else {
            value = value.strip_prefix(wanted)?;
            literal = &literal[wanted.len_utf8()..];
        }
    }
    Some(value)
}

fn digit(value: &str, index: usize) -> Option<i64> {
    let byte = *value.as_bytes().get(index)?;
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// A number of one or two digits, or exactly two.
fn number(value: &str, two: bool) -> Read<'_, i64> {
    let first = digit(value, 0).ok_or(Mismatch)?;
    match digit(value, 1) {
        Some(second) => Ok((first * 10 + second, &value[2..])),
        None if two => Err(Mismatch),
        None => Ok((first, &value[1..])),
    }
}

fn within<'v>(read: (i64, &'v str), most: i64, field: &'static str) -> Read<'v, i64> {
    if read.0 > most {
        Err(Range(field))
    } else {
        Ok(read)
    }
}

/// A name in any case; of the list, the first that fits.
fn name<'v>(value: &'v str, names: &[&str], length: usize) -> Read<'v, i64> {
    for (index, name) in (1..).zip(names) {
        let name = &name[..name.len().min(length)];
        let start = value.get(..name.len());
        if start.is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            return Ok((index, &value[name.len()..]));
        }
    }
    Err(Mismatch)
}

fn without_space(value: &str, may: bool) -> &str {
    value.strip_prefix(' ').filter(|_| may).unwrap_or(value)
}

impl Fields {
    fn read<'v>(&mut self, part: Part, value: &'v str, after: &str) -> Read<'v, ()> {
        let (number, rest) = match part {
            Part::Year => {
                let (year, rest) = number(value, true)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                (0, rest)
            }
            Part::LongYear => {
                let year = value
                    .get(..4)
                    .filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
                self.year = year.and_then(|year| year.parse().ok()).ok_or(Mismatch)?;
                (0, &value[4..])
            }
            Part::Month => name(value, &MONTHS, 3)?,
            Part::LongMonth => name(value, &MONTHS, usize::MAX)?,
            Part::Weekday => name(value, &WEEKDAYS, 3)?,
            Part::LongWeekday => name(value, &WEEKDAYS, usize::MAX)?,
            Part::NumMonth | Part::ZeroMonth => {
                let read = number(value, part == Part::ZeroMonth)?;
                if read.0 == 0 {
                    return Err(Range("month"));
                }
                within(read, 12, "month")?
            }
            Part::Day | Part::UnderDay | Part::ZeroDay => number(
                without_space(value, part == Part::UnderDay),
                part == Part::ZeroDay,
            )?,
            Part::UnderYearDay | Part::ZeroYearDay => year_day(value, part == Part::ZeroYearDay)?,
            Part::Hour => within(number(value, false)?, 23, "hour")?,
            Part::Hour12 | Part::ZeroHour12 => {
                within(number(value, part == Part::ZeroHour12)?, 12, "hour")?
            }
            Part::Minute | Part::ZeroMinute => {
                within(number(value, part == Part::ZeroMinute)?, 59, "minute")?
            }
            Part::Second | Part::ZeroSecond => {
                let (second, rest) =
                    within(number(value, part == Part::ZeroSecond)?, 59, "second")?;
                (second, self.unasked_fraction(rest, after))
            }
            Part::UpperPm => {
                name(value, &["AM", "PM"], 2).and_then(|read| exactly(value, read, "AMPM"))?
            }
            Part::LowerPm => {
                name(value, &["am", "pm"], 2).and_then(|read| exactly(value, read, "ampm"))?
            }
            Part::Offset { z, fields } => return self.read_offset(value, z, fields),
            Part::ZoneName => return self.read_zone(value),
            Part::Fraction { digits, trims } => return self.read_fraction(value, digits, trims),
        };
        self.put(part, number);
        Ok(((), rest))
    }

    fn put(&mut self, part: Part, number: i64) {
        match part {
            Part::Month | Part::LongMonth | Part::NumMonth | Part::ZeroMonth => {
                self.month = Some(number)
            }
            Part::Day | Part::UnderDay | Part::ZeroDay => self.day = Some(number),
            Part::UnderYearDay | Part::ZeroYearDay => self.year_day = Some(number),
            Part::Hour | Part::Hour12 | Part::ZeroHour12 => self.hour = number,
            Part::Minute | Part::ZeroMinute => self.minute = number,
            Part::Second | Part::ZeroSecond => self.second = number,
            Part::UpperPm | Part::LowerPm => self.afternoon = Some(number == 2),
            _ => {}
        }
    }

    /// A fraction after the seconds is read although the layout has none.
    fn unasked_fraction<'v>(&mut self, value: &'v str, after: &str) -> &'v str {
        let follows = next(after);
        let asked =
            follows.before.is_empty() && matches!(follows.part, Some((Part::Fraction { .. }, _)));
        if asked || !value.starts_with(['.', ',']) {
            return value;
        }
        let digits = value[1..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return value;
        }
        self.nanos = nanos(&value[1..=digits]);
        &value[digits + 1..]
    }

    fn read_fraction<'v>(&mut self, value: &'v str, digits: usize, trims: bool) -> Read<'v, ()> {
        let found = match value.strip_prefix(['.', ',']) {
            Some(rest) => rest.bytes().take_while(u8::is_ascii_digit).count(),
            None => 0,
        };
        let used = if trims { found.min(9) } else { digits };
        if trims && used == 0 {
            return Ok(((), value));
        }
        if found < used {
            return Err(Mismatch);
        }
        self.nanos = nanos(&value[1..=used]);
        Ok(((), &value[used + 1..]))
    }

    fn read_offset<'v>(&mut self, value: &'v str, z: bool, fields: OffsetFields) -> Read<'v, ()> {
        if let Some(rest) = value.strip_prefix('Z').filter(|_| z) {
            self.utc = true;
            return Ok(((), rest));
        }
        let sign = match value.bytes().next() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => return Err(Mismatch),
        };
        let (hours, mut rest) = number(&value[1..], true)?;
        let mut total = within((hours, rest), 24, "time zone offset hour")?.0 * 3600;
        let (more, colon) = match fields {
            OffsetFields::Hours => (0, false),
            OffsetFields::Minutes => (1, false),
            OffsetFields::ColonMinutes => (1, true),
            OffsetFields::Seconds => (2, false),
            OffsetFields::ColonSeconds => (2, true),
        };
        let units = [
            (60, "time zone offset minute"),
            (1, "time zone offset second"),
        ];
        for (unit, field) in units.into_iter().take(more) {
            if colon {
                rest = rest.strip_prefix(':').ok_or(Mismatch)?;
            }
            let read = within(number(rest, true)?, 60, field)?;
            total += read.0 * unit;
            rest = read.1;
        }
        self.offset = Some(sign * total);
        Ok(((), rest))
    }

    fn read_zone<'v>(&mut self, value: &'v str) -> Read<'v, ()> {
        if let Some(rest) = value.strip_prefix("UTC") {
            self.utc = true;
            return Ok(((), rest));
        }
        let length = zone::name_length(value).ok_or(Mismatch)?;
        self.zone = value[..length].to_owned();
        Ok(((), &value[length..]))
    }

    /// `None` for a day that its month does not have.
    fn time(mut self) -> Option<Time> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = self.date()?;
        let seconds = self.hour * 3600 + self.minute * 60 + self.second;
        let time = Time::of_civil(self.year, month, day, seconds, self.nanos);
        let gmt = self
            .zone
            .strip_prefix("GMT")
            .and_then(|hours| hours.parse::<i64>().ok());
        Some(match self.offset {
            _ if self.utc => time,
            Some(0) if matches!(&*self.zone, "" | "UTC") => time,
            Some(offset) => Time::in_zone(
                Time {
                    seconds: time.seconds - offset,
                    ..time
                },
                &self.zone,
                offset,
            ),
            None if self.zone.is_empty() => time,
            None => time.in_zone(&self.zone, gmt.unwrap_or(0) * 3600),
        })
    }

    fn date(&self) -> Option<(i64, i64)> {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let lengths = [
            31,
            28 + i64::from(leap),
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        if let Some(mut day) = self.year_day {
            for (month, length) in (1..).zip(lengths) {
                if (1..=length).contains(&day) {
                    let agrees = self.month.is_none_or(|known| known == month)
                        && self.day.is_none_or(|known| known == day);
                    return agrees.then_some((month, day));
                }
                day -= length;
            }
            return None;
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let length = lengths.get(usize::try_from(month - 1).ok()?)?;
        (1..=*length).contains(&day).then_some((month, day))
    }
}

/// Letters of another case don't count for marks of the half of the day.
fn exactly<'v>(value: &str, read: (i64, &'v str), marks: &str) -> Read<'v, i64> {
    let found = &value[..2];
    if marks.contains(found) {
        Ok(read)
    } else {
        Err(Mismatch)
    }
}

fn year_day(value: &str, three: bool) -> Read<'_, i64> {
    let start = if three {
        value
    } else {
        value.trim_start_matches(' ')
    };
    let digits = start.bytes().take(3).take_while(u8::is_ascii_digit).count();
    if digits == 0 || (three && digits < 3) {
        return Err(Mismatch);
    }
    let number = start[..digits].parse().map_err(|_| Mismatch)?;
    Ok((number, &start[digits..]))
}

fn nanos(digits: &str) -> u32 {
    let digits = &digits[..digits.len().min(9)];
    format!("{digits:0<9}").parse().unwrap_or(0)
}
