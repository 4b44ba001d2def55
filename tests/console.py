"""The command line within this process: what a person would see, without starting Python and torch anew."""

from __future__ import annotations

import io
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

from binocular.start import main
from binocular.stimuli import user_code

__all__ = ["ROOT", "assert_one_sentence", "binocular"]

ROOT = Path(__file__).parents[1]


def binocular(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, and leave this process as it was."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before, asked, modules = Path.cwd(), signal.getsignal(signal.SIGTERM), set(sys.modules)
    code = 0
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "100", **environment}),
        mock.patch.multiple(sys, argv=["binocular", *arguments], stdout=out, stderr=err, path=[*sys.path]),
        mock.patch.multiple(user_code, _allowed=set(), _trusted=False, _beside=[]),
        mock.patch.object(logging.root, "handlers", []),
    ):
        os.chdir(cwd)
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            os.chdir(before)
            signal.signal(signal.SIGTERM, asked)
    for name in set(sys.modules) - modules:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(cwd):
            del sys.modules[name]
    logging.getLogger("binocular").setLevel(logging.NOTSET)
    said, complained = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(list(arguments), code, said, complained)


def assert_one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Assert exit code 2 and one line that holds the words."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("binocular: "), done.stderr
    for word in words:
        assert word in lines[0], (word, lines[0])
    assert "Traceback" not in done.stdout + done.stderr
