//! The chart without its pods: what `helm install` would bring into a control plane that has no kubelet.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, DynamicObject, PostParams};
use kube::{Client, ResourceExt, core::ObjectMeta};
use ostler_crds::names::{GUEST_FINALIZER, ID_LABEL};

use crate::apply::{api_of, apply, objects};
use crate::control_plane::tool;
use crate::paths::repository;
use crate::script::output;
use crate::wait::wait_for;

/// The release's name in tests.
pub const RELEASE: &str = "ostler";
/// The release's namespace in tests.
pub const NAMESPACE: &str = "ostler-system";

/// Kinds that would start pods or need a kubelet.
const WORKLOADS: [&str; 5] = ["Deployment", "DaemonSet", "PodDisruptionBudget", "PersistentVolumeClaim", "Job"];

/// The objects that `helm template` renders, CRDs included. `settings` are `--set` arguments.
///
/// # Errors
/// helm refuses the chart or the values.
pub fn render(settings: &[&str]) -> Result<Vec<DynamicObject>> {
    let mut args = vec![
        "--include-crds",
        "--kube-version=1.36.0",
        "--api-versions=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",
    ];
    for setting in settings {
        args.extend(["--set", setting]);
    }
    objects(&helm(None, "template", &args)?)
}

/// Runs `helm VERB RELEASE CHART --namespace NAMESPACE ARGS` and gives what it printed. Only `template` needs no cluster.
///
/// # Errors
/// helm fails; the error has what it said.
pub fn helm(kubeconfig: Option<&Path>, verb: &str, args: &[&str]) -> Result<String> {
    let mut helm = Command::new(tool("helm")?);
    helm.arg(verb).arg(RELEASE).arg(repository().join("charts/ostler")).args(["--namespace", NAMESPACE]).args(args);
    if let Some(kubeconfig) = kubeconfig {
        // The API server is on loopback, whatever proxy this machine has.
        helm.env("KUBECONFIG", kubeconfig).env("NO_PROXY", "*");
    }
    output(&mut helm)
}

/// The binding that comes into force last, because it is made last.
fn is_canary(object: &DynamicObject) -> bool {
    kind(object) == "ValidatingAdmissionPolicyBinding" && object.name_any() == format!("{RELEASE}-identity")
}

fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map(|t| t.kind.as_str()).unwrap_or_default()
}

/// Brings the chart's objects into the control plane, all but the workloads, and waits until the CRDs are served and
/// the policies are in force.
///
/// # Errors
/// helm or the API server refuses something.
pub async fn install(admin: &Client, settings: &[&str]) -> Result<()> {
    let (crds, rest): (Vec<_>, Vec<_>) =
        render(settings)?.into_iter().partition(|o| kind(o) == "CustomResourceDefinition");
    make_namespace(admin, NAMESPACE, &[]).await?;
    for crd in &crds {
        apply(admin, crd, NAMESPACE).await?;
    }
    for crd in &crds {
        established(admin, &crd.name_any()).await?;
    }
    let (last, rest): (Vec<_>, Vec<_>) =
        rest.into_iter().filter(|o| !WORKLOADS.contains(&kind(o))).partition(is_canary);
    for object in rest.iter().chain(&last) {
        apply(admin, object, NAMESPACE).await.with_context(|| format!("{} {}", kind(object), object.name_any()))?;
    }
    policies_in_force(admin).await
}

/// Makes a namespace with labels; one that exists is left as it is.
///
/// # Errors
/// The API server refuses it.
pub async fn make_namespace(client: &Client, name: &str, labels: &[(&str, &str)]) -> Result<()> {
    let labels = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let metadata = ObjectMeta { name: Some(name.to_owned()), labels: Some(labels), ..Default::default() };
    let namespace = Namespace { metadata, ..Default::default() };
    match Api::<Namespace>::all(client.clone()).create(&PostParams::default(), &namespace).await {
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
        other => other.map(drop).map_err(Into::into),
    }
}

async fn established(client: &Client, name: &str) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    wait_for(&format!("{name} to be established"), Duration::from_secs(20), || async {
        let crd = api.get(name).await?;
        let conditions = crd.status.and_then(|s| s.conditions).unwrap_or_default();
        Ok(conditions.iter().any(|c| c.type_ == "Established" && c.status == "True").then_some(()))
    })
    .await
}

/// Policies come into force up to a second after they were made. A label that the canary's policy refuses shows when the last one
/// has, and a finalizer that nobody asked for shows the mutating one. Nothing is stored (dry run).
async fn policies_in_force(admin: &Client) -> Result<()> {
    let text = "{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: canary}, spec: {flavor: f, image: i}}";
    let good = objects(text)?.pop().context("no canary")?;
    let mut bad = good.clone();
    bad.metadata.labels = Some([(ID_LABEL.to_owned(), "no-uuid".to_owned())].into());
    let servers = api_of(admin, &good, NAMESPACE).await?;
    let dry = PostParams { dry_run: true, ..Default::default() };
    wait_for("the policies to be in force", Duration::from_secs(20), || async {
        let born = servers.create(&dry, &good).await?;
        Ok((born.finalizers().iter().any(|f| f == GUEST_FINALIZER) && servers.create(&dry, &bad).await.is_err())
            .then_some(()))
    })
    .await
}
