//! What the probe signs: a text that follows from a capture's record and the origin of the case's log, so
//! that whoever has these has the text.

use std::fmt::Write as _;

use ledger::note::Signature;
use ledger::{Note, SigningKey, VerifierKey};
use model::record::CaptureMade;

/// The text of a capture (docs/capture.md).
pub fn text(capture: &CaptureMade, origin: &str) -> String {
    let mut out = format!("vigie capture v1\ncase {origin}\nauthorisation {}\n", capture.granted);
    let CaptureMade { item, started, ended, outcome, .. } = capture;
    let _ = write!(out, "item {item}\nstarted {started}\nended {ended}\noutcome {outcome}\n");
    for address in &capture.addresses {
        let _ = writeln!(out, "address {address}");
    }
    for chain in &capture.chains {
        let _ = writeln!(out, "chain {chain}");
    }
    let CaptureMade { requests, media_bytes, content, exhibit, .. } = capture;
    let _ = write!(
        out,
        "requests {requests}\nmedia-bytes {media_bytes}\ncontent {content}\nexhibit {exhibit}\n"
    );
    out
}

/// Signs a capture: its record, with the signature in it.
pub fn sign(capture: CaptureMade, origin: &str, key: &SigningKey) -> CaptureMade {
    let signatures = key.note(text(&capture, origin)).signatures;
    let signature = signatures.first().map(ToString::to_string).unwrap_or_default();
    CaptureMade { signature, ..capture }
}

/// Whether the probe of that key signed a capture. No value that has more than one line is taken.
pub fn is_signed(capture: &CaptureMade, origin: &str, probe: &str) -> bool {
    let (Ok(key), Ok(signature)) =
        (VerifierKey::parse(probe), Signature::parse(&capture.signature))
    else {
        return false;
    };
    // A line end within a value would let one text be two records'.
    let CaptureMade { item, started, ended, outcome, addresses, .. } = capture;
    let values = [item, started, ended, outcome].into_iter().chain(addresses);
    if values.into_iter().any(|value| value.contains(char::is_control)) {
        return false;
    }
    let note = Note { text: text(capture, origin), signatures: vec![signature] };
    key.open_note(&note).is_ok()
}

#[cfg(test)]
mod tests {
    use model::{ExhibitId, Sha256Hex};

    use super::*;

    #[test]
    fn every_field_is_signed() {
        let key = SigningKey::new("probe-1", &[7; 32]).unwrap();
        let other = SigningKey::new("probe-1", &[8; 32]).unwrap();
        let capture = CaptureMade {
            granted: 3,
            started: "2026-11-26T20:00:00.000Z".into(),
            ended: "2026-11-26T20:00:01.000Z".into(),
            item: "tv.example".into(),
            exhibit: ExhibitId([1; 32]),
            outcome: "answered 200".into(),
            addresses: vec!["198.18.0.7".into()],
            chains: vec![Sha256Hex([2; 32])],
            requests: 2,
            media_bytes: 3,
            content: Sha256Hex([4; 32]),
            signature: String::new(),
        };
        let (origin, probe) = ("a.example/case/1", key.verifier().text());
        let signed = sign(capture.clone(), origin, &key);
        assert!(is_signed(&signed, origin, &probe));
        assert!(!is_signed(&signed, "a.example/case/2", &probe));
        assert!(!is_signed(&signed, origin, &other.verifier().text()));
        assert!(!is_signed(&capture, origin, &probe));
        let twice = CaptureMade { item: "a\nstarted b".into(), ..capture.clone() };
        assert!(!is_signed(&sign(twice, origin, &key), origin, &probe));
        let changed: [fn(&mut CaptureMade); 11] = [
            |c| c.granted = 4,
            |c| c.started = c.ended.clone(),
            |c| c.ended = c.started.clone(),
            |c| c.item.push('x'),
            |c| c.exhibit = ExhibitId([9; 32]),
            |c| c.outcome = "media".into(),
            |c| c.addresses.clear(),
            |c| c.chains.clear(),
            |c| c.requests = 9,
            |c| c.media_bytes = 9,
            |c| c.content = Sha256Hex([9; 32]),
        ];
        for change in changed {
            let mut other = signed.clone();
            change(&mut other);
            assert!(!is_signed(&other, origin, &probe), "{other:?}");
        }
    }
}
