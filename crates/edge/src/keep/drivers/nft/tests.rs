//! Beside a program that stands in for `nft`: it writes down each script, and refuses which it is told to.

use super::*;

/// The stand-in's folder: `scripts` is what it did, `refuse` a pattern of what it does not do, `held` what it
/// lists as held.
struct Stand(tempfile::TempDir);

const PROGRAM: &str = r#"
dir=$0
case "$*" in
  "-f -")
    script=$(cat)
    if [ -e "$dir/refuse" ] && printf %s "$script" | grep -qf "$dir/refuse"; then
      echo "Error: Could not process rule: Cannot allocate memory" >&2; exit 1
    fi
    printf '%s\n' "$script" >> "$dir/scripts" ;;
  "-j list"*) cat "$dir/held" ;;
  *) cat "$dir/table" ;;
esac
"#;

impl Stand {
    fn new() -> Self {
        let stand = Self(tempfile::tempdir().unwrap());
        let mark = "table inet vigie {\n\tcomment \"vigie: blocks by their own clocks\"\n}\n";
        stand.put("table", mark);
        stand
    }

    fn put(&self, name: &str, text: &str) {
        ledger::disk::write(&self.0.path().join(name), text.as_bytes()).unwrap();
    }

    fn scripts(&self) -> String {
        let path = self.0.path().join("scripts");
        let said = std::fs::read_to_string(&path).unwrap_or_default();
        ledger::disk::remove(&path).unwrap();
        said
    }

    fn firewall(&self) -> Firewall {
        let command = ["sh".into(), "-c".into(), PROGRAM.into(), self.0.path().into()].to_vec();
        let nft = Nft { command, ..Nft::default() };
        Firewall::new(nft, Table::new("vigie").unwrap(), Duration::from_secs(30))
    }
}

fn out(text: &str, ms: u64) -> Out {
    Out { value: Value::Address(text.parse().unwrap()), left: Duration::from_millis(ms), ends: ms }
}

#[test]
fn a_renewal_holds_nothing_past_its_deadline() {
    let stand = Stand::new();
    let mut firewall = stand.firewall();
    firewall.all(&[out("1.1.1.1", 5), out("1.1.1.2", 40_000)]).unwrap();
    assert!(stand.scripts().contains("{ 1.1.1.1 timeout 5ms, 1.1.1.2 timeout 30000ms }"));
    // The kernel hears of the next so much later as it did of the last.
    firewall.took = Duration::from_millis(2_000);
    firewall.all(&[out("1.1.1.1", 1_990), out("1.1.1.2", 9_000), out("1.1.1.3", 40_000)]).unwrap();
    let said = stand.scripts();
    assert!(said.contains("{ 1.1.1.2 timeout 7000ms, 1.1.1.3 timeout 30000ms }"), "{said}");
    assert!(firewall.took < Duration::from_millis(2_000), "{:?}", firewall.took);
    // A change is short whatever is held.
    firewall.took = Duration::from_millis(2_000);
    firewall.change(&[out("1.1.1.4", 500)], &[], &Held::new()).unwrap();
    assert!(stand.scripts().contains("1.1.1.4 timeout 500ms"));
}

#[test]
fn where_the_whole_is_refused_what_was_lifted_is_open_all_the_same() {
    let stand = Stand::new();
    let mut firewall = stand.firewall();
    firewall.all(&[out("1.1.1.1", 9_000), out("1.1.1.2", 9_000)]).unwrap();
    stand.scripts();
    stand.put("refuse", "1.1.1.3 timeout");
    stand.put(
        "held",
        r#"{"nftables": [{"set": {"name": "v4", "elem": [
            {"elem": {"val": "1.1.1.1", "timeout": 9, "expires": 8}},
            {"elem": {"val": "1.1.1.2", "timeout": 9, "expires": 8}}]}}]}"#,
    );
    for anew in [false, true] {
        assert_eq!(firewall.holder.is_none(), anew);
        let why = firewall.all(&[out("1.1.1.2", 9_000), out("1.1.1.3", 9_000)]).unwrap_err();
        assert!(why.contains("Cannot allocate memory"), "{why}");
        let said = stand.scripts();
        assert!(said.contains("delete element inet vigie v4 { 1.1.1.1 }"), "{said}");
        assert!(!said.contains("1.1.1.2"), "{said}");
    }
}

#[test]
fn an_end_after_a_fault_leaves_no_table_of_ours_and_touches_no_others() {
    let stand = Stand::new();
    let mut firewall = stand.firewall();
    firewall.all(&[]).unwrap();
    stand.scripts();
    firewall.holder = None;
    firewall.clear().unwrap();
    assert!(stand.scripts().contains("delete table inet vigie"));
    stand.put("table", "table inet vigie {\n}\n");
    firewall.clear().unwrap();
    assert_eq!(stand.scripts(), "");
    stand.put("table", "table inet vigie {\n\tcomment \"vigie: blocks by their own clocks\"\n}\n");
    stand.put("refuse", "delete table");
    let why = firewall.clear().unwrap_err();
    assert!(why.contains("Cannot allocate memory") && why.contains("within 30 s"), "{why}");
}

#[test]
fn more_than_can_be_held_does_not_open_the_rest() {
    let stand = Stand::new();
    let mut firewall = stand.firewall();
    let many = |n: usize| -> Vec<Out> {
        let address = |n| Value::Address(std::net::Ipv4Addr::from(0x0100_0000 + n).into());
        (0..u32::try_from(n).unwrap())
            .rev()
            .map(|n| Out { value: address(n), left: Duration::from_secs(60), ends: n.into() })
            .collect()
    };
    firewall.all(&many(MAX_ELEMENTS + 1)).unwrap();
    let said = stand.scripts();
    assert_eq!(said.matches("timeout 30000ms").count(), MAX_ELEMENTS);
    assert!(said.contains(" 1.0.0.0 timeout"), "the first of them");
}
