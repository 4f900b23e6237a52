-- The index of one storage root: what the small files of its runs said, and by which stamps it is known that they still do.
-- A cache: it may be deleted at any time, and is rebuilt whenever anything about it is not as expected.
CREATE TABLE about (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE folders (
    directory TEXT PRIMARY KEY,
    stamp     BLOB NOT NULL,
    children  TEXT NOT NULL -- names with a zero byte between them, links marked by a leading '@', others by '/'
) WITHOUT ROWID;

CREATE TABLE runs (
    directory         TEXT PRIMARY KEY, -- below the root
    layout            INTEGER NOT NULL,
    stamps            BLOB NOT NULL,
    path              TEXT NOT NULL,
    deleted           INTEGER NOT NULL,
    meta_path         TEXT,
    alias             TEXT,
    tags              TEXT NOT NULL,    -- JSON
    pid               INTEGER,
    hostname          TEXT,
    has_meta          INTEGER NOT NULL,
    created_at        REAL NOT NULL,
    created_is_guess  INTEGER NOT NULL,
    started_at        REAL,
    ended_at          REAL,
    status            TEXT NOT NULL,
    status_reason     INTEGER NOT NULL,
    best_name         TEXT,
    best_value        REAL,
    best_step         INTEGER,
    best_mode         TEXT,
    assets_count      INTEGER NOT NULL,
    last_write_at     REAL,
    problem           TEXT
) WITHOUT ROWID;
