"""Backup images: their bytes, and writing, verifying and restoring them.

`simulator/IMAGE_FORMAT.md` shows the layout. Invented here: the bytes of real images are
ObjectStore's own, so no caller may look into an image but through osrestore.
"""
