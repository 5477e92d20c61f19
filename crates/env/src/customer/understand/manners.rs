//! How the agent says it: kindness, rudeness, stalling, refusing, saying goodbye.

use std::sync::LazyLock;

use super::patterns::Patterns;
use super::plain::Sentence;

/// What a sentence does beside asking and helping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Says sorry, or shows that the trouble is understood.
    Acknowledges,
    /// Thanks the customer.
    Thanks,
    /// Says hello or offers help in general.
    Greets,
    /// Asks whether there is anything else.
    OffersMoreHelp,
    /// Says goodbye.
    SaysGoodbye,
    /// Insults or belittles.
    IsRude,
    /// Will not or cannot help.
    Refuses,
    /// Asks for time and gives nothing.
    Stalls,
}

/// The manners of `sentence`.
pub(super) fn manners_in(sentence: &Sentence) -> Vec<Manner> {
    let mut manners = MANNERS.all_in(&sentence.text);
    if manners.contains(&Manner::OffersMoreHelp) {
        manners.retain(|manner| *manner != Manner::Greets);
    }
    manners
}

static MANNERS: LazyLock<Patterns<Manner>> = LazyLock::new(|| {
    use Manner::*;
    Patterns::new(&[
        (Acknowledges, r"sorry|apologi[sz]e|apologies|apology|forgive (us|me)|regret"),
        (
            Acknowledges,
            r"(i|we) ~2 (understand|see|hear|know|realize) ~1 (how|why|that|your|this|it|you)|i understand|understandable|understandably",
        ),
        (
            Acknowledges,
            r"(that|this|it) (must|sounds?|is|can be|would be|has to be) ~2 (frustrating|annoying|upsetting|stressful|worrying|disappointing|unpleasant|hard|awful|terrible|not good|bad|a pain)",
        ),
        (
            Acknowledges,
            r"(do not worry|no need to worry|no worries|rest assured|you are right|i can imagine|i would be (upset|annoyed|worried) too|i am here (for you|to help)|we will (fix|sort|solve) this|i will (take care of|sort|fix|make) (this|it|that))",
        ),
        (Thanks, r"thank you|thanks|i appreciate|much appreciated"),
        (Greets, r"^(hello|hi|hey|good (morning|afternoon|evening)|welcome|greetings)"),
        (
            Greets,
            r"(how|what) (can|may|could) (i|we) (do|help|assist)|(can|may|could) (i|we) (help|assist) you|happy to help|glad to help|here to help",
        ),
        (
            OffersMoreHelp,
            r"(anything|something) (else|more|further)|(other|more|further) (questions|ways|things)|help you with ~2 else",
        ),
        (
            SaysGoodbye,
            r"good ?bye|bye|bye bye|farewell|see you (soon|later|again|next time|around|then)|see you$|(talk|speak) to you (later|soon)|so long",
        ),
        (
            SaysGoodbye,
            r"have (a|an) ~1 (nice|good|great|lovely|wonderful|pleasant|amazing|fantastic) (day|evening|night|week|weekend|morning|afternoon|one)|take care$|enjoy your (day|evening|weekend)",
        ),
        (
            IsRude,
            r"(idiot|idiots|moron|shut up|pathetic|jerk|imbecile|damn|crap|screw you|go to hell)",
        ),
        (
            IsRude,
            r"you (are|seem|sound) ~2 (stupid|dumb|foolish|lying|annoying|a liar|a fool|a loser|useless|hopeless|rude|too demanding|crazy)|(so|how|such a|what a) ~1 (stupid|dumb|foolish)|(stupid|dumb|foolish|silly) (question|customer|person|user|complaint)",
        ),
        (
            IsRude,
            r"(stop|quit) (whining|complaining|bothering|wasting|crying|nagging)|(is|was|all|probably|only) (all )?your (own )?(fault|stupidity)|^(get lost|go away|deal with it|just deal with it|calm down|grow up)|(i|we) (do not|could not) care|nobody cares|who cares|not my problem|you people|what is wrong with you|hate (you|customers)",
        ),
        (
            Refuses,
            r"(i|we) (am |are |will |would )?~1 (cannot|not able to|unable to|will not|do not) ~2 (help|assist|do (that|this|it|anything)|support|fix|solve|offer|provide|give|send|refund|cancel|change|process|issue|replace|exchange|trace)",
        ),
        (
            Refuses,
            r"(nothing|not anything) (i|we|that i|that we) (can|could) do|(that|this|it) is (not possible|impossible|against (our|the) (policy|rules))|not (possible|allowed|our (problem|job|fault))|(cannot|unable to) (help|assist|do)|no one can help|contact (someone|somebody) else|call (someone|somebody) else",
        ),
        (
            Stalls,
            r"(wait|hold on|hang on|bear with me|be patient|stand by|(one|a|just a|another|give me a) (moment|second|minute|sec|few minutes|little time))",
        ),
        (
            Stalls,
            r"(let me|i will|i am going to|we will|allow me to|i need to|i am|we are) ~1 (check|checking|look|looking|see|find out|investigate|investigating|review|reviewing|get back|come back|ask|examine|follow up)",
        ),
        (
            Stalls,
            r"(someone|a colleague|our team|the team|an agent|a specialist) ~1 (will|can) ~1 (contact|call|get back|reach|email|be in touch|help)",
        ),
    ])
});
