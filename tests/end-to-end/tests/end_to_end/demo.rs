//! `make demo`, what its user does next, and `make demo-down`.

use anyhow::{Context, Result};
use ostler_tests_end_to_end::Demo;

/// One test, because its steps stand on one another and a cluster takes half a minute.
#[test]
fn the_demo_shows_a_guest_that_obeys_both_fronts_outlives_us_and_goes_without_a_trace() -> Result<()> {
    let demo = Demo::new()?;
    let said = demo.up(&[]).context("the first time")?;
    shows_the_guest(&demo, &said)?;
    pods_have_no_privilege(&demo)?;
    openstack_makes_and_kubectl_changes(&demo)?;
    kubectl_deletes_what_openstack_made(&demo)?;
    describe_tells_the_story(&demo)?;
    a_security_group_holds(&demo)?;
    a_guest_outlives_pods_kubelet_and_containerd(&demo)?;
    again_is_the_same_guest(&demo)?;
    goes_without_a_trace(&demo)
}

fn shows_the_guest(demo: &Demo, said: &str) -> Result<()> {
    let steps = said.lines().filter(|l| l.trim_start().starts_with("ok ")).count();
    assert!(steps >= 12, "{said}");
    for part in ["OSTLER-READY", "source=configdrive", "$ openstack server list", "$ openstack server show hello"] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    let hostname = said.split("$ guest-ssh hello hostname\n").nth(1).and_then(|rest| rest.lines().next());
    assert_eq!(hostname, Some("hello"), "{said}");
    let password = std::fs::read_to_string(demo.dir().join("password"))?;
    assert!(!said.contains(&password), "the password was printed");
    // Each tool of the user's shell reaches the same guest.
    let id = demo.shell("kubectl -n demo get server hello -o jsonpath='{.metadata.uid}'")?;
    assert_eq!(demo.shell("openstack server show hello -f value -c id")?, id);
    assert_eq!(demo.shell(&format!("virsh domstate ostler-{id}"))?, "running");
    let metadata = "guest-ssh hello wget -q -O - http://169.254.169.254/latest/meta-data/hostname";
    assert_eq!(demo.shell(metadata)?, "hello");
    assert_eq!(demo.shell("helm -n ostler-system list -q")?, "ostler");
    Ok(())
}

fn pods_have_no_privilege(demo: &Demo) -> Result<()> {
    for program in ["controller", "api-shim"] {
        let all =
            demo.inside(&["sh", "-c", &format!("for p in $(pgrep -x {program}); do cat /proc/$p/status; done")])?;
        let field = |name: &str| all.lines().filter_map(|l| l.strip_prefix(name)).map(str::trim).collect::<Vec<_>>();
        let mut running = field("CapEff:");
        running.sort_unstable();
        // The node role has NET_BIND_SERVICE and NET_ADMIN, for the metadata service and SecurityGroups.
        let wanted = ["0000000000000000", "0000000000001400"];
        assert_eq!(running, wanted[..if program == "controller" { 2 } else { 1 }], "{all}");
        assert!(field("NoNewPrivs:").iter().all(|no_new| *no_new == "1"), "{all}");
    }
    Ok(())
}

fn openstack_makes_and_kubectl_changes(demo: &Demo) -> Result<()> {
    let create = "openstack server create --image tiny --flavor small --key-name me --network lan --wait -f json";
    let made = demo.json(&format!("{create} second"))?;
    assert_eq!(made["status"], "ACTIVE", "{made}");
    let status = "kubectl -n demo get server second -o jsonpath='{.status.state.status}'";
    assert_eq!(demo.shell(status)?, "ACTIVE");
    for (wish, state) in [("Stopped", "SHUTOFF"), ("Running", "ACTIVE")] {
        demo.shell(&format!(
            "kubectl -n demo patch server second --type merge -p '{{\"spec\":{{\"powerState\":\"{wish}\"}}}}'"
        ))?;
        demo.shell("kubectl -n demo wait --for=condition=Ready server/second --timeout=100s")?;
        demo.until(status, state)?;
        assert_eq!(demo.shell("openstack server show second -f value -c status")?, state);
    }
    demo.shell("openstack server delete --wait second")?;
    nothing_is_left_of(demo, made["id"].as_str().context("id")?, made["addresses"]["lan"][0].as_str())?;
    assert_eq!(demo.shell("kubectl -n demo get server second --ignore-not-found")?, "");
    Ok(())
}

fn kubectl_deletes_what_openstack_made(demo: &Demo) -> Result<()> {
    let made = demo.json("openstack server create --image tiny --flavor small --network lan --wait -f json third")?;
    // It returns when nothing is left, and not before.
    demo.shell("kubectl -n demo delete server third --timeout=100s")?;
    nothing_is_left_of(demo, made["id"].as_str().context("id")?, made["addresses"]["lan"][0].as_str())?;
    assert!(!demo.shell("openstack server list -f value -c Name")?.contains("third"));
    Ok(())
}

fn nothing_is_left_of(demo: &Demo, id: &str, address: Option<&str>) -> Result<()> {
    let address = address.context("no address")?;
    assert!(!demo.shell("virsh list --all --name")?.contains(id));
    assert!(!demo.shell("virsh net-dumpxml ostler-lan")?.contains(&format!("'{address}'")));
    assert_eq!(demo.inside(&["find", "/var/lib/ostler", "-name", &format!("*{id}*")])?, "");
    Ok(())
}

fn describe_tells_the_story(demo: &Demo) -> Result<()> {
    let text = demo.shell("kubectl -n demo describe server hello")?;
    for part in ["Bound", "placed on Host", "Started", "The guest was started"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let refused = "kubectl -n demo create -f - <<'Y' 2>&1 || true
{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: bad}, spec: {flavor: small, image: {name: tiny}, colour: red}}
Y";
    assert!(demo.shell(refused)?.contains("spec.colour"), "an unknown field is to be named");
    Ok(())
}

/// The node role's pod may do what its rules need, and its image has the program for it.
fn a_security_group_holds(demo: &Demo) -> Result<()> {
    let put = |rules: &str| {
        let group = format!(
            "{{apiVersion: compute.ostler.dev/v1alpha1, kind: SecurityGroup, metadata: {{name: shut}}, spec: {{rules: [{rules}]}}}}"
        );
        demo.shell(&format!("kubectl -n demo apply -f - <<'Y'\n{group}\nY"))
    };
    let wish = |groups: &str| {
        let patch = format!("{{\"spec\":{{\"securityGroups\":{groups}}}}}");
        demo.shell(&format!("kubectl -n demo patch server hello --type merge -p '{patch}'"))?;
        let seen = "kubectl -n demo get server hello -o jsonpath='{.metadata.generation} {.status.observedGeneration}'";
        let generation = demo.shell(seen)?;
        let generation = generation.split(' ').next().unwrap_or_default();
        demo.until(seen, &format!("{generation} {generation}"))?;
        demo.shell("kubectl -n demo wait --for=condition=Ready server/hello --timeout=100s")
    };
    let ssh = "timeout 20 guest-ssh hello true </dev/null >/dev/null 2>&1 && echo open || echo shut";
    put("")?;
    wish("[\"shut\"]")?;
    assert_eq!(demo.shell(ssh)?, "shut");
    put("{direction: Ingress, protocol: tcp, portMin: 22, portMax: 22}")?;
    demo.until(ssh, "open")?;
    wish("null")?;
    demo.shell("kubectl -n demo delete securitygroup shut")?;
    Ok(())
}

fn a_guest_outlives_pods_kubelet_and_containerd(demo: &Demo) -> Result<()> {
    let boot = "guest-ssh hello cat /proc/sys/kernel/random/boot_id";
    let before = demo.shell(boot)?;
    demo.shell("kubectl -n ostler-system delete pods --all --wait --timeout=100s")?;
    demo.inside(&["pkill", "-9", "-x", "containerd"])?;
    demo.inside(&["pkill", "-9", "-x", "kubelet"])?;
    assert_eq!(demo.shell(boot)?, before, "the guest was started anew");
    // And all find each other again.
    demo.shell("kubectl -n ostler-system rollout status deployment --timeout=120s")?;
    demo.shell("kubectl -n ostler-system rollout status daemonset --timeout=120s")?;
    demo.until("openstack server show hello -f value -c status", "ACTIVE")?;
    assert_eq!(demo.shell(boot)?, before, "the guest was started anew");
    Ok(())
}

fn again_is_the_same_guest(demo: &Demo) -> Result<()> {
    let uid = "kubectl -n demo get server hello -o jsonpath='{.metadata.uid}'";
    let before = demo.shell(uid)?;
    let said = demo.up(&[]).context("the second time")?;
    assert!(said.contains("boots=1"), "{said}");
    assert_eq!(demo.shell(uid)?, before);
    Ok(())
}

fn goes_without_a_trace(demo: &Demo) -> Result<()> {
    let dir = demo.dir().display().to_string();
    demo.down()?;
    assert!(!demo.dir().exists());
    assert!(!std::fs::read_to_string("/proc/mounts")?.contains(&dir));
    let mut left = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        // A process may end while we look.
        let command = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(&format!("{dir}/")) {
            left.push(command);
        }
    }
    assert!(left.is_empty(), "{left:#?}");
    Ok(())
}
