//! What OpenStack has at paths that no row of the table serves, and stock clients ask for: they are told what is missing,
//! and not merely that nothing is there. Pure.

use super::Service;

/// Paths below a service's version, `*` for any one segment, with what they are for. A path below one of them is for the
/// same.
const PATHS: &[(Service, &str, &str)] = &[
    (Service::Compute, "os-aggregates", "host aggregates"),
    (Service::Compute, "os-volumes", "volumes"),
    (Service::Image, "images/*/locations", "image locations"),
    (Service::Image, "tasks", "image tasks"),
    (Service::Image, "metadefs", "metadata definitions"),
];

/// What the API at `path`, which no row matches, is for; `None` if OpenStack has nothing there that is known here.
pub fn unserved(service: Service, path: &str) -> Option<&'static str> {
    let below = |root: &&str| path.strip_prefix(*root)?.strip_prefix('/');
    let segments: Vec<&str> = service.version_roots().iter().find_map(below)?.split('/').collect();
    // In compute a project may come first.
    let shorter = if service == Service::Compute { segments.get(1..).unwrap_or_default() } else { &[] };
    let fits = |pattern: &str, path: &[&str]| {
        let pattern: Vec<&str> = pattern.split('/').collect();
        path.len() >= pattern.len() && pattern.iter().zip(path).all(|(p, s)| *p == "*" || p == s)
    };
    let row = PATHS.iter().find(|(s, p, _)| *s == service && (fits(p, &segments) || fits(p, shorter)))?;
    Some(row.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_served_is_named() {
        for (path, wanted) in [
            ("/image/v2/images/1/locations", Some("image locations")),
            ("/image/v2/1/tasks", None),
            ("/compute/v2.1/no-such", None),
            ("/compute/v2.1", None),
            ("/v2.1/os-aggregates/1", Some("host aggregates")),
            ("/compute/os-aggregates", None),
            ("/network/v2.0/tasks", None),
        ] {
            assert_eq!(unserved(Service::of_path(path), path), wanted, "{path}");
        }
    }
}
