//! A stretch of time that a client asks about. Pure.

use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};

use crate::{fault::Fault, http::Query};

/// From one time to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its start.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
}

/// A time as clients of the usage API write it, in UTC.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(' ', "T");
    let time: DateTime = text.trim_end_matches('Z').parse().ok()?;
    time.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp())
}

impl Period {
    /// `start` and `end` of the query; without them, the four weeks before `now`.
    pub fn of(query: &Query, now: Timestamp) -> Result<Self, Fault> {
        let time = |key: &str| {
            let invalid = |text: &str| {
                Fault::bad_request(format!("Datetime is in invalid format: {}", crate::observe::clean(text)))
            };
            query.get(key).map(|text| parse(text).ok_or_else(|| invalid(text))).transpose()
        };
        let month = now.checked_sub(Span::new().hours(28 * 24)).unwrap_or(Timestamp::UNIX_EPOCH);
        let period = Self { start: time("start")?.unwrap_or(month), end: time("end")?.unwrap_or(now) };
        if period.start > period.end {
            return Err(Fault::bad_request("Invalid start time. The start time cannot occur after the end time."));
        }
        Ok(period)
    }

    /// Hours of it in which something was there that began at `began`.
    pub fn hours_since(&self, began: Timestamp, now: Timestamp) -> f64 {
        let (from, to) = (self.start.max(began), self.end.min(now));
        to.duration_since(from).as_secs_f64().max(0.0) / 3600.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_and_measured() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        let of = |q: &str| Period::of(&Query::parse(q), now).map_err(|f| f.status.as_u16());
        let day = of("start=2026-01-01T00:00:00.000000&end=2026-01-02 00:00:00.000000").unwrap();
        assert_eq!(day.end.duration_since(day.start).as_hours(), 24);
        assert_eq!(day.hours_since("2026-01-01T12:00:00Z".parse().unwrap(), now), 12.0);
        assert_eq!(day.hours_since(now, now), 0.0);
        assert_eq!(of("").unwrap().start, "2026-01-04T00:00:00Z".parse().unwrap());
        assert_eq!(of("start=yesterday"), Err(400));
        assert_eq!(of("start=2026-01-02&end=2026-01-01"), Err(400));
    }
}
