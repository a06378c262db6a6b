//! Groups that have one member: a umask of 002 makes files writable by the group of their owner, which on most
//! systems holds nobody else.

use super::is_exhaustion;
use std::io;

/// Whether the group of a file is the private group of its owner, as far as `/etc/passwd` and `/etc/group` tell.
///
/// # Errors
/// The system has too little left to tell.
pub fn is_private(owner: u32, group: u32) -> io::Result<bool> {
    let read = |path| match std::fs::read_to_string(path) {
        Err(lack) if is_exhaustion(&lack) => Err(lack),
        text => Ok(text.unwrap_or_default()),
    };
    Ok(is_private_by(&read("/etc/passwd")?, &read("/etc/group")?, owner, group))
}

fn is_private_by(passwd: &str, groups: &str, owner: u32, group: u32) -> bool {
    let mut name = None;
    for line in passwd.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [user, _, uid, gid, ..] = fields.as_slice() else { continue };
        match (uid.parse() == Ok(owner), gid.parse() == Ok(group)) {
            (true, true) if name.is_none() => name = Some(*user),
            (false, true) => return false,
            _ => {}
        }
    }
    let Some(name) = name else { return false };
    let mut found = false;
    for line in groups.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, gid, members] = fields.as_slice() else { continue };
        if gid.parse() == Ok(group) {
            found = true;
            if members.split(',').any(|member| !member.is_empty() && member != name) {
                return false;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::is_private_by;

    #[test]
    fn a_group_is_private_if_nobody_else_is_in_it() {
        let passwd = "root:x:0:0::/:\nalice:x:1000:1000::/:\nbob:x:1001:100::/:\ncarol:x:1002:100::/:\n\
                      dave:x:1003:1003::/:\nbroken";
        let groups = "root:x:0:\nalice:x:1000:alice\nusers:x:100:\ndave:x:1003:dave,bob\nnobody";
        let private = |owner, group| is_private_by(passwd, groups, owner, group);
        assert!(private(1000, 1000) && private(0, 0));
        for (owner, group) in [(1001, 100), (1003, 1003), (1000, 100), (1000, 0), (7, 7)] {
            assert!(!private(owner, group), "{owner} {group}");
        }
    }
}
