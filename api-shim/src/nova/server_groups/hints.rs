//! `os:scheduler_hints` of a creation: those that the scheduler honours. What it does not is refused, not ignored. Pure.

use ostler_crds::{ServerGroup, server::SchedulerHints};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{fault::Fault, observe::clean};

/// The id of the group that hints name, if it is one.
pub fn group_id(hints: &Map<String, Value>) -> Option<String> {
    ids("group", hints.get("group")?).ok()?.into_iter().next()
}

/// Reads hints; `group_of` finds a group of the project by its id.
pub fn read(
    hints: &Map<String, Value>,
    group_of: impl Fn(&str) -> Option<std::sync::Arc<ServerGroup>>,
) -> Result<Option<SchedulerHints>, Fault> {
    let mut out = SchedulerHints::default();
    for (key, value) in hints {
        let path = format!("os:scheduler_hints.{}", clean(key));
        match key.as_str() {
            "group" => {
                let ids = ids(&path, value)?;
                let [id] = ids.as_slice() else {
                    return Err(Fault::invalid_field(&path, "It must be the id of one server group."));
                };
                let group = group_of(id);
                let group =
                    group.ok_or_else(|| Fault::bad_request(format!("Instance group {id} could not be found.")))?;
                out.group = group.metadata.name.clone();
            }
            "same_host" => out.same_host = ids(&path, value)?,
            "different_host" => out.different_host = ids(&path, value)?,
            _ => return Err(Fault::not_served(&format!("The scheduler hint {}", clean(key)))),
        }
    }
    Ok((out != SchedulerHints::default()).then_some(out))
}

/// One id or several.
fn ids(path: &str, value: &Value) -> Result<Vec<String>, Fault> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let invalid = || Fault::invalid_field(path, "It must be an id or a list of up to 16 ids.");
    let id = |v: &Value| v.as_str().and_then(|t| Uuid::try_parse(t).ok()).map(|u| u.to_string()).ok_or_else(invalid);
    if items.len() > 16 {
        return Err(invalid());
    }
    items.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ostler_crds::{GroupPolicy, ServerGroupSpec};
    use serde_json::json;

    use super::*;

    const ID: &str = "11111111-2222-4333-8444-555555555555";

    fn verdict(hints: Value) -> Result<Option<SchedulerHints>, u16> {
        let spec = ServerGroupSpec { display_name: None, policy: GroupPolicy::Affinity, max_servers_per_host: None };
        let group = Arc::new(ServerGroup::new("g", spec));
        read(hints.as_object().unwrap(), |id| (id == ID).then(|| group.clone())).map_err(|f| f.status.as_u16())
    }

    #[test]
    fn hints_that_are_honoured_are_read_and_others_refused() {
        assert_eq!(verdict(json!({})), Ok(None));
        let group = SchedulerHints { group: Some("g".into()), ..Default::default() };
        assert_eq!(verdict(json!({"group": ID})), Ok(Some(group.clone())));
        assert_eq!(verdict(json!({"group": [ID]})), Ok(Some(group)));
        let hosts = SchedulerHints { group: None, same_host: vec![ID.into()], different_host: vec![ID.into()] };
        assert_eq!(verdict(json!({"same_host": ID, "different_host": [ID]})), Ok(Some(hosts)));
        assert_eq!(verdict(json!({"group": "99999999-2222-4333-8444-555555555555"})), Err(400));
        assert_eq!(verdict(json!({"group": "g"})), Err(400));
        assert_eq!(verdict(json!({"same_host": 1})), Err(400));
        assert_eq!(verdict(json!({"query": "[]"})), Err(501));
    }
}
