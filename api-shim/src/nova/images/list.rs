//! `GET /images` and `GET /images/detail` (spec C-27, C-28).

use ostler_crds::Image;
use serde_json::{Value, json};

use super::{filter::Filter, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    glance::images::view::id,
    http::{BaseUrl, Inbound, Reply, page::Page},
    shape::links,
    store::reads::{self, Foreign},
};

/// Largest page.
const MAX_PAGE: usize = 1000;

/// Id, name and links of each.
pub async fn brief(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    list(&inbound, &permit, view::brief)
}

/// Each in full.
pub async fn detail(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    list(&inbound, &permit, view::full)
}

fn list(inbound: &Inbound, permit: &Permit, view: fn(&Image, &BaseUrl) -> Value) -> Result<Reply, Fault> {
    let filter = Filter::of(&inbound.query)?;
    let mut images = reads::images(&inbound.app.stores, permit, Foreign::default());
    images.retain(|i| !i.spec.hidden && filter.fits(i));
    // The newest first, as Glance's default is.
    images.sort_by_key(|i| (std::cmp::Reverse(i.metadata.creation_timestamp.clone()), id(i)));
    let (images, more) = Page::of(&inbound.query, MAX_PAGE, MAX_PAGE)?.cut(images, |i| id(i))?;
    let mut document = json!({"images": images.iter().map(|i| view(i, &inbound.base)).collect::<Vec<Value>>()});
    if let Some(last) = images.last().filter(|_| more) {
        document["images_links"] = links::next(inbound, &id(last));
    }
    Ok(Reply::ok(&document))
}
