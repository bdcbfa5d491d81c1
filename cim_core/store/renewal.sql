-- Urban renewal: what was recorded, event by event, and how each thing stands now. Private: it has
-- households. Times are milliseconds since 1970, days TEXT (ISO 8601).
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Everything that ever changed, never altered. A subject is folded from its events.
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    recorded INTEGER NOT NULL,      -- when it was told
    effective TEXT NOT NULL,        -- the day from which on it holds
    kind TEXT NOT NULL,             -- 'project', 'task', 'progress', 'building', …
    id TEXT NOT NULL,
    project TEXT NOT NULL,
    version INTEGER NOT NULL,       -- of the subject, with this event
    change TEXT,                    -- JSON Merge Patch to the version before; NULL: removed
    person TEXT,                    -- the account's id, NULL where nobody was signed in
    name TEXT NOT NULL
);
CREATE INDEX events_by_subject ON events (kind, id, seq);
CREATE INDEX events_by_project ON events (project, seq);
CREATE TRIGGER events_are_not_altered BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are not altered'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are not deleted'); END;

-- What is there now, with the version that whoever changes it must know.
CREATE TABLE subjects (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    project TEXT NOT NULL,          -- the project's own id for a project
    town TEXT,                      -- of a project
    version INTEGER NOT NULL,
    document TEXT,                  -- JSON; NULL: removed, and its id is not given again
    changed INTEGER NOT NULL,
    name TEXT NOT NULL,             -- of who changed it last
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX subjects_by_project ON subjects (project, kind);
CREATE INDEX projects_by_town ON subjects (town) WHERE kind = 'project';

-- Counters: the numbers of orders, by year.
CREATE TABLE numbers (series TEXT PRIMARY KEY, last INTEGER NOT NULL);

-- Whom to tell of orders, and what has to be told.
CREATE TABLE hooks (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, events TEXT NOT NULL,  -- JSON list
    towns TEXT,                     -- JSON list; NULL: all
    active INTEGER NOT NULL, created INTEGER NOT NULL
);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    hook TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    about TEXT NOT NULL,            -- what makes it one of a kind: the order, what happened, the day
    body TEXT NOT NULL,
    made INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next INTEGER,                   -- when to try; NULL: done or given up
    status INTEGER,                 -- of the last answer
    error TEXT,
    UNIQUE (hook, about)
);
CREATE INDEX deliveries_due ON deliveries (next) WHERE next IS NOT NULL;
