"""What an incremental image is built upon, as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.image.base import Base, pack_base, unpack_base
from csf_simulator.image.layout import ImageError

eights = st.binary(min_size=8, max_size=8)
digests = st.binary(min_size=16, max_size=16)
BASE = Base(2, 1, b"image id", 7, b"d" * 16)


@given(
    st.integers(1, 9).flatmap(lambda level: st.tuples(st.just(level), st.integers(0, level - 1)))
)
def test_any_base_comes_back(levels: tuple[int, int]) -> None:
    """What was packed is unpacked, whatever the levels."""
    base = Base(*levels, b"image id", 7, b"d" * 16)
    assert unpack_base(pack_base(base)) == base


@given(eights, st.integers(1, 2**64 - 1), digests)
def test_any_state_comes_back(image_id: bytes, sectors: int, digest: bytes) -> None:
    """What was packed is unpacked, whatever the contents."""
    base = Base(1, 0, image_id, sectors, digest)
    assert unpack_base(pack_base(base)) == base


@pytest.mark.parametrize(
    "base",
    [
        BASE._replace(level=10),
        BASE._replace(level=1),
        BASE._replace(base_level=2),
        BASE._replace(level=0, base_level=0),
        BASE._replace(sectors=0),
    ],
)
def test_impossible_base_is_refused(base: Base) -> None:
    """Levels go up to 9, each is built upon a lower one, and no database is empty."""
    with pytest.raises(ImageError, match="impossible"):
        unpack_base(pack_base(base))


@pytest.mark.parametrize("payload", [b"", pack_base(BASE)[:-1], pack_base(BASE) + b"\0"])
def test_other_lengths_are_refused(payload: bytes) -> None:
    """A base has 36 bytes, neither fewer nor more."""
    with pytest.raises(ImageError, match="length"):
        unpack_base(payload)
