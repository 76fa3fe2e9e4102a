//! Filters by key, version and asker.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn asker(version: u16, privileged: bool) -> Asker {
    Asker { version: Microversion(version), privileged, wide: false }
}

fn reads(query: &str, version: u16, privileged: bool) -> Result<Filter, u16> {
    Filter::of(&Query::parse(query), asker(version, privileged)).map_err(|f| f.status.as_u16())
}

fn server() -> Server {
    let mut server = Server::new("web-1", Default::default());
    server.spec.tags = vec!["a".into(), "b".into()];
    server.metadata.namespace = Some("prod".into());
    server.spec.locked = Some(true);
    server.status = serde_json::from_value(serde_json::json!({
        "host": "n1",
        "addresses": [{"network": "n", "label": "n", "mac": "", "address": "10.0.0.17", "prefixLength": 24}],
    }))
    .unwrap();
    server
}

fn fits_at(query: &str, version: u16, privileged: bool) -> bool {
    reads(query, version, privileged).unwrap().fits(&server(), &Stores::empty())
}

fn fits(query: &str, privileged: bool) -> bool {
    fits_at(query, 72, privileged)
}

#[test]
fn q01_a_name_is_an_unanchored_pattern() {
    assert!(fits("name=eb", false));
    assert!(!fits("name=^eb", false));
    assert_eq!(reads("name=%5B", 1, false).err(), Some(400));
}

#[test]
fn status_words_are_read_in_both_spellings_and_any_case() {
    assert!(fits("status=building", false));
    assert!(fits("status=ACTIVE&status=build", false));
    assert!(!fits("status=ACTIVE", false));
    assert_eq!(reads("status=nonsense", 38, false).err(), Some(400));
    assert!(reads("status=nonsense", 37, false).is_ok());
    assert_eq!(reads("status=deleted", 1, false).err(), Some(403));
}

/// (query, whether those that are there are wanted, whether those that are gone are)
#[rstest]
#[case("", true, (true, false))]
#[case("deleted=True", true, (false, true))]
#[case("deleted=False", true, (true, false))]
#[case("status=deleted", true, (false, true))]
#[case("deleted=True", false, (true, false))]
#[case("changes-since=2026-01-01T00:00:00Z", false, (true, true))]
#[case("changes-since=2026-01-01T00:00:00Z&deleted=False", true, (true, false))]
fn deleted_servers_are_listed_by_time_or_for_administrators(
    #[case] query: &str,
    #[case] privileged: bool,
    #[case] wanted: (bool, bool),
) {
    let filter = reads(query, 96, privileged).unwrap();
    assert_eq!((filter.wants_present(), filter.wants_gone()), wanted);
}

#[test]
fn tags_are_asked_for_in_four_ways() {
    assert!(fits("tags=a,b", false) && !fits("tags=a,c", false));
    assert!(fits("tags-any=a,c", false) && !fits("tags-any=c", false));
    assert!(fits("not-tags=a,c", false) && !fits("not-tags=a,b", false));
    assert!(fits("not-tags-any=c", false) && !fits("not-tags-any=a,c", false));
}

#[test]
fn addresses_are_patterns_of_their_family() {
    assert!(fits("ip=0.0.1", false) && !fits("ip=^0.0.1", false));
    assert!(!fits("ip6=10", false));
    assert!(fits_at("ip6=10", 4, false), "below 2.5 it is for administrators");
}

/// A key, whether it takes hold for a member at the version before and at its own, and for an administrator at 2.1.
#[rstest]
#[case("locked=False", 73, false)]
#[case("not-tags=a", 26, false)]
#[case("vm_state=active", 83, true)]
#[case("user_id=x", 83, true)]
#[case("availability_zone=x", 83, true)]
#[case("hostname=x", 90, true)]
#[case("changes-before=2000-01-01T00:00:00Z", 66, false)]
fn a_key_has_its_first_version(#[case] query: &str, #[case] from: u16, #[case] admin_at_first: bool) {
    assert!(fits_at(query, from - 1, false), "ignored below 2.{from}");
    assert!(!fits_at(query, from, false), "heeded from 2.{from}");
    assert_eq!(!fits_at(query, 1, true), admin_at_first);
}

#[test]
fn the_host_is_for_administrators() {
    assert!(fits("host=other", false) && !fits("host=other", true) && fits("host=n1", true));
}

#[test]
fn unknown_keys_are_refused_from_2_75_on() {
    assert!(reads("colour=red", 74, false).is_ok());
    assert_eq!(reads("colour=red", 75, false).err(), Some(400));
    assert!(reads("limit=1&marker=x&sort_key=uuid&sort_dir=asc&all_tenants=1&host=a", 96, false).is_ok());
    for table in ["metadata", "security_groups", "_private"] {
        assert_eq!(reads(&format!("{table}=1"), 1, true).err(), Some(400), "{table}");
    }
}

#[test]
fn times_are_read_and_put_in_order() {
    assert_eq!(reads("changes-since=tomorrow", 1, false).err(), Some(400));
    assert_eq!(
        reads("changes-since=2026-01-02T00:00:00Z&changes-before=2026-01-01T00:00:00Z", 66, false).err(),
        Some(400)
    );
}

#[test]
fn a_project_counts_only_beside_all_projects() {
    let fits = |wide| {
        let asker = Asker { version: Microversion(1), privileged: true, wide };
        Filter::of(&Query::parse("tenant_id=other"), asker).unwrap().fits(&server(), &Stores::empty())
    };
    assert!(fits(false) && !fits(true));
}

proptest! {
    #[test]
    fn no_query_breaks_the_filters(key in "(name|status|ip|changes-since|tags|flavor|deleted|locked)", value in "\\PC{0,60}") {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(&key, &value).finish();
        let _ = Filter::of(&Query::parse(&query), asker(96, true));
    }
}
