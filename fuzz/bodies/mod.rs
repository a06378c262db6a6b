//! What is done with bytes from outside, once: each function is the body of the fuzz target of its name, and the
//! suite feeds it every file that is kept in `corpus/`, on the stable toolchain.

mod files;
mod requests;
mod secrets;

/// A body, by the name of its target.
pub type Body = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: [Body; 13] = [
    ("config", files::config),
    ("dump", files::dump),
    ("judge", requests::judge_it),
    ("json", requests::json_body),
    ("jvm", files::jvm),
    ("leak", secrets::leaks),
    ("lines", files::lines),
    ("query", requests::parameters),
    ("request", requests::request),
    ("rule", requests::rule),
    ("schedule", files::schedule),
    ("token", secrets::token),
    ("verifier", secrets::verifier),
];

/// Runs the body of a target.
pub fn run(name: &str, bytes: &[u8]) {
    let (_, body) = ALL.iter().find(|(known, _)| *known == name).expect("a target of that name");
    body(bytes);
}
