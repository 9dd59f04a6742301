PRAGMA journal_mode = DELETE;
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, value REAL, digest TEXT);
CREATE INDEX by_name ON item (name);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150000)
  INSERT INTO item SELECT i, printf('name-%08x', (i * 2654435761) & 4294967295), i * 0.5, hex(i * 7919 || 'mosrun') FROM n;
SELECT count(*), sum(value), min(name), max(name) FROM item;
BEGIN;
UPDATE item SET digest = digest || id WHERE id % 3 = 0;
DELETE FROM item WHERE id % 5 = 0;
COMMIT;
VACUUM;
CREATE TABLE other AS SELECT a.id, b.name FROM item a JOIN item b ON b.id = a.id + 1;
SELECT count(*), sum(length(name)) FROM other;
SELECT substr(name, 1, 7), count(*) FROM item GROUP BY 1 ORDER BY 1;
WITH RECURSIVE f(i, a, b) AS (SELECT 1, 0, 1 UNION ALL SELECT i + 1, b, (a + b) % 1000000007 FROM f WHERE i < 1500000) SELECT max(i), sum(a) FROM f;
UPDATE other SET name = upper(name);
DROP TABLE item;
VACUUM;
PRAGMA integrity_check;
