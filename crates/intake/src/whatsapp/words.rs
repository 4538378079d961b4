//! WhatsApp's own lines in English, French, Italian, German and Spanish.

use crate::csv::fold;

fn any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// What sort of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Message,
    Media,
    Deleted,
    Service,
}

/// What sort of text a sender's line holds.
pub(crate) fn sort(text: &str) -> Sort {
    if text.len() > 300 {
        return Sort::Message;
    }
    let folded = fold(text.trim_start_matches(super::line::invisible));
    if any(
        &folded,
        &[
            "message was deleted",
            "you deleted this message",
            "message a ete supprime",
            "avez supprime ce message",
            "messaggio e stato eliminato",
            "hai eliminato questo messaggio",
            "nachricht wurde geloscht",
            "nachricht geloscht",
            "se elimino este mensaje",
            "eliminaste este mensaje",
            "mensaje fue eliminado",
            "message supprime",
        ],
    ) {
        return Sort::Deleted;
    }
    if encryption(&folded) {
        return Sort::Service;
    }
    let bracketed = folded.starts_with('<') && folded.ends_with('>');
    let omitted = any(
        &folded,
        &[
            "omitted",
            "omis",
            "omess",
            "ausgeschlossen",
            "weggelassen",
            "omitid",
            "absente",
            "absent",
            "attached",
            "piece jointe",
            "fichier joint",
            "allegato",
            "anhang",
            "adjunto",
        ],
    );
    let marked = text.starts_with(super::line::invisible);
    let file = attached(text).is_some();
    if file || (omitted && (bracketed || (marked && folded.len() < 60))) {
        return Sort::Media;
    }
    Sort::Message
}

fn encryption(folded: &str) -> bool {
    any(
        folded,
        &[
            "end-to-end encrypted",
            "end-to-end encryption",
            "chiffres de bout en bout",
            "crittografat",
            "ende-zu-ende-verschlusselt",
            "cifrados de extremo a extremo",
            "cifrado de extremo a extremo",
        ],
    )
}

/// The name of the file a message carries, with its place in the text.
pub(crate) fn attached(text: &str) -> Option<&str> {
    let body = text.trim_matches(|c: char| super::line::invisible(c) || c.is_whitespace());
    let first = body.lines().next()?.trim_end_matches(super::line::invisible);
    for tail in [
        "(file attached)",
        "(fichier joint)",
        "(file allegato)",
        "(Datei angehängt)",
        "(archivo adjunto)",
    ] {
        if let Some(name) = first.strip_suffix(tail) {
            return Some(name.trim());
        }
    }
    let inside = first.strip_prefix('<')?.strip_suffix('>')?;
    let (label, name) = inside.split_once(':')?;
    let label = fold(label);
    any(&label, &["attached", "piece jointe", "allegato", "anhang", "adjunto"]).then(|| name.trim())
}

/// What a service line says of the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<'a> {
    /// Who made the group (empty: the exporter), and its name.
    Created(&'a str, Option<&'a str>),
    /// Who came in.
    Joined(&'a str),
    /// Something else of a group.
    Group,
    /// Something that says nothing of groups.
    Other,
}

/// Between whom and what: the text before a phrase and the text behind it.
fn around<'a>(line: &'a str, phrase: &str) -> Option<(&'a str, &'a str)> {
    let at = line.find(phrase)?;
    Some((line[..at].trim(), line[at + phrase.len()..].trim()))
}

/// The name between quotation marks.
fn quoted(text: &str) -> Option<&str> {
    let open = text.find(['"', '\u{201c}', '\u{201e}', '\u{ab}', '\u{201d}'])?;
    let inside = text[open..].char_indices().nth(1).map(|(i, _)| &text[open + i..])?;
    let close = inside.rfind(['"', '\u{201d}', '\u{201c}', '\u{bb}'])?;
    let name = inside[..close].trim();
    (!name.is_empty()).then_some(name)
}

/// Reads a service line.
pub(crate) fn told(line: &str) -> Told<'_> {
    let line = line.trim_matches(|c: char| super::line::invisible(c) || c.is_whitespace());
    for phrase in [
        " created group ",
        " created this group",
        " a créé le groupe",
        " avez créé le groupe",
        " ha creato il gruppo",
        "Hai creato il gruppo",
        " hat die Gruppe ",
        " hast die Gruppe ",
        " creó el grupo",
        "Creaste el grupo",
        " creó este grupo",
    ] {
        if let Some((who, behind)) = around(line, phrase) {
            if phrase.contains("die Gruppe") && !behind.contains("erstellt") {
                continue;
            }
            let own = matches!(who, "" | "You" | "Vous" | "Du");
            return Told::Created(if own { "" } else { who }, quoted(behind));
        }
    }
    for phrase in [
        " joined using this group's invite link",
        " joined using your invite link",
        " joined using an invite link",
        " joined using a group link",
        " joined this group",
        " joined from the community",
        " was added",
        " joined",
        " a rejoint le groupe",
        " a rejoint ce groupe",
        " a rejoint via",
        " a rejoint en utilisant",
        " a été ajouté",
        " si è unito",
        " si è unita",
        " è entrato",
        " è entrata",
        " è stato aggiunto",
        " è stata aggiunta",
        " ist der Gruppe",
        " ist beigetreten",
        " ist über",
        " wurde hinzugefügt",
        " se unió",
        " se ha unido",
        " fue añadido",
        " fue añadida",
    ] {
        if let Some((who, _)) = around(line, phrase)
            && !who.is_empty()
        {
            return Told::Joined(who);
        }
    }
    for phrase in [
        " added ",
        " a ajouté ",
        " ha aggiunto ",
        " añadió a ",
        " agregó a ",
        " añadió ",
        " agregó ",
    ] {
        if let Some((who, added)) = around(line, phrase)
            && !who.is_empty()
            && !added.is_empty()
        {
            return Told::Joined(added.trim_end_matches('.'));
        }
    }
    if let Some((who, behind)) = around(line, " hat ")
        && let Some(added) =
            behind.strip_suffix(" hinzugefügt").or_else(|| behind.strip_suffix(" hinzugefügt."))
        && !who.is_empty()
    {
        return Told::Joined(added);
    }
    let folded = fold(line);
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).collect();
    let of_group = words.iter().any(|w| {
        matches!(*w, "group" | "groupe" | "gruppo" | "gruppe" | "grupo" | "admin" | "community")
    }) || words.iter().any(|w| {
        matches!(
            *w,
            "gruppenbild"
                | "gruppenbeschreibung"
                | "gruppenbetreff"
                | "gruppeninfo"
                | "left"
                | "quitte"
                | "abbandonato"
                | "verlassen"
                | "salio"
        )
    });
    if of_group { Told::Group } else { Told::Other }
}

/// The names of a list: `A`, `A and B`, `A, B and C`.
pub(crate) fn names(list: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for part in list.split(", ") {
        let two =
            [" and ", " et ", " e ", " und ", " y "].iter().find_map(|and| part.split_once(and));
        match two {
            Some((a, b)) => names.extend([a.trim(), b.trim()]),
            None => names.push(part.trim()),
        }
    }
    names.retain(|name| {
        !name.is_empty() && !matches!(*name, "you" | "You" | "vous" | "te" | "dich" | "ti")
    });
    names
}

/// The group's or the other's name that an export's file name holds:
/// `WhatsApp Chat with NAME.txt`, `WhatsApp Chat - NAME.zip/_chat.txt`.
pub(crate) fn named_by_file(path: &str) -> Option<&str> {
    const FRONTS: &[&str] = &[
        "WhatsApp Chat with ",
        "WhatsApp Chat mit ",
        "WhatsApp Chat - ",
        "WhatsApp-Chat mit ",
        "WhatsApp-Chat - ",
        "Discussion WhatsApp avec ",
        "Conversation WhatsApp avec ",
        "Chat WhatsApp con ",
        "Chat de WhatsApp con ",
        "Conversación de WhatsApp con ",
        "WhatsApp Chat con ",
    ];
    path.rsplit(['/', '\\']).take(3).find_map(|part| {
        let name = FRONTS.iter().find_map(|front| part.strip_prefix(front))?;
        let name = name.strip_suffix(".txt").or_else(|| name.strip_suffix(".zip")).unwrap_or(name);
        // A second download: `NAME (1)`.
        let name = match name.strip_suffix(')').and_then(|n| n.rsplit_once(" (")) {
            Some((name, n)) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => name,
        };
        let name = name.trim();
        (!name.is_empty()).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_lines() {
        for (line, expected) in [
            ("Boss created group \"IPTV Pro\"", Told::Created("Boss", Some("IPTV Pro"))),
            ("\u{200e}You created group “IPTV Pro”", Told::Created("", Some("IPTV Pro"))),
            ("Boss a créé le groupe « IPTV Pro »", Told::Created("Boss", Some("IPTV Pro"))),
            ("Boss ha creato il gruppo \"IPTV Pro\"", Told::Created("Boss", Some("IPTV Pro"))),
            ("Boss hat die Gruppe „IPTV Pro“ erstellt", Told::Created("Boss", Some("IPTV Pro"))),
            ("Boss creó el grupo \"IPTV Pro\"", Told::Created("Boss", Some("IPTV Pro"))),
            (
                "+33 6 12 34 56 78 joined using this group's invite link",
                Told::Joined("+33 6 12 34 56 78"),
            ),
            ("Boss added Zoé and +44 20 7946 0958", Told::Joined("Zoé and +44 20 7946 0958")),
            ("Boss hat Zoé hinzugefügt", Told::Joined("Zoé")),
            ("Boss a ajouté Zoé", Told::Joined("Zoé")),
            ("Boss ha aggiunto Zoé", Told::Joined("Zoé")),
            ("Boss añadió a Zoé", Told::Joined("Zoé")),
            ("Zoé left", Told::Group),
            ("Messages and calls are end-to-end encrypted.", Told::Other),
        ] {
            assert_eq!(told(line), expected, "{line}");
        }
        assert_eq!(names("A, B and C"), ["A", "B", "C"]);
    }

    #[test]
    fn sorts_of_text() {
        for text in [
            "<Media omitted>",
            "<Médias omis>",
            "<Media omessi>",
            "<Medien ausgeschlossen>",
            "<Multimedia omitido>",
            "\u{200e}image omitted",
            "\u{200e}Bild weggelassen",
            "\u{200e}<attached: 0001-PHOTO.jpg>",
            "IMG-1.jpg (file attached)",
            "\u{200e}<Anhang: 1.pdf>",
        ] {
            assert_eq!(sort(text), Sort::Media, "{text}");
        }
        for text in [
            "This message was deleted",
            "Diese Nachricht wurde gelöscht.",
            "Ce message a été supprimé",
            "Questo messaggio è stato eliminato",
            "Se eliminó este mensaje",
        ] {
            assert_eq!(sort(text), Sort::Deleted, "{text}");
        }
        assert_eq!(sort("I omitted it"), Sort::Message);
        assert_eq!(attached("IMG-1.jpg (file attached)\ncaption"), Some("IMG-1.jpg"));
        assert_eq!(attached("\u{200e}<pièce jointe : 2.mp4>"), Some("2.mp4"));
    }

    #[test]
    fn names_in_file_names() {
        assert_eq!(named_by_file("a/WhatsApp Chat with IPTV Pro.txt"), Some("IPTV Pro"));
        assert_eq!(named_by_file("x/WhatsApp Chat - IPTV Pro.zip/_chat.txt"), Some("IPTV Pro"));
        assert_eq!(named_by_file("Discussion WhatsApp avec Zoé (2).txt"), Some("Zoé"));
        assert_eq!(named_by_file("_chat.txt"), None);
    }
}
