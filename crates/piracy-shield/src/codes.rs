//! The API's error codes, as numbers and statuses that clients know. The sentences are ours.

/// An error code: its number on the wire, the HTTP status it comes with, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// As it stands in `code`.
    pub number: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// As it stands in `message`, where nothing more is known.
    pub text: &'static str,
}

macro_rules! codes {
    ($( $name:ident $number:literal $status:literal $text:literal )*) => {
        $( #[doc = $text] pub const $name: Code = Code { number: $number, status: $status, text: $text }; )*
        /// Every one.
        pub const ALL: &[Code] = &[$( $name, )*];
    };
}

codes! {
    GENERIC "1000" 400 "this could not be done"
    PERMISSION_DENIED "1001" 403 "your office may not do this: docs/access.md shows who may"
    FORBIDDEN "1002" 403 "this is stopped for you: ask the authority"
    ROUTE_NOT_FOUND "1003" 404 "there is no such route: docs/piracy-shield.md lists them"
    METHOD_NOT_ALLOWED "1004" 405 "this route is asked by another method: docs/piracy-shield.md says which"
    TOO_MANY_REQUESTS "1005" 429 "more requests than your quota: come again later"
    MISSING_TOKEN "1006" 401 "sign in first: Authorization: Bearer TOKEN, of /authentication/login"
    MISSING_REFRESH_TOKEN "1007" 401 "give the refresh_token that the login answered"
    TOKEN_FORMAT_NON_VALID "1008" 401 "that is no token of this server: sign in again"
    NON_VALID_PARAMETERS "1010" 400 "the body has to be a JSON object"
    MISSING_PARAMETERS "1011" 400 "a field is missing: docs/piracy-shield.md lists the fields"
    TOO_MANY_PARAMETERS "1012" 400 "a field too many: docs/piracy-shield.md lists the fields"
    MISSING_FILE "1013" 400 "the form has to hold archive, chunkIndex, totalChunks and originalFileName"
    ACCOUNT_CREATE_DENIED "1101" 400 "your office registers nobody"
    ACCOUNT_VIEW_DENIED "1102" 400 "your office sees no accounts"
    ACCOUNT_EDIT_DENIED "1103" 400 "your office changes no account"
    ACCOUNT_DELETE_DENIED "1104" 400 "your office removes no account"
    TICKET_CREATE_DENIED "1105" 400 "your office reports nothing"
    TICKET_VIEW_DENIED "1106" 400 "your office sees no tickets"
    TICKET_EDIT_DENIED "1107" 400 "your office changes no ticket"
    TICKET_DELETE_DENIED "1108" 400 "your office takes no ticket back"
    TICKET_UPLOAD_DENIED "1109" 400 "your office hands in no archive"
    WHITELIST_CREATE_DENIED "1110" 400 "your office proposes no exception"
    WHITELIST_VIEW_DENIED "1111" 400 "your office sees no exceptions"
    WHITELIST_EDIT_DENIED "1112" 400 "your office changes no exception"
    WHITELIST_DELETE_DENIED "1113" 400 "your office removes no exception"
    DDA_CREATE_DENIED "1114" 400 "your office gives no order"
    DDA_VIEW_DENIED "1115" 400 "your office sees no orders"
    DDA_EDIT_DENIED "1116" 400 "your office changes no order"
    DDA_DELETE_DENIED "1117" 400 "your office removes no order"
    NOT_AUTHENTICATED "2001" 400 "the name or the password is wrong"
    TOKEN_REFRESH "2002" 400 "the refresh token is no longer one: sign in again"
    TOKEN_NON_VALID "2002" 401 "the token is no longer one: refresh it, or sign in again"
    MAX_LOGIN_ATTEMPTS "2003" 400 "too many failures: wait before the next attempt"
    ACCOUNT_GENERIC "3001" 400 "accounts are made, changed and removed by `vigie party`, on the authority's machine"
    ACCOUNT_NOT_FOUND "3011" 400 "there is no such account"
    PASSWORD_CHANGE_NON_VALID "3012" 400 "the new password cannot be had"
    PASSWORD_CHANGE_MISMATCH "3013" 400 "the present password is wrong, or the new one was not given twice alike"
    PASSWORD_DIFF "3014" 400 "the new password is the present one"
    TICKET_GENERIC "4000" 400 "the ticket was not taken"
    TICKET_NO_DATA "4001" 400 "the ticket names nothing that can be blocked"
    TICKET_ID_NON_VALID "4002" 400 "that is no ticket's identifier"
    DDA_ID_MISSING "4003" 400 "the order is missing: give its dda_id"
    DDA_ID_NON_VALID "4004" 400 "that is no order's identifier, or the order does not hold now"
    DDA_ID_UNKNOWN "4005" 400 "no order of yours has that identifier"
    DESCRIPTION_NON_VALID "4006" 400 "a description is a text of 3 to 255 characters"
    FQDN_NON_VALID "4008" 400 "that is no host's full name"
    IPV4_NON_VALID "4010" 400 "that is no single IPv4 address"
    IPV6_NON_VALID "4012" 400 "that is no single IPv6 address"
    ASSIGNED_TO_NON_VALID "4013" 400 "assigned_to is a list of providers' identifiers"
    ASSIGNED_TO_UNKNOWN "4014" 400 "assigned_to names somebody who is no provider"
    REVOKE_TIME_EXCEEDED "4015" 400 "the ticket is older than the time to take it back: report an error instead"
    REPORT_ERROR_TIME_EXCEEDED "4016" 400 "the ticket is older than the time to report errors: ask a reviewer"
    TICKET_NOT_FOUND "4017" 400 "there is no such ticket, or it is not yours"
    TOO_MANY_FQDN "4018" 400 "more names than a ticket holds: report the rest in another"
    TOO_MANY_IPV4 "4019" 400 "more IPv4 addresses than a ticket holds: report the rest in another"
    TOO_MANY_IPV6 "4020" 400 "more IPv6 addresses than a ticket holds: report the rest in another"
    ITEM_GENERIC "5000" 400 "the item was not changed"
    ITEM_NOT_FOUND "5001" 400 "nothing that you are to block, or are asked about, has that value"
    ITEM_VALUE_MISSING "5004" 400 "value is missing"
    ITEM_VALUE_NON_VALID "5005" 400 "value is no full name and no single address"
    ITEM_TIMESTAMP_NON_VALID "5006" 400 "timestamp is a moment in ISO 8601 with its zone"
    ITEM_NOTE_NON_VALID "5007" 400 "note is a text of 3 to 512 characters"
    ITEM_REASON_MISSING "5008" 400 "reason is missing"
    ITEM_REASON_NON_VALID "5009" 400 "reason is ALREADY_BLOCKED, UNDEFINED or UNKNOWN"
    ITEM_UPDATE_TIME_EXCEEDED "5010" 400 "the item is in force for longer than reports on it are taken"
    ITEM_EMPTY_CHECKSUM "5011" 400 "the list is empty, and has no checksum"
    LOG_TICKET_ID_NON_VALID "5103" 400 "that is no ticket's identifier"
    GENRE_NON_VALID "6001" 400 "genre is fqdn, ipv4, ipv6, cidr_ipv4 or cidr_ipv6"
    WHITELIST_FQDN_NON_VALID "6003" 400 "item is no host's full name"
    WHITELIST_IPV4_NON_VALID "6005" 400 "item is no single IPv4 address"
    WHITELIST_IPV6_NON_VALID "6007" 400 "item is no single IPv6 address"
    CIDR_IPV4_NON_VALID "6009" 400 "item is no IPv4 network that an exception may cover"
    CIDR_IPV6_NON_VALID "6011" 400 "item is no IPv6 network that an exception may cover"
    REGISTRAR_MISSING "6012" 400 "a name's registrar is missing"
    REGISTRAR_NON_VALID "6013" 400 "registrar is a text of 3 to 255 characters"
    AS_CODE_MISSING "6014" 400 "an address's AS number is missing"
    AS_CODE_NON_VALID "6015" 400 "as_code is an AS number of at most 9 digits, with or without AS before it"
    WHITELIST_EXISTS "6016" 400 "that exception is proposed or approved already"
    WHITELIST_CANNOT_REMOVE "6018" 400 "nothing that waits for a second person is called so, or it is not yours"
    WHITELIST_CANNOT_SET "6019" 400 "the exception's status was not changed"
    DDA_DESCRIPTION_NON_VALID "7002" 400 "a description is a text of 3 to 200 characters, and names the right"
    DDA_INSTANCE_NON_VALID "7004" 400 "an instance is 1 to 4 digits, /, 2 digits, /DDA"
    DDA_ACCOUNT_NON_VALID "7006" 400 "that is no account's identifier"
    DDA_ACCOUNT_ROLE "7007" 400 "an order is bound to a reporter, and that account is none"
    DDA_UNKNOWN "7008" 400 "there is no such order, or it is not yours"
    DDA_EXISTS "7009" 400 "an order of that number was given already"
    DDA_CANNOT_REMOVE "7010" 400 "an order stays in the log, and ends at its end"
    DDA_USED "7011" 400 "tickets rest on this order"
    DDA_CANNOT_SET "7012" 400 "the order's status was not changed"
    FORENSIC_GENERIC "9000" 400 "the archive was not taken"
    ARCHIVE_NAME "9001" 400 "originalFileName is 6 to 320 letters, digits, spaces and . - _"
    HASH_TYPE_NOT_SUPPORTED "9002" 400 "no digest of that name is known: /forensic/get/supported_hashes lists them"
    HASH_EMPTY "9003" 400 "forensic_evidence.hash is missing: announce a digest of the archive"
    HASH_NON_VALID "9004" 400 "a digest has another form, or is another than was announced"
    NO_HASH_FOR_TICKET "9005" 400 "no archive was announced with this ticket"
    EXTENSION_NOT_SUPPORTED "9006" 400 "an archive is a .zip or a .rar"
}

/// What is answered instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code.
    pub code: Code,
    /// What happened, where more is known than the code says.
    pub text: Option<String>,
    /// After so many seconds it may be asked again.
    pub retry_s: Option<u64>,
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { code, text: None, retry_s: None }
    }
}

impl Fault {
    /// A code with what happened.
    pub fn of(code: Code, text: impl Into<String>) -> Self {
        Self { code, text: Some(text.into()), retry_s: None }
    }

    /// What happened.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(self.code.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two meanings of one number are told apart by the status alone, and each says what to do.
    #[test]
    fn a_number_and_a_status_are_one_meaning() {
        let mut seen: Vec<_> = ALL.iter().map(|code| (code.number, code.status)).collect();
        seen.sort_unstable();
        let all = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), all);
        for code in ALL {
            assert!(code.number.len() == 4 && code.number.bytes().all(|b| b.is_ascii_digit()));
            assert!((400..=429).contains(&code.status) && code.text.len() > 12, "{code:?}");
        }
    }
}
