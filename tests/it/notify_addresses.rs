//! Where mails go: tokens without an address, several addresses, one mail for each of them.

use crate::harness::{Patctl, id_of};
use crate::mail_server::Server;
use crate::notify::{notified, notify_ten_times, outbox};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

/// Users that do not fit into the template.
const ODD: [&str; 4] = ["carol@corp.example", "CORP\\bob", "d e", "J\u{f6}rg M\u{fc}ller"];

#[test]
fn a_token_without_an_address_is_named_and_keeps_its_warning() {
    let Some(server) = Server::start("a_token_without_an_address") else { return };
    let patctl = Patctl::new();
    patctl.configure(&format!("{}patctl.mail.to = {{user}}@example.com\n", server.properties()));
    let tokens = ODD.map(|user| patctl.create(&["ci", "--user", user, "--expires", "3"]));
    patctl.create(&["ci", "--user", "alice", "--expires", "3"]);
    let named: Vec<&str> = tokens.iter().map(|token| id_of(token)).collect();
    let dry = patctl.run(&["notify", "--dry-run", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&dry.stdout).expect("JSON");
    assert_eq!((dry.exit, &json["unaddressed_count"]), (Exit::No, &4.into()));
    assert_eq!(json["unaddressed"][1]["token_id"], named[1]);
    for _ in 0..2 {
        let run = patctl.run(&["notify"]);
        run.says(Exit::No, &[&["4 tokens have no address to notify", "--notify-to"][..], &named].concat());
    }
    assert_eq!(server.mails().len(), 1, "the others have theirs");
    assert_eq!(notified(&patctl)[..4], ["not-sent"; 4]);
    let ids = patctl.run(&["list", "--no-address", "-o", "ids", "--limit", "3"]).stdout;
    assert_eq!(ids.lines().collect::<Vec<_>>(), named.iter().rev().take(3).copied().collect::<Vec<_>>());
    let doctor = patctl.run(&["doctor"]);
    assert_eq!((doctor.exit, doctor.stdout.matches("unaddressed: ").count()), (Exit::No, 4), "{doctor:?}");

    // Either remedy leads to the mail, and to a silent doctor.
    patctl.run(&["edit", named[0], "--notify-to", "admin@x.example"]);
    patctl.run(&["notify"]).says(Exit::No, &["3 tokens have no address"]);
    assert_eq!(server.mails()[1].to, ["admin@x.example"]);
    patctl.configure(&format!(
        "{}patctl.mail.to = {{user}}@example.com, tokens@example.com\n",
        server.properties()
    ));
    patctl.run(&["doctor"]).is(Exit::Yes, "");
    notify_ten_times(&patctl);
    assert_eq!((server.mails().len(), &server.mails()[2].to[0][..]), (3, "tokens@example.com"));
    assert_eq!(notified(&patctl), ["expire-soon-sent"; 5]);
}

#[test]
fn a_run_before_the_template_was_set_uses_up_nothing() {
    let Some(server) = Server::start("a_run_before_the_template") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    patctl.create(&["ci", "--user", "dora", "--expires", "3"]);
    patctl.pass(Span::days(4));
    patctl.run(&["notify"]).says(Exit::No, &["1 token has no address to notify"]);
    patctl.configure(&format!("{}patctl.mail.to = {{user}}@example.com\n", server.properties()));
    notify_ten_times(&patctl);
    assert_eq!(server.mails()[0].header("Subject"), "Token expired: ci");
}

#[test]
fn each_address_gets_one_mail_a_run_with_all_tokens() {
    let Some(server) = Server::start("each_address_gets_one_mail") else { return };
    let patctl = Patctl::new();
    for n in 0..9 {
        patctl.create(&[&format!("job {n}"), "--user", "ci", "--expires", "3", "--notify-to", "a@x,b@y"]);
    }
    patctl.create(&["alone", "--user", "ci", "--expires", "3", "--notify-to", "b@y", "--notify-to", "c@z"]);
    patctl.configure(&server.properties());
    let dry = patctl.run(&["notify", "--dry-run"]);
    let subjects: Vec<&str> = dry.stdout.lines().filter(|line| line.starts_with("Subject")).collect();
    let digest = |count| format!("{count} tokens: {count} expiring soon");
    assert_eq!(
        subjects,
        [9, 10]
            .map(|n| format!("Subject: {}", digest(n)))
            .iter()
            .map(String::as_str)
            .chain(["Subject: Token expires soon: alone"])
            .collect::<Vec<_>>()
    );
    notify_ten_times(&patctl);
    let mails = server.mails();
    let sent: Vec<(&str, &str)> = mails.iter().map(|m| (m.to[0].as_str(), m.header("Subject"))).collect();
    assert_eq!(sent, [("a@x", &digest(9)[..]), ("b@y", &digest(10)), ("c@z", "Token expires soon: alone")]);
    assert!(mails.iter().all(|mail| mail.to.len() == 1), "no recipient sees another");
    assert_eq!(mails[1].data.matches("user ci").count(), 10);
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'notify'"), 20, "one row for each");
    assert_eq!(outbox(&patctl.sql()).iter().filter(|row| row.ends_with("sent")).count(), 20);
}

#[test]
fn addresses_are_checked_and_bounded() {
    let patctl = Patctl::new();
    let eleven = (0..11).map(|n| format!("a{n}@x")).collect::<Vec<_>>().join(",");
    for bad in ["nobody", "a@x,", "a@x b@y", "a@x,b", &eleven] {
        assert_eq!(patctl.run(&["create", "--notify-to", bad]).exit, Exit::Usage, "{bad}");
        assert_eq!(patctl.run(&["list", "-D", &format!("patctl.mail.to={bad}")]).exit, Exit::Config, "{bad}");
    }
    let token = patctl.create(&["--notify-to", "a@x, b@y", "--notify-to", "c@z"]);
    let to = || patctl.run(&["show", id_of(&token), "-o", "json"]).json()["notify_to"].clone();
    assert_eq!(to(), "a@x,b@y,c@z");
    patctl.run(&["edit", id_of(&token), "--notify-to", "d@x"]);
    assert_eq!(to(), "d@x");
    patctl.run(&["edit", id_of(&token), "--notify-to", ""]);
    assert_eq!(to(), serde_json::Value::Null);
}

#[test]
fn the_name_in_ehlo_can_be_set_and_has_a_dot() {
    let Some(server) = Server::start("the_name_in_ehlo") else { return };
    server.mode("full-name");
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    patctl.create(&["--email", "a@x"]);
    patctl.run(&["notify"]).is(Exit::Yes, "");
    for (name, hello) in [("mx.patctl.example", "mx.patctl.example"), ("[192.0.2.1]", "[192.0.2.1]")] {
        patctl.create(&["--email", "a@x"]);
        patctl.run(&["notify", "-D", &format!("patctl.mail.helo={name}")]).is(Exit::Yes, "");
        assert_eq!(server.mails().last().expect("a mail").hello, hello);
    }
    // A name that the server refuses is no fault of the recipient: the mail waits.
    patctl.create(&["--email", "a@x"]);
    patctl.run(&["notify", "-D", "patctl.mail.helo=bare"]).says(Exit::Io, &["504", "tried again"]);
    patctl.run(&["notify"]).is(Exit::Yes, "");
    for bad in ["a b", "", "-x", "[1.2.3]", "a_b"] {
        assert_eq!(
            patctl.run(&["notify", "-D", &format!("patctl.mail.helo={bad}")]).exit,
            Exit::Config,
            "{bad}"
        );
    }
}

/// What is done to a token of which no mail tells anybody is said to whoever does it, and to nobody where no mail is sent.
#[test]
fn a_deed_that_no_mail_tells_of_says_so() {
    for sends in [true, false] {
        let patctl = Patctl::new();
        let mail = if sends {
            "patctl.mail.transport = sendmail\npatctl.mail.to = {user}@example.com\n"
        } else {
            ""
        };
        patctl.configure(mail);
        let deaf = ["create", "x", "--user", "no body", "--expires", "30"];
        let mut token = String::new();
        let mut hear = |args: &[&str], count: usize| {
            let run = patctl.run(args);
            assert_eq!(run.exit, Exit::Yes, "{args:?}: {run:?}");
            let told = run.stderr.matches("nobody is notified: ").count();
            assert_eq!(told, if sends { count } else { 0 }, "{args:?}: {run:?}");
            token = run.stdout.trim().to_owned();
            token.clone()
        };
        let first = hear(&deaf, 1);
        let second = hear(&["rotate", "--yes", id_of(&first)], 1);
        hear(&["revoke", id_of(&second)], 1);
        hear(&deaf, 1);
        hear(&["bulk-revoke", "--user", "no body", "--yes"], 1);
        hear(&["create", "x", "--user", "alice", "--expires", "30"], 0);
        hear(&["bulk-revoke", "--user", "alice", "--yes"], 0);
        patctl.pass(Span::days(90));
        hear(&["prune"], 1);
    }
}
