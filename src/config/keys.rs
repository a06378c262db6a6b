//! Every property patctl knows: its type, bounds, default and meaning, in one table.

use crate::domain::notice::{self, Mailbox, PLACE, Recipients, Route};
use crate::domain::pat::AuthMethods;
use crate::domain::place;
use crate::domain::restriction::{Base, Merges};
use crate::domain::schedule::Schedule;
use crate::domain::token::TokenPrefix;
use crate::domain::verifier::CEILING;

/// A property.
#[derive(Debug)]
pub struct Key {
    /// Its full name, as in the file.
    pub name: &'static str,
    /// What a value must be.
    pub kind: Kind,
    /// The value where none is set; `None` for what is unset.
    pub default: Option<&'static str>,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// The type of a value.
#[derive(Debug)]
pub enum Kind {
    /// `true` or `false`, in any case.
    Bool,
    /// A whole number with its bounds, both allowed.
    Integer(u32, u32),
    /// A Quartz expression.
    Cron,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A token prefix.
    Prefix,
    /// A file, absolute.
    File,
    /// `http://host…` or `https://host…`.
    Url,
    /// An e-mail address, or a pattern with `{user}` for one.
    Mail,
    /// A few of them, separated by commas.
    Mails,
    /// A host name or an address in brackets.
    Helo,
    /// `sendmail`, `smtp://host[:port]` or `smtps://host[:port]`.
    Transport,
}

/// Words of `patctl.audit.sync`.
pub const SYNC: &[&str] = &["normal", "full"];
const AUTH: &[&str] =
    &[AuthMethods::ALL[0].as_str(), AuthMethods::ALL[1].as_str(), AuthMethods::ALL[2].as_str()];
const MERGES: &[&str] = &[Merges::ALL[0].as_str(), Merges::ALL[1].as_str(), Merges::ALL[2].as_str()];
const MINUTES: Kind = Kind::Integer(0, 525_600);
const DAYS: Kind = Kind::Integer(0, 36_500);

macro_rules! keys {
    ($($name:literal $kind:expr, $default:expr, $meaning:literal;)*) => {
        /// All of them, in the order of the manual.
        pub const KEYS: &[Key] = &[$(Key { name: $name, kind: $kind, default: $default, meaning: $meaning }),*];
    };
}

keys! {
    "atlassian.pats.enabled" Kind::Bool, Some("true"),
        "false: 'create' and 'verify' say no; listing and revoking still work";
    "atlassian.pats.eternal.tokens.enabled" Kind::Bool, Some("true"),
        "false: a token without an expiry is refused";
    "atlassian.pats.mail.notifications.enabled" Kind::Bool, Some("true"),
        "false: no mail is sent, not later either; 'notify' still notes whose turn it was";
    "atlassian.pats.last.used.update.interval.mins" MINUTES, Some("1"),
        "the last use of a token is written at most this often, in minutes";
    "atlassian.pats.pruning.schedule.cron" Kind::Cron, Some("0 0 0 * * ?"),
        "when pruning should run (Quartz, seconds first)";
    "atlassian.pats.pruning.delay.days" DAYS, Some("30"),
        "tokens that expired or were revoked more than this many days ago are pruned; 0: at once";
    "atlassian.pats.max.tokens.expiry.days" Kind::Integer(1, 365_000), Some("365"),
        "the longest life a new token may be given, in days; does not forbid eternal tokens";
    "atlassian.pats.max.tokens.per.user" Kind::Integer(1, 1_000_000), Some("10"),
        "how many tokens a user may hold, expired ones included until they are pruned";
    "atlassian.pats.auth.cache.expiry.mins" MINUTES, Some("60"),
        "how long a verified secret need not be hashed again, in minutes; 0: always hash";
    "atlassian.pats.auth.cache.max.items" Kind::Integer(0, 1_000_000), Some("5000"),
        "how many verified secrets are remembered; the oldest go first";
    "atlassian.pats.expiry.check.schedule.cron" Kind::Cron, Some("0 0 * * * ?"),
        "when expiring tokens should be looked for (Quartz, seconds first)";
    "atlassian.pats.expiry.warning.days" DAYS, Some("5"),
        "a token that ends within this many days is shown as expiring soon, and its user gets a mail; one that lives less than twice as long: in the second half of its life, but at least three days before its end";
    "atlassian.pats.invalidate.session.enabled" Kind::Bool, Some("true"),
        "handed on by 'verify -o json' as invalidate_session";
    "atlassian.pats.token.name.length" Kind::Integer(1, 255), Some("40"),
        "the longest name of a token, in characters";
    "extender.token.secure.mode" Kind::Bool, Some("false"),
        "true: tokens made from then on are shown once, never edited, never recoverable";
    "patctl.policy.apply.to.existing" Kind::Bool, Some("false"),
        "true: 'verify' also holds tokens that exist to today's limits";
    "patctl.auth.methods" Kind::Word(AUTH), Some("both"),
        "which ways to present a token are accepted: both, bearer or basic";
    "patctl.any.user.enabled" Kind::Bool, Some("false"),
        "true: tokens may be made that speak for any user";
    "patctl.argon2.memory.kib" Kind::Integer(1024, CEILING.memory_kib), Some("19456"),
        "memory of one Argon2id computation, in KiB";
    "patctl.argon2.iterations" Kind::Integer(1, CEILING.iterations), Some("2"),
        "passes of one Argon2id computation";
    "patctl.argon2.parallelism" Kind::Integer(1, CEILING.parallelism), Some("1"),
        "lanes of one Argon2id computation";
    "patctl.import.rehash" Kind::Bool, Some("true"),
        "true: an imported token is hashed anew with Argon2id on its first use; false: it keeps the hash it came with";
    "patctl.audit.retention.days" DAYS, Some("0"),
        "audit rows older than this many days are pruned; 0: keep all";
    "patctl.audit.sync" Kind::Word(SYNC), Some("normal"),
        "durability of the audit row of a mere use: normal may lose the last moments in a power cut, full does not";
    "patctl.audit.url" Kind::Word(&["path", "full"]), Some("path"),
        "what audit rows keep of a URL: the path and parameter names, or all of it";
    "patctl.db" Kind::File, None, "the database file";
    "patctl.base.url" Kind::Url, None, "where the guarded service lives; origins in rules are compared with it";
    "patctl.service.merges.body" Kind::Word(MERGES), Some("all"),
        "where the guarded service takes parameters and methods from: all (any body), forms (form bodies), none";
    "patctl.token.prefix" Kind::Prefix, Some("patctl"), "what new tokens begin with";
    "patctl.mail.from" Kind::Mail, None, "the sender of mails";
    "patctl.mail.to" Kind::Mails, None,
        "the recipients where a token names none, up to ten separated by commas; {user} stands for its user";
    "patctl.mail.helo" Kind::Helo, None,
        "the name patctl gives itself in EHLO; unset: the host's name if it has a dot, else the domain of patctl.mail.from";
    "patctl.mail.transport" Kind::Transport, None,
        "how mails leave: sendmail, smtp://host[:port] (25) or smtps://host[:port] (465); unset: none are written";
    "patctl.mail.credentials.file" Kind::File, None,
        "a file that only its owner can read, with user:password for the mail server";
    "patctl.token.vault.key.file" Kind::File, None, "the key file under which standard-mode tokens are kept recoverable";
    "patctl.integrity.key.file" Kind::File, None, "the key file that rows are sealed with, made on first use; who cannot read it can forge no row";
}

/// The property of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Whether an unknown key of that name is worth a word: it lies in a namespace that is ours.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    ["atlassian.pats.", "extender.", "patctl."].iter().any(|ours| name.starts_with(ours))
}

/// Whether properties of ours lie below this name.
#[must_use]
pub fn is_namespace(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The known property that was probably meant.
#[must_use]
pub fn did_you_mean(name: &str) -> Option<&'static str> {
    if name.len() > 100 {
        return None;
    }
    // What all of them begin with says nothing.
    let tail = |name: &str| {
        ["atlassian.pats.", "extender.", "patctl."]
            .iter()
            .find_map(|ours| name.strip_prefix(ours))
            .unwrap_or(name)
            .to_owned()
    };
    KEYS.iter()
        .map(|key| (strsim::normalized_damerau_levenshtein(&tail(name), &tail(key.name)), key.name))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// The known property that another product's key nearly is: but for case, a letter or two, or what
/// it begins with.
#[must_use]
pub fn near_miss(name: &str) -> Option<&'static str> {
    if name.len() > 100 {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let near = |key: &&Key| {
        let tail = lower.contains('.') && key.name.ends_with(&format!(".{lower}"));
        // A likeness of 0.92 cannot be reached with more letters too many than this; most names end here.
        let length = lower.len().abs_diff(key.name.len()) * 12 <= key.name.len();
        tail || length && strsim::normalized_damerau_levenshtein(&lower, key.name) > 0.92
    };
    KEYS.iter().find(near).map(|key| key.name)
}

impl Kind {
    /// Refuses a value that is not of this type.
    ///
    /// # Errors
    /// What a value must be.
    pub fn check(&self, value: &str) -> Result<(), String> {
        // Values end up in units, crontabs, mails and on terminals; none has a use for these. Java takes a tab
        // between the fields of an expression.
        let may_stay = |c: char| c == '\t' && matches!(self, Self::Cron);
        if let Some(c) =
            value.chars().find(|c| (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) && !may_stay(*c))
        {
            return Err(format!("must not hold the control character U+{:04X}", u32::from(c)));
        }
        let fits = match self {
            Self::Bool => boolean(value).is_some(),
            Self::Integer(low, high) => integer(value).is_some_and(|n| (*low..=*high).contains(&n)),
            Self::Cron => return value.parse::<Schedule>().map(|_| ()).map_err(|e| e.to_string()),
            Self::Word(words) => words.contains(&value),
            Self::Prefix => value.parse::<TokenPrefix>().is_ok(),
            Self::File => {
                let is = place::absolute(value.as_ref());
                return is.map_err(|why| format!("must be {}: {why}", self.describe()));
            }
            Self::Url => Base::parse(value).is_ok(),
            Self::Mail => value.replace("{user}", "user").parse::<Mailbox>().is_ok(),
            Self::Mails => value.replace(PLACE, "user").parse::<Recipients>().is_ok(),
            Self::Helo => notice::is_hello(value),
            Self::Transport => value.parse::<Route>().is_ok(),
        };
        if fits { Ok(()) } else { Err(format!("must be {}", self.describe())) }
    }

    /// What a value must be in TOML.
    #[must_use]
    pub fn toml(&self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Integer(..) => "integer",
            _ => "string",
        }
    }

    /// What a value must be, in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Bool => "true or false".to_owned(),
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::Cron => "a Quartz expression of 6 or 7 fields".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::Prefix => "1 to 32 letters, digits or '_', a letter first and no '_' last".to_owned(),
            Self::File => "an absolute path".to_owned(),
            Self::Url => "an http:// or https:// URL with a host and no query".to_owned(),
            Self::Mail => "an e-mail address".to_owned(),
            Self::Mails => "one to ten e-mail addresses, separated by commas".to_owned(),
            Self::Helo => {
                "a host name such as mail.example.com, or an address such as [192.0.2.1]".to_owned()
            }
            Self::Transport => "sendmail, smtp://host[:port] or smtps://host[:port]".to_owned(),
        }
    }
}

/// `true` or `false`, in any case.
#[must_use]
pub fn boolean(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Digits only; neither a sign nor blanks.
#[must_use]
pub fn integer(value: &str) -> Option<u32> {
    value.parse().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verifier::Cost;

    #[test]
    fn every_default_is_a_value_of_its_own_type() {
        for key in KEYS {
            if let Some(default) = key.default {
                assert_eq!(key.kind.check(default), Ok(()), "{}", key.name);
            }
            assert!(is_ours(key.name), "{}", key.name);
        }
        let cost = Cost::default();
        let defaults = ["memory.kib", "iterations", "parallelism"]
            .map(|name| find(&format!("patctl.argon2.{name}")).and_then(|k| k.default).and_then(integer));
        assert_eq!(defaults, [cost.memory_kib, cost.iterations, cost.parallelism].map(Some));
    }

    #[test]
    fn both_bounds_of_a_number_are_allowed_and_one_beyond_is_not() {
        for key in KEYS {
            let Kind::Integer(low, high) = key.kind else { continue };
            for good in [low, high] {
                assert_eq!(key.kind.check(&good.to_string()), Ok(()), "{}", key.name);
            }
            for bad in [(i64::from(low) - 1).to_string(), (i64::from(high) + 1).to_string()] {
                assert!(key.kind.check(&bad).is_err(), "{} = {bad}", key.name);
            }
        }
    }

    #[test]
    fn no_value_of_any_type_holds_a_control_character() {
        for key in KEYS {
            for c in ['\0', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}'] {
                let value = format!("{}{c}", key.default.unwrap_or("/x"));
                assert!(
                    key.kind.check(&value).is_err_and(|why| why.contains("control")),
                    "{} {c:?}",
                    key.name
                );
            }
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_guessed_and_a_stranger_is_not() {
        let slip = did_you_mean("atlassian.pats.max.token.per.user");
        assert_eq!(slip, Some("atlassian.pats.max.tokens.per.user"));
        assert_eq!(did_you_mean("patctl.max.tokens.per.user"), slip, "the wrong namespace");
        for near in
            ["Atlassian.pats.max.tokens.per.user", "atlassian.pat.max.tokens.per.user", "max.tokens.per.user"]
        {
            assert_eq!(near_miss(near), slip, "{near}");
        }
        for stranger in ["jira.websudo.is.disabled", "jira.title", "enabled", "ops.bar.group.size", ""] {
            assert_eq!(near_miss(stranger), None, "{stranger}");
        }
        for stranger in ["completely.different", "atlassian.pats.foo", "patctl.x", ""] {
            assert_eq!(did_you_mean(stranger), None, "{stranger}");
        }
    }
}
