//! The pictures of the README: what the program prints, as SVG, with the clock and the dice of the harness.
//! They lie beside this file, which makes them: `UPDATE=1` rewrites them, and without it they are compared.

use crate::harness::{Patctl, Setup, assert_no_secret, id_of};
use patctl::cli::shell;
use patctl::domain::moment::Span;
use patctl::exit::Exit;
use std::fmt::Write as _;
use std::path::Path;
use unicode_width::UnicodeWidthStr as _;

/// Columns and lines of a picture, in its units.
const CELL: usize = 8;
const LINE: usize = 18;
const MARGIN: usize = 16;
/// The bar of the window.
const BAR: usize = 28;

/// Milliseconds: a character typed, a look at the command before it runs, a look at what it said.
const TYPED: usize = 25;
const BEFORE: usize = 500;
const AFTER: usize = 1_200;

const STYLE: &str = "\
text{font:13.5px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#d8dee4}\
.p{fill:#7ee787}.c{fill:#fff;font-weight:600}\
.s1{font-weight:700}.s2{fill:#8b949e}.s31{fill:#ff7b72}.s32{fill:#56d364}.s33{fill:#e3b341}\
.l{animation:show 1ms both}.k{fill:#0d1117;opacity:0}\
@keyframes show{from{opacity:0}to{opacity:1}}\
@keyframes type{from{opacity:1;transform:translateX(0)}to{opacity:1;transform:translateX(var(--w))}}\
@media(prefers-reduced-motion:reduce){.l,.k{animation:none!important}}";

/// A command as it is typed, and what the terminal shows after it.
struct Scene {
    typed: String,
    shown: String,
}

/// What a person at this terminal sees. Of the shell there is what the scenes need: a token kept in `$TOKEN`
/// or printed into a pipe, and the status.
fn scene(patctl: &Patctl, columns: usize, token: &mut String, typed: &str) -> Scene {
    let (line, echoes) = typed.strip_suffix("; echo $?").map_or((typed, false), |line| (line, true));
    let kept = line.strip_prefix("TOKEN=$(").and_then(|line| line.strip_suffix(')'));
    let line = kept.unwrap_or(line);
    let piped = line.strip_prefix("printf %s \"$TOKEN\" | ");
    let line = piped.unwrap_or(line).strip_prefix("patctl ").expect("patctl is what is shown");
    let words = shell::words(line).expect("words");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let stdin = if piped.is_some() { token.clone() } else { String::new() };
    let terminal = kept.is_none().then_some((&[][..], ""));
    let setup = Setup { stdin: stdin.as_bytes(), terminal, columns: Some(columns), ..Setup::default() };
    let run = patctl.run_with(&words, &setup);
    let mut shown = run.stderr;
    if kept.is_some() {
        run.stdout.trim_end().clone_into(token);
    } else {
        assert!(shown.is_empty() || run.stdout.is_empty(), "which comes first? {shown}{}", run.stdout);
        shown.push_str(&run.stdout);
    }
    let status = match run.exit {
        Exit::Yes => 0,
        Exit::No => 1,
        other => panic!("{other:?}: {shown}"),
    };
    if echoes {
        writeln!(shown, "{status}").expect("a string");
    }
    Scene { typed: typed.to_owned(), shown }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Text at a place. Each group of words is held to its columns, whatever the font; blanks are places, so that
/// none has to be preserved.
fn piece(into: &mut String, class: &str, mut column: usize, row: usize, text: &str) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    for group in text.split("  ") {
        let words = group.trim_matches(' ');
        if !words.is_empty() {
            let x = MARGIN + (column + group.width() - group.trim_start_matches(' ').width()) * CELL;
            let (y, length) = (BAR + MARGIN + row * LINE, words.width() * CELL);
            let words = escaped(words);
            write!(into, "<text{class} x=\"{x}\" y=\"{y}\" textLength=\"{length}\">{words}</text>")
                .expect("a string");
        }
        column += group.width() + 2;
    }
}

/// A line with its colours.
fn line(into: &mut String, row: usize, text: &str) {
    let (mut column, mut class) = (0, String::new());
    for (at, part) in text.split("\x1b[").enumerate() {
        let text = if at == 0 {
            part
        } else {
            let (code, rest) = part.split_once('m').expect("a colour");
            let codes = code.split(';').filter(|code| *code != "0").map(|code| format!("s{code}"));
            class = codes.collect::<Vec<_>>().join(" ");
            rest
        };
        piece(into, &class, column, row, text);
        column += text.width();
    }
}

/// The scenes one after the other on one screen; `moving`: as they are typed, otherwise all at once. Where
/// nothing moves (a printer, a person who asked for it) the whole screen is shown.
fn svg(title: &str, columns: usize, scenes: &[Scene], moving: bool) -> String {
    let (mut body, mut row, mut time) = (String::new(), 0, 400);
    let appear = |body: &mut String, time: usize, inner: &str| {
        let class =
            if moving { format!(" class=\"l\" style=\"animation-delay:{time}ms\"") } else { String::new() };
        writeln!(body, "<g{class}>{inner}</g>").expect("a string");
    };
    for scene in scenes {
        row += 1;
        let mut inner = String::new();
        piece(&mut inner, "p", 0, row, "$");
        piece(&mut inner, "c", 2, row, &scene.typed);
        assert!(scene.typed.width() + 2 <= columns, "{} is wider than the screen", scene.typed);
        let keys = scene.typed.chars().count();
        if moving {
            // What is not typed yet is covered; the cover steps aside.
            let (x, y) = (MARGIN + 2 * CELL, BAR + MARGIN + (row - 1) * LINE + 4);
            let (width, takes, begins) = (columns * CELL, keys * TYPED, time + 300);
            write!(
                inner,
                "<rect class=\"k\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{LINE}\" \
                 style=\"--w:{}px;animation:type {takes}ms steps({keys}) {begins}ms backwards\"/>",
                keys * CELL
            )
            .expect("a string");
            appear(&mut body, time, &inner);
            time = begins + takes + BEFORE;
        } else {
            appear(&mut body, time, &inner);
        }
        let mut inner = String::new();
        for text in scene.shown.lines() {
            row += 1;
            line(&mut inner, row, text);
        }
        if !inner.is_empty() {
            appear(&mut body, time, &inner);
        }
        time += AFTER;
    }
    let (width, height) = (2 * MARGIN + columns * CELL, BAR + 2 * MARGIN + row * LINE);
    let title = escaped(title);
    let dots = [("#ff5f57", 18), ("#febc2e", 38), ("#28c840", 58)]
        .map(|(colour, x)| format!("<circle cx=\"{x}\" cy=\"16\" r=\"6\" fill=\"{colour}\"/>"))
        .concat();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#0d1117\"/>{dots}\n{body}</svg>\n"
    )
}

/// The tokens of a small company, made over some months.
fn company() -> Patctl {
    let patctl = Patctl::new();
    patctl.configure("atlassian.pats.max.tokens.per.user = 100\n");
    let end = patctl.now();
    patctl.set_now(end.saturating_minus(Span::days(120)));
    let users = ["alice", "jenkins", "backup", "bob", "carol", "deploy", "grafana"];
    for n in 0..42_i64 {
        patctl.pass(Span::hours(52));
        let user = users[usize::try_from(n * n % 11).expect("small") % users.len()];
        let name = ["ci", "nightly", "report", "mirror"][usize::try_from(n % 4).expect("small")];
        let days = (40 + n * 53 % 170).to_string();
        let mut args = vec![name, "--user", user];
        if n % 5 != 0 {
            args.extend(["--expires", &days]);
        }
        if n % 3 != 0 {
            args.extend(["--restrict", "[get]/reports/.*"]);
        }
        let token = patctl.create(&args);
        for _ in 0..(97 * n % 13) * i64::from(n % 4 != 1) {
            let method = if n % 7 == 3 { "PUT" } else { "GET" };
            patctl.verify(&token, &["--method", method, "--url", "/reports/1"]);
            patctl.pass(Span::minutes(90));
        }
        match n % 12 {
            7 => assert_eq!(patctl.run(&["disable", id_of(&token)]).exit, Exit::Yes),
            11 => assert_eq!(patctl.run(&["revoke", id_of(&token), "--yes"]).exit, Exit::Yes),
            _ => {}
        }
    }
    for days in ["3", "3"] {
        patctl.create(&["handover", "--user", "carol", "--expires", days]);
    }
    assert!(patctl.now() < end.saturating_plus(Span::days(60)), "{}", patctl.now());
    patctl
}

/// Compares a picture with the one that is checked in, or rewrites that.
fn hold(name: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, picture).expect("the source tree can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, picture, "{name}: run the tests once with UPDATE=1 and look at the picture");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("](tests/it/{name})")), "the README shows {name}");
}

#[test]
fn the_screen_in_the_readme_is_what_the_program_prints() {
    let patctl = Patctl::new();
    patctl.create(&["backup", "--user", "bob", "--expires", "3"]);
    patctl.create(&["report", "--user", "carol"]);
    patctl.pass(Span::hours(30));
    let mut token = String::new();
    let mut play = |typed: &str| {
        let id = if token.is_empty() { String::new() } else { id_of(&token)[..4].to_owned() };
        scene(&patctl, 80, &mut token, &typed.replace("ID", &id))
    };
    let scenes = [
        "TOKEN=$(patctl create ci --expires 90 --restrict '[get]/reports/.*')",
        "printf %s \"$TOKEN\" | patctl verify --method GET --url /reports/2026; echo $?",
        "printf %s \"$TOKEN\" | patctl verify --method PUT --url /reports/2026; echo $?",
        "patctl check --id ID --method PUT --url /reports/2026",
        "patctl list",
        "patctl revoke ID --yes --reason 'laptop stolen'",
        "printf %s \"$TOKEN\" | patctl verify --method GET --url /reports/2026; echo $?",
        "patctl audit --token ID",
    ]
    .map(&mut play);
    let statuses: Vec<&str> = scenes.iter().filter_map(|s| s.shown.lines().last()).collect();
    assert_eq!([statuses[0], statuses[1]], ["0", "1"], "one may be read and not written");
    let picture = svg("patctl issues, checks and revokes a token", 80, &scenes, true);
    assert_no_secret(&token[token.len() - 38..], picture.as_bytes(), "the picture");
    hold("screen.svg", &picture);
}

#[test]
fn the_statistics_in_the_readme_are_what_the_program_prints() {
    let mut patctl = company();
    patctl.env.insert("LANG".to_owned(), "C.UTF-8".into());
    let scenes = [scene(&patctl, 112, &mut String::new(), "patctl stats --all")];
    assert!(scenes[0].shown.contains('█') && scenes[0].shown.contains("CALLS"), "{}", scenes[0].shown);
    hold("stats.svg", &svg("patctl stats", 112, &scenes, false));
}

/// What is drawn, read back column by column, is what was printed.
#[test]
fn a_picture_holds_every_character_at_its_place() {
    let scene = Scene {
        typed: "patctl x <&>".to_owned(),
        shown: "\x1b[31;1ma\x1b[0m  <b&c>  █▌\n\n d e\n".to_owned(),
    };
    let picture = svg("t", 20, &[scene], true);
    let mut rows = vec![vec![' '; 20]; 4];
    for text in picture.split("<text").skip(1) {
        let number = |name: &str| -> usize {
            let value = text.split(&format!(" {name}=\"")).nth(1).and_then(|v| v.split('"').next());
            value.expect("an attribute").parse().expect("a number")
        };
        let inner = text.split('>').nth(1).and_then(|t| t.strip_suffix("</text")).expect("text");
        let inner = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let (column, row) = ((number("x") - MARGIN) / CELL, (number("y") - BAR - MARGIN) / LINE - 1);
        assert_eq!(number("textLength"), inner.chars().count() * CELL);
        for (at, c) in inner.chars().enumerate() {
            rows[row][column + at] = c;
        }
    }
    let rows: Vec<String> =
        rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect();
    assert_eq!(rows, ["$ patctl x <&>", "a  <b&c>  █▌", "", " d e"]);
    assert!(picture.contains("class=\"s31 s1\""), "{picture}");
}
