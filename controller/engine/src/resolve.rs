//! What a Server's names stand for. Turns a Server and the objects that it names into what the scheduler needs, or
//! into a refusal that names the field and the next step.

use std::net::Ipv4Addr;

use ostler_crds::{
    Flavor, Image, KeyPair, Network, OpenStackId, Server,
    image::ImageState,
    names::reason,
    server::{ResolvedFlavor, ResolvedImage, ResolvedKey},
};

use crate::{affinity::Affinity, allocate::Pool, schedule::Request};

/// The objects that a Server names, as far as they exist.
#[derive(Debug, Clone, Default)]
pub struct Named<'a> {
    /// `spec.flavor`.
    pub flavor: Option<&'a Flavor>,
    /// `spec.image`.
    pub image: Option<&'a Image>,
    /// `spec.keyPair`.
    pub key_pair: Option<&'a KeyPair>,
    /// All Networks.
    pub networks: Vec<&'a Network>,
}

/// What the names stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The flavor.
    pub flavor: ResolvedFlavor,
    /// The image.
    pub image: ResolvedImage,
    /// The key.
    pub key: Option<ResolvedKey>,
    /// The interfaces.
    pub interfaces: Vec<Interface>,
    /// What a Host must have.
    pub request: Request,
}

/// An interface that wants an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `metadata.name` of the Network.
    pub network: String,
    /// Its OpenStack name.
    pub label: String,
    /// Its addresses.
    pub pool: Pool,
    /// Largest packet.
    pub mtu: Option<u32>,
    /// The address that is asked for.
    pub asked: Option<Ipv4Addr>,
}

/// A Server that cannot be placed as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// One of [`reason`].
    pub reason: &'static str,
    /// A sentence that names the field and the next step.
    pub message: String,
    /// Whether it may pass by itself (an image that is still being fetched); otherwise somebody has to act.
    pub passing: bool,
}

impl Refusal {
    pub(crate) fn new(reason: &'static str, message: String) -> Self {
        Self { reason, message, passing: false }
    }
}

const GIB: u64 = 1 << 30;

/// Resolves every name of the Server.
pub fn resolve(server: &Server, named: &Named<'_>) -> Result<Resolved, Refusal> {
    let namespace = server.metadata.namespace.as_deref().unwrap_or_default();
    let flavor = flavor(server, named.flavor, namespace)?;
    let image = image(server, named.image, namespace, &flavor)?;
    let key = key(server, named.key_pair)?;
    let interfaces = interfaces(server, &named.networks, namespace)?;
    let request = Request {
        resources: flavor.footprint(image.virtual_size),
        zone: server.spec.availability_zone.clone(),
        node_selector: server.spec.node_selector.clone().unwrap_or_default(),
        // Laid over it by who knows where the others are.
        affinity: Affinity::default(),
    };
    Ok(Resolved { flavor, image, key, interfaces, request })
}

/// What `spec.flavor` names.
pub(crate) fn flavor(server: &Server, found: Option<&Flavor>, namespace: &str) -> Result<ResolvedFlavor, Refusal> {
    let name = &server.spec.flavor;
    let flavor = found.filter(|f| f.usable_in(namespace)).ok_or_else(|| {
        let text =
            format!("spec.flavor: there is no Flavor {name:?} for namespace {namespace}; see kubectl get flavors");
        Refusal::new(reason::FLAVOR_NOT_FOUND, text)
    })?;
    if !flavor.is_served() {
        let text = format!(
            "spec.flavor: Flavor {name:?} asks for an ephemeral or a swap disk, which this version does not make; choose another"
        );
        return Err(Refusal::new(reason::FLAVOR_NOT_SERVED, text));
    }
    let spec = &flavor.spec;
    Ok(ResolvedFlavor {
        name: name.clone(),
        id: flavor.openstack_id(),
        display_name: flavor.display_name().to_owned(),
        vcpus: spec.vcpus,
        memory_mib: spec.memory_mib,
        disk_gib: spec.disk_gib,
        extra_specs: spec.extra_specs.clone(),
    })
}

/// What `spec.image` names, if that fits the flavor.
pub(crate) fn image(
    server: &Server,
    found: Option<&Image>,
    namespace: &str,
    flavor: &ResolvedFlavor,
) -> Result<ResolvedImage, Refusal> {
    let text = server.spec.image.as_deref().unwrap_or_default();
    let resolved = active_image("spec.image", text, found, namespace)?;
    let virtual_size = resolved.virtual_size;
    let does_not_fit = |what: String| {
        Err(Refusal::new(reason::IMAGE_DOES_NOT_FIT, format!("spec.flavor: {what}; choose a larger Flavor")))
    };
    let (min_disk, min_memory) = found.map_or((0, 0), |i| (i.spec.min_disk_gib, i.spec.min_memory_mib));
    if flavor.disk_gib != 0 && (flavor.disk_gib < min_disk || flavor.disk_gib.saturating_mul(GIB) < virtual_size) {
        let needed = min_disk.max(virtual_size.div_ceil(GIB));
        return does_not_fit(format!(
            "Image {text:?} needs a disk of {needed} GiB, {:?} has {}",
            flavor.name, flavor.disk_gib
        ));
    }
    if flavor.memory_mib < min_memory {
        return does_not_fit(format!(
            "Image {text:?} needs {min_memory} MiB of memory, {:?} has {}",
            flavor.name, flavor.memory_mib
        ));
    }
    Ok(resolved)
}

/// The Image that `field` names as `text`, if it is there and has its bytes.
pub(crate) fn active_image(
    field: &str,
    text: &str,
    found: Option<&Image>,
    namespace: &str,
) -> Result<ResolvedImage, Refusal> {
    let image = found.filter(|i| i.usable_in(namespace)).ok_or_else(|| {
        let why = format!("{field}: there is no Image {text:?} for namespace {namespace}; see kubectl get images");
        Refusal::new(reason::IMAGE_NOT_FOUND, why)
    })?;
    if let Some(why) = image.obstacle() {
        let text = format!("{field}: no guest can start from Image {text:?}: {why}");
        return Err(Refusal::new(reason::IMAGE_REFUSED, text));
    }
    let status = image.status.as_ref();
    let state = status.and_then(|s| s.state).unwrap_or(ImageState::Queued);
    let bytes = status.and_then(|s| Some((s.sha256.clone()?, s.size?, s.virtual_size?)));
    let (ImageState::Active, Some((sha256, size, virtual_size))) = (state, bytes) else {
        let why = format!("{field}: Image {text:?} is not active yet; see kubectl describe image");
        return Err(Refusal { reason: reason::IMAGE_NOT_ACTIVE, message: why, passing: state != ImageState::Killed });
    };
    Ok(ResolvedImage {
        namespace: image.metadata.namespace.clone().unwrap_or_default(),
        name: image.metadata.name.clone().unwrap_or_default(),
        id: OpenStackId::of(&image.metadata).map(|i| i.to_string()).unwrap_or_default(),
        sha256,
        disk_format: image.spec.disk_format,
        size,
        virtual_size,
        url: image.spec.source.http.as_ref().map(|h| h.url.clone()),
    })
}

/// What `spec.keyPair` names.
pub(crate) fn key(server: &Server, found: Option<&KeyPair>) -> Result<Option<ResolvedKey>, Refusal> {
    match (&server.spec.key_pair, found) {
        (None, _) => Ok(None),
        (Some(name), None) => Err(Refusal::new(
            reason::KEY_PAIR_NOT_FOUND,
            format!("spec.keyPair: there is no KeyPair {name:?} in this namespace; see kubectl get keypairs"),
        )),
        (Some(key_pair), Some(pair)) => Ok(Some(ResolvedKey {
            key_pair: Some(key_pair.clone()),
            name: pair.display_name().to_owned(),
            public_key: pair.spec.public_key.trim_end().to_owned(),
        })),
    }
}

fn interfaces(server: &Server, all: &[&Network], namespace: &str) -> Result<Vec<Interface>, Refusal> {
    let not_found = |text: String| Refusal::new(reason::NETWORK_NOT_FOUND, text);
    let Some(asked) = &server.spec.networks else {
        let defaults: Vec<_> = all.iter().filter(|n| n.spec.default && n.usable_in(namespace)).collect();
        return match defaults.as_slice() {
            [one] => Ok(vec![interface(one, None)?]),
            [] => Err(not_found(
                "spec.networks: none is named and no Network has spec.default: true; name one, or [] for none"
                    .to_owned(),
            )),
            many => {
                let names: Vec<_> = many.iter().filter_map(|n| n.metadata.name.as_deref()).collect();
                Err(not_found(format!(
                    "spec.networks: none is named and more than one Network is the default ({}); name one",
                    names.join(", ")
                )))
            }
        };
    };
    asked
        .iter()
        .enumerate()
        .map(|(i, wish)| {
            let network = all
                .iter()
                .find(|n| n.metadata.name.as_ref() == Some(&wish.name) && n.usable_in(namespace))
                .ok_or_else(|| {
                    not_found(format!(
                        "spec.networks[{i}].name: there is no Network {:?} for namespace {namespace}; see kubectl get networks",
                        wish.name
                    ))
                })?;
            let address = wish.address.as_ref().map(|a| a.parse::<Ipv4Addr>()).transpose().map_err(|_| {
                Refusal::new(reason::NO_ADDRESS, format!("spec.networks[{i}].address: not an IPv4 address"))
            })?;
            interface(network, address)
        })
        .collect()
}

fn interface(network: &Network, asked: Option<Ipv4Addr>) -> Result<Interface, Refusal> {
    let name = network.metadata.name.clone().unwrap_or_default();
    let bad = |e: String| Refusal::new(reason::NETWORK_NOT_FOUND, format!("Network {name:?} cannot be used: {e}"));
    let subnet = network.spec.subnets.first().ok_or_else(|| bad("it has no subnet".to_owned()))?;
    let pool = Pool::new(subnet).map_err(|e| bad(e.to_string()))?;
    Ok(Interface { label: network.display_name().to_owned(), network: name, pool, mtu: network.spec.mtu, asked })
}

#[cfg(test)]
mod tests;
