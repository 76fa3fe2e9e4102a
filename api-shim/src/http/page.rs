//! Pages of lists: `limit`, `marker`, and whether there is a next one (compute-v2 §3).

use super::Query;
use crate::fault::Fault;

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    limit: usize,
    marker: Option<String>,
}

impl Page {
    /// From the query. `default` applies when no limit or 0 is asked, `max` when more is asked.
    pub fn of(query: &Query, default: usize, max: usize) -> Result<Self, Fault> {
        let limit = match query.number::<u64>("limit")? {
            None | Some(0) => default,
            Some(n) => usize::try_from(n).unwrap_or(max).min(max),
        };
        Ok(Self { limit, marker: query.get("marker").filter(|m| !m.is_empty()).map(str::to_owned) })
    }

    /// Cuts the page out of `items`; the flag says that more follow. An unknown marker is 400.
    pub fn cut<T>(&self, items: Vec<T>, id: impl Fn(&T) -> String) -> Result<(Vec<T>, bool), Fault> {
        let start = match &self.marker {
            None => 0,
            Some(marker) => {
                let at = items.iter().position(|i| id(i) == *marker);
                at.ok_or_else(|| Fault::bad_request(format!("marker [{marker}] not found")))? + 1
            }
        };
        let more = items.len() > start + self.limit;
        Ok((items.into_iter().skip(start).take(self.limit).collect(), more))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn following_the_pages_gives_every_item_once(n in 0usize..40, limit in 1usize..10) {
            let items: Vec<u32> = (0..n as u32).collect();
            let (mut seen, mut marker) = (Vec::new(), None);
            loop {
                let page = Page { limit, marker: marker.clone() };
                let (part, more) = page.cut(items.clone(), u32::to_string).unwrap();
                prop_assert!(part.len() <= limit);
                seen.extend(part.iter().copied());
                if !more { break; }
                prop_assert_eq!(part.len(), limit);
                marker = part.last().map(u32::to_string);
            }
            prop_assert_eq!(seen, items);
        }
    }

    #[test]
    fn an_unknown_marker_is_a_bad_request() {
        let page = Page { limit: 1, marker: Some("x".into()) };
        assert_eq!(page.cut(vec![1], i32::to_string).unwrap_err().status.as_u16(), 400);
    }
}
