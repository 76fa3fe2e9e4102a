//! `GET /flavors` and `GET /flavors/detail` (spec C-24, C-25).

use std::sync::Arc;

use ostler_crds::{Flavor, FlavorVisibility};
use serde_json::{Value, json};

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{BaseUrl, Inbound, Microversion, Query, Reply, page::Page, query::truth},
    shape::links,
    store::reads,
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

type View = fn(&Flavor, &BaseUrl, Microversion) -> Value;

fn list(inbound: &Inbound, permit: &Permit, view: View) -> Result<Reply, Fault> {
    let mut flavors = reads::flavors(&inbound.app.stores, permit);
    filter(&mut flavors, &inbound.query)?;
    sort(&mut flavors, &inbound.query)?;
    let page = Page::of(&inbound.query, MAX_PAGE, MAX_PAGE)?;
    let (flavors, more) = page.cut(flavors, |f| view::id(f))?;
    let items: Vec<Value> = flavors.iter().map(|f| view(f, &inbound.base, inbound.version)).collect();
    let mut document = json!({ "flavors": items });
    if let Some(last) = flavors.last().filter(|_| more) {
        document["flavors_links"] = links::next(inbound, &view::id(last));
    }
    Ok(Reply::ok(&document))
}

/// `minRam` (MB), `minDisk` (GB) and `is_public`; the last says `None` for both kinds, and clients send it as a text.
fn filter(flavors: &mut Vec<Arc<Flavor>>, query: &Query) -> Result<(), Fault> {
    let (ram, disk) = (query.number::<u64>("minRam")?, query.number::<u64>("minDisk")?);
    let public = match query.get("is_public") {
        None => None,
        Some(word) if word.eq_ignore_ascii_case("none") => None,
        Some(word) => Some(truth(word).ok_or_else(|| Fault::bad_request("Invalid is_public filter."))?),
    };
    flavors.retain(|f| {
        ram.is_none_or(|n| f.spec.memory_mib >= n)
            && disk.is_none_or(|n| f.spec.disk_gib >= n)
            && public.is_none_or(|p| (f.spec.visibility == FlavorVisibility::Public) == p)
    });
    Ok(())
}

fn sort(flavors: &mut [Arc<Flavor>], query: &Query) -> Result<(), Fault> {
    match query.get("sort_key").unwrap_or("flavorid") {
        "flavorid" | "id" => flavors.sort_by_key(|f| view::id(f)),
        "name" => flavors.sort_by(|a, b| a.display_name().cmp(b.display_name())),
        "memory_mb" => flavors.sort_by_key(|f| f.spec.memory_mib),
        "vcpus" => flavors.sort_by_key(|f| f.spec.vcpus),
        "root_gb" => flavors.sort_by_key(|f| f.spec.disk_gib),
        "created_at" | "updated_at" => flavors.sort_by_key(|f| f.metadata.creation_timestamp.clone()),
        other => return Err(Fault::invalid_field("sort_key", format!("Value: {other:?} is not a known key."))),
    }
    match query.get("sort_dir").unwrap_or("asc") {
        "asc" => Ok(()),
        "desc" => {
            flavors.reverse();
            Ok(())
        }
        other => Err(Fault::invalid_field("sort_dir", format!("Value: {other:?} is neither asc nor desc."))),
    }
}
