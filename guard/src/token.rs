//! The token of this user: what changes something on this machine asks for it, and only this user can read it.
//!
//! One token for all programs of a user, in the file `token` of the runtime folder, made by whichever comes first. It keeps out
//! other users of the machine, and pages in a browser, which can send requests here but cannot read files.

use std::fmt;
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};

use crate::private::Folder;

/// Name of its file in the runtime folder.
pub const FILE: &str = "token";
const BYTES: usize = 32;
const SCHEME: &str = "Bearer ";

/// A secret, in hexadecimal. Clones are the same one.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn generate() -> io::Result<Self> {
        let mut bytes = [0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
        Ok(Self(hex::encode(bytes).into()))
    }

    /// The token of the user whose runtime folder that is, made if there is none yet.
    ///
    /// # Errors
    /// When the folder or the file is not this user's alone, or cannot be read or written.
    pub fn of_user(runtime_folder: &Path) -> io::Result<Self> {
        let folder = Folder::open(runtime_folder)?;
        let was_private = !is_readable_by_others(&runtime_folder.join(FILE));
        let mut file = folder.file(FILE)?;
        // Two programs that start at once agree on what the first has written.
        file.lock()?;
        let mut text = String::new();
        (&file).take(4096).read_to_string(&mut text)?;
        if text.trim().is_empty() || !was_private {
            let token = Self::generate()?;
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(token.0.as_bytes())?;
            return Ok(token);
        }
        let text = text.trim();
        if text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Self(text.into()));
        }
        let text = format!("{} is no token; remove it", runtime_folder.join(FILE).display());
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// The header `Authorization` of a request that has it.
    ///
    /// # Errors
    /// Never for a token that [`Token::of_user`] or [`Token::generate`] has given.
    pub fn header(&self) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
        let mut value = HeaderValue::try_from(format!("{SCHEME}{}", self.0))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether a request has it. It takes the same time whatever part of it is right.
    #[must_use]
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return false };
        let shown = value.as_bytes().strip_prefix(SCHEME.as_bytes()).unwrap_or_default();
        aws_lc_rs::constant_time::verify_slices_are_equal(shown, self.0.as_bytes()).is_ok()
    }
}

/// Whether somebody else may have read what is in the file.
fn is_readable_by_others(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn all_programs_of_a_user_have_one_token() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("runtime");
        let each = || Token::of_user(&folder).unwrap();
        let tokens: Vec<Token> = thread::scope(|scope| {
            (0..8).map(|_| scope.spawn(each)).collect::<Vec<_>>().into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
        std::fs::set_permissions(folder.join(FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_ne!(Token::of_user(&folder).unwrap(), tokens[0], "others may have read it");
        std::fs::write(folder.join(FILE), "rubbish").unwrap();
        assert!(Token::of_user(&folder).unwrap_err().to_string().contains("remove it"));
    }

    #[test]
    fn a_request_has_the_whole_token_once() {
        let (token, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert!(!format!("{token:?}").contains(&*token.0));
        let with =
            |values: &[HeaderValue]| values.iter().map(|value| (AUTHORIZATION, value.clone())).collect::<HeaderMap>();
        let right = token.header().unwrap();
        assert!(token.is_in(&with(std::slice::from_ref(&right))));
        let short = HeaderValue::try_from(format!("{SCHEME}{}", &token.0[1..])).unwrap();
        for wrong in [with(&[]), with(&[other.header().unwrap()]), with(&[short]), with(&[right.clone(), right])] {
            assert!(!token.is_in(&wrong));
        }
    }
}
