//! Archives as people make them: gzip, zip, tar. Their dates are fixed.

use std::io::{self, Write};

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc, GzBuilder};

/// A gzip stream without date or name.
pub(crate) fn gzip<W: Write>(out: W) -> GzEncoder<W> {
    GzBuilder::new().mtime(0).write(out, Compression::fast())
}

/// A zip file being written: each member is deflated as it comes, its sizes told after it.
pub(crate) struct Zip<W: Write> {
    out: Count<W>,
    central: Vec<u8>,
    members: u16,
}

struct Count<W: Write> {
    inner: W,
    n: u64,
}

impl<W: Write> Write for Count<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.inner.write(bytes)?;
        self.n += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// A member of a zip file being written.
pub(crate) struct Member<'z, W: Write> {
    encoder: DeflateEncoder<&'z mut Count<W>>,
    crc: Crc,
}

impl<W: Write> Write for Member<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.crc.update(bytes);
        self.encoder.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// 2026-03-15 12:00 in DOS form.
const DOS: [u8; 4] = [0x00, 0x60, 0x6f, 0x5c];

impl<W: Write> Zip<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out: Count { inner: out, n: 0 }, central: Vec::new(), members: 0 }
    }

    /// Adds a member that `fill` writes. Below 4 GiB.
    pub(crate) fn member<E: From<io::Error>>(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.out.n as u32;
        // Flags: sizes follow the data (bit 3), the name is UTF-8 (bit 11).
        let mut head = Vec::new();
        head.extend_from_slice(&[20, 0, 0x08, 0x08, 8, 0]);
        head.extend_from_slice(&DOS);
        let mut local = b"PK\x03\x04".to_vec();
        local.extend_from_slice(&head);
        local.extend_from_slice(&[0; 12]);
        local.extend_from_slice(&(name.len() as u16).to_le_bytes());
        local.extend_from_slice(&[0, 0]);
        local.extend_from_slice(name.as_bytes());
        self.out.write_all(&local)?;
        let before = self.out.n;
        let (crc, size) = {
            let encoder = DeflateEncoder::new(&mut self.out, Compression::fast());
            let mut member = Member { encoder, crc: Crc::new() };
            fill(&mut member)?;
            let Member { encoder, crc } = member;
            encoder.finish()?;
            (crc.sum(), crc.amount())
        };
        let packed = (self.out.n - before) as u32;
        let mut sizes = crc.to_le_bytes().to_vec();
        sizes.extend_from_slice(&packed.to_le_bytes());
        sizes.extend_from_slice(&size.to_le_bytes());
        self.out.write_all(b"PK\x07\x08")?;
        self.out.write_all(&sizes)?;
        self.central.extend_from_slice(b"PK\x01\x02\x14\x00");
        self.central.extend_from_slice(&head);
        self.central.extend_from_slice(&sizes);
        self.central.extend_from_slice(&(name.len() as u16).to_le_bytes());
        self.central.extend_from_slice(&[0; 12]);
        self.central.extend_from_slice(&start.to_le_bytes());
        self.central.extend_from_slice(name.as_bytes());
        self.members += 1;
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let start = self.out.n as u32;
        self.out.write_all(&self.central)?;
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend_from_slice(&self.members.to_le_bytes());
        end.extend_from_slice(&self.members.to_le_bytes());
        end.extend_from_slice(&(self.central.len() as u32).to_le_bytes());
        end.extend_from_slice(&start.to_le_bytes());
        end.extend_from_slice(&[0, 0]);
        self.out.write_all(&end)?;
        Ok(self.out.inner)
    }
}

/// A tar archive (ustar) of small members.
pub(crate) fn tar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        let mut head = [0u8; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[100..108].copy_from_slice(b"0000644\0");
        head[108..116].copy_from_slice(b"0001750\0");
        head[116..124].copy_from_slice(b"0001750\0");
        head[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        head[136..148].copy_from_slice(b"15155223000\0");
        head[148..156].fill(b' ');
        head[156] = b'0';
        head[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = head.iter().map(|b| u32::from(*b)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(bytes);
        out.resize(out.len().div_ceil(512) * 512, 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}
