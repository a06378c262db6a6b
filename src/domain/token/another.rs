//! A token whose id turned out to be taken.

use super::{CHECK, ID, PlainToken, SECRET, TokenId, checksum};
use crate::domain::dice::Dice;
use zeroize::Zeroizing;

impl PlainToken {
    /// The same secret under another random id: for a token whose id is taken. What was computed of the secret holds.
    /// An imported token keeps its id.
    #[must_use]
    pub fn under_another_id(self, dice: &mut Dice) -> Self {
        if self.imported.is_some() {
            return self;
        }
        let id = TokenId::generate(dice);
        let secret = self.text.len() - CHECK - SECRET;
        let prefix = secret - ID - 1;
        let mut text = Zeroizing::new(String::with_capacity(self.text.len()));
        text.push_str(&self.text[..prefix]);
        text.push_str(id.as_str());
        text.push('_');
        text.push_str(&self.text[secret..secret + SECRET]);
        for byte in checksum(text.as_bytes()) {
            text.push(char::from(byte));
        }
        Self { text, id, imported: None }
    }
}
