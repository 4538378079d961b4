//! What clients are given, who is refused, and what they can take up.

use std::time::{Duration, Instant};

use ledger::{Log, SigningKey};
use shield_feed::Bounds;
use tokio::io::AsyncReadExt;

use crate::bed::{Bed, ask, send, until, view};

#[tokio::test(flavor = "multi_thread")]
async fn files_come_by_their_hash_and_not_twice() {
    let bed = Bed::new(Bounds::default(), None).await;
    assert_eq!(ask(bed.address, "/feed/all/manifest", &[]).await.status, 404);
    // More than one piece.
    let content = "one\n".repeat(100_000);
    let hash = bed.publish("all", 1, &content);
    let manifest = ask(bed.address, "/feed/all/manifest", &[]).await;
    assert_eq!(manifest.status, 200);
    assert!(manifest.body.starts_with("serial 1\n"), "{}", manifest.body);
    assert_eq!(manifest.header("cache-control"), Some("public, no-cache"));

    let path = format!("/feed/all/files/{hash}");
    let file = ask(bed.address, &path, &[]).await;
    assert_eq!((file.status, file.body == content), (200, true));
    assert_eq!(file.header("content-length"), Some("400000"));
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));

    for (path, answer) in [("/feed/all/manifest", &manifest), (path.as_str(), &file)] {
        let tag = answer.header("etag").unwrap();
        let again = ask(bed.address, path, &[&format!("If-None-Match: {tag}")]).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
    }
    // A later manifest is not the one that the client has.
    bed.publish("all", 2, "two");
    let tag = format!("If-None-Match: {}", manifest.header("etag").unwrap());
    assert_eq!(ask(bed.address, "/feed/all/manifest", &[&tag]).await.status, 200);
    for path in [
        "/feed/all/files/x",
        "/feed/all/files/../manifest",
        "/feed/all/files/%2e%2e%2fmanifest",
        "/feed/all/other",
    ] {
        assert_eq!(ask(bed.address, path, &[]).await.status, 404, "{path}");
    }
    let upper = path.to_uppercase().replace("/FEED/ALL/FILES/", "/feed/all/files/");
    assert_eq!(ask(bed.address, &upper, &[]).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_opens_its_own_view_and_no_other() {
    let bed = Bed::new(Bounds::default(), None).await;
    let own = bed.publish("isp-1", 1, "theirs");
    bed.publish("all", 1, "everybody's");
    let key = "Authorization: Bearer one";
    for (path, headers, status) in [
        ("/feed/isp-1/manifest", vec![key], 200),
        ("/feed/isp-1/manifest", vec![], 404),
        ("/feed/all/manifest", vec![key], 403),
        ("/feed/none/manifest", vec![key], 403),
        ("/feed/isp-1/manifest", vec!["Authorization: Bearer three"], 401),
        ("/feed/all/manifest", vec!["Authorization: Basic b25l"], 401),
        (&format!("/feed/all/files/{own}"), vec![], 404),
        (&format!("/feed/isp-1/files/{own}"), vec![], 404),
        (&format!("/feed/isp-1/files/{own}"), vec![key], 200),
        ("/feed/isp-1/events", vec![], 404),
        ("/feed/isp-1/wait?epoch=0&serial=0", vec![], 404),
        ("/feed/isp-1/list.txt", vec![], 404),
    ] {
        let answer = ask(bed.address, path, &headers).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
    }
    let answer = ask(bed.address, "/feed/isp-1/manifest", &[key]).await;
    assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
    let refused = ask(bed.address, "/feed/all/manifest", &["Authorization: Bearer three"]).await;
    assert_eq!(refused.header("www-authenticate"), Some("bearer"));
    // Who may, and asks too often, is told when to ask again, and not that his key is wrong.
    for path in ["/feed/all/manifest", "/feed/all/wait?epoch=0&serial=0", "/feed/all/list.txt"] {
        let busy = ask(bed.address, path, &["Authorization: Bearer busy"]).await;
        assert_eq!((busy.status, busy.header("retry-after")), (429, Some("7")), "{path}");
        assert!(busy.body.contains("again in 7 s"), "{}", busy.body);
    }
}

/// What anybody may read: this list grows by a decision, and not by a route. What is secret stands in the log as
/// commitments.
const OPEN: &[&str] = &["/log/checkpoint", "/log/tile/{*tile}"];

/// The audit: every route as it stands in the source, asked by whom nobody knows, by who says who he is otherwise, by
/// who may read another view, and by who asks too often. Each refusal is asked of the one place that counts it.
#[tokio::test(flavor = "multi_thread")]
async fn no_route_is_without_an_authorisation() {
    let source = include_str!("../../src/routes.rs");
    let routes: Vec<&str> =
        source.split(".route(\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert!(routes.len() >= 8, "{routes:?}");
    assert_eq!(routes.len(), source.matches(".route(").count(), "a route that is not read here");
    assert!(OPEN.iter().all(|open| routes.contains(open)), "OPEN names no route: {OPEN:?}");
    let bed = Bed::new(Bounds::default(), None).await;
    bed.publish("all", 1, "everybody's");
    bed.publish("isp-2", 1, "another's");
    for route in routes {
        let path = |view: &str| {
            let path = route.replace("{view}", view).replace("{list}", "list.txt");
            let path = path.replace("{hash}", &"0".repeat(64)).replace("{*tile}", "0/000");
            assert!(!path.contains('{'), "{route}: say here what stands in its place");
            path + if route.ends_with("/wait") { "?epoch=0&serial=0" } else { "" }
        };
        for (view, header, status) in [
            ("all", "Authorization: Bearer nobody's", 401),
            ("all", "Authorization: Basic b25l", 401),
            ("all", "Authorization: Bearer one", 403),
            ("isp-2", "Authorization: Bearer one", 403),
            ("isp-2", "Accept: */*", 404),
            ("all", "Authorization: Bearer busy", 429),
        ] {
            let before = bed.asked();
            let answer = ask(bed.address, &path(view), &[header]).await;
            if OPEN.contains(&route) {
                assert!([200, 404].contains(&answer.status), "{route} {header}: {answer:?}");
                continue;
            }
            assert_eq!(answer.status, status, "{route} {view} {header}");
            assert_eq!(bed.asked() - before, 1, "{route} {view} {header}: not asked, or not once");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_struck_off_hears_nothing_more() {
    let bed = Bed::new(Bounds::default(), None).await;
    bed.publish("isp-1", 1, "theirs");
    let key = "Authorization: Bearer one";
    let mut events = bed.connect().await;
    send(&mut events, "/feed/isp-1/events", &[key]).await;
    until(&mut events, "id: 3.1\n").await;
    let address = bed.address;
    let waiting = tokio::spawn(async move {
        ask(address, "/feed/isp-1/wait?epoch=3&serial=1", &[key]).await.status
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    bed.struck_off.store(true, std::sync::atomic::Ordering::Relaxed);
    bed.publish("isp-1", 2, "not theirs any more");
    assert_eq!(waiting.await.unwrap(), 401);
    let mut rest = String::new();
    let end = tokio::time::timeout(Duration::from_secs(5), events.read_to_string(&mut rest)).await;
    end.unwrap().unwrap();
    assert!(!rest.contains("id: 3.2"), "{rest}");
    assert_eq!(ask(bed.address, "/feed/isp-1/manifest", &[key]).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_hears_of_another_place_at_once_and_of_none_in_time() {
    let bounds = Bounds { wait: Duration::from_millis(400), ..Bounds::default() };
    let bed = Bed::new(bounds, None).await;
    bed.publish("all", 4, "four");
    let begun = Instant::now();
    // Behind, ahead, of another epoch: all are told at once where the feed is.
    for at in ["epoch=3&serial=3", "epoch=3&serial=5", "epoch=4&serial=4"] {
        let answer = ask(bed.address, &format!("/feed/all/wait?{at}"), &[]).await;
        assert!(answer.body.starts_with("serial 4\n"), "{at}: {answer:?}");
    }
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    // Where nothing comes, the manifest that is out.
    let begun = Instant::now();
    let answer = ask(bed.address, "/feed/all/wait?epoch=3&serial=4", &[]).await;
    assert!(answer.body.starts_with("serial 4\n"), "{answer:?}");
    assert!(begun.elapsed() >= Duration::from_millis(400));
    for bad in ["", "?epoch=3", "?epoch=3&serial=x", "?epoch=3&serial=4&more=1"] {
        assert_eq!(
            ask(bed.address, &format!("/feed/all/wait{bad}"), &[]).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_11_a_change_is_pushed_to_those_who_wait() {
    let bed = Bed::new(Bounds::default(), None).await;
    bed.publish("all", 1, "one");
    let mut events = bed.connect().await;
    send(&mut events, "/feed/all/events", &[]).await;
    let first = until(&mut events, "id: 3.1\n").await;
    assert!(first.contains("content-type: text/event-stream"), "{first}");
    let address = bed.address;
    let waiting =
        tokio::spawn(async move { ask(address, "/feed/all/wait?epoch=3&serial=1", &[]).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    let hash = bed.publish("all", 2, "two");
    let answer = waiting.await.unwrap();
    assert!(answer.body.starts_with("serial 2\n"), "{answer:?}");
    // The lines joined by line feeds are the manifest, its last line feed included.
    let text = format!("id: 3.2\ndata: serial 2\ndata: {hash}\ndata: \ndata: — note\ndata: \n\n");
    let event = until(&mut events, "data: — note\ndata: \n\n").await;
    let event = if event.contains("id: 3.2") { event } else { until(&mut events, &text).await };
    assert!(event.contains(&text), "{event}");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_are_bounded_and_the_rest_are_told() {
    let bounds = Bounds { waiters: 2, ..Bounds::default() };
    let bed = Bed::new(bounds, None).await;
    bed.publish("all", 1, "one");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = bed.connect().await;
        send(&mut stream, "/feed/all/events", &[]).await;
        until(&mut stream, "id: 3.1").await;
        held.push(stream);
    }
    for path in ["/feed/all/events", "/feed/all/wait?epoch=0&serial=0"] {
        let answer = ask(bed.address, path, &[]).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{path}");
    }
    assert_eq!(ask(bed.address, "/feed/all/manifest", &[]).await.status, 200, "the rest goes on");
    drop(held);
    let begun = Instant::now();
    // A client that went away is noticed when the next event does not reach it.
    let mut serial = 2;
    while ask(bed.address, "/feed/all/wait?epoch=0&serial=0", &[]).await.status != 200 {
        assert!(begun.elapsed() < Duration::from_secs(5));
        bed.publish("all", serial, "more");
        serial += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_and_a_connection_end_in_time() {
    let bounds = Bounds {
        events: Duration::from_millis(200),
        headers: Duration::from_millis(200),
        ..Bounds::default()
    };
    let bed = Bed::new(bounds, None).await;
    bed.publish("all", 1, "one");
    for path in [Some("/feed/all/events"), None] {
        let mut stream = bed.connect().await;
        // The other client connects and says nothing.
        if let Some(path) = path {
            send(&mut stream, path, &[]).await;
        }
        let begun = Instant::now();
        let mut all = Vec::new();
        let ended =
            tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut all)).await;
        ended.unwrap().unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(150), "{path:?} {:?}", begun.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_does_not_take_every_place() {
    let bounds = Bounds { connections_peer: 2, ..Bounds::default() };
    let bed = Bed::new(bounds, None).await;
    bed.publish("all", 1, "one");
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = bed.connect().await;
        send(&mut stream, "/feed/all/events", &[]).await;
        until(&mut stream, "id: 3.1").await;
        held.push(stream);
    }
    let mut third = bed.connect().await;
    assert_eq!(third.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed, nothing said");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_11_the_log_is_published_its_public_files_and_no_others() {
    let bed = Bed::new(Bounds::default(), None).await;
    assert_eq!(ask(bed.address, "/log/checkpoint", &[]).await.status, 404);
    let dir = bed.dir.path().join("log");
    let key = SigningKey::new("authority.example/shield", &[1; 32]).unwrap();
    let mut log = Log::open(&dir, key).unwrap();
    log.append(&[b"first".to_vec(), b"second".to_vec()]).unwrap();
    log.finish().unwrap();
    let checkpoint = ask(bed.address, "/log/checkpoint", &[]).await;
    assert!(checkpoint.body.starts_with("authority.example/shield\n2\n"), "{checkpoint:?}");
    let entries = ask(bed.address, "/log/tile/entries/000.p/2", &[]).await;
    assert_eq!(entries.body, "\0\u{5}first\0\u{6}second");
    assert_eq!(hashes(&bed).await, 64);
    for path in [
        "/log/journal",
        "/log/tile/0/0",
        "/log/tile/../checkpoint",
        "/log/tile/0/..%2f..%2fcheckpoint",
    ] {
        assert_eq!(ask(bed.address, path, &[]).await.status, 404, "{path}");
    }
}

/// How many bytes the first hash tile has.
async fn hashes(bed: &Bed) -> usize {
    let mut stream = bed.connect().await;
    send(&mut stream, "/log/tile/0/000.p/2", &[]).await;
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let at = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    all.len() - at - 4
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_a_file_is_cut_off_in_time() {
    let bounds = Bounds { life: Duration::from_millis(500), ..Bounds::default() };
    let bed = Bed::new(bounds, None).await;
    // More than the buffers of sockets hold.
    let hash = bed.publish("all", 1, &"x".repeat(64 << 20));
    let mut file = bed.connect().await;
    send(&mut file, &format!("/feed/all/files/{hash}"), &[]).await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    let mut all = Vec::new();
    let _ = file.read_to_end(&mut all).await;
    assert!(!all.is_empty() && all.len() < 60 << 20, "{}", all.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_events_slowly_is_given_the_newest_and_not_each() {
    let bed = Bed::new(Bounds::default(), None).await;
    bed.publish("all", 1, "one");
    let mut events = bed.connect().await;
    send(&mut events, "/feed/all/events", &[]).await;
    until(&mut events, "id: 3.1\n").await;
    // 24 MB: more than the buffers of sockets hold, while nobody reads.
    let long = format!("{}\n\n— note\n", "y".repeat(60_000));
    for serial in 2..=400 {
        bed.store.announce(&view("all"), (3, serial), &long, &[], Instant::now()).unwrap();
    }
    let told = until(&mut events, "id: 3.400\n").await;
    let made = told.matches("id: 3.").count();
    assert!(made < 350, "{made} of 399 were made for one who did not read");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_view_comes_and_goes_and_whoever_waits_is_told() {
    let bed = Bed::new(Bounds::default(), None).await;
    bed.publish("all", 1, "everybody's");
    let key = "Authorization: Bearer two";
    let status = async |path: &str| ask(bed.address, path, &[key]).await.status;
    // There is none yet, and everybody's is theirs.
    for (path, found) in [
        ("/feed/all/manifest", 200),
        ("/feed/isp-2/manifest", 404),
        ("/feed/isp-2/wait?epoch=3&serial=1", 404),
        ("/feed/isp-2/events", 404),
        // Another's is not told from one that nobody has.
        ("/feed/isp-1/manifest", 403),
        ("/feed/isp-7/manifest", 403),
    ] {
        assert_eq!(status(path).await, found, "{path}");
    }
    let own = bed.publish("isp-2", 2, "theirs");
    assert_eq!(status("/feed/isp-2/manifest").await, 200);
    assert_eq!(bed.store.standing(), [view("all"), view("isp-2")]);
    let mut events = bed.connect().await;
    send(&mut events, "/feed/isp-2/events", &[key]).await;
    until(&mut events, "id: 3.2\n").await;
    let address = bed.address;
    let waiting = tokio::spawn(async move {
        ask(address, "/feed/isp-2/wait?epoch=3&serial=2", &[key]).await.status
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    bed.store.end(&view("isp-2"), Instant::now()).unwrap();
    assert_eq!(waiting.await.unwrap(), 404);
    let mut rest = String::new();
    let end = tokio::time::timeout(Duration::from_secs(5), events.read_to_string(&mut rest)).await;
    end.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Whoever is fetching a file of it has it for the grace.
    assert_eq!(status("/feed/isp-2/manifest").await, 404);
    assert_eq!(status(&format!("/feed/isp-2/files/{own}")).await, 200);
    assert_eq!(bed.store.tidy(Instant::now() + Duration::from_secs(61)).unwrap(), 1);
    assert_eq!(status(&format!("/feed/isp-2/files/{own}")).await, 404);
    // It comes again.
    bed.publish("isp-2", 3, "theirs anew");
    assert_eq!(status("/feed/isp-2/manifest").await, 200);
}
