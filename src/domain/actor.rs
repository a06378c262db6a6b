//! The actor of an operation, its authority, and the origin of its request.

use super::pat::Pat;
use super::text::is_same;
use super::token::{PlainToken, TokenId};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The actor of an operation, as recorded in the audit log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Actor {
    /// A user of this system who runs the process.
    Local {
        /// The real user id.
        uid: u32,
        /// Its name, or the number where it has none.
        name: String,
        /// The user id of the login behind it, where the system keeps one: it survives `su` and `sudo`.
        login_uid: Option<u32>,
    },
    /// A client authenticated by a token.
    Token {
        /// The person it speaks for.
        user: String,
        /// The token.
        id: TokenId,
    },
    /// A person logged in to the web pages.
    Session {
        /// Who.
        user: String,
    },
    /// A proxy that asks whether to allow a request.
    Proxy {
        /// Its name.
        name: String,
    },
    /// A scheduled job of patctl.
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

/// The tokens that an actor may act on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Authority {
    /// All tokens.
    Administrator,
    /// The tokens of this user, addressed by their full ids. All others are reported as not found.
    Owner(String),
}

impl Authority {
    /// Returns whether the actor may see the token.
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

/// Identifies a request in the logs of the service in front: 1 to [`MAX_REQUEST_ID`] visible ASCII characters.
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
        // A token passed as a request id by mistake must not reach the log.
        if fits && text.parse::<PlainToken>().is_err() {
            Ok(Self(text.to_owned()))
        } else {
            Err("write 1 to 128 visible ASCII characters without a blank, and no token")
        }
    }
}

/// The address of a client. IPv4-mapped IPv6 addresses are stored as IPv4.
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

/// The origin of a request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RequestMeta {
    /// The address of the client that sent the request.
    pub client: Option<ClientAddress>,
    /// The request id assigned by the service in front.
    pub request_id: Option<RequestId>,
    /// The host that wrote the audit row, if there are several.
    pub node: Option<String>,
}

impl RequestMeta {
    /// An unknown origin.
    pub const NONE: Self = Self { client: None, request_id: None, node: None };
}
