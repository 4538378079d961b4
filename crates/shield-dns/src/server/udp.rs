//! Requests in datagrams: SOA, and IXFR that is answered with the SOA alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::{Shared, lost, now};
use crate::access::Asker;
use crate::answer::{MAX_REQUEST, Reply, answer};

pub(super) async fn serve(socket: UdpSocket, shared: Arc<Shared>) -> std::io::Result<()> {
    let mut buffer = vec![0; MAX_REQUEST + 1];
    loop {
        let (length, from) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            Err(e) if lost(&e) => return Err(e),
            // An answer to some earlier client came to nobody.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
        };
        let asker = Asker { peer: from.ip(), tls: false, key: None };
        let (view, access) =
            (shared.feed.view.borrow().clone(), shared.feed.access.borrow().clone());
        let request = buffer.get(..length).unwrap_or_default();
        if let Reply::Message(message) = answer(request, asker, true, &view, &access, now()) {
            // A datagram may be lost; the client asks again.
            let _ = socket.send_to(&message, from).await;
        }
    }
}
