//! `GET /v2/images` (spec C-57).

use serde_json::{Value, json};

use super::{filter::Filter, sort, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply, page::Page},
    store::reads,
};

/// Page without a limit, and largest page; Glance's own.
const PAGE: usize = 25;
const MAX_PAGE: usize = 1000;

/// The images that the project may see.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let filter = Filter::of(&inbound.query)?;
    let page = match inbound.query.get("limit") {
        // Unlike Nova, Glance takes 0 at its word.
        Some("0") => None,
        _ => Some(Page::of(&inbound.query, PAGE, MAX_PAGE)?),
    };
    let mut images = reads::images(&inbound.app.stores, &permit, filter.foreign());
    images.retain(|i| filter.fits(i));
    sort::sort(&mut images, &inbound.query)?;
    let (images, more) = match page {
        Some(page) => page.cut(images, |i| view::id(i))?,
        None => (Vec::new(), false),
    };
    let items: Vec<Value> = images.iter().map(|i| view::full(i)).collect();
    let mut document = json!({"images": items, "schema": "/v2/schemas/images", "first": first(&inbound)});
    if let Some(last) = images.last().filter(|_| more) {
        document["next"] = format!("/v2/images?{}", inbound.query.with("marker", &view::id(last))).into();
    }
    Ok(Reply::ok(&document))
}

fn first(inbound: &Inbound) -> String {
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(inbound.query.pairs().filter(|(k, _)| *k != "marker"));
    match out.finish() {
        query if query.is_empty() => "/v2/images".to_owned(),
        query => format!("/v2/images?{query}"),
    }
}
