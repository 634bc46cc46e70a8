"""``python -m portal.error_docs docs/reference/errors``: writes the pages as Markdown."""

from __future__ import annotations

import sys
from pathlib import Path

from .markdown import markdown_files

for name, text in markdown_files().items():
    file = Path(sys.argv[1], name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
