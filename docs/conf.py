"""How Sphinx builds these pages: ``tox -e docs``. It needs no network."""

from __future__ import annotations

import csf_backup_plugin

project = "csf-backup-plugin"
author = "The csf-backup-plugin developers"
version = release = csf_backup_plugin.__version__
extensions = ["myst_parser"]
# GitHub makes the same anchors, so a link works there, too.
myst_heading_anchors = 3
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = project
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
# A shell session is shown as it was printed; Sphinx guesses no language for indented text.
highlight_language = "none"
