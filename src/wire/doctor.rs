//! What `doctor -o json` prints.

use serde::Serialize;

/// The answer.
#[derive(Serialize, Debug)]
pub struct Examined<'a> {
    /// Whether nothing is wrong (any longer).
    pub ok: bool,
    /// The database that was examined.
    pub database: String,
    /// What was found, mended or not.
    pub findings: Vec<Finding<'a>>,
}

/// One thing that is or was wrong.
#[derive(Serialize, Debug)]
pub struct Finding<'a> {
    /// What it is: a stable word.
    pub kind: &'static str,
    /// Of what: a file, the id of a token, a user.
    pub subject: &'a str,
    /// What is wrong with it, and why that matters.
    pub why: &'a str,
    /// What to do.
    pub mend: &'a str,
    /// What was done about it; null: it is still wrong.
    pub fixed: Option<&'a str>,
}

impl<'a> From<&'a crate::domain::finding::Finding> for Finding<'a> {
    fn from(finding: &'a crate::domain::finding::Finding) -> Self {
        Self {
            kind: finding.kind.as_str(),
            subject: &finding.subject,
            why: &finding.why,
            mend: &finding.mend,
            fixed: finding.fixed.as_deref(),
        }
    }
}
