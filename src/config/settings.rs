//! The settings in the types that the program uses.

use super::Origin;
use super::keys::{self, KEYS, Key};
use crate::domain::cache::CacheLimits;
use crate::domain::moment::Span;
use crate::domain::notice::{Mailbox, Notices};
use crate::domain::policy::Policy;
use crate::domain::restriction::{Base, Merges};
use crate::domain::schedule::Schedule;
use crate::domain::verifier::Cost;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Every value that was set, checked; what was not set has its default.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    set: BTreeMap<&'static str, (String, Origin)>,
}

impl Settings {
    /// Sets `key`; the caller has checked that `value` is of its type. Later wins.
    pub(super) fn set(&mut self, key: &'static Key, value: String, origin: Origin) {
        self.set.insert(key.name, (value, origin));
    }

    /// The value of a property as text, set or default; `None` where it is unset.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.set.get(name) {
            Some((value, _)) => Some(value),
            None => keys::find(name)?.default,
        }
    }

    /// Each property with its value and where that came from, in the order of the manual.
    pub fn all(&self) -> impl Iterator<Item = (&'static Key, Option<&str>, Origin)> {
        KEYS.iter().map(|key| {
            let origin = self.set.get(key.name).map_or(Origin::Default, |(_, origin)| origin.clone());
            (key, self.text(key.name), origin)
        })
    }

    /// The limits and switches for the domain.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let days = |name| Span::days(i64::from(self.integer(name)));
        Policy {
            enabled: self.boolean("atlassian.pats.enabled"),
            eternal_allowed: self.boolean("atlassian.pats.eternal.tokens.enabled"),
            max_expiry_days: self.integer("atlassian.pats.max.tokens.expiry.days"),
            max_per_user: self.integer("atlassian.pats.max.tokens.per.user"),
            name_length: self.integer("atlassian.pats.token.name.length") as usize,
            prune_delay: days("atlassian.pats.pruning.delay.days"),
            expiry_warning: days("atlassian.pats.expiry.warning.days"),
            last_used_interval: Span::minutes(i64::from(
                self.integer("atlassian.pats.last.used.update.interval.mins"),
            )),
            auth: self.parsed("patctl.auth.methods"),
            any_user_allowed: self.boolean("patctl.any.user.enabled"),
            applies_to_existing: self.boolean("patctl.policy.apply.to.existing"),
            secure_mode: self.boolean("extender.token.secure.mode"),
            cost: Cost {
                memory_kib: self.integer("patctl.argon2.memory.kib"),
                iterations: self.integer("patctl.argon2.iterations"),
                parallelism: self.integer("patctl.argon2.parallelism"),
            },
            rehashes_imported: self.boolean("patctl.import.rehash"),
            cache: CacheLimits {
                expiry: Span::minutes(i64::from(self.integer("atlassian.pats.auth.cache.expiry.mins"))),
                max_items: self.integer("atlassian.pats.auth.cache.max.items"),
            },
            prefix: self.parsed("patctl.token.prefix"),
            notices: Notices {
                off: !self.boolean("atlassian.pats.mail.notifications.enabled"),
                route: self.text("patctl.mail.transport").and_then(|text| text.parse().ok()),
                to: self.text("patctl.mail.to").map(str::to_owned),
            },
        }
    }

    /// `patctl.db`.
    #[must_use]
    pub fn db(&self) -> Option<PathBuf> {
        self.text("patctl.db").map(PathBuf::from)
    }

    /// How long audit rows are kept (`patctl.audit.retention.days`); `None`: for ever.
    #[must_use]
    pub fn audit_retention(&self) -> Option<Span> {
        let days = self.integer("patctl.audit.retention.days");
        (days > 0).then(|| Span::days(i64::from(days)))
    }

    /// Whether the audit row of a mere use must survive a power cut (`patctl.audit.sync = full`).
    #[must_use]
    pub fn audit_sync_full(&self) -> bool {
        self.text("patctl.audit.sync") == Some("full")
    }

    /// `patctl.token.vault.key.file`.
    #[must_use]
    pub fn vault_key_file(&self) -> Option<PathBuf> {
        self.text("patctl.token.vault.key.file").map(PathBuf::from)
    }

    /// `patctl.integrity.key.file`.
    #[must_use]
    pub fn integrity_key_file(&self) -> Option<PathBuf> {
        self.text("patctl.integrity.key.file").map(PathBuf::from)
    }

    /// `patctl.base.url`.
    #[must_use]
    pub fn base(&self) -> Option<Base> {
        self.text("patctl.base.url").and_then(|url| Base::parse(url).ok())
    }

    /// `patctl.service.merges.body`.
    #[must_use]
    pub fn merges(&self) -> Merges {
        self.parsed("patctl.service.merges.body")
    }

    /// When a job runs, by its property, and where that was set; `None`: there is no such property.
    #[must_use]
    pub fn schedule(&self, name: &str) -> Option<(Schedule, Origin)> {
        let (_, value, origin) = self.all().find(|(key, ..)| key.name == name)?;
        Some((value?.parse().ok()?, origin))
    }

    /// Whether audit rows keep the values of parameters (`patctl.audit.url = full`).
    #[must_use]
    pub fn audit_url_full(&self) -> bool {
        self.text("patctl.audit.url") == Some("full")
    }

    /// `patctl.mail.from`; a pattern is no sender.
    #[must_use]
    pub fn mail_from(&self) -> Option<Mailbox> {
        self.text("patctl.mail.from").and_then(|text| text.parse().ok())
    }

    /// `patctl.mail.helo`.
    #[must_use]
    pub fn mail_helo(&self) -> Option<&str> {
        self.text("patctl.mail.helo")
    }

    /// `patctl.mail.credentials.file`.
    #[must_use]
    pub fn mail_credentials(&self) -> Option<PathBuf> {
        self.text("patctl.mail.credentials.file").map(PathBuf::from)
    }

    /// `atlassian.pats.invalidate.session.enabled`.
    #[must_use]
    pub fn invalidate_session(&self) -> bool {
        self.boolean("atlassian.pats.invalidate.session.enabled")
    }

    fn boolean(&self, name: &str) -> bool {
        self.read(name, keys::boolean)
    }

    fn integer(&self, name: &str) -> u32 {
        self.read(name, keys::integer)
    }

    fn parsed<T: std::str::FromStr + Default>(&self, name: &str) -> T {
        self.read(name, |text| text.parse().ok())
    }

    /// A value was checked when it was set, and a default is checked by a test, so one of the two
    /// is there.
    fn read<T: Default>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> T {
        let default = || keys::find(name).and_then(|key| key.default).and_then(&read);
        self.text(name).and_then(&read).or_else(default).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_nothing_set_the_policy_is_the_default_policy() {
        assert_eq!(Settings::default().policy(), Policy::default());
    }

    #[test]
    fn every_property_that_is_read_is_in_the_table() {
        let source = include_str!("settings.rs");
        for name in source.split('"').filter(|piece| keys::is_ours(piece)) {
            assert!(keys::find(name).is_some(), "{name}");
        }
    }
}
