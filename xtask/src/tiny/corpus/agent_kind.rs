//! The scripted agents of the corpus and what each tends to do.
//!
//! One style of speech, many ways of being of no use: a model trained on the mixture sounds polite
//! and helps sometimes, and what reinforcement has to find is in the text already. No agent is rude.
//!
//! The weights and chances are set so that a little under a third of the conversations reach their
//! goal, and a test holds them there. A small model makes slips of its own and so reaches a little
//! less than its text; the weight of the expert is the one to turn where it reaches too little or too
//! much.

/// What an agent is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum AgentKind {
    /// Kind and to the point: asks what is missing, gives the right help.
    Expert,
    /// As right as the expert, with many words around it.
    Rambler,
    /// To the point, without a kind word.
    Cold,
    /// Mixes good turns with early, wrong and idle ones.
    Careless,
    /// Helps before it knows enough.
    Hasty,
    /// Asks again what was told, asks what does not matter, mistakes the problem.
    Confused,
    /// Kind words, promises and delays.
    Vague,
}

/// What an agent may do with its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// Asks for one or two missing facts; with none missing, gives the right help.
    Right,
    /// Asks whether to give the right help, once all facts are there.
    Offer,
    /// Gives the right help, whatever is missing.
    HelpNow,
    /// Gives another kind of help.
    WrongHelp,
    /// Gives the right help and another kind.
    TwoHelps,
    /// Asks for a fact that does not matter.
    AskIrrelevant,
    /// Asks for a fact that was told.
    AskAgain,
    /// Asks for three facts.
    AskMany,
    /// Asks for nothing in particular.
    AskOpenly,
    /// Asks for time.
    Stall,
    /// Says kind things about the shop.
    Please,
    /// Talks of something else.
    TurnAside,
    /// Says that it cannot help.
    Refuse,
    /// Asks whether there is anything else.
    OfferMore,
    /// Says goodbye.
    Leave,
    /// Says its last turn again.
    Repeat,
}

/// What an agent of one kind tends to do. Chances are from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// Weight of this kind among the agents of desk conversations.
    pub(super) weight: u32,
    /// Chance of the right move.
    pub(super) right: f64,
    /// The same after a turn that the customer did not like.
    pub(super) recovers: f64,
    /// What it does otherwise, by weight.
    pub(super) slips: &'static [(Move, u32)],
    /// Chance of a kind word in the first turn, and of an apology after a complaint.
    pub(super) is_kind: f64,
    /// Whether upset customers always hear a kind word first.
    pub(super) heeds_moods: bool,
    /// Chance of thanks for a fact.
    pub(super) thanks: f64,
    /// Chance of a farewell after the customer's last words.
    pub(super) takes_leave: f64,
    /// Least and most idle sentences added to a turn.
    pub(super) n_fillers: (usize, usize),
}

impl AgentKind {
    /// Every kind.
    pub(crate) const ALL: [AgentKind; 7] = [
        AgentKind::Expert,
        AgentKind::Rambler,
        AgentKind::Cold,
        AgentKind::Careless,
        AgentKind::Hasty,
        AgentKind::Confused,
        AgentKind::Vague,
    ];

    /// Lower-case name for tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            AgentKind::Expert => "expert",
            AgentKind::Rambler => "rambler",
            AgentKind::Cold => "cold",
            AgentKind::Careless => "careless",
            AgentKind::Hasty => "hasty",
            AgentKind::Confused => "confused",
            AgentKind::Vague => "vague",
        }
    }

    /// What it tends to do.
    pub(super) fn habits(self) -> &'static Habits {
        match self {
            AgentKind::Expert => &EXPERT,
            AgentKind::Rambler => &RAMBLER,
            AgentKind::Cold => &COLD,
            AgentKind::Careless => &CARELESS,
            AgentKind::Hasty => &HASTY,
            AgentKind::Confused => &CONFUSED,
            AgentKind::Vague => &VAGUE,
        }
    }
}

const EXPERT: Habits = Habits {
    weight: 12,
    right: 1.0,
    recovers: 1.0,
    slips: &[],
    is_kind: 0.85,
    heeds_moods: true,
    thanks: 0.7,
    takes_leave: 0.85,
    n_fillers: (0, 0),
};

const RAMBLER: Habits = Habits {
    weight: 4,
    right: 0.75,
    recovers: 0.6,
    slips: &[
        (Move::Please, 4),
        (Move::AskOpenly, 2),
        (Move::Stall, 2),
        (Move::OfferMore, 1),
        (Move::Offer, 2),
    ],
    is_kind: 0.9,
    heeds_moods: true,
    thanks: 0.8,
    takes_leave: 0.85,
    n_fillers: (2, 3),
};

const COLD: Habits = Habits {
    weight: 9,
    right: 0.42,
    recovers: 0.25,
    slips: &[
        (Move::Refuse, 3),
        (Move::HelpNow, 4),
        (Move::AskIrrelevant, 2),
        (Move::AskMany, 5),
        (Move::Stall, 1),
        (Move::WrongHelp, 2),
        (Move::Leave, 1),
    ],
    is_kind: 0.0,
    heeds_moods: false,
    thanks: 0.05,
    takes_leave: 0.5,
    n_fillers: (0, 0),
};

const CARELESS: Habits = Habits {
    weight: 24,
    right: 0.18,
    recovers: 0.14,
    slips: &[
        (Move::HelpNow, 3),
        (Move::WrongHelp, 4),
        (Move::AskIrrelevant, 3),
        (Move::AskAgain, 2),
        (Move::TurnAside, 2),
        (Move::AskMany, 6),
        (Move::TwoHelps, 6),
        (Move::AskOpenly, 1),
        (Move::Offer, 1),
        (Move::OfferMore, 1),
        (Move::Please, 1),
    ],
    is_kind: 0.55,
    heeds_moods: false,
    thanks: 0.45,
    takes_leave: 0.8,
    n_fillers: (0, 0),
};

const HASTY: Habits = Habits {
    weight: 19,
    right: 0.1,
    recovers: 0.08,
    slips: &[
        (Move::HelpNow, 6),
        (Move::WrongHelp, 4),
        (Move::TwoHelps, 8),
        (Move::OfferMore, 1),
        (Move::Leave, 1),
    ],
    is_kind: 0.45,
    heeds_moods: false,
    thanks: 0.4,
    takes_leave: 0.8,
    n_fillers: (0, 0),
};

const CONFUSED: Habits = Habits {
    weight: 17,
    right: 0.15,
    recovers: 0.1,
    slips: &[
        (Move::AskAgain, 5),
        (Move::AskIrrelevant, 5),
        (Move::WrongHelp, 5),
        (Move::TurnAside, 2),
        (Move::AskMany, 7),
        (Move::TwoHelps, 4),
        (Move::Repeat, 2),
    ],
    is_kind: 0.5,
    heeds_moods: false,
    thanks: 0.5,
    takes_leave: 0.8,
    n_fillers: (0, 0),
};

const VAGUE: Habits = Habits {
    weight: 14,
    right: 0.1,
    recovers: 0.06,
    slips: &[
        (Move::Please, 7),
        (Move::Stall, 6),
        (Move::AskOpenly, 2),
        (Move::TurnAside, 2),
        (Move::Leave, 2),
        (Move::OfferMore, 1),
        (Move::Refuse, 1),
    ],
    is_kind: 0.7,
    heeds_moods: false,
    thanks: 0.7,
    takes_leave: 0.85,
    n_fillers: (2, 3),
};
