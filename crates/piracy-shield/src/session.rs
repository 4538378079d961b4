//! Signing in and out; one's own sessions and password.

use desk::access::Principal;
use desk::account::{From as Signing, NotSignedIn};
use model::record::time_text;
use serde_json::json;

use crate::answer::{Answer, Outcome};
use crate::api::now_ms;
use crate::call::{Call, failed};
use crate::codes::{
    Fault, MAX_LOGIN_ATTEMPTS, MISSING_PARAMETERS, MISSING_REFRESH_TOKEN, NOT_AUTHENTICATED,
    PASSWORD_CHANGE_MISMATCH, PASSWORD_CHANGE_NON_VALID, PASSWORD_DIFF, PERMISSION_DENIED,
    TOKEN_REFRESH, TOO_MANY_REQUESTS,
};
use crate::token::Behind;

/// That the server is there.
pub(crate) fn ping(_: &Call<'_>) -> Outcome {
    Ok(Answer::Data("pong".into()))
}

/// Signs in: a person by the password, a service by its key. The e-mail address is our short name, with or
/// without a domain behind it.
pub(crate) fn login(call: &Call<'_>) -> Outcome {
    let (email, password) =
        call.body.text("email").zip(call.body.text("password")).ok_or(MISSING_PARAMETERS)?;
    let name = email.split_once('@').map_or(email, |(name, _)| name).to_ascii_lowercase();
    let api = call.api;
    let (party, behind) = match api.access.key(password) {
        Some(Principal::Key { key, organisation, .. }) if key == name => {
            (organisation, Behind::Key(password.to_owned()))
        }
        Some(_) => return Err(NOT_AUTHENTICATED.into()),
        None => {
            let from = Signing { source: call.known.source, agent: &call.known.agent };
            let session =
                api.accounts.sign_in(&api.access, &name, password, from).map_err(failed)?;
            (format!("person:{name}"), Behind::Session(session.map_err(not_signed_in)?))
        }
    };
    let (access, refresh) =
        api.tokens.begin(&party, behind, now_ms()).map_err(|e| failed(e.into()))?;
    Ok(Answer::Data(json!({"access_token": access, "refresh_token": refresh})))
}

fn not_signed_in(why: NotSignedIn) -> Fault {
    match why {
        NotSignedIn::Wrong => NOT_AUTHENTICATED.into(),
        NotSignedIn::Wait { retry_s } => Fault {
            text: Some(format!("too many failures: not before {retry_s} seconds")),
            retry_s: Some(retry_s),
            code: MAX_LOGIN_ATTEMPTS,
        },
        NotSignedIn::Busy => Fault { retry_s: Some(1), ..TOO_MANY_REQUESTS.into() },
    }
}

/// Another access token, while who signed in is still somebody.
pub(crate) fn refresh(call: &Call<'_>) -> Outcome {
    let token = call.body.text("refresh_token").ok_or(MISSING_REFRESH_TOKEN)?;
    let behind = call.api.tokens.of_refresh(token, now_ms()).ok_or(TOKEN_REFRESH)?;
    if call.api.of(&behind)?.is_none() {
        call.api.tokens.end(token);
        return Err(TOKEN_REFRESH.into());
    }
    let access = call.api.tokens.refresh(token, now_ms()).map_err(|e| failed(e.into()))?;
    Ok(Answer::Data(json!({"access_token": access.ok_or(TOKEN_REFRESH)?})))
}

/// Ends what was begun by signing in. A key that was shown itself goes on: it ends by being revoked.
pub(crate) fn logout(call: &Call<'_>) -> Outcome {
    let token = call.known.token.as_deref().unwrap_or_default();
    if let Some(Behind::Session(session)) = call.api.tokens.end(token) {
        let found = call.api.accounts.session(&call.api.access, &session).map_err(failed)?;
        if let Some((session, _)) = found {
            call.api.accounts.end_own(&session.person, &session.id).map_err(failed)?;
        }
    }
    Ok(Answer::Data("signed out".into()))
}

/// One's own sessions, the newest first. Where somebody asked from is kept nowhere.
pub(crate) fn all(call: &Call<'_>) -> Outcome {
    let Principal::Person { person, .. } = &call.known.who else {
        return Err(PERMISSION_DENIED.into());
    };
    let sessions = call.api.accounts.sessions(Some(person)).map_err(failed)?;
    let one = |session: &desk::account::Session| {
        json!({
            "session_id": session.id, "agent": session.agent,
            "created_at": time_text(session.begun_ms), "updated_at": time_text(session.seen_ms),
        })
    };
    Ok(Answer::Data(sessions.iter().map(one).collect()))
}

/// Another password; all other sessions end.
pub(crate) fn change_password(call: &Call<'_>) -> Outcome {
    let field = |name| call.body.text(name).ok_or(PASSWORD_CHANGE_NON_VALID);
    let (present, new, again) =
        (field("current_password")?, field("new_password")?, field("confirm_password")?);
    if new != again {
        return Err(PASSWORD_CHANGE_MISMATCH.into());
    }
    if new == present {
        return Err(PASSWORD_DIFF.into());
    }
    let token = call.known.token.as_deref().unwrap_or_default();
    let Some(Behind::Session(session)) = call.api.tokens.find(token, now_ms()) else {
        return Err(PERMISSION_DENIED.into());
    };
    let found = call.api.accounts.session(&call.api.access, &session).map_err(failed)?;
    let (session, _) = found.ok_or(PERMISSION_DENIED)?;
    match call.api.accounts.change_password(&session, present, new, call.known.source) {
        Ok(Ok(())) => Ok(Answer::Done),
        Ok(Err(NotSignedIn::Wrong)) => Err(PASSWORD_CHANGE_MISMATCH.into()),
        Ok(Err(why)) => Err(not_signed_in(why)),
        Err(desk::Error::Asked(why)) => Err(Fault::of(PASSWORD_CHANGE_NON_VALID, why)),
        Err(error) => Err(failed(error)),
    }
}
