//! Images that are shared, imported, switched off, shown by Nova, or are no disks at all (spec C-27 … C-36).

use anyhow::Result;
use ostler_tests_clients::{Http, World};
use reqwest::Method;
use serde_json::{Value, json};

const IMAGES: &str = "/image/v2/images";

async fn queued(http: &Http, more: Value) -> Result<String> {
    let mut body = json!({"name": "an image", "disk_format": "raw", "container_format": "bare"});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key.as_str()] = value.clone();
    }
    let (status, image) = http.send(Method::POST, IMAGES, body).await?;
    anyhow::ensure!(status == 201, "{status} {image}");
    Ok(image["id"].as_str().unwrap_or_default().to_owned())
}

async fn bytes(http: &Http, method: Method, path: &str, bytes: &[u8]) -> Result<u16> {
    let request = http.request(method, path).header("content-type", "application/octet-stream");
    Ok(request.body(bytes.to_vec()).send().await?.status().as_u16())
}

async fn lists(http: &Http, query: &str, id: &str) -> Result<bool> {
    let list = http.get(&format!("{IMAGES}?limit=1000&{query}")).await?.1;
    Ok(list["images"].as_array().into_iter().flatten().any(|i| i["id"] == id))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_an_image_in_its_lists_when_it_has_accepted_it() -> Result<()> {
    let world = World::shared().await?;
    let (ada, eve) = (world.http("ada", &world.project).await?, world.http("eve", &world.rival).await?);
    let id = queued(&ada, json!({})).await?;
    let members = format!("{IMAGES}/{id}/members");
    let (own, other) = (format!("{members}/{}", world.rival), format!("{members}/{}", world.project));
    assert_eq!(eve.get(&members).await?.0, 404);
    let (status, member) = ada.send(Method::POST, &members, json!({"member": world.rival})).await?;
    assert_eq!((status, &member["status"], &member["image_id"]), (200, &json!("pending"), &json!(id)));
    assert_eq!(ada.send(Method::POST, &members, json!({"member": world.rival})).await?.0, 409);
    assert!(!lists(&eve, "", &id).await? && lists(&eve, "member_status=pending", &id).await?);
    // Each answers for itself.
    assert_eq!(ada.send(Method::PUT, &own, json!({"status": "accepted"})).await?.0, 403);
    assert_eq!(eve.send(Method::PUT, &other, json!({"status": "accepted"})).await?.0, 404);
    assert_eq!(eve.send(Method::PUT, &own, json!({"status": "perhaps"})).await?.0, 400);
    assert_eq!(eve.send(Method::PUT, &own, json!({"status": "accepted"})).await?.1["status"], "accepted");
    assert!(lists(&eve, "", &id).await?);
    assert_eq!(ada.get(&members).await?.1["members"][0]["status"], "accepted");
    assert_eq!(eve.send(Method::PUT, &own, json!({"status": "rejected"})).await?.0, 200);
    assert!(!lists(&eve, "", &id).await? && lists(&eve, "member_status=rejected", &id).await?);
    assert_eq!(eve.send(Method::DELETE, &own, Value::Null).await?.0, 403);
    assert_eq!(ada.send(Method::DELETE, &own, Value::Null).await?.0, 204);
    assert_eq!((eve.get(&format!("{IMAGES}/{id}")).await?.0, ada.get(&own).await?.0), (404, 404));
    assert_eq!(ada.send(Method::DELETE, &format!("{IMAGES}/{id}"), Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_staged_imported_switched_off_and_on() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.http("ada", &world.project).await?;
    assert_eq!(ada.get("/image/v2/info/import").await?.1["import-methods"]["value"], json!(["glance-direct"]));
    let id = queued(&ada, json!({})).await?;
    let (path, import) = (format!("{IMAGES}/{id}"), format!("{IMAGES}/{id}/import"));
    let method = |name: &str| json!({"method": {"name": name}});
    assert_eq!(ada.send(Method::POST, &import, method("glance-direct")).await?.0, 409, "nothing is staged");
    assert_eq!(bytes(&ada, Method::PUT, &format!("{path}/stage"), b"some bytes").await?, 204);
    assert_eq!(ada.get(&path).await?.1["status"], "uploading");
    assert_eq!(ada.send(Method::POST, &import, method("web-download")).await?.0, 400);
    assert_eq!(ada.send(Method::POST, &import, method("glance-direct")).await?.0, 202);
    let shown = ada.get(&path).await?.1;
    assert_eq!((&shown["status"], &shown["size"]), (&json!("active"), &json!(10)));
    assert_eq!(ada.get(&format!("{path}/tasks")).await?, (200, json!({"tasks": []})));

    assert_eq!(ada.send(Method::POST, &format!("{path}/actions/deactivate"), Value::Null).await?.0, 204);
    assert_eq!(ada.get(&path).await?.1["status"], "deactivated");
    assert_eq!(ada.request(Method::GET, &format!("{path}/file")).send().await?.status().as_u16(), 403);
    assert_eq!(ada.send(Method::POST, &format!("{path}/actions/reactivate"), Value::Null).await?.0, 204);
    assert_eq!(ada.request(Method::GET, &format!("{path}/file")).send().await?.text().await?, "some bytes");
    assert_eq!(ada.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_disk_is_kept_and_nothing_boots_from_it() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.http("ada", &world.project).await?;
    let flavors = ada.get("/compute/v2.1/flavors").await?.1;
    let small =
        flavors["flavors"].as_array().into_iter().flatten().find(|f| f["name"] == "small").map(|f| f["id"].clone());
    for (format, container, why) in
        [("qcow2", "bare", "the bytes are raw"), ("iso", "bare", "iso"), ("raw", "ovf", "ovf")]
    {
        let id = queued(&ada, json!({"disk_format": format, "container_format": container})).await?;
        let path = format!("{IMAGES}/{id}");
        assert_eq!(bytes(&ada, Method::PUT, &format!("{path}/file"), b"random bytes").await?, 204, "{format}");
        let shown = ada.get(&path).await?.1;
        assert_eq!((&shown["status"], &shown["disk_format"]), (&json!("active"), &json!(format)));
        assert_eq!(ada.request(Method::GET, &format!("{path}/file")).send().await?.text().await?, "random bytes");
        let server = json!({"server": {"name": "x", "flavorRef": small, "imageRef": id}});
        let (status, fault) = ada.send(Method::POST, "/compute/v2.1/servers", server).await?;
        let said = fault["badRequest"]["message"].as_str().unwrap_or_default();
        assert!(status == 400 && said.contains("no server can start from it") && said.contains(why), "{fault}");
        assert_eq!(ada.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    }
    // What would make a host read another file, or is another format in disguise, is not even kept.
    let id = queued(&ada, json!({"disk_format": "qcow2"})).await?;
    assert_eq!(bytes(&ada, Method::PUT, &format!("{IMAGES}/{id}/file"), b"KDMV").await?, 400);
    assert_eq!(ada.send(Method::DELETE, &format!("{IMAGES}/{id}"), Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn c27_nova_shows_images_up_to_2_35_and_their_metadata_up_to_2_38() -> Result<()> {
    let world = World::shared().await?;
    let (ada, eve) = (world.http("ada", &world.project).await?, world.http("eve", &world.rival).await?);
    let id = queued(&ada, json!({"name": "shown", "os_distro": "none", "min_ram": 64})).await?;
    let path = format!("/compute/v2.1/images/{id}");
    let (status, shown) = ada.get(&path).await?;
    let image = &shown["image"];
    assert_eq!(
        (status, &image["status"], &image["progress"], &image["minRam"]),
        (200, &json!("SAVING"), &json!(25), &json!(64))
    );
    let list = ada.get("/compute/v2.1/images/detail?name=shown&status=SAVING").await?.1;
    assert_eq!(list["images"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["images"][0]["metadata"], json!({"os_distro": "none"}));
    assert_eq!(eve.get(&path).await?.0, 404);

    let metadata = format!("{path}/metadata");
    let body = json!({"metadata": {"a": "1", "b": "2"}});
    let merged = json!({"metadata": {"a": "1", "b": "2", "os_distro": "none"}});
    assert_eq!(ada.send(Method::POST, &metadata, body.clone()).await?, (200, merged));
    assert_eq!(ada.send(Method::PUT, &metadata, body.clone()).await?, (200, body));
    assert_eq!(
        ada.send(Method::PUT, &format!("{metadata}/a"), json!({"meta": {"a": "3"}})).await?.1,
        json!({"meta": {"a": "3"}})
    );
    assert_eq!(ada.send(Method::PUT, &format!("{metadata}/a"), json!({"meta": {"b": "3"}})).await?.0, 400);
    assert_eq!(ada.get(&format!("{metadata}/a")).await?, (200, json!({"meta": {"a": "3"}})));
    assert_eq!(ada.send(Method::DELETE, &format!("{metadata}/a"), Value::Null).await?.0, 204);
    assert_eq!(ada.get(&format!("{metadata}/a")).await?.0, 404);
    for (path, version, code) in
        [(&path, "2.35", 200), (&path, "2.36", 404), (&metadata, "2.38", 200), (&metadata, "2.39", 404)]
    {
        let request = ada.request(Method::GET, path).header("openstack-api-version", format!("compute {version}"));
        assert_eq!(request.send().await?.status().as_u16(), code, "{path} {version}");
    }
    assert_eq!(ada.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    assert_eq!(ada.get(&path).await?.0, 404);
    Ok(())
}
