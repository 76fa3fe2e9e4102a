//! `resize`, `confirmResize` and `revertResize` (spec C-20 … C-22).

use http::StatusCode;
use ostler_crds::{
    Flavor, Server,
    server::{ActionType, ResizePolicy, ServerAction},
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{body, run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::{
        quotas::admit,
        servers::{convert, facts, resolve},
    },
    store::names,
};

#[derive(Deserialize)]
struct Resize {
    #[serde(rename = "flavorRef")]
    flavor_ref: Value,
    #[serde(rename = "OS-DCF:diskConfig", default)]
    disk_config: Option<String>,
}

/// `resize`: another flavor, then the client's word is awaited.
pub async fn resize(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Resize = body::read(argument, row.name)?;
    convert::disk_config("resize.OS-DCF:diskConfig", ask.disk_config.as_deref())?;
    if !matches!(&ask.flavor_ref, Value::Number(_)) && ask.flavor_ref.as_str().is_none_or(str::is_empty) {
        return Err(Fault::invalid_field("resize.flavorRef", "It is not of type 'string', or too short."));
    }
    let known = run::find_fit(row, &inbound, &permit).await?;
    let flavor = resolve::flavor(&inbound.app, &permit, &ask.flavor_ref)?;
    resolve::served(&flavor)?;
    let present = facts::flavor(&inbound.app.stores, &known).map(|f| (f.vcpus, f.memory_mib)).unwrap_or_default();
    admit::resize(&inbound.app, &permit, present, (flavor.spec.vcpus, flavor.spec.memory_mib))?;
    let disk_config = ask.disk_config.as_deref();
    run::change(row, &inbound, &permit, |server| apply(server, &flavor, disk_config)).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// Pure.
fn apply(server: &mut Server, flavor: &Flavor, disk_config: Option<&str>) -> Result<(), Fault> {
    let name = flavor.metadata.name.clone().unwrap_or_default();
    if server.spec.flavor == name {
        return Err(Fault::bad_request("When resizing, instances must change flavor!"));
    }
    let present = server.status.as_ref().and_then(|s| s.flavor.as_ref()).map_or(0, |f| f.disk_gib);
    if present > 0 && flavor.spec.disk_gib == 0 {
        return Err(Fault::bad_request("Resize to zero disk flavor is not allowed."));
    }
    if flavor.spec.disk_gib < present {
        return Err(Fault::bad_request(format!(
            "Unable to resize disk down: the flavor's disk has {} GiB, the server's {present} GiB.",
            flavor.spec.disk_gib
        )));
    }
    server.spec.flavor = name;
    server.spec.resize_policy = Some(ResizePolicy::Verify);
    if let Some(word) = disk_config {
        server.metadata.annotations.get_or_insert_default().insert(names::DISK_CONFIG.to_owned(), word.to_owned());
    }
    Ok(())
}

/// `confirmResize`: answered with 204, for which clients wait.
pub async fn confirm(row: &'static Row, inbound: Inbound, permit: Permit, _argument: Value) -> Result<Reply, Fault> {
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_: ActionType::ConfirmResize };
    let edit = |server: &mut Server| {
        server.spec.action = Some(action.clone());
        Ok(())
    };
    run::change(row, &inbound, &permit, edit).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `revertResize`: the flavor before. Pure.
pub fn revert(server: &mut Server, _argument: &Value) -> Result<(), Fault> {
    let open = server.status.as_ref().and_then(|s| s.resize.as_ref());
    let before = open.map(|r| r.from.name.clone());
    server.spec.flavor = before.ok_or_else(|| Fault::bad_request("Instance has not been resized."))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn flavor(name: &str, disk: u64) -> Flavor {
        serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Flavor", "metadata": {"name": name},
            "spec": {"vcpus": 1, "memoryMiB": 512, "diskGiB": disk},
        }))
        .unwrap()
    }

    fn server() -> Server {
        serde_json::from_value(json!({
            "apiVersion": "compute.ostler.dev/v1alpha1", "kind": "Server", "metadata": {"name": "a"},
            "spec": {"flavor": "small", "image": "x"},
            "status": {"flavor": {"name": "small", "id": "1", "displayName": "small", "vcpus": 1, "memoryMiB": 512,
                                  "diskGiB": 2}},
        }))
        .unwrap()
    }

    #[test]
    fn c20_a_resize_is_another_flavor_that_is_to_be_confirmed() {
        let mut s = server();
        apply(&mut s, &flavor("large", 2), Some("AUTO")).unwrap();
        assert_eq!((s.spec.flavor.as_str(), s.spec.resize_policy), ("large", Some(ResizePolicy::Verify)));
        assert_eq!(s.metadata.annotations.unwrap()[names::DISK_CONFIG], "AUTO");
        for (name, disk) in [("small", 2), ("tiny", 1), ("none", 0)] {
            assert_eq!(apply(&mut server(), &flavor(name, disk), None).unwrap_err().status.as_u16(), 400, "{name}");
        }
    }

    #[test]
    fn c22_a_revert_is_the_flavor_before() {
        let mut s = server();
        assert_eq!(revert(&mut s, &Value::Null).unwrap_err().status.as_u16(), 400);
        s.status = serde_json::from_value(json!({
            "resize": {"from": {"name": "old", "id": "1", "displayName": "o", "vcpus": 1, "memoryMiB": 1, "diskGiB": 1}},
        }))
        .unwrap();
        revert(&mut s, &Value::Null).unwrap();
        assert_eq!(s.spec.flavor, "old");
    }
}
