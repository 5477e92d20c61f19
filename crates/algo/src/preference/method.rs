//! The preference losses behind the seam that trainers know.
//!
//! A pair is a group with one [`Preference::Chosen`] and one [`Preference::Rejected`] trajectory; KTO's
//! answers are [`Preference::Desirable`] or [`Preference::Undesirable`], and those that measure its KL
//! point [`Preference::Mismatched`]. The choice a reader may question: the rows of an answer (a
//! template that rewrites history gives several) are read as one sequence, because the losses speak of
//! whole answers.

use std::collections::BTreeMap;

use super::completion::{Completion, Pair, PairTotals};
use super::output::{PairGradients, PreferenceStats};
use crate::{
    Aggregation, AlgoError, Algorithm, Cpo, CpoLoss, Credit, Dpo, DpoLoss, Judged, Kto, KtoStep,
    LossOutput, Orpo, Plan, Preference, Problem, RowCredit, RowGradients, RowScores, StepData,
    Unit, Wants,
};

/// A way to learn from preferences.
#[derive(Clone, Debug, PartialEq)]
pub enum PreferenceMethod {
    /// DPO in all its forms.
    Dpo(Dpo),
    /// CPO and SimPO.
    Cpo(Cpo),
    /// ORPO.
    Orpo(Orpo),
    /// KTO.
    Kto(Kto),
}

impl PreferenceMethod {
    /// True where it learns from pairs, false where from answers judged alone.
    pub fn takes_pairs(&self) -> bool {
        !matches!(self, PreferenceMethod::Kto(_))
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            PreferenceMethod::Dpo(dpo) => dpo.validate(),
            PreferenceMethod::Cpo(cpo) => cpo.validate(),
            PreferenceMethod::Orpo(orpo) => orpo.validate(),
            PreferenceMethod::Kto(kto) => kto.validate(),
        }
    }

    /// What a micro-batch must hold whole.
    pub fn unit(&self) -> Unit {
        match self {
            PreferenceMethod::Dpo(dpo) => dpo.unit(),
            PreferenceMethod::Cpo(_) | PreferenceMethod::Orpo(_) => Unit::Pair,
            PreferenceMethod::Kto(_) => Unit::Trajectory,
        }
    }

    fn check_pairs(&self, pairs: &[Pair<'_>], totals: PairTotals) -> Result<(), AlgoError> {
        match self {
            PreferenceMethod::Dpo(dpo) => dpo.check(pairs, totals),
            PreferenceMethod::Cpo(cpo) => cpo.check(pairs),
            PreferenceMethod::Orpo(orpo) => orpo.check(pairs),
            PreferenceMethod::Kto(_) => Ok(()),
        }
    }

    /// That all that the loss will read is there; current log-probs stand at 0 for those to come.
    fn check(&self, step: &StepData<'_>) -> Result<(), AlgoError> {
        self.check_labels(step)?;
        let wants_moments = self.wants().log_sum_p2;
        let answer = |(trajectory, rows): (usize, Vec<usize>)| {
            let n_tokens = rows.iter().map(|row| step.rows[*row].behaviour.len()).sum();
            Answer {
                trajectory,
                logprobs: vec![0.0; n_tokens],
                reference: joined(&rows, |row| step.rows[row].reference),
                log_sum_p2: wants_moments.then(|| vec![0.0; n_tokens]),
                rows,
            }
        };
        let answers: Vec<Answer> =
            step.trajectory_rows().into_iter().enumerate().map(answer).collect();
        if let PreferenceMethod::Kto(kto) = self {
            let label = |trajectory: usize| step.trajectories[trajectory].preference;
            let all: Vec<Judged<'_>> = judged(&answers, label).map(|(_, one)| one).collect();
            return kto.check(&all);
        }
        let members: Vec<[usize; 2]> = pairs_of(step)?.into_values().collect();
        let pairs: Vec<Pair<'_>> = members.iter().map(|pair| pair_of(&answers, *pair)).collect();
        self.check_pairs(&pairs, PairTotals::of(&pairs))
    }

    /// That all trajectories have a label that the method learns from.
    fn check_labels(&self, step: &StepData<'_>) -> Result<(), AlgoError> {
        let is_of_pair =
            |label: Preference| matches!(label, Preference::Chosen { .. } | Preference::Rejected);
        let fits = |label: Preference| is_of_pair(label) == self.takes_pairs();
        let stray = step.trajectories.iter().position(|t| !t.preference.is_some_and(fits));
        let allowed = match self.takes_pairs() {
            true => "chosen or rejected",
            false => "desirable, undesirable or mismatched",
        };
        match stray {
            Some(trajectory) => {
                Err(AlgoError::Unlabelled { trajectory, name: self.name(), allowed })
            }
            None => Ok(()),
        }
    }

    fn pair_share(&self, pairs: &[Pair<'_>], totals: PairTotals) -> crate::PairOutput {
        match self {
            PreferenceMethod::Dpo(dpo) => dpo.share(pairs, totals),
            PreferenceMethod::Cpo(cpo) => cpo.share(pairs, totals),
            PreferenceMethod::Orpo(orpo) => orpo.share(pairs, totals),
            PreferenceMethod::Kto(_) => crate::PairOutput::default(),
        }
    }

    fn pair_loss(
        &self,
        plan: &Plan<'_>,
        answers: &[Answer],
        out: &mut LossOutput,
    ) -> (f64, PreferenceStats) {
        let mut sides: BTreeMap<usize, [Option<usize>; 2]> = BTreeMap::new();
        for (index, answer) in answers.iter().enumerate() {
            let trajectory = &plan.trajectories[answer.trajectory];
            let is_chosen = matches!(trajectory.preference, Some(Preference::Chosen { .. }));
            sides.entry(trajectory.group).or_default()[usize::from(!is_chosen)] = Some(index);
        }
        let members: Vec<[usize; 2]> =
            sides.into_values().filter_map(|[c, r]| Some([c?, r?])).collect();
        let pairs: Vec<Pair<'_>> = members.iter().map(|pair| pair_of(answers, *pair)).collect();
        let share = self.pair_share(&pairs, totals(plan));
        for (pair, PairGradients { chosen, rejected }) in members.iter().zip(&share.gradients) {
            answers[pair[0]].put(chosen, out);
            answers[pair[1]].put(rejected, out);
        }
        (share.loss, share.stats)
    }
}

impl Algorithm for PreferenceMethod {
    fn name(&self) -> &'static str {
        match self {
            PreferenceMethod::Dpo(dpo) => match dpo.losses.as_slice() {
                [only] if only.loss == DpoLoss::Ipo => "ipo",
                _ => "dpo",
            },
            PreferenceMethod::Cpo(cpo) if cpo.loss == CpoLoss::Simpo => "simpo",
            PreferenceMethod::Cpo(_) => "cpo",
            PreferenceMethod::Orpo(_) => "orpo",
            PreferenceMethod::Kto(_) => "kto",
        }
    }

    fn wants(&self) -> Wants {
        match self {
            PreferenceMethod::Dpo(dpo) => Wants {
                reference: !dpo.reference_free,
                log_sum_p2: dpo.use_weighting,
                ..Wants::default()
            },
            PreferenceMethod::Cpo(_) | PreferenceMethod::Orpo(_) => Wants::default(),
            PreferenceMethod::Kto(kto) => Wants {
                reference: true,
                current_of_mismatched: kto.needs_probes(),
                ..Wants::default()
            },
        }
    }

    /// No token has an advantage: the data says what is better.
    fn credit(&self, batch: &StepData<'_>) -> Result<Credit, AlgoError> {
        batch.check()?;
        Ok(Credit::of_trajectories(batch, &vec![0.0; batch.trajectories.len()]))
    }

    fn prepare<'a>(
        &self,
        step: &StepData<'a>,
        credit: Vec<RowCredit>,
    ) -> Result<Plan<'a>, AlgoError> {
        let mut plan = Plan::new(step, credit, Aggregation::default(), false)?;
        self.check(step)?;
        plan.unit = self.unit();
        if let PreferenceMethod::Kto(kto) = self {
            let point = kl_point(kto, step)?;
            plan.contexts = vec![point; step.trajectories.len()];
        }
        Ok(plan)
    }

    fn loss(&self, plan: &Plan<'_>, rows: &[RowScores<'_>]) -> LossOutput {
        let answers = answers_of(plan, rows);
        let zeros = |row: &RowScores<'_>| RowGradients {
            logprobs: vec![0.0; row.logprobs.len()],
            ..RowGradients::default()
        };
        let mut out =
            LossOutput { gradients: rows.iter().map(zeros).collect(), ..LossOutput::default() };
        let (loss, stats) = match self {
            PreferenceMethod::Kto(kto) => judged_loss(kto, plan, &answers, &mut out),
            _ => self.pair_loss(plan, &answers, &mut out),
        };
        out.loss = loss;
        out.diagnostics.policy_loss = loss;
        out.diagnostics.preferences = stats;
        out
    }
}

/// One answer: its rows, joined.
struct Answer {
    /// Index of its trajectory in the step.
    trajectory: usize,
    /// Indices of its rows, of the step while it is checked, of the micro-batch in the loss.
    rows: Vec<usize>,
    logprobs: Vec<f32>,
    reference: Option<Vec<f32>>,
    log_sum_p2: Option<Vec<f32>>,
}

impl Answer {
    fn completion(&self) -> Completion<'_> {
        Completion {
            logprobs: &self.logprobs,
            reference: self.reference.as_deref(),
            log_sum_squares: self.log_sum_p2.as_deref(),
        }
    }

    /// Writes the gradients of its tokens to its rows.
    fn put(&self, gradients: &[f32], out: &mut LossOutput) {
        let mut rest = gradients;
        for row in &self.rows {
            let target = &mut out.gradients[*row].logprobs;
            let (own, after) = rest.split_at(target.len());
            target.copy_from_slice(own);
            rest = after;
        }
    }
}

/// The arrays of these rows one behind the other; `None` where a row has none.
fn joined<'a>(rows: &[usize], array: impl Fn(usize) -> Option<&'a [f32]>) -> Option<Vec<f32>> {
    let arrays: Option<Vec<&[f32]>> = rows.iter().map(|row| array(*row)).collect();
    arrays.map(|arrays| arrays.concat())
}

fn answers_of(plan: &Plan<'_>, rows: &[RowScores<'_>]) -> Vec<Answer> {
    let answer = |members: Vec<usize>| {
        let data = |row: usize| &plan.rows()[rows[row].row].data;
        Answer {
            trajectory: members.first().map_or(0, |row| data(*row).trajectory),
            logprobs: joined(&members, |row| Some(rows[row].logprobs)).unwrap_or_default(),
            reference: joined(&members, |row| data(row).reference),
            log_sum_p2: joined(&members, |row| rows[row].log_sum_p2),
            rows: members,
        }
    };
    plan.by_trajectory(rows).into_iter().map(answer).collect()
}

/// Indices of both answers of each group, for a step whose groups are pairs.
///
/// # Errors
/// [`AlgoError::Unpaired`] for the first that is not.
pub(super) fn pairs_of(step: &StepData<'_>) -> Result<BTreeMap<usize, [usize; 2]>, AlgoError> {
    let pair = |(group, members): (usize, Vec<usize>)| {
        let is_chosen =
            |i: &usize| matches!(step.trajectories[*i].preference, Some(Preference::Chosen { .. }));
        let (chosen, rejected): (Vec<usize>, Vec<usize>) = members.into_iter().partition(is_chosen);
        match (chosen.as_slice(), rejected.as_slice()) {
            ([chosen], [rejected]) => Ok((group, [*chosen, *rejected])),
            _ => {
                let (n_chosen, n_rejected) = (chosen.len(), rejected.len());
                Err(AlgoError::Unpaired { group, n_chosen, n_rejected })
            }
        }
    };
    step.groups().into_iter().map(pair).collect()
}

fn pair_of(answers: &[Answer], [chosen, rejected]: [usize; 2]) -> Pair<'_> {
    Pair { chosen: answers[chosen].completion(), rejected: answers[rejected].completion() }
}

/// Pairs of the whole step, and the tokens of its chosen answers.
fn totals(plan: &Plan<'_>) -> PairTotals {
    let is_chosen = |trajectory: usize| {
        matches!(plan.trajectories[trajectory].preference, Some(Preference::Chosen { .. }))
    };
    let chosen = plan.rows().iter().filter(|row| is_chosen(row.data.trajectory));
    PairTotals {
        n_pairs: (0..plan.trajectories.len()).filter(|i| is_chosen(*i)).count(),
        n_chosen_tokens: chosen.map(|row| row.data.behaviour.len()).sum(),
    }
}

/// The answers that KTO learns from.
fn judged<'a>(
    answers: &'a [Answer],
    label: impl Fn(usize) -> Option<Preference> + 'a,
) -> impl Iterator<Item = (&'a Answer, Judged<'a>)> + 'a {
    answers.iter().filter_map(move |answer| {
        let desirable = match label(answer.trajectory) {
            Some(Preference::Desirable) => true,
            Some(Preference::Undesirable) => false,
            _ => return None,
        };
        Some((answer, Judged { completion: answer.completion(), desirable }))
    })
}

fn judged_loss(
    kto: &Kto,
    plan: &Plan<'_>,
    answers: &[Answer],
    out: &mut LossOutput,
) -> (f64, PreferenceStats) {
    let is_learned = |t: &&crate::TrajectoryData| t.preference != Some(Preference::Mismatched);
    let step = KtoStep {
        n_completions: plan.trajectories.iter().filter(is_learned).count(),
        kl_point: plan.contexts.first().copied().unwrap_or(0.0),
    };
    let label = |trajectory: usize| plan.trajectories[trajectory].preference;
    let (members, judged): (Vec<&Answer>, Vec<Judged<'_>>) = judged(answers, label).unzip();
    let share = kto.share(&judged, step);
    for (answer, gradients) in members.iter().zip(&share.gradients) {
        answer.put(gradients, out);
    }
    (share.loss, share.stats)
}

/// z of the step, from the answers that were put to other prompts.
fn kl_point(kto: &Kto, step: &StepData<'_>) -> Result<f64, AlgoError> {
    let rows = step.trajectory_rows();
    let mismatched = (step.trajectories.iter().zip(&rows))
        .filter(|(trajectory, _)| trajectory.preference == Some(Preference::Mismatched));
    let probe = |(_, rows): (&crate::TrajectoryData, &Vec<usize>)| {
        let current = joined(rows, |row| step.rows[row].current).unwrap_or_default();
        (current, joined(rows, |row| step.rows[row].reference))
    };
    let probes: Vec<(Vec<f32>, Option<Vec<f32>>)> = mismatched.map(probe).collect();
    let mut views = Vec::new();
    for (current, reference) in &probes {
        let reference = reference.as_deref();
        views.push(Completion { logprobs: current, reference, ..Completion::default() });
    }
    kto.kl_point(&views)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RowData, TrajectoryData};

    fn labelled(group: usize, preference: Preference) -> TrajectoryData {
        TrajectoryData { group, preference: Some(preference), ..TrajectoryData::default() }
    }

    fn row<'a>(trajectory: usize, behaviour: &'a [f32], reference: &'a [f32]) -> RowData<'a> {
        RowData { trajectory, behaviour, reference: Some(reference), ..RowData::default() }
    }

    const NONE: [f32; 3] = [f32::NAN; 3];

    /// A step of two pairs; the first chosen answer stands in two rows.
    fn pairs() -> StepData<'static> {
        let chosen = Preference::Chosen { margin: 0.0 };
        StepData {
            trajectories: vec![
                labelled(4, Preference::Rejected),
                labelled(4, chosen),
                labelled(9, chosen),
                labelled(9, Preference::Rejected),
            ],
            rows: vec![
                row(1, &NONE[..2], &[-1.0, -1.5]),
                row(0, &NONE[..1], &[-2.0]),
                row(1, &NONE[..1], &[-0.5]),
                row(2, &NONE, &[-1.0, -1.0, -1.0]),
                row(3, &NONE[..2], &[-1.0, -3.0]),
            ],
            ..StepData::default()
        }
    }

    const CURRENT: [&[f32]; 5] =
        [&[-0.9, -1.0], &[-2.5], &[-0.25], &[-1.5, -1.0, -0.75], &[-1.25, -2.0]];

    fn scores(rows: &[usize]) -> Vec<RowScores<'static>> {
        let score =
            |row: &usize| RowScores { row: *row, logprobs: CURRENT[*row], ..RowScores::default() };
        rows.iter().map(score).collect()
    }

    fn planned<'a>(method: &PreferenceMethod, step: &StepData<'a>) -> Result<Plan<'a>, AlgoError> {
        method.prepare(step, method.credit(step)?.rows)
    }

    #[test]
    fn rows_of_an_answer_are_one_sequence() {
        let (dpo, step) = (Dpo::default(), pairs());
        let method = PreferenceMethod::Dpo(dpo.clone());
        let plan = planned(&method, &step).unwrap();
        let out = method.loss(&plan, &scores(&[0, 1, 2, 3, 4]));
        let side = |logprobs, reference| Completion {
            logprobs,
            reference: Some(reference),
            ..Completion::default()
        };
        let plain = [
            Pair {
                chosen: side(&[-0.9, -1.0, -0.25], &[-1.0, -1.5, -0.5]),
                rejected: side(CURRENT[1], &[-2.0]),
            },
            Pair {
                chosen: side(CURRENT[3], &[-1.0, -1.0, -1.0]),
                rejected: side(CURRENT[4], &[-1.0, -3.0]),
            },
        ];
        let wanted = dpo.loss(&plain, PairTotals::of(&plain)).unwrap();
        assert!((out.loss - wanted.loss).abs() < 1e-12);
        assert_eq!(out.gradients[0].logprobs, wanted.gradients[0].chosen[..2]);
        assert_eq!(out.gradients[2].logprobs, wanted.gradients[0].chosen[2..]);
        assert_eq!(out.gradients[4].logprobs, wanted.gradients[1].rejected);
        assert_eq!(out.diagnostics.preferences, wanted.stats);
    }

    #[test]
    fn micro_batches_of_whole_pairs_add_up() {
        let methods = [
            PreferenceMethod::Dpo(Dpo::default()),
            PreferenceMethod::Cpo(Cpo::default()),
            PreferenceMethod::Orpo(Orpo::default()),
        ];
        for method in methods {
            let step = pairs();
            let plan = planned(&method, &step).unwrap();
            let whole = method.loss(&plan, &scores(&[0, 1, 2, 3, 4]));
            let parts =
                [method.loss(&plan, &scores(&[2, 1, 0])), method.loss(&plan, &scores(&[3, 4]))];
            assert!((whole.loss - parts[0].loss - parts[1].loss).abs() < 1e-12);
            // The rows of an answer come in the order they are given in; sums do not mind.
            assert_eq!(whole.gradients[1], parts[0].gradients[1]);
            assert_eq!(whole.gradients[3], parts[1].gradients[0]);
        }
    }

    #[test]
    fn ktos_point_comes_from_mismatched_answers_and_teaches_nothing() {
        let method = PreferenceMethod::Kto(Kto::default());
        let current = [-0.5, -0.75];
        let mut probe = row(2, &NONE[..2], &[-1.0, -1.0]);
        probe.current = Some(&current);
        let step = StepData {
            trajectories: vec![
                labelled(0, Preference::Desirable),
                labelled(1, Preference::Undesirable),
                labelled(2, Preference::Mismatched),
            ],
            rows: vec![row(0, &NONE[..1], &[-1.0]), row(1, &NONE[..1], &[-1.0]), probe],
            ..StepData::default()
        };
        let plan = planned(&method, &step).unwrap();
        assert!((plan.contexts[0] - 0.75).abs() < 1e-12);
        let scores = |row, logprobs| RowScores { row, logprobs, ..RowScores::default() };
        let out = method
            .loss(&plan, &[scores(0, &[-0.5]), scores(1, &[-1.25]), scores(2, &[-0.1, -0.2])]);
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let wanted =
            0.5 * (1.0 - sigmoid(0.1 * (0.5 - 0.75))) + 0.5 * (1.0 - sigmoid(0.1 * (0.75 + 0.25)));
        assert!((out.loss - wanted).abs() < 1e-12, "{} {wanted}", out.loss);
        assert_eq!(out.gradients[2].logprobs, [0.0, 0.0]);
        assert!(out.gradients[0].logprobs[0] < 0.0 && out.gradients[1].logprobs[0] > 0.0);

        let mut unmeasured = step.clone();
        unmeasured.rows[2].current = None;
        assert!(planned(&method, &unmeasured).is_err());
    }

    #[test]
    fn what_is_no_pair_is_named() {
        let method = PreferenceMethod::Dpo(Dpo::default());
        let mut step = pairs();
        step.trajectories[3].group = 4;
        let error = planned(&method, &step).unwrap_err();
        assert_eq!(error, AlgoError::Unpaired { group: 4, n_chosen: 1, n_rejected: 2 });
        let mut step = pairs();
        step.trajectories[0].preference = None;
        let error = planned(&method, &step).unwrap_err().to_string();
        assert_eq!(error, "read trajectory 0: dpo learns from answers labelled chosen or rejected");
        let mut step = pairs();
        step.rows[3].reference = None;
        assert!(matches!(planned(&method, &step), Err(AlgoError::MissingScores { .. })));
        let mut step = pairs();
        step.rows.pop();
        assert!(matches!(planned(&method, &step), Err(AlgoError::EmptyCompletion { .. })));
    }
}
