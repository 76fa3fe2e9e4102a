//! Filters of image lists (otc-ims §3): Glance's keys with operators, and any property. Pure.

use jiff::Timestamp;
use ostler_crds::Image;
use serde_json::Value;

use super::view;
use crate::{
    fault::Fault,
    http::{Query, query::truth},
    shape::time,
    store::{reads::Foreign, updated_at},
};

/// Keys that are no filters.
/// Keys of a query that are no filters.
pub const CONTROL: &[&str] = &["limit", "marker", "sort", "sort_key", "sort_dir", "tag"];

/// What a list is cut by.
#[derive(Debug, Default)]
pub struct Filter {
    exact: Vec<(String, Vec<String>)>,
    tags: Vec<String>,
    sizes: (Option<u64>, Option<u64>),
    times: Vec<(bool, String, Timestamp)>,
    visibility: Option<String>,
    member_status: Option<String>,
    hidden: bool,
    nothing: bool,
}

impl Filter {
    /// Reads the query.
    pub fn of(query: &Query) -> Result<Self, Fault> {
        let mut filter = Self { tags: query.all("tag").map(str::to_owned).collect(), ..Self::default() };
        for (key, value) in query.pairs().filter(|(k, _)| !CONTROL.contains(k)) {
            let invalid =
                || Fault::bad_request(format!("Invalid value for the filter '{}'.", crate::observe::clean(key)));
            match key {
                "size_min" => filter.sizes.0 = Some(value.parse().map_err(|_| invalid())?),
                "size_max" => filter.sizes.1 = Some(value.parse().map_err(|_| invalid())?),
                "created_at" | "updated_at" => filter.times.push(instant(key, value).ok_or_else(invalid)?),
                "visibility" => match value {
                    "public" | "community" | "shared" | "private" => filter.visibility = Some(value.to_owned()),
                    "all" => filter.visibility = Some("all".to_owned()),
                    _ => return Err(invalid()),
                },
                "member_status" => match value {
                    "accepted" | "pending" | "rejected" | "all" => filter.member_status = Some(value.to_owned()),
                    _ => return Err(invalid()),
                },
                "os_hidden" => filter.hidden = truth(value).ok_or_else(invalid)?,
                "protected" => {
                    let word = truth(value).ok_or_else(invalid)?;
                    filter.exact.push((key.to_owned(), vec![word.to_string()]));
                }
                // Images that were deleted are gone.
                "deleted" => filter.nothing |= truth(value).ok_or_else(invalid)?,
                _ => filter.exact.push((key.to_owned(), operands(value))),
            }
        }
        Ok(filter)
    }

    /// Which images of other projects are asked for. Who asks for shared ones alone sees all that were not rejected.
    pub fn foreign(&self) -> Foreign {
        let visibility = self.visibility.as_deref();
        let shared = match (self.member_status.as_deref(), visibility) {
            (Some("pending"), _) => [true, false, false],
            (Some("rejected"), _) => [false, false, true],
            (Some("all"), _) => [true, true, true],
            (None, Some("shared")) => [true, true, false],
            _ => [false, true, false],
        };
        Foreign { community: matches!(visibility, Some("community" | "all")), shared }
    }

    /// Whether an image fits.
    pub fn fits(&self, image: &Image) -> bool {
        let size = image.status.as_ref().and_then(|s| s.size);
        let created = image.metadata.creation_timestamp.as_ref().map(|t| t.0);
        let timely = |(is_created, op, at): &(bool, String, Timestamp)| {
            let own = if *is_created { created } else { updated_at(&image.metadata) };
            own.is_some_and(|own| compare(op, own, *at))
        };
        !self.nothing
            && image.spec.hidden == self.hidden
            && self.visibility.as_deref().is_none_or(|v| v == "all" || v == view::visibility(image))
            && self.tags.iter().all(|t| image.spec.tags.contains(t))
            && self.sizes.0.is_none_or(|min| size.is_some_and(|s| s >= min))
            && self.sizes.1.is_none_or(|max| size.is_some_and(|s| s <= max))
            && self.times.iter().all(timely)
            && self.exact(image)
    }

    fn exact(&self, image: &Image) -> bool {
        if self.exact.is_empty() {
            return true;
        }
        let document = view::full(image);
        self.exact.iter().all(|(key, wanted)| match document.get(key) {
            Some(Value::String(text)) => wanted.contains(text),
            Some(Value::Null) | None => false,
            Some(other) => wanted.contains(&other.to_string()),
        })
    }
}

/// `in:a,b`, with quotes around what holds a comma; anything else is one value.
fn operands(value: &str) -> Vec<String> {
    let Some(list) = value.strip_prefix("in:") else { return vec![value.to_owned()] };
    let (mut out, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in list.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    out.push(word);
    out
}

/// `gte:2026-01-01T00:00:00Z`.
fn instant(key: &str, value: &str) -> Option<(bool, String, Timestamp)> {
    let (op, text) = value
        .split_once(':')
        .filter(|(op, _)| matches!(*op, "gt" | "gte" | "lt" | "lte" | "eq" | "neq"))
        .unwrap_or(("eq", value));
    Some((key == "created_at", op.to_owned(), time::parse(text)?))
}

fn compare(op: &str, own: Timestamp, at: Timestamp) -> bool {
    // Documents show whole seconds, so they are compared.
    let (own, at) = (own.as_second(), at.as_second());
    match op {
        "gt" => own > at,
        "gte" => own >= at,
        "lt" => own < at,
        "lte" => own <= at,
        "neq" => own != at,
        _ => own == at,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fits(query: &str) -> bool {
        let image: Image = serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image",
            "metadata": {"name": "x", "namespace": "prod", "uid": "6d5b1f0c-0000-4000-8000-000000000001",
                         "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"displayName": "a, b", "source": {"upload": {}}, "diskFormat": "qcow2", "tags": ["t"],
                     "properties": {"os_distro": "debian"}, "protected": true},
            "status": {"state": "active", "size": 10},
        }))
        .unwrap();
        Filter::of(&Query::parse(query)).unwrap().fits(&image)
    }

    #[test]
    fn keys_properties_and_operators_filter() {
        assert!(fits("name=a, b") && !fits("name=a"));
        assert!(fits("name=in:\"a, b\",c") && !fits("name=in:a,b"));
        assert!(fits("id=in:1,6d5b1f0c-0000-4000-8000-000000000001"));
        assert!(fits("os_distro=debian") && !fits("os_distro=arch") && !fits("colour=red"));
        assert!(fits("status=active&disk_format=in:qcow2,raw") && !fits("status=queued"));
        assert!(fits("tag=t") && !fits("tag=t&tag=u"));
        assert!(fits("size_min=10&size_max=10") && !fits("size_min=11"));
        assert!(fits("created_at=gte:2026-01-01T00:00:00Z") && !fits("created_at=lt:2026-01-01T00:00:00Z"));
        assert!(fits("visibility=private") && !fits("visibility=public"));
        assert!(fits("protected=True") && !fits("protected=false"));
        assert!(!fits("os_hidden=true"));
        assert!(Filter::of(&Query::parse("visibility=some")).is_err());
    }

    #[test]
    fn shared_images_of_others_are_asked_for_by_visibility_or_status() {
        let shared = |query: &str| Filter::of(&Query::parse(query)).unwrap().foreign().shared;
        assert_eq!(
            [shared("visibility=shared"), shared("member_status=pending")],
            [[true, true, false], [true, false, false]]
        );
        assert_eq!(
            [shared("member_status=all&name=x"), shared("member_status=rejected")],
            [[true; 3], [false, false, true]]
        );
        for query in ["", "name=x", "visibility=all", "os_hidden=true", "visibility=shared&member_status=accepted"] {
            assert_eq!(shared(query), [false, true, false], "{query}");
        }
        assert!(Filter::of(&Query::parse("member_status=some")).is_err());
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_filters(key in "(name|size_min|created_at|visibility|[a-z]{1,4})", value in "\\PC{0,40}") {
            let text = url::form_urlencoded::Serializer::new(String::new()).append_pair(&key, &value).finish();
            let _ = Filter::of(&Query::parse(&text));
        }
    }
}
