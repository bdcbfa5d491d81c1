-- City check-ups: sets of indicators the city made, runs with their values, and what was found wrong.
-- Internal, as renewal is. Times are milliseconds since 1970.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Sets of the city's own. A frozen one is not altered any more; an id is not given to another.
CREATE TABLE sets (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'frozen')),
    document TEXT,                  -- JSON; NULL: removed
    changed INTEGER NOT NULL,
    name TEXT NOT NULL              -- of who changed it last
) WITHOUT ROWID;
CREATE TRIGGER frozen_sets_stay BEFORE UPDATE ON sets WHEN OLD.state = 'frozen'
BEGIN SELECT RAISE(ABORT, 'a frozen set is not altered'); END;
CREATE TRIGGER frozen_sets_are_kept BEFORE DELETE ON sets
BEGIN SELECT RAISE(ABORT, 'sets are not deleted'); END;

-- Counters: the numbers of runs, by year; none is given twice.
CREATE TABLE numbers (series TEXT PRIMARY KEY, last INTEGER NOT NULL);

CREATE TABLE runs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job TEXT UNIQUE,                -- the job that made it, so that it is made once
    made INTEGER NOT NULL,
    person TEXT, name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'submitted')),
    submitted INTEGER,
    document TEXT NOT NULL          -- JSON: what was examined, of which layers, and every indicator
);
CREATE TRIGGER submitted_runs_stay BEFORE UPDATE ON runs
WHEN OLD.state = 'submitted' OR NEW.document <> OLD.document OR NEW.id <> OLD.id
BEGIN SELECT RAISE(ABORT, 'what was submitted is not altered'); END;
CREATE TRIGGER submitted_runs_are_kept BEFORE DELETE ON runs WHEN OLD.state = 'submitted'
BEGIN SELECT RAISE(ABORT, 'what was submitted is not deleted'); END;

-- Values and shapes of units, each content once, however many runs have it.
CREATE TABLE packed (digest TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TRIGGER packed_is_not_altered BEFORE UPDATE ON packed
BEGIN SELECT RAISE(ABORT, 'packed values are not altered'); END;
CREATE TABLE run_packed (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    digest TEXT NOT NULL REFERENCES packed (digest),
    PRIMARY KEY (run, digest)
) WITHOUT ROWID;
CREATE INDEX runs_of_packed ON run_packed (digest);

-- Units that miss a target, and what became of that.
CREATE TABLE problems (
    id TEXT PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    code TEXT NOT NULL,
    unit_by TEXT NOT NULL,
    unit TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'assigned', 'solved')),
    project TEXT,                   -- the renewal project that answers it
    note TEXT NOT NULL,
    document TEXT NOT NULL          -- JSON: what is wrong, as it was examined
) WITHOUT ROWID;
CREATE INDEX problems_by_run ON problems (run, number);
CREATE TABLE problem_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    problem TEXT NOT NULL REFERENCES problems (id) ON DELETE CASCADE,
    recorded INTEGER NOT NULL,
    change TEXT NOT NULL,           -- JSON: what was set
    person TEXT, name TEXT NOT NULL
);
CREATE INDEX problem_events_by_problem ON problem_events (problem, seq);
CREATE TRIGGER problem_events_are_not_altered BEFORE UPDATE ON problem_events
BEGIN SELECT RAISE(ABORT, 'events are not altered'); END;
