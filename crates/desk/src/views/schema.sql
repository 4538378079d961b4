-- The views of a case. Everything here is derived from the log, the exhibits and the parsers, and
-- is thrown away and built again at will. Numbers are made of content and of places in the log,
-- never of counters or clocks:
--   exhibit.ord  the place in the log of the record that sealed it
--   key.id       the first 63 bits of the digest that is the key's entity id
--   fact.id      ord << 32 | place among the exhibit's facts (problem.id likewise)
--   bulk.id      ord << 16 | number among the exhibit's tables

CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE exhibit (
  ord INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  name TEXT NOT NULL,
  container INTEGER,
  member TEXT,
  codec TEXT,
  in_place BLOB,
  privileged INTEGER NOT NULL DEFAULT 0,
  -- The order under which the container it was in was erased.
  container_erased INTEGER
);
-- Privileged exhibits and what is inside them: withheld from every answer until released.
CREATE TABLE hidden (ord INTEGER PRIMARY KEY);
CREATE INDEX exhibit_container ON exhibit (container) WHERE container IS NOT NULL;

CREATE TABLE receipt (
  record INTEGER PRIMARY KEY,
  exhibit INTEGER NOT NULL,
  path TEXT,
  item TEXT,
  authorisation TEXT,
  seized_by TEXT,
  seized_at TEXT,
  container BLOB,
  member TEXT,
  codec TEXT,
  place INTEGER,
  note TEXT,
  time TEXT NOT NULL,
  actor TEXT
);
CREATE INDEX receipt_exhibit ON receipt (exhibit);

CREATE TABLE sum (
  record INTEGER PRIMARY KEY,
  exhibit BLOB,
  algorithm TEXT NOT NULL,
  claimed TEXT NOT NULL,
  found TEXT,
  agrees INTEGER NOT NULL,
  name TEXT NOT NULL,
  sums_exhibit BLOB NOT NULL,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL
);
CREATE INDEX sum_exhibit ON sum (exhibit);

-- Runs as the log tells them.
CREATE TABLE run (
  record INTEGER PRIMARY KEY,
  exhibit INTEGER NOT NULL,
  parser TEXT NOT NULL,
  version INTEGER NOT NULL,
  facts INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  present INTEGER NOT NULL,
  problems INTEGER NOT NULL,
  digest BLOB NOT NULL,
  time TEXT NOT NULL
);
CREATE INDEX run_exhibit ON run (exhibit);

-- What of each exhibit these views hold. `parser` is empty where none reads it.
CREATE TABLE loaded (
  exhibit INTEGER PRIMARY KEY,
  record INTEGER,
  parser TEXT NOT NULL,
  version INTEGER NOT NULL,
  facts INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  present INTEGER NOT NULL,
  problems INTEGER NOT NULL,
  digest BLOB NOT NULL,
  bytes_read INTEGER NOT NULL,
  bytes_filler INTEGER NOT NULL,
  bytes_lost INTEGER NOT NULL
);

-- Tables that were laid down as exhibits: no parser reads them.
CREATE TABLE laid (record INTEGER PRIMARY KEY, exhibit BLOB NOT NULL, sort TEXT NOT NULL, name TEXT NOT NULL);

-- Material that could not be read at all.
CREATE TABLE unread (record INTEGER PRIMARY KEY, path TEXT NOT NULL, message TEXT NOT NULL);

-- Orders of erasure, and what they name: sealing records of exhibits, whole or in part, with the
-- record of what is left.
CREATE TABLE erasure (
  record INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  actor TEXT,
  basis TEXT NOT NULL
);
CREATE TABLE tombstone (
  sealed INTEGER NOT NULL,
  record INTEGER NOT NULL,
  rest INTEGER,
  PRIMARY KEY (sealed, record)
) WITHOUT ROWID;

-- Records that keep a time stamp: read and verified from the log each time.
CREATE TABLE stamp (record INTEGER PRIMARY KEY);
-- Records of backups and of restoring on trial: read from the log each time.
CREATE TABLE backup (record INTEGER PRIMARY KEY, drill INTEGER NOT NULL);
-- Records of tickets that the case led to: read from the log each time. house: the clearing house's record;
-- exhibit: what led there.
CREATE TABLE ticket (record INTEGER PRIMARY KEY, house TEXT NOT NULL, exhibit BLOB);
CREATE INDEX ticket_house ON ticket (house);
CREATE INDEX ticket_exhibit ON ticket (exhibit) WHERE exhibit IS NOT NULL;
-- Records on people and custody, whole: there are few. fields: their values as opened, canonical
-- JSON; withheld: the names of those that are not opened.
CREATE TABLE custody (
  record INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  time TEXT NOT NULL,
  hash BLOB NOT NULL,
  fields TEXT NOT NULL,
  withheld TEXT NOT NULL
);

CREATE TABLE word (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);

-- `entity` is the key that the entity is called by: the least of its keys.
CREATE TABLE key (id INTEGER PRIMARY KEY, text TEXT NOT NULL, entity INTEGER);
CREATE INDEX key_entity ON key (entity) WHERE entity IS NOT NULL AND entity <> id;

-- tag: 0 text, 1 int, 2 bool, 3 time, 4 money, 5 key, 6 secret. num: the integer, 0 or 1, UTC
-- milliseconds, minor units, or the key's id. text: the text, the moment, or the currency.
CREATE TABLE fact (
  id INTEGER PRIMARY KEY,
  subject INTEGER NOT NULL,
  property INTEGER NOT NULL,
  tag INTEGER NOT NULL,
  num INTEGER,
  text TEXT,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL
);
CREATE INDEX fact_subject ON fact (subject, property);
CREATE INDEX fact_object ON fact (num) WHERE tag = 5;

CREATE TABLE secret (exhibit INTEGER, start INTEGER, end INTEGER, PRIMARY KEY (exhibit, start, end))
  WITHOUT ROWID;

CREATE TABLE problem (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  message TEXT NOT NULL,
  lost INTEGER NOT NULL
);
CREATE INDEX problem_kind ON problem (kind);

CREATE TABLE bulk (
  id INTEGER PRIMARY KEY,
  exhibit INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  db TEXT NOT NULL,
  role TEXT NOT NULL,
  locator TEXT,
  panel TEXT,
  rows INTEGER NOT NULL,
  present INTEGER NOT NULL,
  file TEXT,
  sha256 BLOB,
  digest BLOB NOT NULL,
  sql_name TEXT
);

CREATE TABLE bulk_column (
  bulk INTEGER NOT NULL,
  n INTEGER NOT NULL,
  name TEXT NOT NULL,
  ty TEXT NOT NULL,
  meaning TEXT,
  secret INTEGER NOT NULL,
  PRIMARY KEY (bulk, n)
) WITHOUT ROWID;

-- what: c<column>, or pair (of `n` and `second`).
CREATE TABLE bulk_index (
  bulk INTEGER NOT NULL,
  what TEXT NOT NULL,
  n INTEGER NOT NULL,
  second INTEGER,
  meaning TEXT,
  file TEXT NOT NULL,
  sha256 BLOB NOT NULL,
  keys INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  PRIMARY KEY (bulk, what)
) WITHOUT ROWID;

-- Below: made anew as a whole from what is above, whenever that changes.

CREATE TABLE entity (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  caption TEXT NOT NULL,
  key TEXT NOT NULL,
  country TEXT,
  asn INTEGER,
  facts INTEGER NOT NULL,
  links INTEGER NOT NULL
);
CREATE INDEX entity_list ON entity (kind, caption, id);
CREATE INDEX entity_country ON entity (country, asn) WHERE country IS NOT NULL;

CREATE TABLE link (
  kind INTEGER NOT NULL,
  src INTEGER NOT NULL,
  dst INTEGER NOT NULL,
  count INTEGER NOT NULL,
  first_ms INTEGER,
  last_ms INTEGER,
  fact INTEGER,
  bulk INTEGER,
  PRIMARY KEY (kind, src, dst)
) WITHOUT ROWID;
CREATE INDEX link_src ON link (src, kind, dst);
CREATE INDEX link_dst ON link (dst, kind, src);

CREATE TABLE entity_row (
  entity INTEGER NOT NULL,
  bulk INTEGER NOT NULL,
  n INTEGER NOT NULL,
  value TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (entity, bulk, n, value)
) WITHOUT ROWID;

CREATE TABLE payment (
  processor TEXT NOT NULL,
  account TEXT NOT NULL,
  txid TEXT NOT NULL,
  sign INTEGER NOT NULL,
  class TEXT NOT NULL,
  currency TEXT,
  gross_minor INTEGER,
  time_utc INTEGER,
  "from" TEXT,
  "to" TEXT,
  bulk INTEGER NOT NULL,
  row INTEGER NOT NULL,
  -- What lists are ordered by, where nothing is stated too.
  unit TEXT NOT NULL AS (coalesce(currency, '')),
  at INTEGER NOT NULL AS (coalesce(time_utc, -9223372036854775808)),
  PRIMARY KEY (processor, account, txid, sign, class)
) WITHOUT ROWID;
CREATE INDEX payment_list ON payment (class, unit, at);
CREATE INDEX payment_from ON payment ("from");
CREATE INDEX payment_to ON payment ("to");

-- Completed payments by currency: `sum` may need more than 64 bits.
CREATE TABLE payment_sum (currency TEXT PRIMARY KEY, count INTEGER NOT NULL, sum TEXT NOT NULL)
  WITHOUT ROWID;

CREATE TABLE autonomous_system (asn INTEGER PRIMARY KEY, name TEXT NOT NULL);

-- Counts by the registry's rules, bulk tables included. sort: entity or link; kind: its place in
-- the registry.
CREATE TABLE tally (
  sort TEXT NOT NULL,
  kind INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (sort, kind)
) WITHOUT ROWID;

CREATE TABLE figure (
  scope INTEGER NOT NULL,
  place INTEGER NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  rule TEXT NOT NULL,
  inputs TEXT NOT NULL,
  PRIMARY KEY (scope, place)
) WITHOUT ROWID;

-- Search by words. `names`: keys and captions, a document an entity. `words`: the texts of facts,
-- a document a fact.
CREATE VIRTUAL TABLE names USING fts5 (
  text, content = '', tokenize = "unicode61 remove_diacritics 2", prefix = '2 3 4'
);
-- `said`: what messages say, a document a message: ord << 32 | place among the messages of the
-- exhibit's tables.
CREATE VIRTUAL TABLE said USING fts5 (
  text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);
CREATE VIRTUAL TABLE words USING fts5 (
  text, content = '', contentless_delete = 1,
  tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
);
-- Small pages: the search for `198.18.4.7` leaps through long lists (198, 18) from one page that may
-- hold a match to the next.
INSERT INTO names (names, rank) VALUES ('pgsz', 1000);
INSERT INTO words (words, rank) VALUES ('pgsz', 1000);
INSERT INTO said (said, rank) VALUES ('pgsz', 1000);
