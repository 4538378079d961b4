//! Dumps as each tool writes them, with dirt.

use model::{ExhibitId, ProblemKind};

use super::PARSER;
use crate::{Chunks, Collect, Coverage, Input};

/// Parses text, reading `step` bytes at a time.
pub(super) fn parse_by(bytes: &[u8], step: usize) -> (Collect, Coverage) {
    let mut out = Collect::default();
    let mut source = bytes;
    let mut chunks = Chunks::in_steps(&mut source, step);
    let input = Input { exhibit: ExhibitId([7; 32]), name: "dump.sql", mapping: None };
    let mut coverage = (PARSER.parse)(&input, &mut chunks, &mut out);
    coverage.lose(out.lost);
    (out, coverage)
}

/// Parses text and checks that every byte is accounted for.
pub(super) fn parse(text: &str) -> Collect {
    let (out, coverage) = parse_by(text.as_bytes(), usize::MAX);
    assert_eq!(coverage.total(), text.len() as u64, "{coverage:?}");
    out
}

fn rows(out: &Collect, name: &str) -> Vec<String> {
    let number =
        out.tables.iter().position(|t| t.name == name).unwrap_or_else(|| panic!("no table {name}"));
    out.table_rows(u32::try_from(number).unwrap())
        .iter()
        .map(|row| row.iter().map(|v| v.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join("|"))
        .collect()
}

fn kinds(out: &Collect) -> Vec<ProblemKind> {
    out.problems.iter().map(|p| p.kind).collect()
}

#[test]
fn mysqldump_with_extended_inserts() {
    let text = "-- MySQL dump 10.13  Distrib 5.7.40, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop\n\
        -- ------------------------------------------------------\n/*!40101 SET NAMES utf8 */;\n\
        DROP TABLE IF EXISTS `t`;\n/*!40101 SET @saved_cs_client     = @@character_set_client */;\n\
        CREATE TABLE `t` (\n  `id` int(11) NOT NULL AUTO_INCREMENT,\n  `s` varchar(20) DEFAULT NULL,\n  `f` float DEFAULT '0',\n\
        `b` blob,\n  `bit` bit(4) DEFAULT b'0',\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8;\n\
        LOCK TABLES `t` WRITE;\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\n\
        INSERT INTO `t` VALUES (1,'a;b),(\\'c\\'',1.5,_binary 'x\\0y',b'101'),(2,NULL,-2e3,0x00ff,b'0'),(3,'',NULL,'',NULL);\n\
        /*!40000 ALTER TABLE `t` ENABLE KEYS */;\nUNLOCK TABLES;\nDELIMITER ;;\n\
        /*!50003 CREATE*/ /*!50003 TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a=1; SET @b='(;;'; END */;;\n\
        DELIMITER ;\n\n-- Dump completed on 2022-11-14 10:00:00\n";
    let out = parse(text);
    assert_eq!(out.problems, []);
    assert_eq!(out.tables[0].db, "shop");
    assert_eq!(
        rows(&out, "t"),
        ["1|a;b),('c'|1.5|780079|5", "2|NULL|-2000|00ff|0", "3||NULL||NULL"]
    );
    let batch = &out.batches[0];
    let spans: Vec<&str> = batch
        .starts
        .iter()
        .zip(&batch.ends)
        .map(|(a, b)| &text[usize::try_from(*a).unwrap()..usize::try_from(*b).unwrap()])
        .collect();
    assert_eq!(spans[2], "(3,'',NULL,'',NULL)");
    assert!(out.facts.is_empty());
}

#[test]
fn other_tools_shapes() {
    let maria = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19-11.8.6-MariaDB, for debian-linux-gnu (x86_64)\n--\n\
        -- Host: localhost    Database: xc_vm\n/*M!100616 SET @OLD_NOTE_VERBOSITY=@@NOTE_VERBOSITY, NOTE_VERBOSITY=0 */;\n\
        CREATE TABLE `t` (`a` int(11) DEFAULT 0, `b` text DEFAULT NULL);\nINSERT INTO `t` VALUES\n(1,'x'),\n(2,'y\\nz');\n\
        -- Dump completed on 2025-03-02  1:02:03\n";
    let out = parse(maria);
    assert_eq!((out.problems.len(), out.tables[0].db.as_str()), (0, "xc_vm"));
    assert_eq!(rows(&out, "t"), ["1|x", "2|y\nz"]);

    let php = "\u{feff}-- phpMyAdmin SQL Dump\n-- version 5.2.1\n-- Servidor: localhost\n-- Tiempo de generación: 14-11-2022 a las 10:05:06\n\
        SET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";\nSTART TRANSACTION;\nSET time_zone = \"+00:00\";\n\
        --\n-- Base de datos: `panel`\n--\nCREATE TABLE `t` (\n  `a` int(11) NOT NULL,\n  `b` mediumtext NOT NULL\n) ENGINE=InnoDB;\n\
        INSERT INTO `t` (`b`, `a`) VALUES\n('uno', 1),\n('dos', 2);\nINSERT IGNORE INTO `t` (`a`) VALUES\n(3);\n\
        ALTER TABLE `t`\n  ADD PRIMARY KEY (`a`);\nCOMMIT;\n";
    let out = parse(php);
    assert_eq!((out.problems.len(), out.tables[0].db.as_str()), (0, "panel"));
    assert_eq!(rows(&out, "t"), ["1|uno", "2|dos", "3|NULL"]);

    let heidi = "-- --------------------------------------------------------\r\n-- Host:                         127.0.0.1\r\n\
        -- HeidiSQL Version:             12.6.0.6765\r\n/*!50503 SET NAMES utf8mb4 */;\r\n\
        CREATE DATABASE IF NOT EXISTS `h` /*!40100 DEFAULT CHARACTER SET utf8 */;\r\nUSE `h`;\r\n\
        CREATE TABLE IF NOT EXISTS `t` (\r\n  `a` int(11) NOT NULL,\r\n  `d` blob\r\n) ENGINE=InnoDB;\r\n\
        -- Dumping data for table h.t: ~2 rows (approximately)\r\nINSERT INTO `t` (`a`, `d`) VALUES\r\n\t(1, _binary 0x4142),\r\n\t(2, NULL);\r\n\
        /*!40103 SET TIME_ZONE=IFNULL(@OLD_TIME_ZONE, 'system') */;\r\n";
    let out = parse(heidi);
    assert_eq!((out.problems.len(), out.tables[0].db.as_str()), (0, "h"));
    assert_eq!(rows(&out, "t"), ["1|4142", "2|NULL"]);

    let adminer = "-- Adminer 4.8.1 MySQL 5.5.5-10.6.5-MariaDB dump\n\nSET NAMES utf8;\nSET foreign_key_checks = 0;\n\nSET NAMES utf8mb4;\n\n\
        DROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (\n  `a` bit(3) NOT NULL,\n  `b` varbinary(9) NOT NULL\n);\n\
        INSERT INTO `t` (`a`, `b`) VALUES\n(CONV('1', 2, 10) + 0,\tUNHEX('4142')),\n(1,\t'')\n\
        ON DUPLICATE KEY UPDATE `a` = VALUES(`a`), `b` = VALUES(`b`);\n-- 2024-05-01 10:11:12\n";
    let out = parse(adminer);
    assert_eq!(out.problems, []);
    assert_eq!(rows(&out, "t"), ["1|4142", "1|"]);

    let sequel = "# ************************************************************\n# Sequel Pro SQL dump\n# Version 4541\n#\n\
        # Host: 127.0.0.1 (MySQL 5.7.20)\n# Database: panel\n# Generation Time: 2019-08-27 12:12:12 +0000\n\
        LOCK TABLES `t` WRITE;\n/*!40000 ALTER TABLE `t` DISABLE KEYS */;\nINSERT INTO `t` (`a`, `b`)\nVALUES\n\t(1,'x'),\n\t(2,X'41');\nUNLOCK TABLES;\n";
    let out = parse(sequel);
    assert_eq!((out.problems.len(), out.tables[0].db.as_str()), (0, "panel"));
    assert_eq!(rows(&out, "t"), ["1|x", "2|A"]);
}

#[test]
fn encodings() {
    let mut text = b"SET NAMES latin1;\nINSERT INTO t VALUES ('caf\xe9 \x80','a\\'\xe8');\nSET NAMES utf8;\nINSERT INTO t VALUES ('caf\xe9',_latin1'\xe9');\n".to_vec();
    text.extend_from_slice("INSERT INTO t VALUES ('é',N'ü');".as_bytes());
    let (out, _) = parse_by(&text, usize::MAX);
    assert_eq!(rows(&out, "t"), ["café €|a'è", "caf\u{fffd}|é", "é|ü"]);
    assert_eq!(kinds(&out), [ProblemKind::Encoding]);
    let p = &out.problems[0];
    let (a, b) = (usize::try_from(p.start).unwrap(), usize::try_from(p.end).unwrap());
    assert_eq!((&text[a..b], p.lost), (&b"caf\xe9"[..], false));
    let out = parse("SET NAMES gbk;INSERT INTO t VALUES ('x');");
    assert_eq!(kinds(&out), [ProblemKind::Unsupported]);
}

#[test]
fn quotes_without_backslashes() {
    let out = parse(
        "SET SQL_MODE='NO_BACKSLASH_ESCAPES,ANSI_QUOTES';CREATE TABLE \"t\" (\"a\" text, \"b\" text);\n\
         INSERT INTO \"t\" VALUES ('C:\\','it''s'),('x\\','y');",
    );
    assert_eq!(rows(&out, "t"), ["C:\\|it's", "x\\|y"]);
    assert_eq!(out.problems, []);
}

#[test]
fn what_is_wrong_costs_its_own_row() {
    let out = parse(
        "CREATE TABLE t (a int, b varchar(9));\nINSERT INTO t VALUES (1,'x'),(2),(3,'y',4),('4a','z'),(5,'v'),(99999999999999999999,''),\
         (6,now()),(7,a+1),(8,'w');",
    );
    assert_eq!(rows(&out, "t"), ["1|x", "NULL|z", "5|v", "NULL|", "6|now()", "7|a+1", "8|w"]);
    use ProblemKind::{Syntax, Type, Unsupported};
    assert_eq!(kinds(&out), [Syntax, Syntax, Type, Type, Unsupported]);
    assert!(out.problems[0].lost && !out.problems[2].lost);
}

#[test]
fn damage_is_passed() {
    for (sql, want) in [
        (
            "INSERT INTO t VALUES (1,'a'),(2,'bX),(3,'c'),(4,'d'),(5,'e');\n",
            vec!["1|a", "4|d", "5|e"],
        ),
        ("INSERT INTO t VALUES (1,'a'),(2,'b',(3,'c'),(4,'d');\n", vec!["1|a", "3|c", "4|d"]),
        ("INSERT INTO t VALUES (1,'a'),2,'b'),(3,'c'),(4,'d');\n", vec!["1|a", "3|c", "4|d"]),
        (
            "INSERT INTO t (a,b) VALUES (1,'a'),(2,'b),(3,'c');\nINSERT INTO t (a,b) VALUES (4,'d');\n",
            vec!["1|a", "4|d"],
        ),
    ] {
        let text = format!("CREATE TABLE t (a int, b text);\n{sql}INSERT INTO t VALUES (9,'z');\n");
        let out = parse(&text);
        let mut want = want;
        want.push("9|z");
        assert_eq!(rows(&out, "t"), want, "{sql}\n{:?}", out.problems);
        assert!(kinds(&out).contains(&ProblemKind::Syntax));
    }
}

#[test]
fn a_cut_dump_keeps_its_whole_rows() {
    let text = "-- MySQL dump 10.13\nCREATE TABLE t (a int, b text);\nINSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c";
    let out = parse(text);
    assert_eq!(rows(&out, "t"), ["1|a", "2|b"]);
    let cut = &out.problems[0];
    assert_eq!(
        (cut.kind, &text[usize::try_from(cut.start).unwrap()..], cut.lost),
        (ProblemKind::Truncated, ",(3,'c", true)
    );
    assert_eq!(kinds(&out), [ProblemKind::Truncated, ProblemKind::Truncated]);
    for tail in [
        "CREATE TABLE x (a in",
        "INSERT INTO t VALUES (1,'a')",
        "INSERT INTO",
        "/* comment",
        "SET NAMES",
    ] {
        let out = parse(&format!("CREATE TABLE t (a int, b text);\n{tail}"));
        assert_eq!(kinds(&out), [ProblemKind::Truncated], "{tail}");
    }
}

#[test]
fn a_tuple_beyond_the_bound_is_skipped() {
    let long = "x".repeat(65 << 20);
    let text = format!(
        "INSERT INTO t VALUES (1,'a'),(2,'{long}'),(3,'c');\nINSERT INTO t VALUES (4,'d');"
    );
    let out = parse(&text);
    assert_eq!(rows(&out, "t"), ["1|a", "3|c", "4|d"]);
    assert_eq!(kinds(&out), [ProblemKind::Bound]);
}

#[test]
fn a_large_value_leaves_its_row() {
    let long = "x".repeat(40 << 20);
    let text = format!("INSERT INTO t VALUES (1,'a'),(2,'{long}'),(3,'c');");
    let out = parse(&text);
    assert_eq!(rows(&out, "t"), ["1|a", "2|NULL", "3|c"]);
    assert_eq!(kinds(&out), [ProblemKind::Bound]);
}
