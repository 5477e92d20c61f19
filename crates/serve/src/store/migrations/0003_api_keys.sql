CREATE TABLE api_keys (
    name TEXT NOT NULL PRIMARY KEY,
    sha256 TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
