//! Projects: namespaces with the project label. Their names, descriptions and tags are annotations.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, ObjectMeta},
};
use ostler_crds::{
    Image, ProjectQuota, Server,
    names::{
        KEYSTONE_LABEL, PROJECT_DESCRIPTION_ANNOTATION, PROJECT_DISABLED_ANNOTATION, PROJECT_LABEL,
        PROJECT_NAME_ANNOTATION, PROJECT_TAGS_ANNOTATION,
    },
};

use super::{Stores, refusal, slug, write::At};
use crate::{
    authorize::{Warrant, rule::identity},
    fault::Fault,
};

/// What Keystone knows of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Name of the namespace.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// In words.
    pub description: String,
    /// Whether tokens are good for it.
    pub enabled: bool,
    /// Tags, as they were given.
    pub tags: Vec<String>,
}

impl Project {
    /// Reads a namespace.
    pub fn of(namespace: &Namespace) -> Self {
        let note = |key: &str| namespace.annotations().get(key).cloned();
        let id = namespace.name_any();
        Self {
            name: note(PROJECT_NAME_ANNOTATION).filter(|n| !n.is_empty()).unwrap_or_else(|| id.clone()),
            description: note(PROJECT_DESCRIPTION_ANNOTATION).unwrap_or_default(),
            enabled: note(PROJECT_DISABLED_ANNOTATION).as_deref() != Some("true"),
            tags: note(PROJECT_TAGS_ANNOTATION).iter().flat_map(|t| t.split(',')).map(str::to_owned).collect(),
            id,
        }
    }

    /// Writes it into a namespace; what is as it would be anyhow is left out.
    fn write(&self, namespace: &mut Namespace) {
        let values = [
            (PROJECT_NAME_ANNOTATION, (self.name != self.id).then(|| self.name.clone())),
            (PROJECT_DESCRIPTION_ANNOTATION, Some(self.description.clone()).filter(|d| !d.is_empty())),
            (PROJECT_DISABLED_ANNOTATION, (!self.enabled).then(|| "true".to_owned())),
            (PROJECT_TAGS_ANNOTATION, Some(self.tags.join(",")).filter(|t| !t.is_empty())),
        ];
        let notes = namespace.metadata.annotations.get_or_insert_default();
        for (key, value) in values {
            match value {
                Some(value) => drop(notes.insert(key.to_owned(), value)),
                None => drop(notes.remove(key)),
            }
        }
    }
}

/// The namespace of the project with this id, unless it is going.
pub fn get(stores: &Stores, id: &str) -> Option<Arc<Namespace>> {
    stores.projects.get(None, id).filter(|n| n.metadata.deletion_timestamp.is_none())
}

/// The project with this id, or else the first with this name.
pub fn find(stores: &Stores, id_or_name: &str) -> Option<Project> {
    let by_name = || all(stores).into_iter().find(|p| p.name == id_or_name);
    get(stores, id_or_name).map(|n| Project::of(&n)).or_else(by_name)
}

/// What a project with this id is called.
pub fn name(stores: &Stores, id: &str) -> String {
    stores.projects.get(None, id).map_or_else(|| id.to_owned(), |n| Project::of(&n).name)
}

/// All projects, sorted by id.
pub fn all(stores: &Stores) -> Vec<Project> {
    let all = stores.projects.all();
    all.iter().filter(|n| n.metadata.deletion_timestamp.is_none()).map(|n| Project::of(n)).collect()
}

fn at<'a>(client: &Client, stores: &'a Stores) -> At<'a, Namespace> {
    At { api: Api::all(client.clone()), cache: &stores.projects, what: "project" }
}

/// Makes a project; its id is made from the name.
pub async fn create(client: &Client, stores: &Stores, warrant: &Warrant, project: Project) -> Result<Project, Fault> {
    warranted(warrant.covers(identity::MAKE_PROJECT, None, None))?;
    let label = |key: &str| (key.to_owned(), "true".to_owned());
    let mut namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(id_of(&project.name)),
            labels: Some([label(PROJECT_LABEL), label(KEYSTONE_LABEL)].into()),
            ..Default::default()
        },
        ..Default::default()
    };
    project.write(&mut namespace);
    Ok(Project::of(at(client, stores).create(namespace).await?.as_ref()))
}

/// The name of a namespace for a project that is called so; those that Kubernetes keeps for itself are left alone.
fn id_of(name: &str) -> String {
    let slug = slug::slug(name, "project");
    if slug.starts_with("kube-") || slug == "default" { format!("project-{slug}") } else { slug }
}

/// Changes a project.
pub async fn change(
    client: &Client,
    stores: &Stores,
    warrant: &Warrant,
    known: Arc<Namespace>,
    change: impl Fn(&mut Project),
) -> Result<Project, Fault> {
    warranted(warrant.covers(identity::CHANGE_PROJECT, None, Some(&known.name_any())))?;
    rewrite(client, stores, known, change).await.map(|n| Project::of(&n))
}

async fn rewrite(
    client: &Client,
    stores: &Stores,
    known: Arc<Namespace>,
    change: impl Fn(&mut Project),
) -> Result<Arc<Namespace>, Fault> {
    let apply = |namespace: &mut Namespace| {
        let mut project = Project::of(namespace);
        change(&mut project);
        project.write(namespace);
        Ok(())
    };
    at(client, stores).change(known, apply).await
}

/// Deletes a project that was made here and is empty: 403 for another, 409 while it has Servers or Images. It is closed before
/// that is looked at, so that no Server is made through this front meanwhile.
pub async fn delete(client: &Client, stores: &Stores, warrant: &Warrant, known: Arc<Namespace>) -> Result<(), Fault> {
    let id = known.name_any();
    warranted(warrant.covers(identity::DELETE_PROJECT, None, Some(&id)))?;
    if known.labels().get(KEYSTONE_LABEL).map(String::as_str) != Some("true") {
        return Err(Fault::forbidden(format!(
            "Project {id} is a namespace that was not made here: delete it with kubectl."
        )));
    }
    let was_enabled = Project::of(&known).enabled;
    let closed = rewrite(client, stores, known, |p| p.enabled = false).await?;
    let deleted = match what_is_left(client, &id).await {
        Ok(None) => at(client, stores).delete(&closed).await,
        Ok(Some(what)) => Err(Fault::conflict(format!("Project {id} still has {what}: delete them first."))),
        Err(fault) => Err(fault),
    };
    match deleted {
        Ok(()) => forget_quota(client, &id).await,
        Err(fault) => {
            rewrite(client, stores, closed, |p| p.enabled = was_enabled).await?;
            Err(fault)
        }
    }
}

/// What would be lost with a namespace, as the API server has it now.
async fn what_is_left(client: &Client, namespace: &str) -> Result<Option<&'static str>, Fault> {
    let one = ListParams::default().limit(1);
    let servers = Api::<Server>::namespaced(client.clone(), namespace).list(&one).await;
    if !servers.map_err(|e| refusal::read_fault("Server", &e))?.items.is_empty() {
        return Ok(Some("servers"));
    }
    let images = Api::<Image>::namespaced(client.clone(), namespace).list(&one).await;
    Ok((!images.map_err(|e| refusal::read_fault("Image", &e))?.items.is_empty()).then_some("images"))
}

/// The limits of a project that is gone are not those of the next one of its name.
async fn forget_quota(client: &Client, id: &str) -> Result<(), Fault> {
    match Api::<ProjectQuota>::all(client.clone()).delete(id, &DeleteParams::default()).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        answer => answer.map(drop).map_err(|e| refusal::write_fault("ProjectQuota", &e)),
    }
}

/// A proof for something else is a mistake of ours.
pub(super) fn warranted(covered: bool) -> Result<(), Fault> {
    if covered { Ok(()) } else { Err(Fault::internal("identity administration", &"the proof is for something else")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_read_as_it_was_written() {
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some("team-a".into());
        let plain = Project::of(&namespace);
        assert_eq!((plain.name.as_str(), plain.enabled, plain.tags.len()), ("team-a", true, 0));
        plain.write(&mut namespace);
        assert!(namespace.annotations().is_empty());
        let project = Project {
            id: "team-a".into(),
            name: "Team Ä".into(),
            description: "of people".into(),
            enabled: false,
            tags: vec!["x".into(), "y".into()],
        };
        project.write(&mut namespace);
        assert_eq!(Project::of(&namespace), project);
    }

    #[test]
    fn no_project_takes_a_name_of_kubernetes_own() {
        for (name, id) in [("Team A", "team-a"), ("kube-system", "project-kube-system"), ("default", "project-default")]
        {
            assert_eq!(id_of(name), id);
        }
    }
}
