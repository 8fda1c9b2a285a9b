"""A simulated ObjectStore and csf: what a csf plugin needs to be tested without either."""

from __future__ import annotations

__version__ = "0.1.0"
