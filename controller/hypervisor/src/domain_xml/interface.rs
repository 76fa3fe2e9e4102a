//! `<interface>`: virtio-net on a libvirt network, behind the filter of [`crate::nwfilter_xml`].

use serde::Serialize;

use crate::{
    definition::NicDefinition,
    nwfilter_xml,
    xml::{self, XmlError},
};

#[derive(Serialize)]
pub(super) struct Interface<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    mac: Mac<'a>,
    source: Source<'a>,
    model: Model,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtu: Option<Mtu>,
    filterref: FilterRef,
    rom: Rom,
}

#[derive(Serialize)]
struct Mac<'a> {
    #[serde(rename = "@address")]
    address: &'a str,
}

#[derive(Serialize)]
struct Source<'a> {
    #[serde(rename = "@network")]
    network: &'a str,
}

#[derive(Serialize)]
struct Model {
    #[serde(rename = "@type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Mtu {
    #[serde(rename = "@size")]
    size: u32,
}

#[derive(Serialize)]
struct FilterRef {
    #[serde(rename = "@filter")]
    filter: &'static str,
    parameter: Vec<Parameter>,
}

#[derive(Serialize)]
struct Parameter {
    #[serde(rename = "@name")]
    name: &'static str,
    #[serde(rename = "@value")]
    value: String,
}

#[derive(Serialize)]
struct Rom {
    #[serde(rename = "@enabled")]
    enabled: &'static str,
}

/// No boot ROM: guests boot from their disk, and the ROM would cost a second of every boot under the translator.
pub(super) fn interface(nic: &NicDefinition) -> Result<Interface<'_>, XmlError> {
    Ok(Interface {
        kind: "network",
        mac: Mac { address: xml::text("nics.mac", &nic.mac)? },
        source: Source { network: xml::text("nics.network", &nic.network)? },
        model: Model { kind: "virtio" },
        mtu: nic.mtu.map(|size| Mtu { size }),
        filterref: FilterRef {
            filter: nwfilter_xml::NAME,
            parameter: nwfilter_xml::parameters(nic)
                .into_iter()
                .map(|(name, value)| Parameter { name, value })
                .collect(),
        },
        rom: Rom { enabled: "no" },
    })
}
