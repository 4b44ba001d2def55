"""Run the command line as ``python -m binocular``."""

from __future__ import annotations

from binocular.cli import main

if __name__ == "__main__":
    main()
