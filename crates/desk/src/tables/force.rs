//! Whether a subscriber's line is in force, by the cells of its row: counting asks it, and so does
//! whoever filters for the rows that were counted.

use model::Cell;

/// Whether a switch (`enabled`, `admin_enabled`) lets a line through. A panel's column is 1 unless
/// somebody changed it: absent lets through.
pub(crate) fn allowed(cell: &Cell<'_>) -> bool {
    !matches!(cell, Cell::Int(0) | Cell::Text("0") | Cell::Bytes(b"0")) && *cell != Cell::Real(0.0)
}

/// Whether an end, in seconds since the epoch, lies behind `time`. Panels write 0, or nothing, for
/// what never ends; what is no number ends nothing.
pub(crate) fn unexpired(cell: &Cell<'_>, time: i64) -> bool {
    let end = match cell {
        Cell::Int(n) => Some(*n),
        Cell::Real(n) => return *n == 0.0 || *n > time as f64,
        Cell::Text(t) => t.trim().parse().ok(),
        Cell::Null | Cell::Bytes(_) => None,
    };
    end.is_none_or(|end| end == 0 || end > time)
}
