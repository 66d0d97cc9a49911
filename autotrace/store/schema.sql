-- The local store, version 1. Every statement ends with a semicolon at the end of its line: schema.py splits there.
--
-- `spans` has no index on purpose: a primary key and two indexes make an insert five times dearer. Instead each
-- delivery writes one row into `parts` for every trace it touches: which run of span rows it wrote, and their summary.
-- Listing reads only `parts`; one trace is read by the row ranges that its parts name. No reader needs an index.

CREATE TABLE resources (
  id INTEGER PRIMARY KEY,
  service TEXT NOT NULL,
  attributes TEXT NOT NULL,
  UNIQUE (service, attributes)
);

CREATE TABLE spans (
  id INTEGER PRIMARY KEY,
  trace_id BLOB NOT NULL,
  span_id BLOB NOT NULL,
  parent_id BLOB,
  resource INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  start_ns INTEGER NOT NULL,
  duration_ns INTEGER NOT NULL,
  status TEXT NOT NULL,
  status_message TEXT,
  attributes TEXT,
  events TEXT,
  links TEXT,
  scope TEXT NOT NULL,
  local_root INTEGER NOT NULL
);

CREATE TABLE parts (
  id INTEGER PRIMARY KEY,
  trace_id BLOB NOT NULL,
  resource INTEGER NOT NULL,
  first_span INTEGER NOT NULL,
  last_span INTEGER NOT NULL,
  start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL,
  spans INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  root_name TEXT NOT NULL,
  root_order INTEGER NOT NULL,
  external_id TEXT
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
  UNIQUE (pid, started_ns)
);
