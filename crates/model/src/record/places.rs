//! Numbers of records, and fields of records, as an order of erasure names them: in the clear, and
//! short however many there are.

use std::ops::Range;

use super::FieldType;
use crate::canonical::Canon;

/// Ranges of numbers, in order and apart: `5`, `9-12` (both ends are meant). None is the field left
/// out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(pub Vec<Range<u64>>);

impl Places {
    /// Of single numbers, in any order.
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut numbers: Vec<u64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut out: Vec<Range<u64>> = Vec::new();
        for n in numbers {
            match out.last_mut() {
                Some(last) if last.end == n => last.end = n + 1,
                _ => out.push(n..n + 1),
            }
        }
        Self(out)
    }

    /// True where the number is in one of them.
    pub fn contains(&self, n: u64) -> bool {
        let at = self.0.partition_point(|range| range.end <= n);
        self.0.get(at).is_some_and(|range| range.start <= n)
    }

    /// How many numbers.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As numbers of records in a sentence: `record 105`, `records 105-107, 110`.
    pub fn of_records(&self) -> String {
        format!("{} {self}", if self.count() == 1 { "record" } else { "records" })
    }
}

impl std::fmt::Display for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts: Vec<String> = self.0.iter().map(text).collect();
        f.write_str(&texts.join(", "))
    }
}

fn text(range: &Range<u64>) -> String {
    match range.end.saturating_sub(range.start) {
        0 | 1 => range.start.to_string(),
        _ => format!("{}-{}", range.start, range.end - 1),
    }
}

/// Reads a range in its one writing.
fn range(written: &str) -> Option<Range<u64>> {
    let (first, last) = written.split_once('-').unwrap_or((written, written));
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let range = first..last.checked_add(1)?;
    (first <= last && text(&range) == written).then_some(range)
}

fn list<T>(value: &Canon, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let Canon::List(items) = value else { return None };
    let items: Option<Vec<T>> = items.iter().map(|item| read(item.as_text()?)).collect();
    items.filter(|items| !items.is_empty())
}

impl FieldType for Places {
    const OPTIONAL: bool = true;
    fn to_canon(&self) -> Option<Canon> {
        let items = self.0.iter().map(|range| Canon::text(text(range))).collect();
        (!self.0.is_empty()).then_some(Canon::List(items))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        let ranges = list(value, range)?;
        ranges.windows(2).all(|two| two[0].end < two[1].start).then_some(Self(ranges))
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// Fields of records: `17/exhibit`, `20-45/container`. None is the field left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldPlaces(pub Vec<(Range<u64>, String)>);

impl FieldPlaces {
    /// Of single fields, in the order of their names and records.
    pub fn of(fields: impl IntoIterator<Item = (u64, String)>) -> Self {
        let mut fields: Vec<(String, u64)> = fields.into_iter().map(|(n, f)| (f, n)).collect();
        fields.sort_unstable();
        fields.dedup();
        let mut out: Vec<(Range<u64>, String)> = Vec::new();
        for (field, n) in fields {
            match out.last_mut() {
                Some((range, name)) if *name == field && range.end == n => range.end = n + 1,
                _ => out.push((n..n + 1, field)),
            }
        }
        Self(out)
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many fields.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(range, _)| range.end - range.start).sum()
    }
}

impl FieldType for FieldPlaces {
    const OPTIONAL: bool = true;
    fn to_canon(&self) -> Option<Canon> {
        let item =
            |(range, field): &(Range<u64>, String)| Canon::text(format!("{}/{field}", text(range)));
        (!self.0.is_empty()).then(|| Canon::List(self.0.iter().map(item).collect()))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        let one = |written: &str| {
            let (place, field) = written.split_once('/')?;
            (!field.is_empty() && !field.contains('/')).then_some((range(place)?, field.to_owned()))
        };
        list(value, one).map(Self)
    }
    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_has_one_writing() {
        for bad in ["", "-", "5-5", "6-5", "05", "5-", "-5", "5-06", "+5", "18446744073709551615"] {
            assert_eq!(range(bad), None, "{bad}");
        }
        assert_eq!(range("5"), Some(5..6));
        assert_eq!(range("5-9"), Some(5..10));
        let canon = |texts: &[&str]| Canon::List(texts.iter().map(|t| Canon::text(*t)).collect());
        assert_eq!(Places::from_canon(&canon(&["5", "6"])), None, "they touch");
        assert_eq!(Places::from_canon(&canon(&[])), None);
        assert_eq!(FieldPlaces::from_canon(&canon(&["5/"])), None);
        assert_eq!(FieldPlaces::from_canon(&canon(&["5/a/b"])), None);
    }

    proptest! {
        #[test]
        fn numbers_and_fields_read_back(
            numbers in prop::collection::vec(0u64..60, 0..40), at in 0u64..60,
        ) {
            let places = Places::of(numbers.clone());
            prop_assert_eq!(places.contains(at), numbers.contains(&at));
            if let Some(canon) = places.to_canon() {
                prop_assert_eq!(Places::from_canon(&canon), Some(places));
            }
            let fields = FieldPlaces::of(numbers.iter().map(|n| (*n, format!("f{}", n % 3))));
            let distinct: std::collections::BTreeSet<_> = numbers.iter().collect();
            prop_assert_eq!(fields.count(), distinct.len() as u64);
            if let Some(canon) = fields.to_canon() {
                prop_assert_eq!(FieldPlaces::from_canon(&canon), Some(fields));
            }
        }
    }
}
