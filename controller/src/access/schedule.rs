//! When a sync window opens: a cron schedule by the clocks of a time zone.
//! It must not read a clock itself, and knows nothing of windows.

use cronexpr::{Crontab, parse_crontab};
use k8s_openapi::jiff::tz::{Offset, TimeZone, TimeZoneTransition};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// Schedules that have a name.
const NAMED: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
/// Minute, hour, day of the month, month, day of the week.
const FIELDS: usize = 5;
const UTC: &str = "UTC";

/// A cron schedule in a time zone.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    zone: TimeZone,
    local: Crontab,
    /// The same on clocks that never change.
    civil: Crontab,
}

impl Schedule {
    /// Reads a schedule in `zone`, which is UTC when empty; a message says what is wrong with either.
    pub(super) fn new(schedule: &str, zone: &str) -> Result<Self, String> {
        let zone = if zone.is_empty() { UTC } else { zone };
        let named = NAMED.iter().find(|(name, _)| *name == schedule);
        let fields = named.map_or(schedule, |(_, fields)| fields);
        let has_all = fields.split_whitespace().count() == FIELDS;
        // `?` is a star to Argo CD.
        let fields = fields.replace('?', "*");
        let read = |zone: &str| {
            let crontab = parse_crontab(&format!("{fields} {zone}")).ok();
            crontab.filter(|_| has_all).ok_or_else(|| {
                format!(
                    "schedule: found \"{schedule}\", expected minute, hour, day of month, month and day of week as in cron, such as \"0 22 * * 1-5\""
                )
            })
        };
        Ok(Self {
            civil: read(UTC)?,
            zone: TimeZone::get(zone).map_err(|_| {
                format!("timeZone: found \"{zone}\", expected a name of the time zone database such as Europe/Berlin")
            })?,
            local: read(zone)?,
        })
    }

    /// The first time after another; `None` when there is none within four years. What falls into an hour that the clocks
    /// leave out comes when they are put forward, and what falls into one that they repeat comes twice.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let next = self.local.find_next(after).ok()?.timestamp();
        let leaps = self.zone.following(after);
        let mut leaps = leaps.take_while(|leap| leap.timestamp() < next);
        let leap = leaps.find(|leap| self.leaves_one_out(leap).unwrap_or_default());
        Some(leap.map_or(next, |leap| leap.timestamp()))
    }

    /// A time of the schedule is among those that the clocks leave out at a change.
    fn leaves_one_out(&self, change: &TimeZoneTransition<'_>) -> Option<bool> {
        let second = SignedDuration::from_secs(1);
        let at = change.timestamp();
        let before = self.zone.to_offset(at.checked_sub(second).ok()?);
        let civil = |offset: Offset| Offset::UTC.to_timestamp(offset.to_datetime(at)).ok();
        let (from, to) = (civil(before)?, civil(change.offset())?);
        let next = self.civil.find_next(from.checked_sub(second).ok()?).ok()?;
        Some(next.timestamp() < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(schedule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::new(schedule, zone).unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        let mut next = || {
            at = schedule.next(at)?;
            Some(at.to_string())
        };
        std::iter::from_fn(&mut next).take(count).collect()
    }

    #[test]
    fn schedules_are_read_as_cron_reads_them() {
        for (schedule, expected) in [
            (
                "30 22 * * *",
                ["2026-03-01T22:30:00Z", "2026-03-02T22:30:00Z"],
            ),
            (
                "*/20 8-9 * * *",
                ["2026-03-02T08:00:00Z", "2026-03-02T08:20:00Z"],
            ),
            (
                "0 0 1,15 * *",
                ["2026-03-15T00:00:00Z", "2026-04-01T00:00:00Z"],
            ),
            (
                "0 6 * jan-feb MON",
                ["2027-01-04T06:00:00Z", "2027-01-11T06:00:00Z"],
            ),
            (
                "0 6 * * 7",
                ["2026-03-08T06:00:00Z", "2026-03-15T06:00:00Z"],
            ),
            (
                "0 6 ? * 7",
                ["2026-03-08T06:00:00Z", "2026-03-15T06:00:00Z"],
            ),
            ("@daily", ["2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"]),
        ] {
            let found = times(schedule, "", "2026-03-01T12:00:00Z", 2);
            assert_eq!(found, expected, "{schedule}");
        }
    }

    #[test]
    fn a_day_of_the_month_or_of_the_week_is_enough_where_both_are_named() {
        let found = times("0 6 13 * 5", "", "2026-03-05T12:00:00Z", 3);
        let expected = [
            "2026-03-06T06:00:00Z",
            "2026-03-13T06:00:00Z",
            "2026-03-20T06:00:00Z",
        ];
        assert_eq!(found, expected);
        let found = times("0 6 13 * 5", "", "2026-04-11T12:00:00Z", 1);
        assert_eq!(found, ["2026-04-13T06:00:00Z"]);
    }

    #[test]
    fn times_are_those_of_the_time_zone_in_summer_and_in_winter() {
        let found = times("0 22 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2);
        assert_eq!(found, ["2026-03-08T03:00:00Z", "2026-03-09T02:00:00Z"]);
    }

    #[test]
    fn a_time_that_the_clocks_leave_out_comes_when_they_are_put_forward() {
        let found = times("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3);
        let expected = [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:30:00Z",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_time_that_the_clocks_repeat_comes_twice() {
        let found = times("30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3);
        let expected = [
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-26T01:30:00Z",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_day_that_never_comes_is_no_time() {
        assert_eq!(times("0 0 31 2 *", "", "2026-03-01T12:00:00Z", 1), [""; 0]);
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_an_example() {
        for schedule in [
            "",
            "0 22 * *",
            "0 0 22 * * *",
            "60 * * * *",
            "0 22 * * 1-5 UTC",
            "@reboot",
            "H * * * *",
        ] {
            let problem = Schedule::new(schedule, "").unwrap_err();
            let expected = format!("schedule: found \"{schedule}\", expected minute, ");
            assert!(problem.starts_with(&expected), "{problem}");
        }
        let problem = Schedule::new("@daily", "Berlin").unwrap_err();
        let expected = "timeZone: found \"Berlin\", expected a name of the time zone database such as Europe/Berlin";
        assert_eq!(problem, expected);
    }
}
