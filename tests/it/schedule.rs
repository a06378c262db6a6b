//! `schedule`: what people, cron and systemd are told.

use crate::harness::{Patctl, Run, moment};
use crate::process::{Home, PROGRAM, have, stderr, stdout};
use patctl::domain::schedule::Schedule;
use patctl::exit::Exit;
use std::path::Path;
use std::process::Command;

const PRUNE: &str = "atlassian.pats.pruning.schedule.cron";
const NOTIFY: &str = "atlassian.pats.expiry.check.schedule.cron";

/// A `TZif` file (RFC 8536) without a table, only with the rule of its footer.
pub fn tzif(rule: &str) -> Vec<u8> {
    let mut file = Vec::new();
    for _ in 0..2 {
        file.extend(b"TZif2");
        file.extend([0; 15]);
        // No leap seconds, no transitions; one type, UTC, with a name of four bytes.
        for count in [0_u32, 0, 0, 0, 1, 4] {
            file.extend(count.to_be_bytes());
        }
        file.extend([0, 0, 0, 0, 0, 0]);
        file.extend(b"UTC\0");
    }
    file.extend(format!("\n{rule}\n").into_bytes());
    file
}

pub const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// With Berlin among the zones, and these properties.
fn patctl(properties: &str) -> Patctl {
    let patctl = Patctl::new();
    patctl.configure(properties);
    std::fs::create_dir_all(patctl.path("zoneinfo/Europe")).expect("a directory");
    std::fs::write(patctl.path("zoneinfo/Europe/Berlin"), tzif(BERLIN)).expect("a file");
    patctl
}

/// What `--crontab` prints, without the files that the harness names.
fn crontab(patctl: &Patctl, args: &[&str]) -> Run {
    let mut all = vec!["schedule", "--crontab"];
    all.extend(args);
    let mut run = patctl.run(&all);
    for (flag, name) in [("--config", "patctl.properties"), ("--db", "patctl.db")] {
        run.stdout = run.stdout.replace(&format!(" {flag} {}", patctl.path(name).display()), "");
    }
    run
}

#[test]
fn the_defaults_are_two_crontab_lines() {
    let lines = "0 0 * * * /usr/local/bin/patctl prune\n0 * * * * /usr/local/bin/patctl notify\n";
    let patctl = patctl("");
    crontab(&patctl, &[]).is(Exit::Yes, lines);
    // The command line of cron has no arguments that nobody gave.
    let args = ["patctl", "schedule", "--crontab"].map(Into::into);
    patctl.run_exactly(&args, &crate::harness::Setup::default()).is(Exit::Yes, lines);
}

#[test]
fn what_names_the_database_here_names_it_there() {
    let patctl = patctl("");
    let run = |args: &[&str]| {
        let all: Vec<_> = args.iter().map(Into::into).collect();
        patctl.run_exactly(&all, &crate::harness::Setup::default())
    };
    let here = std::env::current_dir().expect("a directory");
    let relative =
        run(&["patctl", "--db", "it's 5%.db", "-D", "patctl.token.prefix=x", "schedule", "--crontab"]);
    let expected = format!("'{}/it'\\''s 5\\%.db' -D patctl.token.prefix=x prune\n", here.display());
    assert!(relative.stdout.contains(&expected), "{relative:?}");
    // What only says when is not said again.
    let define = format!("{PRUNE}=0 0 5 * * ?");
    let when = run(&["patctl", "-D", &define, "schedule", "--crontab"]);
    assert!(when.stdout.starts_with("0 5 * * * /usr/local/bin/patctl prune\n"), "{when:?}");
    let home = Home::new("");
    let real = stdout(&home.run(&["schedule", "--crontab"]));
    let dir = home.dir.path().display();
    let command = format!("{PROGRAM} --config {dir}/patctl.properties --db {dir}/patctl.db");
    assert_eq!(
        real,
        format!("0 0 * * * {command} prune\n0 * * * * {command} notify\n"),
        "from the environment"
    );
    run(&["patctl", "--db", "a\nb", "schedule", "--crontab"]).says(Exit::Usage, &["control character"]);
}

/// Quartz, crontab, `OnCalendar`; an error is what the refusal says.
type Translation =
    (&'static str, Result<&'static str, &'static str>, Result<&'static [&'static str], &'static str>);

const TRANSLATIONS: &[Translation] = &[
    ("0 0 0 * * ?", Ok("0 0 * * *"), Ok(&["*-*-* 00:00:00"])),
    ("0 0 * * * ?", Ok("0 * * * *"), Ok(&["*-*-* *:00:00"])),
    ("0 0/5 * * * ?", Ok("*/5 * * * *"), Ok(&["*-*-* *:00/5:00"])),
    ("0 3/5 8-18/2 * * ?", Ok("3-58/5 8-18/2 * * *"), Ok(&["*-*-* 08..18/2:03/5:00"])),
    ("0 0 22-2 * * ?", Ok("0 0-2,22-23 * * *"), Ok(&["*-*-* 00..02,22..23:00:00"])),
    ("0 0 0 1,15 * ?", Ok("0 0 1,15 * *"), Ok(&["*-*-01,15 00:00:00"])),
    ("0 0 0 ? JAN,MAR 2-6", Ok("0 0 * 1,3 1-5"), Ok(&["Mon..Fri *-01,03-* 00:00:00"])),
    ("0 0 0 ? * 1", Ok("0 0 * * 0"), Ok(&["Sun *-*-* 00:00:00"])),
    ("0 0 0 ? * L", Ok("0 0 * * 6"), Ok(&["Sat *-*-* 00:00:00"])),
    ("0 0 0 ? * SAT-MON", Ok("0 0 * * 0-1,6"), Ok(&["Mon,Sat..Sun *-*-* 00:00:00"])),
    ("0 0 0 ? * 1-7", Ok("0 0 * * *"), Ok(&["*-*-* 00:00:00"])),
    ("0 0 0 ? * *", Ok("0 0 * * *"), Ok(&["*-*-* 00:00:00"])),
    ("0 0 0 * * ? 1970-2199", Ok("0 0 * * *"), Ok(&["*-*-* 00:00:00"])),
    ("30 0 0 * * ?", Err("no seconds"), Ok(&["*-*-* 00:00:30"])),
    ("* * * * * ?", Err("no seconds"), Ok(&["*-*-* *:*:*"])),
    ("0 0 0 * * ? 2027,2030-2031", Err("no years"), Ok(&["2027,2030..2031-*-* 00:00:00"])),
    ("0 0 0 L * ?", Err("no 'L'"), Ok(&["*-*~01 00:00:00"])),
    ("0 0 0 L-2 * ?", Err("no 'L'"), Ok(&["*-*~03 00:00:00"])),
    ("0 0 0 L-28 * ?", Err("no 'L'"), Err("at most 28 days")),
    ("0 0 0 LW * ?", Err("no 'L'"), Ok(&["Mon..Fri *-*~01 00:00:00", "Fri *-*~02..03 00:00:00"])),
    ("0 0 0 L-3W * ?", Err("no 'L'"), Err("no 'W'")),
    ("0 0 0 1W * ?", Err("no 'W'"), Ok(&["Mon..Fri *-*-01 00:00:00", "Mon *-*-02..03 00:00:00"])),
    (
        "0 0 0 15W * ?",
        Err("no 'W'"),
        Ok(&["Mon..Fri *-*-15 00:00:00", "Fri *-*-14 00:00:00", "Mon *-*-16 00:00:00"]),
    ),
    ("0 0 0 31W * ?", Err("no 'W'"), Err("no 'W'")),
    ("0 15 10 ? * 6L", Err("no 'L'"), Ok(&["Fri *-*~01..07 10:15:00"])),
    ("0 15 10 ? * 6#3", Err("no '#'"), Ok(&["Fri *-*-15..21 10:15:00"])),
    ("0 15 10 ? * MON#5", Err("no '#'"), Ok(&["Mon *-*-29..31 10:15:00"])),
    ("0 0 0 31 2 ?", Err("it never fires"), Err("it never fires")),
    ("0 0 0 * * ? 2020", Err("it never fires"), Err("it never fires")),
];

#[test]
fn each_expression_is_translated_exactly_or_refused_with_the_reason() {
    let patctl = patctl("");
    for (quartz, cron, calendar) in TRANSLATIONS {
        let define = format!("{PRUNE}={quartz}");
        let json = patctl.run(&["-D", &define, "schedule", "-o", "json"]);
        assert_eq!(json.exit, Exit::Yes, "nobody asked for a line: {json:?}");
        let job = &json.json()["jobs"][0];
        match cron {
            Ok(fields) => {
                let line = job["crontab"]["line"].as_str().unwrap_or_else(|| panic!("{quartz}: {job}"));
                assert!(line.starts_with(&format!("{fields} /usr/local/bin/patctl ")), "{quartz}: {line}");
            }
            Err(why) => {
                let run = crontab(&patctl, &["-D", &define]);
                assert_eq!(run.exit, Exit::No, "{quartz}: {run:?}");
                assert!(run.stderr.contains(why) && run.stderr.contains(quartz), "{quartz}: {run:?}");
                assert_eq!(run.stdout, "0 * * * * /usr/local/bin/patctl notify\n", "{quartz}");
            }
        }
        match calendar {
            Ok(events) => assert_eq!(job["systemd"]["on_calendar"], serde_json::json!(events), "{quartz}"),
            Err(why) => {
                let run = patctl.run(&["-D", &define, "schedule", "--systemd"]);
                assert_eq!(run.exit, Exit::No, "{quartz}: {run:?}");
                assert!(run.stderr.contains(why), "{quartz}: {run:?}");
                assert!(!run.stdout.contains("prune") && run.stdout.contains("patctl-notify.timer"));
            }
        }
    }
}

#[test]
fn a_bad_expression_is_a_configuration_error() {
    let patctl = patctl("");
    for bad in ["0 0 * * *", "0 0 0 1 * MON", "0 0 0 ? * L,1"] {
        let run = patctl.run(&["-D", &format!("{PRUNE}={bad}"), "schedule", "--crontab"]);
        run.says(Exit::Config, &[PRUNE]);
    }
}

#[test]
fn people_see_the_next_runs_and_what_the_clock_does_to_them() {
    let patctl = patctl(&format!("{PRUNE} = 0 30 2 * * ?\n{NOTIFY} = 0 0 0 31 2 ?\n"));
    patctl.set_now(moment("2027-03-26T12:00:00Z"));
    let run = patctl.run(&["schedule", "--timezone", "Europe/Berlin", "--count", "2"]);
    let config = patctl.path("patctl.properties");
    run.is(
        Exit::Yes,
        &format!(
            "time zone   Europe/Berlin\n\n\
             job         patctl prune\n\
             property    {PRUNE} ({path}:3:40)\n\
             expression  0 30 2 * * ?\n\
             in words    at 02:30, every day\n\
             next runs   2027-03-27 02:30:00 +01:00 (in 14 hours)\n            \
             2027-03-29 02:30:00 +02:00 (in 3 days)\n\
             clock moves 2027-03-28 02:30:00 is skipped\n            \
             2027-10-31 02:30:00 comes twice\n\n\
             job         patctl notify\n\
             property    {NOTIFY} ({path}:4:45)\n\
             expression  0 0 0 31 2 ?\n\
             in words    at 00:00, on day 31 of the month in February\n\
             next runs   never, as far as Quartz knows years (2199)\n",
            path = config.display()
        ),
    );
    patctl.set_now(moment("2027-10-30T12:00:00Z"));
    let json = patctl.run(&["schedule", "--timezone", "Europe/Berlin", "--count", "1", "-o", "json"]).json();
    assert_eq!(json["timezone"], "Europe/Berlin");
    let prune = &json["jobs"][0];
    let next = serde_json::json!([
        {"at": "2027-10-31T00:30:00.000000Z", "local": "2027-10-31T02:30:00+02:00", "doubled": true}
    ]);
    assert_eq!((&prune["next"], &prune["never"]), (&next, &serde_json::json!(false)));
    let changes = serde_json::json!([
        {"local": "2027-10-31T02:30:00", "what": "doubled"},
        {"local": "2028-03-26T02:30:00", "what": "skipped"},
        {"local": "2028-10-29T02:30:00", "what": "doubled"},
    ]);
    assert_eq!(prune["clock_changes"], changes);
    assert_eq!((&json["jobs"][1]["never"], &json["jobs"][1]["next"]), (&true.into(), &serde_json::json!([])));
}

#[test]
fn the_zone_is_that_of_the_system_unless_another_is_named() {
    let mut patctl = patctl("");
    let zone = |patctl: &Patctl, args: &[&str]| {
        let mut all = vec!["schedule", "-o", "json"];
        all.extend(args);
        let json = patctl.run(&all).json();
        let local = json["jobs"][0]["next"][0]["local"].as_str().expect("a time").to_owned();
        (json["timezone"].as_str().expect("a name").to_owned(), local)
    };
    let utc = || ("UTC".to_owned(), "2026-11-22T00:00:00+00:00".to_owned());
    assert_eq!(zone(&patctl, &[]), utc(), "none is set");
    patctl.env.insert("TZ".to_owned(), "Europe/Berlin".into());
    assert_eq!(zone(&patctl, &[]), utc(), "cron and systemd do not read TZ");
    std::os::unix::fs::symlink(patctl.path("zoneinfo/Europe/Berlin"), patctl.path("localtime"))
        .expect("a link");
    let berlin = ("Europe/Berlin".to_owned(), "2026-11-22T00:00:00+01:00".to_owned());
    assert_eq!(zone(&patctl, &[]), berlin);
    assert_eq!(zone(&patctl, &["--timezone", "UTC"]), utc());
    // A zone that differs in nothing to come is the same to cron.
    std::fs::write(patctl.path("zoneinfo/Copenhagen"), tzif(&BERLIN.replace("CE", "XY"))).expect("a file");
    assert_eq!(crontab(&patctl, &["--timezone", "Copenhagen"]).exit, Exit::Yes);
    crontab(&patctl, &["--timezone", "UTC"]).says(Exit::No, &["in the time zone of the system, not in UTC"]);
    let timer = patctl.run(&["schedule", "--systemd", "--timezone", "Europe/Berlin"]).stdout;
    assert!(timer.contains("OnCalendar=*-*-* 00:00:00 Europe/Berlin\n"), "{timer}");
    for bad in ["Europe/Atlantis", "../localtime", "/etc/localtime", "Europe", "", "a\nb"] {
        patctl.run(&["schedule", "--timezone", bad]).says(Exit::Usage, &["no time zone", "Europe/Berlin"]);
    }
    std::fs::write(patctl.path("zoneinfo/Broken"), "TZif").expect("a file");
    patctl.run(&["schedule", "--timezone", "Broken"]).says(Exit::Usage, &["no TZif file"]);
    std::fs::remove_file(patctl.path("localtime")).expect("a link");
    std::fs::write(patctl.path("localtime"), "junk").expect("a file");
    patctl.run(&["schedule"]).says(Exit::Io, &["localtime", "--timezone"]);
}

#[test]
fn the_format_and_the_count_are_checked() {
    let patctl = patctl("");
    patctl.run(&["schedule", "-o", "csv"]).says(Exit::Usage, &["table or json"]);
    for bad in ["0", "1001", "x"] {
        assert_eq!(patctl.run(&["schedule", "--count", bad]).exit, Exit::Usage, "{bad}");
    }
    patctl.run(&["schedule", "--crontab", "--systemd"]).says(Exit::Usage, &["--systemd"]);
    let json = patctl.run(&["schedule", "--count", "1000", "-o", "jsonl"]).json();
    assert_eq!(json["jobs"][1]["next"].as_array().map(Vec::len), Some(1000));
}

fn written(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn units_go_into_a_new_directory_and_overwrite_nothing() {
    let home = Home::new("");
    home.create(&[]);
    let output = home.run(&["schedule", "--systemd", "units"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(stderr(&output).contains("systemctl enable --now patctl-prune.timer patctl-notify.timer"));
    let names =
        ["patctl-notify.service", "patctl-notify.timer", "patctl-prune.service", "patctl-prune.timer"];
    assert_eq!(written(&home.dir.path().join("units")), names);
    let again = home.run(&["schedule", "--systemd", "units"]);
    assert_eq!(again.status.code(), Some(74), "{again:?}");
    assert!(stderr(&again).contains("nothing is overwritten"), "{again:?}");
    let printed = stdout(&home.run(&["schedule", "--systemd"]));
    for name in names {
        let text = std::fs::read_to_string(home.dir.path().join("units").join(name)).expect("a unit");
        assert!(printed.contains(&format!("# {name}\n{text}")), "{name}: {printed}");
    }
}

/// Root's service has no capabilities: it could not open what belongs to somebody else.
#[test]
fn the_service_runs_as_the_owner_of_the_database_and_may_write_its_directory() {
    let home = Home::new("");
    home.create(&[]);
    let service = |home: &Home| stdout(&home.run(&["schedule", "--systemd"]));
    let directory = home.dir.path().canonicalize().expect("a path");
    let text = service(&home);
    assert!(text.contains(&format!("\nReadWritePaths={}\n", directory.display())), "{text}");
    let command = format!(
        "\nExecStart={PROGRAM} --config {}/patctl.properties --db {}/patctl.db prune\n",
        home.dir.path().display(),
        directory.display()
    );
    assert!(text.contains(&command), "{text}");
    let me = stdout(&home.shell("id -un"));
    assert!(text.contains(&format!("\nUser={me}")), "{text}");
    if me.trim() == "root" {
        std::os::unix::fs::chown(home.db(), Some(12345), None).expect("root can");
        assert!(service(&home).contains("\nUser=12345\n"));
    }
    let mail = Home::new("patctl.mail.transport = sendmail\n");
    assert!(stderr(&mail.run(&["schedule", "--systemd"])).contains("Postfix"));
    let odd = home.run(&["--db", "a\"b/patctl.db", "schedule", "--systemd"]);
    assert_eq!(odd.status.code(), Some(2), "{odd:?}");
}

#[test]
fn systemd_accepts_the_units() {
    if !have("systemd-analyze", "systemd_accepts_the_units") {
        return;
    }
    let home = Home::new(&format!("{PRUNE} = 0 0/5 2 LW * ?\n"));
    home.create(&[]);
    assert!(home.run(&["schedule", "--systemd", "units"]).status.success());
    let analyze = |args: &[&str], name: &str| {
        let file = home.dir.path().join("units").join(name);
        Command::new("systemd-analyze").args(args).arg(file).output().expect("systemd-analyze")
    };
    for name in written(&home.dir.path().join("units")) {
        let output = analyze(&["verify"], &name);
        let said = stderr(&output);
        // Whatever else is wrong on this machine is not about these files.
        assert!(output.status.success() && !said.contains("patctl"), "{name}: {output:?}");
    }
    for name in ["patctl-prune.service", "patctl-notify.service"] {
        // 0 is shut, 100 is open.
        let output = analyze(&["security", "--offline=true", "--no-pager", "--threshold=25"], name);
        assert!(output.status.success(), "{name}: {output:?}");
    }
    // A unit that is wrong is noticed.
    let broken = home.dir.path().join("units/patctl-prune.timer");
    let text = std::fs::read_to_string(&broken).expect("a timer").replace("~01", "~99");
    std::fs::write(&broken, text).expect("a file");
    assert!(stderr(&analyze(&["verify"], "patctl-prune.timer")).contains("patctl-prune.timer"));
}

#[test]
fn expressions_are_said_in_words() {
    for (quartz, words) in [
        ("0 0 0 * * ?", "at 00:00, every day"),
        ("0 0 * * * ?", "minute 0 of every hour, every day"),
        ("0 0/5 * * * ?", "every 5 minutes, every day"),
        ("* * * * * ?", "every second, every day"),
        ("0/10 5 * * * ?", "every 10 seconds of minute 5 of every hour, every day"),
        ("30 15 8,12,18 ? * MON-FRI", "at 08:15:30, 12:15:30 and 18:15:30, on Monday to Friday"),
        ("0 0 8-18 * * ?", "minute 0 of hours 8 to 18, every day"),
        (
            "0 0 0 LW 1-3 ? 2027",
            "at 00:00, on the last day from Monday to Friday of the month in January to March, 2027",
        ),
        ("0 0 0 L-1 * ?", "at 00:00, on 1 day before the last of the month"),
        ("0 0 0 15W * ?", "at 00:00, on the day from Monday to Friday nearest to day 15 of the month"),
        ("0 0 0 ? * 6#3", "at 00:00, on the third Friday of the month"),
        ("0 0 0 ? * 1L", "at 00:00, on the last Sunday of the month"),
        ("0 0 0 1,15 * ?", "at 00:00, on days 1, 15 of the month"),
    ] {
        assert_eq!(quartz.parse::<Schedule>().map(|s| s.words()).as_deref(), Ok(words), "{quartz}");
    }
}
