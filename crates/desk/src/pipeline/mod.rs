//! From sealed bytes to facts and tables: parsers run in parallel, their results are merged in
//! their own order, and what waits is bounded.
//!
//! A run lives on one thread, its deferred work on the pool. Facts and problems go to a work file,
//! rows to Parquet and index files without a name; [`run::Finished`] carries them to whoever
//! commits: first the record in the log, then the files' names, then the views, at once.

pub(crate) mod pool;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod spill;
pub(crate) mod table;
