//! ProjectQuota: how much a project may have.

use std::{collections::BTreeMap, fmt};

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ProjectQuota limits what one namespace (project) may have. It is cluster-wide, so that nobody who rules in a namespace
/// alone can change it. Its name is the namespace's; the one called `class.default` holds for all that say nothing.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[kube(
    group = "compute.ostler.dev",
    version = "v1alpha1",
    kind = "ProjectQuota",
    plural = "projectquotas",
    shortname = "pq",
    category = "compute",
    derive = "PartialEq",
    derive = "Default",
    doc = "How much a namespace may have; its name is the namespace's, or class.default for all.",
    printcolumn(name = "Instances", type_ = "integer", json_path = ".spec.limits.instances"),
    printcolumn(name = "Cores", type_ = "integer", json_path = ".spec.limits.cores"),
    printcolumn(name = "Memory MiB", type_ = "integer", json_path = ".spec.limits.memoryMiB"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ProjectQuotaSpec {
    /// The limits. One that is absent is that of `class.default`, or else the built-in one.
    #[serde(default)]
    pub limits: Limits,
    /// Further limits of single users, by OpenStack user id: what one of them may have of the project's. They hold for what
    /// is made through the OpenStack front.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 1024))]
    pub users: BTreeMap<String, Limits>,
}

/// Name of the ProjectQuota that holds for all. It has a dot, so no namespace is called so.
pub const CLASS_DEFAULT: &str = "class.default";

/// No limit.
pub const UNLIMITED: i64 = -1;

macro_rules! resources {
    ($($(#[doc = $doc:literal])* $variant:ident => $field:ident, $default:expr;)*) => {
        /// Limits; −1: none.
        #[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq, Eq)]
        #[serde(rename_all = "camelCase")]
        pub struct Limits {
            $(
                $(#[doc = $doc])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schemars(range(min = -1))]
                pub $field: Option<i64>,
            )*
        }

        /// What can be limited.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Resource {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Resource {
            /// All of them, in Nova's order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The limit where nobody says anything.
            pub fn built_in(self) -> i64 {
                match self {
                    $(Self::$variant => $default,)*
                }
            }
        }

        impl Limits {
            /// The limit of a resource, if this says one.
            pub fn get(&self, resource: Resource) -> Option<i64> {
                match resource {
                    $(Resource::$variant => self.$field,)*
                }
            }

            /// Says one.
            pub fn set(&mut self, resource: Resource, limit: i64) {
                match resource {
                    $(Resource::$variant => self.$field = Some(limit),)*
                }
            }
        }
    };
}

resources! {
    /// Servers. Built in: none.
    Instances => instances, UNLIMITED;
    /// Virtual processors of all Servers. Built in: none.
    Cores => cores, UNLIMITED;
    /// Memory of all Servers in MiB. Built in: none.
    MemoryMib => memory_mi_b, UNLIMITED;
    /// KeyPairs of one user. Built in: 100.
    KeyPairs => key_pairs, 100;
    /// Metadata items of one Server. Built in: 128.
    MetadataItems => metadata_items, 128;
    /// Files that are put into one Server. Built in: 5.
    InjectedFiles => injected_files, 5;
    /// Bytes of one such file. Built in: 10240.
    InjectedFileContentBytes => injected_file_content_bytes, 10_240;
    /// Length of the path of one such file. Built in: 255.
    InjectedFilePathBytes => injected_file_path_bytes, 255;
    /// Server groups. Built in: 10.
    ServerGroups => server_groups, 10;
    /// Servers of one server group. Built in: 10.
    ServerGroupMembers => server_group_members, 10;
    /// Nova's fixed_ips; shown to clients up to 2.35, limits nothing.
    FixedIps => fixed_ips, UNLIMITED;
    /// Nova's floating_ips, of which there are none; shown to clients up to 2.35.
    FloatingIps => floating_ips, 0;
    /// Security groups. Built in: 10. It holds for what is made through the OpenStack front.
    SecurityGroups => security_groups, 10;
    /// Rules of all security groups together. Built in: 100. Likewise.
    SecurityGroupRules => security_group_rules, 100;
}

/// The limit of a resource in a project with these two objects.
pub fn limit(resource: Resource, project: Option<&ProjectQuota>, class: Option<&ProjectQuota>) -> i64 {
    let said = |quota: Option<&ProjectQuota>| quota.and_then(|q| q.spec.limits.get(resource));
    said(project).or_else(|| said(class)).unwrap_or(resource.built_in())
}

/// Amounts of what Servers take of a project's quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Servers.
    pub instances: u64,
    /// Virtual processors.
    pub cores: u64,
    /// Memory in MiB.
    pub memory_mib: u64,
}

impl Usage {
    /// What `instances` Servers of a size take.
    pub fn of(instances: u64, vcpus: u32, memory_mib: u64) -> Self {
        Self {
            instances,
            cores: instances.saturating_mul(u64::from(vcpus)),
            memory_mib: instances.saturating_mul(memory_mib),
        }
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Self {
        Self {
            instances: self.instances.saturating_add(other.instances),
            cores: self.cores.saturating_add(other.cores),
            memory_mib: self.memory_mib.saturating_add(other.memory_mib),
        }
    }

    /// The difference, at least 0.
    pub fn minus(self, other: Self) -> Self {
        Self {
            instances: self.instances.saturating_sub(other.instances),
            cores: self.cores.saturating_sub(other.cores),
            memory_mib: self.memory_mib.saturating_sub(other.memory_mib),
        }
    }
}

/// What is asked for does not fit into a quota.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Exceeded {
    /// Of which resource.
    pub resource: Resource,
    /// How much is asked for.
    pub asked: u64,
    /// How much is used.
    pub used: u64,
    /// How much may be.
    pub limit: i64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.resource {
            Resource::Instances => "instances",
            Resource::Cores => "cores",
            Resource::MemoryMib => "ram",
            Resource::KeyPairs => "key pairs",
            Resource::MetadataItems => "metadata items",
            Resource::InjectedFiles => "injected files",
            Resource::InjectedFileContentBytes => "bytes of an injected file",
            Resource::InjectedFilePathBytes => "length of an injected file's path",
            Resource::ServerGroups => "server groups",
            Resource::ServerGroupMembers => "members of a server group",
            Resource::FixedIps | Resource::FloatingIps => "addresses",
            Resource::SecurityGroups => "security_group",
            Resource::SecurityGroupRules => "security_group_rule",
        };
        let Self { asked, used, limit, .. } = self;
        write!(f, "Quota exceeded for {what}: Requested {asked}, but already used {used} of {limit} {what}")
    }
}

/// Whether `asked` more fits beside `used` under `limit`. Nothing asked for fits always, also where a limit was lowered below
/// what is used.
pub fn fits(resource: Resource, limit: i64, used: u64, asked: u64) -> Result<(), Exceeded> {
    let room = u64::try_from(limit).ok();
    if asked == 0 || room.is_none_or(|limit| used.saturating_add(asked) <= limit) {
        return Ok(());
    }
    Err(Exceeded { resource, asked, used, limit })
}

/// The same for all that Servers take, under limits that `limit_of` tells.
pub fn servers_fit(limit_of: impl Fn(Resource) -> i64, used: Usage, asked: Usage) -> Result<(), Exceeded> {
    for (resource, used, asked) in [
        (Resource::Instances, used.instances, asked.instances),
        (Resource::Cores, used.cores, asked.cores),
        (Resource::MemoryMib, used.memory_mib, asked.memory_mib),
    ] {
        fits(resource, limit_of(resource), used, asked)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limits: Limits) -> ProjectQuota {
        ProjectQuota::new("x", ProjectQuotaSpec { limits, ..Default::default() })
    }

    #[test]
    fn a_projects_word_goes_before_the_class_and_that_before_the_built_in() {
        let own = quota(Limits { cores: Some(4), ..Default::default() });
        let class = quota(Limits { cores: Some(8), instances: Some(2), ..Default::default() });
        assert_eq!(limit(Resource::Cores, Some(&own), Some(&class)), 4);
        assert_eq!(limit(Resource::Instances, Some(&own), Some(&class)), 2);
        assert_eq!(limit(Resource::MemoryMib, Some(&own), Some(&class)), UNLIMITED);
        assert_eq!(limit(Resource::KeyPairs, None, None), 100);
    }

    #[test]
    fn what_fits_is_told_from_what_does_not() {
        let limits = |r| {
            limit(r, Some(&quota(Limits { instances: Some(2), memory_mi_b: Some(1024), ..Default::default() })), None)
        };
        let used = Usage::of(1, 4, 512);
        assert_eq!(servers_fit(limits, used, Usage::of(1, 100, 512)), Ok(()));
        let many = servers_fit(limits, used, Usage::of(2, 1, 1)).unwrap_err();
        assert_eq!((many.resource, many.asked, many.used, many.limit), (Resource::Instances, 2, 1, 2));
        let large = servers_fit(limits, used, Usage::of(1, 1, 513)).unwrap_err();
        assert_eq!(large.to_string(), "Quota exceeded for ram: Requested 513, but already used 512 of 1024 ram");
        assert_eq!(fits(Resource::Cores, 1, 5, 0), Ok(()), "a limit below what is used takes nothing away");
        assert!(fits(Resource::Cores, 0, 0, 1).is_err());
    }

    #[test]
    fn limits_are_read_and_written_by_resource() {
        let mut limits = Limits::default();
        for (n, resource) in (0..).zip(Resource::ALL) {
            limits.set(*resource, n);
            assert_eq!(limits.get(*resource), Some(n));
        }
        assert_eq!(serde_json::to_value(&limits).map(|v| v["memoryMiB"].clone()).ok(), Some(2.into()));
    }
}
