//! The vault's key, from the file that the configuration names.

use super::context::Context;
use crate::config::{Settings, private_file};
use crate::domain::vault::VaultKey;
use crate::exit::Exit;
use crate::failure::Failure;

/// The key; `None`: no key file is configured.
///
/// # Errors
/// One is, and cannot be used: then nothing is done without it.
pub fn key(cx: &Context<'_>, settings: &Settings) -> Result<Option<VaultKey>, Failure> {
    let Some(path) = settings.vault_key_file() else { return Ok(None) };
    let wrong = |why: &str| {
        let message = format!("the vault's key file {}: {why}", path.display());
        Failure::new(Exit::Config, "vault", message).hint(
            "a key is 32 random bytes in Base64, mode 600: (umask 077; head -c 32 /dev/urandom | base64 > FILE)",
        )
    };
    let bytes = private_file::read(&path, cx.euid()).map_err(|why| wrong(&why))?;
    VaultKey::parse(&bytes).map(Some).map_err(|_| wrong("this is no key"))
}
