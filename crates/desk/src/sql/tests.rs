//! Queries over a bulk table beside the same rows in a table of SQLite's own.

use super::*;

#[test]
fn a_query_only_reads() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TEMP TABLE t(a); INSERT INTO t VALUES (1), (2), (3);
             ATTACH ':memory:' AS inner_x_;
             CREATE TABLE inner_x_.below(a); INSERT INTO below VALUES (4);
             CREATE TABLE inner_x_.hidden(a);
             CREATE TEMP VIEW inner_x_v AS SELECT a FROM inner_x_.below;
             CREATE TEMP VIEW v AS SELECT * FROM inner_x_v",
        )
        .unwrap();
    let laid = Laid::new(&connection, "inner_x_".to_owned()).unwrap();
    let mut ask = |sql: &str, rows: u64, ms: u64| {
        let mut out = Vec::new();
        let bounds = Bounds { rows, time: Duration::from_millis(ms), ..Bounds::default() };
        run(&mut connection, sql, laid.clone(), &bounds, &mut |line| {
            if let Line::Row(cells) = line {
                out.push(format!("{:?}", cells[0]));
            }
            true
        })
        .map(|answer| (out, answer))
    };
    let (out, answer) = ask("SELECT a FROM t ORDER BY a DESC", 2, 1000).unwrap();
    assert_eq!(out, ["Int(3)", "Int(2)"]);
    assert!(answer.cut);
    assert_eq!(ask("SELECT a FROM v", 2, 1000).unwrap().0, ["Int(4)"]);
    assert_eq!(ask("SELECT count(*) FROM v", 2, 1000).unwrap().0, ["Int(1)"]);
    for sql in [
        "SELECT a FROM below",
        "SELECT count(a) FROM main.below",
        "SELECT rowid FROM main.below",
        "SELECT count(*) FROM main.below",
        "SELECT count(*) FROM hidden",
        "SELECT 1 FROM main.hidden",
        "SELECT 1 FROM HIDDEN",
        "WITH v AS (SELECT a FROM below) SELECT a FROM v",
        "SELECT name FROM sqlite_temp_schema",
        "SELECT name FROM sqlite_schema",
        "INSERT INTO t VALUES (4)",
        "DELETE FROM t",
        "DROP TABLE t",
        "CREATE TABLE u(a)",
        "ATTACH 'x' AS y",
        "PRAGMA writable_schema = 1",
        "SELECT load_extension('x')",
        "VACUUM",
        "SELECT 1; SELECT 2",
        "SELEKT",
        "",
    ] {
        assert!(
            matches!(ask(sql, 10, 1000), Err(Error::Asked(_))),
            "{sql}: {:?}",
            ask(sql, 10, 1000)
        );
    }
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    assert!(matches!(ask(endless, 10, 50), Err(Error::Bound(_))));
}
