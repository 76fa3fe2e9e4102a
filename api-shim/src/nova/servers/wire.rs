//! `POST /servers` as it comes in (spec C-04): keys by version, and their types.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::notes::Asked;
use crate::shape::{
    Field,
    fields::{lenient_bool, lenient_int},
};

/// Keys of `server` in a creation.
pub const CREATE: &[Field] = &[
    Field::new("name"),
    Field::new("imageRef"),
    Field::new("flavorRef"),
    Field::new("adminPass"),
    Field::new("metadata"),
    Field::new("networks"),
    Field::new("OS-DCF:diskConfig"),
    Field::new("accessIPv4"),
    Field::new("accessIPv6"),
    Field::until("personality", 57),
    Field::new("security_groups"),
    Field::new("user_data"),
    Field::new("availability_zone"),
    Field::new("config_drive"),
    Field::new("key_name"),
    Field::new("min_count"),
    Field::new("max_count"),
    Field::new("return_reservation_id"),
    Field::new("block_device_mapping"),
    Field::new("block_device_mapping_v2"),
    Field::since("description", 19),
    Field::since("tags", 52),
    Field::since("trusted_image_certificates", 63),
    Field::since("host", 74),
    Field::since("hypervisor_hostname", 74),
    Field::since("hostname", 90),
];

/// Keys beside `server`.
pub const CREATE_OUTER: &[Field] =
    &[Field::new("server"), Field::new("os:scheduler_hints"), Field::new("OS-SCH-HNT:scheduler_hints")];

/// `server` in a creation.
#[derive(Debug, Deserialize)]
pub struct Create {
    /// Name.
    pub name: String,
    /// Image: id or URL; empty for volumes.
    #[serde(rename = "imageRef", default)]
    pub image_ref: Option<String>,
    /// Flavor: id or URL.
    #[serde(rename = "flavorRef")]
    pub flavor_ref: Value,
    /// Password to answer with.
    #[serde(rename = "adminPass", default)]
    pub admin_pass: Option<String>,
    /// Metadata.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// `auto`, `none` (from 2.37) or a list.
    #[serde(default)]
    pub networks: Option<Value>,
    /// What is only to be read back.
    #[serde(flatten)]
    pub notes: Asked,
    /// Host name in the guest.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Host to be placed on; not served.
    #[serde(default)]
    pub host: Option<String>,
    /// Node to be placed on; not served.
    #[serde(default)]
    pub hypervisor_hostname: Option<String>,
    /// Files; not served.
    #[serde(default)]
    pub personality: Option<Vec<Value>>,
    /// Names or ids.
    #[serde(default)]
    pub security_groups: Option<Vec<SecurityGroup>>,
    /// In base64.
    #[serde(default)]
    pub user_data: Option<String>,
    /// Zone.
    #[serde(default)]
    pub availability_zone: Option<String>,
    /// Whether it gets a config drive.
    #[serde(default, deserialize_with = "lenient_bool")]
    pub config_drive: Option<bool>,
    /// Key pair.
    #[serde(default)]
    pub key_name: Option<String>,
    /// Least number.
    #[serde(default, deserialize_with = "lenient_int")]
    pub min_count: Option<i64>,
    /// Greatest number.
    #[serde(default, deserialize_with = "lenient_int")]
    pub max_count: Option<i64>,
    /// Whether to answer with the reservation's id.
    #[serde(default, deserialize_with = "lenient_bool")]
    pub return_reservation_id: Option<bool>,
    /// Volumes of old; not served.
    #[serde(default)]
    pub block_device_mapping: Option<Vec<Value>>,
    /// Disks.
    #[serde(default)]
    pub block_device_mapping_v2: Option<Vec<Map<String, Value>>>,
    /// Description.
    #[serde(default)]
    pub description: Option<String>,
    /// Tags.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// Certificates; not served.
    #[serde(default)]
    pub trusted_image_certificates: Option<Vec<Value>>,
}

/// A security group of a creation.
#[derive(Debug, Deserialize)]
pub struct SecurityGroup {
    /// Name or id.
    pub name: String,
}

/// Keys of `server` in an update (spec C-07).
pub const UPDATE: &[Field] = &[
    Field::new("name"),
    Field::new("OS-DCF:diskConfig"),
    Field::new("accessIPv4"),
    Field::new("accessIPv6"),
    Field::since("description", 19),
    Field::since("hostname", 90),
];

/// `server` in an update.
#[derive(Debug, Deserialize)]
pub struct Update {
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// What is only to be read back.
    #[serde(flatten)]
    pub notes: Asked,
    /// Host name in the guest.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Description; `null` clears it.
    #[serde(default, deserialize_with = "crate::shape::fields::nullable")]
    pub description: Option<Option<String>>,
}
