//! The table of tokens as other programs write it.

use std::fmt::Write as _;

/// `TOKEN_ID`, token and hash, as the original makes them.
pub const VECTORS: [(&str, &str, &str); 3] = [
    (
        "123456789012",
        "MTIzNDU2Nzg5MDEyOgABAgMEBQYHCAkKCwwNDg8QERIT",
        "{PKCS5S2}AAECAwQFBgcICQoLDA0OD/PBpAOuFWLos9KzKMEsuo6+lmt8Jy3BkstFq0+N+OpN",
    ),
    (
        "000000000000",
        "MDAwMDAwMDAwMDAwOv//////////////////////////",
        "{PKCS5S2}AAAAAAAAAAAAAAAAAAAAACoM0Eex6ffK+XvwYTe/C7nYgQ4CzNSURm2UNmIiCz9w",
    ),
    (
        "999999999999",
        "OTk5OTk5OTk5OTk5Ovv7+/v7+/v7+/v7+/v7+/v7+/v7",
        "{PKCS5S2}paWlpaWlpaWlpaWlpaWlpZ4RqsxxCkXgaKyA+ACZiZuq6zdtngsIFcwvBl2d/o+L",
    ),
];

pub const COLUMNS: &str =
    "CREATED_AT,EXPIRING_AT,HASHED_TOKEN,ID,LAST_ACCESSED_AT,NAME,NOTIFICATION_STATE,TOKEN_ID,USER_KEY";

#[derive(Clone, Debug)]
pub struct Row {
    pub created_at: String,
    pub expiring_at: String,
    pub hash: String,
    pub number: u64,
    pub last_accessed_at: Option<String>,
    pub name: String,
    pub notification_state: &'static str,
    pub token_id: String,
    pub user_key: String,
}

impl Row {
    fn values(&self) -> [Option<String>; 9] {
        [
            Some(self.created_at.clone()),
            Some(self.expiring_at.clone()),
            Some(self.hash.clone()),
            Some(self.number.to_string()),
            self.last_accessed_at.clone(),
            Some(self.name.clone()),
            Some(self.notification_state.to_owned()),
            Some(self.token_id.clone()),
            Some(self.user_key.clone()),
        ]
    }

    /// Its id in patctl: what `list` would print.
    pub fn id(&self) -> String {
        let number: patctl::domain::atlassian::number::Number = self.token_id.parse().expect("twelve digits");
        number.id().to_string()
    }
}

pub fn of_vector(vector: &(&str, &str, &str)) -> Row {
    let at = VECTORS.iter().position(|known| known == vector).expect("one of them");
    Row {
        created_at: "2024-07-02 23:19:52.079".to_owned(),
        expiring_at: "9999-12-31 00:00:00".to_owned(),
        hash: vector.2.to_owned(),
        number: at as u64 + 1,
        last_accessed_at: Some("2024-07-03 17:44:39.117857".to_owned()),
        name: format!("token {at}"),
        notification_state: "NOT_SENT",
        token_id: vector.0.to_owned(),
        user_key: "vera".to_owned(),
    }
}

/// So many rows, no two alike, ten for each user; numbers from 1 on, spread over all there can be.
pub fn many(count: u64) -> Vec<Row> {
    let states = ["NOT_SENT", "EXPIRE_SOON_SENT", "EXPIRED_SENT"];
    (0..count)
        .map(|n| {
            let digits = |of: u64| (n * 7919 + of) % 1_000_000;
            let fraction = |of: u64| {
                let text = format!(".{:06}", digits(of));
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            };
            Row {
                created_at: format!("2024-{:02}-{:02} 23:19:52{}", n % 12 + 1, n % 28 + 1, fraction(1)),
                expiring_at: if n % 3 == 0 {
                    "9999-12-31 00:00:00".to_owned()
                } else {
                    format!("2031-{:02}-{:02} {:02}:00:00", n % 12 + 1, n % 28 + 1, n % 24)
                },
                hash: format!("{{PKCS5S2}}{}", base64(n)),
                number: n + 1,
                last_accessed_at: (n % 4 > 0)
                    .then(|| format!("2025-01-{:02} 00:00:01{}", n % 28 + 1, fraction(2))),
                name: format!("token {n}"),
                notification_state: states[usize::try_from(n % 3).expect("small")],
                // A step that has no factor in common with 10¹² meets every number once.
                token_id: format!("{:012}", (n * 618_033_988_749 + 1) % 1_000_000_000_000),
                user_key: format!("JIRAUSER{}", 10_000 + n / 10),
            }
        })
        .collect()
}

/// 64 characters that differ with the number.
fn base64(n: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |at: u64| ALPHABET.get(usize::try_from(((n >> (at % 20)) * 31 + at * 7) % 64).unwrap_or(0));
    (0..64).filter_map(digit).map(|digit| char::from(*digit)).collect()
}

pub fn copy(rows: &[Row]) -> String {
    let names = COLUMNS.replace(',', "\", \"");
    let mut out = format!(
        "--\n-- PostgreSQL database dump\n--\n\nCOPY public.\"AO_81F455_PERSONAL_TOKEN\" (\"{names}\") FROM stdin;\n"
    );
    for row in rows {
        let cells = row.values().map(|value| match value {
            None => "\\N".to_owned(),
            Some(text) => {
                text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
            }
        });
        writeln!(out, "{}", cells.join("\t")).expect("a string");
    }
    out + "\\.\n\n"
}

/// As `mysqldump` writes it: as many rows in a line as there is room for.
pub fn insert(rows: &[Row]) -> String {
    let mut out = "-- MySQL dump 10.13  Distrib 8.0.36\n/*!40101 SET NAMES utf8mb4 */;\n".to_owned();
    out.push_str("LOCK TABLES `AO_81F455_PERSONAL_TOKEN` WRITE;\n");
    for rows in rows.chunks(4000) {
        let lists: Vec<String> = rows
            .iter()
            .map(|row| {
                let values = row.values().map(|value| match value {
                    None => "NULL".to_owned(),
                    Some(text) => {
                        let text = text.replace('\\', "\\\\").replace('\'', "\\'").replace('"', "\\\"");
                        format!("'{}'", text.replace('\n', "\\n"))
                    }
                });
                format!("({})", values.join(","))
            })
            .collect();
        writeln!(out, "INSERT INTO `AO_81F455_PERSONAL_TOKEN` VALUES {};", lists.join(","))
            .expect("a string");
    }
    out + "UNLOCK TABLES;\n-- Dump completed on 2026-11-21 12:00:00\n"
}

/// As psql's `\copy … CSV HEADER` writes it.
pub fn csv(rows: &[Row]) -> String {
    let mut out = format!("{COLUMNS}\n");
    for row in rows {
        let cells = row.values().map(|value| {
            let text = value.unwrap_or_default();
            let quoted = text.contains([',', '"', '\n', '\r']);
            if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
        });
        writeln!(out, "{}", cells.join(",")).expect("a string");
    }
    out
}
