"""Run the command line as ``python -m binocular``."""

from __future__ import annotations

import sys

from binocular.start import main

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]  # the working folder, which Python has put there
    main()
