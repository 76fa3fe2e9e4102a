//! The chart as helm sees it: what it refuses, what it keeps, and what its pods may do.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use ostler_test_harness::apply::objects;
use ostler_test_harness::chart::{NAMESPACE, helm, render};
use ostler_test_harness::{Cluster, ControlPlane};
use ostler_tests_apiserver::verdict::expect;
use serde_json::json;

fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map(|t| t.kind.as_str()).unwrap_or_default()
}

fn find(objects: &[DynamicObject], wanted: &str, name: &str) -> Result<DynamicObject> {
    let found = objects.iter().find(|o| kind(o) == wanted && o.name_any() == name);
    Ok(found.with_context(|| format!("no {wanted} {name}"))?.clone())
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for (setting, refusal) in [
        ("manger.replicas=2", "manger"),
        ("manager.replicas=many", "manager/replicas"),
        ("apiShim.replicas=2", "needs apiShim.images.persistence.accessModes with ReadWriteMany"),
        ("node.accelerator=magic", "node/accelerator"),
        ("node.stateDir=relative", "node/stateDir"),
        ("apiShim.service.type=Ingress", "apiShim/service/type"),
        ("apiShim.images.persistence.type=hostPath", "apiShim.images.persistence.hostPath is missing"),
        ("apiShim.users[0].name=alice", "passwordHash"),
        ("apiShim.users[0].name=alice,apiShim.users[0].passwordHash=secret", "passwordHash"),
    ] {
        let refused = render(&[setting]).map(drop).expect_err(setting).to_string().replace('.', "/");
        assert!(refused.contains(&refusal.replace('.', "/")), "{setting}: {refused}");
    }
}

#[test]
fn an_api_server_without_mutating_policies_gets_none() -> Result<()> {
    let old = objects(&helm(None, "template", &["--kube-version=1.33.0"])?)?;
    assert!(!old.iter().any(|o| kind(o).starts_with("Mutating")));
    let new = render(&[])?;
    assert!(new.iter().any(|o| kind(o) == "MutatingAdmissionPolicy"));
    Ok(())
}

#[test]
fn only_the_api_is_served_to_the_outside() -> Result<()> {
    let rendered = render(&["apiShim.service.type=NodePort", "apiShim.service.nodePort=30080"])?;
    let public = find(&rendered, "Service", "ostler-api-shim-public")?;
    assert_eq!(
        public.data["spec"]["ports"],
        json!([{"name": "api", "port": 8080, "targetPort": "api", "nodePort": 30080}])
    );
    assert_eq!(find(&rendered, "Service", "ostler-api-shim")?.data["spec"]["type"], "ClusterIP");
    Ok(())
}

#[tokio::test]
async fn the_pods_are_admitted_where_they_should_be() -> Result<()> {
    let cluster = Cluster::shared().await?;
    let (admin, namespace) = (cluster.admin().await?, cluster.namespace().await?);
    let label = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    Api::<Namespace>::all(admin.clone()).patch(&namespace, &PatchParams::default(), &Patch::Merge(label)).await?;
    let rendered = render(&["manager.priorityClassName=", "node.priorityClassName="])?;
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(admin.clone(), &namespace);
    let dry = PostParams { dry_run: true, ..Default::default() };
    for (wanted, part, refusal) in [
        ("Deployment", "manager", None),
        ("Deployment", "api-shim", None),
        // The machine's network, libvirt's socket and the guests' disks are what the node role is for.
        ("DaemonSet", "node", Some("host namespaces")),
    ] {
        let name = format!("ostler-{part}");
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        ostler_test_harness::apply::apply(&admin, &serde_json::from_value(account)?, &namespace).await?;
        let workload = find(&rendered, wanted, &name)?;
        let mut pod = workload.data["spec"]["template"].clone();
        pod["metadata"]["name"] = json!(part);
        let pod: k8s_openapi::api::core::v1::Pod = serde_json::from_value(pod)?;
        expect(part, pods.create(&dry, &pod).await, refusal)?;
        let pod = serde_json::to_value(pod)?;
        for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
            let security = &container["securityContext"];
            assert_eq!(security["allowPrivilegeEscalation"], false, "{part}");
            assert_eq!(security["readOnlyRootFilesystem"], true, "{part}");
            let capabilities = match part {
                "node" => json!({"drop": ["ALL"], "add": ["NET_ADMIN", "NET_BIND_SERVICE"]}),
                _ => json!({"drop": ["ALL"]}),
            };
            assert_eq!(security["capabilities"], capabilities, "{part}");
            assert!(security.get("privileged").is_none(), "{part}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_upgrade_keeps_the_certificate_and_uninstalling_keeps_the_guests_objects() -> Result<()> {
    let control_plane = tokio::task::spawn_blocking(ControlPlane::start).await??;
    let admin = control_plane.admin().await?;
    let config = Some(control_plane.kubeconfig());
    let notes = helm(config, "install", &["--create-namespace"])?;
    assert!(notes.contains("kubectl wait --for=condition=Ready server/"), "{notes}");
    let secrets: Api<Secret> = Api::namespaced(admin.clone(), NAMESPACE);
    let before = secrets.get("ostler-api-shim-tls").await?.data;
    assert!(before.as_ref().is_some_and(|d| d.contains_key("ca.crt")));
    helm(config, "upgrade", &["--set", "manager.replicas=2"])?;
    assert_eq!(secrets.get("ostler-api-shim-tls").await?.data, before);

    let servers = ostler_tests_apiserver::object::api(&admin, "servers", "default")?;
    let server = ostler_tests_apiserver::object::object("servers", "a", &json!({"flavor": "f", "image": "i"}))?;
    servers.create(&PostParams::default(), &server).await?;
    let tool = ostler_test_harness::control_plane::tool("helm")?;
    let uninstall = ["uninstall", "ostler", "--namespace", NAMESPACE, "--kubeconfig"];
    let kubeconfig = control_plane.kubeconfig().as_os_str();
    ostler_test_harness::script::output(std::process::Command::new(tool).args(uninstall).arg(kubeconfig))?;
    assert!(servers.get_opt("a").await?.is_some());
    assert!(secrets.get_opt("ostler-api-shim-tls").await?.is_none());
    Ok(())
}
