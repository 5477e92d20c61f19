//! Training jobs as they are kept, and which process works on each.
//!
//! A process leases a job and says again and again that it is alive; a lease that ends lets another
//! process go on with the job. Every lease has an owner of its own name, which every write of its holder
//! tells, so one that lost its lease writes nothing.

use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::store::{LONGEST_LEASE_MILLIS, json_of};
use super::{Once, Page, PageAsked, Store, StoreError};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It waits for a process.
    Queued,
    /// A process works on it.
    Running,
    /// Every step was done.
    Completed,
    /// It could not go on.
    Failed,
    /// It was ended by a client; it may be gone on with.
    Cancelled,
}

impl JobState {
    /// The name it has in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Completed => "completed",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<JobState> {
        use JobState::{Cancelled, Completed, Failed, Queued, Running};
        [Queued, Running, Completed, Failed, Cancelled].into_iter().find(|s| s.as_str() == name)
    }

    /// True where nothing more happens by itself.
    pub fn is_over(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }
}

/// A training job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: JobState,
    /// What was asked for.
    pub asked: Value,
    /// Keys of the configuration with their values, in order.
    pub settings: Vec<(String, String)>,
    /// The model it trains, as a source that can be opened.
    pub model: String,
    /// Its run folder.
    pub run_dir: String,
    /// Steps done.
    pub step: i64,
    /// Steps of the whole run; 0 before it began.
    pub n_steps: i64,
    /// Episodes played.
    pub n_episodes: i64,
    /// Figures of the last step, by name.
    pub metrics: Value,
    /// What came out; an empty object before its end.
    pub result: Value,
    /// Why it failed, or waits.
    pub error: Option<String>,
    /// A client asked for its end.
    pub is_cancel_asked: bool,
    /// Times that a process took it without doing a step since.
    pub attempts: i64,
    /// The lease under which it is worked on, or was last.
    pub owner: String,
    /// When it was asked for, in milliseconds since 1970.
    pub created_at: i64,
    /// When a process first took it.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// When anything about it last changed.
    pub updated_at: i64,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Steps done.
    pub step: i64,
    /// Steps of the whole run.
    pub n_steps: i64,
    /// Episodes played so far.
    pub n_episodes: i64,
    /// Figures of the step, by name.
    pub metrics: Value,
}

/// Something that happened in a job.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Its place among the job's events, from 1.
    pub place: i64,
    /// The step it belongs to.
    pub step: i64,
    /// `started`, `step`, `evaluation`, `checkpoint`, `warning` or `finished`.
    pub kind: String,
    /// What happened.
    pub body: Value,
    /// When it was written, in milliseconds since 1970.
    pub created_at: i64,
}

const COLUMNS: &str = "id, state, asked, settings, model, run_dir, step, n_steps, n_episodes, \
     metrics, result, error, cancel_asked, attempts, owner, created_at, started_at, finished_at, \
     updated_at";

impl Store {
    /// Writes new jobs, all or none. False where an idempotency key was used meanwhile; nothing is written
    /// then.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    pub async fn add_jobs(&self, jobs: &[(JobRow, Option<Once>)]) -> Result<bool, StoreError> {
        if jobs.is_empty() {
            return Ok(true);
        }
        let mut writing = self.begin().await?;
        for (job, once) in jobs {
            if let Some(once) = once {
                let answer = Value::from(job.id.as_str());
                if !self.remember(&mut writing, once, &answer).await? {
                    return Ok(false);
                }
            }
            write_job(&mut writing, job).await?;
        }
        writing.commit().await?;
        Ok(true)
    }

    /// The job of this id.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn job(&self, id: &str) -> Result<Option<JobRow>, StoreError> {
        let asked = format!("SELECT {COLUMNS} FROM jobs WHERE id = $1");
        let found = sqlx::query(sqlx::AssertSqlSafe(asked)).bind(id);
        found.fetch_optional(&self.pool).await?.as_ref().map(job_of).transpose()
    }

    /// Jobs, newest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn jobs(&self, page: &PageAsked) -> Result<Page<JobRow>, StoreError> {
        let asked = format!("SELECT {COLUMNS} FROM jobs WHERE id < $1 ORDER BY id DESC LIMIT $2");
        let found = sqlx::query(sqlx::AssertSqlSafe(asked)).bind(page.before());
        let rows = found.bind(page.limit_and_one()).fetch_all(&self.pool).await?;
        Ok(Page::of(rows.iter().map(job_of).collect::<Result<_, _>>()?, page))
    }

    /// How many jobs are in each state.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn count_jobs(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let asked = "SELECT state, COUNT(*) AS n FROM jobs GROUP BY state ORDER BY state";
        let rows = sqlx::query(asked).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get("state")?, row.try_get("n")?))).collect()
    }

    /// Ids and run folders of jobs that nobody works on, oldest first, and whether each had begun.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn free_jobs(&self) -> Result<Vec<(String, String, bool)>, StoreError> {
        let asked = "SELECT id, run_dir, started_at FROM jobs \
                     WHERE state IN ('queued', 'running') AND leased_until NOT BETWEEN $1 AND $2 \
                     ORDER BY created_at, id LIMIT 100";
        let now = self.shared_now().await?;
        let asked = sqlx::query(asked).bind(now).bind(now + LONGEST_LEASE_MILLIS);
        let rows = asked.fetch_all(&self.pool).await?;
        let free = |row: &AnyRow| {
            let has_begun = row.try_get::<Option<i64>, _>("started_at")?.is_some();
            Ok((row.try_get("id")?, row.try_get("run_dir")?, has_begun))
        };
        rows.iter().map(free).collect()
    }

    /// Leases a job for `lease_millis`; `None` where somebody else was quicker.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn lease_job(
        &self,
        id: &str,
        owner: &str,
        lease_millis: i64,
    ) -> Result<Option<JobRow>, StoreError> {
        let now = self.shared_now().await?;
        let write = format!(
            "UPDATE jobs SET state = 'running', owner = $1, leased_until = $2, \
             attempts = attempts + 1, error = NULL, started_at = COALESCE(started_at, $3), \
             updated_at = $3 WHERE id = $4 AND state IN ('queued', 'running') \
             AND leased_until NOT BETWEEN $5 AND $6 \
             RETURNING {COLUMNS}"
        );
        let write = sqlx::query(sqlx::AssertSqlSafe(write))
            .bind(owner)
            .bind(now + lease_millis)
            .bind(self.now())
            .bind(id)
            .bind(now)
            .bind(now + LONGEST_LEASE_MILLIS);
        write.fetch_optional(&self.pool).await?.as_ref().map(job_of).transpose()
    }

    /// Keeps a lease; says whether the job's end was asked for, or `None` where the lease is lost.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn renew_lease(
        &self,
        id: &str,
        owner: &str,
        lease_millis: i64,
    ) -> Result<Option<bool>, StoreError> {
        let write = "UPDATE jobs SET leased_until = $1 \
                     WHERE id = $2 AND owner = $3 AND state = 'running' RETURNING cancel_asked";
        let until = self.shared_now().await? + lease_millis;
        let write = sqlx::query_scalar::<_, i64>(write).bind(until).bind(id).bind(owner);
        Ok(write.fetch_optional(&self.pool).await?.map(|asked| asked != 0))
    }

    /// Writes how far a job is. False where its lease is lost.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn write_progress(
        &self,
        id: &str,
        owner: &str,
        progress: &Progress,
    ) -> Result<bool, StoreError> {
        let write = "UPDATE jobs SET step = $1, n_steps = $2, n_episodes = $3, metrics = $4, \
                     attempts = 0, updated_at = $5 \
                     WHERE id = $6 AND owner = $7 AND state = 'running'";
        let write = sqlx::query(write)
            .bind(progress.step)
            .bind(progress.n_steps)
            .bind(progress.n_episodes)
            .bind(progress.metrics.to_string())
            .bind(self.now())
            .bind(id)
            .bind(owner);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Ends the work of `owner` on a job: it is over, or back in the queue and free from
    /// `free_in_millis` on, as if nobody had tried it yet. False where its lease is lost.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn end_work(
        &self,
        id: &str,
        owner: &str,
        state: JobState,
        result: &Value,
        error: Option<&str>,
        free_in_millis: i64,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let write = "UPDATE jobs SET state = $1, result = $2, error = $3, finished_at = $4, \
                     updated_at = $5, leased_until = $6, \
                     attempts = CASE WHEN $1 = 'queued' THEN 0 ELSE attempts END \
                     WHERE id = $7 AND owner = $8 AND state = 'running'";
        let free_at = match free_in_millis {
            0 => 0,
            wait => self.shared_now().await? + wait,
        };
        let write = sqlx::query(write)
            .bind(state.as_str())
            .bind(result.to_string())
            .bind(error)
            .bind(state.is_over().then_some(now))
            .bind(now)
            .bind(free_at)
            .bind(id)
            .bind(owner);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Asks for the end of a job; one that nobody works on ends at once. Gives the job, or `None` where
    /// there is none. A job that is over is left as it is.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn cancel_job(&self, id: &str) -> Result<Option<JobRow>, StoreError> {
        let now = self.now();
        let shared = self.shared_now().await?;
        let end = "UPDATE jobs SET state = 'cancelled', cancel_asked = 1, finished_at = $1, \
                   updated_at = $1 \
                   WHERE id = $2 AND state IN ('queued', 'running') \
                   AND leased_until NOT BETWEEN $3 AND $4";
        let end = sqlx::query(end).bind(now).bind(id).bind(shared);
        end.bind(shared + LONGEST_LEASE_MILLIS).execute(&self.pool).await?;
        let ask = "UPDATE jobs SET cancel_asked = 1, updated_at = $1 \
                   WHERE id = $2 AND state = 'running'";
        sqlx::query(ask).bind(now).bind(id).execute(&self.pool).await?;
        self.job(id).await
    }

    /// Puts a job that was cancelled or failed back into the queue. False where it is in another state.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn requeue_job(&self, id: &str) -> Result<bool, StoreError> {
        let write = "UPDATE jobs SET state = 'queued', cancel_asked = 0, attempts = 0, error = NULL, \
                     finished_at = NULL, leased_until = 0, updated_at = $1 \
                     WHERE id = $2 AND state IN ('cancelled', 'failed')";
        let write = sqlx::query(write).bind(self.now()).bind(id);
        Ok(write.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Writes that something happened in a job.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn add_event(
        &self,
        id: &str,
        step: i64,
        kind: &str,
        body: &Value,
    ) -> Result<(), StoreError> {
        let write = "INSERT INTO job_events (job_id, place, step, kind, body, created_at) \
                     SELECT $1, COALESCE(MAX(place), 0) + 1, $2, $3, $4, $5 FROM job_events \
                     WHERE job_id = $1";
        let write = sqlx::query(write).bind(id).bind(step).bind(kind).bind(body.to_string());
        write.bind(self.now()).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what happened after `step`: a job that goes on from there does it again.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn forget_events_after(&self, id: &str, step: i64) -> Result<(), StoreError> {
        let write = "DELETE FROM job_events WHERE job_id = $1 AND step > $2 AND kind <> 'started'";
        sqlx::query(write).bind(id).bind(step).execute(&self.pool).await?;
        Ok(())
    }

    /// Up to `limit` events of a job after place `after`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] where the database fails.
    pub async fn events(
        &self,
        id: &str,
        after: i64,
        limit: i64,
    ) -> Result<Vec<EventRow>, StoreError> {
        let asked = "SELECT place, step, kind, body, created_at FROM job_events \
                     WHERE job_id = $1 AND place > $2 ORDER BY place LIMIT $3";
        let found = sqlx::query(asked).bind(id).bind(after).bind(limit);
        let event = |row: &AnyRow| {
            let body: String = row.try_get("body")?;
            Ok(EventRow {
                place: row.try_get("place")?,
                step: row.try_get("step")?,
                kind: row.try_get("kind")?,
                body: json_of("event of job", id, &body)?,
                created_at: row.try_get("created_at")?,
            })
        };
        found.fetch_all(&self.pool).await?.iter().map(event).collect()
    }
}

async fn write_job(
    writing: &mut Transaction<'static, Any>,
    job: &JobRow,
) -> Result<(), StoreError> {
    let settings = serde_json::to_string(&job.settings).map_err(|error| {
        let (what, id) = ("job", job.id.clone());
        StoreError::Damaged { what, id, message: error.to_string() }
    })?;
    let write = "INSERT INTO jobs (id, state, asked, settings, model, run_dir, step, n_steps, \
                 n_episodes, metrics, result, cancel_asked, attempts, owner, leased_until, \
                 created_at, updated_at) \
                 VALUES ($1, 'queued', $2, $3, $4, $5, 0, $6, 0, '{}', '{}', 0, 0, '', 0, $7, $7)";
    let write = sqlx::query(write)
        .bind(&job.id)
        .bind(job.asked.to_string())
        .bind(settings)
        .bind(&job.model)
        .bind(&job.run_dir)
        .bind(job.n_steps)
        .bind(job.created_at);
    write.execute(&mut **writing).await?;
    Ok(())
}

fn job_of(row: &AnyRow) -> Result<JobRow, StoreError> {
    let id: String = row.try_get("id")?;
    let text = |column: &str| row.try_get::<String, _>(column);
    let state = text("state")?;
    let state = JobState::from_name(&state).ok_or_else(|| StoreError::Damaged {
        what: "job",
        id: id.clone(),
        message: format!("its state is {state:?}"),
    })?;
    Ok(JobRow {
        state,
        asked: json_of("job", &id, &text("asked")?)?,
        settings: json_of("job", &id, &text("settings")?)?,
        model: text("model")?,
        run_dir: text("run_dir")?,
        step: row.try_get("step")?,
        n_steps: row.try_get("n_steps")?,
        n_episodes: row.try_get("n_episodes")?,
        metrics: json_of("job", &id, &text("metrics")?)?,
        result: json_of("job", &id, &text("result")?)?,
        error: row.try_get("error")?,
        is_cancel_asked: row.try_get::<i64, _>("cancel_asked")? != 0,
        attempts: row.try_get("attempts")?,
        owner: text("owner")?,
        created_at: row.try_get("created_at")?,
        started_at: row.try_get("started_at")?,
        finished_at: row.try_get("finished_at")?,
        updated_at: row.try_get("updated_at")?,
        id,
    })
}
