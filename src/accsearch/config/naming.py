"""The name of a configuration that does not say its own: its file's, as far as folders and ids may have it."""

import hashlib
import unicodedata

SIGNS = "._+-"
HASH_DIGITS = 6


def name_of_file(stem: str) -> str:
    """Return the name for a file of this stem, the same on every machine.

    Letters outside ASCII are not allowed in a name. What is left without them gets six hexadecimal digits of the
    whole stem's hash, so that two such files have two names: `实验 1` becomes `1-` and its digits.
    """
    # macOS hands out names decomposed, Linux as they were typed.
    stem = unicodedata.normalize("NFC", stem)
    plain = unicodedata.normalize("NFKD", stem)
    kept = "".join(_kept(letter) for letter in plain if not unicodedata.combining(letter))
    if stem.isascii():
        return kept.lstrip(SIGNS) or "config"
    words = "-".join(filter(None, kept.split("-"))).strip(SIGNS) or "config"
    return f"{words}-{hashlib.sha256(stem.encode()).hexdigest()[:HASH_DIGITS]}"


def _kept(letter: str) -> str:
    return letter if letter.isascii() and (letter.isalnum() or letter in SIGNS) else "-"
