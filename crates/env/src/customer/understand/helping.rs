//! Which kinds of help does the agent state or offer?
//!
//! A clause states help where it names it with its verb and its object ("start .. refund"), says that
//! the agent does it ("I have", "your refund has been", "here is") and does not deny it. Instructions
//! to the customer need no "I". A question ("shall I start a refund?") offers help. What the customer
//! wants ("I understand that you want to cancel your order") is neither.

use std::sync::LazyLock;

use super::patterns::Patterns;
use super::plain::Sentence;
use crate::customer::{Issue, Resolution, products};

/// The help named in one turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Help {
    /// Kinds that are done, promised or explained.
    pub(super) stated: Vec<Resolution>,
    /// Kinds that are offered by a question.
    pub(super) offered: Vec<Resolution>,
    /// True where some stated kind is said to be done already.
    pub(super) is_done: bool,
}

/// Reads the help out of the sentences of one turn.
pub(super) fn help_in(sentences: &[Sentence]) -> Help {
    let mut help = Help::default();
    for sentence in sentences {
        for clause in clauses(&sentence.text) {
            read_clause(clause, sentence.is_question, &mut help);
        }
    }
    if help.stated.is_empty() && help.offered.is_empty() && sentences.iter().any(names_arrival) {
        help.stated.push(Resolution::TraceParcel);
    }
    help.offered.retain(|kind| !help.stated.contains(kind));
    help
}

/// True where `sentence` is the question whether the agent should do something.
pub(super) fn is_offer(sentence: &Sentence) -> bool {
    sentence.is_question && ROLES.all_in(&sentence.text).contains(&Role::Offer)
}

/// "It will arrive on Friday", when nothing else in the turn says what "it" is.
fn names_arrival(sentence: &Sentence) -> bool {
    !sentence.is_question && ROLES.all_in(&sentence.text).contains(&Role::Arrival)
}

fn read_clause(clause: &str, is_question: bool, help: &mut Help) {
    let clause = without_set_phrases(clause);
    let kinds = kinds_in(&clause);
    if kinds.is_empty() {
        return;
    }
    let roles = ROLES.all_in(&clause);
    let has = |role| roles.contains(&role);
    let is_offer = is_question && has(Role::Offer);
    if has(Role::Denied) || (has(Role::CustomersWish) && !is_offer) {
        return;
    }
    for kind in kinds {
        let is_stated = if kind.is_instruction() {
            !is_offer
        } else {
            !is_question && has(Role::Committed) && !has(Role::MerelyHelps)
        };
        if is_stated && !help.stated.contains(&kind) {
            help.stated.push(kind);
            help.is_done |= has(Role::Done);
        } else if !is_stated && is_offer && !help.offered.contains(&kind) {
            help.offered.push(kind);
        }
    }
}

/// `clause` with each of [`HARMLESS`] made a word that means nothing, which keeps the gaps of patterns.
fn without_set_phrases(clause: &str) -> String {
    HARMLESS.iter().fold(clause.to_owned(), |text, phrase| {
        if text.contains(phrase) { text.replace(phrase, "indeed") } else { text }
    })
}

/// The kinds a clause names, without those that are only part of another kind's wording.
fn kinds_in(clause: &str) -> Vec<Resolution> {
    let mut kinds = KINDS.all_in(clause);
    for (kind, hides) in HIDING {
        if kinds.contains(kind) {
            kinds.retain(|other| !hides.contains(other));
        }
    }
    kinds
}

/// The clauses of a sentence: a denial or a condition reaches no further than its own.
fn clauses(sentence: &str) -> impl Iterator<Item = &str> {
    // The last letters of a break that belong to the next clause are in the second place.
    const BREAKS: [(&str, usize); 12] = [
        (" , ", 1),
        (" but ", 1),
        (" however ", 1),
        (" if ", 1),
        (" as ", 1),
        (" because ", 1),
        (" so ", 1),
        (" then ", 1),
        (" once ", 1),
        (" or ", 1),
        (" and i ", 3),
        (" and we ", 4),
    ];
    let mut rest = Some(sentence);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = BREAKS
            .iter()
            .filter_map(|(word, n_kept)| Some((text.find(word)?, word.len() - n_kept)))
            .min_by_key(|(index, _)| *index);
        let (clause, after) = match cut {
            Some((index, n)) => (&text[..index], Some(&text[index + n..])),
            None => (text, None),
        };
        rest = after;
        Some(clause)
    })
}

/// Kinds whose wording contains the wording of others.
const HIDING: &[(Resolution, &[Resolution])] = {
    use Resolution::*;
    &[
        (ReverseCharge, &[StartRefund, CancelOrder, SendReturnLabel]),
        (UpdateAddress, &[ShipReplacement, TraceParcel]),
        (SendResetLink, &[ResetPower, UpdateSoftware, ShipReplacement]),
        (ReinstallApp, &[ClearStorage, UpdateSoftware, RecommendPhone, RecommendLaptop]),
        (ResetSound, &[ResetPower, UpdateSoftware]),
        (ResetPower, &[RecommendPhone, RecommendLaptop]),
        (UpdateSoftware, &[ShipReplacement, RecommendPhone, RecommendLaptop]),
        (ClearStorage, &[RecommendPhone, RecommendLaptop]),
        (ExchangeItem, &[ShipReplacement]),
        (SendReturnLabel, &[ShipReplacement, TraceParcel]),
        (ShipReplacement, &[TraceParcel]),
        (CancelOrder, &[TraceParcel]),
        (StartRefund, &[TraceParcel]),
        (RecommendHeadphones, &[RecommendPhone, ShipReplacement]),
        (RecommendLaptop, &[ShipReplacement]),
        (RecommendPhone, &[ShipReplacement]),
        (RecommendChair, &[ShipReplacement]),
        (RecommendCoffeeMachine, &[ShipReplacement]),
    ]
};

/// What a clause does with the help it names.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// Somebody does it, did it or will do it.
    Committed,
    /// It is said to be done.
    Done,
    /// It is denied.
    Denied,
    /// It is what the customer wants or wanted.
    CustomersWish,
    /// It is a promise to be of help with it.
    MerelyHelps,
    /// It is offered by a question.
    Offer,
    /// A day on which something arrives.
    Arrival,
}

static ROLES: LazyLock<Patterns<Role>> = LazyLock::new(|| {
    use Role::*;
    Patterns::new(&[
        (
            Committed,
            r"i|we|let me|let us|i will|here (is|are)|you (will|can|should|are going to) ~1 (get|receive|have|be|use|expect|find|see)",
        ),
        (
            Committed,
            r"(is|are|was|were|has been|have been|had been|will be|been|comes?|gets?|goes|looks?|would be|should be)",
        ),
        (Committed, r"(will|should) (arrive|come|reach|go|follow|work|fit|suit|be|take)"),
        (Done, r"have|has|been|already|done|is on (its|the) way|did"),
        (Denied, r"cannot|not|never|unable|impossible|nor|no|refuse|sold out|out of stock"),
        (
            CustomersWish,
            r"you (\w+ )?(want|wanted|wants|wish|wished|need a|need an|need the|asked|ask|requested|request|like|mentioned|said|told|are (trying|looking|hoping|asking|waiting)|were (trying|hoping)|would (like|prefer)|have (asked|requested)) ~3 \w+",
        ),
        (
            MerelyHelps,
            r"help(ing)?( you)?( with| to)?|assist(ing)?( you)?( with| in)?|talk about|questions? about|happy to discuss",
        ),
        (
            Offer,
            r"(would|do) you (like|want|prefer|need) ~1 (me|us|a|an|the|to|it|your)|(shall|should) (i|we)|(can|may|could) (i|we) ~1 (start|begin|send|ship|cancel|update|change|trace|track|issue|exchange|swap|reserve|hold|offer|give|apply|recommend|suggest|refund|replace|reverse|process|arrange|put|set)|would a|would it help|how about|what about|want me to|are you interested in|have you considered",
        ),
        (
            Arrival,
            r"it (will|should|is going to) (arrive|be (there|here|delivered)|reach you|come|get to you) ~2 (today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|saturday|sunday|within|in ~2 (days?|hours?|week)|by|on|this week|next week|soon)",
        ),
    ])
});

/// Set phrases whose "no" or "not" denies nothing, and whose "charge" is no payment.
const HARMLESS: [&str; 12] = [
    "no problem",
    "no worries",
    "not a problem",
    "do not worry",
    "not only",
    "free of charge",
    "no extra charge",
    "no extra cost",
    "no additional charge",
    "no additional cost",
    "no charge",
    "no cost",
];

const SEND: &str = "(send|sends|sent|sending|ship|ships|shipped|shipping|mail|mailed|mailing|dispatch|dispatched|get|getting|receive|order|ordered|arrange|arranged)";
const PARCEL: &str = "(parcel|package|delivery|shipment)";

static KINDS: LazyLock<Patterns<Resolution>> = LazyLock::new(|| {
    let mut rows = service_rows();
    rows.extend(support_rows());
    rows.extend(sales_rows());
    let rows: Vec<(Resolution, &str)> =
        rows.iter().map(|(kind, pattern)| (*kind, pattern.as_str())).collect();
    Patterns::new(&rows)
});

type Rows = Vec<(Resolution, String)>;

fn owned<const N: usize>(rows: [(Resolution, &str); N]) -> Rows {
    rows.into_iter().map(|(kind, pattern)| (kind, pattern.to_owned())).collect()
}

fn service_rows() -> Rows {
    use Resolution::*;
    let mut rows = owned([
        (
            StartRefund,
            r"(start|started|starting|begin|began|begun|issue|issued|issuing|process|processed|processing|give|gave|given|giving|make|made|making|send|sent|sending|arrange|arranged|approve|approved|approving|put through|set up|initiate|initiated|request|requested|submit|submitted|complete|completed|authorize|authorized|offer|get|getting|receive) ~4 refunds?",
        ),
        (
            StartRefund,
            r"refunds? ~3 (started|issued|processed|approved|sent|made|completed|initiated|on its way|on the way|being|will arrive|will be|arrives?|should arrive|done|complete|ready|confirmed|under way)",
        ),
        (
            StartRefund,
            r"(refund|refunded|refunding) (you|your|the|it|this|that|order)|(be|been|are|get|is) (fully )?refunded",
        ),
        (
            StartRefund,
            r"(send|sent|give|gave|get|return|returned|returning|put|pay|paid) (you )?(back )?(your|the) money( back)?|money ~3 (back|returned|on its way)",
        ),
        (
            SendReturnLabel,
            r"(return|shipping|prepaid|postage|mailing) labels?|labels? ~3 (return|send ~2 back|email|inbox)|(send|sent|sending|email|emailed|emailing|mail|create|created|print|printed) ~4 labels?",
        ),
        (
            ExchangeItem,
            r"(exchange|exchanged|exchanging|swap|swapped|swapping) ~4\w+|(set up|start|started|arrange|arranged|process|processed|make|made) ~3 (exchange|swap)",
        ),
        (
            ExchangeItem,
            r"(send|sent|ship|shipped|sending|shipping) ~5 in ~2 (size|small|medium|large)",
        ),
        (
            CancelOrder,
            r"(cancel|cancelled|canceled|cancelling|canceling) ~4 (order|purchase|it|shipment|this)|(stop|stopped) ~2 (order|shipment)",
        ),
        (
            CancelOrder,
            r"(order|purchase|it|shipment) ~3 (cancelled|canceled|stopped)|(process|processed|made|arranged|confirm|confirmed|started|complete|completed) ~2 cancell?ation|cancell?ation ~2 (is|has been|was) (done|complete|completed|confirmed|processed)",
        ),
        (
            UpdateAddress,
            r"(update|updated|updating|change|changed|changing|correct|corrected|fix|fixed|save|saved|saving|set|add|added|replace|replaced|switch|switched|edit|edited|put|entered|enter) ~6 address",
        ),
        (
            UpdateAddress,
            r"address ~4 (updated|changed|corrected|saved|set|added|fixed|is now)|(ship|send|deliver|redirect|sent|shipped|delivered|redirected|redirecting|sending|delivering|go|goes|forward|forwarded) ~6 (new|right|correct|updated|other) address",
        ),
        (
            UpdateAddress,
            r"(redirect|redirected|redirecting|reroute|rerouted) ~4 (order|parcel|package|delivery|it)",
        ),
        (
            ShipReplacement,
            r"(send|sends|sent|sending|ship|ships|shipped|shipping|mail|mailed|order|ordered|ordering|arrange|arranged|get|give|offer|issue|issued|start|started|set up|receive|prepare|prepared|process|processed|dispatch|dispatched|have) ~5 replacements?|replacements? ~4 (is|will|has|sent|shipped|on its way|ordered|on the way|arrives?)",
        ),
        (ShipReplacement, r"(replace|replaced|replacing) ~3\w+"),
        (
            ReverseCharge,
            r"(refund|refunded|refunding|reverse|reversed|reversing|return|returned|returning|cancel|cancelled|canceled|cancelling|remove|removed|removing|credit|credited|crediting|void|voided|give back|gave back|given back|pay back|paid back|send back|sent back|take off|taken off|undo|undone|corrected|fixed|fix|correct) ~6 (charge|charges|payment|payments)",
        ),
        (
            ReverseCharge,
            r"(charge|payment) ~4 (refunded|reversed|returned|removed|cancelled|canceled|credited|voided|given back|paid back|back)|refund ~3 (for|of) ~2 (extra|second|double|duplicate|additional) ~1 (charge|payment)|(money|amount) (for|of) ~1 (extra|second|double|duplicate) (charge|payment)",
        ),
    ]);
    rows.extend([
        (TraceParcel, format!(r"(trace|traced|traces|tracing|track|tracked|tracking) (down )?~4 ({PARCEL}|order|it)|(locate|located|locating) ~4 {PARCEL}")),
        (TraceParcel, format!(r"({PARCEL}|order) ~2 (will|should|is going to|is due to|is scheduled to|is expected to) (now )?(arrive|be delivered|be there|be with you|reach you|come|get to you)")),
        (TraceParcel, format!(r"({PARCEL}|order) ~3 (is|was) ~1 (on its way|on the way|out for delivery|arriving|traced|in transit|scheduled for)|{PARCEL} ~2 (located|found)")),
        (TraceParcel, format!(r"expect (it|your ~1 ({PARCEL}|order)) ~1 (on|by|in|within|today|tomorrow|this|next)")),
        (ShipReplacement, format!(r"{SEND} (you |out |over )*(a |an |the |another |your )?(new|another|right|correct|different|brand new|same|proper|working|intact) ~1\w+")),
    ]);
    rows
}

fn support_rows() -> Rows {
    use Resolution::*;
    owned([
        (
            ResetPower,
            r"(hold|holding|press|pressing|push|pushing) ~6 (power )?(button|switch|key)|(hard|power|full|forced?) (reset|restart|reboot)|(reset|restart|reboot) (the|your) (power|laptop|device|tablet|printer|phone|speaker|console|monitor|television|watch)",
        ),
        (
            RestartRouter,
            r"(restart|restarting|reboot|rebooting|reset|resetting|unplug|unplugging|power cycle|turn off|turning off|switch off|turn|switch|plug|plugging) ~5 (router|modem)|(router|modem) ~4 (restart|reboot|reset|off and|off for|unplugged|restarted|back on)",
        ),
        (
            ReinstallApp,
            r"(reinstall|reinstalling|reinstalled|uninstall|uninstalling|delete|deleting|remove|removing|install|installing|download|downloading) ~6 (app|application|apps)|(app|application) ~3 (again|reinstalled)|(reinstall|reinstalling) it",
        ),
        (
            ClearStorage,
            r"(clear|clearing|free|freeing|delete|deleting|remove|removing|clean|cleaning|empty|emptying|move|make) (up |out )?~5 (storage|space|files|cache|disk|room|photos|downloads|apps you)",
        ),
        (
            SendResetLink,
            r"(reset|recovery) (link|links|email|mail)|links? ~5 (reset|password|recover)|(send|sent|sending|email|emailed|emailing) ~5 (reset|link|new password|recovery|temporary password)|(reset|resetting) (your|the) password|password ~2 (has been|was|is) reset",
        ),
        (
            UpdateSoftware,
            r"(update|updating|upgrade|upgrading|install|installing|download|downloading|run) ~5 (software|system|firmware|updates?|operating system|new version|latest version|newest version)|software update|update to (the )?(version|latest|newest)|update (it|the device|your (phone|laptop|tablet|watch|device|computer))",
        ),
        (
            ResetSound,
            r"(reset|resetting|restore|restoring|reinstall|reinstalling|update|updating) ~3 (sound|audio)|(sound|audio) (settings|driver|drivers)|unmute ~2\w+",
        ),
    ])
}

fn sales_rows() -> Rows {
    use Resolution::*;
    let mut rows = owned([
        (
            OfferDiscount,
            r"(give|gave|given|giving|offer|offered|offering|apply|applied|applying|get|receive|add|added|have|take|took|taken|send|sent|create|created|use|set up|approve|approved|include|included) ~6 (discount|percent off|coupon|promo code|promotion code|voucher|discount code|off your order|off the price)",
        ),
        (
            OfferDiscount,
            r"discount ~4 (is|has been|applied|added|of|for you|will be|was)|percent (discount|off)|(coupon|promo|discount|voucher) code|better price (is|of)",
        ),
        (
            ConfirmStock,
            r"in stock|(is|are) (still |now |currently |also )?available|on the shelf|ready to ship",
        ),
        (
            ConfirmStock,
            r"(hold|holding|held|kept|keep|put|set|putting|setting) ~5 (aside|on hold)|(reserve|reserved|reserving) ~3\w+|(hold|held|keep|kept) ~4 for you",
        ),
    ]);
    for (issue, noun) in [
        (Issue::FindLaptop, "(laptop|notebook)"),
        (Issue::FindPhone, "(phone|smartphone)"),
        (Issue::FindHeadphones, "(headphones|headphone|headset|earphones)"),
        (Issue::FindChair, "(chair|armchair|stool)"),
        (Issue::FindCoffeeMachine, "(coffee|espresso) (machine|maker)"),
    ] {
        let kind = issue.resolution();
        rows.extend(recommendation_rows(issue, noun).map(|pattern| (kind, pattern)));
    }
    rows
}

/// How a product of one kind is recommended: by its kind or by one of the catalogue's names.
fn recommendation_rows(issue: Issue, noun: &str) -> [String; 3] {
    const RECOMMEND: &str =
        "(recommend|recommended|suggest|suggested|go with|go for|choose|pick|consider|try)";
    const PRAISE: &str =
        "(good|great|perfect|right|best|ideal|nice|solid|excellent|fine|fits|fit|suits|suit)";
    let names: Vec<String> =
        products(issue).iter().map(|product| product.name.to_lowercase()).collect();
    let name = format!("({})", names.join("|"));
    [
        format!(r"{RECOMMEND} ~5 ({noun}|{name})"),
        format!(
            r"{PRAISE} ~3 {noun}|{noun} ~5 ({PRAISE}|work for you|works for you|in your budget|within your budget)"
        ),
        format!(
            r"{name} ~4 (is|are|would|will|fits|fit|costs|cost|has|for|at|should|works)|({noun}) (for|at) [0-9.]+ dollars"
        ),
    ]
}
