//! The ZIP archive of a workbook, written as a stream.

use std::io::{self, BufWriter, Write};

use flate2::{Compression, Crc, write::DeflateEncoder};

const VERSION: u16 = 20;
/// The sizes follow the data, since they are not known before it.
const FLAGS: u16 = 0x0008;
const DEFLATE: u16 = 8;
/// 1980-01-01, so that equal rows are equal files.
const DATE: u16 = 0x0021;

/// A file in the archive.
struct Entry {
    name: &'static str,
    crc: u32,
    compressed: u32,
    size: u32,
    offset: u32,
}

impl Entry {
    /// Returns the fields that the local header and the directory share.
    fn header(&self, signature: u32) -> Vec<u8> {
        let mut header = signature.to_le_bytes().to_vec();
        for field in [VERSION, FLAGS, DEFLATE, 0, DATE] {
            header.extend(field.to_le_bytes());
        }
        for field in [self.crc, self.compressed, self.size] {
            header.extend(field.to_le_bytes());
        }
        header.extend((self.name.len() as u16).to_le_bytes());
        header.extend(0_u16.to_le_bytes());
        header
    }
}

/// Counts the bytes written.
struct Counted<W: Write> {
    out: BufWriter<W>,
    count: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An archive between two files.
pub(super) struct Archive<W: Write> {
    out: Counted<W>,
    entries: Vec<Entry>,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out: Counted { out: BufWriter::with_capacity(1 << 16, out), count: 0 }, entries: Vec::new() }
    }

    /// Adds a file with this content.
    pub(super) fn add(self, name: &'static str, content: &str) -> io::Result<Self> {
        let mut part = self.begin(name)?;
        part.write_all(content.as_bytes())?;
        part.end()
    }

    /// Begins a file.
    pub(super) fn begin(mut self, name: &'static str) -> io::Result<Part<W>> {
        let entry = Entry { name, crc: 0, compressed: 0, size: 0, offset: size(self.out.count)? };
        self.out.write_all(&entry.header(0x0403_4b50))?;
        self.out.write_all(name.as_bytes())?;
        let encoder = DeflateEncoder::new(self.out, Compression::fast());
        Ok(Part { encoder, crc: Crc::new(), entry, entries: self.entries })
    }

    /// Writes the directory.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let start = size(self.out.count)?;
        for entry in &self.entries {
            // The version that wrote it stands before the version that can read it.
            let header = entry.header(0x0201_4b50);
            self.out.write_all(&header[..4])?;
            self.out.write_all(&VERSION.to_le_bytes())?;
            self.out.write_all(&header[4..])?;
            // No comment, the first disk, no attributes.
            self.out.write_all(&[0; 10])?;
            self.out.write_all(&entry.offset.to_le_bytes())?;
            self.out.write_all(entry.name.as_bytes())?;
        }
        let length = size(self.out.count)? - start;
        let count = (self.entries.len() as u16).to_le_bytes();
        self.out.write_all(&0x0605_4b50_u32.to_le_bytes())?;
        self.out.write_all(&[0; 4])?;
        self.out.write_all(&[count, count].concat())?;
        self.out.write_all(&[length.to_le_bytes(), start.to_le_bytes()].concat())?;
        self.out.write_all(&[0; 2])?;
        self.out.flush()
    }
}

/// A file that is being written.
pub(super) struct Part<W: Write> {
    encoder: DeflateEncoder<Counted<W>>,
    crc: Crc,
    entry: Entry,
    entries: Vec<Entry>,
}

impl<W: Write> Part<W> {
    /// Ends the file.
    pub(super) fn end(mut self) -> io::Result<Archive<W>> {
        self.encoder.try_finish()?;
        let (compressed, whole) = (size(self.encoder.total_out())?, size(self.encoder.total_in())?);
        let entry = Entry { crc: self.crc.sum(), compressed, size: whole, ..self.entry };
        let mut out = self.encoder.finish()?;
        out.write_all(&0x0807_4b50_u32.to_le_bytes())?;
        for field in [entry.crc, entry.compressed, entry.size] {
            out.write_all(&field.to_le_bytes())?;
        }
        self.entries.push(entry);
        Ok(Archive { out, entries: self.entries })
    }
}

impl<W: Write> Write for Part<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.encoder.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

fn size(bytes: u64) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| io::Error::other("an Excel sheet is at most 4 GiB; write CSV or Parquet"))
}
