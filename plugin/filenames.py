"""Names that a person chose as parts of file names, safe on Windows, macOS and Linux."""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = frozenset('<>:"/\\|?*')
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)


def safe_name(text: str, *, limit: int, fallback: str) -> str:
    """`text` as one part of a file name: NFC, no separators, no spaces, at most `limit` UTF-8 bytes.

    Letters of every script stay. What a system forbids, and blanks, become `-`; what cannot be seen
    goes. Dots, dashes and underscores at the ends go. `fallback` when nothing is left.
    """
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(_replacement(character) for character in composed)
    joined = re.sub(r"-{2,}", "-", kept)
    cut = _cut(joined.strip("-._"), limit).strip("-._")
    if _RESERVED.fullmatch(cut):
        cut = f"{fallback}-{cut}"
    return cut or fallback


def _replacement(character: str) -> str:
    if character.isspace() or character in _FORBIDDEN:
        return "-"
    return "" if unicodedata.category(character) in _UNSEEN else character


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes, never half a character nor a letter without its accent."""
    if len(text.encode("utf-8")) <= limit:
        return text
    cut = text.encode("utf-8")[:limit].decode("utf-8", "ignore")
    rest = text[len(cut) :]
    if unicodedata.combining(rest[0]):
        cut = cut.rstrip("".join({c for c in cut if unicodedata.combining(c)}))[:-1]
    return cut


def folded(name: str) -> str:
    """What two names have in common when some disk takes them for the same file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
