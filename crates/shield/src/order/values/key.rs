//! A value as the key of a table: bytes that sort as values do, and say the value whole.
//!
//! A name is `00` and its text. An address is `01`, an endpoint `02`; then `04` or `06`, the address's octets,
//! and of an endpoint the port, u16; of one over IPv6 its flow and scope too, u32 each. Big-endian.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::item::{Item, Name};

/// The longest key, in bytes: that of a name.
pub const MAX_KEY: usize = 256;

const NAME: u8 = 0;
const ADDRESS: u8 = 1;
const ENDPOINT: u8 = 2;

/// The key of a value.
pub fn of(value: &Item) -> Vec<u8> {
    match value {
        Item::Name(name) => [&[NAME], name.as_str().as_bytes()].concat(),
        Item::Address(ip) => [&[ADDRESS][..], &octets(*ip)].concat(),
        Item::Endpoint(endpoint) => {
            let mut key = [&[ENDPOINT][..], &octets(endpoint.ip())].concat();
            key.extend_from_slice(&endpoint.port().to_be_bytes());
            if let SocketAddr::V6(v6) = endpoint {
                key.extend_from_slice(&v6.flowinfo().to_be_bytes());
                key.extend_from_slice(&v6.scope_id().to_be_bytes());
            }
            key
        }
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(v4) => [&[4][..], &v4.octets()].concat(),
        IpAddr::V6(v6) => [&[6][..], &v6.octets()].concat(),
    }
}

/// The value of a key; `None`: it is none's.
pub fn value(key: &[u8]) -> Option<Item> {
    let value = match key.split_first()? {
        (&NAME, name) => Item::Name(Name::parse(std::str::from_utf8(name).ok()?).ok()?),
        (&ADDRESS, [4, octets @ ..]) => {
            Item::Address(<[u8; 4]>::try_from(octets).ok().map(Ipv4Addr::from)?.into())
        }
        (&ADDRESS, [6, octets @ ..]) => {
            Item::Address(<[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from)?.into())
        }
        (&ENDPOINT, [4, rest @ ..]) => {
            let (octets, port) = rest.split_first_chunk::<4>()?;
            let port = u16::from_be_bytes(port.try_into().ok()?);
            Item::Endpoint(SocketAddrV4::new((*octets).into(), port).into())
        }
        (&ENDPOINT, [6, rest @ ..]) => {
            let (octets, rest) = rest.split_first_chunk::<16>()?;
            let (port, rest) = rest.split_first_chunk::<2>()?;
            let (flow, scope) = rest.split_first_chunk::<4>()?;
            let port = u16::from_be_bytes(*port);
            let (flow, scope) = (*flow, u32::from_be_bytes(scope.try_into().ok()?));
            let flow = u32::from_be_bytes(flow);
            Item::Endpoint(SocketAddrV6::new((*octets).into(), port, flow, scope).into())
        }
        _ => return None,
    };
    // One writing: a name in capitals is another's key.
    (of(&value) == key).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item() -> impl Strategy<Value = Item> {
        let name = "[a-c0]{1,3}(-[a-c]{1,2})?(\\.[a-c]{1,3}){1,2}";
        let name = name.prop_filter_map("no name", |text| Item::parse(&text).ok());
        let ip = prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(IpAddr::from)
        ];
        let endpoint = (ip.clone(), 1..3_u16).prop_map(|(ip, port)| SocketAddr::new(ip, port));
        prop_oneof![name, ip.prop_map(Item::Address), endpoint.prop_map(Item::Endpoint)]
    }

    proptest! {
        #[test]
        fn keys_sort_as_values_do_and_say_them_whole(one in item(), other in item()) {
            prop_assert_eq!(of(&one).cmp(&of(&other)), one.cmp(&other));
            prop_assert_eq!(value(&of(&one)), Some(one.clone()));
            prop_assert!(of(&one).len() <= MAX_KEY);
        }

        #[test]
        fn other_bytes_are_no_key(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(value(&bytes).is_none_or(|value| of(&value) == bytes));
        }
    }

    #[test]
    fn a_scope_is_not_lost() {
        let item = Item::parse("[fe80::1%5]:80").unwrap();
        assert_eq!(value(&of(&item)), Some(item));
        assert_eq!(value(b"\0A.com"), None);
    }
}
