"""Backs up whole ObjectStore master repositories from csf, and proves every backup."""

from __future__ import annotations

__version__ = "0.1.0"
