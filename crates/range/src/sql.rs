//! Dumps in the shapes of five tools.

use std::io::Write;

use crate::Error;
use crate::calendar;
use crate::schema::{Column, Index, IndexKind, Table};

/// Which tool's shape a dump has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// `mysqldump` of MySQL 5.7.
    MySqlDump,
    /// `mariadb-dump` of 10.11; `true` with the sandbox line of newer releases.
    MariaDbDump(bool),
    /// phpMyAdmin 5: keys after the rows.
    PhpMyAdmin,
    /// Adminer 4: a tab after each comma between values.
    Adminer,
    /// HeidiSQL 12, CRLF.
    HeidiSql,
}

impl Tool {
    /// What stands between two values of a row.
    pub(crate) fn separator(self) -> &'static str {
        match self {
            Self::MySqlDump | Self::MariaDbDump(_) => ",",
            Self::PhpMyAdmin | Self::HeidiSql => ", ",
            Self::Adminer => ",\t",
        }
    }

    /// Bytes of one INSERT before the next begins.
    fn insert_size(self) -> usize {
        match self {
            Self::PhpMyAdmin => 50_000,
            _ => 1_000_000,
        }
    }

    fn with_columns(self) -> bool {
        !matches!(self, Self::MySqlDump | Self::MariaDbDump(_))
    }
}

/// A dump being written.
pub(crate) struct Dump<'w> {
    out: &'w mut dyn Write,
    tool: Tool,
    db: String,
    /// The character set that the header names: `utf8` or `latin1`.
    charset: &'static str,
    prefix: String,
    dumped_at: i64,
    /// phpMyAdmin's statements for the end.
    after: String,
    text: Vec<u8>,
    in_insert: usize,
    table: String,
    any: bool,
    /// Each row waits for the next: the last of a table that is cut stays unwritten.
    pub(crate) holding: bool,
    held: Vec<u8>,
}

fn quoted(columns: &str) -> String {
    columns.split(',').map(|c| format!("`{c}`")).collect::<Vec<_>>().join(",")
}

impl<'w> Dump<'w> {
    pub(crate) fn new(
        out: &'w mut dyn Write,
        tool: Tool,
        db: &str,
        charset: &'static str,
        prefix: &str,
        dumped_at: i64,
    ) -> Self {
        Self {
            out,
            tool,
            db: db.to_owned(),
            charset,
            prefix: prefix.to_owned(),
            dumped_at,
            after: String::new(),
            text: Vec::new(),
            in_insert: 0,
            table: String::new(),
            any: false,
            holding: false,
            held: Vec::new(),
        }
    }

    /// Its tool.
    pub(crate) fn tool(&self) -> Tool {
        self.tool
    }

    fn say(&mut self, text: &str) -> Result<(), Error> {
        if self.tool == Tool::HeidiSql {
            self.text.extend_from_slice(text.replace('\n', "\r\n").as_bytes());
        } else {
            self.text.extend_from_slice(text.as_bytes());
        }
        self.spill(0)
    }

    fn spill(&mut self, above: usize) -> Result<(), Error> {
        if self.text.len() > above {
            self.out.write_all(&self.text).map_err(Error::from_io)?;
            self.text.clear();
        }
        Ok(())
    }

    /// Everything before the first table.
    pub(crate) fn header(&mut self) -> Result<(), Error> {
        let db = self.db.clone();
        let charset = self.charset;
        match self.tool {
            Tool::MySqlDump => self.say(&format!(
                "-- MySQL dump 10.13  Distrib 5.7.40, for Linux (x86_64)\n--\n-- Host: localhost    Database: {db}\n-- ------------------------------------------------------\n-- Server version\t5.7.40-0ubuntu0.18.04.1\n\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;\n/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;\n/*!40101 SET NAMES {charset} */;\n{SETTINGS}\n"
            )),
            Tool::MariaDbDump(sandbox) => {
                if sandbox {
                    self.say("/*M!999999\\- enable the sandbox mode */ \n")?;
                }
                let version = if sandbox { "10.11.11" } else { "10.11.6" };
                self.say(&format!(
                    "-- MariaDB dump 10.19  Distrib {version}-MariaDB, for debian-linux-gnu (x86_64)\n--\n-- Host: localhost    Database: {db}\n-- ------------------------------------------------------\n-- Server version\t{version}-MariaDB-0+deb12u1\n\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;\n/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;\n/*!40101 SET NAMES utf8mb4 */;\n{SETTINGS}\n"
                ))
            }
            Tool::PhpMyAdmin => self.say(&format!(
                "-- phpMyAdmin SQL Dump\n-- version 5.2.1\n-- https://www.phpmyadmin.net/\n--\n-- Host: localhost:7999\n-- Generation Time: {}\n-- Server version: 10.5.21-MariaDB\n-- PHP Version: 7.4.33\n\nSET SQL_MODE = \"NO_AUTO_VALUE_ON_ZERO\";\nSTART TRANSACTION;\nSET time_zone = \"+00:00\";\n\n\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;\n/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;\n/*!40101 SET NAMES utf8mb4 */;\n\n--\n-- Database: `{db}`\n--\n\n",
                calendar::php(self.dumped_at)
            )),
            Tool::Adminer => self.say(
                "-- Adminer 4.8.1 MySQL 5.5.5-10.6.5-MariaDB dump\n\nSET NAMES utf8;\nSET time_zone = '+00:00';\nSET foreign_key_checks = 0;\nSET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\n\nSET NAMES utf8mb4;\n\n",
            ),
            Tool::HeidiSql => self.say(&format!(
                "-- --------------------------------------------------------\n-- Host:                         127.0.0.1\n-- Server version:               10.6.12-MariaDB - mariadb.org binary distribution\n-- Server OS:                    debian-linux-gnu\n-- HeidiSQL Version:             12.6.0.6765\n-- --------------------------------------------------------\n\n/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40101 SET NAMES utf8 */;\n/*!50503 SET NAMES utf8mb4 */;\n/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n/*!40103 SET TIME_ZONE='+00:00' */;\n/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;\n/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;\n\n\n-- Dumping database structure for {db}\nCREATE DATABASE IF NOT EXISTS `{db}` /*!40100 DEFAULT CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci */;\nUSE `{db}`;\n\n"
            )),
        }
    }

    fn column(&self, column: &Column, auto: bool) -> String {
        let maria = matches!(self.tool, Tool::MariaDbDump(_));
        let mut text = format!("`{}` {}", column.name, column.ty);
        if column.binary_collation {
            text.push_str(" CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        }
        let stamp = column.ty.starts_with("timestamp");
        if column.not_null {
            text.push_str(" NOT NULL");
        } else if stamp {
            text.push_str(" NULL");
        }
        let now = if maria { "current_timestamp()" } else { "CURRENT_TIMESTAMP" };
        match &column.default {
            Some(value) if value == "NOW" => text.push_str(&format!(" DEFAULT {now}")),
            Some(value) if maria && column.numeric() => text.push_str(&format!(" DEFAULT {value}")),
            Some(value) => text.push_str(&format!(" DEFAULT '{value}'")),
            None if !column.not_null && (maria || !column.ty.ends_with("text")) => {
                text.push_str(" DEFAULT NULL");
            }
            None => {}
        }
        if column.on_update {
            text.push_str(&format!(" ON UPDATE {now}"));
        }
        if column.auto && auto {
            text.push_str(" AUTO_INCREMENT");
        }
        text
    }

    fn key(key: &Index, gap: &str) -> String {
        let columns = quoted(&key.columns);
        match key.kind {
            IndexKind::Primary => format!("PRIMARY KEY {gap}({columns})"),
            IndexKind::Plain => format!("KEY `{}` ({columns})", key.name),
            IndexKind::Unique => format!("UNIQUE KEY `{}` ({columns})", key.name),
            IndexKind::FullText => format!("FULLTEXT KEY `{}` ({columns})", key.name),
        }
    }

    /// The structure of a table; rows may follow. `next` is the next automatic number.
    pub(crate) fn table(&mut self, table: &Table, next: u64) -> Result<(), Error> {
        let name = format!("{}{}", self.prefix, table.name);
        self.table = name.clone();
        let inline = self.tool != Tool::PhpMyAdmin;
        let mut parts: Vec<String> =
            table.columns.iter().map(|c| format!("  {}", self.column(c, inline))).collect();
        if inline {
            parts.extend(table.keys.iter().map(|k| format!("  {}", Self::key(k, ""))));
        }
        let body = parts.join(",\n");
        let collate = if table.charset == "utf8" && table.engine == "InnoDB" {
            " COLLATE=utf8_unicode_ci"
        } else {
            ""
        };
        let auto = table.columns.iter().any(|c| c.auto);
        let auto_option =
            if auto && inline { format!(" AUTO_INCREMENT={next}") } else { String::new() };
        let options = format!(
            "ENGINE={}{auto_option} DEFAULT CHARSET={}{collate}",
            table.engine, table.charset
        );
        match self.tool {
            Tool::MySqlDump | Tool::MariaDbDump(_) => self.say(&format!(
                "--\n-- Table structure for table `{name}`\n--\n\nDROP TABLE IF EXISTS `{name}`;\n/*!40101 SET @saved_cs_client     = @@character_set_client */;\n/*!40101 SET character_set_client = utf8 */;\nCREATE TABLE `{name}` (\n{body}\n) {options};\n/*!40101 SET character_set_client = @saved_cs_client */;\n\n--\n-- Dumping data for table `{name}`\n--\n\nLOCK TABLES `{name}` WRITE;\n/*!40000 ALTER TABLE `{name}` DISABLE KEYS */;\n"
            ))?,
            Tool::PhpMyAdmin => {
                self.say(&format!(
                    "-- --------------------------------------------------------\n\n--\n-- Table structure for table `{name}`\n--\n\nCREATE TABLE `{name}` (\n{body}\n) {options};\n\n"
                ))?;
                if !table.keys.is_empty() {
                    let keys: Vec<String> =
                        table.keys.iter().map(|k| format!("  ADD {}", Self::key(k, ""))).collect();
                    self.after.push_str(&format!(
                        "--\n-- Indexes for table `{name}`\n--\nALTER TABLE `{name}`\n{};\n\n",
                        keys.join(",\n")
                    ));
                }
                if let Some(column) = table.columns.iter().find(|c| c.auto) {
                    let text = self.column(column, true);
                    self.after.push_str(&format!(
                        "--\n-- AUTO_INCREMENT for table `{name}`\n--\nALTER TABLE `{name}`\n  MODIFY {text}, AUTO_INCREMENT={next};\n\n"
                    ));
                }
            }
            Tool::Adminer => self.say(&format!(
                "DROP TABLE IF EXISTS `{name}`;\nCREATE TABLE `{name}` (\n{body}\n) {options};\n\n"
            ))?,
            Tool::HeidiSql => self.say(&format!(
                "-- Dumping structure for table {}.{name}\nCREATE TABLE IF NOT EXISTS `{name}` (\n{body}\n) {options};\n\n-- Dumping data for table {}.{name}: ~{} rows (approximately)\n",
                self.db, self.db, next.saturating_sub(1)
            ))?,
        }
        self.in_insert = 0;
        self.any = false;
        Ok(())
    }

    /// One row, its values joined by the tool's separator.
    pub(crate) fn row(&mut self, table: &Table, values: &[u8]) -> Result<(), Error> {
        if self.holding {
            let before = std::mem::replace(&mut self.held, values.to_vec());
            return if before.is_empty() { Ok(()) } else { self.put_row(table, &before) };
        }
        self.put_row(table, values)
    }

    fn put_row(&mut self, table: &Table, values: &[u8]) -> Result<(), Error> {
        let end: &[u8] = if self.tool == Tool::HeidiSql { b"\r\n" } else { b"\n" };
        if self.in_insert == 0 {
            if !self.any && self.tool == Tool::PhpMyAdmin {
                let line = format!("--\n-- Dumping data for table `{}`\n--\n\n", self.table);
                self.text.extend_from_slice(line.as_bytes());
            }
            let mut head = format!("INSERT INTO `{}`", self.table);
            if self.tool.with_columns() {
                let list: Vec<String> =
                    table.columns.iter().map(|c| format!("`{}`", c.name)).collect();
                head.push_str(&format!(" ({})", list.join(", ")));
            }
            head.push_str(" VALUES");
            self.text.extend_from_slice(head.as_bytes());
            match self.tool {
                Tool::MySqlDump | Tool::MariaDbDump(_) => self.text.push(b' '),
                _ => self.text.extend_from_slice(end),
            }
        } else {
            self.text.push(b',');
            if self.tool.with_columns() {
                self.text.extend_from_slice(end);
            }
        }
        if self.tool == Tool::HeidiSql {
            self.text.push(b'\t');
        }
        self.text.push(b'(');
        self.text.extend_from_slice(values);
        self.text.push(b')');
        self.any = true;
        self.in_insert += values.len() + 3;
        if self.in_insert >= self.tool.insert_size() {
            self.text.push(b';');
            self.text.extend_from_slice(end);
            self.in_insert = 0;
        }
        self.spill(1 << 16)
    }

    /// The last bytes of a dump that was cut in the middle of the row held back.
    pub(crate) fn torn(&mut self) -> Result<(), Error> {
        let row = std::mem::take(&mut self.held);
        let part = &row[..row.len() * 2 / 3];
        if self.in_insert > 0 {
            self.text.extend_from_slice(b",(");
        } else {
            let line = format!("INSERT INTO `{}` VALUES (", self.table);
            self.text.extend_from_slice(line.as_bytes());
        }
        self.text.extend_from_slice(part);
        self.spill(0)
    }

    /// The end of a table's rows.
    pub(crate) fn end_table(&mut self) -> Result<(), Error> {
        if self.in_insert > 0 {
            self.say(";\n")?;
            self.in_insert = 0;
        }
        let name = self.table.clone();
        match self.tool {
            Tool::MySqlDump | Tool::MariaDbDump(_) => self
                .say(&format!("/*!40000 ALTER TABLE `{name}` ENABLE KEYS */;\nUNLOCK TABLES;\n\n")),
            Tool::HeidiSql | Tool::PhpMyAdmin | Tool::Adminer => self.say("\n"),
        }
    }

    /// Everything after the last table.
    pub(crate) fn footer(&mut self) -> Result<(), Error> {
        let date = calendar::sql(self.dumped_at);
        match self.tool {
            Tool::MySqlDump | Tool::MariaDbDump(_) => self.say(&format!(
                "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;\n/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;\n/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;\n/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;\n/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;\n\n-- Dump completed on {}\n",
                // mysqldump pads the hour with a blank.
                date.replacen(" 0", "  ", 1)
            )),
            Tool::PhpMyAdmin => {
                let after = std::mem::take(&mut self.after);
                self.say(&format!(
                    "--\n-- Indexes for dumped tables\n--\n\n{after}COMMIT;\n\n/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;\n/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;\n"
                ))
            }
            Tool::Adminer => self.say(&format!("-- {date}\n")),
            Tool::HeidiSql => self.say(
                "/*!40103 SET TIME_ZONE=IFNULL(@OLD_TIME_ZONE, 'system') */;\n/*!40101 SET SQL_MODE=IFNULL(@OLD_SQL_MODE, '') */;\n/*!40014 SET FOREIGN_KEY_CHECKS=IFNULL(@OLD_FOREIGN_KEY_CHECKS, 1) */;\n/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\n/*!40111 SET SQL_NOTES=IFNULL(@OLD_SQL_NOTES, 1) */;\n",
            ),
        }
    }
}

/// Of mysqldump and mariadb-dump.
const SETTINGS: &str = "/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;\n/*!40103 SET TIME_ZONE='+00:00' */;\n/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;\n/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;\n/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;\n";
