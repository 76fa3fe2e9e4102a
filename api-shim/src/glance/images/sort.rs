//! `sort`, `sort_key` and `sort_dir` of image lists. Pure.

use std::{cmp::Ordering, sync::Arc};

use ostler_crds::Image;

use super::view;
use crate::{fault::Fault, http::Query, store::updated_at};

type Compare = fn(&Image, &Image) -> Ordering;

const KEYS: &[(&str, Compare)] = &[
    ("created_at", |a, b| a.metadata.creation_timestamp.cmp(&b.metadata.creation_timestamp)),
    ("updated_at", |a, b| updated_at(&a.metadata).cmp(&updated_at(&b.metadata))),
    ("name", |a, b| a.display_name().cmp(b.display_name())),
    ("status", |a, b| view::status(a).cmp(view::status(b))),
    ("id", |a, b| view::id(a).cmp(&view::id(b))),
    ("size", |a, b| size(a).cmp(&size(b))),
    ("disk_format", |a, b| a.spec.disk_format.as_str().cmp(b.spec.disk_format.as_str())),
    ("container_format", |a, b| a.spec.container_format.cmp(&b.spec.container_format)),
];

fn size(image: &Image) -> Option<u64> {
    image.status.as_ref().and_then(|s| s.size)
}

/// Sorts by the query; newest first without any key. Both forms, `sort=a:asc,b` and `sort_key`, are read.
pub fn sort(images: &mut [Arc<Image>], query: &Query) -> Result<(), Fault> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    if let Some(sort) = query.get("sort") {
        pairs.extend(sort.split(',').map(|part| part.split_once(':').unwrap_or((part, "desc"))));
    } else {
        let mut dirs = query.all("sort_dir");
        let mut last = "desc";
        for key in query.all("sort_key") {
            last = dirs.next().unwrap_or(last);
            pairs.push((key, last));
        }
        if pairs.is_empty() {
            pairs.push(("created_at", dirs.next().unwrap_or("desc")));
        }
    }
    let mut order = Vec::new();
    for (key, dir) in pairs {
        let known = KEYS.iter().find(|(name, _)| *name == key);
        let invalid = |what: &str| Fault::bad_request(format!("Unsupported {what}."));
        let (_, compare) = known.ok_or_else(|| invalid("sort key"))?;
        let descending = match dir {
            "asc" => false,
            "desc" => true,
            _ => return Err(invalid("sort direction")),
        };
        order.push((compare, descending));
    }
    images.sort_by(|a, b| {
        let by_keys = order.iter().map(|(c, desc)| if *desc { c(b, a) } else { c(a, b) });
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| view::id(b).cmp(&view::id(a)))
    });
    Ok(())
}
