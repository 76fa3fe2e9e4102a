//! Images through the Glance front: bytes in, the same bytes out, and nothing hostile (spec C-57 … C-62, N-04).

use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};
use kube::{Api, Client, ResourceExt, api::DeleteParams};
use ostler_crds::Image;
use ostler_test_harness::{apply::apply_yaml, guest_image::sha256_of, wait_for};
use ostler_tests_clients::{Http, PATIENCE, World};
use reqwest::Method;
use serde_json::{Value, json};

fn qemu_img(world: &World, name: &str, args: &[&str]) -> Result<PathBuf> {
    let path = world.cluster.scratch().join(name);
    let status =
        Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).args(args).arg(&path).arg("2G").status()?;
    ensure!(status.success(), "qemu-img {args:?}");
    Ok(path)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

async fn named(client: &Client, namespace: &str, display_name: &str) -> Result<Option<Image>> {
    let list = Api::<Image>::namespaced(client.clone(), namespace).list(&Default::default()).await?;
    Ok(list.into_iter().find(|i| i.display_name() == display_name))
}

fn files_of(world: &World, uid: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(world.image_dir())? {
        found.push(entry?.file_name().to_string_lossy().into_owned());
    }
    found.retain(|f| f.starts_with(uid));
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn c61_an_image_comes_back_as_it_was_uploaded_and_leaves_nothing() -> Result<()> {
    let world = World::shared().await?;
    let (ada, admin) = (world.ada()?, world.admin().await?);
    let file = qemu_img(world, "plain.qcow2", &[])?;
    let made = ada.json(&[
        "image",
        "create",
        "--disk-format",
        "qcow2",
        "--property",
        "os_distro=none",
        "--tag",
        "first",
        "--min-ram",
        "64",
        "--file",
        text(&file),
        "Plain one",
    ])?;
    let shown = ada.json(&["image", "show", "Plain one"])?;
    assert_eq!((&shown["id"], &shown["status"]), (&made["id"], &json!("active")));
    let size = std::fs::metadata(&file)?.len();
    assert_eq!((&shown["size"], &shown["virtual_size"]), (&json!(size), &json!(2u64 << 30)));
    assert_eq!(
        (&shown["tags"], &shown["min_ram"], &shown["owner"]),
        (&json!(["first"]), &json!(64), &json!(world.project))
    );
    assert_eq!(shown["properties"]["os_distro"], "none");
    assert_eq!(
        (shown["checksum"].as_str().map(str::len), shown["properties"]["os_hash_algo"].as_str()),
        (Some(32), Some("sha512"))
    );

    // The client checks the digest as it saves.
    let saved = world.cluster.scratch().join("saved.qcow2");
    ada.text(&["image", "save", "--file", text(&saved), "Plain one"])?;
    let sha256 = sha256_of(&file)?;
    assert_eq!(sha256_of(&saved)?, sha256);

    let listed = ada.json(&["image", "list", "--long", "--name", "Plain one"])?;
    assert_eq!(listed[0]["Checksum"], shown["checksum"]);
    ada.text(&["image", "set", "--property", "os_version=1", "--name", "Plain two", "Plain one"])?;

    let image = named(&admin, &world.project, "Plain two").await?.unwrap();
    assert_eq!(image.spec.properties.get("os_version").map(String::as_str), Some("1"));
    let status = image.status.clone().unwrap();
    assert_eq!(status.sha256.as_deref(), Some(sha256.as_str()));
    // Nothing of "waiting for bytes" lingers.
    let conditions: Vec<_> = status.conditions.iter().map(|c| (c.type_.as_str(), c.status.as_str())).collect();
    assert_eq!(conditions, [("Ready", "True")]);
    let uid = image.uid().unwrap();
    assert_eq!(files_of(world, &uid)?, [format!("{uid}-{sha256}.img")]);

    ada.text(&["image", "delete", "Plain two"])?;
    assert!(named(&admin, &world.project, "Plain two").await?.is_none());
    wait_for("the bytes to be gone", PATIENCE, || async { Ok(files_of(world, &uid)?.is_empty().then_some(())) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn c62_an_image_that_names_another_file_is_refused_with_the_reason() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.ada()?;
    let file = qemu_img(world, "hostile.qcow2", &["-u", "-b", "/etc/shadow", "-F", "raw"])?;
    let said = ada.refused(&["image", "create", "--disk-format", "qcow2", "--file", text(&file), "hostile"])?;
    assert!(said.contains("the image names a backing file"), "{said}");
    let said = ada.refused(&["image", "create", "--disk-format", "raw", "--file", text(&file), "disguised"])?;
    assert!(said.contains("its format is called raw, but the bytes are qcow2"), "{said}");

    let admin = world.admin().await?;
    for name in ["hostile", "disguised"] {
        // The client removes what it could not fill; if it did not, there would be no bytes.
        if let Some(image) = named(&admin, &world.project, name).await? {
            assert!(image.status.clone().unwrap_or_default().sha256.is_none());
            assert!(files_of(world, &image.uid().unwrap())?.is_empty());
            Api::<Image>::namespaced(admin.clone(), &world.project)
                .delete(&image.name_any(), &DeleteParams::default())
                .await?;
        }
    }
    Ok(())
}

async fn queued(http: &Http, name: &str, more: Value) -> Result<(u16, Value)> {
    let mut body = json!({"name": name, "disk_format": "raw", "container_format": "bare", "visibility": "private"});
    for (key, value) in more.as_object().into_iter().flatten() {
        body[key.as_str()] = value.clone();
    }
    http.send(Method::POST, "/image/v2/images", body).await
}

async fn upload(http: &Http, id: &str, bytes: Vec<u8>) -> Result<u16> {
    let request = http.request(Method::PUT, &format!("/image/v2/images/{id}/file"));
    Ok(request.header("content-type", "application/octet-stream").body(bytes).send().await?.status().as_u16())
}

async fn download(http: &Http, id: &str) -> Result<(u16, Vec<u8>)> {
    let answer = http.request(Method::GET, &format!("/image/v2/images/{id}/file")).send().await?;
    Ok((answer.status().as_u16(), answer.bytes().await?.to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_uploads_at_once_one_is_taken_and_the_other_leaves_nothing() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.http("ada", &world.project).await?;
    let (status, image) = queued(&ada, "twice", json!({})).await?;
    assert_eq!((status, &image["status"]), (201, &json!("queued")));
    let id = image["id"].as_str().unwrap();
    assert_eq!(download(&ada, id).await?, (204, Vec::new()));

    let (one, two) = (vec![1; 3 << 20], vec![2; 3 << 20]);
    let (a, b) = tokio::try_join!(upload(&ada, id, one.clone()), upload(&ada, id, two.clone()))?;
    assert!(matches!((a, b), (204, 409) | (409, 204)), "{a} {b}");
    let taken = if a == 204 { one } else { two };
    assert_eq!(download(&ada, id).await?, (200, taken));
    assert_eq!(files_of(world, id)?.len(), 1);
    assert_eq!(upload(&ada, id, vec![3]).await?, 409);
    assert_eq!(ada.send(Method::DELETE, &format!("/image/v2/images/{id}"), Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_off_leaves_nothing_and_the_image_can_still_be_filled() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.http("ada", &world.project).await?;
    let (_, image) = queued(&ada, "cut", json!({})).await?;
    let id = image["id"].as_str().unwrap();
    // A client that promises more than it sends, and hangs up.
    let head = format!(
        "PUT /image/v2/images/{id}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {}\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: 1000000\r\n\r\n",
        ada.token()
    );
    let mut client = TcpStream::connect(world.shim.url.trim_start_matches("http://"))?;
    client.write_all(head.as_bytes())?;
    client.write_all(&[1; 1000])?;
    wait_for("the part to be there", PATIENCE, || async { Ok((files_of(world, id)?.len() == 1).then_some(())) })
        .await?;
    drop(client);
    wait_for("the part to be gone", PATIENCE, || async { Ok(files_of(world, id)?.is_empty().then_some(())) }).await?;
    let path = format!("/image/v2/images/{id}");
    assert_eq!(ada.get(&path).await?.1["status"], "queued");
    assert_eq!(upload(&ada, id, vec![1; 1000]).await?, 204);
    assert_eq!(ada.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_kept_from_other_projects_and_from_those_who_may_not() -> Result<()> {
    let world = World::shared().await?;
    let (ada, eve) = (world.http("ada", &world.project).await?, world.http("eve", &world.rival).await?);
    let vic = world.http("vic", &world.project).await?;
    let (_, image) = queued(&ada, "kept", json!({})).await?;
    let (id, path) = (image["id"].as_str().unwrap(), format!("/image/v2/images/{}", image["id"].as_str().unwrap()));
    let bytes = b"what nobody else may read".to_vec();
    assert_eq!(upload(&vic, id, bytes.clone()).await?, 403);
    assert_eq!(upload(&eve, id, bytes.clone()).await?, 404);
    assert_eq!(upload(&ada, id, bytes.clone()).await?, 204);

    assert_eq!(queued(&vic, "mine", json!({})).await?.0, 403);
    let (status, fault) = queued(&ada, "all", json!({"visibility": "public"})).await?;
    assert_eq!(
        (status, fault["message"].as_str().is_some_and(|m| m.contains("images/publicize"))),
        (403, true),
        "{fault}"
    );
    assert_eq!(eve.get(&path).await?.0, 404);
    assert_eq!(eve.send(Method::DELETE, &path, Value::Null).await?.0, 404);
    assert_eq!(download(&eve, id).await?.0, 404);
    assert_eq!(vic.send(Method::DELETE, &path, Value::Null).await?.0, 403);

    // An id can be claimed by a label through the other front, and that hides and harms nothing.
    let admin = world.admin().await?;
    let claim = format!(
        "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {{name: claim, labels: {{compute.ostler.dev/id: {id}}}}}\n\
         spec: {{diskFormat: raw, visibility: Community, source: {{upload: {{}}}}}}\n"
    );
    apply_yaml(&admin, &claim, &world.rival).await?;
    wait_for("the claim to be seen", PATIENCE, || async { Ok((eve.get(&path).await?.0 == 200).then_some(())) }).await?;
    assert_eq!(upload(&eve, id, b"evil".to_vec()).await?, 204);
    assert_eq!(ada.get(&path).await?.1["name"], "kept");
    assert_eq!(download(&ada, id).await?, (200, bytes.clone()));
    assert_eq!(download(&eve, id).await?, (200, b"evil".to_vec()));
    assert_eq!(eve.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    wait_for("the claim's deletion to be seen", PATIENCE, || async {
        Ok((eve.get(&path).await?.0 == 404).then_some(()))
    })
    .await?;
    assert_eq!(download(&ada, id).await?, (200, bytes));
    assert_eq!(ada.send(Method::DELETE, &path, Value::Null).await?.0, 204);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_project_shares_takes_no_name_and_is_found_by_id() -> Result<()> {
    let world = World::shared().await?;
    let admin = world.admin().await?;
    let bait = format!(
        "apiVersion: compute.ostler.dev/v1alpha1\nkind: Image\nmetadata: {{name: bait}}\n\
         spec: {{displayName: well-known, diskFormat: raw, visibility: Shared, members: [{}], source: {{upload: {{}}}}}}\n",
        world.project
    );
    apply_yaml(&admin, &bait, &world.rival).await?;
    let images = Api::<Image>::namespaced(admin, &world.rival);
    let id = images.get("bait").await?.uid().unwrap_or_default();
    let (ada, http) = (world.ada()?, world.http("ada", &world.project).await?);
    let listed = async |query: &str| -> Result<bool> {
        let (status, list) = http.get(&format!("/image/v2/images?limit=1000&{query}")).await?;
        ensure!(status == 200, "{status} {list}");
        Ok(list["images"].as_array().into_iter().flatten().any(|i| i["id"] == *id))
    };
    wait_for("it to be seen", PATIENCE, || async { Ok(listed("member_status=pending").await?.then_some(())) }).await?;
    assert!(listed("visibility=shared").await? && listed("member_status=all&name=well-known").await?);
    for query in ["", "name=well-known", "visibility=all", "visibility=shared&member_status=accepted"] {
        assert!(!listed(query).await?, "{query}");
    }
    let said = ada.refused(&["image", "show", "well-known"])?;
    assert!(said.to_lowercase().contains("no image found"), "{said}");
    assert_eq!(ada.json(&["image", "show", &id])?["name"], "well-known");
    images.delete("bait", &DeleteParams::default()).await?;
    Ok(())
}
