#!/usr/bin/env python3
"""Writes the vectors of the primitives beside this file. Values are those of the RFCs, or computed here by another
implementation than ours: hashlib, and python3-cryptography, which is OpenSSL. Not run by the tests."""
import hashlib
import hmac
import struct
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).resolve().parent
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
h = bytes.fromhex
RAW = (Encoding.Raw, PublicFormat.Raw)


class File:
    def __init__(self, name, about):
        self.path, self.lines = HERE / name, [f"# {about}", "# Written by make_vectors.py."]

    def add(self, algorithm, name, expect, **fields):
        self.lines += ["", f"algorithm: {algorithm}", f"vector: {name}", f"expect: {expect}"]
        for key, value in fields.items():
            self.lines.append(f"{key}: {value.hex() if isinstance(value, (bytes, bytearray)) else value}".rstrip())

    def save(self):
        self.path.write_text("\n".join(self.lines) + "\n")


def flipped(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 1 << (bit % 8)
    return bytes(out)


def rotate(value, by):
    return (value << by | value >> 32 - by) & 0xffffffff


def hchacha(key, nonce16):
    """draft-irtf-cfrg-xchacha, 2.2, from RFC 8439's rounds."""
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce16))

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xffffffff
            s[z] = rotate(s[z] ^ s[x], by)

    for _ in range(10):
        for at in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                   (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(*at)
    return struct.pack("<8I", *(s[0:4] + s[12:16]))


def xseal(key, nonce, associated, plain):
    return nonce + ChaCha20Poly1305(hchacha(key, nonce[:16])).encrypt(bytes(4) + nonce[16:], plain, associated)


def aead():
    f = File("aead.txt", "XChaCha20-Poly1305 (crypto::open) and ChaCha20-Poly1305 of chunks (crypto::open_chunk).")
    key = h("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")
    nonce = h("404142434445464748494a4b4c4d4e4f5051525354555657")
    text = (b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
            b"sunscreen would be it.")
    associated = h("50515253c0c1c2c3c4c5c6c7")
    sealed = xseal(key, nonce, associated, text)
    assert sealed.endswith(h("c0875924c1c7987947deafd8780acf49"))  # the draft's A.3.1
    f.add("xchacha", "the draft's example", "ok", key=key, associated=associated, sealed=sealed, plain=text)
    for size in (0, 1, 15, 16, 17, 63, 64, 65, 255, 256, 1024, 4097):
        plain = bytes(i * 7 & 255 for i in range(size))
        f.add("xchacha", f"{size} bytes", "ok", key=key, associated=associated, sealed=xseal(key, nonce, associated, plain), plain=plain)
    for size in (0, 1, 15, 16, 17, 64, 300):
        f.add("xchacha", f"associated data of {size} bytes", "ok", key=key, associated=bytes(size), sealed=xseal(key, nonce, bytes(size), text), plain=text)
    f.add("xchacha", "neither text nor associated data", "ok", key=key, associated=b"", sealed=xseal(key, nonce, b"", b""), plain=b"")
    for name, k, n in (("key of zeros", bytes(32), nonce), ("key of ones", b"\xff" * 32, nonce), ("nonce of zeros", key, bytes(24)), ("nonce of ones", key, b"\xff" * 24)):
        f.add("xchacha", name, "ok", key=k, associated=b"a", sealed=xseal(k, n, b"a", text), plain=text)
    for name, bit in (("first", 0), ("eighth", 7), ("sixteenth byte's first", 15 * 8), ("last", 24 * 8 - 1)):
        f.add("xchacha", f"nonce: {name} bit", "corrupt", key=key, associated=associated, sealed=flipped(sealed, bit))
    for bit in (0, 1, 7, 31, 32, 63, 64, 71, 77, 80, 96, 97, 120, 121, 126, 127):
        f.add("xchacha", f"tag: bit {bit}", "corrupt", key=key, associated=associated, sealed=flipped(sealed, (len(sealed) - 16) * 8 + bit))
    for name, tag in (("of zeros", bytes(16)), ("of ones", b"\xff" * 16), ("all bits turned", bytes(b ^ 255 for b in sealed[-16:])), ("its halves exchanged", sealed[-8:] + sealed[-16:-8])):
        f.add("xchacha", f"tag: {name}", "corrupt", key=key, associated=associated, sealed=sealed[:-16] + tag)
    for cut in (1, 2, 8, 15, 16, 17):
        f.add("xchacha", f"tag: cut by {cut} bytes", "corrupt", key=key, associated=associated, sealed=sealed[:-cut])
    for size in (0, 1, 23, 24, 39):
        f.add("xchacha", f"no more than {size} bytes", "corrupt", key=key, associated=b"", sealed=bytes(size))
    f.add("xchacha", "40 zeros: a nonce and a tag of nothing", "corrupt", key=key, associated=b"", sealed=bytes(40))
    f.add("xchacha", "ciphertext: first bit", "corrupt", key=key, associated=associated, sealed=flipped(sealed, 24 * 8))
    f.add("xchacha", "ciphertext: last bit", "corrupt", key=key, associated=associated, sealed=flipped(sealed, (len(sealed) - 16) * 8 - 1))
    f.add("xchacha", "a byte more", "corrupt", key=key, associated=associated, sealed=sealed + b"\0")
    f.add("xchacha", "associated data: first bit", "corrupt", key=key, associated=flipped(associated, 0), sealed=sealed)
    f.add("xchacha", "associated data: left out", "corrupt", key=key, associated=b"", sealed=sealed)
    f.add("xchacha", "associated data: a zero more, which the padding would hide", "corrupt", key=key, associated=associated + b"\0", sealed=sealed)
    f.add("xchacha", "associated data moved into the text", "corrupt", key=key, associated=b"", sealed=nonce + associated + sealed[24:])
    f.add("xchacha", "key: last bit", "corrupt", key=flipped(key, 255), associated=associated, sealed=sealed)
    f.add("xchacha", "sealed without the extension of the nonce", "corrupt", key=key, associated=b"", sealed=nonce + ChaCha20Poly1305(key).encrypt(nonce[:12], text, b""))

    assert ChaCha20Poly1305(key).encrypt(h("070000004041424344454647"), text, associated).endswith(h("1ae10b594f09e26a7e902ecbd0600691"))  # RFC 8439, 2.8.2
    page = bytes(i * 11 & 255 for i in range(1024))

    def chunk(counter, last, plain=page, k=key):
        return ChaCha20Poly1305(k).encrypt(counter.to_bytes(11, "big") + bytes([last]), plain, None)

    for name, counter in (("0", 0), ("1", 1), ("255", 255), ("256", 256), ("2^32 - 1", 2**32 - 1), ("2^32", 2**32), ("2^63", 2**63), ("2^64 - 1, the largest", 2**64 - 1)):
        for last in (0, 1):
            f.add("chunk", f"counter {name}{', the last' if last else ''}", "ok", key=key, counter=counter, last=last, sealed=chunk(counter, last), plain=page)
    for size in (0, 1, 16, 65):
        f.add("chunk", f"{size} bytes", "ok", key=key, counter=3, last=0, sealed=chunk(3, 0, page[:size]), plain=page[:size])
    f.add("chunk", "another counter", "corrupt", key=key, counter=4, last=0, sealed=chunk(3, 0))
    f.add("chunk", "a counter with its bytes the other way round", "corrupt", key=key, counter=int.from_bytes((3).to_bytes(8, "little"), "big"), last=0, sealed=chunk(3, 0))
    f.add("chunk", "said to be the last and is not", "corrupt", key=key, counter=3, last=1, sealed=chunk(3, 0))
    f.add("chunk", "is the last and not said to be", "corrupt", key=key, counter=3, last=0, sealed=chunk(3, 1))
    f.add("chunk", "a last flag of 2", "corrupt", key=key, counter=3, last=1, sealed=chunk(3, 2))
    f.add("chunk", "with associated data", "corrupt", key=key, counter=3, last=0, sealed=ChaCha20Poly1305(key).encrypt((3).to_bytes(11, "big") + b"\0", page, b"x"))
    for bit in (0, 63, 64, 127):
        f.add("chunk", f"tag: bit {bit}", "corrupt", key=key, counter=3, last=0, sealed=flipped(chunk(3, 0), 1024 * 8 + bit))
    f.add("chunk", "a page of zeros with a tag of zeros", "corrupt", key=key, counter=0, last=0, sealed=bytes(1040))
    f.save()


def x25519():
    f = File("x25519.txt", "X25519 (RFC 7748; crypto::shared_secret, public_key_of) and boxes (crypto::open_from).")

    def exchange(secret, point):
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(point))

    def public(secret):
        return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(*RAW)

    for name, secret, point, out in (
            ("RFC 7748, 5.2, first", "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
            ("RFC 7748, 5.2, second", "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d", "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493", "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")):
        assert exchange(h(secret), h(point)) == h(out)
        f.add("x25519", name, "ok", secret=h(secret), point=h(point), gives=h(out))
    k = u = (9).to_bytes(32, "little")
    for count in range(1, 1001):
        k, u = exchange(k, u), k
        if count == 1:
            assert k == h("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")
    assert k == h("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")
    f.add("x25519 iterated", "RFC 7748, 5.2, a thousand times", "ok", gives=k)
    secret = bytes(range(1, 33))
    low = {"0": 0, "1": 1, "of order 8, the first": int.from_bytes(h("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), "little"),
           "of order 8, the second": int.from_bytes(h("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), "little"), "p - 1": P - 1, "p, which is 0": P, "p + 1, which is 1": P + 1}
    for name, value in low.items():
        f.add("x25519", f"low order: {name}", "usage", secret=secret, point=value.to_bytes(32, "little"))
        f.add("x25519", f"low order, with the top bit set: {name}", "usage", secret=secret, point=(value | 1 << 255).to_bytes(32, "little"))
    for value in (2, 3, 4, 5, 9, 18):
        plain = exchange(secret, value.to_bytes(32, "little"))
        f.add("x25519", f"the point {value}", "ok", secret=secret, point=value.to_bytes(32, "little"), gives=plain)
        f.add("x25519", f"the point {value} as p + {value}", "ok", secret=secret, point=(P + value).to_bytes(32, "little"), gives=plain)
        f.add("x25519", f"the point {value} with the top bit set", "ok", secret=secret, point=(value | 1 << 255).to_bytes(32, "little"), gives=plain)
    point = public(bytes(range(40, 72)))
    for name, s in (("of zeros", bytes(32)), ("of ones", b"\xff" * 32), ("its low bits set, which are cleared", flipped(flipped(flipped(secret, 0), 1), 2)), ("its top bit set, which is cleared", flipped(secret, 255)), ("its bit 254 clear, which is set", flipped(secret, 254))):
        f.add("x25519", f"a secret {name}", "ok", secret=s, point=point, gives=exchange(s, point))
        f.add("x25519 public", f"a secret {name}", "ok", secret=s, gives=public(s))

    pepper, label, associated, text = bytes(range(100, 132)), b"label", b"where", b"a secret"
    theirs = public(secret)

    def boxed(ephemeral, to=theirs, with_pepper=pepper, shared=None, ephemeral_public=None):
        mine = ephemeral_public or public(ephemeral)
        shared = shared if shared is not None else exchange(ephemeral, to)
        key = hashlib.blake2b(label + b"\0" + shared + mine + to, key=with_pepper or bytes(32), digest_size=32).digest()
        return mine + xseal(key, bytes(range(24)), associated, text)

    box = boxed(bytes(range(7, 39)))
    same = {"secret": secret, "pepper": pepper, "label": "label", "associated": associated}
    f.add("box", "a box", "ok", **same, sealed=box, plain=text)
    f.add("box", "without pepper", "ok", **{**same, "pepper": b""}, sealed=boxed(bytes(range(7, 39)), with_pepper=b""), plain=text)
    f.add("box", "a pepper where none was", "corrupt", **same, sealed=boxed(bytes(range(7, 39)), with_pepper=b""))
    f.add("box", "no pepper where one was", "corrupt", **{**same, "pepper": b""}, sealed=box)
    f.add("box", "a pepper of zeros is none", "ok", **{**same, "pepper": bytes(32)}, sealed=boxed(bytes(range(7, 39)), with_pepper=b""), plain=text)
    f.add("box", "another label", "corrupt", **{**same, "label": "labe"}, sealed=box)
    f.add("box", "a longer label", "corrupt", **{**same, "label": "label."}, sealed=box)
    f.add("box", "another place", "corrupt", **{**same, "associated": b"there"}, sealed=box)
    f.add("box", "another secret", "corrupt", **{**same, "secret": bytes(range(2, 34))}, sealed=box)
    f.add("box", "the ephemeral key's top bit, which X25519 ignores and the box does not", "corrupt", **same, sealed=flipped(box, 255))
    for name, value in low.items():
        low_point = value.to_bytes(32, "little")
        f.add("box", f"made for everybody: ephemeral key {name}", "corrupt", **same, sealed=boxed(None, shared=bytes(32), ephemeral_public=low_point))
    for size in (0, 31, 32, 33, 71):
        f.add("box", f"cut to {size} bytes", "corrupt", **same, sealed=box[:size])
    f.add("box", "tag: last bit", "corrupt", **same, sealed=flipped(box, len(box) * 8 - 1))
    f.save()


def ed25519():
    f = File("ed25519.txt", "Ed25519 (RFC 8032; crypto::sign, verify, signing_public_key).")

    def add(name, seed, message, expected=None):
        key = Ed25519PrivateKey.from_private_bytes(seed)
        made, public = key.sign(message), key.public_key().public_bytes(*RAW)
        assert expected is None or made == h(expected)
        f.add("ed25519 sign", name, "ok", seed=seed, message=message, public=public, signature=made)
        f.add("ed25519", name, "ok", public=public, message=message, signature=made)
        return public, made

    add("RFC 8032, 7.1, test 1", h("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"), b"", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")
    add("RFC 8032, 7.1, test 2", h("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"), h("72"), "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    add("RFC 8032, 7.1, test 3", h("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"), h("af82"), "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")
    for name, seed in (("a seed of zeros", bytes(32)), ("a seed of ones", b"\xff" * 32)):
        add(name, seed, b"text")
    for size in (1, 63, 64, 111, 112, 127, 128, 129, 4096):
        add(f"a message of {size} bytes", bytes(range(32)), bytes(size))
    public, made = add("a message", bytes(range(32)), b"message")
    r, s = made[:32], int.from_bytes(made[32:], "little")
    bad = {"another message": (public, b"massage", made), "the empty message": (public, b"", made), "a zero behind the message": (public, b"message\0", made),
           "zeros": (public, b"message", bytes(64)), "ones": (public, b"message", b"\xff" * 64),
           "S = 0": (public, b"message", r + bytes(32)), "S + L, the same point": (public, b"message", r + (s + L).to_bytes(32, "little")),
           "S = L": (public, b"message", r + L.to_bytes(32, "little")), "S = L + 1": (public, b"message", r + (L + 1).to_bytes(32, "little")),
           "S = 2^256 - 1": (public, b"message", r + b"\xff" * 32), "S with its top bit set": (public, b"message", flipped(made, 511)), "S with bit 253 set": (public, b"message", flipped(made, 256 + 253)),
           "L - S, as if the other sign would do": (public, b"message", r + (L - s).to_bytes(32, "little")),
           "halves exchanged": (public, b"message", made[32:] + r), "R: its sign": (public, b"message", flipped(made, 255)), "R = 0": (public, b"message", bytes(32) + made[32:]),
           "R = 1, the neutral point": (public, b"message", (1).to_bytes(32, "little") + made[32:]), "R = p, not in its shortest form": (public, b"message", P.to_bytes(32, "little") + made[32:]),
           "R: no point at all": (public, b"message", (2).to_bytes(32, "little") + made[32:])}
    for bit in (0, 1, 128, 254, 256, 257, 384, 508):
        bad[f"bit {bit}"] = (public, b"message", flipped(made, bit))
    neutral = (1).to_bytes(32, "little")
    for name, point in (("the neutral point", neutral), ("0", bytes(32)), ("-1, of order 2", (P - 1).to_bytes(32, "little")), ("of order 8", h("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")),
                        ("of order 8, the other", h("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")), ("p + 1, the neutral point again", (P + 1).to_bytes(32, "little")), ("the neutral point with a sign", flipped(neutral, 255))):
        # What verifies for any message where such keys are taken: R the neutral point, S nothing.
        bad[f"a key that fits everything: {name}"] = (point, b"message", neutral + bytes(32))
        bad[f"a key and an R that fit everything: {name}"] = (point, b"message", point + bytes(32))
    bad["a key that is no point"] = ((2).to_bytes(32, "little"), b"message", made)
    bad["a key of ones"] = (b"\xff" * 32, b"message", made)
    bad["another's key"] = (Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes(*RAW), b"message", made)
    bad["the key's sign"] = (flipped(public, 255), b"message", made)
    for name, (key, message, signature) in bad.items():
        f.add("ed25519", name, "no", public=key, message=message, signature=signature)
        if not name.startswith("a key"):  # OpenSSL takes keys of low order
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
                raise AssertionError(name)
            except (InvalidSignature, ValueError):
                pass
    f.save()


def hashes():
    f = File("hashes.txt", "BLAKE2b-256 (RFC 7693), SHA-256 (RFC 6234), HMAC (RFC 4231), HKDF (RFC 5869), scrypt (RFC 7914), Argon2id (RFC 9106).")
    key = bytes(range(32))
    sizes = (0, 1, 3, 31, 32, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 255, 256, 1024, 4096)
    for size in sizes:
        data = bytes(i * 5 & 255 for i in range(size))
        f.add("blake2b", f"{size} bytes", "ok", data=data, gives=hashlib.blake2b(data, digest_size=32).digest())
        f.add("blake2b keyed", f"{size} bytes", "ok", key=key, data=data, gives=hashlib.blake2b(data, key=key, digest_size=32).digest())
        f.add("sha256", f"{size} bytes", "ok", data=data, gives=hashlib.sha256(data).digest())
    for name, k in (("zeros", bytes(32)), ("ones", b"\xff" * 32)):
        f.add("blake2b keyed", f"a key of {name}", "ok", key=k, data=b"text", gives=hashlib.blake2b(b"text", key=k, digest_size=32).digest())
    f.add("sha256", "RFC 6234: abc", "ok", data=b"abc", gives=h("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
    f.add("sha256", "RFC 6234: two blocks", "ok", data=b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", gives=h("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"))
    for label, context in ((b"a", b""), (b"", b"a"), (b"a", b"b"), (b"ab", b""), (b"a", b"\0b"), (b"label", bytes(500))):
        f.add("derive", f"label '{label.decode()}', context of {len(context)} bytes", "ok", key=key, label=label.decode(), context=context, gives=hashlib.blake2b(label + b"\0" + context, key=key, digest_size=32).digest())
    for size in (0, 1, 55, 56, 63, 64, 65, 1000):
        f.add("hmac", f"{size} bytes", "ok", key=key, data=bytes(size), gives=hmac.new(key, bytes(size), "sha256").digest())
    for name, secret, salt, info in (("RFC 5869, case 1", b"\x0b" * 22, bytes(range(13)), bytes(range(0xf0, 0xfa))), ("RFC 5869, case 2", bytes(range(0x50)), bytes(range(0x60, 0xb0)), bytes(range(0xb0, 0x100))),
                                     ("RFC 5869, case 3", b"\x0b" * 22, b"", b""), ("no secret", b"", b"salt", b"info"), ("a salt longer than a block", b"secret", bytes(65), b""), ("a salt of a block", b"secret", bytes(64), b""), ("a long secret", bytes(1000), b"", b"x")):
        f.add("hkdf", name, "ok", secret=secret, salt=salt, info=info, gives=HKDF(SHA256(), 32, salt or None, info).derive(secret))
    f.add("scrypt", "RFC 7914's with r = 8 and p = 1, its beginning", "ok", secret=b"pleaseletmein", salt=b"SodiumChloride", log_n=14, gives=h("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
    for secret, salt, log_n in ((b"", b"", 4), (b"x", b"", 1), (b"x" * 200, b"y" * 200, 5)):
        f.add("scrypt", f"N = 2^{log_n}, {len(secret)} and {len(salt)} bytes", "ok", secret=secret, salt=salt, log_n=log_n, gives=hashlib.scrypt(secret, salt=salt, n=2**log_n, r=8, p=1, dklen=32))
    for log_n in (0, 23, 64):
        f.add("scrypt", f"N = 2^{log_n}", "unexpected", secret=b"x", salt=b"y", log_n=log_n)
    for secret, salt, passes, memory in ((b"password", bytes(16), 1, 8), (b"", bytes(16), 1, 8), (b"x" * 1024, b"\xff" * 16, 1, 64), (b"password", bytes(range(16)), 2, 64), (b"pass\0word", bytes(16), 3, 256), (b"password", bytes(16), 16, 8), (b"\xff\xfe", bytes(16), 1, 1024)):
        f.add("argon2id", f"{passes} passes, {memory} KiB, {len(secret)} bytes", "ok", secret=secret, salt=salt, passes=passes, memory=memory, gives=Argon2id(salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory).derive(secret))
    for name, passes, memory in (("no pass", 0, 64), ("17 passes", 17, 64), ("2^32 - 1 passes", 2**32 - 1, 64), ("7 KiB", 1, 7), ("no memory", 1, 0), ("more than 1 GiB", 1, 1024 * 1024 + 1), ("2^32 - 1 KiB", 1, 2**32 - 1)):
        f.add("argon2id", name, "corrupt", secret=b"password", salt=bytes(16), passes=passes, memory=memory)
    f.save()


def multiply(a, b):
    """In GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1."""
    out = 0
    while b:
        out ^= a if b & 1 else 0
        a, b = a << 1 ^ (0x11d if a & 0x80 else 0), b >> 1
    return out


def inverse(a):
    return next(b for b in range(1, 256) if multiply(a, b) == 1)


def shares():
    f = File("shares.txt", "Shamir's sharing over GF(2^8) (crypto::join_key): number:part, one after the other.")

    def part(coefficients, x):
        out = bytearray(32)
        for at in range(32):
            power = 1
            for row in coefficients:
                out[at] ^= multiply(row[at], power)
                power = multiply(power, x)
        return bytes(out)

    def joined(pieces):
        out = bytearray(32)
        for x, y in pieces:
            weight = 1
            for other, _ in pieces:
                if other != x:
                    weight = multiply(weight, multiply(other, inverse(other ^ x)))
            for at in range(32):
                out[at] ^= multiply(y[at], weight)
        return bytes(out)

    def text(pieces):
        return " ".join(f"{x}:{y.hex()}" for x, y in pieces)

    secrets = {"zeros": bytes(32), "ones": b"\xff" * 32, "every byte another": bytes(range(32)), "0x80 alone": b"\x80" * 32}
    for name, secret in secrets.items():
        for need in (2, 3, 5):
            rows = [secret] + [hashlib.sha256(f"{name}{need}{i}".encode()).digest() for i in range(1, need)]
            pieces = [(x, part(rows, x)) for x in ((1, 2, 3, 4, 5), (32, 31, 7, 19, 2))[need % 2][:need]]
            assert joined(pieces) == secret
            f.add("shares", f"a secret of {name}, {need} needed", "ok", shares=text(pieces), gives=secret)
            f.add("shares", f"a secret of {name}, {need} needed, in another order", "ok", shares=text(pieces[::-1]), gives=secret)
            if need > 2:
                f.add("shares", f"a secret of {name}, {need} needed and one missing: another key", "ok", shares=text(pieces[:-1]), gives=joined(pieces[:-1]))
    a, b = (1, bytes(32)), (2, bytes(32))
    f.add("shares", "parts of zeros", "ok", shares=text([a, b]), gives=bytes(32))
    for name, pieces in (("one", [a]), ("none", []), ("one twice", [a, a]), ("number 0", [(0, bytes(32)), b]), ("number 33", [(33, bytes(32)), b]), ("number 255", [(255, bytes(32)), b]), ("three, of which two are one", [a, b, a])):
        f.add("shares", name, "usage", shares=text(pieces))
    f.save()


if __name__ == "__main__":
    aead()
    x25519()
    ed25519()
    hashes()
    shares()
