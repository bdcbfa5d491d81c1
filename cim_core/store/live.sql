-- What a city feels: things, their datastreams, and the newest observations, until they are history.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO meta VALUES ('generation', '0'), ('deleted', '0');

-- The entities of SensorThings but observations; body is JSON as that standard writes it.
CREATE TABLE entities (
    kind TEXT NOT NULL,         -- 'Things', 'Locations', 'Sensors', …
    id INTEGER NOT NULL,
    key TEXT,                   -- of a datastream: how devices name it
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX entities_by_key ON entities (kind, key) WHERE key IS NOT NULL;

-- A number is never given twice: old observations must not become those of a new datastream.
CREATE TABLE entity_numbers (kind TEXT PRIMARY KEY, last INTEGER NOT NULL);

-- What an entity is linked with: a datastream with its thing, a thing with its locations.
CREATE TABLE links (
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    to_kind TEXT NOT NULL,
    to_id INTEGER NOT NULL,
    place INTEGER NOT NULL,     -- in the order of those it is linked with
    PRIMARY KEY (kind, id, to_kind, to_id)
) WITHOUT ROWID;
CREATE INDEX links_back ON links (to_kind, to_id);

-- What arrived together, in columns: keys uint64, values float64, cells uint64, little-endian, one
-- after the other. more is what single rows have beside a number, JSON by row, NULL if none has.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    arrived INTEGER NOT NULL,   -- milliseconds since 1970
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,      -- the earliest and the latest time in it
    rows INTEGER NOT NULL,
    columns BLOB NOT NULL,
    more TEXT
);

-- The newest observation of each datastream among those that are history.
CREATE TABLE latest (
    stream INTEGER PRIMARY KEY, time INTEGER NOT NULL, value REAL, cell INTEGER NOT NULL, more TEXT
);

-- What was sent and cannot be believed, with the reason.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,        -- milliseconds since 1970
    source TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    body TEXT NOT NULL,         -- what was sent, JSON
    layer TEXT                  -- of its datastream, which decides who sees it; NULL: nobody knows
);
CREATE INDEX dead_letters_by_reason ON dead_letters (reason, layer);

-- What a rule says must be looked at, from its raising to its clearing. There is never more than one
-- that is not cleared of the same name and thing. body is JSON: title, message, value, threshold, …
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,         -- rules of one name raise one alarm; else the rule's own id
    thing INTEGER NOT NULL,
    layer TEXT NOT NULL,        -- of the thing, which decides who sees the alarm
    rule TEXT NOT NULL,         -- the worst that held so far
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 4),
    state TEXT NOT NULL CHECK (state IN ('raised', 'handling', 'done', 'cleared')),
    active INTEGER NOT NULL,    -- whether a condition still holds
    raised INTEGER NOT NULL,    -- milliseconds since 1970, like all times here
    changed INTEGER NOT NULL,
    ended INTEGER,
    shelved_until INTEGER,
    handler TEXT,
    version INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE UNIQUE INDEX one_open_alarm ON alarms (name, thing) WHERE state <> 'cleared';
CREATE INDEX alarms_open ON alarms (state, id) WHERE state <> 'cleared';
CREATE INDEX alarms_shelved ON alarms (shelved_until) WHERE shelved_until IS NOT NULL;

-- Every change of an alarm; who is NULL where nobody did it.
CREATE TABLE alarm_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alarm INTEGER NOT NULL REFERENCES alarms ON DELETE CASCADE,
    at INTEGER NOT NULL,
    who TEXT,
    what TEXT NOT NULL,
    note TEXT NOT NULL
);
CREATE INDEX alarm_events_by_alarm ON alarm_events (alarm, id);

-- What of the rules' conditions holds, or is waiting to have held for long enough (alarm is NULL).
CREATE TABLE alarm_conditions (
    rule TEXT NOT NULL,
    stream INTEGER NOT NULL,
    part TEXT NOT NULL,         -- 'own'; of a neighbourhood 'member' and 'centre'
    since INTEGER NOT NULL,
    alarm INTEGER REFERENCES alarms,
    PRIMARY KEY (rule, stream, part)
) WITHOUT ROWID;
CREATE INDEX alarm_conditions_by_alarm ON alarm_conditions (alarm) WHERE alarm IS NOT NULL;
