//! The check over the lists of the field.

mod acceptance;
