//! From where a token was used, under which request id, and who may act on whose tokens.

use crate::harness::{Patctl, id_of};
use patctl::domain::actor::{Actor, Authority, RequestMeta};
use patctl::domain::filter::{Filter, Order};
use patctl::domain::id::IdPrefix;
use patctl::domain::lifetime::Lifetime;
use patctl::domain::moment::{Moment, Span};
use patctl::domain::pat::AuthMethods;
use patctl::domain::policy::{Policy, Refusal};
use patctl::exit::Exit;
use patctl::service::issue::{self, Draft, IssueError};
use patctl::service::look::LookError;
use patctl::service::power::Power;
use patctl::service::{Act, bulk, look, power, revoke};
use patctl::store::sqlite::SqliteStore;
use patctl::store::{Query, Read as _};

#[test]
fn the_address_of_the_client_and_the_id_of_the_request_are_written_down() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    let id = id_of(&token);
    let from = ["--client", "::ffff:192.0.2.7", "--request-id", "req-1"];
    assert_eq!(patctl.verify(&token, &from).0, Exit::Yes);
    assert_eq!(patctl.verify(&token, &["--client=2001:DB8:0::7"]).0, Exit::Yes);
    let rows = patctl.run(&["audit", "--action", "verify", "-o", "json"]).json();
    assert_eq!((&rows[0]["client"], &rows[0]["request_id"]), (&"192.0.2.7".into(), &"req-1".into()));
    assert_eq!((&rows[1]["client"], &rows[1]["request_id"]), (&"2001:db8::7".into(), &().into()));
    assert_eq!((&rows[0]["actor_kind"], &rows[0]["node"]), (&"local".into(), &().into()));
    // The use that was noted is the first: the second came within the interval.
    let shown = patctl.run(&["show", id, "-o", "json"]).json();
    assert_eq!((&shown["last_used_from"], &shown["issued_by"]), (&"192.0.2.7".into(), &"operator".into()));
    let listed = patctl.run(&["list", "-o", "json"]).json();
    assert_eq!(listed[0]["last_used_from"], "192.0.2.7");
    assert!(patctl.run(&["show", id]).stdout.contains("from 192.0.2.7"));
    patctl.pass(Span::days(1));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let shown = patctl.run(&["show", id, "-o", "json"]).json();
    assert_eq!(shown["last_used_from"], serde_json::Value::Null, "it goes with the time beside it");
    // It can be asked for, in any spelling of the address.
    let asked = |args: &[&str]| patctl.run(&[&["audit", "-o", "ids"], args].concat()).stdout.lines().count();
    assert_eq!(asked(&["--client", "192.0.2.7"]), 1);
    assert_eq!(asked(&["--client", "2001:db8:0:0::7", "--client", "::ffff:192.0.2.7"]), 2);
    assert_eq!(asked(&["--client", "192.0.2.8"]), 0);
    assert!(patctl.run(&["audit"]).stdout.contains("from 192.0.2.7"));
    assert_eq!(patctl.run(&["audit", "verify", "-q"]).exit, Exit::Yes);
    // What is looked at comes from somewhere, too, and is no use.
    let looked = crate::harness::Setup { stdin: token.as_bytes(), ..Default::default() };
    assert_eq!(patctl.run_with(&["whoami", "--client", "192.0.2.9"], &looked).exit, Exit::Yes);
    assert_eq!(asked(&["--client", "192.0.2.9", "--action", "whoami"]), 1);
}

#[test]
fn what_is_no_address_and_no_id_is_refused_and_nothing_is_judged() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let input = crate::harness::Setup { stdin: token.as_bytes(), ..Default::default() };
    // That no answer repeats the token is asserted by the harness when it is dropped.
    let verify = |args: &[&str]| patctl.run_with(&[&["verify"], args].concat(), &input);
    for address in
        ["", "192.0.2.7:80", "[::1]", "fe80::1%eth0", "host.example", "192.0.2.300", "192.0.2.0/24", " ::1"]
    {
        assert_eq!(verify(&["--client", address]).exit, Exit::Usage, "{address:?}");
        assert_eq!(patctl.run(&["audit", "--client", address]).exit, Exit::Usage, "{address:?}");
    }
    let long = "x".repeat(129);
    for id in ["", "a b", "é", "a\tb", "\u{1b}[31m", &long, &token] {
        assert_eq!(verify(&["--request-id", id]).exit, Exit::Usage, "{id:?}");
    }
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action = 'verify'"), 0);
    assert_eq!(patctl.verify(&token, &["--request-id", &"x".repeat(128)]).0, Exit::Yes);
}

#[test]
fn each_line_of_a_batch_has_its_own_client() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let line = |more: &str| format!("{{\"token\":\"{token}\"{more}}}\n");
    let lines = [
        line(",\"client\":\"192.0.2.1\",\"request_id\":\"a\""),
        line(",\"client\":\"nowhere\""),
        line(",\"request_id\":\"a b\""),
        line(",\"client\":\"192.0.2.2\""),
        line(""),
    ]
    .concat();
    let input = crate::harness::Setup { stdin: lines.as_bytes(), ..Default::default() };
    let run = patctl.run_with(&["verify", "--batch"], &input);
    let answers: Vec<serde_json::Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let allowed: Vec<bool> = answers.iter().map(|answer| answer["allowed"] == true).collect();
    assert_eq!(allowed, [true, false, false, true, true]);
    assert_eq!((&answers[1]["reason"], &answers[1]["line"]), (&"unreadable".into(), &2.into()));
    assert!(answers[1]["error"].as_str().is_some_and(|why| why.starts_with("client: ")), "{}", answers[1]);
    assert!(
        answers[2]["error"].as_str().is_some_and(|why| why.starts_with("request_id: ")),
        "{}",
        answers[2]
    );
    let clients = "SELECT group_concat(coalesce(client, '-')) FROM audit WHERE action = 'verify'";
    let clients: String = patctl.sql().query_row(clients, [], |row| row.get(0)).expect("clients");
    assert_eq!(clients, "192.0.2.1,192.0.2.2,-");
}

#[test]
fn what_a_token_knows_of_its_issuer_and_last_use_survives_every_way_out_and_in() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    assert_eq!(patctl.verify(&token, &["--client", "192.0.2.7"]).0, Exit::Yes);
    let lines = patctl.run(&["export", "jsonl"]).stdout;
    let other = Patctl::new();
    std::fs::write(other.path("in.jsonl"), &lines).expect("a file");
    let file = other.path("in.jsonl");
    assert_eq!(other.run(&["import", "jsonl", file.to_str().expect("a path")]).exit, Exit::Yes);
    assert_eq!(other.run(&["export", "jsonl"]).stdout, lines);
    let backup = patctl.path("backup.db");
    let backup = backup.to_str().expect("a path");
    assert_eq!(patctl.run(&["backup", backup]).exit, Exit::Yes);
    patctl.pass(Span::days(2));
    assert_eq!(patctl.verify(&token, &["--client", "192.0.2.8"]).0, Exit::Yes);
    assert_eq!(patctl.run(&["restore", backup, "--yes"]).exit, Exit::Yes);
    let shown = patctl.run(&["show", id_of(&token), "-o", "json"]).json();
    assert_eq!((&shown["last_used_from"], &shown["issued_by"]), (&"192.0.2.8".into(), &"operator".into()));
    assert_eq!(patctl.run(&["doctor"]).exit, Exit::Yes);
    // Who issued it is sealed, as all is that leaves.
    patctl.sql().execute("UPDATE token SET issued_by = 'mallory'", []).expect("by hand");
    assert_eq!(patctl.verify(&token, &[]).1, "damaged");
}

#[test]
fn who_may_act_on_their_own_tokens_finds_no_others() {
    let patctl = Patctl::new();
    let (mine, theirs) = (patctl.create(&["--user", "alice"]), patctl.create(&["--user", "bob"]));
    let (mine, theirs): (IdPrefix, IdPrefix) =
        (id_of(&mine).parse().expect("an id"), id_of(&theirs).parse().expect("an id"));
    let policy = Policy::default();
    let actor = Actor::Token { user: "alice".to_owned(), id: mine.as_str().parse().expect("an id") };
    let authority = Authority::Owner("alice".to_owned());
    let now = patctl.now();
    let clock = || now;
    let act = Act {
        policy: &policy,
        actor: &actor,
        authority: &authority,
        meta: &RequestMeta::NONE,
        clock: &clock,
    };
    let mut store = SqliteStore::open(&patctl.db()).expect("the database");
    let beginning: IdPrefix = mine.as_str()[..6].parse().expect("a beginning");
    for id in [&theirs, &beginning] {
        assert!(matches!(look::show(&store, &authority, id), Err(LookError::Unknown(_))), "{id:?}");
        let ids = std::slice::from_ref(id);
        let revoked = revoke::revoke(&mut store, &act, ids, None, true).expect("a database");
        assert_eq!((revoked.done.len(), revoked.unknown.len()), (0, 1));
        let off = power::switch(&mut store, &act, ids, Power::Off, None, true).expect("a database");
        assert_eq!((off.done.len(), off.unknown.len()), (0, 1));
    }
    let filter = Filter::default();
    let query =
        Query { filter: &filter, order: Order::default(), now, expiry_warning: Span::ZERO, limit: None };
    assert_eq!(bulk::count(&store, &act, &query).expect("a count").live, 1);
    let whole = |id: &IdPrefix| id.as_str().parse().expect("an id");
    let done = bulk::revoke_these(&mut store, &act, vec![whole(&theirs)], None).expect("a database");
    assert_eq!(done.revoked, 0);
    let done = bulk::revoke(&mut store, &act, &query, None, None, &mut |_| ()).expect("a database");
    assert_eq!(done.revoked, 1);
    let revoked_at = |id: &IdPrefix| -> Option<Moment> {
        store.pat(whole(id)).expect("a database").expect("a token").life.revoked_at
    };
    assert!(revoked_at(&mine).is_some() && revoked_at(&theirs).is_none());
    // Under the name of whoever acted, who is no user of this system.
    let row = "SELECT count(*) FROM audit WHERE action = 'revoke' AND actor = 'alice' AND actor_kind = 'token' \
               AND actor_uid IS NULL AND login_uid IS NULL";
    assert_eq!(patctl.count(row), 1);
    assert_eq!(patctl.run(&["audit", "verify", "-q"]).exit, Exit::Yes);
    let json = patctl.run(&["audit", "--action", "revoke", "-o", "json"]).json();
    assert_eq!((&json[0]["actor_uid"], &json[0]["actor_kind"]), (&().into(), &"token".into()));
    for (user, refused) in [(Some("alice"), false), (Some("bob"), true), (None, true)] {
        let draft = Draft {
            name: None,
            user: user.map(|user| user.parse().expect("a user")),
            email: None,
            auth: AuthMethods::Both,
            lifetime: Lifetime::Never,
            rules: None,
            note: None,
            notify_to: None,
            vault: None,
        };
        let issued = issue::precheck(Some(&store), &act, &draft, 1);
        let other = matches!(issued, Err(IssueError::Refused { refusal: Refusal::OtherUser, .. }));
        assert_eq!(other, refused, "{user:?}: {issued:?}");
    }
}
