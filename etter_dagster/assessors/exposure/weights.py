"""The trained weights: one file, read once. No text is handled here."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE = Path(__file__).with_name("weights.npz")
BLOCKS = ("words", "chars")


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
    intercept: NDArray[np.float32]
    digest: str
    """First 12 hex digits of the SHA-256 of the file."""


def read_weights(path: Path = WEIGHTS_FILE) -> Weights:
    """Read the weights from the package."""
    raw = path.read_bytes()
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        blocks = {
            name: Block(
                keys=file[f"{name}_keys"],
                idf=file[f"{name}_idf"].astype(np.float32),
                slopes=file[f"{name}_slopes"].astype(np.float32),
            )
            for name in BLOCKS
        }
        intercept = file["intercept"].astype(np.float32)
    return Weights(**blocks, intercept=intercept, digest=hashlib.sha256(raw).hexdigest()[:12])


def write_weights(
    path: Path,
    blocks: dict[str, tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.float32]]],
    intercept: NDArray[np.float32],
) -> None:
    """Write what `read_weights` reads, in half precision. Used by training only."""
    arrays: dict[str, NDArray[np.generic]] = {"intercept": intercept.astype(np.float32)}
    for name, (keys, idf, slopes) in blocks.items():
        arrays[f"{name}_keys"] = keys
        arrays[f"{name}_idf"] = idf.astype(np.float16)
        arrays[f"{name}_slopes"] = slopes.astype(np.float16)
    np.savez_compressed(path, allow_pickle=False, **arrays)
