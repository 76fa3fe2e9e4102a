//! `/os-instance_usage_audit_log`: on which hosts a task of Nova's ran that writes usage records. No host runs one here.

use jiff::{Span, Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{host, period};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
    observe::clean,
};

fn document(inbound: &Inbound, end: Timestamp) -> Value {
    let hosts: Vec<String> = host::all(&inbound.app.stores).iter().map(|h| h.name_any()).collect();
    let begin = end.checked_sub(Span::new().hours(30 * 24)).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = |t: Timestamp| t.strftime("%Y-%m-%d %H:%M:%S").to_string();
    json!({
        "period_beginning": time(begin), "period_ending": time(end), "num_hosts": hosts.len(), "num_hosts_done": 0,
        "num_hosts_running": 0, "num_hosts_not_run": hosts.len(), "overall_status": format!("0 of {} hosts done. 0 errors.", hosts.len()),
        "hosts_not_run": hosts, "total_instances": 0, "total_errors": 0, "log": {},
    })
}

/// Of the last period.
pub async fn list(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    Ok(Reply::ok(&json!({"instance_usage_audit_logs": document(&inbound, Timestamp::now())})))
}

/// Of the period before a time.
pub async fn show(inbound: Inbound, _permit: Permit) -> Result<Reply, Fault> {
    let text = inbound.param("before");
    let end =
        period::parse(text).ok_or_else(|| Fault::bad_request(format!("Invalid timestamp for date {}", clean(text))))?;
    Ok(Reply::ok(&json!({"instance_usage_audit_log": document(&inbound, end)})))
}
