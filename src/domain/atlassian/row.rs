//! A row of the table, read field by field; and what is told of it when it is written again.

use super::COLUMNS;
use super::hash::Pkcs5s2;
use super::number::Number;
use super::wall::{NEVER_TEXT, Wall};
use crate::domain::moment::Moment;
use crate::domain::pat::Notified;
use crate::domain::schedule::{Shown, Zone};
use crate::domain::text::User;
use crate::domain::token;
use std::fmt;

/// The longest name; the column holds 255 there, another database may hold more.
const LONGEST_NAME: usize = 1000;
/// How much of a value is repeated when it is refused.
const QUOTED: usize = 40;

/// The values of a row, in the order of [`COLUMNS`]; NULL, and what the source has no column for, is
/// `None`.
pub type Fields<'f> = [Option<&'f [u8]>; COLUMNS.len()];

/// A token as the table has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row<H = Pkcs5s2> {
    /// `TOKEN_ID`
    pub number: Number,
    /// `ID`, the row's number there.
    pub row: Option<i64>,
    /// `HASHED_TOKEN`
    pub hash: H,
    /// `NAME`
    pub name: String,
    /// `USER_KEY`
    pub user_key: String,
    /// `CREATED_AT`
    pub created_at: Moment,
    /// `EXPIRING_AT`; `None`: never.
    pub expires_at: Option<Moment>,
    /// How never was written, where that was not [`NEVER_TEXT`].
    pub never: Option<String>,
    /// `LAST_ACCESSED_AT`; `None`: it never was.
    pub last_used_at: Option<Moment>,
    /// `NOTIFICATION_STATE`
    pub notified: Notified,
}

/// What is odd about a row that is read all the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Oddities {
    /// A time that the zone's clocks showed twice.
    pub twice: bool,
    /// A time that the zone's clocks never showed.
    pub skipped: bool,
    /// The name held a token, whose secret part was left out.
    pub masked: bool,
}

/// Why a row is no token: the column, and what is wrong there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    column: &'static str,
    why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.column, self.why)
    }
}

impl std::error::Error for Fault {}

impl Row {
    /// Reads the fields of a row, whose times are those of a zone.
    ///
    /// # Errors
    /// The first [`Fault`], in the order of the columns.
    pub fn read(fields: &Fields<'_>, zone: &Zone) -> Result<(Self, Oddities), Fault> {
        let [created, expiring, hash, row, accessed, name, notified, number, key] = *fields;
        let mut odd = Oddities::default();
        let created_at = moment(0, wall(0, needed(0, created)?)?, zone, &mut odd)?;
        let end = needed(1, expiring)?;
        let ends = wall(1, end)?;
        let expires_at = if ends.is_never() { None } else { Some(moment(1, ends, zone, &mut odd)?) };
        let never = Some(end).filter(|end| ends.is_never() && *end != NEVER_TEXT).map(str::to_owned);
        let hash = Pkcs5s2::parse(needed(2, hash)?)
            .map_err(|_| fault(2, "it is no {PKCS5S2} hash of a salt and a key (64 characters of Base64)"))?;
        let row = match text(3, row)? {
            Some(row) => Some(row.parse().map_err(|_| fault(3, format!("{} is no number", quoted(row))))?),
            None => None,
        };
        let last_used_at = match text(4, accessed)? {
            Some(used) => Some(moment(4, wall(4, used)?, zone, &mut odd)?),
            None => None,
        };
        let name = named(needed(5, name)?, &mut odd)?;
        let notified = text(6, notified)?.map_or(Ok(Notified::NotSent), state)?;
        let number = needed(7, number)?;
        let number =
            number.parse().map_err(|_| fault(7, format!("{} is not twelve digits", quoted(number))))?;
        let key = needed(8, key)?;
        // Written again as it was; whom it names here is its composed form.
        key.parse::<User>().map_err(|why| fault(8, why.to_string()))?;
        let user_key = key.to_owned();
        let row =
            Self { number, row, hash, name, user_key, created_at, expires_at, never, last_used_at, notified };
        Ok((row, odd))
    }
}

fn fault(column: usize, why: impl Into<String>) -> Fault {
    Fault { column: COLUMNS[column], why: why.into() }
}

/// A value as a message repeats it: short.
fn quoted(value: &str) -> String {
    let mut shown: String = value.chars().take(QUOTED).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("'{shown}'")
}

fn text(column: usize, field: Option<&[u8]>) -> Result<Option<&str>, Fault> {
    let text = field.map(std::str::from_utf8).transpose();
    let text =
        text.map_err(|_| fault(column, "it is not UTF-8; convert the file, for example with iconv"))?;
    if text.is_some_and(|text| text.contains('\0')) {
        return Err(fault(column, "it holds a NUL byte"));
    }
    Ok(text.filter(|text| !text.is_empty()))
}

fn needed(column: usize, field: Option<&[u8]>) -> Result<&str, Fault> {
    text(column, field)?.ok_or_else(|| fault(column, "it is empty"))
}

fn wall(column: usize, text: &str) -> Result<Wall, Fault> {
    text.parse().map_err(|_| {
        let named = text.bytes().any(|b| b.is_ascii_alphabetic() && b != b'T');
        let way = if named && text.bytes().any(|b| b.is_ascii_digit()) {
            "; Oracle writes that with to_char(…, 'YYYY-MM-DD HH24:MI:SS.FF6'), SQL Server with \
             convert(varchar(30), …, 121)"
        } else {
            ""
        };
        fault(column, format!("{} is no time like 2024-07-02 23:19:52.079{way}", quoted(text)))
    })
}

fn moment(column: usize, wall: Wall, zone: &Zone, odd: &mut Oddities) -> Result<Moment, Fault> {
    let (moment, shown) = wall
        .instant(zone)
        .ok_or_else(|| fault(column, format!("'{wall}' lies outside the years 1 to 9999 of UTC")))?;
    odd.twice |= shown == Shown::Twice;
    odd.skipped |= shown == Shown::Never;
    Ok(moment)
}

/// A name as it is; but a token in it is not kept in the clear.
fn named(name: &str, odd: &mut Oddities) -> Result<String, Fault> {
    if name.chars().count() > LONGEST_NAME {
        return Err(fault(5, format!("it is longer than {LONGEST_NAME} characters")));
    }
    let masked = token::mask(name);
    odd.masked = masked != name;
    Ok(masked)
}

fn state(text: &str) -> Result<Notified, Fault> {
    let known = Notified::ALL.into_iter().find(|state| written(*state) == text);
    known.ok_or_else(|| fault(6, format!("{} is no state of notification", quoted(text))))
}

/// The word for a state in the table.
#[must_use]
pub const fn written(state: Notified) -> &'static str {
    match state {
        Notified::NotSent => "NOT_SENT",
        Notified::ExpireSoonSent => "EXPIRE_SOON_SENT",
        Notified::ExpiredSent => "EXPIRED_SENT",
    }
}

/// A token that was imported, as it is now: without its hash once it is hashed anew.
pub type Exported = Row<Option<Pkcs5s2>>;

/// With a hash, or perhaps without one.
impl<H> Row<H>
where
    for<'h> &'h H: Into<Option<&'h Pkcs5s2>>,
{
    /// The fields in the order of [`COLUMNS`], times as the clocks of a zone show them; an empty one is
    /// NULL, or a hash that is kept no longer.
    #[must_use]
    pub fn cells(&self, zone: &Zone) -> [String; COLUMNS.len()] {
        let at = |at: Moment| Wall::of(at, zone).to_string();
        let never = || self.never.clone().unwrap_or_else(|| NEVER_TEXT.to_owned());
        [
            at(self.created_at),
            self.expires_at.map_or_else(never, at),
            (&self.hash).into().map_or_else(String::new, Pkcs5s2::to_theirs),
            self.row.map_or_else(String::new, |row| row.to_string()),
            self.last_used_at.map_or_else(String::new, at),
            self.name.clone(),
            written(self.notified).to_owned(),
            self.number.to_string(),
            self.user_key.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::atlassian::raw;

    const GOOD: [&str; 9] = [
        "2024-07-02 23:19:52.079",
        "9999-12-31 00:00:00",
        "{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN",
        "2",
        "2024-07-03 17:44:39.117857",
        "ci token",
        "NOT_SENT",
        "742309342887",
        "JIRAUSER10000",
    ];

    fn read(values: [Option<&str>; 9]) -> Result<(Row, Oddities), String> {
        Row::read(&values.map(|value| value.map(str::as_bytes)), &Zone::utc())
            .map_err(|fault| fault.to_string())
    }

    fn with(column: usize, value: Option<&str>) -> Result<(Row, Oddities), String> {
        let mut values = GOOD.map(Some);
        values[column] = value;
        read(values)
    }

    #[test]
    fn a_real_row_is_read_and_written_as_it_was() {
        let (row, odd) = read(GOOD.map(Some)).expect("a row");
        assert_eq!(odd, Oddities::default());
        assert_eq!((row.expires_at, &row.never), (None, &None));
        assert_eq!(row.cells(&Zone::utc()), GOOD.map(str::to_owned));
    }

    #[test]
    fn what_may_be_missing_may_be_missing() {
        for column in [3, 4, 6] {
            assert!(with(column, None).is_ok() && with(column, Some("")).is_ok(), "{column}");
        }
        for column in [0, 1, 2, 5, 7, 8] {
            let why = format!("{}: it is empty", COLUMNS[column]);
            assert_eq!(with(column, None), Err(why.clone()));
            assert_eq!(with(column, Some("")), Err(why));
        }
    }

    #[test]
    fn a_fault_names_its_column_and_repeats_no_hash() {
        for (column, value, why) in [
            (0, "yesterday", "CREATED_AT: 'yesterday' is no time like 2024-07-02 23:19:52.079"),
            (3, "two", "ID: 'two' is no number"),
            (3, "9223372036854775808", "ID: '9223372036854775808' is no number"),
            (
                4,
                "2024-02-30 00:00:00",
                "LAST_ACCESSED_AT: '2024-02-30 00:00:00' is no time like 2024-07-02 23:19:52.079",
            ),
            (5, "a\0b", "NAME: it holds a NUL byte"),
            (6, "SENT", "NOTIFICATION_STATE: 'SENT' is no state of notification"),
            (7, "12345678901", "TOKEN_ID: '12345678901' is not twelve digits"),
            (8, "a\u{202e}b", "USER_KEY: it holds the invisible or control character U+202E"),
        ] {
            assert_eq!(with(column, Some(value)), Err(why.to_owned()));
        }
        let hash = with(2, Some("{PKCS5S2}AAECAwQF")).expect_err("a short hash");
        assert!(hash.starts_with("HASHED_TOKEN: ") && !hash.contains("AAECAw"), "{hash}");
        let mut fields = GOOD.map(|value| Some(value.as_bytes()));
        fields[5] = Some(b"caf\xe9");
        let latin = Row::read(&fields, &Zone::utc()).expect_err("Latin-1").to_string();
        assert!(latin.starts_with("NAME: it is not UTF-8"), "{latin}");
    }

    #[test]
    fn a_long_value_is_repeated_in_part() {
        let why = with(7, Some(&"9".repeat(10_000))).expect_err("too long");
        assert!(why.len() < 100 && why.contains('…'), "{why}");
        assert_eq!(
            with(5, Some(&"é".repeat(1001))),
            Err("NAME: it is longer than 1000 characters".to_owned())
        );
        assert!(with(5, Some(&"é".repeat(1000))).is_ok());
    }

    #[test]
    fn a_token_that_somebody_named_a_token_after_is_not_kept() {
        let (row, odd) = with(5, Some("MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT")).expect("a row");
        assert!(odd.masked && raw::read(&row.name).is_none() && row.name.ends_with('…'), "{}", row.name);
    }

    #[test]
    fn never_is_kept_as_it_was_written() {
        let (row, _) = with(1, Some("9999-12-31 01:00:00")).expect("a row");
        assert_eq!((row.expires_at, row.never.as_deref()), (None, Some("9999-12-31 01:00:00")));
    }
}
