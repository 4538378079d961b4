//! A heap whose order lies elsewhere: it holds numbers of sources, and sources are compared.

/// Brings all into order: the least on top.
pub(super) fn order<T: Copy>(heap: &mut [T], less: impl Fn(T, T) -> bool) {
    for at in (0..heap.len() / 2).rev() {
        sink(heap, at, &less);
    }
}

/// Lets what stands at `at` sink to where nothing below it is less.
pub(super) fn sink<T: Copy>(heap: &mut [T], mut at: usize, less: impl Fn(T, T) -> bool) {
    loop {
        let mut child = at * 2 + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && less(heap[child + 1], heap[child]) {
            child += 1;
        }
        if !less(heap[child], heap[at]) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_taken_from_the_top_comes_in_order(keys in prop::collection::vec(0u8..20, 0..60)) {
            let less = |a: usize, b: usize| (keys[a], a) < (keys[b], b);
            let mut heap: Vec<usize> = (0..keys.len()).collect();
            order(&mut heap, less);
            let mut taken = Vec::new();
            while !heap.is_empty() {
                taken.push(heap.swap_remove(0));
                sink(&mut heap, 0, less);
            }
            let mut sorted: Vec<usize> = (0..keys.len()).collect();
            sorted.sort_by_key(|i| (keys[*i], *i));
            prop_assert_eq!(taken, sorted);
        }
    }
}
