//! What holds for every committed file.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Lines that a file may have; half of them is plenty.
const MAX_LINES: usize = 600;

/// Files that people do not write.
fn generated(path: &str) -> bool {
    path.ends_with(".snap")
        || path.ends_with(".lock")
        || path.ends_with("go.sum")
        || path.starts_with("charts/ostler/crds/")
}

/// Folders where a checkout or a home may lie, put together here so that this file does not name them. The super-user's
/// home is not among them: guests have one, too.
fn machine_folders() -> [String; 3] {
    ["work", "home", "Users"].map(|name| format!("/{name}/"))
}

/// Names of the committed files and of new ones that git does not ignore.
pub fn committed(root: &Path) -> Result<Vec<String>> {
    let out = Command::new("git")
        .current_dir(root)
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("git")?;
    ensure!(out.status.success(), "git ls-files failed:\n{}", String::from_utf8_lossy(&out.stderr));
    Ok(String::from_utf8(out.stdout)?.split('\0').filter(|n| !n.is_empty()).map(str::to_owned).collect())
}

/// What is wrong with these files.
pub fn check(root: &Path) -> Result<Vec<String>> {
    let mut wrong = Vec::new();
    for name in committed(root)? {
        // A file that was removed but not committed yet, or no text: nothing to judge.
        if let Ok(text) = std::fs::read_to_string(root.join(&name)) {
            wrong.extend(judge(&name, &text));
        }
    }
    Ok(wrong)
}

fn judge(name: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > MAX_LINES && !generated(name) {
        wrong.push(format!("{name} has {lines} lines, more than {MAX_LINES}: split it by reasons to change"));
    }
    for (n, line) in text.lines().enumerate() {
        if let Some(folder) = machine_folders().iter().find(|f| names_folder(line, f)) {
            wrong.push(format!("{name}:{}: a path of one machine below {folder}", n + 1));
        }
    }
    wrong
}

/// Whether a path in `line` starts with `folder`; `a/home/b` and `$root/home/b` do not.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || "._-/}~)".contains(c)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named_unless_generated() {
        let long = "x\n".repeat(601);
        assert_eq!(judge("a.rs", &long).len(), 1);
        assert!(judge("charts/ostler/crds/a.yaml", &long).is_empty());
        assert!(judge("a.rs", &"x\n".repeat(600)).is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_found_and_parts_of_paths_are_not() {
        let [_, home, _] = machine_folders();
        for bad in [format!("cd {home}me"), format!("\"{home}x\""), format!("PATH=a:{home}x"), format!("{home}x")] {
            assert_eq!(judge("a", &bad).len(), 1, "{bad}");
        }
        for good in [format!("a{home}b"), format!("$HOME{home}b"), format!("${{x}}{home}b"), "/homepage".to_owned()] {
            assert!(judge("a", &good).is_empty(), "{good}");
        }
    }
}
