ALTER TABLE conversations ADD COLUMN owner TEXT NOT NULL DEFAULT '';

CREATE INDEX conversations_of_owner ON conversations (owner, id);
