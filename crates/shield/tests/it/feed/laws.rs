//! Deltas merged in steps are the delta made directly.

use proptest::prelude::*;

use super::driven::merge;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn merged_step_deltas_are_the_direct_delta(bytes in prop::collection::vec(any::<u8>(), 0..240)) {
        merge(&bytes);
    }
}

#[test]
fn random_bytes_make_many_serials() {
    let bytes: Vec<u8> =
        (0..240_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(merge(&bytes) > 20);
}
