//! Moments as Go's time package has them, with the zone that they are shown in.
//! Reads no clock; the local zone is UTC, as in a container.

pub(super) mod layout;
mod parse;
mod zone;

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use k8s_openapi::jiff::Timestamp;

pub(super) use parse::parse;

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

/// A moment.
#[derive(Clone)]
pub(super) struct Time {
    /// Since 1970, in UTC.
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    zone: Option<Zone>,
}

/// A zone other than UTC. Without a name it is shown by its offset.
#[derive(Clone)]
struct Zone {
    name: Rc<str>,
    /// East of UTC, in seconds.
    offset: i64,
}

/// Date and time of day in a zone.
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    /// From 0 on Sunday.
    pub(super) weekday: i64,
    pub(super) year_day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Time {
    /// The beginning of the year 1: Go's zero time.
    pub(super) const ZERO: Self = Self {
        seconds: -62_135_596_800,
        nanos: 0,
        zone: None,
    };

    pub(super) fn of_unix(seconds: i64) -> Self {
        Self {
            seconds,
            nanos: 0,
            zone: None,
        }
    }

    pub(super) fn of_timestamp(timestamp: Timestamp) -> Self {
        let nanos = timestamp.as_nanosecond();
        let (seconds, rest) = (
            nanos.div_euclid(NANOS.into()),
            nanos.rem_euclid(NANOS.into()),
        );
        Self {
            seconds: i64::try_from(seconds).unwrap_or_default(),
            nanos: u32::try_from(rest).unwrap_or_default(),
            zone: None,
        }
    }

    /// A date and time of day; fields beyond their range carry over.
    fn of_civil(year: i64, month: i64, day: i64, seconds: i64, nanos: u32) -> Self {
        let days = days_of(year, month).saturating_add(day - 1);
        Self {
            seconds: days.saturating_mul(DAY).saturating_add(seconds),
            nanos,
            zone: None,
        }
    }

    /// The same moment, shown in a zone.
    fn in_zone(self, name: &str, offset: i64) -> Self {
        let zone = Zone {
            name: name.into(),
            offset,
        };
        Self {
            zone: Some(zone),
            ..self
        }
    }

    pub(super) fn in_utc(&self) -> Self {
        Self {
            zone: None,
            ..self.clone()
        }
    }

    /// The same moment, shown in a zone of the IANA database; in UTC for a name that is not there.
    pub(super) fn in_named(&self, name: &str) -> Self {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(name);
        match (name, zone, Timestamp::from_second(self.seconds)) {
            ("" | "UTC" | "Local", ..) => self.in_utc(),
            (_, Ok(zone), Ok(timestamp)) => {
                let info = zone.to_offset_info(timestamp);
                self.in_utc()
                    .in_zone(info.abbreviation(), info.offset().seconds().into())
            }
            _ => self.in_utc(),
        }
    }

    fn offset(&self) -> i64 {
        self.zone.as_ref().map_or(0, |zone| zone.offset)
    }

    /// Name of the zone, or its offset where it has none.
    fn zone_name(&self) -> String {
        match &self.zone {
            None => "UTC".to_owned(),
            Some(zone) if !zone.name.is_empty() => zone.name.to_string(),
            Some(zone) => {
                let minutes = zone.offset.abs() / 60;
                let sign = if zone.offset < 0 { '-' } else { '+' };
                format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
            }
        }
    }

    pub(super) fn civil(&self) -> Civil {
        let shown = self.seconds.saturating_add(self.offset());
        let (days, rest) = (shown.div_euclid(DAY), shown.rem_euclid(DAY));
        let (year, month, day) = date_of(days);
        Civil {
            year,
            month,
            day,
            weekday: (days + 4).rem_euclid(7),
            year_day: days - days_of(year, 1) + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// After so many nanoseconds.
    pub(super) fn add(&self, nanos: i64) -> Self {
        let total = i64::from(self.nanos) + nanos.rem_euclid(NANOS);
        let seconds = nanos.div_euclid(NANOS) + total / NANOS;
        Self {
            seconds: self.seconds.saturating_add(seconds),
            nanos: u32::try_from(total % NANOS).unwrap_or_default(),
            zone: self.zone.clone(),
        }
    }

    pub(super) fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let time = civil.hour * 3600 + civil.minute * 60 + civil.second;
        let (year, month) = (
            civil.year.saturating_add(years),
            civil.month.saturating_add(months),
        );
        let moved = Self::of_civil(
            year,
            month,
            civil.day.saturating_add(days),
            time,
            self.nanos,
        );
        Self {
            seconds: moved.seconds.saturating_sub(self.offset()),
            zone: self.zone.clone(),
            ..moved
        }
    }

    /// Nanoseconds since another moment, as far as they fit.
    pub(super) fn since(&self, other: &Self) -> i64 {
        let total = (i128::from(self.seconds) - i128::from(other.seconds)) * i128::from(NANOS)
            + i128::from(self.nanos)
            - i128::from(other.nanos);
        i64::try_from(total).unwrap_or(if total < 0 { i64::MIN } else { i64::MAX })
    }

    /// Since 1970, in so many parts of a second.
    pub(super) fn unix(&self, parts: i64) -> i64 {
        let fraction = i64::from(self.nanos) / (NANOS / parts);
        self.seconds.wrapping_mul(parts).wrapping_add(fraction)
    }

    pub(super) fn format(&self, layout: &str) -> String {
        layout::format(self, layout)
    }

    /// As JSON has it.
    pub(super) fn rfc3339(&self) -> String {
        self.format("2006-01-02T15:04:05.999999999Z07:00")
    }
}

impl fmt::Display for Time {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

/// Days from 1970 to the first of a month of the Gregorian calendar.
fn days_of(year: i64, month: i64) -> i64 {
    let months = year.saturating_mul(12).saturating_add(month - 1);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    // Years that begin in March end with the leap day.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + day_of_year;
    era.saturating_mul(146_097)
        .saturating_add(day_of_era - 719_468)
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * of_era + of_era / 4 - of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (of_era + era * 400 + i64::from(month <= 2), month, day)
}
