//! openstacksdk with its own defaults.

use anyhow::{Context, Result};
use ostler_tests_clients::{IMAGE, World};

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_makes_a_server_waits_for_it_and_deletes_it() -> Result<()> {
    let world = World::shared().await?;
    let ada = world.ada()?;
    let made = ada.sdk(&["create", "by-sdk", IMAGE, "small", "lan", "sdk-key"])?;
    assert_eq!(
        (&made["status"], &made["key"]),
        (&"ACTIVE".into(), &"-----BEGIN RSA PRIVATE KEY-----".into()),
        "{made}"
    );
    let (id, address) = (made["id"].as_str().context("no id")?, made["private_v4"].as_str().context("no address")?);
    assert_eq!(made["found"][0], id);
    assert_eq!(made["addresses"]["lan"][0]["addr"], address);
    assert!(world.traces_of(id, address)?.len() >= 3, "domain, folder, address");

    let gone = ada.sdk(&["delete", "by-sdk"])?;
    assert_eq!((&gone["deleted"], &gone["left"], &gone["key"]), (&true.into(), &false.into(), &true.into()), "{gone}");
    assert_eq!(world.traces_of(id, address)?, Vec::<String>::new());
    Ok(())
}
