use std::{collections::BTreeMap, thread::sleep, time::Duration};

use proptest::prelude::*;

use super::{ConfigDriveError, MAX_CONTENT_BYTES, PADDING, SECTOR, build};

fn files() -> Vec<(String, Vec<u8>)> {
    vec![
        ("openstack/latest/meta_data.json".into(), br#"{"uuid":"x"}"#.to_vec()),
        ("openstack/latest/user_data".into(), vec![b'#'; 5000]),
        ("openstack/latest/network_data.json".into(), b"{}".to_vec()),
        ("openstack/2018-08-27/meta_data.json".into(), b"{}".to_vec()),
        ("openstack/content/0000".into(), vec![]),
    ]
}

fn le(bytes: &[u8]) -> usize {
    u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize
}

/// Reads a tree by its own means: path to contents. `joliet` chooses the tree and how names are written.
fn read(image: &[u8], joliet: bool) -> BTreeMap<String, Vec<u8>> {
    let kind = if joliet { 2 } else { 1 };
    let descriptor = image.chunks(SECTOR).skip(16).find(|s| s[0] == kind).unwrap();
    let mut found = BTreeMap::new();
    walk(image, &descriptor[156..190], String::new(), joliet, &mut found);
    found
}

fn walk(image: &[u8], record: &[u8], path: String, joliet: bool, found: &mut BTreeMap<String, Vec<u8>>) {
    let contents = &image[le(&record[2..]) * SECTOR..][..le(&record[10..])];
    if record[25] & 2 == 0 {
        found.insert(path, contents.to_vec());
        return;
    }
    for sector in contents.chunks(SECTOR) {
        let mut at = 0;
        while at < sector.len() && sector[at] != 0 {
            let child = &sector[at..at + usize::from(sector[at])];
            let id = &child[33..33 + usize::from(child[32])];
            if id != [0] && id != [1] {
                let name = if joliet { utf16(id) } else { rock_ridge_name(child) };
                let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                walk(image, child, path, joliet, found);
            }
            at += child.len();
        }
    }
}

fn utf16(id: &[u8]) -> String {
    let units: Vec<u16> = id.chunks(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
    String::from_utf16(&units).unwrap().trim_end_matches(";1").to_owned()
}

fn rock_ridge_name(record: &[u8]) -> String {
    let mut rest = &record[(33 + usize::from(record[32])).next_multiple_of(2)..];
    let mut name = String::new();
    while rest.len() > 4 && rest[2] as usize >= 4 {
        let (entry, tail) = rest.split_at(usize::from(rest[2]));
        if entry.starts_with(b"NM") {
            name.push_str(std::str::from_utf8(&entry[5..]).unwrap());
        }
        rest = tail;
    }
    name
}

#[test]
fn the_label_is_what_guests_look_for() {
    let image = build(&files()).unwrap();
    let primary = &image[16 * SECTOR..];
    assert_eq!(&primary[..6], b"\x01CD001");
    assert_eq!(&primary[40..72], b"config-2                        ");
    assert_eq!((le(&primary[80..]) + PADDING) * SECTOR, image.len(), "the volume and the padding, no more");
}

#[test]
fn both_trees_hold_the_files_under_their_full_names() {
    let image = build(&files()).unwrap();
    let wanted: BTreeMap<_, _> = files().into_iter().collect();
    assert_eq!(read(&image, true), wanted);
    assert_eq!(read(&image, false), wanted);
}

#[test]
fn the_same_files_give_the_same_bytes_a_second_later() {
    let first = build(&files()).unwrap();
    sleep(Duration::from_millis(1100));
    let mut reversed = files();
    reversed.reverse();
    assert!(first == build(&reversed).unwrap());
}

#[test]
fn no_files_make_an_empty_drive() {
    assert!(read(&build(&[]).unwrap(), true).is_empty());
}

#[test]
fn bad_paths_are_refused() {
    for path in ["", "/etc/passwd", "a//b", "../x", "a/./b", "a/", "a\u{0}b", "a\\b", &"x".repeat(65)] {
        let refused = build(&[(path.to_owned(), vec![])]);
        assert!(matches!(refused, Err(ConfigDriveError::Path(_))), "{path:?}");
    }
}

#[test]
fn a_path_that_is_there_twice_is_refused() {
    for (a, b) in [("x", "x"), ("x", "x/y"), ("x/y", "x")] {
        let refused = build(&[(a.to_owned(), vec![]), (b.to_owned(), vec![])]);
        assert!(matches!(refused, Err(ConfigDriveError::Twice(_))), "{a} {b}");
    }
}

#[test]
fn too_many_bytes_are_refused() {
    let refused = build(&[("x".into(), vec![0; MAX_CONTENT_BYTES]), ("y".into(), vec![0])]);
    assert!(matches!(refused, Err(ConfigDriveError::TooLarge { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is put in comes out, by both trees.
    #[test]
    fn any_files_round_trip(files in proptest::collection::btree_map(
        "[a-zA-Z0-9_.-]{1,12}x(/[a-z0-9_-]{1,40}y){0,3}", proptest::collection::vec(any::<u8>(), 0..5000), 0..12,
    )) {
        let list: Vec<_> = files.clone().into_iter().collect();
        match build(&list) {
            Ok(image) => {
                prop_assert_eq!(&read(&image, true), &files);
                prop_assert_eq!(&read(&image, false), &files);
            }
            Err(error) => prop_assert!(matches!(error, ConfigDriveError::Twice(_)), "{}", error),
        }
    }
}
