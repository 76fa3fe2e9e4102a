//! `createBackup`: an image of the server, and the oldest backups of its type go when the new one is there.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use kube::ResourceExt;
use ostler_crds::{Image, image::ImageState};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{create_image, run, table::Row};
use crate::{
    app::App,
    authorize::{Permit, Rule},
    fault::Fault,
    http::{Inbound, Reply},
    nova::{actions::body, servers::text},
    shape::fields::lenient_int,
    store::images,
};

/// Rotation deletes images.
const DELETE_IMAGES: Rule = Rule::on("delete", "images");
/// How long a new backup is waited for before the older ones are left alone.
const LONGEST: Duration = Duration::from_secs(3600);
const STEP: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Ask {
    name: String,
    backup_type: String,
    #[serde(default, deserialize_with = "lenient_int")]
    rotation: Option<i64>,
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Asks for a backup. A rotation of 0 keeps none, so none is made.
pub async fn create(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Ask = body::read(argument, row.name)?;
    text::name_at("createBackup.name", &ask.name)?;
    let rotation = ask.rotation.and_then(|r| usize::try_from(r).ok());
    let rotation = rotation.ok_or_else(|| Fault::invalid_field("createBackup.rotation", "It must be a number ≥ 0."))?;
    let mut properties = text::metadata(&ask.metadata)?;
    text::metadata_count(&properties)?;
    properties.insert("image_type".to_owned(), "backup".to_owned());
    properties.insert("backup_type".to_owned(), ask.backup_type.clone());
    let app = inbound.app.clone();
    if !app.authorizer.may_also(&permit, DELETE_IMAGES).await? {
        let why = format!("Policy does not allow this operation: it needs permission to {DELETE_IMAGES}.");
        return Err(Fault::forbidden(why));
    }
    let server = run::find_fit(row, &inbound, &permit).await?;
    let older = || {
        let mut all = create_image::of(&app.stores, &server);
        all.retain(|i| i.spec.properties.get("backup_type") == Some(&ask.backup_type));
        all
    };
    if rotation == 0 {
        remove(&app, &permit, excess(older(), 0)).await;
        return Ok(Reply::empty(StatusCode::ACCEPTED));
    }
    let before = older();
    let image = create_image::make(row, &inbound, &permit, &ask.name, properties.into_iter().collect()).await?;
    let going = excess(before, rotation - 1);
    if !going.is_empty() {
        tokio::spawn(rotate(app.clone(), permit, image.clone(), going));
    }
    create_image::answer(&inbound, &image)
}

/// All but the newest `kept`, oldest first. Pure.
fn excess(mut backups: Vec<Arc<Image>>, kept: usize) -> Vec<Arc<Image>> {
    backups.sort_by_key(|i| (i.metadata.creation_timestamp.clone(), i.name_any()));
    let going = backups.len().saturating_sub(kept);
    backups.truncate(going);
    backups
}

/// Waits for the new backup: none is given up for one that never comes. Should this process end meanwhile, the next backup
/// rotates.
async fn rotate(app: Arc<App>, permit: Permit, new: Arc<Image>, going: Vec<Arc<Image>>) {
    let is_there = async {
        loop {
            let known = app.stores.images.get(new.namespace().as_deref(), &new.name_any());
            let known = known.filter(|i| i.uid() == new.uid());
            match known.as_ref().map(|i| i.status.as_ref().and_then(|s| s.state)) {
                Some(Some(ImageState::Active)) => return true,
                Some(Some(ImageState::Killed)) | None => return false,
                Some(_) => tokio::time::sleep(STEP).await,
            }
        }
    };
    if tokio::time::timeout(LONGEST, is_there).await == Ok(true) {
        remove(&app, &permit, going).await;
    }
}

/// Deletes images that are not protected; one that is gone already is well.
async fn remove(app: &App, permit: &Permit, going: Vec<Arc<Image>>) {
    for image in going.into_iter().filter(|i| !i.spec.protected) {
        if let Err(fault) = images::delete(&app.client, &app.stores, permit, &image).await {
            tracing::warn!(image = %image.name_any(), %fault, "a backup was not rotated away");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let backup = |name: &str, second: i64| {
            let mut image = crate::glance::images::convert::blank();
            image.metadata.name = Some(name.to_owned());
            let at = jiff::Timestamp::from_second(second).unwrap();
            image.metadata.creation_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at));
            Arc::new(image)
        };
        let names = |kept| {
            let all = vec![backup("c", 3), backup("a", 1), backup("b", 2)];
            excess(all, kept).iter().map(|i| i.name_any()).collect::<Vec<_>>()
        };
        assert_eq!(names(2), ["a"]);
        assert_eq!(names(0), ["a", "b", "c"]);
        assert!(names(3).is_empty() && names(9).is_empty());
    }
}
