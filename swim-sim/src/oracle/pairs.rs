//! One bit for each ordered pair of nodes.

/// A square matrix of bits.
#[derive(Debug)]
pub(super) struct Pairs {
    words: Vec<u64>,
    row_words: usize,
}

impl Pairs {
    pub(super) fn new(n: u32) -> Self {
        let row_words = (n as usize).div_ceil(64);
        Self { words: vec![0; row_words * n as usize], row_words }
    }

    pub(super) fn get(&self, row: u32, column: u32) -> bool {
        self.words[self.word(row, column)] & bit(column) != 0
    }

    pub(super) fn set(&mut self, row: u32, column: u32, to: bool) {
        let word = self.word(row, column);
        if to {
            self.words[word] |= bit(column);
        } else {
            self.words[word] &= !bit(column);
        }
    }

    pub(super) fn fill_row(&mut self, row: u32, to: bool) {
        let start = row as usize * self.row_words;
        self.words[start..start + self.row_words].fill(if to { u64::MAX } else { 0 });
    }

    fn word(&self, row: u32, column: u32) -> usize {
        row as usize * self.row_words + column as usize / 64
    }
}

const fn bit(column: u32) -> u64 {
    1 << (column % 64)
}
