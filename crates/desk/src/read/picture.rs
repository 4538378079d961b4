//! A part of the network with its layout, kept between the requests of one page: the page counts
//! what it shows, and asks for the picture's data a moment later.

use std::sync::{Arc, OnceLock};

use super::{GraphFilter, GraphSlice, Snapshot};
use crate::Result;

/// Pictures kept. The largest takes some megabytes.
const KEPT: usize = 4;

/// The views' file and their version, the filter, the picture.
type Kept = (((u64, u64), i64), GraphFilter, Arc<Picture>);

/// A part of the network and where its nodes stand.
#[derive(Debug)]
pub struct Picture {
    /// The part.
    pub slice: GraphSlice,
    places: OnceLock<Vec<network::layout::Place>>,
}

impl Picture {
    /// Where each node stands. Laid out once; whoever asks meanwhile waits for the same work.
    pub fn places(&self) -> &[network::layout::Place] {
        self.places.get_or_init(|| {
            let edges: Vec<(u32, u32)> = self.slice.edges.iter().map(|e| (e.from, e.to)).collect();
            network::layout::layout(self.slice.nodes.len(), &edges)
        })
    }

    /// True where nobody has asked for the places yet.
    pub fn is_unplaced(&self) -> bool {
        self.places.get().is_none()
    }
}

/// The pictures kept, the latest last, each with the version of the views it was read from.
#[derive(Debug, Default)]
pub(super) struct Pictures(Vec<Kept>);

impl Snapshot {
    /// A part of the network, to be drawn: the one kept, while the views stay as they are.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn picture(&self, filter: &GraphFilter) -> Result<Arc<Picture>> {
        let version = self.version();
        let fits = |(v, f, _): &&Kept| *v == version && f == filter;
        if let Some((_, _, picture)) = self.pictures().0.iter().find(fits) {
            return Ok(picture.clone());
        }
        let picture = Arc::new(Picture { slice: self.graph(filter)?, places: OnceLock::new() });
        let mut kept = self.pictures();
        kept.0.retain(|(v, f, _)| *v == version && f != filter);
        if kept.0.len() >= KEPT {
            kept.0.remove(0);
        }
        kept.0.push((version, filter.clone(), picture.clone()));
        Ok(picture)
    }
}
