//! Keys of query strings, from the tables that the lists read them with.

use crate::{
    glance::images::filter as images,
    http::{Handler, Route, Service, method},
    neutron::select,
    nova::{flavors, servers},
};

/// The keys that a list knows; none for an operation on one object.
pub fn keys(route: &Route) -> Vec<&'static str> {
    if method(route.method) != http::Method::GET || matches!(route.handler, Handler::Open(_)) {
        return Vec::new();
    }
    match (route.service, route.path) {
        (Service::Compute, "/servers" | "/servers/detail") => servers::filter::keys().collect(),
        (Service::Compute, "/flavors" | "/flavors/detail") => flavors::LIST_KEYS.to_vec(),
        (Service::Image, "/images") => images::CONTROL.to_vec(),
        (Service::Network, path) if !path.contains('{') => select::CONTROL.to_vec(),
        _ => Vec::new(),
    }
}
