//! Asks a judge until its answer can be read, a limited number of times.
//!
//! An answer that cannot be read is counted, and the question is put again with the reason below it.
//! After the last attempt there is an error, never a middle value: a judge that babbles must not look
//! like a judge that is undecided.

use std::fmt;
use std::sync::Arc;

use stateset_core::{Judge, JudgeRequest, PolicyError, Verdict};

/// Characters of an unreadable answer that are shown.
const MAX_SHOWN: usize = 80;

/// A judge, and how often it is asked.
#[derive(Clone)]
pub struct Asker {
    /// Who is asked.
    pub judge: Arc<dyn Judge>,
    /// How often a question is put again.
    pub max_retries: usize,
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asker {{ max_retries: {} }}", self.max_retries)
    }
}

/// How asking went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AskTally {
    /// Questions put, again or not.
    pub n_asked: usize,
    /// Answers that could not be read.
    pub n_unreadable: usize,
    /// Questions to which no answer came.
    pub n_failed: usize,
    /// Questions given up.
    pub n_given_up: usize,
}

impl AskTally {
    /// Adds the counts of another.
    pub fn add(&mut self, other: &AskTally) {
        self.n_asked += other.n_asked;
        self.n_unreadable += other.n_unreadable;
        self.n_failed += other.n_failed;
        self.n_given_up += other.n_given_up;
    }
}

impl Asker {
    /// Asks `judge`, twice more where it cannot be understood.
    pub fn new(judge: Arc<dyn Judge>) -> Asker {
        Asker { judge, max_retries: 2 }
    }

    /// Puts `request` until `read` understands the answer.
    ///
    /// # Errors
    /// Why there is no answer: what was wrong with the last one.
    pub async fn ask<T>(
        &self,
        request: JudgeRequest,
        read: impl Fn(&Verdict) -> Result<T, String> + Send,
        tally: &mut AskTally,
    ) -> Result<T, String> {
        let mut again = request.clone();
        let mut attempt = 0;
        loop {
            tally.n_asked += 1;
            attempt += 1;
            let (reason, is_hopeless) = match self.judge.judge(again.clone()).await {
                Ok(verdict) => match read(&verdict) {
                    Ok(answer) => return Ok(answer),
                    Err(reason) => {
                        tally.n_unreadable += 1;
                        again.question = asked_again(&request.question, &reason);
                        (format!("{reason}; it said {:?}", shown(&verdict.text)), false)
                    }
                },
                Err(error) => {
                    tally.n_failed += 1;
                    (error.to_string(), is_final(&error))
                }
            };
            if is_hopeless || attempt > self.max_retries {
                tally.n_given_up += 1;
                let times = if attempt == 1 { "once" } else { &format!("{attempt} times") };
                return Err(format!("the judge was asked {times} without success: {reason}"));
            }
        }
    }
}

fn asked_again(question: &str, reason: &str) -> String {
    format!(
        "{question}\n\nYour last answer could not be used: {reason}. Answer in the form that was asked for."
    )
}

/// True for failures that will be the same next time.
fn is_final(error: &PolicyError) -> bool {
    !matches!(error, PolicyError::Failed(_) | PolicyError::Unavailable { .. })
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(MAX_SHOWN).collect();
    if short.len() < text.len() { format!("{short}..") } else { short }
}

#[cfg(test)]
pub(super) mod testing {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    /// Gives its answers one after the other and remembers what it was asked.
    pub(crate) struct Scripted {
        pub(crate) answers: Mutex<VecDeque<Result<Verdict, PolicyError>>>,
        pub(crate) asked: Mutex<Vec<JudgeRequest>>,
    }

    impl Scripted {
        pub(crate) fn saying(answers: &[&str]) -> Arc<Scripted> {
            let verdict = |text: &&str| Ok(Verdict { text: (*text).into(), option_logprobs: None });
            let answers = Mutex::new(answers.iter().map(verdict).collect());
            Arc::new(Scripted { answers, asked: Mutex::default() })
        }
    }

    #[async_trait]
    impl Judge for Scripted {
        async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError> {
            self.asked.lock().unwrap().push(request);
            let next = self.answers.lock().unwrap().pop_front();
            next.unwrap_or(Err(PolicyError::Failed("nothing more to say".into())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Scripted;
    use super::*;

    fn request() -> JudgeRequest {
        JudgeRequest { instructions: "i".into(), question: "q".into(), options: Vec::new() }
    }

    fn number(verdict: &Verdict) -> Result<u32, String> {
        verdict.text.parse().map_err(|_| "it is no number".to_owned())
    }

    #[tokio::test]
    async fn asks_again_with_the_reason() {
        let judge = Scripted::saying(&["well", "7"]);
        let mut tally = AskTally::default();
        let answer = Asker::new(judge.clone()).ask(request(), number, &mut tally).await;
        assert_eq!(answer, Ok(7));
        assert_eq!(tally, AskTally { n_asked: 2, n_unreadable: 1, ..AskTally::default() });
        let asked = judge.asked.lock().unwrap();
        assert_eq!(asked[0], request());
        assert_eq!(
            asked[1].question,
            "q\n\nYour last answer could not be used: it is no number. Answer in the form that was asked for."
        );
    }

    #[tokio::test]
    async fn gives_up_and_says_why() {
        let judge = Scripted::saying(&["a", "b", "c", "4"]);
        let mut tally = AskTally::default();
        let answer = Asker::new(judge.clone()).ask(request(), number, &mut tally).await;
        let reason = "the judge was asked 3 times without success: it is no number; it said \"c\"";
        assert_eq!(answer, Err(reason.to_owned()));
        assert_eq!(tally, AskTally { n_asked: 3, n_unreadable: 3, n_given_up: 1, n_failed: 0 });
        // The reason of the second attempt is not piled upon that of the first.
        assert_eq!(judge.asked.lock().unwrap()[2].question.matches("Your last").count(), 1);
    }

    #[tokio::test]
    async fn what_will_never_work_is_not_tried_again() {
        let full = PolicyError::ContextFull { needed: 9, limit: 8 };
        for (error, n) in [(full, 1), (PolicyError::Failed("offline".into()), 3)] {
            let judge = Scripted::saying(&[]);
            judge.answers.lock().unwrap().extend((0..3).map(|_| Err(error.clone())));
            let mut tally = AskTally::default();
            let answer = Asker::new(judge).ask(request(), number, &mut tally).await;
            assert!(answer.unwrap_err().contains(&error.to_string()));
            assert_eq!((tally.n_asked, tally.n_failed, tally.n_given_up), (n, n, 1));
        }
    }
}
