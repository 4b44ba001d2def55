"""Who may talk to the lab: tokens, hosts, origins; and what is said when it cannot start."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from binocular.lab.guard import Guard
from binocular.lab.serving import serve
from binocular.stimuli.errors import BadInput


def test_only_the_right_token_is_known():
    guard = Guard("secret")
    assert guard.knows("secret")
    for wrong in (None, "", "Secret", "secre", "secrets", "sécret"):
        assert not guard.knows(wrong)
    assert Guard(None).knows(None)


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765", "localhost"])
def test_a_local_lab_is_served_under_local_names(host):
    assert Guard("t").is_local and Guard("t").serves(host)


@pytest.mark.parametrize(
    "host", [None, "", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example:8765", "10.0.0.7:8765"]
)
def test_a_local_lab_is_not_served_under_other_names(host):
    assert not Guard("t").serves(host)


def test_an_open_lab_is_served_under_its_addresses_and_its_name_but_no_other():
    guard = Guard("t", "0.0.0.0", ("classroom",))
    assert not guard.is_local
    for host in ("10.0.0.7:8765", "classroom:8765", "127.0.0.1:8765", "[fe80::1]:8765"):
        assert guard.serves(host)
    assert not guard.serves("evil.example:8765")


def test_only_pages_of_the_lab_are_trusted():
    guard = Guard("t")
    here = {"host": "127.0.0.1:8765"}
    assert guard.trusts({**here, "origin": "http://127.0.0.1:8765"})
    for origin in ("http://127.0.0.1:9999", "http://evil.example", "null", ""):
        assert not guard.trusts({**here, "origin": origin})
    assert not guard.trusts(here)


def test_a_port_in_use_or_impossible_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput, match="cannot be listened at"):
            serve(port=taken.getsockname()[1], open_browser=False)
    with pytest.raises(BadInput, match="0 for a free one"):
        serve(port=70000, open_browser=False)


def test_without_the_extra_the_command_says_how_to_get_it():
    code = """
import sys
import binocular.lab.serving as serving
serving._NEEDED = ("starlette", "not_installed_here")
sys.argv = ["binocular", "lab", "--no-browser"]
from binocular.start import main
main()
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1 and "pip install not_installed_here" in found.stderr
    assert "not_installed_here, which is not installed" in found.stderr
