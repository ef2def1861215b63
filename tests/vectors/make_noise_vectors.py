"""Makes the vectors of tests/unit/core/wg/noise_test.cc: one handshake with fixed keys, written
from the WireGuard whitepaper's formulas with python-cryptography and hashlib, which share no code
with ginnel. Run it by hand to check or extend them; no test needs Python for this.
"""
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def blake2s(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, data):
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def kdf(count, key, data):
    def step(k, m):
        return hmac.new(k, m, hashlib.blake2s).digest()

    extracted, outputs = step(key, data), [b""]
    for i in range(count):
        outputs.append(step(extracted, outputs[-1] + bytes([i + 1])))
    return outputs[1:]


def seal(key, text, additional):
    return ChaCha20Poly1305(key).encrypt(bytes(12), text, additional)


def public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private, their_public):
    key = X25519PublicKey.from_public_bytes(their_public)
    return X25519PrivateKey.from_private_bytes(private).exchange(key)


def handshake(psk):
    si, sr, ei, er = (bytes([n]) * 31 + b"\x41" for n in (0x08, 0x10, 0x18, 0x20))
    timestamp = bytes.fromhex("400000006553f10a01000000")
    ck = blake2s(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
    h = blake2s(ck, b"WireGuard v1 zx2c4 Jason@zx2c4.com")
    h = blake2s(h, public(sr))

    (ck,) = kdf(1, ck, public(ei))
    h = blake2s(h, public(ei))
    ck, k = kdf(2, ck, dh(ei, public(sr)))
    sealed_static = seal(k, public(si), h)
    h = blake2s(h, sealed_static)
    ck, k = kdf(2, ck, dh(si, public(sr)))
    sealed_timestamp = seal(k, timestamp, h)
    h = blake2s(h, sealed_timestamp)
    initiation = b"\1\0\0\0\x44\x33\x22\x11" + public(ei) + sealed_static + sealed_timestamp
    initiation += mac(blake2s(b"mac1----", public(sr)), initiation) + bytes(16)

    (ck,) = kdf(1, ck, public(er))
    h = blake2s(h, public(er))
    (ck,) = kdf(1, ck, dh(er, public(ei)))
    (ck,) = kdf(1, ck, dh(er, public(si)))
    ck, t, k = kdf(3, ck, psk)
    h = blake2s(h, t)
    nothing = seal(k, b"", h)
    response = b"\2\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11" + public(er) + nothing
    response += mac(blake2s(b"mac1----", public(si)), response) + bytes(16)

    to_responder, to_initiator = kdf(2, ck, b"")
    return initiation, response, to_responder, to_initiator


for psk in (bytes(32), bytes(range(32))):
    for name, value in zip(("initiation", "response", "to responder", "to initiator"),
                           handshake(psk)):
        print(f"{name}: {value.hex()}")
