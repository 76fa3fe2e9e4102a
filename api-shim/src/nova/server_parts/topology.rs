//! `GET /servers/{id}/topology` (from 2.78): guests have one node of memory with all processors; none is pinned.

use serde_json::{Value, json};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    nova::{actions::run::find, servers::facts},
};

/// The guest's one node; on which of the host's it is, is not told by this version.
pub async fn show(inbound: Inbound, permit: Permit) -> Result<Reply, Fault> {
    let server = find(&inbound, &permit).await?;
    let privileged = facts::privileged(&inbound.app, &permit).await?;
    let flavor = facts::flavor(&inbound.app.stores, &server);
    let nodes = flavor.map(|f| node(f.vcpus, f.memory_mib, privileged));
    Ok(Reply::ok(&json!({"nodes": nodes.into_iter().collect::<Vec<_>>(), "pagesize_kb": null})))
}

fn node(vcpus: u32, memory_mib: u64, privileged: bool) -> Value {
    let mut node = json!({
        "memory_mb": memory_mib, "siblings": [], "vcpu_set": (0..vcpus).collect::<Vec<_>>(),
    });
    if privileged {
        node["host_node"] = Value::Null;
        node["cpu_pinning"] = json!({});
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_processors_are_in_one_node() {
        assert_eq!(node(2, 128, false), json!({"memory_mb": 128, "siblings": [], "vcpu_set": [0, 1]}));
        assert!(node(1, 1, true).get("cpu_pinning").is_some());
    }
}
