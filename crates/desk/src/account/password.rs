//! Passwords: what can be one, and how they are kept.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{Error, Result};

/// The fewest characters of a password. There are no other rules: length is what counts.
pub const MIN_PASSWORD: usize = 12;
/// The most bytes.
pub const MAX_PASSWORD: usize = 256;

/// Argon2id as OWASP's Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Passwords that are tried first by whoever guesses, of those that are long enough.
const COMMON: &str = include_str!("common.txt");

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.map_err(|e| Error::Beside(format!("passwords cannot be kept: {e}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Whether a person can have that password.
///
/// # Errors
/// [`Error::Asked`] with what is wrong with it.
pub fn check_new(person: &str, password: &str) -> Result<()> {
    let asked = |why: String| Err(Error::Asked(why));
    let length = password.chars().count();
    if length < MIN_PASSWORD {
        return asked(format!(
            "a password has at least {MIN_PASSWORD} characters, this one {length}: four words chosen by \
             chance are a good one"
        ));
    }
    if password.len() > MAX_PASSWORD {
        return asked(format!("a password has at most {MAX_PASSWORD} bytes"));
    }
    let low = password.to_lowercase();
    let mut rest = low.chars();
    let first = rest.next();
    if rest.all(|c| Some(c) == first) || COMMON.lines().any(|line| line == low) {
        return asked("this password is among the first that are tried: choose another".to_owned());
    }
    // A name, or that and digits.
    if low.trim_end_matches(|c: char| c.is_ascii_digit()) == person {
        return asked("a password is not one's own name: choose another".to_owned());
    }
    Ok(())
}

/// A password as it is kept: a PHC string, with a fresh salt.
///
/// # Errors
/// No random numbers.
pub(super) fn hash(password: &str) -> Result<String> {
    let salt = vault::random()?;
    let hashed: PasswordHash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|e| Error::Beside(format!("a password cannot be kept: {e}")))?;
    Ok(hashed.to_string())
}

/// True where the password is the one that was kept. What is no PHC string is nobody's password.
pub(super) fn verify(password: &str, kept: &str) -> bool {
    // The longest that anybody can have set: a longer one is refused as cheaply as it is sent.
    if password.len() > MAX_PASSWORD {
        return false;
    }
    let Ok(kept) = PasswordHash::new(kept) else { return false };
    argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &kept).is_ok())
}
