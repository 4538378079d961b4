//! The lists, and what others read in them.

use shield::Item;
use shield::feed::{Bounds as Reach, Entry, Gates, History, Row, Whose};
use shield::order::words::Organisation;
use shield::order::{Audience, ItemId, Moment};
use shield_feed::{Bounds, write_lists};

use crate::bed::{Bed, ask, view};

fn history() -> History {
    let rows = [
        ("tv.stream.example", 1_780_000_000_000, 14, None),
        ("198.51.100.7", 1_780_000_000_500, 1_025, Some("shared_hosting")),
        ("[2001:db8::7]:443", 1_780_000_060_000, 2_048, None),
    ];
    let mut history = History::new(0xabc, 3, Reach::default(), shield::feed::Snapshot::default());
    let rows = rows.map(|(value, expires, item, code)| {
        let value = std::sync::Arc::new(Item::parse(value).unwrap());
        let entry = Entry { expires: Moment(expires), item: ItemId(item), code };
        let row = Row::new(&value, [(entry, &Audience::All)]);
        (value, row)
    });
    history.publish(rows, Gates::default()).unwrap();
    history
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_say_what_is_out_each_in_its_form() {
    let bed = Bed::new(Bounds::default(), None).await;
    let history = history();
    let isp = Organisation::new("an isp").unwrap();
    let out = history.current().view(&isp);
    let lists = write_lists(&bed.store, &view("all"), history.place(), &out).unwrap();

    let txt = ask(bed.address, "/feed/all/list.txt", &[]).await;
    let mut values: Vec<&str> = txt.body.lines().collect();
    values.sort_unstable();
    assert_eq!(values, ["198.51.100.7", "[2001:db8::7]:443", "tv.stream.example"]);

    let csv = ask(bed.address, "/feed/all/list.csv", &[]).await.body;
    assert_eq!(csv.lines().next(), Some("value,kind,expires,code,ticket,item"));
    for line in [
        "tv.stream.example,fqdn,2026-05-28T20:26:40Z,,0,0/14",
        "198.51.100.7,ipv4,2026-05-28T20:26:40.5Z,shared_hosting,1,1/1",
        "[2001:db8::7]:443,ip_port,2026-05-28T20:27:40Z,,2,2/0",
    ] {
        assert!(csv.lines().any(|one| one == line), "{line} in {csv}");
    }
    assert_eq!(csv.lines().count(), 4);

    let json = ask(bed.address, "/feed/all/list.json", &[]).await;
    assert_eq!(json.header("content-type"), Some("application/json"));
    let json: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!((&json["epoch"], &json["serial"]), (&3.into(), &1.into()));
    assert_eq!(json["session"], "0000000000000abc");
    let values = json["values"].as_array().unwrap();
    assert_eq!(values.len(), 3);
    let address = values.iter().find(|v| v["kind"] == "ipv4").unwrap();
    assert_eq!(address["code"], "shared_hosting");

    // As `sha256sum --check` reads it.
    let sum = ask(bed.address, "/feed/all/list.txt.sha256", &[]).await.body;
    assert_eq!(sum, format!("{}  list.txt\n", lists.txt.hash));
    assert_eq!(model::Sha256Hex::of(txt.body.as_bytes()), lists.txt.hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_replaced_has_another_tag() {
    let bed = Bed::new(Bounds::default(), None).await;
    let history = history();
    let isp = Organisation::new("an isp").unwrap();
    let out = history.current().view(&isp);
    write_lists(&bed.store, &view("all"), history.place(), &out).unwrap();
    let first = ask(bed.address, "/feed/all/list.txt", &[]).await;
    let shown = format!("If-None-Match: {}", first.header("etag").unwrap());
    assert_eq!(ask(bed.address, "/feed/all/list.txt", &[&shown]).await.status, 304);

    let empty = shield::feed::Snapshot::default().view(&isp);
    write_lists(&bed.store, &view("all"), history.place(), &empty).unwrap();
    let second = ask(bed.address, "/feed/all/list.txt", &[&shown]).await;
    assert_eq!((second.status, second.body.as_str()), (200, ""));
    assert_ne!(first.header("etag"), second.header("etag"));
    let json = ask(bed.address, "/feed/all/list.json", &[]).await.body;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["values"],
        serde_json::json!([])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn under_an_isp_s_own_name_stands_what_it_gets() {
    let bed = Bed::new(Bounds::default(), None).await;
    let mut history = history();
    let key = "Authorization: Bearer two";
    let list = async |path: &str| {
        let answer = ask(bed.address, path, &[key]).await;
        (answer.status, answer.body.lines().count())
    };
    let write = |history: &History, whose: &Whose| {
        let name = view(whose.name().unwrap());
        let out = history.current().view_of(whose);
        write_lists(&bed.store, &name, history.place(), &out).unwrap();
    };
    bed.publish("all", 1, "everybody's");
    write(&history, &Whose::All);
    assert_eq!(list("/feed/all/list.txt").await, (200, 3));
    assert_eq!(list("/feed/isp-2/list.txt").await, (200, 3));
    let value = std::sync::Arc::new(Item::parse("own.stream.example").unwrap());
    let entry = Entry { expires: Moment(1_780_000_000_000), item: ItemId(9), code: None };
    let isp = Organisation::new("isp-2").unwrap();
    let row = Row::new(&value, [(entry, &Audience::Only([isp.clone()].into()))]);
    history.publish([(value, row)], Gates::default()).unwrap();
    bed.publish("isp-2", 2, "theirs");
    for whose in [Whose::All, Whose::Isp(isp)] {
        write(&history, &whose);
    }
    assert_eq!(list("/feed/all/list.txt").await, (200, 3));
    assert_eq!(list("/feed/isp-2/list.txt").await, (200, 4));
    assert_eq!(ask(bed.address, "/feed/isp-2/list.txt", &[]).await.status, 404);
    bed.store.end(&view("isp-2"), std::time::Instant::now()).unwrap();
    assert!(!bed.dir.path().join("feed/isp-2/list.txt").exists());
    assert_eq!(list("/feed/isp-2/list.txt").await, (200, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_before_a_start_is_served_to_nobody() {
    let bed = Bed::new(Bounds::default(), None).await;
    let folder = bed.dir.path().join("feed/all");
    ledger::disk::create_dir(&folder).unwrap();
    for name in ["list.txt", "list.csv", "list.json", "list.txt.sha256"] {
        ledger::disk::write(&folder.join(name), b"lifted.stream.example\n").unwrap();
    }
    let two = "Authorization: Bearer two";
    let paths = ["all/list.txt", "all/list.csv", "all/list.json", "all/list.txt.sha256"];
    let not_yet = async || {
        for path in paths.into_iter().chain(["isp-2/list.txt"]) {
            let answer = ask(bed.address, &format!("/feed/{path}"), &[two]).await;
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{path}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(!answer.body.contains("lifted"), "{path}");
        }
    };
    not_yet().await;
    // Nor once its manifest is out: it is written a little later.
    bed.publish("all", 1, "everybody's");
    not_yet().await;
    let history = history();
    let out = history.current().view_of(&Whose::All);
    write_lists(&bed.store, &view("all"), history.place(), &out).unwrap();
    for path in paths.into_iter().chain(["isp-2/list.txt"]) {
        let answer = ask(bed.address, &format!("/feed/{path}"), &[two]).await;
        assert!(answer.status == 200 && !answer.body.contains("lifted"), "{path}: {answer:?}");
    }
    // Of an own view that nobody else's stands in for, too; one that is not there has none.
    let one = "Authorization: Bearer one";
    assert_eq!(ask(bed.address, "/feed/isp-1/list.txt", &[one]).await.status, 404);
    bed.publish("isp-1", 1, "theirs");
    assert_eq!(ask(bed.address, "/feed/isp-1/list.txt", &[one]).await.status, 503);
}
