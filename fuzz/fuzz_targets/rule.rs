//! Rule texts: nothing panics, what is accepted reads the same line by line, and every fault has a
//! place in its line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patctl::domain::restriction::{Base, Rules};

fuzz_target!(|text: &str| {
    let base = Base::parse("https://jira.example.org/jira").expect("a base");
    for base in [None, Some(&base)] {
        match Rules::parse(text, base) {
            Ok(rules) => {
                for rule in rules.lines() {
                    let again = Rules::parse(&rule.text, base).expect("a line that was accepted is accepted alone");
                    assert_eq!(again.lines()[0].text, rule.text);
                    assert_eq!(again.lines()[0].clauses.len(), rule.clauses.len());
                }
            }
            Err(errors) => {
                for error in errors {
                    assert!(error.column <= error.text.len() + 1, "{error}");
                    let _ = error.before();
                }
            }
        }
    }
});
