-- The office of a city: who may do what, and what was done. Times are seconds since 1970 unless TEXT.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE towns (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,        -- JSON, by language
    boundary BLOB               -- WKB, longitude and latitude
);

-- The id is the text that layers have under "department".
CREATE TABLE departments (id TEXT PRIMARY KEY, title TEXT NOT NULL);

CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_hash TEXT NOT NULL UNIQUE, -- of the name without case, by which people sign in
    title TEXT NOT NULL,
    roles TEXT NOT NULL,            -- JSON
    department TEXT REFERENCES departments (id),
    active INTEGER NOT NULL,
    sso INTEGER NOT NULL,           -- signs in with the city's own identity service
    subject TEXT UNIQUE,            -- who they are there
    password TEXT,                  -- a hash with its salt and parameters
    totp TEXT,                      -- the secret of the second factor
    totp_pending TEXT,              -- the same before its first code has come
    totp_step INTEGER NOT NULL DEFAULT 0,   -- the time step of the last code taken
    created TEXT NOT NULL,
    last_signed_in TEXT
);
CREATE TABLE account_towns (
    account TEXT NOT NULL REFERENCES accounts (id),
    town TEXT NOT NULL REFERENCES towns (id),
    PRIMARY KEY (account, town)
);

-- Also for names that nobody has. Only a hash, since people type passwords where names belong.
CREATE TABLE failures (
    name_hash TEXT PRIMARY KEY,
    count INTEGER NOT NULL,
    last REAL NOT NULL,
    locked_until REAL               -- NULL while more attempts are left
);

-- All tokens are kept as SHA-256 of what their holder has.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    created REAL NOT NULL,
    last_used REAL NOT NULL,
    expires REAL NOT NULL
);
CREATE TABLE links (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES accounts (id),
    expires REAL NOT NULL
);
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    secret TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL REFERENCES accounts (id),
    title TEXT NOT NULL,
    scopes TEXT NOT NULL,           -- JSON
    created TEXT NOT NULL,
    expires TEXT NOT NULL,
    last_used TEXT,
    revoked TEXT
);
CREATE TABLE capabilities (
    id TEXT PRIMARY KEY,
    account TEXT REFERENCES accounts (id),
    session TEXT REFERENCES sessions (id) ON DELETE CASCADE,
    key TEXT REFERENCES keys (id),
    expires REAL NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX capabilities_by_session ON capabilities (session);

CREATE TABLE policies (
    version INTEGER PRIMARY KEY,
    document TEXT NOT NULL,         -- JSON
    at TEXT NOT NULL,
    who TEXT NOT NULL
);

CREATE TABLE exported (
    account TEXT NOT NULL,
    cell INTEGER NOT NULL,          -- an H3 cell, as a signed number
    export TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (account, cell)
) WITHOUT ROWID;
CREATE TABLE uploaded (
    account TEXT NOT NULL,
    day TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (account, day)
) WITHOUT ROWID;

-- What was done. Each row has the hash of the one before in its own.
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    person TEXT,                    -- the account's id, NULL where nobody was signed in
    name TEXT NOT NULL,
    via TEXT NOT NULL,
    address TEXT NOT NULL,
    verb TEXT NOT NULL,
    what TEXT NOT NULL,
    layers TEXT NOT NULL,           -- JSON
    status INTEGER,
    result TEXT NOT NULL,
    detail TEXT NOT NULL,           -- JSON
    hash TEXT NOT NULL
);
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_person ON audit (person);

-- The last row that was deleted because it was old enough: what the first that is left hangs on.
CREATE TABLE audit_anchor (seq INTEGER NOT NULL, hash TEXT NOT NULL);
INSERT INTO audit_anchor VALUES (0, '');

CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.seq IS NOT 1 + MAX(
    (SELECT seq FROM audit_anchor), COALESCE((SELECT MAX(seq) FROM audit), 0))
BEGIN SELECT RAISE(ABORT, 'the log only grows at its end'); END;
CREATE TRIGGER audit_is_not_altered BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the log is not altered'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN OLD.seq > (SELECT seq FROM audit_anchor)
BEGIN SELECT RAISE(ABORT, 'the log is not deleted, only pruned'); END;
CREATE TRIGGER anchor_follows_the_log BEFORE UPDATE ON audit_anchor
WHEN NEW.seq <= OLD.seq OR NEW.hash IS NOT (SELECT hash FROM audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the anchor of the log is the hash of one of its rows'); END;
CREATE TRIGGER anchor_is_not_deleted BEFORE DELETE ON audit_anchor
BEGIN SELECT RAISE(ABORT, 'the log has one anchor'); END;
CREATE TRIGGER anchor_is_one BEFORE INSERT ON audit_anchor
BEGIN SELECT RAISE(ABORT, 'the log has one anchor'); END;
