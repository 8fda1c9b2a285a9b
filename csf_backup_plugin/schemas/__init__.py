"""The form of every document that the plugin writes or prints, as JSON Schemas (draft 2020-12)."""
