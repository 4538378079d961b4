//! A package in the words of CASE/UCO 1.4 (caseontology.org), as JSON-LD: exhibits as files with
//! their digests, records as actions on them. What is hidden in the package is not in it either.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::preview::{Preview, RecordSeen};

/// The UUID of the namespace of URLs (RFC 9562, 6.6).
const URLS: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

/// A node's name: a UUID of version 5 (the ontology wants one of 1 to 5), from what it is of.
fn name(preview: &Preview, sort: &str, index: u64) -> String {
    let mut hash = Sha1::new();
    hash.update(URLS);
    hash.update(format!("{}#{sort}-{index}", preview.origin));
    let mut b: [u8; 16] = std::array::from_fn({
        let digest = hash.finalize();
        move |i| digest[i]
    });
    b[6] = 0x50 | b[6] & 0x0f;
    b[8] = 0x80 | b[8] & 0x3f;
    let h = model::id::hex(&b);
    format!("kb:{sort}-{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

fn time(text: &str) -> Value {
    json!({ "@type": "xsd:dateTime", "@value": text })
}

/// The document.
pub(crate) fn document(preview: &Preview) -> Vec<u8> {
    let mut graph = Vec::new();
    let mut of_exhibit: HashMap<&str, String> = HashMap::new();
    let mut objects = Vec::new();
    for exhibit in &preview.exhibits {
        let id = name(preview, "file", exhibit.record);
        objects.push(json!({ "@id": id }));
        let mut file = json!({
            "@id": name(preview, "file-facet", exhibit.record), "@type": "uco-observable:FileFacet",
            "uco-observable:sizeInBytes":
                { "@type": "xsd:integer", "@value": exhibit.size.to_string() },
        });
        if let Some(called) = &exhibit.name {
            file["uco-observable:fileName"] = json!(called);
        }
        let mut facets = vec![file];
        if let Some(digest) = &exhibit.id {
            of_exhibit.insert(digest, id.clone());
            facets.push(json!({
                "@id": name(preview, "content-facet", exhibit.record),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:hash": [{
                    "@id": name(preview, "hash", exhibit.record), "@type": "uco-types:Hash",
                    "uco-types:hashMethod": "SHA256",
                    "uco-types:hashValue": { "@type": "xsd:hexBinary", "@value": digest },
                }],
            }));
        }
        let paths: Vec<&str> = exhibit.files.iter().map(|(path, _)| path.as_str()).collect();
        graph.push(json!({
            "@id": id, "@type": "uco-observable:File", "uco-core:hasFacet": facets,
            "uco-core:description": [paths.join(", ")],
        }));
    }
    for record in &preview.records {
        graph.push(action(preview, record, &of_exhibit));
    }
    let actions =
        preview.records.iter().map(|r| json!({ "@id": name(preview, "action", r.index) }));
    let all: Vec<Value> = objects.iter().cloned().chain(actions).collect();
    graph.push(json!({
        "@id": name(preview, "investigation", 0), "@type": "case-investigation:Investigation",
        "uco-core:name": preview.origin, "uco-core:object": all,
    }));
    if !objects.is_empty() {
        graph.push(json!({
            "@id": name(preview, "provenance", 0), "@type": "case-investigation:ProvenanceRecord",
            "uco-core:description": [format!("Exhibits disclosed to {}", preview.recipient)],
            "case-investigation:exhibitNumber": preview.origin, "uco-core:object": objects,
        }));
    }
    let document = json!({
        "@context": {
            "kb": "http://example.org/kb/",
            "case-investigation": "https://ontology.caseontology.org/case/investigation/",
            "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
            "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
            "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
            "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@graph": graph,
    });
    let mut bytes = serde_json::to_vec_pretty(&document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// A record as an action.
fn action(preview: &Preview, record: &RecordSeen, of_exhibit: &HashMap<&str, String>) -> Value {
    let object = record.fields.iter().find_map(|(_, value)| of_exhibit.get(value.as_str()));
    let words: Vec<String> =
        record.fields.iter().map(|(field, value)| format!("{field}: {value}")).collect();
    let mut out = json!({
        "@id": name(preview, "action", record.index),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": format!("{} (record {})", record.kind, record.index),
        "uco-core:description": [words.join("; ")],
        "uco-action:startTime": time(&record.time),
    });
    if let Some(object) = object {
        out["uco-action:object"] = json!([{ "@id": object }]);
    }
    out
}
