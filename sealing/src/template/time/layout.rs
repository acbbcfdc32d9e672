//! Layouts of Go: the moment 2006-01-02 15:04:05 -0700 shows how to write a time.
//! Reads no time: that is `parse`.

use super::Time;

/// A part of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// A numeric offset: whether 0 is `Z`, and which fields it has.
    Offset {
        z: bool,
        fields: OffsetFields,
    },
    /// A fraction of a second: digits, and whether zeros at its end are left out.
    Fraction {
        digits: usize,
        trims: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetFields {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

/// Parts that are plain words; of several that fit, the first.
const WORDS: [(&str, Part); 21] = [
    ("January", Part::LongMonth),
    ("Monday", Part::LongWeekday),
    ("MST", Part::ZoneName),
    ("002", Part::ZeroYearDay),
    ("01", Part::ZeroMonth),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("1", Part::NumMonth),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("__2", Part::UnderYearDay),
    ("_2", Part::UnderDay),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::UpperPm),
    ("pm", Part::LowerPm),
];

/// What follows `-` or `Z` in a numeric offset; of several that fit, the first.
const OFFSETS: [(&str, OffsetFields); 5] = [
    ("070000", OffsetFields::Seconds),
    ("07:00:00", OffsetFields::ColonSeconds),
    ("0700", OffsetFields::Minutes),
    ("07:00", OffsetFields::ColonMinutes),
    ("07", OffsetFields::Hours),
];

/// What stands before the next part of a layout, the part with its text, and what stands after.
pub(super) struct Next<'a> {
    pub(super) before: &'a str,
    pub(super) part: Option<(Part, &'a str)>,
    pub(super) after: &'a str,
}

pub(super) fn next(layout: &str) -> Next<'_> {
    for (index, _) in layout.char_indices() {
        if let Some((skipped, length, part)) = part_at(&layout[index..]) {
            let start = index + skipped;
            return Next {
                before: &layout[..start],
                part: Some((part, &layout[start..start + length])),
                after: &layout[start + length..],
            };
        }
    }
    Next {
        before: layout,
        part: None,
        after: "",
    }
}

/// The part that begins here: how much before it is literal all the same, its length, and what it is.
fn part_at(text: &str) -> Option<(usize, usize, Part)> {
    if text.starts_with("_2006") {
        return Some((1, 4, Part::LongYear));
    }
    for (word, part) in [("Jan", Part::Month), ("Mon", Part::Weekday)] {
        let long = text.starts_with("January") || text.starts_with("Monday");
        if let Some(rest) = text.strip_prefix(word).filter(|_| !long) {
            let goes_on = rest.starts_with(|next: char| next.is_ascii_lowercase());
            return (!goes_on).then_some((0, 3, part));
        }
    }
    if let Some(rest) = text.strip_prefix(['-', 'Z']) {
        let z = text.starts_with('Z');
        let found = OFFSETS.iter().find(|(word, _)| rest.starts_with(word));
        return found
            .map(|(word, fields)| (0, word.len() + 1, Part::Offset { z, fields: *fields }));
    }
    if let Some(rest) = text.strip_prefix(['.', ',']) {
        let digit = rest
            .chars()
            .next()
            .filter(|digit| matches!(digit, '0' | '9'))?;
        let digits = rest.chars().take_while(|next| *next == digit).count();
        let ends = !rest[digits..].starts_with(|next: char| next.is_ascii_digit());
        let part = Part::Fraction {
            digits,
            trims: digit == '9',
        };
        return ends.then_some((0, digits + 1, part));
    }
    let found = WORDS.iter().find(|(word, _)| text.starts_with(word));
    found.map(|(word, part)| (0, word.len(), *part))
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

pub(in crate::template) fn month_name(month: i64) -> &'static str {
    let index = usize::try_from(month - 1).ok();
    index.and_then(|index| MONTHS.get(index)).unwrap_or(&"")
}

/// The first day, 0, is Sunday.
pub(in crate::template) fn weekday_name(day: i64) -> &'static str {
    let index = usize::try_from(day).ok();
    index.and_then(|index| WEEKDAYS.get(index)).unwrap_or(&"")
}

/// Writes a time.
pub(super) fn format(time: &Time, layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    loop {
        let found = next(rest);
        out.push_str(found.before);
        let Some((part, text)) = found.part else {
            return out;
        };
        out.push_str(&written(time, part, text));
        rest = found.after;
    }
}

fn written(time: &Time, part: Part, text: &str) -> String {
    let civil = time.civil();
    let hour12 = (civil.hour + 11) % 12 + 1;
    let number = match part {
        Part::LongMonth => return month_name(civil.month).to_owned(),
        Part::Month => return month_name(civil.month)[..3].to_owned(),
        Part::LongWeekday => return weekday_name(civil.weekday).to_owned(),
        Part::Weekday => return weekday_name(civil.weekday)[..3].to_owned(),
        Part::UpperPm => return if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
        Part::LowerPm => return if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
        Part::ZoneName => return time.zone_name(),
        Part::Offset { z, fields } => return offset(time.offset(), z, fields),
        Part::Fraction { digits, trims } => return fraction(time.nanos, digits, trims, &text[..1]),
        Part::UnderDay => return format!("{:2}", civil.day),
        Part::UnderYearDay => return format!("{:3}", civil.year_day),
        Part::ZeroYearDay => return format!("{:03}", civil.year_day),
        Part::LongYear if civil.year < 0 => return format!("-{:04}", civil.year.abs()),
        Part::LongYear => return format!("{:04}", civil.year),
        Part::NumMonth | Part::ZeroMonth => civil.month,
        Part::Day | Part::ZeroDay => civil.day,
        Part::Hour => return format!("{:02}", civil.hour),
        Part::Hour12 | Part::ZeroHour12 => hour12,
        Part::Minute | Part::ZeroMinute => civil.minute,
        Part::Second | Part::ZeroSecond => civil.second,
        Part::Year => civil.year.rem_euclid(100),
    };
    match part {
        Part::NumMonth | Part::Day | Part::Hour12 | Part::Minute | Part::Second => {
            number.to_string()
        }
        _ => format!("{number:02}"),
    }
}

fn offset(seconds: i64, z: bool, fields: OffsetFields) -> String {
    if z && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match fields {
        OffsetFields::Hours => format!("{sign}{hours:02}"),
        OffsetFields::Minutes => format!("{sign}{hours:02}{minutes:02}"),
        OffsetFields::ColonMinutes => format!("{sign}{hours:02}:{minutes:02}"),
        OffsetFields::Seconds => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
        OffsetFields::ColonSeconds => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    }
}

fn fraction(nanos: u32, digits: usize, trims: bool, separator: &str) -> String {
    let all = format!("{nanos:09}");
    let mut shown = format!("{:0<digits$}", &all[..digits.min(9)]);
    if trims {
        shown.truncate(shown.trim_end_matches('0').len());
        if shown.is_empty() {
            return shown;
        }
    }
    format!("{separator}{shown}")
}
