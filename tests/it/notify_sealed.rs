//! Mails that somebody else wrote: they are not sent, whoever wrote them and wherever.

use crate::harness::{Patctl, id_of};
use crate::mail_server::Server;
use crate::notify::outbox;
use patctl::domain::integrity::Sealer;
use patctl::domain::moment::Span;
use patctl::exit::Exit;

fn installation(keyed: bool, server: &Server) -> Patctl {
    let patctl = Patctl::new();
    let key = format!("patctl.integrity.key.file = {}\n", patctl.path("integrity.key").display());
    patctl.configure(&format!("{}\n{}", server.properties(), if keyed { key.as_str() } else { "" }));
    patctl
}

#[test]
fn a_mail_that_was_altered_or_added_is_named_and_the_others_are_sent() {
    let Some(server) = Server::start("a_mail_that_was_altered_or_added") else { return };
    for keyed in [false, true] {
        for (at, alteration) in [
            "UPDATE outbox SET recipient = 'victim@x' WHERE seq = 1",
            "UPDATE outbox SET name = 'your account is locked, call 555' WHERE seq = 1",
            "UPDATE outbox SET user = 'mallory' WHERE seq = 1",
            "UPDATE outbox SET kind = 'revoked' WHERE seq = 1",
            "UPDATE outbox SET token_id = 'aaaaaaaaaa' WHERE seq = 1",
            "UPDATE outbox SET expires_at = '2030-01-01T00:00:00.000000Z' WHERE seq = 1",
            "UPDATE outbox SET at = '2026-11-21T12:00:00.00000!Z' WHERE seq = 1",
            "UPDATE outbox SET integrity = (SELECT integrity FROM outbox WHERE seq = 2) WHERE seq = 1",
            "UPDATE outbox SET integrity = NULL WHERE seq = 1",
            "UPDATE outbox SET integrity = zeroblob(33) WHERE seq = 1",
            "INSERT INTO outbox (at, kind, token_id, name, recipient) SELECT at, kind, token_id, name, 'victim@x' \
             FROM outbox WHERE seq = 1; DELETE FROM outbox WHERE seq = 1",
        ]
        .into_iter()
        .enumerate()
        {
            let patctl = installation(keyed, &server);
            patctl.create(&["first", "--email", "a@x"]);
            patctl.create(&["second", "--email", "b@x"]);
            patctl.sql().execute_batch(alteration).expect(alteration);
            let before = server.mails().len();
            let found = patctl.run(&["doctor"]);
            assert!(found.exit == Exit::No && found.stdout.contains("patctl notify"), "{alteration}: {found:?}");
            let run = patctl.run(&["notify"]);
            assert_eq!(run.exit, Exit::Io, "{alteration}: {run:?}");
            assert!(run.stderr.contains("it is not what patctl wrote"), "{alteration}: {run:?}");
            let mails = server.mails();
            assert_eq!((mails.len() - before, &mails[before].to[0]), (1, &"b@x".to_owned()), "{at} {alteration}");
            // Once.
            patctl.run(&["notify"]).is(Exit::Yes, "");
            patctl.run(&["doctor"]).is(Exit::Yes, "");
            assert_eq!(server.mails().len(), before + 1, "{alteration}");
        }
    }
}

/// The mail would be sealed as patctl's own.
#[test]
fn an_altered_token_has_no_mail_whatever_happens_to_it() {
    let Some(server) = Server::start("an_altered_token_has_no_mail") else { return };
    for keyed in [false, true] {
        for deed in ["revoke", "bulk-revoke", "prune", "expires"] {
            let patctl = installation(keyed, &server);
            let token = patctl.create(&["mine", "--email", "a@x", "--expires", "30", "--restrict", "/a"]);
            patctl.create(&["other", "--email", "b@x", "--expires", "30"]);
            patctl.run(&["notify"]).is(Exit::Yes, "");
            let words = "UPDATE token SET email = 'victim@x', name = 'call 555' WHERE seq = 1";
            patctl.sql().execute(words, []).expect("by hand");
            match deed {
                "revoke" => drop(patctl.run(&["revoke", id_of(&token)])),
                "bulk-revoke" => drop(patctl.run(&["bulk-revoke", "--user", "operator", "--yes"])),
                "prune" => {
                    patctl.pass(Span::days(100));
                    patctl.run(&["prune"]);
                }
                _ => patctl.pass(Span::days(28)),
            }
            patctl.run(&["notify"]);
            let written = outbox(&patctl.sql());
            assert!(!written.iter().any(|mail| mail.contains("victim")), "{deed}: {written:?}");
            let others = written.iter().filter(|mail| mail.contains("b@x")).count();
            // A mail that was sent is forgotten after ninety days.
            assert_eq!(
                others,
                if ["revoke", "prune"].contains(&deed) { 1 } else { 2 },
                "{deed}: {written:?}"
            );
        }
    }
}

#[test]
fn what_waits_in_an_older_database_is_sent_after_the_upgrade() {
    let Some(server) = Server::start("what_waits_in_an_older_database") else { return };
    let patctl = installation(false, &server);
    patctl.create(&["waits", "--email", "w@x"]);
    crate::older::schema_7(&patctl.sql(), &Sealer::default());
    patctl.sql().execute_batch("UPDATE outbox SET integrity = NULL").expect("by hand");
    patctl.run(&["notify"]).is(Exit::Yes, "");
    assert_eq!(server.mails().iter().filter(|mail| mail.to[0] == "w@x").count(), 1);
}
