-- What v1-sqlite.snapshot has: a table without a key, whose images end with row numbers, and others.
CREATE TABLE golden_odd (a, b TEXT COLLATE NOCASE, c REAL, d BLOB);
INSERT INTO golden_odd (rowid, a, b, c, d) VALUES
    (7, 9223372036854775807, 'x', 1.5, x'00ff'), (9, NULL, CAST(x'610062' AS TEXT), 3, 'text'),
    (11, 1e999, '', NULL, x'');
CREATE TABLE golden_parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
INSERT INTO golden_parent VALUES (-5, 'minus five'), (9000000000, 'large');
CREATE TABLE golden_child (k TEXT, n INTEGER DEFAULT 3 CHECK (n > 0), of INTEGER
    REFERENCES golden_parent ON DELETE CASCADE, twice AS (n * 2) STORED, PRIMARY KEY (k, n)) WITHOUT ROWID;
CREATE INDEX golden_of ON golden_child (of) WHERE n > 1;
CREATE TRIGGER golden_t AFTER DELETE ON golden_child BEGIN DELETE FROM golden_odd WHERE a = OLD.n; END;
INSERT INTO golden_child (k, n, of) VALUES ('a', 1, -5), ('a', 2, NULL);
