//! `/extensions`: what clients of old look for before they ask. A fixed list, as in Nova.

use serde_json::{Value, json};

use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

/// Name and alias of what is served.
const EXTENSIONS: &[(&str, &str)] = &[
    ("Aggregates", "os-aggregates"),
    ("AvailabilityZone", "os-availability-zone"),
    ("ConsoleOutput", "os-console-output"),
    ("Consoles", "os-consoles"),
    ("DiskConfig", "OS-DCF"),
    ("ExtendedStatus", "OS-EXT-STS"),
    ("FlavorAccess", "os-flavor-access"),
    ("FlavorExtraData", "OS-FLV-EXT-DATA"),
    ("FlavorExtraSpecs", "os-flavor-extra-specs"),
    ("FlavorManage", "os-flavor-manage"),
    ("FlavorRxtx", "os-flavor-rxtx"),
    ("Hosts", "os-hosts"),
    ("Hypervisors", "os-hypervisors"),
    ("ImageSize", "OS-EXT-IMG-SIZE"),
    ("Keypairs", "os-keypairs"),
    ("Migrations", "os-migrations"),
    ("MultipleCreate", "os-multiple-create"),
    ("Networks", "os-networks"),
    ("Quotas", "os-quota-sets"),
    ("QuotaClasses", "os-quota-class-sets"),
    ("SecurityGroups", "os-security-groups"),
    ("ServerUsage", "OS-SRV-USG"),
    ("Services", "os-services"),
    ("SimpleTenantUsage", "os-simple-tenant-usage"),
    ("UsedLimits", "os-used-limits"),
    ("UserData", "os-user-data"),
];

fn document((name, alias): &(&str, &str)) -> Value {
    json!({
        "name": name, "alias": alias, "description": name, "links": [], "updated": "2014-12-03T00:00:00Z",
        "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
    })
}

/// All of them.
pub async fn list(_inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"extensions": EXTENSIONS.iter().map(document).collect::<Vec<Value>>()})))
}

/// One of them.
pub async fn show(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let found = EXTENSIONS.iter().find(|(_, alias)| *alias == inbound.param("alias"));
    let found = found.ok_or_else(|| Fault::not_found("The extension could not be found."))?;
    Ok(Reply::ok(&json!({"extension": document(found)})))
}
