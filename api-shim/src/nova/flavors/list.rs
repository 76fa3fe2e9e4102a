//! `GET /flavors` and `GET /flavors/detail` (spec C-24, C-25).

use std::sync::Arc;

use ostler_crds::{Flavor, FlavorVisibility};
use serde_json::{Value, json};

use super::view;
use crate::{
    authorize::{Permit, rule::common},
    fault::Fault,
    http::{BaseUrl, Inbound, Microversion, Query, Reply, page::Page, query::truth},
    observe::clean,
    shape::links,
    store::reads,
};

/// Largest page.
const MAX_PAGE: usize = 1000;

/// Id, name and links of each.
pub async fn brief(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    list(&inbound, &permit, view::brief).await
}

/// Each in full.
pub async fn detail(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    list(&inbound, &permit, view::full).await
}

/// Keys of the query.
/// Keys of a query.
pub const KEYS: &[&str] = &["limit", "marker", "is_public", "minRam", "minDisk", "sort_key", "sort_dir"];

type View = fn(&Flavor, &BaseUrl, Microversion) -> Value;

async fn list(inbound: &Inbound, permit: &Permit, view: View) -> Result<Reply, Fault> {
    inbound.query.strict(KEYS, inbound.version)?;
    let mut flavors = visible(inbound, permit).await?;
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

/// The flavors that the project may use, which `is_public` does not change for those who are no administrators. An
/// administrator asks for the private ones of everybody with `is_public=False`, for all with `None`.
async fn visible(inbound: &Inbound, permit: &Permit) -> Result<Vec<Arc<Flavor>>, Fault> {
    let app = &inbound.app;
    let own = reads::flavors(&app.stores, permit);
    let Some(word) = inbound.query.get("is_public") else { return Ok(own) };
    if !app.authorizer.may_also(permit, common::ADMIN).await? {
        return Ok(own);
    }
    let mut all = app.stores.flavors.all();
    all.retain(|f| permit.covers(&f.metadata));
    match truth(word) {
        Some(true) => Ok(own),
        Some(false) => {
            all.retain(|f| f.spec.visibility != FlavorVisibility::Public);
            Ok(all)
        }
        None if word.eq_ignore_ascii_case("none") => Ok(all),
        None => Err(Fault::bad_request(format!("Invalid is_public filter [{}]", clean(word)))),
    }
}

/// `minRam` (MB) and `minDisk` (GB).
fn filter(flavors: &mut Vec<Arc<Flavor>>, query: &Query) -> Result<(), Fault> {
    let (ram, disk) = (query.number::<u64>("minRam")?, query.number::<u64>("minDisk")?);
    flavors.retain(|f| ram.is_none_or(|n| f.spec.memory_mib >= n) && disk.is_none_or(|n| f.spec.disk_gib >= n));
    Ok(())
}

fn sort(flavors: &mut [Arc<Flavor>], query: &Query) -> Result<(), Fault> {
    match query.get("sort_key").unwrap_or("flavorid") {
        "flavorid" | "id" => flavors.sort_by_key(|f| view::id(f)),
        "name" => flavors.sort_by(|a, b| a.display_name().cmp(b.display_name())),
        "memory_mb" | "ram" => flavors.sort_by_key(|f| f.spec.memory_mib),
        "vcpus" => flavors.sort_by_key(|f| f.spec.vcpus),
        "root_gb" | "disk" => flavors.sort_by_key(|f| f.spec.disk_gib),
        "ephemeral_gb" => flavors.sort_by_key(|f| f.spec.ephemeral_gib),
        "swap" => flavors.sort_by_key(|f| f.spec.swap_mib),
        "is_public" => flavors.sort_by_key(|f| f.spec.visibility == FlavorVisibility::Public),
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
