"""``python -m avelzoo``."""

from __future__ import annotations

import sys

from avelzoo.cli import main

if __name__ == "__main__":
    sys.exit(main())
