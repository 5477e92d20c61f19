//! [`TokenMask`]: which tokens of a vocabulary may be drawn.

/// A set of tokens, one bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenMask {
    words: Vec<u32>,
}

impl TokenMask {
    /// These tokens.
    pub fn of(tokens: &[u32]) -> TokenMask {
        let n_words = tokens.iter().max().map_or(0, |&most| most as usize / 32 + 1);
        let mut words = vec![0; n_words];
        tokens.iter().for_each(|&token| words[token as usize / 32] |= 1 << (token % 32));
        TokenMask { words }
    }

    /// Bit `i % 32` of word `i / 32` says whether token `i` is in the set; tokens beyond are not.
    pub fn from_words(words: Vec<u32>) -> TokenMask {
        TokenMask { words }
    }

    /// True for a token of the set.
    pub fn allows(&self, token: u32) -> bool {
        self.words.get(token as usize / 32).is_some_and(|word| word >> (token % 32) & 1 == 1)
    }

    /// True where no token is in the set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_what_was_put_in(tokens in prop::collection::vec(0u32..300, 0..40)) {
            let mask = TokenMask::of(&tokens);
            prop_assert_eq!(mask.is_empty(), tokens.is_empty());
            for token in 0..400 {
                prop_assert_eq!(mask.allows(token), tokens.contains(&token));
            }
            prop_assert!(!mask.allows(u32::MAX));
        }
    }
}
