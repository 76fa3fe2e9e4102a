//! `GET /os-keypairs` (spec C-46).

use serde_json::{Value, json};

use super::{owner, view};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Microversion, Reply, page::Page},
    shape::links,
    store::reads,
};

/// First version with pages.
const PAGED: Microversion = Microversion(35);
/// Largest page.
const MAX_PAGE: usize = 1000;

/// The key pairs of the caller, or of the user that an administrator names, by name.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    owner::known_keys(&inbound, true)?;
    let user = owner::of_query(&inbound, &permit).await?;
    let mut pairs = reads::key_pairs(&inbound.app.stores, &permit, &user);
    pairs.sort_by(|a, b| a.display_name().cmp(b.display_name()));
    let mut document = json!({});
    if inbound.version >= PAGED {
        let page = Page::of(&inbound.query, MAX_PAGE, MAX_PAGE)?;
        let (cut, more) = page.cut(pairs, |p| p.display_name().to_owned())?;
        if let Some(last) = cut.last().filter(|_| more) {
            document["keypairs_links"] = links::next(&inbound, last.display_name());
        }
        pairs = cut;
    }
    document["keypairs"] = pairs.iter().map(|p| view::entry(p, inbound.version)).collect::<Vec<Value>>().into();
    Ok(Reply::ok(&document))
}
