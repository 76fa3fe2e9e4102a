//! Times in OpenStack's forms.

use jiff::Timestamp;

/// `2026-01-01T00:00:00Z`: Nova's `created` and `updated`, Glance's times.
pub fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-01T00:00:00.000000`: Nova's `launched_at` and key pair times. gophercloud wants no zone letter here.
pub fn micros_bare(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// `2026-01-01T00:00:00.000000Z`: Keystone's times.
pub fn micros(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Seconds since 1970 as a time; the epoch if out of range.
pub fn from_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}

/// A time that a client sent: ISO 8601, without a zone meaning UTC (compute-v2 §3).
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim().replace(' ', "T");
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok()).or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_openstacks_forms() {
        let t: Timestamp = "2026-01-02T03:04:05.678901Z".parse().unwrap();
        assert_eq!(seconds(t), "2026-01-02T03:04:05Z");
        assert_eq!(micros_bare(t), "2026-01-02T03:04:05.678901");
        assert_eq!(micros(from_seconds(0)), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        assert_eq!(parse("2026-01-02T03:04:05"), parse("2026-01-02T04:04:05+01:00"));
        assert!(parse("2026-01-02").is_some());
        assert_eq!(parse("yesterday"), None);
    }
}
