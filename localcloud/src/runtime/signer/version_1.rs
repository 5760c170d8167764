//! Signatures of version 1: RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017, section 8.2.1).
//!
//! The cryptographic library here verifies such signatures and rightly makes none, so this does the arithmetic
//! itself. It takes a time that depends on the key. Nothing is lost by that: the key lives as long as this cloud and
//! vouches for nothing outside of it.

use asn1_rs::{Error, FromDer, Integer, OctetString, Sequence};
use aws_lc_rs::digest;
use num_bigint::BigUint;

/// `DigestInfo` of a SHA-1 digest up to the digest itself (RFC 8017, section 9.2, note 1).
const SHA1_INFO: [u8; 15] = [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];

/// A private key, in the parts that its use by the Chinese remainder theorem takes, which is about four times as fast.
pub(super) struct Key {
    modulus: BigUint,
    primes: [BigUint; 2],
    exponents: [BigUint; 2],
    /// Of the second prime, modulo the first.
    inverse: BigUint,
}

impl Key {
    /// Reads an RSA key from PKCS #8 (RFC 5208, section 5, around RFC 8017, appendix A.1.2).
    pub(super) fn read(pkcs8: &[u8]) -> Result<Self, Error> {
        let (_, outer) = Sequence::from_der(pkcs8)?;
        let (rest, _version) = Integer::from_der(&outer.content)?;
        let (rest, _algorithm) = Sequence::from_der(rest)?;
        let (_, key) = OctetString::from_der(rest)?;
        let (_, key) = Sequence::from_der(key.as_ref())?;
        let [_version, modulus, _public, _private, p, q, of_p, of_q, inverse] = numbers(&key.content)?;
        Ok(Self { modulus, primes: [p, q], exponents: [of_p, of_q], inverse })
    }

    /// The signature of `text`, as long as the modulus.
    pub(super) fn sign(&self, text: &[u8]) -> Vec<u8> {
        let length = usize::try_from(self.modulus.bits().div_ceil(8)).unwrap_or_default();
        let encoded = BigUint::from_bytes_be(&encode(text, length));
        let signature = self.apply(&encoded).to_bytes_be();
        let mut padded = vec![0; length.saturating_sub(signature.len())];
        padded.extend(signature);
        padded
    }

    /// RSASP1 (RFC 8017, section 5.2.1).
    fn apply(&self, message: &BigUint) -> BigUint {
        let ([p, q], [of_p, of_q]) = (&self.primes, &self.exponents);
        let (by_p, by_q) = (message.modpow(of_p, p), message.modpow(of_q, q));
        // The prime is added so that the difference is not below zero.
        let h = (by_p + p - &by_q % p) * &self.inverse % p;
        by_q + q * h
    }
}

/// EMSA-PKCS1-v1_5: the digest behind as much padding as the modulus has room for.
fn encode(text: &[u8], length: usize) -> Vec<u8> {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text);
    let padding = length.saturating_sub(3 + SHA1_INFO.len() + digest.as_ref().len());
    let mut encoded = vec![0x00, 0x01];
    encoded.resize(2 + padding, 0xff);
    encoded.push(0x00);
    encoded.extend(SHA1_INFO);
    encoded.extend(digest.as_ref());
    encoded
}

/// The nine integers of an `RSAPrivateKey`.
fn numbers(der: &[u8]) -> Result<[BigUint; 9], Error> {
    let (mut rest, mut numbers) = (der, Vec::new());
    while !rest.is_empty() {
        let (after, integer) = Integer::from_der(rest)?;
        numbers.push(BigUint::from_bytes_be(integer.as_ref()));
        rest = after;
    }
    numbers.try_into().map_err(|_| Error::InvalidLength)
}
