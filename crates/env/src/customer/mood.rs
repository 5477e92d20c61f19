//! How customers feel, and how they begin to write.

use crate::names::named_enum;

named_enum! {
    /// How the customer feels when the conversation begins.
    pub enum Mood {
        /// Plain and patient.
        Calm => "calm",
        /// Afraid that something is wrong.
        Worried => "worried",
        /// Short-spoken.
        Annoyed => "annoyed",
        /// At the end of their patience before it begins.
        Angry => "angry",
        /// In good spirits whatever happens.
        Cheerful => "cheerful",
    }
}

impl Mood {
    /// Unhelpful turns a customer of this mood tolerates unless the scenario says otherwise.
    pub fn usual_patience(self) -> u32 {
        match self {
            Mood::Calm | Mood::Worried => 4,
            Mood::Annoyed | Mood::Angry => 3,
            Mood::Cheerful => 5,
        }
    }

    /// True where the customer wants to hear an apology or a kind word within two turns.
    pub fn wants_acknowledgement(self) -> bool {
        matches!(self, Mood::Worried | Mood::Annoyed | Mood::Angry)
    }
}

named_enum! {
    /// How the first message begins.
    pub enum OpeningStyle {
        /// Straight to the problem.
        Direct => "direct",
        /// A hello first.
        Greeting => "greeting",
        /// A hello and the customer's name, where a fact gives one.
        Introduction => "introduction",
        /// A sentence about why it matters.
        Story => "story",
    }
}
