//! Maps whose keys are numbers or digests that we made ourselves: a fast hash without a random seed, so
//! that the core stays deterministic. Not for texts that come from outside.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// A map by numbers. Never iterated where the order could show.
pub(crate) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Spreads numbers over the whole range of 64 bits (the finaliser of splitmix64).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
    }

    fn write_u128(&mut self, number: u128) {
        self.write_u64((number >> 64) as u64 ^ number as u64);
    }
}

/// One round of splitmix64.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
