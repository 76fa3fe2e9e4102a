//! The metadata service, asked by real guests over their network.

use anyhow::{Context, Result};
use kube::ResourceExt;
use ostler_crds::Server;
use ostler_test_harness::wait_for;
use ostler_tests_node::{PATIENCE, World};
use serde_json::json;

const SECOND_NETWORK: &str = "
apiVersion: compute.ostler.dev/v1alpha1
kind: Network
metadata: {name: wan}
spec: {subnets: [{cidr: 10.78.0.0/24}]}
";

/// What a guest tries: its own data by both trees, a header that names its neighbour, its neighbour's address, a token. Then
/// it asks again and again, without the token and with it.
const SCRIPT: &str = r#"#!/bin/sh
m=http://169.254.169.254
uuid() { timeout 5 wget -q -O - "$@" $m/openstack/latest/meta_data.json 2>/dev/null | grep -o '"uuid":"[^"]*"'; }
put() { printf "PUT /latest/api/token HTTP/1.1\r\nHost: m\r\nX-aliyun-ecs-metadata-token-ttl-seconds: 600\r\n$1Content-Length: 0\r\n\r\n" | timeout 5 nc 169.254.169.254 80 | tr -d '\r'; }
echo "OWN $(uuid)"
echo "HEADER $(uuid --header 'X-Forwarded-For: 10.77.0.51' --header 'X-Instance-ID: 51')"
echo "ADDRESS $(wget -q -O - $m/latest/meta-data/local-ipv4)"
echo "FILE $(wget -q -O - $m/openstack/content/0000)"
echo "PROXY $(put 'X-Forwarded-For: 10.77.0.51\r\n' | head -n1)"
ip addr flush dev eth0
ip addr add 10.77.0.51/24 dev eth0
ip route add default via 10.77.0.1
echo "SPOOF $(uuid) $(ip -4 -o addr show eth0 | grep -o '10.77.0.5[01]')"
ip addr flush dev eth0
ip addr add 10.77.0.50/24 dev eth0
ip route add default via 10.77.0.1
wget -q -O - --post-data=sealed $m/openstack/latest/password
echo "PASSWORD $(wget -q -O - $m/openstack/latest/password)"
token=$(put '' | tail -n1)
echo "TOKEN $token"
while :; do
  echo "WITHOUT $(timeout 5 wget -q -O - $m/latest/meta-data/tags/instance/role 2>&1)"
  echo "WITH $(timeout 5 wget -q -O - --header "X-aws-ec2-metadata-token: $token" $m/latest/meta-data/tags/instance/role 2>&1)"
  sleep 1
done
"#;

/// Waits for a line of the guest's console after those that were there before.
async fn said(world: &World, server: &Server, line: &str) -> Result<()> {
    let before = world.console(server)?.lines().count();
    wait_for(&format!("{line:?} of {}", server.name_any()), PATIENCE, || async {
        Ok(world.console(server)?.lines().skip(before).any(|l| l.trim() == line).then_some(()))
    })
    .await
    .with_context(|| world.console(server).unwrap_or_default())
}

fn uuid(server: &Server) -> Result<String> {
    Ok(format!("\"uuid\":\"{}\"", server.uid().context("no uid")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn m_01_to_m_15_guests_read_their_own_metadata_as_it_is_now_and_nobody_elses() -> Result<()> {
    let mut world = World::new("meta").await?;
    world.apply(SECOND_NETWORK).await?;
    world.wait_image("tiny").await?;
    let script: String = SCRIPT.lines().map(|line| format!("      {line}\n")).collect();
    let (near, far) = ("{name: lan, address: 10.77.0.51}", "{name: wan, address: 10.78.0.50}");
    world.create("b", &format!(", powerState: Stopped, networks: [{near}]")).await?;
    world.create("c", &format!(", configDrive: false, networks: [{far}]")).await?;
    world
        .apply(&format!(
            "apiVersion: compute.ostler.dev/v1alpha1\nkind: Server\nmetadata: {{name: a}}\nspec:\n  flavor: small\n  image: tiny\n  \
             configDrive: false\n  networks: [{{name: lan, address: 10.77.0.50}}]\n  metadata: {{role: web}}\n  files: [{{path: \
             /etc/motd, base64: aGVsbG8=}}]\n  userData:\n    text: |\n{script}"
        ))
        .await?;
    world.wait_ready("b").await?;
    let (a, c) = (world.wait_ready("a").await?, world.wait_ready("c").await?);
    for (server, name) in [(&a, "a"), (&c, "c")] {
        let line = world.wait_booted(server, 1).await?;
        let wanted = [format!("host={name}"), "source=http".to_owned(), format!("uuid={}", server.uid().unwrap())];
        assert!(wanted.iter().all(|w| line.contains(w)), "{line}");
    }
    // That it said this at all means that it got its user data.
    said(&world, &a, "WITHOUT wget: server returned error: HTTP/1.1 404 Not Found").await?;
    let console = world.console(&a)?;
    let own = uuid(&a)?;
    let lines = [
        format!("OWN {own}"),
        format!("HEADER {own}"),
        "ADDRESS 10.77.0.50".to_owned(),
        "FILE hello".to_owned(),
        "PROXY HTTP/1.1 403 Forbidden".to_owned(),
        "SPOOF  10.77.0.51".to_owned(),
        "PASSWORD sealed".to_owned(),
    ];
    for wanted in lines {
        assert!(console.lines().any(|line| line.trim() == wanted), "{wanted} is not in {console}");
    }

    let change = async |options: serde_json::Value| world.change("a", json!({ "metadataOptions": options })).await;
    change(json!({ "tagsEnabled": true })).await?;
    said(&world, &a, "WITHOUT web").await?;
    world.change("a", json!({ "metadata": { "role": "db" } })).await?;
    said(&world, &a, "WITHOUT db").await?;
    change(json!({ "tokensRequired": true })).await?;
    said(&world, &a, "WITHOUT wget: server returned error: HTTP/1.1 401 Unauthorized").await?;
    said(&world, &a, "WITH db").await?;
    // While nobody serves, nobody answers; a token outlives the restart.
    world.kill_node_role();
    said(&world, &a, "WITH").await?;
    world.start_node_role().await?;
    said(&world, &a, "WITH db").await?;
    world.change("a", json!({ "metadataOptions": { "endpointEnabled": false } })).await?;
    said(&world, &a, "WITH wget: server returned error: HTTP/1.1 403 Forbidden").await?;

    for name in ["a", "b", "c"] {
        world.delete(name).await?;
    }
    assert_eq!(world.remains()?, Vec::<String>::new());
    Ok(())
}

/// A stopped guest's address is taken by a machine on the bridge, which translates for a client behind it, as a guest does
/// for its containers.
#[tokio::test(flavor = "multi_thread")]
async fn m_11_a_token_reaches_a_client_behind_the_guest_only_with_a_second_hop() -> Result<()> {
    let world = World::new("hop").await?;
    world.wait_image("tiny").await?;
    world.create("a", ", powerState: Stopped, networks: [{name: lan, address: 10.77.0.50}]").await?;
    world.wait_ready("a").await?;
    let inside = |script: &str| world.libvirt.enter(&["sh", "-c", script]);
    inside(
        "br=$(ip -o -4 addr show to 10.77.0.1 | awk '{print $2}') && ip netns add r && ip netns add c && \
         ip link add tap0 type veth peer name eth0 netns r && ip link set tap0 master $br up && \
         ip -n r addr add 10.77.0.50/24 dev eth0 && ip -n r link set eth0 up && ip -n r route add default via 10.77.0.1 && \
         ip -n r link add eth1 type veth peer name eth0 netns c && ip -n r addr add 172.17.0.1/24 dev eth1 && \
         ip -n r link set eth1 up && ip -n c addr add 172.17.0.2/24 dev eth0 && ip -n c link set eth0 up && \
         ip -n c route add default via 172.17.0.1 && ip netns exec r sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward' && \
         ip netns exec r iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE",
    )?;
    let put = |namespace: &str| {
        inside(&format!(
            "printf 'PUT /latest/api/token HTTP/1.1\\r\\nHost: m\\r\\nX-aws-ec2-metadata-token-ttl-seconds: 60\\r\\n\
             Content-Length: 0\\r\\n\\r\\n' | ip netns exec {namespace} timeout 3 busybox nc 169.254.169.254 80 || true"
        ))
    };
    let get =
        "ip netns exec c timeout 3 busybox wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4 || true";
    assert!(put("r")?.contains("200 OK"), "the guest itself");
    assert_eq!(put("c")?, "", "one hop further");
    assert_eq!(inside(get)?, "10.77.0.50", "the limit is for tokens only");
    world.change("a", json!({ "metadataOptions": { "hopLimit": 2 } })).await?;
    wait_for("the second hop", PATIENCE, || async { Ok(put("c")?.contains("200 OK").then_some(())) }).await?;

    // Without a default route, and with the address taken for a neighbour's (as zeroconf does): it is answered as well.
    inside("ip -n r route del default && ip -n r route add 169.254.0.0/16 dev eth0")?;
    assert!(put("r")?.contains("200 OK"), "a guest without a router");
    // The host's own use of the address is not touched.
    let own = inside("ip route get 169.254.169.254 2>&1 || true")?;
    assert!(own.contains("unreachable"), "{own}");
    // An address of nobody's.
    inside(
        "ip -n r addr add 10.77.0.99/24 dev eth0 && ip -n r addr del 10.77.0.50/24 dev eth0 && ip -n r route add 169.254.0.0/16 dev eth0 || true",
    )?;
    let nobody = inside("ip netns exec r timeout 3 busybox wget -q -O - http://169.254.169.254/ 2>&1 || true")?;
    assert!(nobody.contains("404"), "{nobody}");
    world.delete("a").await?;
    Ok(())
}
