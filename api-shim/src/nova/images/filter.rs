//! Filters of Nova's image lists (compute-v2 §11). Pure.

use jiff::Timestamp;
use ostler_crds::Image;

use super::view;
use crate::{fault::Fault, http::Query, shape::time, store::updated_at};

/// What a list is cut by.
#[derive(Debug, Default)]
pub struct Filter {
    name: Option<String>,
    status: Option<String>,
    server: Option<String>,
    kind: Option<String>,
    since: Option<Timestamp>,
    min_disk: Option<u64>,
    min_memory: Option<u64>,
    properties: Vec<(String, String)>,
}

impl Filter {
    /// Reads the query; a key that is not known is ignored.
    pub fn of(query: &Query) -> Result<Self, Fault> {
        let text = |key: &str| query.get(key).map(str::to_owned);
        let since = query
            .get("changes-since")
            .map(|t| time::parse(t).ok_or_else(|| Fault::bad_request("Invalid changes-since value: it is no time.")));
        let last = |url: String| url.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        let property = |(key, value): (&str, &str)| Some((key.strip_prefix("property-")?.to_owned(), value.to_owned()));
        Ok(Self {
            name: text("name"),
            status: text("status").map(|s| s.to_ascii_uppercase()),
            server: text("server").map(last),
            kind: text("type"),
            since: since.transpose()?,
            min_disk: query.number("minDisk")?,
            min_memory: query.number("minRam")?,
            properties: query.pairs().filter_map(property).collect(),
        })
    }

    /// Whether an image fits.
    pub fn fits(&self, image: &Image) -> bool {
        let property = |key: &str| image.spec.properties.get(key).map(String::as_str);
        self.name.as_deref().is_none_or(|n| image.display_name() == n)
            && self.status.as_deref().is_none_or(|s| view::status(image).0 == s)
            && self.server.as_deref().is_none_or(|s| view::server(image) == Some(s))
            && self.kind.as_deref().is_none_or(|k| property("image_type") == Some(k))
            && self.since.is_none_or(|since| updated_at(&image.metadata).is_some_and(|u| u >= since))
            && self.min_disk.is_none_or(|n| image.spec.min_disk_gib >= n)
            && self.min_memory.is_none_or(|n| image.spec.min_memory_mib >= n)
            && self.properties.iter().all(|(key, value)| property(key) == Some(value))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_are_found_by_what_nova_knows_of_them() {
        let image: Image = serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image",
            "metadata": {"name": "x", "creationTimestamp": "2026-01-02T00:00:00Z"},
            "spec": {"source": {"upload": {}}, "diskFormat": "raw", "displayName": "one", "minDiskGiB": 2,
                     "properties": {"instance_uuid": "abc", "image_type": "snapshot"}},
        }))
        .unwrap();
        let fits = |q: &str| Filter::of(&Query::parse(q)).map(|f| f.fits(&image)).map_err(|f| f.status.as_u16());
        for good in [
            "",
            "name=one",
            "status=saving",
            "server=http://x/servers/abc",
            "type=snapshot",
            "minDisk=2",
            "changes-since=2026-01-01T00:00:00Z",
            "property-image_type=snapshot",
            "limit=1",
        ] {
            assert_eq!(fits(good), Ok(true), "{good}");
        }
        for other in [
            "name=two",
            "status=ACTIVE",
            "status=nonsense",
            "server=x",
            "type=backup",
            "minDisk=3",
            "changes-since=2026-02-01T00:00:00Z",
            "property-colour=red",
        ] {
            assert_eq!(fits(other), Ok(false), "{other}");
        }
        assert_eq!((fits("minDisk=x"), fits("changes-since=y")), (Err(400), Err(400)));
    }
}
