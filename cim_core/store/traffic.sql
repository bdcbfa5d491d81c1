-- What moves and changes on the roads, until it is history, and what was recognised in it.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
-- Each file counts its batches from 1: the lake's marks say whose they are.
INSERT INTO meta VALUES ('file', lower(hex(randomblob(8))));

-- What arrived together of one kind, in columns. names is JSON: the names that codes stand for, by column.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    layer TEXT NOT NULL,        -- whose road map it belongs to, which decides who sees it
    kind TEXT NOT NULL CHECK (kind IN ('positions', 'signals', 'controller')),
    arrived INTEGER NOT NULL,   -- milliseconds since 1970
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,      -- the earliest and the latest time in it
    rows INTEGER NOT NULL,
    names TEXT NOT NULL,
    columns BLOB NOT NULL
);
CREATE INDEX batches_by_time ON batches (layer, kind, first, last);  -- last: a question about now passes over many

-- What was recognised (车城事件), from its beginning to its end. There is never more than one that is not
-- closed of the same key, which says what happened where. body is JSON: place, evidence, confidence, …
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    layer TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    begun INTEGER NOT NULL,     -- milliseconds since 1970, like all times here
    ended INTEGER,
    changed INTEGER NOT NULL,   -- no two changes of any events have the same
    lon REAL NOT NULL,
    lat REAL NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX one_open_event ON events (layer, key) WHERE state = 'open';
CREATE INDEX events_by_time ON events (layer, begun);
CREATE INDEX events_by_change ON events (changed);

-- Layers that were removed: what was until then is nobody's any more, also where it is in the lake.
CREATE TABLE forgotten (layer TEXT PRIMARY KEY, until INTEGER NOT NULL);

-- What was sent and could not be believed, with the element that is wrong.
CREATE TABLE refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    layer TEXT,
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    body TEXT NOT NULL
);
