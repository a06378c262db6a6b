//! Where a service lives: scheme, host and port, compared as bytes once they are in one form.

use super::path;
use super::request::{Place, Refusal};
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// `https://jira.example.com:443`: lower case, the port always named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    scheme: &'static str,
    host: String,
    port: u16,
}

impl fmt::Display for Origin {
    /// The default port is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == default_port(self.scheme) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

fn default_port(scheme: &str) -> u16 {
    if scheme == "https" { 443 } else { 80 }
}

/// Splits `https://host:port/path` behind its scheme; `None` without a scheme we speak.
#[must_use]
pub fn scheme(url: &str) -> Option<(&'static str, &str)> {
    ["https", "http"].into_iter().find_map(|scheme| {
        let (name, rest) = url.split_at_checked(scheme.len())?;
        name.eq_ignore_ascii_case(scheme)
            .then(|| rest.strip_prefix("://"))
            .flatten()
            .map(|rest| (scheme, rest))
    })
}

impl Origin {
    /// Reads `host[:port]`. A host is what DNS or an address may be, and nothing that some program
    /// reads as another one: no user information, nothing encoded, no final dot, IPv4 only with four
    /// decimal numbers (RFC 3986 §3.2.2; the WHATWG URL standard names the other forms).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(scheme: &'static str, authority: &str) -> Result<Self, &'static str> {
        if authority.contains('@') {
            return Err("a user name or password before the host is not accepted");
        }
        let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or("the IPv6 address is not closed")?;
            let address: Ipv6Addr = address.parse().map_err(|_| "this is no IPv6 address")?;
            (format!("[{address}]"), port)
        } else {
            let end = authority.find(':').unwrap_or(authority.len());
            (name(&authority[..end])?, &authority[end..])
        };
        let port = match port.strip_prefix(':') {
            Some(digits) => number(digits)?,
            None if port.is_empty() => default_port(scheme),
            None => return Err("only a port may follow the host"),
        };
        Ok(Self { scheme, host, port })
    }
}

impl Origin {
    /// Whether `host[:port]` is where it is; without a port, its scheme's own.
    #[must_use]
    pub fn is_at(&self, authority: &str) -> bool {
        Self::parse(self.scheme, authority).is_ok_and(|other| other == *self)
    }
}

fn number(digits: &str) -> Result<u16, &'static str> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let port = if plain { digits.parse().ok() } else { None };
    port.ok_or("a port is a number from 1 to 65535, without a leading zero")
}

fn name(host: &str) -> Result<String, &'static str> {
    let host = host.to_ascii_lowercase();
    if host.is_empty() {
        return Err("the host is empty");
    }
    if !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')) {
        return Err("a host is written in letters, digits, '-', '_' and '.'");
    }
    if host.len() > 253 || host.split('.').any(|label| label.is_empty() || label.len() > 63) {
        return Err("a host has no empty or over-long label, and no final dot");
    }
    let last = host.rsplit('.').next().unwrap_or(&host);
    let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_hexdigit()));
    let numeric = hexadecimal || last.bytes().all(|b| b.is_ascii_digit());
    if numeric && host.parse::<Ipv4Addr>().is_err() {
        return Err("an IPv4 address is four decimal numbers");
    }
    Ok(host)
}

/// Where the guarded service lives (`patctl.base.url`): an origin and the path it begins at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Base {
    /// Its origin.
    pub origin: Origin,
    /// Canonical, without a `/` at its end: empty or `/jira`.
    pub prefix: String,
}

impl Base {
    /// Reads an absolute URL without query.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = scheme(url).ok_or("it must begin with http:// or https://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = path.strip_suffix('/').unwrap_or(path);
        let prefix = if path.is_empty() {
            String::new()
        } else {
            path::canonical(path, Place::Url, 0).map_err(|Refusal { why, .. }| why)?
        };
        Ok(Self { origin: Origin::parse(scheme, authority)?, prefix })
    }
}
