//! Which facts does the agent ask for?
//!
//! A sentence asks where it is a question or a request ("please share..", "I need your.."); what it
//! asks for are the facts it names. Naming a fact without asking ("I have your order number") asks
//! nothing.

use std::sync::LazyLock;

use super::patterns::Patterns;
use super::plain::Sentence;
use crate::customer::Slot;

/// The facts that `sentence` asks for, each once.
pub(super) fn asked_slots(sentence: &Sentence) -> Vec<Slot> {
    if !is_asking(sentence) {
        return Vec::new();
    }
    let mut slots = Vec::new();
    for meaning in NAMED.all_in(&sentence.text) {
        match meaning {
            Named::Slot(slot) if !slots.contains(&slot) => slots.push(slot),
            Named::Slot(_) => {}
            Named::Not(slot) => slots.retain(|other| *other != slot),
        }
    }
    slots
}

/// True where `sentence` asks for an account of the problem and names no fact.
pub(super) fn is_open_question(sentence: &Sentence) -> bool {
    !OPEN.all_in(&sentence.text).is_empty()
}

/// True for questions and requests.
pub(crate) fn is_asking(sentence: &Sentence) -> bool {
    sentence.is_question || !REQUEST.all_in(&sentence.text).is_empty()
}

/// What a pattern of [`NAMED`] says of the facts a question is about.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    /// The question is about this fact.
    Slot(Slot),
    /// The word of this fact is used for something else. Such rows follow the rows of the fact.
    Not(Slot),
}

static REQUEST: LazyLock<Patterns<()>> = LazyLock::new(|| {
    Patterns::new(&[
        (
            (),
            r"^(please |kindly |just |also |and |then |thanks |thank you |so |ok |okay |now )*(what|which|when|why|how much|how many|how long|where) ~2 (is|are|was|were|did|does|do|would|will|should|can|has|have|kind|type)",
        ),
        (
            (),
            r"please ~1 (tell|share|give|send|provide|confirm|let me|enter|type|write|reply|add|include|state|name|describe)",
        ),
        ((), r"(tell|give|send) (me|us)"),
        ((), r"(share|provide|confirm) ~2 (your|the|which|what|when|how)"),
        ((), r"let (me|us) know ~1 (your|the|what|which|when|why|how|where)"),
        (
            (),
            r"(i|we) (will |would |also |just |only |still |do |first )*(need|require) (also |just |only )?(the|your|an|a|some|to know|to have|both|two|one)",
        ),
        (
            (),
            r"(i|we) (will |would |also |just |only |still )*(need|have|like) to (know|have|ask|get) ~1 (the|your|for|what|which|when|why|how|where|about)",
        ),
        ((), r"(can|could|may|might) (i|we) ~2 (have|get|know|ask|see)"),
        (
            (),
            r"(can|could|would|will) you ~2 (tell|share|give|send|provide|confirm|let|say|describe)",
        ),
    ])
});

static OPEN: LazyLock<Patterns<()>> = LazyLock::new(|| {
    Patterns::new(&[
        ((), r"(more|further|additional|some|any|the|other) (details?|information|info)"),
        ((), r"(tell|give|share with) (me|us) ~1 more"),
        ((), r"(tell|share) (me|us)? ?(what|everything) ~1 (happened|you know|going on)"),
        (
            (),
            r"what (exactly )?(is|was|seems to be) (exactly )?(the|your) (problem|issue|matter|trouble)",
        ),
        ((), r"what (is|was|went|seems|has gone) (exactly )?wrong"),
        ((), r"what (happened|happens|is happening|is going on)"),
        ((), r"(describe|explain) (the|your|it|what|this)"),
    ])
});

static NAMED: LazyLock<Patterns<Named>> = LazyLock::new(|| {
    use Slot::*;
    let rows: Vec<(Named, &str)> = [
        (OrderNumber, r"order (number|no|id|code|reference|ref|numbers)|reference (number|code|id)|number (of|for|on) (your|the|this) ~1 order|(which|what) order|tracking number"),
        (Item, r"(which|what) ~1 (items?|products?|articles?|one)|what (did|have) you (buy|bought|order|ordered|receive|received|get)|name of (the|your) (item|product)|(the|your) ~1 (item|product|article)( name)?|items? (name|is it|was it|did|do|would|is damaged|is broken)|what (would|do) you (like|want) to (return|send back|exchange)|what (is|was|arrived) (it that )?(damaged|broken|defective|faulty)|what are you (looking for|interested in|buying)"),
        (Email, r"(your|the|an|account|which|what|registered|that) ~2 (email|mail)( address)?|(email|mail) address|(email|mail) (on|for|of|is|do|did|you)"),
        (Postcode, r"post ?codes?|postal codes?|zip ?codes?|zip"),
        (Reason, r"reasons?|why|what made you|how come|cause"),
        (NewAddress, r"(new|correct|right|current|delivery|shipping|full|updated|different|street|home|postal|the|your|an|what|which) address|where (should|shall|do|would|can|must) (we|i|you) ~3 (send|deliver|ship|sent|delivered|shipped|it|go)"),
        (Size, r"(which|what|your|the|new|right|correct|a) ~2 size|size (do|would|did|you|is)|how (big|large)"),
        (Color, r"(which|what|your|the|preferred|favorite|a) ~1 colou?r|colou?r (do|would|did|you|is|should)"),
        (Quantity, r"how many|quantity|number of (units|items|pieces|products)|the amount you"),
        (Device, r"(which|what) ~3 (device|phone|laptop|computer|tablet|machine|model|hardware|printer|monitor|console|tv)|(your|the|kind of|type of) device|(device|computer|phone|laptop|tablet) (do|are|is it|did|model|type|name)|(your|the) model|model (do|are|is|name|number)"),
        (SinceWhen, r"(since )?when (did|was|has|have|is|does)|since when|how long|(start|begin|began|started) (happening|when)|when ~3 (start|started|begin|began|happen|happened|notice|noticed)|start date|first (notice|time)"),
        (Version, r"versions?|(which|what) (software|system|operating system|os|firmware)|operating system"),
        (ErrorCode, r"errors?( message| code| number| text)?|message (do|did|does|is|you|on)|what (does|did) (it|the screen|the message|the app|the display) (say|show|display)|(see|shown|show) ~2 (message|code)"),
        (Light, r"lights?|led|lamp on"),
        (Name, r"(your|the|full|first|last|user|account holder) ~1 names?|who am i|whom am i|name on (the|your)|may i have your name|your name|username"),
        (Budget, r"budgets?|price (range|limit)|how much ~4 (spend|pay|cost|money|budget)|(spend|pay) (on|for)|most you"),
        (Use, r"what (will|would|do|are) (you|it|this) ~4 for|(how|where) (will|would|do|are) you ~3 (use|using|need)|(use|using|used|need|want|planning) (it|this|them|the|your) ~4 for|for what|what for|(intended|main|planned) use|use case|what ~3 (use|purpose)|purpose"),
    ]
    .map(|(slot, pattern)| (Named::Slot(slot), pattern))
    .to_vec();
    // Rows that follow take a fact back where its word means something else.
    let backs = [
        (Item, r"name of the (account|customer)|the item (number|price)"),
        (
            Email,
            r"(check|open|read|see|look (at|in)|get|receive|received|reply to|by|via|send ~2 an?) ~2 (email|mail|inbox)",
        ),
        (
            Name,
            r"name of (the|your) (item|product|device|app|problem)|(item|product|device|model) name",
        ),
        (NewAddress, r"(email|mail) address|ip address"),
        (Color, r"colou?r ~4 (lights?|led)|(lights?|led) ~4 colou?r"),
        (Size, r"size of (the|your) (problem|budget)"),
        (Device, r"(error|price|order) ~1 (device|model)"),
        (SinceWhen, r"how long (does|will|would|did) (it|that|this) take"),
        (Quantity, r"how many (times|days|hours|weeks)"),
        (
            Use,
            r"what ~2 ask(ed|ing) for|what (are|do) you (looking|look|waiting|asking|searching|want ~2 a refund) for",
        ),
        (
            Item,
            r"(order|delivery|tracking|shipping) (number|address)s? (of|for) (the|your) (item|product)",
        ),
        (
            Item,
            r"(size|color|price|use|number|reason) (of|for|with|about) (the|your|this) (item|product)|(return|exchange|refund|replace|returning|exchanging) (the|your|this) (item|product)",
        ),
    ];
    let backs = backs.map(|(slot, pattern)| (Named::Not(slot), pattern));
    Patterns::new(&[rows, backs.to_vec()].concat())
});
