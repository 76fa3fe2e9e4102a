//! tempest's files: configuration, accounts, and what stestr wants.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::accounts;
use crate::furnish::{Furniture, NETWORK};
use crate::settings::Version;

const CONFIGURATION: &str = include_str!("../templates/tempest.conf.in");

/// Makes `dir` anew with all files for a run against the shim at `url`; the path of tempest.conf.
///
/// # Errors
/// A file cannot be written.
pub fn make(dir: &Path, url: &str, furniture: &Furniture, floor: Version) -> Result<PathBuf> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).with_context(|| dir.display().to_string())?;
    }
    std::fs::create_dir_all(dir.join("logs"))?;
    std::fs::write(dir.join("accounts.yaml"), accounts::file(NETWORK))?;
    let configuration = dir.join("tempest.conf");
    std::fs::write(&configuration, fill(CONFIGURATION, dir, url, furniture, floor)?)?;
    Ok(configuration)
}

fn fill(template: &str, dir: &Path, url: &str, furniture: &Furniture, floor: Version) -> Result<String> {
    let values = [
        ("WORKDIR", dir.display().to_string()),
        ("KEYSTONE", format!("{url}/identity/v3")),
        ("REGION", "RegionOne".to_owned()),
        ("NETWORK", NETWORK.to_owned()),
        ("IMAGE_REF", furniture.images[0].clone()),
        ("IMAGE_REF_ALT", furniture.images[1].clone()),
        ("FLAVOR_REF", furniture.flavors[0].clone()),
        ("FLAVOR_REF_ALT", furniture.flavors[1].clone()),
        ("ADMIN", accounts::ADMIN.to_owned()),
        ("PASSWORD", accounts::PASSWORD.to_owned()),
        ("FLOOR", floor.to_string()),
    ];
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("@{name}@"), &value);
    }
    let left = |l: &&str| !l.starts_with('#') && l.contains('@');
    match text.lines().find(left) {
        Some(line) => bail!("nothing to fill in at: {line}"),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::LOWEST;

    #[test]
    fn every_place_of_the_template_is_filled_in() {
        let two = |a: &str, b: &str| [a.to_owned(), b.to_owned()];
        let furniture = Furniture { flavors: two("f1", "f2"), images: two("i1", "i2") };
        let text = fill(CONFIGURATION, Path::new("/t"), "http://127.0.0.1:1", &furniture, LOWEST).unwrap();
        for line in [
            "image_ref_alt = i2",
            "flavor_ref = f1",
            "min_microversion = 2.1",
            "uri_v3 = http://127.0.0.1:1/identity/v3",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        assert!(fill("[x]\na = @WHAT@\n", Path::new("/t"), "", &furniture, LOWEST).is_err());
    }
}
