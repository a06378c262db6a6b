//! The vault's key, from the file that the configuration names.

use super::context::Context;
use crate::config::Settings;
use crate::config::private_file::{self, Unusable};
use crate::domain::vault::VaultKey;
use crate::exit::Exit;
use crate::failure::Failure;

/// The key; `None`: no key file is configured.
///
/// # Errors
/// One is, and cannot be used: then nothing is done without it.
pub fn key(cx: &Context<'_>, settings: &Settings) -> Result<Option<VaultKey>, Failure> {
    let Some(path) = settings.vault_key_file() else { return Ok(None) };
    let wrong = |unusable: &Unusable| {
        let message = format!("the vault's key file {}: {}", path.display(), unusable.why);
        if unusable.passes {
            return Failure::exhausted(&message);
        }
        Failure::new(Exit::Config, "vault", message).hint(
            "a key is 32 random bytes in Base64, mode 600: (umask 077; head -c 32 /dev/urandom | base64 > FILE)",
        )
    };
    let bytes = private_file::read(&path, cx.euid()).map_err(|why| wrong(&why))?;
    VaultKey::parse(&bytes).map(Some).map_err(|_| wrong(&"this is no key".into()))
}

/// The key, where nothing can be done without one.
///
/// # Errors
/// No key file is configured, or it cannot be used.
pub fn needed(cx: &Context<'_>, settings: &Settings) -> Result<VaultKey, Failure> {
    key(cx, settings)?.ok_or_else(|| {
        Failure::new(Exit::Config, "vault", "no vault is configured: tokens are kept as hashes only")
            .hint("patctl.token.vault.key.file names its key; tokens made from then on can be shown again")
    })
}
