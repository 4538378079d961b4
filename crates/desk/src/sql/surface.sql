-- What a query may read besides the bulk tables: the case in words. Numbers that only the views
-- know (keys, kinds, places in the log) are spelt out; what is privileged is not here.
--
-- `inner_` becomes a word that no query can guess: the name of the database below, and of what a
-- view of the plain name stands before. So the authorizer tells the views' own reading of what lies
-- below from a query's.

CREATE TEMP VIEW inner_entity AS
SELECT vigie_entity(e.key) AS id, vigie_word('entity', e.kind) AS kind, e.caption, e.key, e.country,
       e.asn, a.name AS network, e.facts, e.links
FROM inner_.entity e LEFT JOIN inner_.autonomous_system a ON a.asn = e.asn;

CREATE TEMP VIEW inner_link AS
SELECT vigie_word('link', l.kind) AS kind, s.key AS source, d.key AS target, s.caption AS
       source_caption, d.caption AS target_caption, l.count,
       strftime('%Y-%m-%dT%H:%M:%SZ', l.first_ms / 1000, 'unixepoch') AS first,
       strftime('%Y-%m-%dT%H:%M:%SZ', l.last_ms / 1000, 'unixepoch') AS last
FROM inner_.link l JOIN inner_.entity s ON s.id = l.src JOIN inner_.entity d ON d.id = l.dst;

CREATE TEMP VIEW inner_fact AS
SELECT k.text AS subject, w.text AS property,
       CASE f.tag WHEN 0 THEN f.text WHEN 2 THEN iif(f.num, 'true', 'false') WHEN 3 THEN f.text
         WHEN 5 THEN o.text WHEN 6 THEN NULL ELSE f.num END AS value,
       CASE f.tag WHEN 4 THEN f.text END AS currency, f.tag = 6 AS masked,
       lower(hex(x.id)) AS exhibit, f.start, f.end, l.parser
FROM inner_.fact f JOIN inner_.key k ON k.id = f.subject JOIN inner_.word w ON w.id = f.property
JOIN inner_.exhibit x ON x.ord = f.id >> 32 JOIN inner_.loaded l ON l.exhibit = x.ord
LEFT JOIN inner_.key o ON f.tag = 5 AND o.id = f.num
WHERE x.ord NOT IN (SELECT ord FROM inner_.hidden);

CREATE TEMP VIEW inner_exhibit AS
SELECT lower(hex(x.id)) AS id, x.name, x.size, l.parser, l.version, coalesce(l.facts, 0) AS facts,
       coalesce(l.rows, 0) AS rows, coalesce(l.problems, 0) AS problems,
       coalesce(l.bytes_read, 0) AS bytes_read, coalesce(l.bytes_filler, 0) AS bytes_filler,
       coalesce(l.bytes_lost, 0) AS bytes_lost,
       lower(hex(c.id)) AS container, x.member, x.codec, x.ord AS record
FROM inner_.exhibit x LEFT JOIN inner_.loaded l ON l.exhibit = x.ord
LEFT JOIN inner_.exhibit c ON c.ord = x.container
WHERE x.ord NOT IN (SELECT ord FROM inner_.hidden);

CREATE TEMP VIEW inner_receipt AS
SELECT r.record, lower(hex(x.id)) AS exhibit, r.path, r.item, r.authorisation, r.seized_by,
       r.seized_at, r.time, r.actor, r.note
FROM inner_.receipt r JOIN inner_.exhibit x ON x.ord = r.exhibit
WHERE x.ord NOT IN (SELECT ord FROM inner_.hidden) AND (r.container IS NULL OR r.container NOT IN
  (SELECT h.id FROM inner_.exhibit h WHERE h.ord IN (SELECT ord FROM inner_.hidden)));

CREATE TEMP VIEW inner_problem AS
SELECT lower(hex(x.id)) AS exhibit, x.name AS path, p.kind, p.start, p.end, p.message, p.lost
FROM inner_.problem p JOIN inner_.exhibit x ON x.ord = p.id >> 32
WHERE x.ord NOT IN (SELECT ord FROM inner_.hidden);

CREATE TEMP VIEW inner_payment AS
SELECT p.processor, p.account, p.txid, p.class, p.currency, p.gross_minor,
       strftime('%Y-%m-%dT%H:%M:%SZ', p.time_utc, 'unixepoch') AS time, p."from", p."to",
       b.sql_name AS bulk, p.row
FROM inner_.payment p JOIN inner_.bulk b ON b.id = p.bulk;

CREATE TEMP VIEW inner_bulk_table AS
SELECT b.sql_name, b.name, b.db, b.role, b.panel, b.rows, lower(hex(x.id)) AS exhibit,
       x.name AS exhibit_name
FROM inner_.bulk b JOIN inner_.exhibit x ON x.ord = b.exhibit
WHERE x.ord NOT IN (SELECT ord FROM inner_.hidden);

CREATE TEMP VIEW inner_bulk_column AS
SELECT b.sql_name, c.n, c.name, c.ty AS type, c.meaning, c.secret,
       EXISTS (SELECT 1 FROM inner_.bulk_index i WHERE i.bulk = c.bulk AND i.what = 'c' || c.n)
         AS indexed
FROM inner_.bulk_column c JOIN inner_.bulk b ON b.id = c.bulk JOIN inner_.exhibit x ON x.ord = b.exhibit
WHERE x.ord NOT IN (SELECT ord FROM inner_.hidden);

CREATE TEMP VIEW inner_tally AS
SELECT t.sort, vigie_word(t.sort, t.kind) AS kind, t.count FROM inner_.tally t;
