//! The four services that share one listener, told apart by a path prefix (spec D-15).

/// An OpenStack service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Glance.
    Image,
    /// Neutron.
    Network,
}

impl Service {
    /// All services, in the order of the catalog.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Compute, Self::Image, Self::Network];

    /// The type in the catalog.
    pub fn type_(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Compute => "compute",
            Self::Image => "image",
            Self::Network => "network",
        }
    }

    /// The name in the catalog.
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "keystone",
            Self::Compute => "nova",
            Self::Image => "glance",
            Self::Network => "neutron",
        }
    }

    /// Paths under which unversioned documents are served.
    pub fn roots(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["/identity", ""],
            Self::Compute => &["/compute"],
            Self::Image => &["/image"],
            Self::Network => &["/network"],
        }
    }

    /// Paths under which the versioned API is served.
    pub fn version_roots(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["/identity/v3", "/v3"],
            Self::Compute => &["/compute/v2.1", "/v2.1", "/compute/v2", "/v2"],
            Self::Image => &["/image/v2"],
            Self::Network => &["/network/v2.0"],
        }
    }

    /// What the catalog adds to the base URL. gophercloud wants the version in compute's and none in the others'.
    pub fn catalog_path(self) -> &'static str {
        match self {
            Self::Identity => "/identity",
            Self::Compute => "/compute/v2.1",
            Self::Image => "/image",
            Self::Network => "/network",
        }
    }

    /// Whether a path is of compute's version 2.0: what 2.1 is without microversions.
    pub fn is_legacy_compute(path: &str) -> bool {
        let mut parts = path.trim_start_matches('/').split('/');
        match parts.next() {
            Some("compute") => parts.next() == Some("v2"),
            first => first == Some("v2"),
        }
    }

    /// The service that a path belongs to, for faults of unknown paths.
    pub fn of_path(path: &str) -> Self {
        let first = path.split('/').nth(1).unwrap_or_default();
        match first {
            "compute" | "v2.1" | "v2" => Self::Compute,
            "image" => Self::Image,
            "network" => Self::Network,
            _ => Self::Identity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Service;

    #[test]
    fn version_2_0_of_compute_is_told_by_its_path() {
        for path in ["/compute/v2", "/compute/v2/", "/v2/servers", "/compute/v2/prod/servers"] {
            assert!(Service::is_legacy_compute(path), "{path}");
        }
        for path in ["/", "/compute", "/compute/v2.1/servers", "/v2.1", "/image/v2/images", "/v3"] {
            assert!(!Service::is_legacy_compute(path), "{path}");
        }
    }
}
