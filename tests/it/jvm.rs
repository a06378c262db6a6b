//! `patctl config import`: properties among the arguments of a JVM, read as a shell would and never run.

use crate::harness::{Patctl, Setup};
use crate::process::{Home, stdout};
use patctl::exit::Exit;
use std::collections::BTreeMap;

const MAX: &str = "atlassian.pats.max.tokens.per.user";
const CRON: &str = "atlassian.pats.pruning.schedule.cron";
const DAYS: &str = "atlassian.pats.max.tokens.expiry.days";

/// What an import gives: the properties, and where something was refused.
fn import(patctl: &Patctl, name: &str, text: &str) -> (Exit, BTreeMap<String, String>, Vec<String>) {
    std::fs::write(patctl.path(name), text).expect("a file");
    let path = patctl.path(name);
    let run = patctl.run(&["config", "import", path.to_str().expect("a path"), "-o", "json"]);
    let json = run.json();
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let list = |field: &str| json[field].as_array().expect("a list").clone();
    let properties = list("properties").iter().map(|p| (text(&p["property"]), text(&p["value"]))).collect();
    let origin = |p: &serde_json::Value| text(&p["origin"]).rsplit_once('/').expect("a path").1.to_owned();
    let problems =
        list("problems").iter().map(|p| format!("{} {}", origin(p), text(&p["message"]))).collect();
    (run.exit, properties, problems)
}

/// Properties with their values.
type Pairs = &'static [(&'static str, &'static str)];

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Scripts as they are found on servers, and what they set.
const UNDERSTOOD: &[(&str, Pairs)] = &[
    // As the installer leaves it, an argument typed in between the quotes.
    (
        "#!/bin/sh\n#\n#  Occasionally Atlassian Support may recommend that you set some specific JVM arguments.\n#\n\
         JVM_SUPPORT_RECOMMENDED_ARGS=\"-Datlassian.pats.max.tokens.per.user=20\"\n\nexport JAVA_OPTS\n",
        &[(MAX, "20")],
    ),
    // Single quotes; several lines.
    (
        "JVM_SUPPORT_RECOMMENDED_ARGS='-Datlassian.pats.max.tokens.per.user=20\n  -Datlassian.pats.max.tokens.expiry.days=90'\n",
        &[(MAX, "20"), (DAYS, "90")],
    ),
    // The cron as the documentation has it, and what was there before kept.
    (
        "CATALINA_OPTS=\"${CATALINA_OPTS} -Xmx2g -Datlassian.pats.pruning.schedule.cron='0 0 0 * * ?' -Dfoo=bar\"\n",
        &[(CRON, "0 0 0 * * ?")],
    ),
    // Double quotes within double quotes, escaped.
    (
        "export CATALINA_OPTS=\"-Datlassian.pats.pruning.schedule.cron=\\\"0 0 2 ? * MON\\\" $CATALINA_OPTS\"\n",
        &[(CRON, "0 0 2 ? * MON")],
    ),
    // The whole argument in quotes.
    (
        "JAVA_OPTS=\"$JAVA_OPTS '-Datlassian.pats.pruning.schedule.cron=0 0/5 * * * ?'\"\n",
        &[(CRON, "0 0/5 * * * ?")],
    ),
    // Lines continued, inside the quotes and out.
    (
        "JVM_SUPPORT_RECOMMENDED_ARGS=\"-Datlassian.pats.max.tokens.per.user=20 \\\n   \
         -Datlassian.pats.max.tokens.expiry.days=30 \\\n\"\\\n' -Datlassian.pats.enabled=true'\n",
        &[(MAX, "20"), (DAYS, "30"), ("atlassian.pats.enabled", "true")],
    ),
    // Commented out, and a '#' that is none.
    (
        "# JAVA_OPTS=\"-Datlassian.pats.enabled=false\"\nJAVA_OPTS=\"-Dcolour=#fff -Datlassian.pats.max.tokens.per.user=7\" # don't touch\n",
        &[(MAX, "7")],
    ),
    // A default, as the scripts of newer versions have it.
    (
        ": ${JVM_SUPPORT_RECOMMENDED_ARGS:=-Datlassian.pats.max.tokens.per.user=12}\n: ${OTHER:=384m}\n",
        &[(MAX, "12")],
    ),
    (
        ": \"${JVM_SUPPORT_RECOMMENDED_ARGS:=-Datlassian.pats.pruning.schedule.cron='0 0 0 * * ?' -Datlassian.pats.max.tokens.per.user=12}\"\n",
        &[(CRON, "0 0 0 * * ?"), (MAX, "12")],
    ),
    // Blanks escaped; no quotes at all around one.
    (
        "CATALINA_OPTS=-Datlassian.pats.enabled=false\nexport CATALINA_OPTS\n",
        &[("atlassian.pats.enabled", "false")],
    ),
    (
        "JAVA_OPTS=\"-Datlassian.pats.pruning.schedule.cron=0\\ 0\\ 0\\ 1\\ 1\\ \\?\"\n",
        &[(CRON, "0 0 0 1 1 ?")],
    ),
    // The last one counts, as for the JVM; `+=`.
    (
        "JAVA_OPTS='-Datlassian.pats.max.tokens.per.user=1'\nJAVA_OPTS+=\" -Datlassian.pats.max.tokens.per.user=2\"\n",
        &[(MAX, "2")],
    ),
    // Expansions beside it, of every kind, one of which would do something.
    (
        "JAVA_OPTS=\"-Dhost=$(touch CANARY; hostname) -Dx=`touch CANARY` -Datlassian.pats.max.tokens.per.user=5 ${Y:+-Dy=1} $((1 + 2))\"\n\
         if [ -n \"$(touch CANARY)\" ]; then JAVA_OPTS=\"$JAVA_OPTS -Dz\"; fi\n",
        &[(MAX, "5")],
    ),
    // Windows line ends in a shell script; nothing of ours at all.
    ("JAVA_OPTS=\"-Datlassian.pats.max.tokens.per.user=3\"\r\nexport JAVA_OPTS\r\n", &[(MAX, "3")]),
    ("JAVA_OPTS=\"-Xmx2g $(touch CANARY)\"\n", &[]),
];

/// What cannot be taken over, and what is said of it.
const REFUSED: &[(&str, &str)] = &[
    // A shell would cut and glob these.
    (
        "JAVA_OPTS=\"-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\"\n",
        "1:12 atlassian.pats.pruning.schedule.cron = '0'",
    ),
    (
        "JAVA_OPTS=\"-Dx=1 -Datlassian.pats.pruning.schedule.cron=\"0 0 0 * * ?\"\"\n",
        "1:18 atlassian.pats.pruning.schedule.cron = '0'",
    ),
    // Only the shell knows these; they would do something.
    (
        "JAVA_OPTS=\"-Datlassian.pats.enabled=$(touch CANARY; echo true)\"\n",
        "1:12 atlassian.pats.enabled: what it is set to",
    ),
    (
        "JAVA_OPTS=\"-Datlassian.pats.enabled=`touch CANARY`\"\n",
        "1:12 atlassian.pats.enabled: what it is set to",
    ),
    (
        "JAVA_OPTS='-Datlassian.pats.enabled=$(touch CANARY)'\n",
        "1:12 atlassian.pats.enabled: what it is set to",
    ),
    (
        "JAVA_OPTS=\"-Datlassian.pats.max.tokens.per.user=${LIMIT}\"\n",
        "1:12 atlassian.pats.max.tokens.per.user: what it is set to",
    ),
    (
        "JAVA_OPTS=\"$(touch CANARY; echo -Datlassian.pats.enabled=false)\"\n",
        "1: atlassian.pats.enabled: not understood",
    ),
    (
        "if true; then\n  JAVA_OPTS=\"-Datlassian.pats.enabled=false\nfi\n",
        "2:14 atlassian.pats.enabled: not understood: a quote that begins at",
    ),
    (
        "JAVA_OPTS=\"-Datlassian.pats.max.tokens.per.user=many\"\n",
        "1:12 atlassian.pats.max.tokens.per.user = 'many': must be a whole number",
    ),
    ("JAVA_OPTS=\"-Datlassian.pats.enabled\"\n", "1:12 atlassian.pats.enabled = '': must be true or false"),
];

#[test]
fn real_shaped_scripts_give_the_right_properties_and_run_nothing() {
    let patctl = Patctl::new();
    let canary = patctl.path("canary");
    for (script, properties) in UNDERSTOOD {
        let script = script.replace("CANARY", canary.to_str().expect("a path"));
        let (exit, found, problems) = import(&patctl, "setenv.sh", &script);
        assert_eq!((exit, found), (Exit::Yes, map(properties)), "{script}{problems:?}");
    }
    for (script, message) in REFUSED {
        let script = script.replace("CANARY", canary.to_str().expect("a path"));
        let (exit, found, problems) = import(&patctl, "setenv.sh", &script);
        assert_eq!((exit, found), (Exit::Config, map(&[])), "{script}");
        assert_eq!(problems.len(), 1, "{problems:?}");
        let (place, words) = message.split_once(' ').expect("a place");
        assert!(problems[0].starts_with(&format!("setenv.sh:{place}")), "{message}: {problems:?}");
        assert!(problems[0].contains(words), "{message}: {problems:?}");
    }
    assert!(!canary.exists(), "something was run");
}

/// The shell itself is asked what it would give to a JVM, as `catalina.sh` does, globs apart.
#[test]
fn a_shell_gives_the_jvm_what_the_import_says() {
    let patctl = Patctl::new();
    let home = Home::new("");
    for (script, _) in
        UNDERSTOOD.iter().filter(|(script, _)| !script.contains("CANARY") && !script.contains('\r'))
    {
        std::fs::write(home.dir.path().join("setenv.sh"), script).expect("a file");
        let asked = ". ./setenv.sh; set -f; \
                     eval set -- $JVM_SUPPORT_RECOMMENDED_ARGS $CATALINA_OPTS $JAVA_OPTS; printf '%s\\n' \"$@\"";
        let given = stdout(&home.shell(asked));
        let given = given.lines().filter_map(|line| line.strip_prefix("-D")?.split_once('='));
        let given: BTreeMap<String, String> = given
            .filter(|(key, _)| key.starts_with("atlassian.pats."))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(import(&patctl, "setenv.sh", script).1, given, "{script}");
    }
}

#[test]
fn a_cron_that_a_shell_would_glob_is_explained() {
    let patctl = Patctl::new();
    let script = "CATALINA_OPTS=\"-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ? -Dx=y\"\n";
    std::fs::write(patctl.path("setenv.sh"), script).expect("a file");
    let path = patctl.path("setenv.sh");
    let run = patctl.run(&["config", "import", path.to_str().expect("a path")]);
    assert_eq!(run.exit, Exit::Config);
    assert!(run.stdout.starts_with("# refused: ") && run.stdout.contains("setenv.sh:1:16"), "{run:?}");
    assert!(run.stderr.contains("names of files of '*' and '?'"), "{run:?}");
    assert!(run.stderr.contains(&format!("-D{CRON}='0 0 0 * * ?'")), "{run:?}");
}

#[test]
fn other_kinds_of_files_are_read_as_what_reads_them_does() {
    let patctl = Patctl::new();
    let cases: &[(&str, &str, Pairs)] = &[
        // The list of a Windows service: one option a line, nothing quoted.
        (
            "options.txt",
            "-Djava.io.tmpdir=C:\\Program Files\\JIRA\\temp\r\n-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\r\n-Datlassian.pats.max.tokens.per.user=4\r\n",
            &[(CRON, "0 0 0 * * ?"), (MAX, "4")],
        ),
        (
            "jvm.options",
            "# -Datlassian.pats.enabled=false\n-Xmx1g\n-Datlassian.pats.max.tokens.per.user=4\n",
            &[(MAX, "4")],
        ),
        (
            "service.list",
            "--JvmOptions=-Dx=y;-Datlassian.pats.max.tokens.per.user=4;-Datlassian.pats.max.tokens.expiry.days=30\n",
            &[(MAX, "4"), (DAYS, "30")],
        ),
        (
            "setenv.bat",
            "@echo off\r\nrem set X=-Datlassian.pats.enabled=false\r\nset JVM_SUPPORT_RECOMMENDED_ARGS=-Datlassian.pats.max.tokens.per.user=4 ^\r\n  -Datlassian.pats.max.tokens.expiry.days=30\r\n\
             set \"CATALINA_OPTS=%CATALINA_OPTS% \"-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\" -Dx=y\"\r\n",
            &[(MAX, "4"), (DAYS, "30"), (CRON, "0 0 0 * * ?")],
        ),
        (
            "values.yaml",
            "jira:\n  additionalJvmArgs:\n    - -Datlassian.pats.max.tokens.per.user=4 # four\n    - \"-Datlassian.pats.pruning.schedule.cron='0 0 0 * * ?'\"\n    \
             # - -Datlassian.pats.enabled=false\n    - '-Datlassian.pats.max.tokens.expiry.days=30'\n  image: x\n",
            &[(MAX, "4"), (CRON, "0 0 0 * * ?"), (DAYS, "30")],
        ),
        (
            "compose.yml",
            "services:\n  jira:\n    environment:\n      - JVM_SUPPORT_RECOMMENDED_ARGS=-Datlassian.pats.max.tokens.per.user=4 -Datlassian.pats.max.tokens.expiry.days=30\n      \
             CATALINA_OPTS: '-Datlassian.pats.pruning.schedule.cron=''0 0 0 * * ?'''\n",
            &[(MAX, "4"), (DAYS, "30"), (CRON, "0 0 0 * * ?")],
        ),
        (
            "Dockerfile",
            "FROM x\nENV JAVA_OPTS=\"-Datlassian.pats.max.tokens.per.user=4 -Dx=y\"\nRUN true\n",
            &[(MAX, "4")],
        ),
        (
            "jira.service",
            "[Service]\nEnvironment=\"CATALINA_OPTS=-Datlassian.pats.max.tokens.per.user=4 -Dx=y\"\n",
            &[(MAX, "4")],
        ),
        (
            "start",
            "#!/bin/bash\nargs=(-Xmx1g \"-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\")\nexec java -Datlassian.pats.max.tokens.per.user=4 \"${args[@]}\" -jar x.jar\n",
            &[(CRON, "0 0 0 * * ?"), (MAX, "4")],
        ),
        (
            "some.properties",
            "jira.title = x\natlassian.pats.pruning.schedule.cron = '0 0 0 * * ?'\nextender.token.secure.mode: true\n",
            &[(CRON, "0 0 0 * * ?"), ("extender.token.secure.mode", "true")],
        ),
    ];
    for (name, text, properties) in cases {
        let (exit, found, problems) = import(&patctl, name, text);
        assert_eq!((exit, found), (Exit::Yes, map(properties)), "{name}: {problems:?}");
    }
    for (name, text) in [
        ("setenv.bat", "set X=-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\r\n"),
        ("setenv.bat", "set X=-Datlassian.pats.enabled=%ENABLED%\r\n"),
        ("values.yaml", "a:\n  - -Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\n"),
        ("values.yaml", "a:\n  - -Datlassian.pats.enabled={{ .Values.x }}\n"),
        ("values.yaml", "a: [\"-Datlassian.pats.enabled=false\"]\n"),
        ("jvm.options", "-Datlassian.pats.enabled=\"\n"),
    ] {
        let (exit, found, problems) = import(&patctl, name, text);
        assert_eq!(
            (exit, found.len(), problems.len()),
            (Exit::Config, 0, 1),
            "{name} {text}: {found:?} {problems:?}"
        );
    }
}

/// What is printed can be used as it is, names each place, and says what counts.
#[test]
fn the_output_is_a_configuration_with_the_origin_of_each_line() {
    let patctl = Patctl::new();
    let script = "JAVA_OPTS=\"-Datlassian.pats.max.tokens.per.user=1 -Datlassian.pats.pruning.schedule.cron='0 0 0 * * ?'\"\n\
                  JAVA_OPTS=\"$JAVA_OPTS -Datlassian.pats.max.tokens.per.user=20 -Datlassian.pats.max.token.per.user=3\"\n\
                  JAVA_OPTS=\"$JAVA_OPTS -Dextender.token.secure.mode=true\"\n";
    std::fs::write(patctl.path("setenv.sh"), script).expect("a file");
    std::fs::write(patctl.path("jira-config.properties"), "atlassian.pats.enabled = true\njira.title = x\n")
        .expect("a file");
    let paths = ["setenv.sh", "jira-config.properties"].map(|name| patctl.path(name).display().to_string());
    let run = patctl.run(&["config", "import", &paths[0], &paths[1]]);
    let expected = format!(
        "# {0}:1:51\n{CRON} = 0 0 0 * * ?\n# {0}:2:23\n{MAX} = 20\n# {0}:3:23\nextender.token.secure.mode = true\n\
         # {1}:1:1\natlassian.pats.enabled = true\n",
        paths[0], paths[1]
    );
    run.is(Exit::Yes, &expected);
    for word in [
        "was set at",
        "unknown property 'atlassian.pats.max.token.per.user' is left out (did you mean",
        "Extender reads extender.token.secure.mode from jira-config.properties",
        "Jira does not read atlassian.pats.enabled from this file",
    ] {
        assert!(run.stderr.contains(word), "{word}: {run:?}");
    }
    patctl.configure(&run.stdout);
    assert_eq!(patctl.run(&["config", "check"]).exit, Exit::Yes);
    let shown = patctl.run(&["config", "show", MAX, "-o", "json"]).json();
    assert_eq!(shown[0]["value"], "20");
}

#[test]
fn a_running_jvm_and_stdin_are_read_too() {
    let patctl = Patctl::new();
    let stdin = |text: &'static str| Setup { stdin: text.as_bytes(), ..Setup::default() };
    let args = ["config", "import", "--format", "list", "-"];
    let cmdline =
        stdin("/usr/bin/java\n-Xmx1g\n-Datlassian.pats.pruning.schedule.cron=0 0 0 * * ?\n-jar\nx y.jar\n");
    let run = patctl.run_with(&args, &cmdline);
    run.is(Exit::Yes, &format!("# (stdin):3:1\n{CRON} = 0 0 0 * * ?\n"));
    let none =
        patctl.run_with(&args[..2].iter().chain(&["-"]).copied().collect::<Vec<_>>(), &stdin("echo\n"));
    assert_eq!((none.exit, none.stdout.as_str()), (Exit::Yes, ""));
    assert!(none.stderr.contains("the defaults hold"), "{none:?}");
    assert_eq!(patctl.run(&["config", "import"]).exit, Exit::Usage);
    assert_eq!(patctl.run(&["config", "import", "/nonexistent"]).exit, Exit::Io);
}

#[test]
fn a_property_that_jira_does_not_read_there_is_warned_of_by_check_alone() {
    let patctl = Patctl::new();
    let path = patctl.path("jira-config.properties");
    let path = path.to_str().expect("a path");
    std::fs::write(
        path,
        "jira.title = x\natlassian.pats.max.tokens.per.user = 5\nextender.token.secure.mode = true\n",
    )
    .expect("a file");
    let run = patctl.run(&["config", "check", path]);
    run.says(Exit::Config, &["jira-config.properties:2:1: Jira does not read", "setenv.sh"]);
    assert!(!run.stderr.contains("extender"), "{run:?}");
    let json = patctl.run(&["config", "check", path, "-o", "json"]).json();
    assert_eq!((json["ok"].as_bool(), json["problems"].as_array().map(Vec::len)), (Some(false), Some(1)));
    // It counts for patctl all the same, and a use is not the time to say so.
    let args =
        ["patctl", "--config", path, "config", "show", MAX, "-o", "json"].map(std::ffi::OsString::from);
    let used = patctl.run_exactly(&args, &Setup::default());
    assert_eq!((&used.json()[0]["value"], used.stderr.as_str()), (&"5".into(), ""));
    std::fs::write(patctl.path("other.properties"), "atlassian.pats.max.tokens.per.user = 5\n")
        .expect("a file");
    let other = patctl.path("other.properties");
    assert_eq!(patctl.run(&["config", "check", other.to_str().expect("a path")]).exit, Exit::Yes);
}
