//! Each case on each framework: the framework reads what the line forbids, and no line allows it.

use crate::cases;
use crate::frameworks::named;
use crate::lines::Line;
use patctl::domain::restriction::Merges;

fn check(name: &str, test: &str) {
    let framework = named(name);
    let Some(mut worker) = framework.start(test) else { return };
    let cases = cases::all();
    let answers = worker.ask(cases.iter().map(|case| &case.wire));
    if answers.iter().all(|answer| answer.methods.is_empty()) {
        crate::say(&format!("SKIPPED {test}: {name} replaces no method: its middleware is not installed"));
    }
    let (mut failures, mut listed, mut fooled) = (Vec::new(), 0, 0);
    for (case, answer) in cases.iter().zip(&answers) {
        let line = Line::new(case.line);
        let sent = case.wire.sent();
        if case.fooled.split(' ').any(|one| one == name) {
            listed += 1;
            // Another version of the framework may have learnt; this test has then lost a case.
            match line.broken_by(&case.wire, answer, Merges::All) {
                Some(_) => fooled += 1,
                None => {
                    crate::say(&format!("FRAMEWORKS {name} is not fooled by '{}': {answer:?}", case.name));
                }
            }
        }
        for merges in framework.merges {
            if let Some(read) = line.broken_by(&case.wire, answer, *merges)
                && line.allows(&sent, *merges)
            {
                failures.push(format!("'{}' is allowed [{merges:?}], and reads {read}", case.name));
            }
        }
    }
    assert!(failures.is_empty(), "{name}:\n{}", failures.join("\n"));
    assert!(fooled * 4 >= listed * 3, "{name} is fooled by {fooled} of {listed} cases only");
}

macro_rules! each {
    ($($framework:ident => $test:ident),+ $(,)?) => {$(
        #[test]
        fn $test() {
            check(stringify!($framework), stringify!($test));
        }
    )+};
}

each! {
    express => express_reads_nothing_forbidden,
    express5 => express5_reads_nothing_forbidden,
    rack => rack_reads_nothing_forbidden,
    php => php_reads_nothing_forbidden,
    laravel => laravel_reads_nothing_forbidden,
    plack => plack_reads_nothing_forbidden,
    bottle => bottle_reads_nothing_forbidden,
    flask => flask_reads_nothing_forbidden,
    webob => webob_reads_nothing_forbidden,
    go => go_reads_nothing_forbidden,
}

/// What a client sends every day is allowed: a judge that denies everything would pass the other tests.
#[test]
fn plain_requests_are_allowed() {
    for (line, wire) in cases::plain() {
        for merges in Merges::ALL {
            assert!(Line::new(line).allows(&wire.sent(), merges), "{line} [{merges:?}] {}", wire.told());
        }
    }
}
