//! MySQL and MariaDB dumps, whatever tool wrote them: mysqldump, mariadb-dump, phpMyAdmin, HeidiSQL,
//! Adminer, Sequel.
//!
//! One pass finds where statements and tuples end ([`scan`]); whole tuples go in pieces of about
//! 1 MiB to jobs that turn them into rows ([`rows`]) on any core. Every table becomes a bulk table;
//! what a panel's tables say becomes facts ([`crate::panel`]).
//!
//! Bounds: a tuple of 64 MiB, a statement other than INSERT of 4 MiB, 65,536 tables, 4,096 columns
//! of one and 1,048,576 of all. Memory: one tuple and one piece here, and what [`crate::panel`] keeps.

mod create;
mod driver;
mod header;
mod insert;
mod inserts;
mod piece;
mod reveal;
mod rows;
mod scan;
mod token;
mod value;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

pub(crate) use piece::{Piece, next_tuple, tuple_end};
pub use reveal::{Revealed, listed_columns, reveal};
pub(crate) use value::{Charset, Field, Form, Mode, as_integer, bytes, decode, field, unescape};

use crate::parser::{Confidence, Parser};

/// The parser of MySQL and MariaDB dumps.
pub const PARSER: Parser = Parser {
    name: "mysql-dump",
    version: 1,
    about: "MySQL and MariaDB dumps: every table, and the facts of IPTV panels",
    sniff,
    parse: driver::parse,
};

fn sniff(head: &[u8], name: &str) -> Confidence {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let top = &head[..head.len().min(4096)];
    let has = |text: &str| memchr::memmem::find(top, text.as_bytes()).is_some();
    if has("PostgreSQL database dump") {
        return Confidence::NO;
    }
    const BANNERS: [&str; 9] = [
        "-- MySQL dump ",
        "-- MariaDB dump ",
        "/*M!999999\\- enable the sandbox mode",
        "-- phpMyAdmin SQL Dump",
        "# phpMyAdmin MySQL-Dump",
        "-- Adminer ",
        "-- HeidiSQL Version:",
        "# Sequel Pro",
        "# Sequel Ace",
    ];
    let at_line = |b: &str| {
        memchr::memmem::find_iter(top, b.as_bytes()).any(|i| i == 0 || top[i - 1] == b'\n')
    };
    if BANNERS.iter().any(|b| at_line(b)) {
        return Confidence(90);
    }
    // The first statement, whatever stands before it.
    let start = value::skip_space(head, 0);
    let mut c = token::Cursor::new(head, Mode::default());
    c.i = start;
    let first = c.word().to_ascii_lowercase();
    let second = c.word().to_ascii_lowercase();
    let sql_name = name.to_ascii_lowercase().ends_with(".sql");
    let data = match (first.as_slice(), second.as_slice()) {
        (b"create", b"table" | b"database" | b"schema")
        | (b"drop", b"table" | b"database" | b"view")
        | (b"insert", b"into" | b"ignore" | b"delayed")
        | (b"replace", b"into")
        | (b"lock" | b"unlock", b"tables")
        | (b"set", b"names" | b"foreign_key_checks" | b"sql_mode" | b"time_zone" | b"autocommit")
        | (b"start", b"transaction") => true,
        (b"set", _) | (b"use", _) | (b"create", _) | (b"delimiter", _) | (b"begin", _) => sql_name,
        _ => false,
    };
    match data {
        true if memchr::memchr(b'`', head).is_some() => Confidence(70),
        true => Confidence(50),
        false if sql_name && memchr::memmem::find(head, b"INSERT INTO ").is_some() => {
            Confidence(40)
        }
        false => Confidence::NO,
    }
}
