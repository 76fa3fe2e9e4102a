//! Nova's microversions: what a request asks for (clients.md, section 6).

use std::fmt;

use http::{HeaderMap, StatusCode};

use crate::fault::Fault;

/// Microversion 2.N; the value is N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Microversion(pub u16);

/// The header of all services.
pub const HEADER: &str = "openstack-api-version";
/// Nova's own header of old.
pub const LEGACY_HEADER: &str = "x-openstack-nova-api-version";

impl Microversion {
    /// The lowest served, and what a request without a header gets.
    pub const MIN: Self = Self(1);
    /// The highest served.
    pub const MAX: Self = Self(96);

    /// What the request asks for. 400 for a malformed header, 406 for a version that is not served.
    pub fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let modern = headers
            .get_all(HEADER)
            .iter()
            .filter_map(|v| v.to_str().ok())
            .flat_map(|v| v.split(','))
            .filter_map(|entry| entry.trim().split_once(' '))
            .find(|(service, _)| matches!(*service, "compute" | "nova"))
            .map(|(_, version)| version);
        let legacy = || headers.get(LEGACY_HEADER).and_then(|v| v.to_str().ok());
        match modern.or_else(legacy).map(str::trim) {
            None => Ok(Self::MIN),
            Some("latest") => Ok(Self::MAX),
            Some(text) => Self::parse(text),
        }
    }

    fn parse(text: &str) -> Result<Self, Fault> {
        let digits = |s: &str| {
            (!s.is_empty() && s.len() <= 4 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u16>().ok())
        };
        let parts = text.split_once('.').and_then(|(a, b)| Some((digits(a)??, digits(b)??)));
        let Some((major, minor)) = parts else {
            let message = format!(
                "API Version String {:?} is of invalid format. Must be of format MajorNum.MinorNum.",
                crate::observe::clean(text)
            );
            return Err(Fault::bad_request(message));
        };
        if major == 2 && (Self::MIN.0..=Self::MAX.0).contains(&minor) {
            return Ok(Self(minor));
        }
        Err(Fault::new(
            StatusCode::NOT_ACCEPTABLE,
            format!(
                "Version {major}.{minor} is not supported by the API. Minimum is {} and maximum is {}.",
                Self::MIN,
                Self::MAX
            ),
        ))
    }
}

impl fmt::Display for Microversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "2.{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn asked(name: &'static str, value: &str) -> Result<Microversion, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        Microversion::of(&headers).map_err(|f| f.status.as_u16())
    }

    #[rstest]
    #[case(HEADER, "compute 2.53", Ok(Microversion(53)))]
    #[case(HEADER, "identity 3.1, compute 2.9", Ok(Microversion(9)))]
    #[case(HEADER, "compute latest", Ok(Microversion::MAX))]
    #[case(HEADER, "volume 3.60", Ok(Microversion::MIN))]
    #[case(HEADER, "compute 2.0", Err(406))]
    #[case(HEADER, "compute 2.999", Err(406))]
    #[case(HEADER, "compute 3.1", Err(406))]
    #[case(HEADER, "compute two", Err(400))]
    #[case(HEADER, "compute 2.-1", Err(400))]
    #[case(LEGACY_HEADER, "2.10", Ok(Microversion(10)))]
    #[case(LEGACY_HEADER, "latest", Ok(Microversion::MAX))]
    fn a_header_names_a_version(
        #[case] name: &'static str,
        #[case] value: &str,
        #[case] expected: Result<Microversion, u16>,
    ) {
        assert_eq!(asked(name, value), expected);
    }

    #[test]
    fn no_header_means_exactly_the_lowest() {
        assert_eq!(Microversion::of(&HeaderMap::new()), Ok(Microversion(1)));
    }

    proptest! {
        #[test]
        fn no_header_value_breaks_the_parser(value in "[ -~]{0,64}") {
            let answer = asked(HEADER, &value);
            prop_assert!(matches!(answer, Ok(_) | Err(400 | 406)));
        }
    }
}
