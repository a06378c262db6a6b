//! What `patctl help TOPIC` says beyond the commands.

use crate::exit;

/// The topics and their texts, in the order of the manual.
pub const TOPICS: &[(&str, &str)] = &[
    ("exit-status", exit::HELP),
    (
        "formats",
        "\
Output formats (-o, --output):
  table  for people; cut to the terminal, whole in a pipe; invisible characters are written out
  json   one JSON value; errors are JSON too, on stderr
  jsonl  one JSON object a line, for streams
  csv    a heading and a row for each; a cell that a spreadsheet would compute begins with '
  ids    ids, one a line, for xargs and 'patctl revoke --ids-stdin'

Fields may be added to the JSON, but are never renamed. Instants are UTC, RFC 3339, with 'Z';
\"never\" is null. Not every command answers in every format; it says so.",
    ),
    (
        "times",
        "\
Times:
  90, 90d, 12h, 2w       durations: days, days, hours, weeks
  2027-01-31             midnight UTC of that day
  2027-01-31T18:00:00Z   an RFC 3339 instant, with any offset

In filters a duration points back from now (--created-after 7d: within the last seven days), and for
the expiry forward (--expires-before 14d: within the next fourteen). 'After' includes the instant,
'before' does not. Months, years and 'm' are refused: they have no fixed length.
A token is expired from the very instant it names.",
    ),
    (
        "restrictions",
        "\
Restrictions: one rule a line; a request is allowed if one line allows it, all parts of it.
  [get,post]                    the method; left out: any
  .*/rest/api/2/issue/JRA.*     the path, all of it: no host, no query
  https://host/rest/.*          only at this origin
  {JIRA_URL}/rest/.*            only at patctl.base.url
  [QueryParam::name==regexp]    every value of this parameter
  [JsonData::a.b==regexp]       this member of the JSON body

  [get].*/rest/api/2/search[QueryParam::jql==project = JRA]

'patctl check' tries rules on a request before a token is made, and explains.
'patctl man restrictions' has the whole language.",
    ),
    (
        "security",
        "\
Security:
  * A token is read from stdin, from --token-file or from the variable that --token-env names; it is
    never an argument, because every process on the machine can read those.
  * Kept is an Argon2id hash. A secret is shown once, when it is made.
  * Who can run 'patctl verify' can write the database, and who can write it can issue tokens. Give a
    web server a sudo rule with fixed arguments rather than the file, and have it read the verdict
    from 'verify -o json': sudo's own failure has status 1, too.
  * Status 0 is the only yes. Every verdict about a well-formed token has its audit row before it is
    given; if that cannot be written there is no verdict (74 or 75).
  * A database or configuration that everybody can write is refused, and so is a link in its place.",
    ),
];

/// The text of a topic.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    TOPICS.iter().find(|(topic, _)| *topic == name).map(|(_, text)| *text)
}
