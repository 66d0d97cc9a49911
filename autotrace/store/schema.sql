-- The local store, version 2. Every statement ends with a semicolon at the end of its line: schema.py splits there.
--
-- A row costs more than what stands in it, and an index costs several rows. So each delivery writes two rows for every
-- trace that it touches, and no table of spans has an index: into `parts` their summary, into `spans` the spans themselves.
-- Listing reads only `parts`; one trace is read by the ids of its parts.

CREATE TABLE resources (
  id INTEGER PRIMARY KEY,
  service TEXT NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (service, attributes)
);

CREATE TABLE parts (
  id INTEGER PRIMARY KEY,
  trace_id BLOB NOT NULL,
  resource INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL,
  spans INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  root_name TEXT NOT NULL,
  root_order INTEGER NOT NULL,
  external_id TEXT
);

-- `records` holds 36 bytes for each span, big-endian: its id, its parent's id or 0, start and duration in nanoseconds (8
-- bytes each), and the place of its description in `descriptions` (4 bytes), which is a JSON list of
-- [name, kind, status, status message, scope, local root, attributes, events, links]; equal spans share one.
CREATE TABLE spans (
  id INTEGER PRIMARY KEY,  -- that of the part
  records BLOB NOT NULL,
  descriptions TEXT NOT NULL
);

-- Traces that some process keeps although they were not sampled; the others deliver what they still hold of them.
CREATE TABLE keeps (
  id INTEGER PRIMARY KEY,
  trace_id BLOB NOT NULL,
  kept_ns INTEGER NOT NULL
);

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  pid INTEGER NOT NULL,
  service TEXT NOT NULL,
  started_ns INTEGER NOT NULL,
  updated_ns INTEGER NOT NULL,
  command TEXT NOT NULL,
  roots_seen INTEGER NOT NULL,
  roots_kept INTEGER NOT NULL,
  spans INTEGER NOT NULL,
  rate REAL,
  rule TEXT NOT NULL,
  unmatched TEXT NOT NULL,
  endpoints TEXT NOT NULL DEFAULT '[]',  -- a JSON list: what became of the local roots of each endpoint
  overhead TEXT NOT NULL DEFAULT '',  -- JSON: what tracing cost, by stage; empty where nothing was measured
  dropped INTEGER NOT NULL DEFAULT 0,  -- spans that were kept, and never came to an exporter
  lost INTEGER NOT NULL DEFAULT 0,  -- spans that an exporter failed to take
  UNIQUE (pid, started_ns)
);

-- Processes that share what their service, or a rule of it, may sample in a second: each says how many local roots a second
-- it decides on.
CREATE TABLE heartbeats (
  pid INTEGER NOT NULL,
  started_ns INTEGER NOT NULL,
  service TEXT NOT NULL,
  beat_ns INTEGER NOT NULL,
  roots REAL NOT NULL,
  PRIMARY KEY (service, pid, started_ns)
) WITHOUT ROWID;
