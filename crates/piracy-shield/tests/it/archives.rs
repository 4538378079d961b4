//! Archives: in pieces, the announced one or none, and never evidence.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bed::{Answer, Bed, item, ticket};

const BOUND: &str = "xxxxBOUNDxxxx";

fn part(name: &str, file: bool, content: &[u8]) -> Vec<u8> {
    let kind =
        if file { "; filename=\"blob\"\r\nContent-Type: application/octet-stream" } else { "" };
    let mut text =
        format!("--{BOUND}\r\nContent-Disposition: form-data; name=\"{name}\"{kind}\r\n\r\n")
            .into_bytes();
    text.extend_from_slice(content);
    text.extend_from_slice(b"\r\n");
    text
}

fn upload(
    bed: &Bed,
    key: &str,
    id: &str,
    piece: &[u8],
    index: usize,
    total: usize,
    name: &str,
) -> Answer {
    let mut body = part("archive", true, piece);
    body.extend(part("chunkIndex", false, index.to_string().as_bytes()));
    body.extend(part("totalChunks", false, total.to_string().as_bytes()));
    body.extend(part("originalFileName", false, name.as_bytes()));
    body.extend(format!("--{BOUND}--\r\n").into_bytes());
    let head = format!("Content-Type: multipart/form-data; boundary={BOUND}");
    bed.ask("POST", &format!("/forensic/upload/{id}"), Some(bed.key(key)), &[&head], &body)
}

fn announced(bed: &Bed, archive: &[u8]) -> String {
    let digest: String = Sha256::digest(archive).iter().map(|byte| format!("{byte:02X}")).collect();
    let mut body = ticket("1/26/DDA", &["a.example", "b.example"], &[], &[]);
    body["forensic_evidence"] = json!({"hash": {"sha256": digest}});
    let data = bed.post("/ticket/create", Some(bed.key("league-1")), &body).data();
    data["ticket_id"].as_str().unwrap().to_owned()
}

fn evidence(bed: &Bed, id: &str) -> Value {
    bed.post("/forensic/get/by_ticket", Some(bed.key("league-1")), &json!({"ticket_id": id})).data()
}

/// In pieces of whatever order; sealed; the reporter's word holds what is not in force, and releases nothing.
#[test]
fn an_archive_is_sealed_and_holds_its_ticket() {
    let bed = Bed::new();
    let archive: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let id = announced(&bed, &archive);
    assert_eq!(evidence(&bed, &id)["status"], "pending");
    bed.release("a.example");
    let pieces: Vec<&[u8]> = archive.chunks(1_000_000).collect();
    for index in [2, 0, 1] {
        let answer =
            upload(&bed, "league-1", &id, pieces[index], index, pieces.len(), "evidence.zip");
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(evidence(&bed, &id)["status"], if index == 1 { "approved" } else { "pending" });
    }
    let shown = evidence(&bed, &id);
    assert_eq!(
        (&shown["archive_name"], &shown["hash_type"]),
        (&json!("evidence.zip"), &json!("sha256"))
    );
    assert_eq!((bed.stage(item(0, 0)), bed.stage(item(0, 1))), ("in_force", "held"));
    let size = archive.len() as u64;
    let (sealed, left) = bed.state(move |house| {
        let sealed = house.case().exhibits().iter().filter(|exhibit| exhibit.size == size).count();
        let folder = house.case().stager().folder().to_owned();
        let temp = std::fs::read_dir(folder)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().path().is_file());
        (sealed, temp.count())
    });
    assert_eq!((sealed, left), (1, 0));
    // Held by the upload: a capture and a check do not release it, a second person does.
    bed.release("b.example");
    upload(&bed, "league-1", &id, b"x", 0, 1, "evidence.zip").refused(400, "9000");
}

#[test]
fn another_archive_than_the_announced_one_is_none() {
    let bed = Bed::new();
    let id = announced(&bed, b"the archive");
    upload(&bed, "league-1", &id, b"another", 0, 1, "evidence.zip").refused(400, "9004");
    assert_eq!(evidence(&bed, &id)["status"], "rejected");
    assert_eq!(bed.stage(item(0, 0)), "submitted");
    assert_eq!(bed.state(|house| house.case().exhibits().len()), 1, "the request alone");
    // Fault 9: what is announced with one ticket approves no other.
    let other = announced(&bed, b"the archive");
    assert_eq!(upload(&bed, "league-1", &id, b"the archive", 0, 1, "evidence.rar").status, 200);
    assert_eq!(
        (evidence(&bed, &id)["status"].clone(), evidence(&bed, &other)["status"].clone()),
        (json!("approved"), json!("pending"))
    );
}

#[test]
fn a_bad_form_is_refused_by_its_number() {
    let bed = Bed::new();
    let id = announced(&bed, b"the archive");
    upload(&bed, "cinema-1", &id, b"x", 0, 1, "evidence.zip").refused(400, "4017");
    upload(&bed, "league-1", &"0".repeat(32), b"x", 0, 1, "evidence.zip").refused(400, "4017");
    upload(&bed, "fibre-1", &id, b"x", 0, 1, "evidence.zip").refused(400, "1109");
    upload(&bed, "league-1", &id, b"x", 0, 1, "evidence.exe").refused(400, "9006");
    upload(&bed, "league-1", &id, b"x", 0, 1, "../evidence.zip").refused(400, "9001");
    upload(&bed, "league-1", &id, b"x", 1, 1, "evidence.zip").refused(400, "9000");
    upload(&bed, "league-1", &id, b"x", 0, 0, "evidence.zip").refused(400, "9000");
    upload(&bed, "league-1", &id, b"x", 0, 10_001, "evidence.zip").refused(400, "9000");
    bed.post(&format!("/forensic/upload/{id}"), Some(bed.key("league-1")), &json!({}))
        .refused(400, "1013");
    // A ticket that came another way announced nothing.
    let formats = bed.get("/forensic/get/supported_formats", Some(bed.key("league-1"))).data();
    assert_eq!(formats, json!(["zip", "rar"]));
    let hashes = bed.get("/forensic/get/supported_hashes", Some(bed.key("league-1"))).data();
    assert_eq!(hashes, json!(["sha256", "sha384", "sha512", "blake2b"]));
}

/// Pieces that never become an archive take room for a time alone, and of so many alone.
#[test]
fn archives_that_come_in_are_bounded() {
    let bed = Bed::new();
    let ids: Vec<String> = (0..5).map(|n| announced(&bed, &[n])).collect();
    for id in &ids[..4] {
        assert_eq!(upload(&bed, "league-1", id, b"x", 0, 2, "evidence.zip").status, 200);
    }
    upload(&bed, "league-1", &ids[4], b"x", 0, 2, "evidence.zip").refused(400, "9000");
    // Begun anew under another name, it is the same place.
    assert_eq!(upload(&bed, "league-1", &ids[0], &[0], 0, 1, "another.zip").status, 200);
    assert_eq!(upload(&bed, "league-1", &ids[4], b"x", 0, 2, "evidence.zip").status, 200);
}

/// The log stands on the disk that archives come to: a reporter that could fill it would end every decision.
#[test]
fn archives_leave_room_for_the_log() {
    let mut bed = Bed::new();
    let id = announced(&bed, b"the archive");
    bed.again_as(|api| api.leaving_free(u64::MAX));
    let answer = upload(&bed, "league-1", &id, b"the archive", 0, 1, "evidence.zip");
    answer.refused(503, "9000");
    assert!(answer.head.to_lowercase().contains("retry-after: "), "{answer:?}");
    assert_eq!(evidence(&bed, &id)["status"], json!("pending"));
    bed.again();
    assert_eq!(upload(&bed, "league-1", &id, b"the archive", 0, 1, "evidence.zip").status, 200);
}
