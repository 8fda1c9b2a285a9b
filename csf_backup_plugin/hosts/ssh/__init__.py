"""A host that ssh reaches. Nothing of this plugin has to be installed there."""
