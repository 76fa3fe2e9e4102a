//! Whether a Server fits into its project's quota. What counts is what is bound: two Servers that do not fit together are
//! told apart by who is placed first.

use ostler_crds::{
    ProjectQuota, Server,
    names::reason,
    quota::{self, Exceeded, Resource, Usage, fits, servers_fit},
    server::ResolvedFlavor,
};

use crate::resolve::Refusal;

/// What a Server of this flavor takes of a quota.
pub fn size(flavor: &ResolvedFlavor) -> Usage {
    Usage::of(1, flavor.vcpus, flavor.memory_mib)
}

/// The objects that say what a project may have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quotas<'a> {
    /// The project's own.
    pub project: Option<&'a ProjectQuota>,
    /// The one for all.
    pub class: Option<&'a ProjectQuota>,
}

impl Quotas<'_> {
    fn limit(&self, resource: Resource) -> i64 {
        quota::limit(resource, self.project, self.class)
    }
}

/// Lets a Server in, or refuses it with a sentence that names the next step.
pub fn admit(server: &Server, flavor: &ResolvedFlavor, used: Usage, quotas: &Quotas<'_>) -> Result<(), Refusal> {
    let metadata = server.spec.metadata.len() as u64;
    let of_one = fits(Resource::MetadataItems, quotas.limit(Resource::MetadataItems), 0, metadata);
    of_one.and_then(|()| servers_fit(|r| quotas.limit(r), used, size(flavor))).map_err(|e| refusal(server, &e))
}

fn refusal(server: &Server, exceeded: &Exceeded) -> Refusal {
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    Refusal {
        reason: reason::QUOTA_EXCEEDED,
        message: format!(
            "{exceeded}. Namespace {namespace} may have no more: delete Servers, or ask for a larger ProjectQuota {namespace:?}; \
             it is tried again within a minute"
        ),
        passing: false,
    }
}

#[cfg(test)]
mod tests {
    use ostler_crds::{ProjectQuotaSpec, ServerSpec, quota::Limits};

    use super::*;

    fn flavor() -> ResolvedFlavor {
        ResolvedFlavor {
            name: "small".into(),
            id: "1".into(),
            display_name: "small".into(),
            vcpus: 2,
            memory_mib: 512,
            disk_gib: 1,
            extra_specs: Default::default(),
        }
    }

    fn verdict(limits: Limits, used: Usage) -> Result<(), &'static str> {
        let mut server = Server::new("web", ServerSpec::default());
        server.metadata.namespace = Some("prod".into());
        server.spec.metadata = [("a".to_owned(), "b".to_owned())].into();
        let quota = ProjectQuota::new("prod", ProjectQuotaSpec { limits, ..Default::default() });
        let quotas = Quotas { project: Some(&quota), class: None };
        admit(&server, &flavor(), used, &quotas).map_err(|r| {
            assert!(r.message.contains("ProjectQuota \"prod\""), "{}", r.message);
            r.reason
        })
    }

    #[test]
    fn a_server_is_let_in_up_to_the_limit() {
        let used = Usage::of(3, 2, 512);
        assert_eq!(verdict(Limits::default(), used), Ok(()));
        for (limits, fine) in [
            (Limits { instances: Some(4), ..Default::default() }, true),
            (Limits { instances: Some(3), ..Default::default() }, false),
            (Limits { cores: Some(8), ..Default::default() }, true),
            (Limits { cores: Some(7), ..Default::default() }, false),
            (Limits { memory_mi_b: Some(2048), ..Default::default() }, true),
            (Limits { memory_mi_b: Some(2047), ..Default::default() }, false),
            (Limits { metadata_items: Some(1), ..Default::default() }, true),
            (Limits { metadata_items: Some(0), ..Default::default() }, false),
        ] {
            let wanted = if fine { Ok(()) } else { Err(reason::QUOTA_EXCEEDED) };
            assert_eq!(verdict(limits.clone(), used), wanted, "{limits:?}");
        }
    }
}
