//! One line of the table: a method, its settings over the preset, and what is promised of it.

use super::claims::Claim;

/// A line of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its name, and that of its files.
    pub(super) name: &'static str,
    /// How it is trained.
    pub(super) work: Work,
    /// Settings over those of the method and of the embedded model, as keys of the configuration.
    pub(super) keys: Vec<(String, String)>,
    /// What is promised of it.
    pub(super) claims: Vec<Claim>,
    /// Part of what the build server runs.
    pub(super) is_fast: bool,
}

/// Kinds of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Rollouts with simulated customers; judged by the mean reward of held-out customers.
    Online,
    /// Synthetic pairs with a known truth; judged by how many held-out ones are told apart.
    Preference,
    /// A reward model on the same.
    RewardModel,
    /// A reward model on people's judgments of replies; judged by its AUROC on held-out dialogues.
    Judgments,
    /// A judge is trained, then a policy on its word; judged as online methods are.
    Feedback,
    /// A world that is first shown by demonstrations; judged as online methods are.
    World,
}

impl Work {
    /// True where it learns from preferences instead of rollouts.
    pub(super) fn is_of_pairs(self) -> bool {
        matches!(self, Work::Preference | Work::RewardModel | Work::Judgments)
    }
}

impl Row {
    /// An online method that is to raise the reward by 0.1 within 90 seconds.
    pub(super) fn online(name: &'static str) -> Row {
        let claims = vec![Claim::Gain(0.1), Claim::Apart, Claim::Seconds(90.0)];
        let row = Row { name, work: Work::Online, keys: Vec::new(), claims, is_fast: false };
        row.set("algorithm", name)
    }

    /// A method of another kind.
    pub(super) fn of(
        name: &'static str,
        work: Work,
        method: &'static str,
        claims: Vec<Claim>,
    ) -> Row {
        Row { name, work, keys: Vec::new(), claims, is_fast: false }.set("algorithm", method)
    }

    /// Sets a key; the last one counts.
    pub(super) fn set(mut self, key: &str, value: impl ToString) -> Row {
        self.keys.retain(|(known, _)| known != key);
        self.keys.push((key.to_owned(), value.to_string()));
        self
    }

    /// Sets the learning rate.
    pub(super) fn rate(self, value: f64) -> Row {
        self.set("training.learning_rate", value)
    }

    /// Promises something more.
    pub(super) fn promise(mut self, claim: Claim) -> Row {
        self.claims.push(claim);
        self
    }

    /// A method that clips: four optimiser steps for each rollout batch, of which some are clipped.
    pub(super) fn clips(self) -> Row {
        self.set("training.num_minibatches", 4).promise(Claim::Above("clip_share", 0.0))
    }

    /// A method whose critic learns to tell good conversations from bad ones.
    pub(super) fn has_critic(self) -> Row {
        self.promise(Claim::Above("explained_variance", 0.3))
    }

    /// Another limit of time.
    pub(super) fn within(mut self, secs: f64) -> Row {
        self.claims.retain(|claim| !matches!(claim, Claim::Seconds(_)));
        self.promise(Claim::Seconds(secs))
    }

    /// Part of what the build server runs.
    pub(super) fn fast(mut self) -> Row {
        self.is_fast = true;
        self
    }
}
