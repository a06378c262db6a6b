//! Where a mail server is.
//!
//! The services that `nsswitch.conf` names are libraries, which a program that was linked statically cannot load;
//! getent(1) asks them, and says what any program on this machine would be told.

use crate::files::is_exhaustion;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::process::{Command, Stdio};

/// Every system with `nsswitch.conf` has it here.
const GETENT: &str = "/usr/bin/getent";

/// The addresses of `host`, the best first.
pub(super) fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![(address, port).into()]);
    }
    let asked =
        Command::new(GETENT).args(["ahosts", "--", host]).stdin(Stdio::null()).stderr(Stdio::null()).output();
    let found = match asked {
        Err(lack) if is_exhaustion(&lack) => return Err(lack),
        asked => asked.map_or_else(|_| Vec::new(), |answer| told(&answer.stdout, port)),
    };
    // A system without it has no such services either.
    if found.is_empty() { (host, port).to_socket_addrs().map(Iterator::collect) } else { Ok(found) }
}

/// Lines such as `127.0.0.1  STREAM localhost`.
fn told(answer: &[u8], port: u16) -> Vec<SocketAddr> {
    let lines = String::from_utf8_lossy(answer);
    let streams = lines.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let address = words.next()?.parse::<IpAddr>().ok()?;
        (words.next()? == "STREAM").then_some(SocketAddr::from((address, port)))
    });
    streams.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_itself_and_a_name_is_what_the_system_says() {
        assert_eq!(addresses("::1", 25).expect("an address"), ["[::1]:25".parse().expect("an address")]);
        let local = addresses("localhost", 25).expect("every system knows it");
        assert!(
            !local.is_empty() && local.iter().all(|at| at.ip().is_loopback() && at.port() == 25),
            "{local:?}"
        );
    }

    #[test]
    fn only_what_mail_is_sent_over_counts() {
        let answer = b"::1             STREAM localhost\n::1             DGRAM\n::1             RAW\n127.0.0.1 STREAM \nodd STREAM\n\n";
        let found: Vec<String> = told(answer, 25).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["[::1]:25", "127.0.0.1:25"]);
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_a_name() {
        assert!(addresses("--help", 25).is_err());
    }
}
