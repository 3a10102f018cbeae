"""The tokenizer of a bundle: CLIP's byte-pair encoding as a `tokenizer.json` (spec section 2.2).

The file holds the splitting into words and the merges, no clean-up and no special tokens. Who reads
it cleans the text (`normalise_text`), encodes it, and adds the ids of start and end (`encode`);
the runtime does the same with the ids of the manifest.
"""

from __future__ import annotations

import gzip
import html
import importlib.util
import zlib
from dataclasses import dataclass
from pathlib import Path

import ftfy
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from exporter.errors import ExportError

START = "<start_of_text>"
END = "<end_of_text>"
WORD_END = "</w>"
PAD_ID = 0
"""The published text tower was trained with id 0 as padding, which is also the token of "!"."""

MINIMAL_VOCABULARY = 514
"""Every byte, every byte at a word's end, start and end."""

FULL_VOCABULARY = 49408
MERGES_FILE = "bpe_simple_vocab_16e6.txt.gz"

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True, slots=True)
class TextIds:
    """How a prompt becomes a row of ids: `[start, words..., end, pad...]`, cut to `length`."""

    length: int
    start_id: int
    end_id: int
    pad_id: int


def load_merges(path: Path | None = None) -> tuple[tuple[str, str], ...]:
    """CLIP's merges, most frequent first, from its gzipped table.

    Args:
        path: the table; None finds the copy inside the installed `open_clip` package without importing it.

    Raises:
        ExportError: no such table, or it is something else.
    """
    table = path or _installed_table()
    try:
        lines = gzip.decompress(table.read_bytes()).decode("utf-8").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        message = f"The table of merges {table} cannot be read."
        raise ExportError(
            message, remedy="Name the file bpe_simple_vocab_16e6.txt.gz.", detail=str(error)
        ) from None
    merges = tuple(_pair(line) for line in lines[1:] if len(line.split()) == 2)
    if len(merges) < FULL_VOCABULARY - MINIMAL_VOCABULARY:
        message = f"The table of merges {table} has {len(merges)} lines, too few for CLIP."
        raise ExportError(message, remedy="Name the file bpe_simple_vocab_16e6.txt.gz.")
    return merges[: FULL_VOCABULARY - MINIMAL_VOCABULARY]


def build_tokenizer(merges: tuple[tuple[str, str], ...], *, vocabulary: int) -> Tokenizer:
    """A tokenizer of exactly `vocabulary` ids: bytes, bytes at word ends, the first merges, start, end.

    Ids are CLIP's own when the vocabulary is the full one.

    Raises:
        ValueError: the vocabulary is too small for all bytes or larger than the table.
    """
    used = merges[: vocabulary - MINIMAL_VOCABULARY]
    if vocabulary < MINIMAL_VOCABULARY or len(used) != vocabulary - MINIMAL_VOCABULARY:
        raise ValueError(
            f"a vocabulary of {vocabulary} needs at least 514 and at most {514 + len(merges)} ids"
        )
    letters = byte_letters()
    tokens = [*letters, *(letter + WORD_END for letter in letters), *(a + b for a, b in used), START, END]
    ids = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(
        models.BPE(vocab=ids, merges=list(used), continuing_subword_prefix="", end_of_word_suffix=WORD_END)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def text_ids(*, vocabulary: int, length: int) -> TextIds:
    """Start and end are the last two ids of a vocabulary."""
    return TextIds(length=length, start_id=vocabulary - 2, end_id=vocabulary - 1, pad_id=PAD_ID)


def normalise_text(text: str) -> str:
    """Mojibake mended, HTML entities resolved twice, white space collapsed, lower case."""
    mended = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(mended.split()).lower()


def encode(tokenizer: Tokenizer, text: str, ids: TextIds) -> tuple[int, ...]:
    """The row of `ids.length` token ids of a prompt; a long one loses its last words, never its end."""
    words = tokenizer.encode(normalise_text(text), add_special_tokens=False).ids[: ids.length - 2]
    row = (ids.start_id, *words, ids.end_id)
    return row + (ids.pad_id,) * (ids.length - len(row))


def byte_letters() -> tuple[str, ...]:
    """One printable character per byte, in the order of CLIP's ids.

    Bytes that print in Latin-1 stand for themselves and come first; the others borrow the characters from
    U+0100 on.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return tuple(chr(code) for code in (*printable, *range(0x100, 0x100 + others)))


def _pair(line: str) -> tuple[str, str]:
    first, second = line.split()
    return first, second


def _installed_table() -> Path:
    spec = importlib.util.find_spec("open_clip")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        table = Path(folder) / MERGES_FILE
        if table.is_file():
            return table
    raise ExportError("CLIP's table of merges was not found.", remedy="Install the package open_clip_torch.")
