"""Choose where osrestore takes sectors from: the image, or for an increment also the targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from csf_simulator.image.base import Base
from csf_simulator.image.scanner import Frame

Loader = Callable[[Frame, bytearray], memoryview]


def loader_for(bases: Mapping[int, Base], targets: Mapping[int, str]) -> Loader:
    """Return what loads the sectors of a record into the buffer that it was claimed with.

    Args:
        bases: what databases of the image build upon, by number.
        targets: where databases go, by number.

    Raises:
        OSError: a target that is built upon cannot be read.
        UtilityError: a target is not as the image expects it.
    """
    if not bases:
        return Frame.load
    # Imported only here: its modules take as long to import as all others together.
    from csf_simulator.utilities.incremental_loading import IncrementalLoader

    return IncrementalLoader(bases, targets).load
