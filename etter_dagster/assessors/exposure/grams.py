"""Texts to hashed word and character n-grams, all texts of a document in one vectorised pass.

Training and run time share this file, so that they cannot disagree. Nothing here knows weights.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Letters are lower-cased, digits look alike, everything else separates words.
_FOLD = bytes(
    ord("0") if 48 <= c <= 57 else c + 32 if 65 <= c <= 90 else c if 97 <= c <= 122 else 32
    for c in range(256)
)
_DASHES = str.maketrans("‐‑‒–—―−…", " " * 8)
_CHAR_SIZES = (3, 4, 5)
_PRIME = np.uint32(16777619)
_MAX_WORD = 64
_SPACE, _END = 32, 10


class Grams(NamedTuple):
    """N-grams of one kind: parallel arrays, one entry per occurrence."""

    keys: NDArray[np.uint32]
    text: NDArray[np.int64]
    """Which of the texts it occurs in."""
    word: NDArray[np.int64]
    """Which word it occurs in (its first word), counted over all texts."""


class HashedTexts(NamedTuple):
    """The kinds of n-grams, and the words they point at."""

    singles: Grams
    """The words by themselves, one entry per word."""
    words: Grams
    chars: Grams
    openings: Grams
    """How each text begins: its verb mostly, which says more than the same word elsewhere."""
    spelling: list[str]
    """The folded spelling of each word."""


def fold(text: str) -> bytes:
    """Lower-case ASCII words with one space between them."""
    text = text.replace("’s", "").replace("'s", "")
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text.translate(_DASHES))
    return b" ".join(text.encode("ascii", "ignore").translate(_FOLD).split())


def hash_texts(texts: Sequence[str]) -> HashedTexts:
    """Hash the words, word 1- and 2-grams, character 3- to 5-grams (within words) and openings."""
    joined = b"\n".join(b" %b " % fold(text) for text in texts)
    data = np.frombuffer(joined, dtype=np.uint8)
    text_at = np.cumsum(data == _END)
    is_gap = data <= _SPACE
    starts = np.flatnonzero(~is_gap[1:] & is_gap[:-1]) + 1
    word_at = np.cumsum(np.bincount(starts, minlength=data.size)) - 1
    single = _word_hashes(data, starts, is_gap, word_at)
    text = text_at[starts]
    same = np.flatnonzero(text[1:] == text[:-1])
    pair = _pair_hashes(single, same)
    word = np.arange(starts.size)
    singles = Grams(_mix(single), text, word)
    pairs = Grams(_mix(pair), text[same], same)
    return HashedTexts(
        singles=singles,
        words=_together(singles, pairs),
        chars=_char_grams(data, is_gap, text_at, word_at),
        openings=_openings(single, text, same, pair),
        spelling=[word.decode() for word in joined.split()],
    )


def _word_hashes(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    is_gap: NDArray[np.bool_],
    word_at: NDArray[np.int64],
) -> NDArray[np.uint32]:
    if not starts.size:
        return np.zeros(0, dtype=np.uint32)
    offset = np.minimum(np.arange(data.size) - starts[word_at.clip(0)], _MAX_WORD - 1)
    powers = np.cumprod(np.full(_MAX_WORD, _PRIME, dtype=np.uint32), dtype=np.uint32)
    spread = np.where(is_gap, np.uint32(0), data.astype(np.uint32) * powers[offset.clip(0)])
    hashes: NDArray[np.uint32] = np.add.reduceat(spread, starts, dtype=np.uint32)
    return hashes


def _pair_hashes(single: NDArray[np.uint32], first: NDArray[np.int64]) -> NDArray[np.uint32]:
    hashes: NDArray[np.uint32] = single[first] * np.uint32(2654435761) + single[first + 1]
    hashes += np.uint32(97)
    return hashes


def _openings(
    single: NDArray[np.uint32],
    text: NDArray[np.int64],
    same: NDArray[np.int64],
    pair: NDArray[np.uint32],
) -> Grams:
    """The first word of each text and its first pair; of "prepare or review ..." also "review"."""
    is_first = np.ones(single.size, dtype=np.bool_)
    is_first[1:] = text[1:] != text[:-1]
    first = np.flatnonzero(is_first)
    begins = is_first[same]
    joined = np.isin(single[same + 1], _joining_words()) & begins
    third = same[joined] + 2
    third = third[third < single.size]
    third = third[text[third] == text[third - 2]]
    keys = [single[first] ^ np.uint32(1), pair[begins] ^ np.uint32(2), single[third] ^ np.uint32(3)]
    word = np.concatenate([first, same[begins], third])
    return Grams(_mix(np.concatenate(keys)), text[word], word)


def _joining_words() -> NDArray[np.uint32]:
    data = np.frombuffer(b" and or ", dtype=np.uint8)
    is_gap = data == _SPACE
    starts = np.array([1, 5])
    word_at = np.cumsum(np.bincount(starts, minlength=data.size)) - 1
    return _word_hashes(data, starts, is_gap, word_at)


def _together(one: Grams, other: Grams) -> Grams:
    return Grams(
        keys=np.concatenate([one.keys, other.keys]),
        text=np.concatenate([one.text, other.text]),
        word=np.concatenate([one.word, other.word]),
    )


def _char_grams(
    data: NDArray[np.uint8],
    is_gap: NDArray[np.bool_],
    text_at: NDArray[np.int64],
    word_at: NDArray[np.int64],
) -> Grams:
    gaps_before = np.concatenate([[0], np.cumsum(is_gap)])
    wide = data.astype(np.uint32)
    rolling = wide * _PRIME + wide.take(np.arange(1, data.size + 1), mode="clip")
    keys, places = [], []
    for size in _CHAR_SIZES:
        count = data.size - size + 1
        if count <= 0:
            break
        rolling = rolling[:count] * _PRIME + wide[size - 1 :]
        inner_gaps = gaps_before[size - 1 : size - 1 + count] - gaps_before[1 : 1 + count]
        place = np.flatnonzero(inner_gaps == 0)
        keys.append(_mix(rolling[place] + np.uint32(size)))
        places.append(place)
    if not keys:
        empty = np.zeros(0, dtype=np.int64)
        return Grams(empty.astype(np.uint32), empty, empty)
    place = np.concatenate(places)
    return Grams(
        keys=np.concatenate(keys),
        text=text_at[place],
        word=word_at[place + is_gap[place]],
    )


def _mix(keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Spread similar hashes apart (the finish of MurmurHash3)."""
    keys = keys ^ (keys >> np.uint32(16))
    keys = keys * np.uint32(0x85EBCA6B)
    keys = keys ^ (keys >> np.uint32(13))
    keys = keys * np.uint32(0xC2B2AE35)
    mixed: NDArray[np.uint32] = keys ^ (keys >> np.uint32(16))
    return mixed
