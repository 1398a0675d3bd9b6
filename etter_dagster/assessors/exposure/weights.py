"""The trained weights: one file, read once. No text is handled here."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from etter_dagster.assessors.exposure.meaning import Meaning

WEIGHTS_FILE = Path(__file__).with_name("weights.npz")


@dataclass(frozen=True)
class Block:
    """Weights of one kind of n-gram; all arrays are parallel."""

    keys: NDArray[np.uint32]
    """Hashes, ascending."""
    idf: NDArray[np.float32]
    slopes: NDArray[np.float32]
    """(n-gram, output): what a fully present n-gram adds to the share of E1 and of E2."""


@dataclass(frozen=True)
class Weights:
    """All that training found out."""

    words: Block
    chars: Block
    openings: Block
    meaning: Meaning
    intercept: NDArray[np.float32]
    digest: str
    """First 12 hex digits of the SHA-256 of the file."""


def read_weights(path: Path = WEIGHTS_FILE) -> Weights:
    """Read the weights from the package."""
    return weights_of(path.read_bytes())


def weights_of(raw: bytes) -> Weights:
    """The weights in the bytes of a weights file."""
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        arrays = {name: _widened(file[name]) for name in file.files}
    return Weights(
        words=_block(arrays, "words"),
        chars=_block(arrays, "chars"),
        openings=_block(arrays, "openings"),
        meaning=Meaning(
            keys=arrays["meaning_keys"],
            idf=arrays["meaning_idf"],
            topics=arrays["meaning_topics"],
            landmarks=arrays["meaning_landmarks"],
            slopes=arrays["meaning_slopes"],
            sharpness=float(arrays["meaning_sharpness"]),
        ),
        intercept=arrays["intercept"],
        digest=hashlib.sha256(raw).hexdigest()[:12],
    )


def weights_file(
    blocks: dict[str, Block], meaning: Meaning, intercept: NDArray[np.float32]
) -> bytes:
    """What `weights_of` reads, in half precision. Used by training only."""
    arrays: dict[str, NDArray[Any]] = {
        "intercept": intercept.astype(np.float32),
        "meaning_sharpness": np.array(meaning.sharpness, dtype=np.float32),
    }
    for name, block in blocks.items():
        arrays |= _narrowed(name, keys=block.keys, idf=block.idf, slopes=block.slopes)
    arrays |= _narrowed(
        "meaning",
        keys=meaning.keys,
        idf=meaning.idf,
        topics=meaning.topics,
        landmarks=meaning.landmarks,
        slopes=meaning.slopes,
    )
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _block(arrays: dict[str, NDArray[Any]], name: str) -> Block:
    return Block(
        keys=arrays[f"{name}_keys"], idf=arrays[f"{name}_idf"], slopes=arrays[f"{name}_slopes"]
    )


def _narrowed(prefix: str, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}_{name}": array if array.dtype == np.uint32 else array.astype(np.float16)
        for name, array in arrays.items()
    }


def _widened(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.float32) if array.dtype == np.float16 else array
