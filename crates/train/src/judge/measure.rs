//! How good a judge is: its agreement with pairs of known quality, and with itself.

use stateset_algo::{OrderTally, TruthTally};
use stateset_env::judging::{AskTally, Asker, JudgePair, PairPrompt, dialogue};

use super::pairwise::compare;

/// What a judge did on pairs of known quality.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct JudgeMeasure {
    /// How often it found the better one; comparisons without an answer are not in it.
    pub truth: TruthTally,
    /// How often it changed its mind with the order.
    pub orders: OrderTally,
    /// How asking went.
    pub asked: AskTally,
}

/// Asks about every pair in both orders.
pub async fn measure_judge(
    asker: &Asker,
    prompt: &PairPrompt,
    pairs: &[JudgePair],
) -> JudgeMeasure {
    let mut measure = JudgeMeasure::default();
    for pair in pairs {
        let context = dialogue(&pair.context);
        let (better, worse) = (dialogue([&pair.better]), dialogue([&pair.worse]));
        let candidates = [better.as_str(), worse.as_str()];
        let compared = compare(asker, prompt, &context, candidates, &mut measure.asked).await;
        if let Ok(comparison) = compared {
            measure.truth.add(&comparison, true);
            measure.orders.add(&comparison);
        }
    }
    measure
}
