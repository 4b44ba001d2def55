"""Named random streams: the same name the same numbers, another name unrelated ones."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import torch
from hypothesis import given
from hypothesis import strategies as st

from binocular.stimuli.streams import global_stream, stream, stream_key

names = st.text(st.characters(codec="utf-8", exclude_characters="|"), max_size=20)
seeds = st.integers(-(2**40), 2**40)


@given(seeds, names, st.integers(0, 10_000))
def test_same_name_gives_same_numbers(seed: int, purpose: str, epoch: int) -> None:
    first = torch.randn(5, generator=stream(seed, purpose, epoch))
    again = torch.randn(5, generator=stream(seed, purpose, epoch))
    assert torch.equal(first, again)


@given(st.lists(st.tuples(seeds, names, st.integers(0, 100)), min_size=2, max_size=20, unique=True))
def test_other_names_give_other_keys(names: list[tuple[int, str, int]]) -> None:
    keys = {stream_key(*name) for name in names}
    assert len(keys) == len(names)
    assert all(0 <= key < 2**63 for key in keys)


def test_key_is_fixed_for_ever() -> None:
    # Stored studies are only reproducible while this mapping stays as it is.
    assert stream_key(0, "order", 0) == 5617314440832320419
    assert stream_key(1, "order", 0) != stream_key(0, "order", 1)


def test_neighbouring_seeds_are_unrelated() -> None:
    numbers = torch.stack([torch.randn(2000, generator=stream(seed, "noise")) for seed in range(6)])
    correlation = torch.corrcoef(numbers) - torch.eye(6)
    assert correlation.abs().max() < 0.1


def test_global_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    torch.randn(3, generator=stream(0, "noise"))
    assert torch.equal(before, torch.random.get_rng_state())


def test_threads_do_not_take_each_others_numbers_of_the_global_generator() -> None:
    """Networks and decoders are built in the threads that rear; a decoder without the lock now and then differed."""

    def draw(task: tuple[int, str]) -> list[float]:
        with global_stream(*task):
            drawn = []
            for _ in range(20):
                drawn += torch.rand(3).tolist()
                time.sleep(0)  # lets another thread run
            return drawn

    tasks = [(seed, purpose) for seed in range(20) for purpose in ("weights", "decoder")]
    alone = [draw(task) for task in tasks]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(draw, tasks)) == alone


def test_a_global_stream_hands_the_generator_back() -> None:
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    with global_stream(1, "weights"):
        torch.rand(7)
    assert torch.equal(torch.rand(2), expected)
