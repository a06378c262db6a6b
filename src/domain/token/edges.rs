//! What else a token is and is not: nothing but slips in the code would make it so.

use super::*;
use rand::SeedableRng;

const ID_AND_SECRET: &str = "7k3m9xq2v8_ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// `body` with the check that fits it.
fn checked(body: &str) -> String {
    let check = checksum(body.as_bytes()).map(char::from);
    format!("{body}{}", String::from_iter(check))
}

#[test]
fn a_check_that_fits_makes_no_token_of_another_shape() {
    let read = |body: &str| checked(body).parse::<PlainToken>().map(|token| token.id().to_string());
    assert_eq!(read(&format!("patctl_{ID_AND_SECRET}")).as_deref(), Ok("7k3m9xq2v8"));
    for body in [
        ID_AND_SECRET.to_owned(),
        format!("_{ID_AND_SECRET}"),
        format!("1a_{ID_AND_SECRET}"),
        format!("a-b_{ID_AND_SECRET}"),
        format!("a__{ID_AND_SECRET}"),
        format!("patctl_{}", ID_AND_SECRET.replace('A', "-")),
        format!("patctl_{}", ID_AND_SECRET.replace("7k", "7l")),
        format!("patctl_{}", ID_AND_SECRET.replace("7k", "7K")),
    ] {
        assert_eq!(read(&body), Err(TokenError::Shape), "{body}");
    }
}

/// A secret that outgrew its buffer would leave half of itself behind, which nobody wipes.
#[test]
fn the_buffer_of_a_new_token_never_grows() {
    let mut dice = Dice::new(Box::new(rand::rngs::StdRng::seed_from_u64(1)));
    for prefix in ["patctl", "a", "a_rather_long_prefix_for_a_token"] {
        let token = PlainToken::generate(&prefix.parse().expect("a prefix"), &mut dice);
        assert_eq!(token.text.capacity(), token.text.len(), "{prefix}");
    }
}

#[test]
fn the_id_of_an_imported_token_is_its_number_and_says_so() {
    for number in [0, 1, 31, 32, 123_456_789_012, (1 << 40) - 1] {
        let id = TokenId::imported(number);
        assert!(id.is_imported() && id.imported_number() == Some(number), "{id}");
    }
    let ours: TokenId = "7k3m9xq2v8".parse().expect("an id");
    assert!(!ours.is_imported() && ours.imported_number().is_none());
    assert_eq!(format!("{ours:?}"), "7k3m9xq2v8");
}

#[test]
fn a_long_word_is_a_secret_only_where_all_three_kinds_are_in_it() {
    let hex = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let upper = hex.to_ascii_uppercase();
    for plain in [hex, &upper, &"a".repeat(40), &"A".repeat(40), &"1".repeat(40), &"aB".repeat(20), "Ab1"] {
        assert_eq!((&*mask(plain), &*mask_strictly(plain)), (plain, plain));
    }
    let piece = "Ab1Ab1Ab1Ab";
    assert_eq!(mask_strictly(&format!("no {piece} here")), format!("no {piece} here"));
    assert_eq!(mask_strictly(&format!("no {piece}1 here")), "no … here");
    assert_eq!(mask(&format!("no {piece}1 here")), format!("no {piece}1 here"));
    // Behind an id, whatever it is made of.
    assert_eq!(mask("x_7k3m9xq2v8_abcdefgh"), "x_7k3m9xq2v8_…");
    assert_eq!(mask("x_7k3m9xq2v8_abcdefg"), "x_7k3m9xq2v8_abcdefg");
}
