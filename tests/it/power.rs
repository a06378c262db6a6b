//! `disable` and `enable`.

use crate::harness::{Patctl, Setup, id_of};
use patctl::domain::moment::Span;
use patctl::exit::Exit;

#[test]
fn a_token_that_is_switched_off_cannot_be_used_until_it_is_switched_on() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice"]);
    let id = id_of(&token);
    let run = patctl.run(&["disable", id, "--reason", "on holiday"]);
    run.is(Exit::Yes, &format!("disabled  {id}  alice  ci\n"));
    assert_eq!(patctl.verify(&token, &[]), (Exit::No, "disabled".to_owned()));
    let shown = patctl.run(&["show", id, "-o", "json"]).json();
    assert_eq!(
        (&shown["status"], &shown["disabled_at"]),
        (&"disabled".into(), &"2026-11-21T12:00:00.000000Z".into())
    );
    let off = &shown["history"][1];
    assert_eq!((&off["action"], &off["reason"]), (&"disable".into(), &"on holiday".into()));
    patctl.run(&["disable", id]).is(Exit::Yes, &format!("disabled before  {id}  alice  ci\n"));
    patctl.run(&["enable", id]).is(Exit::Yes, &format!("enabled  {id}  alice  ci\n"));
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    patctl.run(&["enable", id]).is(Exit::Yes, &format!("was not disabled  {id}  alice  ci\n"));
    assert_eq!(patctl.count("SELECT count(*) FROM audit WHERE action IN ('disable', 'enable')"), 2);
    assert_eq!(patctl.count("SELECT version FROM token"), 3, "each change lets the version grow");
}

#[test]
fn switching_does_what_it_can_names_the_rest_and_exits_1() {
    let patctl = Patctl::new();
    let (good, revoked) = (patctl.create(&["a"]), patctl.create(&["b"]));
    patctl.run(&["revoke", id_of(&revoked)]);
    for (verb, done, mark) in [("disable", "disabled", "disabled"), ("enable", "enabled", "active")] {
        let run = patctl.run(&[verb, "zzzz", id_of(&revoked), id_of(&good), &id_of(&good)[..6]]);
        assert_eq!(run.exit, Exit::No);
        assert_eq!(run.stdout, format!("{done}  {}  operator  a\n", id_of(&good)));
        let gone = format!("{} was revoked, for good", id_of(&revoked));
        for word in ["no token has the id zzzz", &gone] {
            assert!(run.stderr.contains(word), "{run:?}");
        }
        let status = patctl.run(&["show", id_of(&good), "-o", "json"]).json();
        assert_eq!(status["status"], mark);
    }
    patctl.run(&["disable"]).says(Exit::Usage, &["<ID>"]);
}

#[test]
fn a_dry_run_has_the_shape_of_the_deed_and_does_nothing() {
    let patctl = Patctl::new();
    let token = patctl.create(&["ci", "--user", "alice"]);
    let id = id_of(&token);
    patctl.run(&["disable", id, "--dry-run"]).is(Exit::Yes, &format!("would disable  {id}  alice  ci\n"));
    patctl.run(&["disable", id, "--dry-run", "-o", "ids"]).is(Exit::Yes, &format!("{id}\n"));
    let preview = patctl.run(&["disable", id, "zzzz", "--dry-run", "-o", "json"]);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
    let deed = patctl.run(&["disable", id, "zzzz", "-o", "json"]);
    assert_eq!((preview.exit, deed.exit), (Exit::No, Exit::No));
    let keys = |run: &crate::harness::Run| {
        let json = run.json();
        let token = json["disabled"][0].as_object().expect("a token").keys().cloned().collect::<Vec<_>>();
        (json.as_object().expect("an object").keys().cloned().collect::<Vec<_>>(), token)
    };
    assert_eq!(keys(&preview), keys(&deed));
    assert_eq!((&preview.json()["dry_run"], &deed.json()["dry_run"]), (&true.into(), &false.into()));
    assert_eq!(deed.json()["unknown"][0], "zzzz");
    let on = patctl.run(&["enable", id, "-o", "json"]).json();
    assert_eq!((&on["enabled"][0]["status"], &on["disabled"]), (&"active".into(), &serde_json::Value::Null));
}

#[test]
fn ids_come_from_a_pipe_and_nobody_is_asked() {
    let patctl = Patctl::new();
    let tokens = [patctl.create(&[]), patctl.create(&[])];
    let ids = tokens.each_ref().map(|t| id_of(t));
    let stdin = format!("{}\n{}\n", ids[0], ids[1]);
    let piped = Setup { stdin: stdin.as_bytes(), ..Setup::default() };
    patctl.run_with(&["disable", "--ids-stdin", "-o", "ids"], &piped).is(Exit::Yes, &stdin);
    let broken = Setup { stdin: b"not an id\n", ..Setup::default() };
    patctl.run_with(&["enable", "--ids-stdin"], &broken).says(Exit::Usage, &["line 1", "nothing was done"]);
    let terminal = Setup { terminal: Some((&[], "")), ..Setup::default() };
    assert_eq!(patctl.run_with(&["enable", ids[0]], &terminal).exit, Exit::Yes);
    assert_eq!(patctl.run(&["disable", ids[0], "--yes"]).exit, Exit::Yes, "what other commands take");
}

#[test]
fn switching_on_does_not_bring_an_expired_token_back() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--expires", "1"]);
    patctl.run(&["disable", id_of(&token)]);
    patctl.pass(Span::days(2));
    assert_eq!(patctl.run(&["enable", id_of(&token)]).exit, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).1, "expired");
}

#[test]
fn secure_tokens_are_switched_and_a_disabled_token_counts_against_the_limit() {
    let patctl = Patctl::new();
    patctl.configure("extender.token.secure.mode = true\natlassian.pats.max.tokens.per.user = 1");
    let token = patctl.create(&[]);
    assert_eq!(patctl.run(&["disable", id_of(&token)]).exit, Exit::Yes);
    patctl.run(&["create"]).says(Exit::No, &["operator has 1 token"]);
    assert_eq!(patctl.run(&["enable", id_of(&token)]).exit, Exit::Yes);
    assert_eq!(patctl.verify(&token, &[]).0, Exit::Yes);
}
