//! NOTIFY on its way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Shared, now};
use crate::notify::{AGAIN, Heard, Outbox};
use crate::zone::WireName;
use crate::zones::View;

/// The pause between two rounds of a flood of notices.
const ROUND: Duration = Duration::from_millis(10);

pub(super) async fn tell(
    sockets: Vec<UdpSocket>,
    shared: Arc<Shared>,
    mut again: mpsc::Receiver<(Vec<SocketAddr>, WireName)>,
) -> std::io::Result<()> {
    let begun = Instant::now();
    let since = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (mut view, mut access) = (shared.feed.view.clone(), shared.feed.access.clone());
    let random = SystemRandom::new();
    let mut id = || {
        let mut bytes = [0; 2];
        // Without randomness an acknowledgement can be forged: a lost notice is all that comes of it.
        let _ = random.fill(&mut bytes);
        u16::from_be_bytes(bytes)
    };
    let mut outbox = Outbox::default();
    let mut unheard = 0;
    let mut ends = sockets.iter();
    let (first, second) = (ends.next(), ends.next());
    let mut buffers = ([0; 1024], [0; 1024]);
    // What stands at the start is told, too (RFC 1996, 3.4): who was away learns of it.
    let mut changed = true;
    let mut clients = true;
    let mut told: Option<Arc<View>> = None;
    // While the writer is there: what it left behind goes on being served and told.
    let mut open = true;
    loop {
        if std::mem::take(&mut changed) {
            let now = view.borrow_and_update().clone();
            // Whoever has zones of its own from now on is told of those.
            clients |= told.as_ref().is_some_and(|told| !told.owners().eq(now.owners()));
            if std::mem::take(&mut clients) {
                outbox.update(&now, &access.borrow_and_update(), since(), &mut id);
            } else {
                let before = told.iter().flat_map(|view| view.each());
                for (_, (of, zone)) in
                    before.zip(now.each()).filter(|((_, old), (_, new))| !Arc::ptr_eq(old, new))
                {
                    outbox.changed(of, zone, since(), &mut id);
                }
            }
            told = Some(now);
        }
        for notice in outbox.due(since(), now()) {
            for socket in &sockets {
                if socket.local_addr().is_ok_and(|own| own.is_ipv4() == notice.to.is_ipv4()) {
                    // Lost ones are sent again.
                    let _ = socket.send_to(&notice.bytes, notice.to).await;
                    break;
                }
            }
        }
        if outbox.unheard > unheard {
            let more = outbox.unheard - unheard;
            unheard = outbox.unheard;
            (shared.told)(&format!(
                "{more} notices were not acknowledged; the servers refresh alone"
            ));
        }
        let wait = match outbox.next_due() {
            Some(due) => Duration::from_millis(due.saturating_sub(since())).max(ROUND),
            None => Duration::from_secs(3600),
        };
        let heard = tokio::select! {
            news = view.changed(), if open => {
                (changed, open) = (true, news.is_ok());
                None
            }
            news = access.changed(), if open => {
                (changed, clients, open) = (true, true, news.is_ok());
                None
            }
            Some((servers, zone)) = again.recv() => {
                servers.iter().for_each(|to| outbox.again(*to, &zone, since() + AGAIN));
                None
            }
            got = receive(first, &mut buffers.0) => got,
            got = receive(second, &mut buffers.1) => got,
            () = tokio::time::sleep(wait) => None,
        };
        if let Some((from, bytes)) = heard
            && let Heard::Refused(zone, rcode) = outbox.answered(from, bytes, now())
        {
            (shared.told)(&format!(
                "{from}: takes no notice of {zone} ({rcode}): is it set up there?"
            ));
        }
    }
}

/// The next datagram; never, on no socket.
async fn receive<'a>(
    socket: Option<&UdpSocket>,
    buffer: &'a mut [u8],
) -> Option<(SocketAddr, &'a [u8])> {
    let Some(socket) = socket else { return std::future::pending().await };
    match socket.recv_from(buffer).await {
        Ok((length, from)) => buffer.get(..length).map(|bytes| (from, bytes)),
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(1)).await;
            None
        }
    }
}
