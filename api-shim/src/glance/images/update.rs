//! `PATCH /v2/images/{id}` (spec C-59).

use ostler_crds::{Image, image::ImageVisibility};

use super::{
    convert,
    patch::{self, Change},
    view,
};
use crate::{
    app::App,
    authorize::{Permit, Rule},
    fault::Fault,
    http::{Inbound, Reply},
    store::images,
};

/// Makes an image visible to all projects.
const PUBLICIZE: Rule = Rule::sub("update", "images", "publicize");

/// Changes an image.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let media_type = inbound.header("content-type").unwrap_or_default().to_owned();
    let changes = patch::read(&media_type, inbound.json().await?)?;
    let app = &inbound.app;
    let id = inbound.param("id");
    let old = images::find_own(&app.client, &app.stores, &permit, id).await?;
    let mut preview = (*old).clone();
    apply(&mut preview, &changes)?;
    publish(app, &permit, Some(&old), &preview).await?;
    let image = images::change(&app.client, &app.stores, &permit, id, |image| apply(image, &changes)).await?;
    Ok(Reply::ok(&view::full(&image)))
}

fn apply(image: &mut Image, changes: &[Change]) -> Result<(), Fault> {
    for change in changes {
        match change {
            Change::Set(key, value) => convert::set(image, key, value, false)?,
            Change::Replace(key, value) => {
                if !convert::is_own(key) && !image.spec.properties.contains_key(key) {
                    let key = crate::observe::clean(key);
                    return Err(Fault::conflict(format!("Property {key} does not exist.")));
                }
                convert::set(image, key, value, false)?;
            }
            Change::Remove(key) => convert::remove(image, key)?,
        }
    }
    if image.spec.visibility != ImageVisibility::Shared {
        image.spec.members = None;
        image.spec.member_status.clear();
    }
    Ok(())
}

/// Showing an image to projects that did not ask for it needs a permission of its own.
pub async fn publish(app: &App, permit: &Permit, old: Option<&Image>, new: &Image) -> Result<(), Fault> {
    let is_public = |i: &Image| i.spec.visibility == ImageVisibility::Public;
    if !is_public(new) || old.is_some_and(is_public) || app.authorizer.may_also(permit, PUBLICIZE).await? {
        return Ok(());
    }
    Err(Fault::forbidden(format!(
        "You are not authorized to make an image public: it needs permission to {PUBLICIZE} in project {}.",
        permit.project()
    )))
}
