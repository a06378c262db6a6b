//! Mails: who gets which, once, whatever happens to the server.

use crate::harness::{Patctl, assert_no_secret, id_of};
use crate::mail_server::Server;
use patctl::domain::integrity::Sealer;
use patctl::domain::moment::Span;
use patctl::domain::notice::{self, Notice};
use patctl::exit::Exit;

/// Waiting mails as `kind recipient state`, in their order.
pub fn outbox(sql: &rusqlite::Connection) -> Vec<String> {
    let mut rows = sql
        .prepare("SELECT kind || ' ' || recipient || ' ' || state FROM outbox ORDER BY seq")
        .expect("the outbox");
    let rows = rows.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("text")).collect()
}

/// Seals every mail as it is now: for tests of what lies behind the seal.
fn reseal_outbox(sql: &rusqlite::Connection) {
    let database: String =
        sql.query_row("SELECT name FROM installation", [], |row| row.get(0)).expect("a name");
    let all = "SELECT seq, at, kind, token_id, name, user, expires_at, recipient FROM outbox";
    let mut mails = sql.prepare(all).expect("the outbox");
    let mut mails = mails.query([]).expect("rows");
    while let Some(row) = mails.next().expect("a row") {
        let text = |at: usize| row.get::<_, String>(at).expect("a text");
        let notice = Notice {
            at: crate::harness::moment(&text(1)),
            kind: text(2).parse().expect("a kind"),
            token_id: text(3),
            name: text(4),
            user: row.get(5).expect("a user"),
            expires_at: row
                .get::<_, Option<String>>(6)
                .expect("a time")
                .map(|at| crate::harness::moment(&at)),
            recipient: text(7),
        };
        let seal = Sealer::default().seal_message(&notice::frame(&database, &notice));
        let seq: i64 = row.get(0).expect("a number");
        sql.execute("UPDATE outbox SET integrity = ?2 WHERE seq = ?1", (seq, seal)).expect("a seal");
    }
}

pub fn notified(patctl: &Patctl) -> Vec<String> {
    let sql = patctl.sql();
    let mut rows = sql.prepare("SELECT notified FROM token ORDER BY seq").expect("tokens");
    let rows = rows.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("text")).collect()
}

/// Ten runs, nine of which have nothing to do; all are silent.
pub fn notify_ten_times(patctl: &Patctl) {
    for _ in 0..10 {
        let run = patctl.run(&["notify"]);
        assert_eq!((run.exit, run.stdout.as_str(), run.stderr.as_str()), (Exit::Yes, "", ""));
    }
}

#[test]
fn a_token_gets_one_mail_before_its_end_and_one_after_over_ten_runs_each() {
    let Some(server) = Server::start("a_token_gets_one_mail_before_its_end") else { return };
    let patctl = Patctl::new();
    let token = patctl.create(&[
        "nightly backup",
        "--user",
        "alice",
        "--expires",
        "30",
        "--notify-to",
        "a@x.example",
    ]);
    patctl.configure(&server.properties());
    notify_ten_times(&patctl);
    assert!(server.mails().is_empty(), "not within five days yet");

    patctl.pass(Span::days(25));
    notify_ten_times(&patctl);
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert_eq!((mail.from.as_str(), &mail.to[..]), ("patctl@example.com", &["a@x.example".to_owned()][..]));
    assert_eq!(mail.header("From"), "patctl <patctl@example.com>");
    assert_eq!(mail.header("To"), "a@x.example");
    assert_eq!(mail.header("Subject"), "Token expires soon: nightly backup");
    assert_eq!(mail.header("Date"), "Wed, 16 Dec 2026 12:00:00 +0000");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert!(mail.header("Message-ID").ends_with(".patctl@example.com>"), "{mail:?}");
    for part in
        ["multipart/alternative", "text/plain", "text/html", "2026-12-21 12:00 UTC", id_of(&token), "alice"]
    {
        assert!(mail.data.contains(part), "{part}: {mail:?}");
    }
    assert!(!mail.hello.is_empty());
    assert_eq!(notified(&patctl), ["expire-soon-sent"]);

    patctl.pass(Span::days(5));
    notify_ten_times(&patctl);
    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[1].header("Subject"), "Token expired: nightly backup");
    assert_ne!(mails[1].header("Message-ID"), mails[0].header("Message-ID"));
    assert_eq!(notified(&patctl), ["expired-sent"]);
    for mail in &mails {
        assert_no_secret(&token[token.len() - 38..], mail.data.as_bytes(), "a mail");
    }
    // Who was told what is in the audit log, in the history of the token.
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    let told: Vec<_> =
        shown["history"].as_array().expect("rows").iter().filter(|e| e["action"] == "notify").collect();
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["detail"], "expired to a@x.example");
}

#[test]
fn what_expired_unseen_is_said_to_have_expired_and_nothing_else() {
    let Some(server) = Server::start("what_expired_unseen") else { return };
    let patctl = Patctl::new();
    patctl.create(&["late", "--expires", "1", "--email", "late@x"]);
    patctl.create(&["soon", "--expires", "5", "--email", "soon@x"]);
    patctl.configure(&server.properties());
    patctl.pass(Span::days(2));
    notify_ten_times(&patctl);
    let subjects: Vec<String> = server.mails().iter().map(|m| m.header("Subject").to_owned()).collect();
    assert_eq!(subjects, ["Token expired: late", "Token expires soon: soon"], "first what expired");
}

#[test]
fn the_mail_goes_where_it_was_asked_to_else_to_the_email_else_to_the_template() {
    let patctl = Patctl::new();
    patctl.configure("patctl.mail.transport = sendmail\npatctl.mail.to = {user}@example.com\npatctl.any.user.enabled = true");
    patctl.create(&["--user", "alice", "--email", "e@x", "--notify-to", "n@x"]);
    patctl.create(&["--user", "alice", "--email", "e@x"]);
    patctl.create(&["--user", "alice"]);
    patctl.create(&["--user", "Bob Smith"]);
    patctl.create(&["--any-user"]);
    let created = ["created n@x pending", "created e@x pending", "created alice@example.com pending"];
    assert_eq!(outbox(&patctl.sql()), created);
}

#[test]
fn created_revoked_and_pruned_tokens_have_a_mail_in_the_transaction_of_their_cause() {
    let Some(server) = Server::start("created_revoked_and_pruned") else { return };
    let patctl = Patctl::new();
    patctl.configure(&format!("{}patctl.mail.to = {{user}}@example.com", server.properties()));
    let one = patctl.create(&["one", "--user", "alice"]);
    patctl.create(&["two", "--user", "bob"]);
    patctl.run(&["revoke", id_of(&one)]);
    patctl.run(&["revoke", id_of(&one)]);
    patctl.run(&["bulk-revoke", "--user", "bob", "--yes"]);
    assert!(server.mails().is_empty(), "only notify sends");
    patctl.pass(Span::days(31));
    patctl.run(&["prune"]);
    notify_ten_times(&patctl);
    let subjects: Vec<String> =
        server.mails().iter().map(|m| format!("{} {}", m.to[0], m.header("Subject"))).collect();
    assert_eq!(subjects, ["alice@example.com Token created: one", "bob@example.com Token created: two"]);
    let text = server.mails().iter().map(|m| m.data.clone()).collect::<String>();
    assert_eq!(
        text.matches("It was revoked. It was deleted.").count(),
        4,
        "as text and as HTML, in each mail"
    );
}

#[test]
fn a_change_that_does_not_happen_writes_no_mail() {
    let patctl = Patctl::new();
    patctl.configure("patctl.mail.transport = sendmail\npatctl.mail.to = {user}@example.com");
    patctl.create(&[]);
    let setup = crate::harness::Setup { stdout: crate::harness::Sink::Full, ..Default::default() };
    assert_eq!(patctl.run_with(&["create"], &setup).exit, Exit::Io);
    assert_eq!(outbox(&patctl.sql()), ["created operator@example.com pending"]);
}

#[test]
fn without_a_way_out_nothing_is_written_and_notify_changes_nothing() {
    let patctl = Patctl::new();
    patctl.configure("patctl.mail.to = {user}@example.com");
    let token = patctl.create(&["--expires", "1"]);
    patctl.run(&["revoke", id_of(&patctl.create(&[]))]);
    assert_eq!(outbox(&patctl.sql()), [""; 0]);
    patctl.pass(Span::days(2));
    patctl.run(&["notify"]).says(Exit::Config, &["patctl.mail.transport is not set"]);
    patctl.configure("patctl.mail.to = {user}@example.com\npatctl.mail.transport = smtp://127.0.0.1:1");
    patctl.run(&["notify"]).says(Exit::Config, &["patctl.mail.from"]);
    patctl.run(&["notify", "-D", "patctl.mail.from={user}@x"]).says(Exit::Config, &["patctl.mail.from"]);
    assert_eq!(notified(&patctl), ["not-sent", "not-sent"], "{token} has its mail still to come");
}

#[test]
fn with_mail_off_every_turn_is_noted_and_nothing_is_sent_then_or_later() {
    let Some(server) = Server::start("with_mail_off") else { return };
    let patctl = Patctl::new();
    let on = format!("{}patctl.mail.to = {{user}}@example.com\n", server.properties());
    let off = format!("{on}atlassian.pats.mail.notifications.enabled = false\n");
    patctl.configure(&on);
    patctl.create(&["before", "--expires", "3"]);
    patctl.configure(&off);
    patctl.create(&["while off", "--expires", "30"]);
    let run = patctl.run(&["notify", "-o", "json"]).json();
    assert_eq!((&run["dropped"], &run["sent"]), (&1.into(), &0.into()));
    assert_eq!(notified(&patctl), ["expire-soon-sent", "not-sent"]);
    assert_eq!(outbox(&patctl.sql()), ["created operator@example.com dropped"]);
    // No transport is needed to send nothing.
    patctl.configure("atlassian.pats.mail.notifications.enabled = false");
    patctl.pass(Span::days(4));
    notify_ten_times(&patctl);
    assert_eq!(notified(&patctl), ["expired-sent", "not-sent"]);
    patctl.configure(&on);
    notify_ten_times(&patctl);
    assert!(server.mails().is_empty());
}

#[test]
fn only_usable_tokens_get_a_mail_about_their_end() {
    let Some(server) = Server::start("revoked_disabled_and_replaced") else { return };
    let patctl = Patctl::new();
    let revoked = patctl.create(&["revoked", "--expires", "3", "--email", "r@x"]);
    patctl.create(&["disabled", "--expires", "3", "--email", "d@x"]);
    patctl.create(&["replaced", "--expires", "3", "--email", "o@x"]);
    patctl.create(&["live", "--expires", "3", "--email", "l@x"]);
    patctl.run(&["revoke", id_of(&revoked)]);
    let set = |sql: &str| {
        patctl.sql().execute_batch(sql).expect("a change by hand");
        patctl.reseal();
    };
    set("UPDATE token SET disabled_at = created_at WHERE name = 'disabled'");
    // Something may still use it until its grace ends.
    set("UPDATE token SET rotated_at = '2026-11-22T12:00:00.000000Z' WHERE name = 'replaced'");
    patctl.configure(&server.properties());
    notify_ten_times(&patctl);
    patctl.pass(Span::days(5));
    notify_ten_times(&patctl);
    let to = || server.mails().iter().map(|m| m.to[0].clone()).collect::<Vec<_>>();
    assert_eq!(to(), ["o@x", "l@x", "l@x"]);
    set("UPDATE token SET disabled_at = NULL WHERE name = 'disabled'");
    notify_ten_times(&patctl);
    assert_eq!(to(), ["o@x", "l@x", "l@x", "d@x"], "switched on again it is one as any other");
}

#[test]
fn a_dry_run_prints_the_mails_and_changes_nothing() {
    let patctl = Patctl::new();
    patctl.configure("patctl.mail.transport = sendmail\npatctl.mail.to = {user}@example.com");
    patctl.create(&["one", "--user", "alice", "--expires", "3"]);
    let before = (outbox(&patctl.sql()), notified(&patctl));
    let table = patctl.run(&["notify", "--dry-run"]);
    assert_eq!(table.exit, Exit::Yes);
    assert!(
        table.stdout.starts_with("To: alice@example.com\nSubject: Token created: one\n\nA personal"),
        "{table:?}"
    );
    assert!(
        table.stdout.contains("\nA personal access token was created. It will expire soon.\n"),
        "{table:?}"
    );
    assert!(table.stderr.contains("1 mail would be sent"), "{table:?}");
    let json = patctl.run(&["notify", "--dry-run", "-o", "json"]).json();
    assert_eq!(json["dry_run"], true);
    assert_eq!(json["mails"][0]["tokens"][1]["kind"], "expires-soon");
    assert!(json["mails"][0]["html"].as_str().expect("HTML").contains("<td>one</td>"));
    let lines = patctl.run(&["notify", "--dry-run", "-o", "jsonl"]).stdout;
    assert_eq!(lines.lines().count(), 1);
    assert_eq!((outbox(&patctl.sql()), notified(&patctl)), before);
    patctl.run(&["notify", "--dry-run", "-o", "csv"]).says(Exit::Usage, &["table or json or jsonl"]);
}

#[test]
fn odd_names_stay_in_their_place() {
    let Some(server) = Server::start("odd_names_stay_in_their_place") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    for name in ["Bcc: eve@x", "<b>&\"'", "jürgens 漢字 🙂", "=?utf-8?q?x?=", "--=_1"] {
        patctl.create(&["--email", "a@x", "--", name]);
        notify_ten_times(&patctl);
    }
    // What no create lets through, but somebody's SQL may.
    patctl.create(&["plain", "--email", "a@x"]);
    patctl
        .sql()
        .execute("UPDATE outbox SET name = 'x' || char(13, 10) || 'Bcc: eve@x' || char(13, 10, 13, 10, 46, 13, 10) WHERE name = 'plain'", [])
        .expect("a change by hand");
    reseal_outbox(&patctl.sql());
    notify_ten_times(&patctl);
    let mails = server.mails();
    assert_eq!(mails.len(), 6);
    for mail in &mails {
        assert_eq!(mail.to, ["a@x"]);
        let head = mail.data.split("\r\n\r\n").next().expect("a header");
        assert!(!head.contains("\r\nBcc:") && head.contains("\r\nSubject: Token created: "), "{head}");
        assert!(mail.data.trim_end().ends_with("--"), "the last part ends: {mail:?}");
    }
    assert!(mails[1].data.contains("&lt;b&gt;&amp;&quot;"), "{:?}", mails[1]);
}
