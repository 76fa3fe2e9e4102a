//! `sort_key` and `sort_dir` of lists. Pure.

use std::{cmp::Ordering, sync::Arc};

use ostler_crds::{Server, server::state};

use super::view;
use crate::{fault::Fault, http::Query, store::updated_at};

type Compare = fn(&Server, &Server) -> Ordering;

/// The keys that clients may sort by.
const KEYS: &[(&str, Compare)] = &[
    ("created_at", created),
    ("updated_at", |a, b| updated_at(&a.metadata).cmp(&updated_at(&b.metadata))),
    ("display_name", |a, b| a.display_name().cmp(b.display_name())),
    ("name", |a, b| a.display_name().cmp(b.display_name())),
    ("uuid", |a, b| view::id(a).cmp(&view::id(b))),
    ("id", |a, b| view::id(a).cmp(&view::id(b))),
    ("vm_state", |a, b| state::shown(a).vm_state.as_str().cmp(state::shown(b).vm_state.as_str())),
    ("task_state", |a, b| task(a).cmp(&task(b))),
    ("power_state", |a, b| state::shown(a).power_state.number().cmp(&state::shown(b).power_state.number())),
    ("host", |a, b| host(a).cmp(&host(b))),
    ("key_name", |a, b| a.spec.key_pair.cmp(&b.spec.key_pair)),
    ("launched_at", |a, b| launched(a).cmp(&launched(b))),
    ("availability_zone", |a, b| a.spec.availability_zone.cmp(&b.spec.availability_zone)),
    ("display_description", |a, b| a.spec.description.cmp(&b.spec.description)),
    ("project_id", |a, b| a.metadata.namespace.cmp(&b.metadata.namespace)),
];

fn created(a: &Server, b: &Server) -> Ordering {
    let at = |s: &Server| s.metadata.creation_timestamp.as_ref().map(|t| t.0);
    at(a).cmp(&at(b))
}

fn task(server: &Server) -> Option<&'static str> {
    state::shown(server).task_state.map(|t| t.as_str())
}

fn host(server: &Server) -> Option<&str> {
    server.status.as_ref().and_then(|s| s.host.as_deref())
}

fn launched(server: &Server) -> Option<jiff::Timestamp> {
    server.status.as_ref().and_then(|s| s.launched_at.as_ref()).map(|t| t.0)
}

/// Sorts by the keys of the query; newest first without any.
pub fn sort(servers: &mut [Arc<Server>], query: &Query) -> Result<(), Fault> {
    let mut dirs = query.all("sort_dir");
    let mut order: Vec<(Compare, bool)> = Vec::new();
    for key in query.all("sort_key") {
        let known = KEYS.iter().find(|(name, _)| *name == key);
        let invalid =
            |k: &str, v: &str| Fault::invalid_field(k, format!("Value: '{}' is not known.", crate::observe::clean(v)));
        let (_, compare) = known.ok_or_else(|| invalid("sort_key", key))?;
        let descending = match dirs.next().unwrap_or("desc") {
            "asc" => false,
            "desc" => true,
            other => return Err(invalid("sort_dir", other)),
        };
        order.push((*compare, descending));
    }
    if order.is_empty() {
        order.push((created, dirs.next() != Some("asc")));
    }
    servers.sort_by(|a, b| {
        let by_keys = order.iter().map(|(c, desc)| if *desc { c(b, a) } else { c(a, b) });
        // The id last, so that pages are stable.
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| view::id(b).cmp(&view::id(a)))
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(query: &str) -> Result<Vec<String>, u16> {
        let server = |name: &str, id: u128| {
            let mut s = Server::new(name, Default::default());
            s.metadata.uid = Some(uuid::Uuid::from_u128(id).to_string());
            Arc::new(s)
        };
        let mut servers = vec![server("b", 1), server("a", 2), server("c", 3)];
        sort(&mut servers, &Query::parse(query)).map_err(|f| f.status.as_u16())?;
        Ok(servers.iter().map(|s| s.display_name().to_owned()).collect())
    }

    #[test]
    fn keys_and_directions_go_in_pairs() {
        assert_eq!(sorted("sort_key=display_name&sort_dir=asc").unwrap(), ["a", "b", "c"]);
        assert_eq!(sorted("sort_key=display_name").unwrap(), ["c", "b", "a"]);
        assert_eq!(sorted("").unwrap(), ["c", "a", "b"]);
        assert_eq!(sorted("sort_key=colour"), Err(400));
        assert_eq!(sorted("sort_key=uuid&sort_dir=up"), Err(400));
    }
}
