//! `patctl notify` in trouble: two at once, a server that is down, refuses or falls silent, a kill.

use crate::harness::Patctl;
use crate::mail_server::Server;
use crate::notify::{notified, notify_ten_times, outbox};
use crate::process::{Home, stderr};
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use std::process::Stdio;

/// Forty mails, two processes; the server takes its time, so that they meet.
#[test]
fn two_runs_at_once_send_nothing_twice() {
    let Some(server) = Server::start("two_runs_at_once") else { return };
    server.mode("slow");
    let home = Home::new(&server.properties());
    for n in 0..40 {
        let to = format!("a{n}@x");
        home.create(&["--expires", "3", "--email", &to, "-D", "atlassian.pats.max.tokens.per.user=100"]);
    }
    let start =
        || home.command(&["notify"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("patctl");
    let children = [start(), start(), start()];
    for child in children {
        let output = child.wait_with_output().expect("patctl");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    let mails = server.mails();
    let mut ids: Vec<&str> = mails.iter().map(|m| m.header("Message-ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((mails.len(), ids.len()), (40, 40), "one for its birth and its end");
    assert_eq!(home.count("SELECT count(*) FROM outbox WHERE state = 'sent' AND attempts = 1"), 80);
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE action = 'notify'"), 80);
}

#[test]
fn while_the_server_is_down_the_mails_wait() {
    let Some(server) = Server::start("while_the_server_is_down") else { return };
    let patctl = Patctl::new();
    let up = server.properties();
    // A port that was just free.
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    patctl.configure(&up.replace(&server.port.to_string(), &port.to_string()));
    for name in ["a", "b", "c"] {
        patctl.create(&[name, "--expires", "3", "--email", &format!("{name}@x")]);
    }
    for _ in 0..3 {
        let run = patctl.run(&["notify"]);
        run.says(Exit::Io, &["1 mail failed; 2 mails not tried", "refused", "tried again"]);
    }
    assert_eq!(notified(&patctl), ["expire-soon-sent"; 3], "noted, and not found anew each time");
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 6);
    patctl.configure(&up);
    notify_ten_times(&patctl);
    assert_eq!(server.mails().len(), 3);
}

#[test]
fn a_mail_refused_for_now_is_tried_again_and_delays_no_other() {
    let Some(server) = Server::start("a_mail_refused_for_now") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    patctl.create(&["one", "--email", "later@x"]);
    patctl.create(&["two", "--email", "good@x"]);
    let run = patctl.run(&["notify", "-o", "json"]);
    assert_eq!(run.exit, Exit::Io);
    assert!(run.stderr.contains("later@x") && run.stderr.contains("450"), "{run:?}");
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((&json["sent"], &json["refused"], &json["rejected"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(outbox(&patctl.sql()), ["created later@x refused", "created good@x sent"]);
    server.mode("busy");
    patctl.create(&["busy", "--email", "b@x"]);
    patctl.run(&["notify"]).says(Exit::Io, &["451", "b@x", "tried again"]);
    server.mode("");
    patctl.run(&["notify"]).says(Exit::Io, &["1 mail failed", "later@x"]);
    let subjects: Vec<String> = server.mails().iter().map(|m| m.header("Subject").to_owned()).collect();
    assert_eq!(subjects, ["two", "busy"].map(|name| format!("Token created: {name}")));

    // It is not tried for ever.
    patctl.pass(Span::days(7));
    patctl.run(&["notify"]).says(Exit::Io, &["later@x"]);
    patctl.pass(Span::seconds(1));
    patctl.run(&["notify"]).says(Exit::Io, &["dropped", "not tried again"]);
    notify_ten_times(&patctl);
}

#[test]
fn a_mail_refused_for_good_is_named_once_and_never_sent() {
    let Some(server) = Server::start("a_mail_refused_for_good") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    let token = patctl.create(&["one", "--expires", "3", "--email", "bad@x"]);
    patctl.create(&["two", "--email", "good@x"]);
    let run = patctl.run(&["notify", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!((run.exit, &json["rejected"], &json["sent"]), (Exit::Io, &1.into(), &1.into()));
    assert!(run.stderr.contains("bad@x") && run.stderr.contains("550"), "{run:?}");
    assert_eq!(json["mails"][0]["state"], "rejected");
    notify_ten_times(&patctl);
    assert_eq!(patctl.count("SELECT max(attempts) FROM outbox"), 1);
    // The last step may say so, too.
    server.mode("refuse-data");
    patctl.create(&["three", "--email", "c@x"]);
    patctl.run(&["notify"]).says(Exit::Io, &["554", "c@x", "refused for good", "--notify-to"]);
    server.mode("");
    notify_ten_times(&patctl);

    // The doctor names it until the token has another address, which then gets the warning.
    let doctor = patctl.run(&["doctor"]);
    assert!(
        doctor.stdout.contains("undelivered: ") && doctor.stdout.contains("refuses bad@x for good"),
        "{doctor:?}"
    );
    for id in patctl.run(&["list", "-o", "ids"]).stdout.lines() {
        patctl.run(&["edit", id, "--notify-to", "new@x"]);
    }
    assert!(!patctl.run(&["doctor"]).stdout.contains("undelivered"));
    notify_ten_times(&patctl);
    let mails = server.mails();
    let last = mails.last().expect("a mail");
    assert_eq!((last.to[0].as_str(), last.header("Subject")), ("new@x", "Token expires soon: one"));
    assert!(last.data.contains(crate::harness::id_of(&token)));
}

#[test]
fn a_server_with_few_mails_a_session_gets_them_over_several() {
    let Some(server) = Server::start("a_server_with_few_mails_a_session") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    for mode in ["two-a-session-mail", "two-a-session-rcpt"] {
        server.mode(mode);
        let before = server.mails().len();
        for n in 0..5 {
            patctl.create(&["--email", &format!("{n}@x"), "-D", "atlassian.pats.max.tokens.per.user=99"]);
        }
        patctl.run(&["notify"]).is(Exit::Yes, "");
        assert_eq!(server.mails().len() - before, 5, "{mode}");
    }
}

#[test]
fn a_server_that_takes_nothing_is_left_alone_until_the_next_run() {
    let Some(server) = Server::start("a_server_that_takes_nothing") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    for n in 0..9 {
        patctl.create(&["--email", &format!("{n}@x")]);
    }
    server.mode("busy-mail");
    patctl.run(&["notify"]).says(Exit::Io, &["1 mail failed; 8 mails not tried", "451"]);
    server.mode("busy-rcpt");
    patctl.run(&["notify"]).says(Exit::Io, &["3 mails failed; 6 mails not tried", "451"]);
    // Those that were refused come last, so that they delay no one.
    assert_eq!(patctl.count("SELECT count(*) FROM outbox WHERE attempts = 0"), 5);
    server.mode("");
    patctl.run(&["notify"]).is(Exit::Yes, "");
    assert_eq!(server.mails().len(), 9);
    assert_eq!(server.mails()[0].to, ["4@x"], "what was refused before comes last");
}

#[test]
fn a_mail_without_an_answer_is_not_sent_again_and_costs_no_other() {
    let Some(server) = Server::start("a_mail_without_an_answer") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    for (name, to) in [("one", "a@x"), ("two", "b@x"), ("three", "c@x")] {
        patctl.create(&[name, "--email", to]);
    }
    server.mode("drop");
    patctl
        .run(&["notify"])
        .says(Exit::Io, &["1 mail failed; 2 mails not tried", "uncertain", "may have arrived"]);
    assert_eq!(
        outbox(&patctl.sql()),
        ["created a@x uncertain", "created b@x pending", "created c@x pending"]
    );
    server.mode("");
    notify_ten_times(&patctl);
    let subjects: Vec<String> = server.mails().iter().map(|m| m.header("Subject").to_owned()).collect();
    assert_eq!(subjects, ["one", "two", "three"].map(|name| format!("Token created: {name}")));
    let audited = "SELECT count(*) FROM audit WHERE action = 'notify' AND detail LIKE '%without an answer'";
    assert_eq!(patctl.count(audited), 1);
}

#[test]
fn a_run_that_is_killed_in_the_midst_of_a_mail_leaves_it_uncertain() {
    let Some(server) = Server::start("a_run_that_is_killed") else { return };
    server.mode("hang");
    let home = Home::new(&server.properties());
    home.create(&["--email", "a@x"]);
    let mut child = home.command(&["notify"]).stderr(Stdio::piped()).spawn().expect("patctl");
    while server.mails().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    server.mode("");
    for _ in 0..3 {
        let output = home.run(&["notify"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{}", stderr(&output));
    }
    assert_eq!(server.mails().len(), 1);
    assert_eq!(outbox(&home.sql()), ["created a@x uncertain"]);
}

#[test]
fn rows_that_wait_for_nothing_are_deleted_after_ninety_days() {
    let Some(server) = Server::start("rows_that_wait_for_nothing") else { return };
    let patctl = Patctl::new();
    patctl.configure(&server.properties());
    patctl.create(&["--email", "a@x"]);
    notify_ten_times(&patctl);
    patctl.pass(Span::days(90));
    notify_ten_times(&patctl);
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 1);
    patctl.pass(Span::seconds(1));
    notify_ten_times(&patctl);
    assert_eq!(patctl.count("SELECT count(*) FROM outbox"), 0);
}
