//! From what clients write to an Image's spec: one function sets one key, for creations and updates alike. Pure.

use ostler_crds::{
    Image, ImageSpec,
    image::{DiskFormat, ImageSource, ImageVisibility, UploadSource},
};
use serde_json::Value;

use crate::{fault::Fault, observe::clean};

/// Keys that only Glance itself writes.
const READ_ONLY: &[&str] = &[
    "checksum",
    "created_at",
    "direct_url",
    "file",
    "locations",
    "os_hash_algo",
    "os_hash_value",
    "owner",
    "schema",
    "self",
    "size",
    "status",
    "updated_at",
    "virtual_size",
    "deleted",
    "deleted_at",
    "stores",
];

/// Glance's container formats; only `bare` boots.
const CONTAINERS: &[&str] = &["bare", "ami", "ari", "aki", "ovf", "ova", "docker", "compressed"];

/// Whether a key is Glance's own rather than a property.
pub fn is_own(key: &str) -> bool {
    const WRITABLE: &[&str] = &[
        "id",
        "name",
        "visibility",
        "protected",
        "os_hidden",
        "disk_format",
        "container_format",
        "min_disk",
        "min_ram",
        "tags",
    ];
    READ_ONLY.contains(&key) || WRITABLE.contains(&key)
}

/// An Image without anything but its source. Without a disk format it is raw: a queued image without one is not served.
pub fn blank() -> Image {
    let source = ImageSource { upload: Some(UploadSource {}), ..ImageSource::default() };
    let spec = ImageSpec {
        display_name: None,
        source,
        disk_format: DiskFormat::Raw,
        container_format: "bare".to_owned(),
        min_disk_gib: 0,
        min_memory_mib: 0,
        properties: Default::default(),
        tags: Vec::new(),
        protected: false,
        hidden: false,
        visibility: ImageVisibility::Private,
        members: None,
        member_status: Default::default(),
        deactivated: false,
    };
    Image::new("image", spec)
}

/// Sets a key; `new` when the image does not exist yet. 403 for what cannot be written, 400 for a value that is none.
pub fn set(image: &mut Image, key: &str, value: &Value, new: bool) -> Result<(), Fault> {
    let invalid = |why: &str| Fault::bad_request(format!("Invalid value for '{}': {why}", clean(key)));
    let spec = &mut image.spec;
    let boolean = || value.as_bool().ok_or_else(|| invalid("it is not a boolean."));
    let number = || value.as_u64().filter(|n| *n <= i32::MAX as u64).ok_or_else(|| invalid("it is not a number ≥ 0."));
    match key {
        "name" => spec.display_name = name(value).map_err(invalid)?,
        "visibility" => spec.visibility = visibility(value).ok_or_else(|| invalid("it is no visibility."))?,
        "protected" => spec.protected = boolean()?,
        "os_hidden" => spec.hidden = boolean()?,
        "min_disk" => spec.min_disk_gib = number()?,
        "min_ram" => spec.min_memory_mib = number()?,
        "tags" => {
            spec.tags = tags(value).ok_or_else(|| invalid("it is not a list of texts of up to 255 characters."))?
        }
        "disk_format" | "container_format" if !new => {
            let same = value.as_str().is_some_and(|v| v == spec.disk_format.as_str() || v == spec.container_format);
            if !same {
                return Err(Fault::forbidden(format!("Attribute '{key}' cannot be changed: make a new image.")));
            }
        }
        "disk_format" => spec.disk_format = disk_format(value).ok_or_else(|| invalid("it is no disk format."))?,
        "container_format" => {
            let word = if value.is_null() { Some("bare") } else { value.as_str() };
            let known = word.filter(|w| CONTAINERS.contains(w));
            spec.container_format = known.ok_or_else(|| invalid("it is no container format."))?.to_owned();
        }
        "id" => return Err(Fault::forbidden("Attribute 'id' is read-only.")),
        key if READ_ONLY.contains(&key) => return Err(Fault::forbidden(format!("Attribute '{key}' is read-only."))),
        key if key.starts_with("os_glance") => {
            return Err(Fault::forbidden(format!("Attribute '{}' is reserved.", clean(key))));
        }
        key => {
            let text = value.as_str().ok_or_else(|| invalid("it is not a string."))?;
            if key.is_empty() || key.chars().count() > 255 || text.len() > 65_535 {
                return Err(invalid("it is empty or too long."));
            }
            spec.properties.insert(key.to_owned(), text.to_owned());
        }
    }
    Ok(())
}

/// Removes a property; Glance's own keys cannot be removed.
pub fn remove(image: &mut Image, key: &str) -> Result<(), Fault> {
    if is_own(key) {
        return Err(Fault::forbidden(format!("Property {key} may not be removed.")));
    }
    let gone = image.spec.properties.remove(key);
    gone.map(drop).ok_or_else(|| Fault::conflict(format!("Property {} does not exist.", clean(key))))
}

fn name(value: &Value) -> Result<Option<String>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.chars().count() <= 255 => Ok(Some(text.clone())),
        Value::String(_) => Err("it is longer than 255 characters."),
        _ => Err("it is not a string."),
    }
}

fn visibility(value: &Value) -> Option<ImageVisibility> {
    match value.as_str()? {
        "public" => Some(ImageVisibility::Public),
        "community" => Some(ImageVisibility::Community),
        "shared" => Some(ImageVisibility::Shared),
        "private" => Some(ImageVisibility::Private),
        _ => None,
    }
}

fn disk_format(value: &Value) -> Option<DiskFormat> {
    match value {
        Value::Null => Some(DiskFormat::Raw),
        Value::String(word) => DiskFormat::ALL.iter().copied().find(|f| f.as_str() == word),
        _ => None,
    }
}

fn tags(value: &Value) -> Option<Vec<String>> {
    let mut out: Vec<String> = Vec::new();
    for tag in value.as_array()? {
        let tag = tag.as_str().filter(|t| t.chars().count() <= 255)?;
        if !out.iter().any(|t| t == tag) {
            out.push(tag.to_owned());
        }
    }
    (out.len() <= 128).then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn verdict(key: &str, value: Value, new: bool) -> u16 {
        set(&mut blank(), key, &value, new).map_or_else(|f| f.status.as_u16(), |()| 200)
    }

    #[test]
    fn keys_are_written_or_refused() {
        assert_eq!(verdict("name", json!("x"), true), 200);
        assert_eq!(verdict("os_distro", json!("debian"), true), 200);
        assert_eq!(verdict("disk_format", json!("vmdk"), true), 200);
        assert_eq!(verdict("disk_format", json!("floppy"), true), 400);
        assert_eq!(
            [verdict("container_format", json!("ovf"), true), verdict("container_format", json!("box"), true)],
            [200, 400]
        );
        assert_eq!(verdict("disk_format", json!("qcow2"), false), 403);
        assert_eq!(verdict("min_ram", json!(-1), true), 400);
        assert_eq!(verdict("min_ram", json!("1"), true), 400);
        assert_eq!(verdict("status", json!("active"), true), 403);
        assert_eq!(verdict("os_glance_importing", json!("x"), true), 403);
        assert_eq!(verdict("colour", json!(1), true), 400);
        assert_eq!(remove(&mut blank(), "name").unwrap_err().status.as_u16(), 403);
        assert_eq!(remove(&mut blank(), "colour").unwrap_err().status.as_u16(), 409);
    }

    proptest! {
        #[test]
        fn no_value_breaks_a_key(key in "(name|tags|min_disk|visibility|protected|[a-z]{1,5})", text in "\\PC{0,30}") {
            for value in [json!(text), json!([text]), json!(null), json!(1.5), json!({"a": text})] {
                let _ = (verdict(&key, value.clone(), true), verdict(&key, value, false));
            }
        }
    }
}
