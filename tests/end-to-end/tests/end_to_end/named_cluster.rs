//! `make demo` with a KUBECONFIG.

use std::process::Command;

use anyhow::{Context, Result};
use ostler_test_harness::{
    paths::{binary, repository},
    scratch::Scratch,
    script::{Script, output},
};
use ostler_tests_end_to_end::Demo;

/// A user's own cluster that has our image: one node with libvirt.
fn own_cluster(scratch: &Scratch) -> Result<Script> {
    let profile = binary("controller")?;
    let bin_dir = profile.parent().context("no target folder")?;
    let mut build = Command::new(repository().join("tests/images/build.sh"));
    let image = output(build.arg("--bin-dir").arg(bin_dir).arg("--out").arg(scratch.path()).arg("ostler"))?;
    let program = repository().join("tests/cluster/cluster");
    let dir = scratch.path().join("c").display().to_string();
    let log = scratch.path().join("cluster.log");
    let cluster = Script::start(&program, &["run", "--size", "full", "--dir", &dir], &log)?;
    output(Command::new(&program).args(["load-image", "--dir", &dir, &image]))?;
    Ok(cluster)
}

#[test]
fn the_cluster_of_kubeconfig_is_used_and_given_back() -> Result<()> {
    let scratch = Scratch::new("own")?;
    let cluster = own_cluster(&scratch)?;
    let demo = Demo::new()?;
    let env = [("KUBECONFIG", cluster.ready()), ("OSTLER_DEMO_IMAGE", "localhost/ostler:dev")];
    let said = demo.up(&env)?;
    // There the image is uploaded through the API, and the node role fetches it from the shim.
    assert!(said.contains("OSTLER-READY") && said.contains("$ openstack server show hello"), "{said}");
    let node = demo.shell("kubectl get nodes -o name")?;
    // A shell that sourced .demo/env is no other cluster.
    let own = demo.shell("echo $KUBECONFIG")?;
    assert!(demo.up(&[("KUBECONFIG", &own), env[1]])?.contains("boots=1"));
    // And without KUBECONFIG it is not silently another demo.
    assert!(demo.up(&[]).unwrap_err().to_string().contains("make demo-down"));
    demo.down()?;
    assert!(!demo.dir().exists());
    let ask = |what: &str| {
        let kubectl = scratch.path().join("c/bin/kubectl");
        output(Command::new(kubectl).args(["--kubeconfig", cluster.ready(), "get"]).args(what.split(' ')))
    };
    assert_eq!(ask("nodes -o name")?, node);
    assert_eq!(ask("namespaces demo ostler-system --ignore-not-found -o name")?, "");
    assert_eq!(
        ask("servers,networks.compute.ostler.dev,flavors,clusterroles -A -l app.kubernetes.io/name=ostler -o name")?,
        ""
    );
    assert_eq!(ask("servers,images,flavors,networks.compute.ostler.dev -A -o name")?, "");
    Ok(())
}

#[test]
fn a_cluster_that_does_not_answer_is_said_with_the_step_and_its_log() -> Result<()> {
    let demo = Demo::new()?;
    let kubeconfig = demo.dir().with_extension("kubeconfig");
    std::fs::write(
        &kubeconfig,
        "{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}], \
         clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}], users: [{name: u, user: {}}]}",
    )?;
    let answer =
        demo.up(&[("KUBECONFIG", &kubeconfig.display().to_string()), ("OSTLER_DEMO_IMAGE", "example/ostler:1")]);
    std::fs::remove_file(&kubeconfig)?;
    let said = answer.unwrap_err().to_string();
    assert!(said.contains("FAILED") && said.contains("127.0.0.1:1") && said.contains("refused"), "{said}");
    let log = said.lines().find_map(|l| l.strip_prefix("The whole log: ")).unwrap_or_else(|| panic!("no log: {said}"));
    assert!(std::fs::metadata(log)?.len() > 0);
    demo.down()?;
    assert!(!demo.dir().exists());
    Ok(())
}
