CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    model TEXT,
    system_prompt TEXT,
    sampling TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE conversations (
    id TEXT NOT NULL PRIMARY KEY,
    agent_id TEXT REFERENCES agents (id) ON DELETE SET NULL,
    model TEXT,
    sampling TEXT NOT NULL,
    user_id TEXT,
    metadata TEXT NOT NULL,
    n_messages BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    claim TEXT NOT NULL,
    claimed_until BIGINT NOT NULL
);

CREATE TABLE messages (
    conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, place)
);

CREATE INDEX conversations_of_agent ON conversations (agent_id);

CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    asked_sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (scope, name)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
