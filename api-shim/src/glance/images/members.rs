//! `/v2/images/{id}/members`: with whom a Shared image is shared. The owner names members; each of them accepts or
//! rejects for itself, so that nobody else's image turns up in a project's lists without its consent.

use std::sync::Arc;

use http::StatusCode;
use ostler_crds::{
    Image,
    image::{ImageVisibility, MemberStatus},
};
use serde_json::{Value, json};

use super::view;
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
    shape::time,
    store::{images, updated_at},
};

/// Most members.
const MOST: usize = 128;

fn word(status: Option<MemberStatus>) -> &'static str {
    match status {
        None => "pending",
        Some(MemberStatus::Accepted) => "accepted",
        Some(MemberStatus::Rejected) => "rejected",
    }
}

fn document(image: &Image, member: &str) -> Value {
    let created = image.metadata.creation_timestamp.as_ref().map(|t| time::seconds(t.0));
    json!({
        "image_id": view::id(image), "member_id": member, "status": word(image.spec.member_status.get(member).copied()),
        "created_at": created, "updated_at": updated_at(&image.metadata).map(time::seconds),
        "schema": "/v2/schemas/member",
    })
}

fn missing() -> Fault {
    Fault::not_found("The member was not found for this image.")
}

fn is_member(image: &Image, project: &str) -> bool {
    image.spec.visibility == ImageVisibility::Shared && image.spec.members.iter().flatten().any(|m| m == project)
}

/// The image, and whether it is the caller's.
async fn find(inbound: &Inbound, permit: &Permit) -> Result<(Arc<Image>, bool), Fault> {
    let image = images::find(&inbound.app.client, &inbound.app.stores, permit, inbound.param("id")).await?;
    let own = image.metadata.namespace.as_deref() == Some(permit.project());
    Ok((image, own))
}

/// The members; whoever is one sees himself alone.
pub async fn list(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (image, own) = find(&inbound, &permit).await?;
    let all = image.spec.members.clone().unwrap_or_default();
    let seen: Vec<Value> = all.iter().filter(|m| own || *m == permit.project()).map(|m| document(&image, m)).collect();
    if seen.is_empty() && !own {
        return Err(Fault::not_found("No image with this id has members that you may see."));
    }
    Ok(Reply::ok(&json!({"members": seen, "schema": "/v2/schemas/members"})))
}

/// A member.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let ((image, own), member) = (find(&inbound, &permit).await?, inbound.param("member"));
    if is_member(&image, member) && (own || member == permit.project()) {
        return Ok(Reply::ok(&document(&image, member)));
    }
    Err(missing())
}

/// Names a member.
pub async fn create(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json().await?;
    let member = body.get("member").and_then(Value::as_str).map(str::trim).filter(|m| !m.is_empty() && m.len() <= 63);
    let member = member.ok_or_else(|| Fault::bad_request("Member to be added not specified"))?;
    let app = &inbound.app;
    let image = images::change(&app.client, &app.stores, &permit, inbound.param("id"), |image| add(image, member));
    Ok(Reply::ok(&document(&*image.await?, member)))
}

fn add(image: &mut Image, member: &str) -> Result<(), Fault> {
    if image.spec.visibility != ImageVisibility::Shared {
        return Err(Fault::forbidden("Only shared images have members."));
    }
    let members = image.spec.members.get_or_insert_default();
    if members.iter().any(|m| m == member) {
        return Err(Fault::conflict(format!("Image member {} is already a member of the image.", clean(member))));
    }
    if members.len() >= MOST {
        return Err(Fault::new(StatusCode::PAYLOAD_TOO_LARGE, format!("An image has at most {MOST} members.")));
    }
    members.push(member.to_owned());
    image.spec.member_status.remove(member);
    Ok(())
}

/// Accepts or rejects: each member for itself.
pub async fn update(mut inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let body = inbound.json().await?;
    let status = match body.get("status").and_then(Value::as_str) {
        Some("pending") => None,
        Some("accepted") => Some(MemberStatus::Accepted),
        Some("rejected") => Some(MemberStatus::Rejected),
        Some(_) => return Err(Fault::bad_request("The status must be pending, accepted or rejected.")),
        None => return Err(Fault::bad_request("Status not specified")),
    };
    let ((image, own), member) = (find(&inbound, &permit).await?, inbound.param("member"));
    if !is_member(&image, member) || (!own && member != permit.project()) {
        return Err(missing());
    }
    if member != permit.project() {
        return Err(Fault::forbidden("Only the member itself may accept or reject an image."));
    }
    let app = &inbound.app;
    let image = images::answer(&app.client, &app.stores, &permit, image, status).await?;
    Ok(Reply::ok(&document(&image, member)))
}

/// Names a member no more.
pub async fn delete(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let (app, member) = (&inbound.app, inbound.param("member"));
    images::change(&app.client, &app.stores, &permit, inbound.param("id"), |image| {
        let members = image.spec.members.get_or_insert_default();
        let before = members.len();
        members.retain(|m| m != member);
        if members.len() == before {
            return Err(missing());
        }
        image.spec.member_status.remove(member);
        Ok(())
    })
    .await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_once_and_is_pending_at_first() {
        let mut image: Image = serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Image", "metadata": {"name": "x", "namespace": "prod"},
            "spec": {"source": {"upload": {}}, "diskFormat": "raw", "visibility": "Shared"},
        }))
        .unwrap();
        let code = |r: Result<(), Fault>| r.map_or_else(|f| f.status.as_u16(), |()| 200);
        assert_eq!([code(add(&mut image, "a")), code(add(&mut image, "a"))], [200, 409]);
        assert_eq!(document(&image, "a")["status"], "pending");
        image.spec.member_status.insert("a".into(), MemberStatus::Rejected);
        assert_eq!((document(&image, "a")["status"].clone(), is_member(&image, "a")), (json!("rejected"), true));
        image.spec.visibility = ImageVisibility::Private;
        assert_eq!((code(add(&mut image, "b")), is_member(&image, "a")), (403, false));
    }
}
