//! What `patctl scan` answers with: SARIF, masks, rules for gitleaks, and to a reader that left.

use crate::harness::{Patctl, Setup, Sink, id_of};
use crate::scan::{JIRA, files, places};
use patctl::exit::Exit;

#[test]
fn sarif_names_rule_place_and_level_and_no_secret() {
    let patctl = Patctl::new();
    let token = patctl.create(&["--user", "alice"]);
    let tree = files(&patctl, &[("a b.txt", &format!("\n{token}\n{JIRA}"))]);
    let run = patctl.run(&["scan", &tree, "--sarif"]);
    assert_eq!(run.exit, Exit::No);
    assert!(!run.stdout.contains(&token[30..]) && !run.stdout.contains(&JIRA[20..]));
    let sarif = run.json();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let rules = sarif["runs"][0]["tool"]["driver"]["rules"].as_array().expect("rules");
    for (result, rule, level, line) in
        [(&results[0], "patctl-token", "error", 2), (&results[1], "atlassian-token", "warning", 3)]
    {
        assert_eq!((&result["ruleId"], &result["level"]), (&rule.into(), &level.into()));
        assert_eq!(
            rules[usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small")]["id"],
            rule
        );
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], line);
        assert!(place["artifactLocation"]["uri"].as_str().expect("a URI").ends_with("tree/a%20b.txt"));
    }
    assert_eq!(results[0]["locations"][0]["physicalLocation"]["region"]["byteLength"], token.len());
    patctl.run(&["scan", &tree, "--sarif", "-o", "csv"]).says(Exit::Usage, &["table or json"]);
}

#[test]
fn a_token_in_the_name_of_a_file_is_masked() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let tree = files(&patctl, &[(&format!("{token}.txt"), &token)]);
    for args in [&["-o", "json"][..], &["-o", "csv"], &[], &["--sarif"]] {
        let run = patctl.run(&[&["scan", &tree], args].concat());
        assert!(run.stdout.contains(id_of(&token)) && !run.stdout.contains(&token[20..40]), "{run:?}");
    }
}

#[test]
fn rules_for_gitleaks_are_for_the_installed_prefix() {
    let patctl = Patctl::new();
    patctl.configure("patctl.token.prefix = Acme_CI\n");
    let run = patctl.run(&["scan", "--emit", "gitleaks"]);
    assert_eq!(run.exit, Exit::Yes);
    let toml = toml::de::DeTable::parse(&run.stdout).expect("TOML");
    assert_eq!(
        toml.get_ref()["extend"].get_ref().get("useDefault").and_then(|value| value.get_ref().as_bool()),
        Some(true),
        "gitleaks keeps its own rules"
    );
    // Printed into the same file again, it is no configuration any more: gitleaks says so.
    assert!(toml::de::DeTable::parse(&run.stdout.repeat(2)).is_err());
    let rules = toml.get_ref()["rules"].get_ref().as_array().expect("rules");
    let of = |rule: usize, field: &str| rules[rule].get_ref().get(field).expect("a field").get_ref().clone();
    let matches = |rule: usize, text: &str| {
        let pattern = of(rule, "regex").as_str().expect("a pattern").to_owned();
        regex::bytes::Regex::new(&pattern).expect("a pattern").is_match(text.as_bytes())
    };
    let token = patctl.create(&[]);
    assert!(matches(0, &format!("x={token};")) && !matches(0, JIRA));
    assert_eq!(of(0, "keywords")[0].get_ref().as_str(), Some("acme_ci_"));
    assert!(matches(1, &format!("Bearer {JIRA}")) && !matches(1, &token));
    // A former prefix is found by patctl itself.
    let tree = files(&patctl, &[("x", &Patctl::foreign_token()), ("y", &token)]);
    assert_eq!(places(&patctl.run(&["scan", &tree, "-o", "json"])), ["x:1 unknown", "y:1 active"]);
}

#[test]
fn a_reader_that_left_changes_nothing_and_a_full_disk_is_trouble() {
    let patctl = Patctl::new();
    let token = patctl.create(&[]);
    let tree = files(&patctl, &[("x", &token)]);
    for (sink, exit) in [(Sink::Gone, Exit::No), (Sink::Full, Exit::Io)] {
        for format in ["table", "json", "csv"] {
            let setup = Setup { stdout: sink, ..Setup::default() };
            assert_eq!(patctl.run_with(&["scan", &tree, "-o", format], &setup).exit, exit);
        }
    }
}
