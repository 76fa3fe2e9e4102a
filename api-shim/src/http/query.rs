//! A request's query string.

use std::str::FromStr;

use crate::fault::Fault;

/// The pairs of a query string in their order, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part behind `?`.
    pub fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// All values of a key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// All pairs.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// 400 in the words of Nova's schemas if there is a key that is not in `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self.0.iter().find(|(k, _)| !known.contains(&k.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let key = crate::observe::clean(key);
                Err(Fault::invalid_field(
                    "query",
                    format!("Additional properties are not allowed ('{key}' was unexpected)"),
                ))
            }
        }
    }

    /// A number ≥ 0, or 400 that names the key.
    pub fn number<T: FromStr>(&self, key: &str) -> Result<Option<T>, Fault> {
        let invalid = |v: &str| Fault::invalid_field(key, format!("Value: {v:?} is not a non-negative integer."));
        self.get(key).map(|v| v.trim().parse().map_err(|_| invalid(v))).transpose()
    }

    /// A boolean as oslo reads it, or 400 that names the key.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Fault> {
        self.get(key)
            .map(|v| truth(v).ok_or_else(|| Fault::invalid_field(key, format!("Value: {v:?} is not a boolean."))))
            .transpose()
    }

    /// From 2.75 on, a key that is not among `known` is refused.
    pub fn strict(&self, known: &[&str], version: super::Microversion) -> Result<(), Fault> {
        if version >= super::Microversion(75) { self.only(known) } else { Ok(()) }
    }

    /// The query with `key` set to `value` instead of what it had, for `next` links.
    pub fn with(&self, key: &str, value: &str) -> String {
        let mut out = url::form_urlencoded::Serializer::new(String::new());
        out.extend_pairs(self.0.iter().filter(|(k, _)| k != key));
        out.append_pair(key, value);
        out.finish()
    }
}

/// A boolean as oslo reads it.
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "on" | "y" | "yes" => Some(true),
        "0" | "f" | "false" | "off" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_next_link_keeps_the_other_keys() {
        let q = Query::parse("name=a%20b&limit=2&marker=x");
        assert_eq!(q.with("marker", "y"), "name=a+b&limit=2&marker=y");
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_parser(text in "\\PC{0,200}") {
            let q = Query::parse(&text);
            let _ = (q.number::<u32>("limit").is_ok(), q.flag("deleted").is_ok());
            let again = Query::parse(&q.with("marker", "m"));
            prop_assert_eq!(again.get("marker"), Some("m"));
        }
    }
}
