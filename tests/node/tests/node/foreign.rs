//! A domain that an administrator made by hand has the name, or the UUID, of a guest: it is told and never touched.

use anyhow::{Context, Result, ensure};
use kube::ResourceExt;
use ostler_crds::names::reason;
use ostler_tests_node::{World, condition_reason, state, told};

const UUID: &str = "11111111-2222-4333-8444-555555555555";

/// Defines and starts a domain that has no disk.
fn define(world: &World, name: &str, uuid: &str) -> Result<()> {
    let xml = format!(
        "<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid><memory unit='MiB'>32</memory><vcpu>1</vcpu>\
         <os><type arch='x86_64' machine='q35'>hvm</type></os></domain>"
    );
    let file = world.libvirt.state_dir().join("by-hand.xml");
    std::fs::write(&file, xml)?;
    let file = file.to_str().context("path")?;
    world.libvirt.enter(&["sh", "-c", "virsh define \"$1\" && virsh start \"$2\" --paused", "sh", file, name])?;
    std::fs::remove_file(file)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_of_somebody_else_with_a_guests_name_or_uuid_is_told_and_left_as_it_is() -> Result<()> {
    let mut world = World::new("foreign").await?;
    world.wait_image("tiny").await?;
    world.kill_node_role();
    let mut domains = Vec::new();
    for (server, same_name) in [("name", true), ("uuid", false)] {
        world.create(server, "").await?;
        let uid = world.server(server).await?.uid().context("no uid")?;
        let own_name = format!("ostler-{uid}");
        let (name, uuid) = if same_name { (own_name.as_str(), UUID) } else { ("by-hand", uid.as_str()) };
        define(&world, name, uuid)?;
        domains.push((name.to_owned(), uuid.to_owned()));
    }
    world.start_node_role().await?;
    for server in ["name", "uuid"] {
        let stalled =
            world.wait(server, "stalled", |s| condition_reason(s, "Stalled") == Some(reason::FOREIGN_DOMAIN)).await?;
        ensure!(state(&stalled) == "ERROR", "{}", state(&stalled));
        ensure!(told(&stalled).contains("belongs to somebody else"), "{}", told(&stalled));
        world.delete(server).await?;
    }
    for (name, uuid) in domains {
        let said = world.libvirt.enter(&["sh", "-c", "virsh domuuid $1; virsh domstate $1", "sh", &name])?;
        let said: Vec<_> = said.split_whitespace().collect();
        ensure!(said == [uuid.as_str(), "paused"], "{said:?}");
    }
    ensure!(std::fs::read_dir(world.libvirt.state_dir().join("guests"))?.count() == 0, "no folder is left");
    Ok(())
}
