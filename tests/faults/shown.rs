//! Names and notes that would do something to a terminal, a spreadsheet or a reader of JSON.

use crate::figure;
use crate::process::{Home, scaled, stdout};
use std::collections::BTreeMap;

/// What harm is made of.
const PIECES: [&str; 44] = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "\u{1b}[31m",
    "\u{1b}]0;x\u{7}",
    "\u{1b}[2J",
    "\u{9b}31m",
    "\u{90}",
    "\u{7}",
    "\u{8}",
    "\u{7f}",
    "\r",
    "\n",
    "\t",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\u{ad}",
    "\u{e0041}",
    "\"",
    "'",
    ",",
    ";",
    "\\",
    "\\u{1b}",
    "e\u{301}",
    "字",
    "🦀",
    "a",
    "nightly backup",
    " ",
];

/// The same names each time, without dice: three pieces that a counter chooses.
fn name(number: usize) -> String {
    let count = PIECES.len();
    let mixed = number * 7919 + number / count * 31;
    [mixed % count, mixed / 5 % count, mixed / 91 % count].map(|at| PIECES[at]).concat()
}

/// What a terminal obeys, or shows as nothing, or in another order.
fn odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{ad}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn a_terminal_a_spreadsheet_and_json_are_safe_from_ten_thousand_names() {
    let home = Home::new("");
    home.create(&["-q", "first"]);
    let count = scaled(1_000, 10_000);
    let mut names = BTreeMap::new();
    let mut db = home.sql();
    let change = db.transaction().expect("a change");
    for number in 0..count {
        let (id, name) = (format!("{number:010}"), name(number));
        let sql = "INSERT INTO token (id, name, user, auth, verifier, created_at, note)
                   SELECT ?1, ?2, 'u' || ?2, 'both', '$', created_at, ?2 FROM token WHERE name = 'first'";
        change.execute(sql, [&id, &name]).expect("a row by hand");
        names.insert(id, name);
    }
    change.commit().expect("it");
    drop(db);

    let exact = stdout(&home.run(&["list", "-o", "jsonl", "--name", "*"]));
    let mut found = 0;
    for line in exact.lines() {
        assert!(!line.contains(odd), "{line:?}");
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let Some(name) = names.get(row["id"].as_str().expect("an id")) else { continue };
        assert_eq!((row["name"].as_str(), row["note"].as_str()), (Some(name.as_str()), Some(name.as_str())));
        found += 1;
    }
    assert_eq!(found, count, "JSON is exact");

    let table = home.run(&["list", "-o", "csv"]);
    let mut reader = csv::Reader::from_reader(table.stdout.as_slice());
    let columns: Vec<String> = reader.headers().expect("a heading").iter().map(str::to_owned).collect();
    let at = |column: &str| columns.iter().position(|it| it == column).expect("a column");
    let (id, title, user, note) = (at("id"), at("name"), at("user"), at("note"));
    let mut found = 0;
    for row in reader.records() {
        let row = row.expect("a row");
        for cell in &row {
            let begin = cell.trim_start_matches(' ').chars().next();
            assert!(!begin.is_some_and(|c| "=+-@\t\r\n＝＋－＠".contains(c)), "a formula: {cell:?}");
        }
        let Some(name) = names.get(&row[id]) else { continue };
        for cell in [&row[title], &row[note]] {
            assert!(cell == name || cell.strip_prefix('\'') == Some(name), "{cell:?} is not {name:?}");
        }
        assert_eq!(&row[user], format!("u{name}"));
        found += 1;
    }
    assert_eq!(found, count, "every row is in the spreadsheet");

    let mut cells = 0;
    for args in [&["list", "-o", "table"][..], &["show", "0000000007"]] {
        let output = home.run(args);
        assert!(output.status.success(), "{output:?}");
        let shown = stdout(&output);
        for line in shown.lines() {
            assert!(!line.contains(odd), "{line:?}");
            cells += 1;
        }
    }
    assert!(cells > count, "{cells} lines for {count} tokens");
    figure(
        "terminal, CSV, JSON",
        &format!("{count} names and notes, 0 that do anything, 0 that differ in JSON"),
    );
}
