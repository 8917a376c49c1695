-- What v1-mariadb.snapshot has: texts in two character sets, labels, dates, bits, zeros before digits.
CREATE TABLE golden_parent (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE);
INSERT INTO golden_parent VALUES (-5, 'minus five'), (9000000000, 'large');
CREATE TABLE golden_child (k VARCHAR(5) CHARACTER SET latin1, n INT DEFAULT 3 CHECK (n > 0), of BIGINT,
    twice INT GENERATED ALWAYS AS (n * 2) STORED, PRIMARY KEY (k, n),
    CONSTRAINT golden_of FOREIGN KEY (of) REFERENCES golden_parent (id) ON DELETE CASCADE);
INSERT INTO golden_child (k, n, of) VALUES (_latin1 0xE9, 1, -5), ('a', 2, NULL);
CREATE TABLE golden_odd (c CHAR(5), b BINARY(4), bi BIT(10), d DECIMAL(10, 2), f FLOAT, db DOUBLE,
    dt DATETIME(3), ti TIMESTAMP NULL, e ENUM ('a', 'b'), s SET ('x', 'y', 'z'), j JSON,
    z INT(5) ZEROFILL, t TIME(2), y YEAR, g POINT);
INSERT INTO golden_odd VALUES ('ab ', 'ab', 5, 1.00, 0.1, 1e308, '2026-01-02 03:04:05.678',
    '2026-01-02 03:04:05', 'b', 'x,z', '{"a":1}', 42, '-12:34:56.78', 2026, POINT(1, 2)),
    ('', '', 0, NULL, NULL, 5e-324, NULL, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL);
