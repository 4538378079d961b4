use super::*;

/// A tree of hubs with leaves and some ties across: the shape of these networks.
fn network(n: usize, extra: usize) -> Vec<(u32, u32)> {
    let mut seed = 7u64;
    let mut next = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % bound.max(1)
    };
    let mut edges: Vec<(u32, u32)> =
        (1..n).map(|i| (i as u32, next(i.min(1 + i / 6)) as u32)).collect();
    for _ in 0..extra {
        edges.push((next(n) as u32, next(n) as u32));
    }
    edges
}

fn far(a: Place, b: Place) -> f32 {
    ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt()
}

#[test]
fn every_place_is_finite_and_the_same_again() {
    for (n, edges) in [
        (0, vec![]),
        (1, vec![]),
        (1, vec![(0, 0)]),
        (3, vec![(0, 1), (1, 7)]),
        (50, vec![]),
        (700, (0..700).map(|i| (i, (i + 1) % 700)).collect()),
        (2000, (1..2000).map(|i| (0, i)).collect()),
        (5000, network(5000, 5000)),
    ] {
        let places = layout(n, &edges);
        assert_eq!(places.len(), n);
        assert!(places.iter().all(|(x, y)| x.is_finite() && y.is_finite()), "{n}");
        assert_eq!(places, layout(n, &edges));
    }
}

#[test]
fn what_is_joined_stands_nearer_than_what_is_not() {
    let n = 3000;
    let edges = network(n, 300);
    let places = layout(n, &edges);
    let joined: f32 =
        edges.iter().map(|(a, b)| far(places[*a as usize], places[*b as usize])).sum::<f32>()
            / edges.len() as f32;
    let others: f32 =
        (0..n).map(|i| far(places[i], places[(i * 31 + 17) % n])).sum::<f32>() / n as f32;
    assert!(joined * 4.0 < others, "{joined} {others}");
}

#[test]
fn nodes_do_not_stand_on_one_another() {
    let edges = network(1500, 200);
    let places = layout(1500, &edges);
    let mut close = 0;
    for i in 0..places.len() {
        for j in 0..i {
            close += usize::from(far(places[i], places[j]) < EDGE * 0.05);
        }
    }
    assert!(close < 30, "{close} pairs");
}

#[test]
fn parts_stand_apart() {
    let mut edges: Vec<(u32, u32)> = (1..40).map(|i| (0, i)).collect();
    edges.extend((41..80).map(|i| (40, i)));
    let places = layout(400, &edges);
    let (a, b) = places.split_at(40);
    let nearest =
        a.iter().flat_map(|p| b.iter().map(move |q| far(*p, *q))).fold(f32::MAX, f32::min);
    assert!(nearest >= EDGE, "{nearest}");
}

#[test]
fn what_is_joined_has_most_of_the_picture() {
    for (joined, lone) in [(2, 1), (2, 5000), (3, 40), (40, 7), (500, 300), (3000, 20_000)] {
        let places = layout(joined + lone, &network(joined, joined / 4));
        let span = |places: &[Place]| {
            let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
            for (x, y) in places {
                low = (low.0.min(*x), low.1.min(*y));
                high = (high.0.max(*x), high.1.max(*y));
            }
            (low, high)
        };
        let (all, (low, high)) = (span(&places), span(&places[..joined]));
        let share = (high.0 - low.0) / (all.1.0 - all.0.0);
        assert!(share >= 0.749, "{joined} joined, {lone} alone: {share}");
        let tall = all.1.1 - all.0.1;
        let allowed = (high.1 - low.1).max((high.0 - low.0) / 1.6);
        assert!(tall <= allowed * 1.001, "{joined} joined, {lone} alone: {tall} high");
        // Beside, not among them; and no two in one place.
        assert!(places[joined..].iter().all(|p| p.0 > high.0));
        let mut stood: Vec<_> =
            places[joined..].iter().map(|p| (p.0.to_bits(), p.1.to_bits())).collect();
        stood.sort_unstable();
        stood.dedup();
        assert_eq!(stood.len(), lone);
    }
}
