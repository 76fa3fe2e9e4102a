//! The chart's CRDs are rendered from crds/src, never edited.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Integer formats of schemars that Kubernetes does not know and warns about on every apply. The bounds beside them stay.
const UNKNOWN_FORMATS: [&str; 5] = ["uint", "uint8", "uint16", "uint32", "uint64"];

/// Renders every CRD into the chart, or with `check` only compares.
pub fn run(root: &Path, check: bool) -> Result<()> {
    let dir = root.join("charts/ostler/crds");
    std::fs::create_dir_all(&dir)?;
    let mut files = Vec::new();
    for crd in ostler_crds::all() {
        let name = format!("{}.yaml", crd.spec.names.plural);
        let path = dir.join(&name);
        let text = render(serde_json::to_value(&crd)?)?;
        if check {
            let old = std::fs::read_to_string(&path).unwrap_or_default();
            ensure!(old == text, "charts/ostler/crds/{name} is not what crds/src renders: run `cargo xtask crds`");
        } else {
            std::fs::write(&path, text).with_context(|| path.display().to_string())?;
        }
        files.push(name);
    }
    for entry in std::fs::read_dir(&dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(files.contains(&name), "charts/ostler/crds/{name} belongs to no kind in crds/src: remove it");
    }
    Ok(())
}

fn render(mut crd: Value) -> Result<String> {
    drop_unknown_formats(&mut crd);
    Ok(format!("# Rendered by `cargo xtask crds` from crds/src: do not edit.\n{}", serde_saphyr::to_string(&crd)?))
}

fn drop_unknown_formats(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("format").and_then(Value::as_str).is_some_and(|f| UNKNOWN_FORMATS.contains(&f)) {
                map.remove("format");
            }
            map.values_mut().for_each(drop_unknown_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_unknown_formats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn formats_that_kubernetes_does_not_know_go_and_others_stay() {
        let mut schema = json!({"properties": {
            "a": {"type": "integer", "format": "uint32", "minimum": 0},
            "b": {"items": [{"format": "int64"}]},
            "format": {"type": "string"},
        }});
        drop_unknown_formats(&mut schema);
        assert_eq!(
            schema,
            json!({"properties": {
                "a": {"type": "integer", "minimum": 0},
                "b": {"items": [{"format": "int64"}]},
                "format": {"type": "string"},
            }})
        );
    }
}
