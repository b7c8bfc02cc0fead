"""Keys of surveys: random, opened from a QR code or typed from paper."""

import hashlib
import secrets

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without letters and digits that are mistaken for each other."""
_LENGTH = 16
"""31 ** 16 keys are 79 bits: with the rate limit of the public pages nobody guesses one."""


def new_key() -> str:
    """A fresh random key."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def grouped(key: str) -> str:
    """A key in groups of four, as it is printed and typed."""
    return "-".join(key[start : start + 4] for start in range(0, len(key), 4))


def plain_key(text: str) -> str:
    """A key as it was made, from however somebody typed it."""
    return "".join(sign for sign in text.lower() if sign in _ALPHABET)


def key_hash(key: str) -> str:
    """SHA-256 (hex) of a key, however typed; keys are random, so no salt is needed."""
    return hashlib.sha256(plain_key(key).encode()).hexdigest()
