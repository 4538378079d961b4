//! Sums found beside the material.
