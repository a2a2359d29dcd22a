#!/usr/bin/env python3
"""Writes the frozen examples of docs/format/keys.md from the page alone, without the code that reads them.

Needs libsodium. Sealing draws random nonces; here they are fixed, so that the files stay the same."""
import ctypes
import ctypes.util
import hashlib
import struct
from pathlib import Path

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium"))
HERE = Path(__file__).resolve().parent


def fill(value, size=32):
    return bytes([value]) * size


def seal(key, nonce, associated, plain):
    out = ctypes.create_string_buffer(len(plain) + 16)
    size = ctypes.c_ulonglong()
    failed = SODIUM.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, ctypes.byref(size), plain, ctypes.c_ulonglong(len(plain)), associated,
        ctypes.c_ulonglong(len(associated)), None, nonce, key)
    assert failed == 0 and size.value == len(out)
    return nonce + out.raw


def seal_piece(key, nonce, plain):
    out = ctypes.create_string_buffer(len(plain) + 16)
    size = ctypes.c_ulonglong()
    failed = SODIUM.crypto_aead_chacha20poly1305_ietf_encrypt(
        out, ctypes.byref(size), plain, ctypes.c_ulonglong(len(plain)), None, ctypes.c_ulonglong(0), None, nonce, key)
    assert failed == 0 and size.value == len(out)
    return out.raw


def text(value):
    return struct.pack("<H", len(value)) + value.encode()


START = 1795426342123
EXPIRES = START + 181 * 86400 * 1000


def node_plain(flags):
    row = fill(0x0A, 16) + struct.pack("<QQQI", START, EXPIRES, START, 187)
    row += struct.pack("<BBBB", 0, 1, 0, flags)
    row += fill(0x50)
    row += struct.pack("<BI", 1, 1)
    row += struct.pack("<B", 1) + text("12/2026") + struct.pack("<BQ", 1, EXPIRES + 1)
    row += struct.pack("<B", 1) + struct.pack("<BH", 1, 0) + fill(0x48) + fill(0x51)
    return struct.pack("<II", 1, 8) + row


def node_file(plain, version):
    header = b"CVBUCKET" + struct.pack("<HHIQ", version, 0, 3, 2) + fill(0xA1, 24)
    key = hashlib.blake2b(b"callvault v1 node pieces\0" + header, key=fill(0x22), digest_size=32).digest()
    assert len(plain) <= 8192
    return header + seal_piece(key, bytes(11) + b"\1", plain)


def directory_plain(node):
    out = struct.pack("<IIIBQQ", 4, 3, 1, 1, START - 3600000, 42) + fill(0x4A) + fill(0x53)
    out += struct.pack("<I", 1) + struct.pack("<I", 3) + text("default") + struct.pack("<IQI", 20780, 2, 1)
    out += hashlib.blake2b(node, digest_size=32).digest() + fill(0x22) + fill(0x33)
    out += struct.pack("<I", 1) + struct.pack("<IQ", 2, START - 7200000) + fill(0x44) + fill(0x55)
    out += struct.pack("<I", 1) + text("2026-11") + fill(0x66)
    out += struct.pack("<I", 1) + text("ana") + struct.pack("<BBQ", 3, 0, START - 86400000) + fill(0x77) + fill(0x88)
    out += struct.pack("<I", 1) + fill(0x0A, 16) + text("erased") + struct.pack("<B", 2)
    return out


def register_file():
    header = b"CVREGIST" + struct.pack("<HHIQ", 1, 0, 0, 3) + text("opt-out")
    key = hashlib.blake2b(b"callvault v1 register\0", key=fill(0xB1), digest_size=32).digest()
    return header + seal(key, fill(0xA3, 24), header, b'{"numbers":[],"version":1}')


def registers(register):
    return struct.pack("<I", 1) + text("opt-out") + struct.pack("<Q", 3) + hashlib.blake2b(
        register, digest_size=32).digest() + fill(0xB1) + fill(0xB2)


def directory_file(plain, version):
    prefix = b"CVDIRECT" + struct.pack("<HHIQ", version, 0, 0, 5)
    key = hashlib.blake2b(b"callvault v1 directory\0", key=fill(0x11), digest_size=32).digest()
    return prefix + seal(key, fill(0xA2, 24), prefix, plain)


def intake_file():
    body = b"CVINTAKE" + struct.pack("<HHI", 1, 0, 2) + fill(0x99) + fill(0x55)
    return body + hashlib.blake2b(body, digest_size=32).digest()


def write(name, what, data):
    digits = data.hex()
    lines = [f"# {what}"] + [digits[at:at + 64] for at in range(0, len(digits), 64)]
    (HERE / name).write_text("\n".join(lines) + "\n")


def main():
    plain = node_plain(8 | 32)
    write("node_v2_plain.hex", "plaintext of node_v2.hex", plain)
    write("node_v2.hex", "keys/buckets/3.2, n_b = 32 times 22", node_file(plain, 2))
    plain = node_plain(8)
    node = node_file(plain, 1)
    write("node_v1_plain.hex", "plaintext of node_v1.hex", plain)
    write("node_v1.hex", "keys/buckets/3.2, n_b = 32 times 22", node)
    plain = directory_plain(node)
    write("directory_v1_plain.hex", "plaintext of directory_v1.hex", plain)
    write("directory_v1.hex", "keys/directory, root key = 32 times 11, epoch 5", directory_file(plain, 1))
    plain += registers(register_file())
    write("directory_v2_plain.hex", "plaintext of directory_v2.hex", plain)
    write("directory_v2.hex", "keys/directory, root key = 32 times 11, epoch 5", directory_file(plain, 2))
    write("register_v1.hex", "keys/registers/opt-out.3, its key = 32 times b1", register_file())
    write("intake_v1.hex", "keys/intake/2", intake_file())


if __name__ == "__main__":
    main()
