//! The question how good one conversation is by each criterion of a rubric.
//!
//! One question for all criteria, answered in JSON, the reason before the score: a judge that has
//! written why scores more steadily than one that is asked for a number first (G-Eval, arXiv
//! 2303.16634, section 2, asks for reasoning steps likewise).

use stateset_core::{JudgeRequest, Verdict};

use super::asker::{AskTally, Asker};
use super::read_rubric::{CriterionScore, read_rubric};
use super::rubric::Rubric;

/// How one conversation is put before a judge, by a rubric.
#[derive(Clone, Debug, PartialEq)]
pub struct RubricPrompt {
    rubric: Rubric,
}

impl RubricPrompt {
    /// The question by `rubric`.
    pub fn new(rubric: Rubric) -> RubricPrompt {
        RubricPrompt { rubric }
    }

    /// What counts.
    pub fn rubric(&self) -> &Rubric {
        &self.rubric
    }

    /// The question about `conversation`, which should be quoted.
    pub fn request(&self, conversation: &str) -> JudgeRequest {
        let form = |name: &str| format!("{name:?}: {{\"reason\": \"one sentence\", \"score\": 1}}");
        let forms: Vec<String> = self.rubric.criteria().iter().map(|c| form(&c.name)).collect();
        let n = self.rubric.max_score();
        JudgeRequest {
            instructions: self.rubric.instructions(),
            question: format!(
                "The conversation:\n{conversation}\n\nScore it by every criterion from 1 (very bad) \
                 to {n} (very good). Answer with a JSON object and nothing else: {{{}}}",
                forms.join(", ")
            ),
            options: Vec::new(),
        }
    }

    /// Asks for the scores of all criteria, in the rubric's order.
    ///
    /// # Errors
    /// Why there are none. Scores of some criteria only are none.
    pub async fn ask(
        &self,
        asker: &Asker,
        conversation: &str,
        tally: &mut AskTally,
    ) -> Result<Vec<CriterionScore>, String> {
        let read = |verdict: &Verdict| read_rubric(&verdict.text, &self.rubric);
        asker.ask(self.request(conversation), read, tally).await
    }
}
