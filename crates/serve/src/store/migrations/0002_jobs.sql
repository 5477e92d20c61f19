CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    asked TEXT NOT NULL,
    settings TEXT NOT NULL,
    model TEXT NOT NULL,
    run_dir TEXT NOT NULL,
    step BIGINT NOT NULL,
    n_steps BIGINT NOT NULL,
    n_episodes BIGINT NOT NULL,
    metrics TEXT NOT NULL,
    result TEXT NOT NULL,
    error TEXT,
    cancel_asked BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    owner TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    updated_at BIGINT NOT NULL
);

CREATE INDEX jobs_by_state ON jobs (state, created_at);

CREATE TABLE job_events (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    step BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (job_id, place)
);

CREATE TABLE deployments (
    name TEXT NOT NULL PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
