//! Which tokens are rotated, within which limits, and when a rotation is undone.

use crate::harness::{Patctl, id_of};
use crate::rotate::{rotate, says, shown};
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use serde_json::Value;

#[test]
fn undo_needs_something_to_go_back_to_and_room_for_it() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 1");
    let old = patctl.create(&["ci", "--expires", "1"]);
    let new = rotate(&patctl, &old, &["--grace", "1w"]);
    let undo = || patctl.run(&["rotate", "--undo", id_of(&old)]);
    patctl.run(&["disable", id_of(&old)]);
    undo().says(Exit::No, &["switched off"]);
    patctl.run(&["enable", id_of(&old)]);
    // Its place went to another token: one more would be one too many.
    patctl.run(&["revoke", id_of(&new)]);
    let other = patctl.create(&["other"]);
    undo().says(Exit::No, &["operator has 1 token, 1 are allowed"]);
    patctl.run(&["revoke", id_of(&other)]);
    assert_eq!(undo().exit, Exit::Yes);
    rotate(&patctl, &old, &["--grace", "1w", "--expires", "30"]);
    patctl.pass(Span::days(1));
    undo().says(Exit::No, &["expired"]);
    patctl.run(&["revoke", id_of(&old)]);
    undo().says(Exit::No, &["revoked"]);
}

#[test]
fn at_the_limit_a_token_is_rotated_all_the_same_and_makes_no_room() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 2");
    let tokens = [patctl.create(&[]), patctl.create(&[])];
    let full = || patctl.run(&["create"]).says(Exit::No, &["operator has 2 tokens, 2 are allowed"]);
    full();
    let at_once = rotate(&patctl, &tokens[0], &["--now"]);
    full();
    rotate(&patctl, &at_once, &["--grace", "1w"]);
    full();
    let waiting = rotate(&patctl, &tokens[1], &["--until-first-use"]);
    full();
    patctl.run(&["rotate", "--undo", id_of(&waiting)]);
    full();
}

#[test]
fn a_row_of_graces_is_no_way_around_the_limit() {
    let patctl = Patctl::new();
    let first = patctl.create(&["ci"]);
    let second = rotate(&patctl, &first, &["--grace", "1w"]);
    let works = format!("{}, whose place {} takes, works until", id_of(&first), id_of(&second));
    for mode in [&["--grace", "1h"][..], &["--until-first-use"]] {
        patctl.run(&[&["rotate", id_of(&second)], mode].concat()).says(Exit::No, &[&works, "--now"]);
    }
    let third = rotate(&patctl, &second, &["--now"]);
    assert_eq!(says(&patctl, &first), "yes");
    assert_eq!(says(&patctl, &second), "rotated");
    let in_turn = format!("{}, the successor of {}, was rotated in turn", id_of(&second), id_of(&first));
    patctl.run(&["rotate", "--undo", id_of(&first)]).says(Exit::No, &[&in_turn]);
    patctl.pass(Span::days(7));
    rotate(&patctl, &third, &["--grace", "1h"]);
}

#[test]
fn rotated_tokens_are_pruned_like_revoked_ones() {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.pruning.delay.days = 10");
    let old = patctl.create(&["ci"]);
    let new = rotate(&patctl, &old, &["--grace", "24h"]);
    patctl.pass(Span::days(11));
    patctl.run(&["prune", "-o", "ids"]).is(Exit::Yes, "");
    patctl.pass(Span::seconds(1));
    patctl.run(&["prune", "-o", "ids"]).is(Exit::Yes, &format!("{}\n", id_of(&old)));
    assert_eq!(says(&patctl, &old), "unknown");
    assert_eq!(says(&patctl, &new), "yes");
    patctl.run(&["rotate", "--undo", id_of(&new)]).says(Exit::No, &["no rotation"]);
}

#[test]
fn only_live_tokens_without_a_successor_are_rotated() {
    let patctl = Patctl::new();
    let (a, b, c, d) =
        (patctl.create(&[]), patctl.create(&[]), patctl.create(&["--expires", "1"]), patctl.create(&[]));
    patctl.run(&["revoke", id_of(&a)]);
    patctl.run(&["disable", id_of(&b)]);
    patctl.pass(Span::days(1));
    let waiting = rotate(&patctl, &d, &["--grace", "1h"]);
    let rows = patctl.count("SELECT count(*) FROM token");
    for (token, why) in [(&a, "was revoked"), (&b, "switched off"), (&c, "expired at")] {
        patctl.run(&["rotate", id_of(token)]).says(Exit::No, &[why]);
        patctl.run(&["rotate", id_of(token), "--dry-run"]).says(Exit::No, &[why]);
    }
    let named = format!("has a successor already: {}", id_of(&waiting));
    patctl.run(&["rotate", id_of(&d)]).says(Exit::No, &[&named, "--undo"]);
    patctl.pass(Span::hours(1));
    let named = format!("{} has taken the place of {}", id_of(&waiting), id_of(&d));
    patctl.run(&["rotate", id_of(&d)]).says(Exit::No, &[&named]);
    patctl.run(&["rotate", "zzzz"]).says(Exit::No, &["no token has the id zzzz"]);
    assert_eq!(patctl.count("SELECT count(*) FROM token"), rows);
}

#[test]
fn todays_policy_holds_for_the_successor() {
    let patctl = Patctl::new();
    let long = patctl.create(&["a", "--expires", "90"]);
    let eternal = patctl.create(&["a rather long name"]);
    let pats = "atlassian.pats";
    patctl.configure(&format!(
        "{pats}.max.tokens.expiry.days = 30\n{pats}.eternal.tokens.enabled = false\n{pats}.token.name.length = 3"
    ));
    patctl.run(&["rotate", id_of(&long)]).says(Exit::No, &["30 days at most", "--expires 30"]);
    patctl.run(&["rotate", id_of(&eternal)]).says(Exit::No, &["must have an expiry", "--expires 30"]);
    patctl.run(&["rotate", id_of(&long), "--expires", "0"]).says(Exit::No, &["not in the future"]);
    patctl.run(&["rotate", id_of(&long), "--expires", "never"]).says(Exit::No, &["must have an expiry"]);
    let new = rotate(&patctl, &eternal, &["--expires", "30"]);
    assert_eq!(shown(&patctl, &new)["name"], "a rather long name", "the name is the old one's");
    patctl.configure(&format!("{pats}.enabled = false"));
    patctl.run(&["rotate", id_of(&long)]).says(Exit::No, &["switched off (atlassian.pats.enabled"]);
    patctl.configure(&format!("{pats}.max.tokens.expiry.days = 30\npatctl.policy.apply.to.existing = true"));
    patctl.pass(Span::days(31));
    patctl
        .run(&["rotate", id_of(&long), "--expires", "30"])
        .says(Exit::No, &["patctl.policy.apply.to.existing"]);
}

#[test]
fn secure_tokens_are_rotated_and_the_successor_follows_todays_mode() {
    let patctl = Patctl::new();
    patctl.configure("extender.token.secure.mode = true");
    let secure = patctl.create(&["ci"]);
    let still = rotate(&patctl, &secure, &[]);
    assert_eq!(shown(&patctl, &still)["secure"], true);
    patctl.configure("");
    let standard = rotate(&patctl, &still, &[]);
    assert_eq!(shown(&patctl, &standard)["secure"], false);
}

#[test]
fn tokens_for_any_user_are_rotated_while_they_are_allowed() {
    let patctl = Patctl::new();
    patctl.configure("patctl.any.user.enabled = true");
    let old = patctl.create(&["--any-user"]);
    let new = rotate(&patctl, &old, &[]);
    assert_eq!(shown(&patctl, &new)["user"], Value::Null);
    patctl.configure("");
    patctl.run(&["rotate", id_of(&new)]).says(Exit::No, &["patctl.any.user.enabled = false"]);
}

#[test]
fn flags_that_contradict_are_wrong_usage() {
    let patctl = Patctl::new();
    let old = patctl.create(&[]);
    let id = id_of(&old);
    for args in [
        &["rotate"][..],
        &["rotate", id, "--now", "--grace", "1h"],
        &["rotate", id, "--grace", "1h", "--until-first-use"],
        &["rotate", id, "--grace", "-1h"],
        &["rotate", id, "--grace", "1M"],
        &["rotate", id, "--undo", "--now"],
        &["rotate", id, "--undo", "--token-file", "x"],
        &["rotate", id, "-o", "ids"],
        &["rotate", &old],
    ] {
        assert_eq!(patctl.run(args).exit, Exit::Usage, "{args:?}");
    }
    assert_eq!(says(&patctl, &old), "yes");
}
