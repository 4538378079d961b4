//! A request's body: one JSON object, whose fields are those that the route names.

use serde_json::{Map, Value};

use crate::codes::{Code, MISSING_PARAMETERS, NON_VALID_PARAMETERS, TOO_MANY_PARAMETERS};

/// The most bytes of a body that is no archive: 3,000 of the longest names fit in.
pub const MAX_BODY: usize = 1 << 20;

/// The fields of a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body(Map<String, Value>);

impl Body {
    /// Reads a body. Where a route has no optional fields, a field too many is refused; where it has, what it
    /// does not name is passed over.
    ///
    /// # Errors
    /// No JSON object; a field that is missing; one too many.
    pub fn parse(bytes: &[u8], required: &[&str], optional: bool) -> Result<Self, Code> {
        if bytes.len() > MAX_BODY {
            return Err(NON_VALID_PARAMETERS);
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else {
            return Err(NON_VALID_PARAMETERS);
        };
        if !optional && fields.len() > required.len() {
            return Err(TOO_MANY_PARAMETERS);
        }
        if required.iter().any(|field| !fields.contains_key(*field)) {
            return Err(MISSING_PARAMETERS);
        }
        Ok(Self(fields))
    }

    /// A field; `None` where it is missing, null or an empty text.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })
    }

    /// A field that is a text, trimmed; `None` where it is missing or is no text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str().map(str::trim)
    }

    /// A list of texts, trimmed, empty ones passed over, each once, in their order. A list that is missing is
    /// empty.
    ///
    /// # Errors
    /// It is no list of texts.
    pub fn list(&self, field: &str, bad: Code) -> Result<Vec<String>, Code> {
        let Some(value) = self.get(field) else { return Ok(Vec::new()) };
        let mut seen = std::collections::BTreeSet::new();
        let mut texts = Vec::new();
        for one in value.as_array().ok_or(bad)? {
            let text = one.as_str().ok_or(bad)?.trim();
            if !text.is_empty() && seen.insert(text) {
                texts.push(text.to_owned());
            }
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_that_the_route_names() {
        let read = |text: &str, optional| Body::parse(text.as_bytes(), &["a", "b"], optional);
        assert!(read(r#"{"a":1,"b":2}"#, false).is_ok());
        assert_eq!(read(r#"{"a":1}"#, false), Err(MISSING_PARAMETERS));
        assert_eq!(read(r#"{"a":1,"b":2,"c":3}"#, false), Err(TOO_MANY_PARAMETERS));
        assert!(read(r#"{"a":1,"b":2,"c":3}"#, true).is_ok());
        for bad in ["", "[]", "a=1&b=2", "\"x\"", "{", "{\"a\":1}{}", "null"] {
            assert_eq!(read(bad, true), Err(NON_VALID_PARAMETERS), "{bad}");
        }
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(read(&deep, false), Err(NON_VALID_PARAMETERS));
        let long = format!("{{\"a\":\"{}\",\"b\":2}}", "x".repeat(MAX_BODY));
        assert_eq!(read(&long, false), Err(NON_VALID_PARAMETERS));
    }

    #[test]
    fn texts_are_trimmed_and_stand_once() {
        let body = r#"{"a":[" x ","x","","y"],"b":" t ","c":null,"d":"  ","e":[1]}"#;
        let body = Body::parse(body.as_bytes(), &[], true).unwrap();
        assert_eq!(body.list("a", NON_VALID_PARAMETERS).unwrap(), ["x", "y"]);
        assert_eq!((body.text("b"), body.text("c"), body.get("d")), (Some("t"), None, None));
        assert!(body.list("b", NON_VALID_PARAMETERS).is_err());
        assert!(body.list("e", NON_VALID_PARAMETERS).is_err());
        assert!(body.list("f", NON_VALID_PARAMETERS).unwrap().is_empty());
    }
}
