//! Asking for jobs, and about them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use serde_json::json;
use stateset_train::RunFolder;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use super::JobSettings;
use super::gateway_wish::GatewayWish;
use super::prepare::Described;
use super::wish::Wish;
use super::worker;
use crate::api_error::ApiError;
use crate::gateway::Sessions;
use crate::models::Library;
use crate::security::Identity;
use crate::services::{available_bytes, unusable};
use crate::store::{JobRow, JobState, Once, Store};

/// Training jobs of this process and those it shares them with. Clones share everything.
#[derive(Clone)]
pub struct Jobs {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) store: Store,
    pub(super) library: Arc<Library>,
    pub(super) settings: JobSettings,
    /// Samples that programs elsewhere play.
    pub(super) sessions: Sessions,
    /// A job may be there.
    pub(super) wake: Notify,
    /// A job's end was asked for here.
    pub(super) cancelled: watch::Sender<()>,
    pub(super) stopping: watch::Sender<bool>,
    /// Rollouts that a job plays at the same time, as a factor of what its settings say; bits of an f64.
    scale: AtomicU64,
    /// Requests are checked one after another, for that opens models.
    checking: Semaphore,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// How long a client waits before a full queue may have room.
const FULL: std::time::Duration = std::time::Duration::from_secs(30);

impl Jobs {
    /// Begins to work on jobs, those included that an earlier process left.
    pub(crate) fn start(store: Store, library: Arc<Library>, settings: JobSettings) -> Jobs {
        let n_workers = settings.max_running;
        let inner = Arc::new(Inner {
            store,
            library,
            settings,
            sessions: Sessions::default(),
            wake: Notify::new(),
            cancelled: watch::Sender::new(()),
            stopping: watch::Sender::new(false),
            scale: AtomicU64::new(1.0_f64.to_bits()),
            checking: Semaphore::new(1),
            workers: Mutex::new(Vec::new()),
        });
        let workers = (0..n_workers).map(|_| tokio::spawn(worker::work(inner.clone()))).collect();
        *inner.workers.lock().unwrap_or_else(PoisonError::into_inner) = workers;
        Jobs { inner }
    }

    /// How this process works on jobs.
    pub fn settings(&self) -> &JobSettings {
        &self.inner.settings
    }

    /// Samples that programs elsewhere play.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.inner.sessions
    }

    /// Lets the running jobs end after their step and their checkpoint. They stay in the queue.
    pub async fn stop(&self) {
        self.inner.stopping.send_replace(true);
        let workers =
            std::mem::take(&mut *self.inner.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a worker on jobs ended by itself");
            }
        }
    }

    /// Jobs that begin from now on play `factor` times as many rollouts at once.
    pub(crate) fn set_scale(&self, factor: f64) {
        self.inner.scale.store(factor.to_bits(), Ordering::Relaxed);
    }

    /// Puts a job into the queue. With the idempotency key of an earlier request, gives that one's job.
    ///
    /// # Errors
    /// [`ApiError`] where it cannot be trained, the queue is full, or the key was used for another one.
    pub(super) async fn ask(&self, wish: Wish) -> Result<JobRow, ApiError> {
        let mut jobs = self.ask_all(vec![wish]).await.map_err(|(_, error)| error)?;
        jobs.pop().ok_or_else(|| ApiError::internal("a job was asked for and there is none"))
    }

    /// As [`Jobs::ask`], for several jobs: all are put into the queue or none.
    ///
    /// # Errors
    /// [`ApiError`], with the place of the wish at fault where it is one's.
    pub(super) async fn ask_all(
        &self,
        wishes: Vec<Wish>,
    ) -> Result<Vec<JobRow>, (Option<usize>, ApiError)> {
        let n = wishes.len();
        let mut found: Vec<Option<JobRow>> = vec![None; n];
        let mut new = Vec::new();
        for (place, wish) in wishes.into_iter().enumerate() {
            let at = |error| (Some(place), error);
            let once = wish.once();
            match self.asked_before(once.as_ref()).await.map_err(at)? {
                Some(job) => found[place] = Some(job),
                None => new.push((place, wish, once)),
            }
        }
        self.check_queue(new.len()).await.map_err(|error| (None, error))?;
        let mut described = Vec::with_capacity(new.len());
        for (place, wish, once) in new {
            let job = self.describe(wish).await.map_err(|error| (Some(place), error))?;
            found[place] = Some(job.clone());
            described.push((job, once));
        }
        self.add_all(described, &mut found).await.map_err(|error| (None, error))?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Writes new jobs; puts those of earlier requests with the same keys in their places.
    async fn add_all(
        &self,
        new: Vec<(JobRow, Option<Once>)>,
        found: &mut [Option<JobRow>],
    ) -> Result<(), ApiError> {
        if !self.inner.store.add_jobs(&new).await? {
            // Another request with one of the keys was quicker.
            let [(job, once)] = &new[..] else {
                let message = "another request with one of these idempotency keys came meanwhile";
                return Err(ApiError::new(StatusCode::CONFLICT, "changed_meanwhile", message));
            };
            let first = self.asked_before(once.as_ref()).await?;
            let first =
                first.ok_or_else(|| ApiError::internal("an idempotency key names no job"))?;
            let places = found.iter_mut().flatten();
            places.filter(|place| place.id == job.id).for_each(|place| *place = first.clone());
            return Ok(());
        }
        for _ in &new {
            self.inner.wake.notify_one();
        }
        Ok(())
    }

    async fn asked_before(&self, once: Option<&Once>) -> Result<Option<JobRow>, ApiError> {
        let Some(once) = once else { return Ok(None) };
        match self.inner.store.answered(once).await? {
            Some(id) => Ok(self.inner.store.job(id.as_str().unwrap_or_default()).await?),
            None => Ok(None),
        }
    }

    /// That there is room for so many more.
    async fn check_queue(&self, n_more: usize) -> Result<(), ApiError> {
        let states = self.inner.store.count_jobs().await?;
        let is_unfinished = |name: &str| JobState::from_name(name).is_some_and(|s| !s.is_over());
        let n: i64 = states.iter().filter(|(name, _)| is_unfinished(name)).map(|(_, n)| n).sum();
        let most = self.inner.settings.max_unfinished;
        if n_more == 0 || n + n_more as i64 <= most as i64 {
            return Ok(());
        }
        let message = format!("{n} jobs wait or train, and {most} are allowed");
        Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "queue_full", message).retry_after(FULL))
    }

    /// The row of a job that can be trained.
    async fn describe(&self, mut wish: Wish) -> Result<JobRow, ApiError> {
        let store = &self.inner.store;
        let model = self.model_of(&wish).await?;
        if wish.judges_itself {
            wish.set("reward.judge_model", "use_ruler_rewards", &model);
            wish.set("reward.judge_kind", "use_ruler_rewards", "relative");
        }
        let id = store.new_id("job");
        let run = RunFolder::new(absolute(&self.inner.settings.runs).join(&id));
        let described = Described {
            settings: wish.settings.clone(),
            model: model.clone(),
            run: run.clone(),
            disk: self.inner.settings.disk.clone(),
            threads: self.inner.settings.n_threads(),
            gateway: wish.gateway.clone(),
        };
        let n_steps = self.check(described, &wish).await?;
        let now = store.now();
        Ok(JobRow {
            id,
            state: JobState::Queued,
            asked: wish.asked,
            settings: wish.settings,
            model,
            run_dir: run.root().display().to_string(),
            step: 0,
            n_steps,
            n_episodes: 0,
            metrics: json!({}),
            result: json!({}),
            error: None,
            is_cancel_asked: false,
            attempts: 0,
            owner: String::new(),
            created_at: now,
            started_at: None,
            finished_at: None,
            updated_at: now,
        })
    }

    /// Prepares the run as its worker will, so that whatever is wrong is told at once. Gives its steps.
    async fn check(&self, described: Described, wish: &Wish) -> Result<i64, ApiError> {
        let _one = self.inner.checking.acquire().await.map_err(ApiError::internal)?;
        let (library, wish) = (self.inner.library.clone(), wish.clone());
        let runtime = tokio::runtime::Handle::current();
        let checked = tokio::task::spawn_blocking(move || {
            let run = described.prepare(&library).map_err(|refusal| refusal.to_api(&wish))?;
            let invalid =
                |error| unusable("invalid_training", "body", format!("failed to {error}"));
            runtime.block_on(run.check()).map_err(invalid)?;
            let plan = run.memory_plan().map_err(invalid)?;
            check_memory(plan.map_or(0, |plan| plan.total_bytes()))?;
            Ok(run.resolved.config.steps.n_steps as i64)
        });
        checked.await.map_err(ApiError::internal)?
    }

    /// What is to be opened to train.
    async fn model_of(&self, wish: &Wish) -> Result<String, ApiError> {
        let library = &self.inner.library;
        if let Some(id) = &wish.after_job {
            let job = self.inner.store.job(id.strip_prefix("job:").unwrap_or(id)).await?;
            let job = job.ok_or_else(|| {
                let message = "it has to be the id of a training whose model is the beginning";
                unusable("unknown_training", "resume_from_checkpoint", message)
            })?;
            return has_model(&job).ok_or_else(|| {
                let message = "that training has no checkpoint yet";
                unusable("no_checkpoint", "resume_from_checkpoint", message)
            });
        }
        let name = wish.model.as_deref().unwrap_or(library.first());
        if let Some(loaded) = library.loaded(name) {
            return Ok(loaded.source);
        }
        if name.starts_with("builtin:") {
            return Ok(name.to_owned());
        }
        let message = match wish.model.is_none() || name.starts_with("stub:") {
            true => "canned sentences cannot learn; name a model such as builtin:tiny".to_owned(),
            false => format!(
                "{name:?} is none that may be trained here; allowed are the served models and those \
                 that begin with builtin:"
            ),
        };
        Err(unusable("model_not_allowed", "model", message))
    }

    /// The job of this id.
    ///
    /// # Errors
    /// [`ApiError`] 404 where there is none.
    pub(crate) async fn find(&self, id: &str) -> Result<JobRow, ApiError> {
        let found = self.inner.store.job(id).await?;
        found.ok_or_else(|| ApiError::not_found("training", id))
    }

    /// Asks for the end of a job.
    ///
    /// # Errors
    /// [`ApiError`] 404 where there is none, 409 where it is over.
    pub(crate) async fn cancel(&self, id: &str) -> Result<JobRow, ApiError> {
        let before = self.find(id).await?;
        if before.state.is_over() {
            let message = format!("the training is {} already", before.state.as_str());
            return Err(ApiError::new(StatusCode::CONFLICT, "training_over", message));
        }
        let job = self.inner.store.cancel_job(id).await?;
        self.inner.cancelled.send_replace(());
        job.ok_or_else(|| ApiError::not_found("training", id))
    }

    /// Puts a job that was cancelled or failed back into the queue, as `identity` asks: it goes on from its
    /// last checkpoint.
    ///
    /// # Errors
    /// [`ApiError`] 403 where it starts a command and they are no admin, 404 where there is none, 409 where it
    /// is in another state.
    pub(crate) async fn resume(&self, id: &str, identity: &Identity) -> Result<JobRow, ApiError> {
        let before = self.find(id).await?;
        let gateway = GatewayWish::of(&before.asked).map_err(ApiError::internal)?;
        gateway.iter().try_for_each(|gateway| gateway.check_caller(identity))?;
        self.check_queue(1).await?;
        if !self.inner.store.requeue_job(id).await? {
            let message = format!(
                "only cancelled and failed trainings go on; it is {}",
                before.state.as_str()
            );
            return Err(ApiError::new(StatusCode::CONFLICT, "training_not_resumable", message));
        }
        self.inner.wake.notify_one();
        self.find(id).await
    }
}

impl Inner {
    /// The job as a run in its folder.
    ///
    /// # Errors
    /// In words, where its row is damaged.
    pub(super) fn described(&self, job: &JobRow) -> Result<Described, String> {
        let mut settings = job.settings.clone();
        let factor = f64::from_bits(self.scale.load(Ordering::Relaxed));
        if factor != 1.0 {
            settings.push((ROLLOUT_SLOTS.to_owned(), scaled_slots(factor).to_string()));
        }
        let gateway = GatewayWish::of(&job.asked);
        Ok(Described {
            settings,
            model: job.model.clone(),
            run: RunFolder::new(&job.run_dir),
            disk: self.settings.disk.clone(),
            threads: self.settings.n_threads(),
            gateway: gateway.map_err(|error| format!("its request is damaged: {error}"))?,
        })
    }
}

/// How many rollouts are played at once, and what that is where nothing is said.
const ROLLOUT_SLOTS: &str = "training.rollout_concurrency";
const USUAL_SLOTS: f64 = 64.0;

fn scaled_slots(factor: f64) -> u64 {
    (USUAL_SLOTS * factor).round().clamp(1.0, 1024.0) as u64
}

/// The run folder of a job that holds a model.
pub(crate) fn has_model(job: &JobRow) -> Option<String> {
    let run = RunFolder::new(&job.run_dir);
    let has = run.final_checkpoint().is_dir() || run.latest().is_file();
    has.then(|| job.run_dir.clone())
}

/// That `bytes` more fit into the machine's memory.
///
/// # Errors
/// [`ApiError`] 409 with what is needed and what there is.
pub(crate) fn check_memory(bytes: u64) -> Result<(), ApiError> {
    let Some(free) = available_bytes() else { return Ok(()) };
    if bytes <= free {
        return Ok(());
    }
    let message =
        format!("it needs {} MB of memory and {} MB are free", bytes.div_ceil(1 << 20), free >> 20);
    Err(ApiError::new(StatusCode::CONFLICT, "not_enough_memory", message))
}

fn absolute(path: &std::path::Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
