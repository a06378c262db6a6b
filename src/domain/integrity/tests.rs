use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use rand::SeedableRng as _;

fn key(seed: u64) -> IntegrityKey {
    IntegrityKey::generate(&mut Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(seed))))
}

fn value() -> impl Strategy<Value = Value<'static>> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        // Short ones, so that bytes of one value look like the frame of the next.
        proptest::collection::vec(prop_oneof![0u8..24, Just(b't'), Just(b'i'), any::<u8>()], 0..12)
            .prop_map(|text| Value::Text(text.into())),
    ]
}

fn row() -> impl Strategy<Value = (String, Values<'static>, Vec<String>)> {
    let values = proptest::collection::vec(value(), COLUMNS.len())
        .prop_map(|values| values.try_into().expect("as many as there are columns"));
    ("[a-c]{0,3}", values, proptest::collection::vec("[a-c/]{0,3}", 0..3))
}

proptest! {
    /// With a key and without: a seal fits the row it was made for, and none that differs.
    #[test]
    fn a_seal_fits_its_row_and_no_other(mine in row(), other in row(), column in 0..COLUMNS.len(), keyed: bool) {
        let sealer = Sealer::new(keyed.then(|| key(1)));
        let seal = sealer.seal(&mine.0, &mine.1, &mine.2);
        let check = |row: &(String, Values<'_>, Vec<String>)| sealer.check(Some(&seal), &row.0, &row.1, &row.2);
        prop_assert_eq!(check(&mine), Ok(()));
        let mut one = mine.clone();
        one.1[column] = other.1[column].clone();
        for row in [one, (other.0.clone(), mine.1.clone(), mine.2.clone()), (mine.0.clone(), mine.1.clone(), other.2.clone()), other] {
            prop_assert_eq!(check(&row).is_ok(), row == mine, "{:?}", row);
        }
    }

    #[test]
    fn no_bit_of_a_seal_is_idle(bit in 0..SEAL * 8, keyed: bool) {
        let values = [const { Value::Null }; COLUMNS.len()];
        let sealer = Sealer::new(keyed.then(|| key(1)));
        let mut seal = sealer.seal("db", &values, &["/a"]);
        seal[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(sealer.check(Some(&seal), "db", &values, &["/a"]).is_err());
    }
}

#[test]
fn a_seal_of_the_wrong_kind_or_of_another_key_is_none() {
    let values = [const { Value::Null }; COLUMNS.len()];
    let none: [&str; 0] = [];
    let (keyed, plain) = (Sealer::new(Some(key(1))), Sealer::default());
    let check = |sealer: &Sealer, seal: Option<&[u8]>| sealer.check(seal, "db", &values, &none);
    let mac = keyed.seal("db", &values, &none);
    let checksum = plain.seal("db", &values, &none);
    assert!(Sealer::is_keyed(&mac) && !Sealer::is_keyed(&checksum) && !Sealer::is_keyed(&[]));
    assert_eq!(check(&keyed, Some(&mac)), Ok(()));
    assert_eq!(check(&plain, Some(&checksum)), Ok(()));
    assert_eq!(check(&keyed, Some(&checksum)), Err(Damage::Unkeyed));
    assert!(Damage::Unkeyed.to_string().starts_with("the row has a checksum where a key is due"));
    assert_eq!(check(&plain, Some(&mac)), Err(Damage::NoKey));
    assert_eq!(check(&Sealer::new(Some(key(2))), Some(&mac)), Err(Damage::Changed));
    for sealer in [keyed, plain] {
        assert_eq!(check(&sealer, None), Err(Damage::Unsealed));
        assert_eq!(check(&sealer, Some(&[])), Err(Damage::Unsealed));
        assert_eq!(check(&sealer, Some(&[7; SEAL])), Err(Damage::Changed));
        assert!(check(&sealer, Some(&mac[..8])).is_err());
    }
}

/// Kept for ever: seals that were made must be found again.
#[test]
fn the_seal_of_a_row_is_what_it_always_was() {
    let mut values = [const { Value::Null }; COLUMNS.len()];
    values[0] = "7k3m9xq2v8".into();
    values[16] = Value::Integer(1);
    let digit = |n: u8| char::from_digit(n.into(), 16).expect("a digit");
    let hex = |seal: [u8; SEAL]| -> String {
        seal.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
    };
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    };
    let key = IntegrityKey::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a key");
    let (plain, keyed) = (Sealer::default(), Sealer::new(Some(key)));
    assert_eq!(hex(plain.seal("db", &values, &["/a"])), ROW_CHECKSUM);
    assert_eq!(hex(keyed.seal("db", &values, &["/a"])), ROW_MAC);
    // Those of before schema 8: looked at when such a database is brought up to date, and believed nowhere else.
    for (sealer, known) in [(&plain, KNOWN_CHECKSUM), (&keyed, KNOWN_MAC)] {
        let old = bytes(known);
        assert_eq!(sealer.check_narrow(Some(&old), "db", &values, &["/a"]), Ok(()));
        assert_eq!(sealer.check_narrow(Some(&old), "db", &values, &["/b"]), Err(Damage::Changed));
        assert_eq!(sealer.check(Some(&old), "db", &values, &["/a"]), Err(Damage::Narrow));
        let new = sealer.seal("db", &values, &["/a"]);
        assert!(sealer.check_narrow(Some(&new), "db", &values, &["/a"]).is_err(), "no way back");
    }
    // A narrow digest under the kind of a wide one, and the other way about.
    let mut forged = bytes(KNOWN_MAC);
    forged[0] = 4;
    assert_eq!(keyed.check(Some(&forged), "db", &values, &["/a"]), Err(Damage::Changed));
}

/// It says that the token is over and nothing else, and cannot be taken for the seal of a whole row.
#[test]
fn the_seal_of_an_end_speaks_of_nothing_else() {
    for sealer in [Sealer::default(), Sealer::new(Some(key(1)))] {
        let none: [&str; 0] = [];
        let mut values = [const { Value::Null }; COLUMNS.len()];
        values[ID] = "7k3m9xq2v8".into();
        values[REVOKED_AT] = "2026-11-21T12:00:00.000000Z".into();
        let seal = sealer.seal_end("db", &values);
        let check = |values: &Values<'_>| sealer.check(Some(&seal), "db", values, &none);
        assert_eq!(check(&values), Err(Damage::Ended));
        for (at, value) in
            [(ID, "7k3m9xq2v9".into()), (REVOKED_AT, Value::Null), (REVOKED_AT, "later".into())]
        {
            let mut other = values.clone();
            other[at] = value;
            assert_eq!(check(&other), Err(Damage::Changed));
        }
        assert!(sealer.check_message(Some(&seal), || Frame::new(b"")).is_err());
    }
}

#[test]
fn a_key_file_says_which_seals_are_still_taken_over() {
    let key = key(3).to_text();
    let name = "0123456789abcdef0123456789abcdef";
    let file = |more: &str| KeyFile::parse(format!("{}{more}", *key).as_bytes());
    let found = |more: &str| file(more).map(|file| (file.installation, file.rows));
    assert_eq!(found(""), Ok((None, false)));
    assert_eq!(found(&pin(name)), Ok((Some(name.to_owned()), false)));
    assert_eq!(found(&(pin(name) + PIN_ROWS + PIN_ROWS)), Ok((Some(name.to_owned()), true)));
    assert!(found("rows 3\n").is_err() && found("rows 2x\n").is_err());
}

const ROW_CHECKSUM: &str = "033d71b042dff888382fed814c120037adfef622f65bf92b0751de66a7a464f98d";
const ROW_MAC: &str = "04000b5eb198f199d764e10e05e299e9aece32ca4c9d0b816245fa463f3c086fce";
const KNOWN_CHECKSUM: &str = "01d6aab615bdad7090da9e9b747ddd6c6d32159b7bfef00101ef9f05fc4e45a553";
const KNOWN_MAC: &str = "024f782c385cb65853a9733e00941c14325c934079cfa675bc8fbce1603c29c61d";

#[test]
fn a_key_reads_back_and_a_placeholder_is_none() {
    let mine = key(3);
    assert_eq!(*IntegrityKey::parse(mine.to_text().as_bytes()).expect("a key").0, *mine.0);
    assert_eq!(format!("{mine:?}"), "IntegrityKey(..)");
    let placeholder = STANDARD.encode([7; KEY]);
    for bad in ["", "secret", placeholder.as_str(), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="] {
        assert!(IntegrityKey::parse(bad.as_bytes()).is_err(), "{bad}");
    }
}
