//! What stands on the socket: a line of JSON a frame, a line a reply, in the same order.
//!
//! A frame has one writing: no spaces, its fields in the order given here, nothing beside them. A
//! line that is written otherwise is refused, so that two readers never differ about one.

use serde::{Deserialize, Serialize};

use crate::keeping::Status;

/// The longest line, its end included. The longest frame is a block of a name of 253 octets; the rest
/// is room for a value that is refused by name rather than as too long a line.
pub const MAX_LINE: usize = 1024;

/// What is said to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "frame", rename_all = "snake_case", deny_unknown_fields)]
pub enum Frame {
    /// A follower begins: all that is in force follows anew, and then [`Whole`](Self::Whole).
    Hello {
        /// The feed's epoch: it grows whenever the feed begins anew.
        epoch: u64,
        /// The feed's serial in this epoch.
        serial: u64,
    },
    /// The feed is fresh: for so long from now what stands may stand.
    Alive {
        /// Milliseconds; what the settings allow is the most.
        silence_ms: u64,
    },
    /// A value is blocked.
    Block {
        /// An exact name, as `shield` writes it.
        value: String,
        /// What is left of its life, in milliseconds; none left opens it.
        for_ms: u64,
    },
    /// A value is open.
    Lift {
        /// The name.
        value: String,
    },
    /// All that is in force was sent since [`Hello`](Self::Hello): what was not is opened.
    Whole {},
    /// Everything is open.
    Clear {},
    /// An operator lets in what was held.
    Release {},
    /// Somebody asks how it stands. Changes nothing.
    Status {},
}

/// Why a line is no frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MAX_LINE`].
    #[error("a line of {0} bytes, and {MAX_LINE} are the most")]
    Long(usize),
    /// No JSON, no known frame, or fields too many or too few.
    #[error("no frame: {0}")]
    Unknown(String),
    /// Another writing of a frame.
    #[error("the frame is not written as it should be, which is {0}")]
    Writing(String),
}

impl Frame {
    /// Reads a line, without its end.
    ///
    /// # Errors
    /// It is no frame, or not in its one writing.
    pub fn parse(line: &[u8]) -> Result<Self, FrameError> {
        if line.len() >= MAX_LINE {
            return Err(FrameError::Long(line.len()));
        }
        let frame: Self =
            serde_json::from_slice(line).map_err(|e| FrameError::Unknown(e.to_string()))?;
        let written = frame.write();
        if written.as_bytes() != line {
            return Err(FrameError::Writing(written));
        }
        Ok(frame)
    }

    /// The frame's one writing, without the line's end.
    pub fn write(&self) -> String {
        // Strings and numbers alone: nothing that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What keep answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Reply {
    /// It was done.
    Taken,
    /// The value waits for an operator: too many were added within a minute.
    Held,
    /// It was not done, and changed nothing.
    Refused {
        /// The refusal's name.
        word: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// How it stands.
    Status(Box<Status>),
}

impl Reply {
    /// A refusal.
    pub fn refused(word: &str, why: &dyn std::fmt::Display) -> Self {
        Self::Refused { word: word.to_owned(), message: why.to_string() }
    }

    /// The line, with its end.
    pub fn line(&self) -> Vec<u8> {
        // Strings, numbers and truths alone.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_has_one_writing() {
        let value = "tv.example".to_owned();
        for (frame, line) in [
            (Frame::Hello { epoch: 1, serial: 2 }, r#"{"frame":"hello","epoch":1,"serial":2}"#),
            (Frame::Alive { silence_ms: 9 }, r#"{"frame":"alive","silence_ms":9}"#),
            (
                Frame::Block { value: value.clone(), for_ms: 60_000 },
                r#"{"frame":"block","value":"tv.example","for_ms":60000}"#,
            ),
            (Frame::Lift { value }, r#"{"frame":"lift","value":"tv.example"}"#),
            (Frame::Whole {}, r#"{"frame":"whole"}"#),
            (Frame::Clear {}, r#"{"frame":"clear"}"#),
            (Frame::Release {}, r#"{"frame":"release"}"#),
            (Frame::Status {}, r#"{"frame":"status"}"#),
        ] {
            assert_eq!(frame.write(), line);
            assert_eq!(Frame::parse(line.as_bytes()), Ok(frame));
        }
    }

    #[test]
    fn another_writing_is_refused() {
        for line in [
            r#"{"frame": "clear"}"#,
            r#"{"frame":"clear","frame":"clear"}"#,
            r#"{"frame":"lift","value":"\u0074v.example"}"#,
            r#"{"value":"tv.example","frame":"lift"}"#,
            r#"{"frame":"alive","silence_ms":1e3}"#,
            r#"{"frame":"alive","silence_ms":-1}"#,
            r#"{"frame":"alive","silence_ms":18446744073709551616}"#,
            r#"{"frame":"clear","more":1}"#,
            r#"{"frame":"block","value":"tv.example"}"#,
            r#"{"frame":"Clear"}"#,
            r#"{"frame":"clear"} "#,
            "[]",
            "",
            "\u{0}",
        ] {
            assert!(Frame::parse(line.as_bytes()).is_err(), "{line}");
        }
        let long = format!(r#"{{"frame":"lift","value":"{}"}}"#, "a".repeat(MAX_LINE));
        assert_eq!(Frame::parse(long.as_bytes()), Err(FrameError::Long(long.len())));
    }
}
