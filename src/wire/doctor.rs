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
    /// What is no fault, and worth knowing.
    pub notes: Vec<Note<'a>>,
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
    /// What to do, in words.
    pub mend: &'a str,
    /// The shell commands that do it, one after the other; none where no command can.
    pub steps: Vec<String>,
    /// What was done about it; null: it is still wrong.
    pub fixed: Option<&'a str>,
}

/// Something that is no fault.
#[derive(Serialize, Debug)]
pub struct Note<'a> {
    /// What it is: a stable word.
    pub kind: &'static str,
    /// Of what.
    pub subject: &'a str,
    /// What there is to say about it.
    pub why: &'a str,
}

impl<'a> From<&'a crate::domain::finding::Finding> for Note<'a> {
    fn from(finding: &'a crate::domain::finding::Finding) -> Self {
        Self { kind: finding.kind.as_str(), subject: &finding.subject, why: &finding.why }
    }
}

impl<'a> Finding<'a> {
    /// A finding and the commands of its remedy.
    #[must_use]
    pub fn of(finding: &'a crate::domain::finding::Finding, steps: Vec<String>) -> Self {
        Self {
            kind: finding.kind.as_str(),
            subject: &finding.subject,
            why: &finding.why,
            mend: &finding.mend,
            steps,
            fixed: finding.fixed.as_deref(),
        }
    }
}
