//! Flavors and Images that wishes name.

use std::collections::BTreeMap;

use ostler_crds::{
    Flavor, FlavorSpec, FlavorVisibility, Image, ImageSpec,
    image::{DiskFormat, ImageSource, ImageState, ImageStatus, ImageVisibility},
};

/// `small` is what the Server is bound with; `large` has more of all, `wide` as much disk, `bare` a disk like its image.
pub(super) fn flavors() -> BTreeMap<String, Flavor> {
    let flavor = |name: &str, vcpus, memory_mib, disk_gib| {
        let spec = FlavorSpec {
            display_name: None,
            description: None,
            vcpus,
            memory_mib,
            disk_gib,
            ephemeral_gib: None,
            swap_mib: None,
            rxtx_factor: Default::default(),
            extra_specs: Default::default(),
            visibility: FlavorVisibility::Public,
            access: None,
        };
        (name.to_owned(), Flavor::new(name, spec))
    };
    [flavor("small", 1, 128, 1), flavor("large", 2, 256, 2), flavor("wide", 4, 128, 1), flavor("bare", 1, 128, 0)]
        .into()
}

/// `tiny` is what the Server is bound with.
pub(super) fn images() -> BTreeMap<String, Image> {
    [image("tiny", "ab", 64), image("other", "cd", 80), image("medic", "ef", 32)].into()
}

fn image(name: &str, digest: &str, mib: u64) -> (String, Image) {
    let spec = ImageSpec {
        display_name: None,
        source: ImageSource::default(),
        disk_format: DiskFormat::Qcow2,
        container_format: "bare".into(),
        min_disk_gib: 0,
        min_memory_mib: 0,
        properties: Default::default(),
        tags: vec![],
        protected: false,
        hidden: false,
        visibility: ImageVisibility::Private,
        members: None,
        deactivated: Default::default(),
        member_status: Default::default(),
    };
    let mut image = Image::new(name, spec);
    image.metadata.namespace = Some("prod".into());
    image.metadata.uid = Some(format!("{digest}111111-2222-4333-8444-555555555555"));
    image.status = Some(ImageStatus {
        state: Some(ImageState::Active),
        sha256: Some(digest.repeat(32)),
        size: Some(20 << 20),
        virtual_size: Some(mib << 20),
        ..ImageStatus::default()
    });
    (name.to_owned(), image)
}
