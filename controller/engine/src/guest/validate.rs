//! From a bound Server to what is wished of its guest. The manager resolved flavor, image, key and addresses into the
//! status when it bound the Server, so the node role needs no other object but the Networks.

use std::{collections::BTreeMap, net::Ipv4Addr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ostler_crds::{
    Network, OpenStackId, Server,
    id::NoId,
    server::{
        GuestFile, PowerState, Rescue, ResizePolicy, ResolvedFlavor, ResolvedImage, ServerAddress, ServerStatus,
        UserData,
    },
};
use ostler_hypervisor::{GuestId, NetworkDefinition, NicDefinition, Owner, PasswordHash};

use super::{
    config_drive::{DriveSource, GuestKey, InjectedFile, Link},
    failure::{Failure, FailureKind},
    status::SET_TO_ERROR,
    wish::{BaseImage, Guest, Identity, Nic, Power, Resize, Unresolved, ValidatedServer, Wish},
};

const GIB: u64 = 1 << 30;

/// Which guest a Server is.
pub fn identify(server: &Server) -> Result<Identity, NoId> {
    let meta = &server.metadata;
    Ok(Identity {
        guest: GuestId(OpenStackId::of(meta)?.uuid()),
        owner: Owner {
            namespace: meta.namespace.clone().unwrap_or_default(),
            name: meta.name.clone().unwrap_or_default(),
            uid: meta.uid.clone().unwrap_or_default(),
        },
        generation: meta.generation.unwrap_or_default(),
    })
}

/// What is wished of a bound Server's guest. `networks` are the Networks of the cluster by name. A Server that is being
/// deleted is always valid.
pub fn validate(
    identity: Identity,
    server: &Server,
    networks: &BTreeMap<String, Network>,
) -> Result<ValidatedServer, Failure> {
    let default = ServerStatus::default();
    let status = server.status.as_ref().unwrap_or(&default);
    let wish = if server.metadata.deletion_timestamp.is_some() {
        Wish::Absent { reservations: status.addresses.iter().map(reservations).collect() }
    } else if status.is_to_leave() {
        Wish::Shelved { reservations: status.addresses.iter().map(reservations).collect() }
    } else {
        Wish::Present(Box::new(guest(&identity, server, status, networks)?))
    };
    Ok(ValidatedServer { identity, wish })
}

fn guest(
    identity: &Identity,
    server: &Server,
    status: &ServerStatus,
    networks: &BTreeMap<String, Network>,
) -> Result<Guest, Failure> {
    let flavor = status.flavor.as_ref().ok_or_else(|| invalid("status.flavor", "is missing on a bound Server"))?;
    let made_of = status.image.as_ref().ok_or_else(|| invalid("status.image", "is missing on a bound Server"))?;
    let image = status.returns_from().unwrap_or(made_of);
    let nics =
        status.addresses.iter().enumerate().map(|(i, a)| nic(i, a, networks)).collect::<Result<Vec<_>, Failure>>()?;
    let action = server.spec.action.clone().filter(|a| status.last_action.as_ref().is_none_or(|done| done.id != a.id));
    Ok(Guest {
        power: power(server.spec.power_state)?,
        action,
        set_to_error: status.observed_generation == server.metadata.generation
            && status.fault.as_ref().is_some_and(|f| f.message == SET_TO_ERROR),
        password: server.spec.admin_password.as_ref().map(|p| PasswordHash(p.hash.clone())),
        launched: status.launched_here(),
        flavor: flavor.name.clone(),
        resize: resize(server, status),
        rescue: rescue(server, status)?,
        unresolved: unresolved(server, status, flavor, made_of),
        vcpus: flavor.vcpus,
        memory_mib: flavor.memory_mib,
        disk_bytes: disk_bytes(flavor, image)?,
        image: made_of.id.clone(),
        base: base(image)?,
        returns: status.returns_from().is_some(),
        drive: if server.spec.config_drive { Some(drive(identity, server, status)?) } else { None },
        nics,
    })
}

fn power(wish: PowerState) -> Result<Power, Failure> {
    match wish {
        PowerState::Running => Ok(Power::Running),
        // Off until its image is whole; what follows is no matter of power.
        PowerState::Stopped | PowerState::Shelved => Ok(Power::Stopped),
        PowerState::Paused => Ok(Power::Paused),
        PowerState::Suspended => Ok(Power::Suspended),
    }
}

/// SHA-256 of the images that a Server's guest may need.
pub fn images(server: &Server) -> Vec<String> {
    let status = server.status.as_ref();
    let of = |f: fn(&ServerStatus) -> Option<&ResolvedImage>| status.and_then(f);
    let images = [of(|s| s.image.as_ref()), of(|s| s.rescue_image.as_ref()), of(ServerStatus::returns_from)];
    images.into_iter().flatten().map(|i| i.sha256.clone()).collect()
}

fn resize(server: &Server, status: &ServerStatus) -> Option<Resize> {
    let open = status.resize.as_ref().filter(|_| !status.resize_is_confirmed())?;
    let auto_confirm = server.spec.resize_policy.unwrap_or(ResizePolicy::AutoConfirm) == ResizePolicy::AutoConfirm;
    Some(Resize { from: open.from.name.clone(), auto_confirm })
}

/// The image of the rescue disk; `None` also while one of its own is not looked up.
fn rescue(server: &Server, status: &ServerStatus) -> Result<Option<BaseImage>, Failure> {
    let image = match &server.spec.rescue {
        None => None,
        Some(Rescue { image: None }) => status.image.as_ref(),
        Some(Rescue { image: Some(_) }) => status.rescue_image.as_ref().filter(|_| !rescue_owed(server, status)),
    };
    image.map(base).transpose()
}

fn rescue_owed(server: &Server, status: &ServerStatus) -> bool {
    let wished = server.rescue_ref();
    let found = status.rescue_image.as_ref().map(|i| (&i.namespace, &i.name));
    wished.as_ref().is_some_and(|r| found != Some((&r.namespace, &r.name)))
}

fn unresolved(
    server: &Server,
    status: &ServerStatus,
    flavor: &ResolvedFlavor,
    image: &ResolvedImage,
) -> Option<Unresolved> {
    let other_image = server.image_ref().is_some_and(|r| (&r.namespace, &r.name) != (&image.namespace, &image.name));
    let key = status.key.as_ref();
    // A Server of an earlier version does not say which KeyPair its key is of.
    let known = key.is_none_or(|k| k.key_pair.is_some());
    let other_key = known && key.and_then(|k| k.key_pair.as_ref()) != server.spec.key_pair.as_ref();
    let owed = server.spec.flavor != flavor.name || other_image || other_key || rescue_owed(server, status);
    let refused = status.change_refused(server.metadata.generation).map(|c| c.message.clone());
    owed.then(|| refused.map_or(Unresolved::Awaited, Unresolved::Refused))
}

fn disk_bytes(flavor: &ResolvedFlavor, image: &ResolvedImage) -> Result<u64, Failure> {
    match flavor.disk_gib.saturating_mul(GIB) {
        0 => Ok(image.virtual_size),
        bytes if bytes < image.virtual_size => {
            Err(invalid("spec.flavor", "gives a root disk that is smaller than the image"))
        }
        bytes => Ok(bytes),
    }
}

fn base(image: &ResolvedImage) -> Result<BaseImage, Failure> {
    let digest = image.sha256.len() == 64 && image.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !digest {
        // The digest names a file, so nothing else may get through.
        return Err(invalid("status.image.sha256", "is no SHA-256"));
    }
    Ok(BaseImage {
        name: image.name.clone(),
        id: image.id.clone(),
        sha256: image.sha256.clone(),
        size: image.size,
        virtual_size: image.virtual_size,
        format: image.disk_format,
        url: image.url.clone(),
    })
}

fn nic(index: usize, address: &ServerAddress, networks: &BTreeMap<String, Network>) -> Result<Nic, Failure> {
    let field = |name: &str| format!("status.addresses[{index}].{name}");
    let servers = address.dns_servers.iter().map(|s| parse(s, &field("dnsServers")));
    let definition = NicDefinition {
        mac: address.mac.clone(),
        network: NetworkDefinition::hypervisor_name(&address.network),
        address: parse(&address.address, &field("address"))?,
        prefix_length: address.prefix_length,
        gateway: parse(address.gateway.as_deref().unwrap_or_default(), &field("gateway"))?,
        dns_servers: servers.collect::<Result<_, _>>()?,
        mtu: address.mtu,
    };
    let network = networks.get(&address.network).map(|object| NetworkDefinition {
        name: definition.network.clone(),
        uid: object.metadata.uid.clone().unwrap_or_default(),
        gateway: definition.gateway,
        prefix_length: address.prefix_length,
        dns_servers: definition.dns_servers.clone(),
        mtu: address.mtu,
    });
    Ok(Nic { network_name: address.network.clone(), definition, network })
}

/// What the network of the hypervisor holds of an address: (network, MAC).
pub fn reservations(address: &ServerAddress) -> (String, String) {
    (NetworkDefinition::hypervisor_name(&address.network), address.mac.clone())
}

/// What a bound Server's guest is told of itself by the metadata service.
///
/// # Errors
/// The Server's fields contradict each other, or it is not bound.
pub fn instance_data(server: &Server) -> Result<DriveSource, Failure> {
    let identity = identify(server).map_err(|error| invalid("metadata", &error.to_string()))?;
    let status = server.status.as_ref().ok_or_else(|| invalid("status", "is missing on a bound Server"))?;
    // As in Nova, the password is on the drive alone: any program in the guest may ask the service.
    Ok(DriveSource { password: None, ..drive(&identity, server, status)? })
}

fn drive(identity: &Identity, server: &Server, status: &ServerStatus) -> Result<DriveSource, Failure> {
    let links = status.addresses.iter().enumerate().map(|(i, address)| {
        Ok(Link {
            mac: address.mac.clone(),
            mtu: address.mtu,
            network: address.network.clone(),
            address: parse(&address.address, &format!("status.addresses[{i}].address"))?,
            prefix_length: address.prefix_length,
            gateway: address.gateway.clone(),
            dns_servers: address.dns_servers.clone(),
        })
    });
    Ok(DriveSource {
        uuid: identity.guest.to_string(),
        name: server.display_name().to_owned(),
        hostname: server.guest_hostname(),
        project_id: identity.owner.namespace.clone(),
        availability_zone: server.spec.availability_zone.clone(),
        meta: server.spec.metadata.clone(),
        key: status.key.as_ref().map(|k| GuestKey { name: k.name.clone(), public_key: k.public_key.clone() }),
        user_data: server.spec.user_data.as_ref().map(user_data).transpose()?,
        password: server.spec.admin_password.as_ref().map(|p| PasswordHash(p.hash.clone())),
        files: server.spec.files.iter().flatten().enumerate().map(file).collect::<Result<_, _>>()?,
        flavor: status.flavor.as_ref().map(|f| f.display_name.clone()).unwrap_or_default(),
        image: status.image.as_ref().map(|i| i.id.clone()).unwrap_or_default(),
        security_groups: server.spec.security_groups().into_iter().map(str::to_owned).collect(),
        links: links.collect::<Result<_, Failure>>()?,
    })
}

/// spec L-04.
const MAX_FILE: usize = 10240;

fn file((index, file): (usize, &GuestFile)) -> Result<InjectedFile, Failure> {
    let contents = STANDARD.decode(&file.base64).ok().filter(|contents| contents.len() <= MAX_FILE);
    let contents = contents
        .ok_or_else(|| invalid(&format!("spec.files[{index}].base64"), "is not base64 of at most 10240 bytes"))?;
    Ok(InjectedFile { path: file.path.clone(), contents })
}

fn user_data(data: &UserData) -> Result<Vec<u8>, Failure> {
    match (&data.text, &data.base64, &data.secret_ref) {
        (Some(text), None, None) => Ok(text.clone().into_bytes()),
        (None, Some(encoded), None) => {
            let compact: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            // The decoder's own message would quote user data, which may hold secrets.
            STANDARD.decode(compact).map_err(|_| invalid("spec.userData.base64", "is not base64"))
        }
        (None, None, Some(_)) => Err(invalid("spec.userData.secretRef", "is not served yet; use text or base64")),
        (_, _, _) => Err(invalid("spec.userData", "must have exactly one of text and base64")),
    }
}

fn parse(text: &str, field: &str) -> Result<Ipv4Addr, Failure> {
    text.parse().map_err(|_| invalid(field, "is no IPv4 address"))
}

fn invalid(field: &str, why: &str) -> Failure {
    Failure::new(FailureKind::Invalid, "cannot make a guest of this Server", format!("{field} {why}"))
}
