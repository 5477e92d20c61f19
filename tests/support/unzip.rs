//! The first file of a zip archive, for test data that is published as one.
//!
//! Source: PKWARE's APPNOTE for the archive, RFC 1951 for the compressed bytes (canonical codes, decoded
//! bit by bit as in section 3.2.2). Slow and short on purpose; anything odd is `None`.

/// The bytes of the first entry of `archive`; `None` where it is not what it should be.
pub(crate) fn first_entry(archive: &[u8]) -> Option<Vec<u8>> {
    // Sizes may be missing beside the entry; the directory at the end always has them.
    let directory = archive.windows(4).rposition(|window| window == b"PK\x01\x02")?;
    let first = archive
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .filter(|at| *at <= directory)?;
    let number = |at: usize, n_bytes: usize| {
        let bytes = archive.get(at..at + n_bytes)?;
        Some(bytes.iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte)))
    };
    let (method, packed, offset) =
        (number(first + 10, 2)?, number(first + 20, 4)?, number(first + 42, 4)?);
    let start = offset + 30 + number(offset + 26, 2)? + number(offset + 28, 2)?;
    let bytes = archive.get(start..start + packed)?;
    if method == 0 { Some(bytes.to_vec()) } else { inflate(bytes) }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, n: usize) -> Option<usize> {
        let mut value = 0;
        for index in 0..n {
            let byte = *self.bytes.get(self.at / 8)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << index;
            self.at += 1;
        }
        Some(value)
    }
}

/// A canonical code: how many words of each length, and the symbols in order of their words.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn new(lengths: &[usize]) -> Code {
        let mut counts = [0; 16];
        let mut symbols = Vec::new();
        for (length, count) in counts.iter_mut().enumerate().skip(1) {
            let of_length = (0..lengths.len()).filter(|symbol| lengths[*symbol] == length);
            let before = symbols.len();
            symbols.extend(of_length);
            *count = symbols.len() - before;
        }
        Code { counts, symbols }
    }

    fn next(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut word, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            word |= bits.take(1)?;
            if word < first + count {
                return self.symbols.get(index + word - first).copied();
            }
            index += count;
            first = (first + count) << 1;
            word <<= 1;
        }
        None
    }
}

const LENGTHS: [(usize, usize); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bits = Bits { bytes, at: 0 };
    let mut out = Vec::new();
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => {
                bits.at = bits.at.div_ceil(8) * 8;
                let n = bits.take(16)?;
                bits.take(16)?;
                let from = bits.at / 8;
                out.extend_from_slice(bytes.get(from..from + n)?);
                bits.at += 8 * n;
            }
            1 => {
                let lengths: Vec<usize> = [(144, 8), (112, 9), (24, 7), (8, 8)]
                    .iter()
                    .flat_map(|(n, l)| vec![*l; *n])
                    .collect();
                block(&mut bits, &Code::new(&lengths), &Code::new(&[5; 30]), &mut out)?;
            }
            2 => {
                let (literals, distances) = codes(&mut bits)?;
                block(&mut bits, &literals, &distances, &mut out)?;
            }
            _ => return None,
        }
        if is_last {
            return Some(out);
        }
    }
}

fn codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (n_literals, n_distances, n_code) =
        (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    let mut of_code = [0; 19];
    for place in &ORDER[..n_code] {
        of_code[*place] = bits.take(3)?;
    }
    let code = Code::new(&of_code);
    let mut lengths = Vec::new();
    while lengths.len() < n_literals + n_distances {
        let (value, n) = match code.next(bits)? {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length, 1),
        };
        lengths.extend(vec![value; n]);
    }
    Some((Code::new(&lengths[..n_literals]), Code::new(&lengths[n_literals..])))
}

fn block(bits: &mut Bits<'_>, literals: &Code, distances: &Code, out: &mut Vec<u8>) -> Option<()> {
    loop {
        match literals.next(bits)? {
            256 => return Some(()),
            symbol if symbol < 256 => out.push(symbol as u8),
            symbol => {
                let (base, extra) = *LENGTHS.get(symbol - 257)?;
                let n = base + bits.take(extra)?;
                let symbol = distances.next(bits)?;
                let extra = (symbol / 2).saturating_sub(1);
                let base = if symbol < 4 { symbol } else { (2 + symbol % 2) << extra };
                let from = out.len().checked_sub(base + bits.take(extra)? + 1)?;
                for index in from..from + n {
                    out.push(out[index]);
                }
            }
        }
    }
}
