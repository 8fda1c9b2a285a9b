"""What a receipt says of an image, read back."""

from __future__ import annotations

import pytest

from csf_backup_plugin import proven, receipt


def test_a_receipt_that_leaves_something_out_is_none() -> None:
    """Sealed or not: nobody can be sure of an image it says too little of."""
    with pytest.raises(receipt.CorruptReceipt, match="does not tell 'master'"):
        proven.decode(receipt.encode({"image": "/b/a.img"}))
