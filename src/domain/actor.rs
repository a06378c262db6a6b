//! Who acts, on whose tokens they may, and where a request came from.

use super::pat::Pat;
use super::text::is_same;
use super::token::{PlainToken, TokenId};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Who acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A user of this system, who runs the process.
    Local {
        /// The real user id.
        uid: u32,
        /// Its name, or the number where it has none.
        name: String,
        /// The user id of the login behind it, where the system keeps one: it survives `su` and `sudo`.
        login_uid: Option<u32>,
    },
    /// Whoever presented a token to be let in.
    Token {
        /// The person it speaks for.
        user: String,
        /// The token.
        id: TokenId,
    },
    /// A person who has logged in to the web pages.
    Session {
        /// Who.
        user: String,
    },
    /// A proxy that asks whether to let a request pass.
    Proxy {
        /// Its name.
        name: String,
    },
    /// Work that patctl does by itself, at its time.
    Job {
        /// Which.
        name: String,
    },
}

impl Actor {
    /// The words for the kinds, in the order of the variants.
    pub const KINDS: [&str; 5] = ["local", "token", "session", "proxy", "job"];

    /// The stable word for its kind: one of [`KINDS`](Self::KINDS).
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::Token { .. } => "token",
            Self::Session { .. } => "session",
            Self::Proxy { .. } => "proxy",
            Self::Job { .. } => "job",
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Local { name, .. } | Self::Proxy { name } | Self::Job { name } => name,
            Self::Token { user, .. } | Self::Session { user } => user,
        }
    }

    /// Its number, where it is a user of this system.
    #[must_use]
    pub const fn uid(&self) -> Option<u32> {
        match self {
            Self::Local { uid, .. } => Some(*uid),
            _ => None,
        }
    }

    /// The number of the login behind it, where the system keeps one.
    #[must_use]
    pub const fn login_uid(&self) -> Option<u32> {
        match self {
            Self::Local { login_uid, .. } => *login_uid,
            _ => None,
        }
    }
}

/// On whose tokens somebody may act.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Authority {
    /// On all.
    Administrator,
    /// On those of this user, named by their whole ids. There are no others.
    Owner(String),
}

impl Authority {
    /// Whether there is such a token for whoever acts.
    #[must_use]
    pub fn reaches(&self, pat: &Pat) -> bool {
        match self {
            Self::Administrator => true,
            Self::Owner(user) => pat.user.as_deref().is_some_and(|owner| is_same(owner, user)),
        }
    }
}

/// The most characters of a request id.
pub const MAX_REQUEST_ID: usize = 128;

/// What ties an audit row to the log of the service in front: 1 to [`MAX_REQUEST_ID`] visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits =
            (1..=MAX_REQUEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        // What looks like a token is one that came by a wrong way, and the log is no place for it.
        if fits && text.parse::<PlainToken>().is_err() {
            Ok(Self(text.to_owned()))
        } else {
            Err("write 1 to 128 visible ASCII characters without a blank, and no token")
        }
    }
}

/// The address of a client, an IPv4 address that came as IPv6 as the IPv4 address that it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientAddress(IpAddr);

impl FromStr for ClientAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address = text.parse::<IpAddr>();
        address.map(|address| Self(address.to_canonical())).map_err(
            |_| "write an IPv4 or IPv6 address, without a port, brackets or a zone: 192.0.2.7, 2001:db8::7",
        )
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where an act came from, beside who acts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestMeta {
    /// The address of whoever sent the request.
    pub client: Option<ClientAddress>,
    /// What the service in front calls the request.
    pub request_id: Option<RequestId>,
    /// Which of several hosts wrote the row.
    pub node: Option<String>,
}

impl RequestMeta {
    /// Nothing is known.
    pub const NONE: Self = Self { client: None, request_id: None, node: None };
}
