//! Has this been said before?

use super::hash::{Set, set};

/// Two turns that share this much of their words say the same.
const MIN_SHARED: f64 = 0.8;
/// Shorter turns count as repeated only where they are equal.
const MIN_WORDS: usize = 4;

/// True where `words` says nearly the same as `earlier`: equal, or four fifths of all their words
/// in common. Order does not count, so that shuffling a sentence does not make it new.
pub(crate) fn is_repeat(words: &[String], earlier: &[String]) -> bool {
    if words.len() < MIN_WORDS || earlier.len() < MIN_WORDS {
        return words == earlier;
    }
    let (a, b) = (set(words), set(earlier));
    let n_shared = a.intersection(&b).count();
    n_shared as f64 / (a.len() + b.len() - n_shared) as f64 >= MIN_SHARED
}

/// True where `words` hands back what the other side said: nearly every word of it is theirs.
pub(crate) fn is_parrot(words: &[String], other: &[String]) -> bool {
    if words.len() < MIN_WORDS {
        return words == other;
    }
    let theirs: Set<&String> = set(other);
    let n_shared = words.iter().filter(|word| theirs.contains(word)).count() as f64;
    n_shared / words.len() as f64 >= MIN_SHARED
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    #[test]
    fn repeats_are_found_whatever_their_order() {
        let repeat = |a: &str, b: &str| is_repeat(&words(a), &words(b));
        assert!(repeat("I can help you with that.", "i can help you with that"));
        assert!(repeat("With that I can help you.", "I can help you with that."));
        assert!(repeat("Hello!", "hello"));
        assert!(!repeat("Hello!", "Hi!"));
        assert!(!repeat("What is your order number?", "What is your email address?"));
        assert!(!repeat("Could you share your order number?", "Could you share your email?"));
    }

    #[test]
    fn handing_back_what_the_other_said_is_found() {
        let same = |a: &str, b: &str| is_parrot(&words(a), &words(b));
        let user = "Hello, my parcel was supposed to arrive on Monday and it is not here.";
        assert!(same("My parcel was supposed to arrive on Monday.", user));
        assert!(!same("I am sorry that your parcel is not here yet.", user));
    }
}
