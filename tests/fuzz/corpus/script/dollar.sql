DO $x$ BEGIN PERFORM 1; END $x$;
COPY t FROM STDIN;
1	2
\.
SELECT E'\';' /* a /* b */ c */;
PREPARE TRANSACTION 'x';