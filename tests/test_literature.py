"""Published numbers: what ships is whole, tables of users are checked, and a bad row is named."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binocular.compare import load_literature
from binocular.compare.declared_rows import MEASURE_NAMES, TREATMENTS
from binocular.compare.reading import TABLES, read_folder, shipped_folder
from binocular.compare.rows import days_of, evidence_kind
from binocular.dominance import contralateral_bias, monocularity
from binocular.protocols import library_names, load_protocol
from binocular.stimuli.errors import BadInput

ROOT = Path(__file__).parents[1]
HEADER = "id,species,condition,onset,duration,n1,n2,n3,n4,n5,n6,n7,unit,group_1,evidence,reference"
SCALE = "species,unit,epochs_per_unit,start_age,status,reason\n"
GOOD = "mine,cat,monocular deprivation,4 weeks,10 days,1,2,3,4,5,6,7,cells,treated eye only,read,A thesis"


def own(folder: Path, text: str, name: str = "od_histograms.csv") -> Path:
    """Write a table into a folder of the user's."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_every_shipped_row_is_read_with_evidence_and_reference():
    read = read_folder(shipped_folder())
    assert set(read) == set(TABLES)
    for name, lines in read.items():
        with (ROOT / "data" / "literature" / name).open(newline="", encoding="utf-8") as file:
            assert len(lines) == len(list(csv.DictReader(file))) > 0
        if name not in ("age_scales.csv", "fact_tests.csv"):
            assert all(evidence_kind(line.row.evidence) and line.row.reference for line in lines)


def test_histograms_come_by_id_with_group_1_the_treated_eye():
    literature = load_literature()
    monkey = literature.histograms["monkey_md_2wk"]
    np.testing.assert_array_equal(monkey.counts, [5, 3, 9, 2, 3, 6.5, 71])
    assert (monkey.cells, monkey.treatment, monkey.onset) == (100, "one eye closed", "2 weeks")
    # The indices that the fact table states for the networks follow from the seven bins.
    blur = [literature.histograms[f"kleinman_blur_{epoch}"].counts for epoch in (0, 40, 180)]
    np.testing.assert_allclose(1 - contralateral_bias(blur), [0.46, 0.74, 0.87], atol=0.005)
    mixed = [literature.histograms[f"kleinman_dissociation_{epoch}"].counts for epoch in (0, 40, 180)]
    np.testing.assert_allclose(monocularity(mixed), [0.44, 0.60, 0.83], atol=0.005)


def test_kittens_after_recovery_are_told_from_animals_recorded_at_the_end_of_the_closure():
    found = load_literature().histograms
    reverse, still = found["kitten_md45_reverse"], found["kitten_md60_open"]
    assert (reverse.treatment, still.treatment, found["monkey_md_2wk"].treatment) == (
        "reverse suture", "one eye closed", "one eye closed",
    )  # fmt: skip
    assert (reverse.began, still.began) == ("45 days", "birth"), "a reverse suture begins with the reversal"
    assert still.recorded == "recorded 7 weeks later"
    assert found["monkey_md_2wk"].recorded == "recorded at the end of the closure"
    # As the text of the source has it: 74 of 81, 23 of 74, 23 of 62, 20 of 65 and 14 of 75 cells.
    dominated = {name: (record.counts[:3].sum(), record.cells) for name, record in found.items() if "kitten" in name}
    assert dominated == {
        "kitten_md45_reverse": (74, 81), "kitten_md60_reverse": (23, 74), "kitten_md45_open_1": (23, 62),
        "kitten_md45_open_2": (20, 65), "kitten_md60_open": (14, 75),
    }  # fmt: skip
    twins = [(a.id, b.id) for a in found.values() for b in found.values() if a.id < b.id and a.twin_of(b)]
    assert twins == [("kitten_md45_open_1", "kitten_md45_open_2")]


def test_records_have_names_that_a_reader_knows():
    found = load_literature().histograms
    assert found["monkey_md_2wk"].name == "macaque, closed at 2 weeks for 18 months"
    assert found["kitten_md60_open"].name == "cat, closed from birth for 60 days, then open for 7 weeks"
    assert found["kitten_md45_reverse"].name == "cat, closed from birth for 45 days, then the other eye for 7 weeks"
    assert found["monkey_md_2wk"].provenance == "100 cells, digitised"
    assert found["kleinman_blur_180"].name == "network, blur for 180 epochs"


def test_a_fact_may_be_in_words_alone():
    facts = load_literature().facts
    assert facts["monkey_prism_concordant"].low is None
    assert facts["monkey_prism_concordant"].words == "stereopsis: largely preserved; not if one eye is diffused"
    assert facts["cat_normal_one_eye"].words == "cells that answer to one eye alone, of each eye: 7 %"


def test_fine_bins_agree_with_the_seven_bins_and_lean_the_same_way():
    for record in load_literature().histograms.values():
        if record.units is not None:
            edges = np.array([-1.2, *np.linspace(-1, 1, 8)[1:-1], 1.2])  # bars of the figure reach beyond 1
            below = np.interp(edges, record.units.edges, np.concatenate([[0], np.cumsum(record.units.shares)]))
            np.testing.assert_allclose(np.diff(below), record.shares, atol=0.02)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("read", "read"),
        ("digitised (pixels)", "digitised"),
        ("from the text: maximal", "from the text"),
        ("reference", "by definition"),
        ("guessed", ""),
    ],
)
def test_evidence_is_told_by_its_beginning(label: str, kind: str):
    assert evidence_kind(label) == kind


def test_ages_are_words():
    assert [days_of(age) for age in ("birth", "2 weeks", "1 day")] == [0, 14, 1]
    assert days_of("18 months") == pytest.approx(1.5 * 365.25)
    with pytest.raises(ValueError, match="soon"):
        days_of("soon")


def test_scales_are_declared_once_and_agree_with_the_protocols():
    literature = load_literature()
    assert literature.scale("kitten P29") is literature.scale("cat")
    assert literature.scale("unicorn") is None
    assert literature.epoch_of("macaque", "10 weeks") == pytest.approx(5)
    cat = literature.scale("cat")
    assert cat is not None and cat.age(cat.epoch(9.5)) == pytest.approx(9.5)
    for name, species in (("hubel-wiesel-1970", "cat"), ("issa-1999", "ferret")):
        theirs, ours = load_protocol(name).age_scale, literature.scale(species)
        assert theirs is not None and ours is not None and name in library_names()
        assert (theirs.unit, theirs.epochs_per_unit, theirs.start_age) == (
            ours.unit,
            ours.epochs_per_unit,
            ours.start_age,
        )


def test_tables_of_users_are_added_and_turned(tmp_path: Path):
    mirrored = GOOD.replace("mine", "other").replace("treated eye", "fellow eye")
    literature = load_literature(own(tmp_path, f"{HEADER}\n{GOOD}\n{mirrored}\n"))
    one, other = literature.histograms["mine"], literature.histograms["other"]
    np.testing.assert_array_equal(one.counts, other.counts[::-1])
    np.testing.assert_array_equal(one.counts, [1, 2, 3, 4, 5, 6, 7])
    assert "monkey_md_2wk" in literature.histograms
    assert "mine" not in load_literature().histograms, "what ships is not changed by a folder of one's own"


def test_a_scale_of_ones_own_takes_the_place_of_the_shipped_one(tmp_path: Path):
    text = SCALE + "cat,day,2,20,declared,shorter study\n"
    scale = load_literature(own(tmp_path, text, "age_scales.csv")).scale("cat")
    assert scale is not None and (scale.unit, scale.start_age) == ("day", 20)


BAD = {
    "evidence": (GOOD.replace(",read,", ",guessed,"), ("'evidence'", "digitised")),
    "negative": (GOOD.replace(",1,2,", ",-1,2,"), ("'n1'", "at least 0")),
    "not a number": (GOOD.replace(",1,2,", ",many,2,"), ("'n1'", "'many'")),
    "not finite": (GOOD.replace(",1,2,", ",nan,2,"), ("'n1'",)),
    "unit": (GOOD.replace("cells", "dozens"), ("'unit'", "cells, % or share")),
    "sum": (GOOD.replace("cells", "%"), ("'unit'", "28")),
    "age": (GOOD.replace("4 weeks", "early"), ("'onset'", "2 weeks")),
    "orientation": (GOOD.replace("treated eye only", "left"), ("'group_1'", "fellow eye only")),
    "id": (GOOD.replace("mine", "My Id"), ("'id'", "lower-case")),
    "taken": (GOOD.replace("mine", "monkey_md_2wk"), ("'id'", "no other row")),
    "reference": (GOOD.replace("A thesis", " "), ("'reference'", "not empty")),
    "all zero": (GOOD.replace("1,2,3,4,5,6,7", "0,0,0,0,0,0,0"), ("'n1'", "above 0")),
    "columns": (GOOD + ",more", ("17 columns", "16")),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_row_is_named_by_file_line_and_column(tmp_path: Path, what: str):
    row, words = BAD[what]
    good = GOOD.replace("mine", "first")
    with pytest.raises(BadInput) as caught:
        load_literature(own(tmp_path, f"{HEADER}\n{good}\n{row}\n"))
    message = str(caught.value)
    assert "od_histograms.csv, line 3" in message and "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("od_histogram.csv", GOOD, ("not a table", "did you mean 'od_histograms.csv'")),
        ("od_histograms.csv", "", ("line 1", "missing")),
        ("od_histograms.csv", HEADER + "\n", ("no row",)),
        ("od_histograms.csv", HEADER.replace(",group_1", "") + "\nx", ("'group_1'", "missing", "treated eye only")),
        ("od_histograms.csv", HEADER.replace("n7", "n8") + "\nx", ("'n8'", "no column")),
        ("od_histograms.csv", HEADER + ",n7\nx", ("'n7'", "twice")),
        ("od_histograms.csv", f'{HEADER}\n"open', ("line 2", "not CSV")),
        ("age_scales.csv", SCALE + "cat,day,2,20,fitted,x", ("declared",)),
        ("age_scales.csv", SCALE + "cat,day,0,20,declared,x", ("above 0",)),
        (
            "facts.csv",
            "id,condition,quantity,low,high,unit,evidence,reference\na,b,c,2,1,%,read,d",
            ("'high'", "at least 2"),
        ),
        (
            "facts.csv",
            "id,condition,quantity,low,high,unit,evidence,reference\na,b,c,,,,read,d",
            ("'unit'", "in words"),
        ),
        (
            "fact_tests.csv",
            "id,published,claim,treatment,species,measure,at_least,reason\na,cat_bd,c,asleep,cat,cbi,0,r",
            ("'treatment'", "reverse suture"),
        ),
        (
            "fact_tests.csv",
            "id,published,claim,treatment,species,measure,at_least,reason\na,nothing,c,normal,cat,cbi,0,r",
            ("'published'", "id of a fact"),
        ),
        (
            "fact_tests.csv",
            "id,published,claim,treatment,species,measure,reason\na,cat_bd,c,normal,cat,cbi,r",
            ("'at_most'", "at_least, at_most or both"),
        ),
    ],
)  # fmt: skip
def test_a_bad_table_is_named(tmp_path: Path, name: str, text: str, words: tuple[str, ...]):
    with pytest.raises(BadInput) as caught:
        load_literature(own(tmp_path, text, name))
    assert "\n" not in str(caught.value)
    for word in (name, *words):
        assert word in str(caught.value)


def test_bytes_that_are_no_text_and_folders_that_are_none(tmp_path: Path):
    own(tmp_path, HEADER)
    (tmp_path / "od_histograms.csv").write_bytes(HEADER.encode() + b"\n\xff\xfe")
    with pytest.raises(BadInput, match="line 2 is not text in UTF-8"):
        load_literature(tmp_path)
    with pytest.raises(BadInput, match="not a folder"):
        load_literature(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no table"):
        load_literature(tmp_path / "empty")


@settings(max_examples=60)
@given(at=st.integers(0, len(GOOD)), put=st.text(max_size=6), drop=st.integers(0, 12))
def test_any_damage_gives_a_table_or_one_sentence(tmp_path: Path, at: int, put: str, drop: int):
    damaged = GOOD[:at] + put.replace("\ud800", "") + GOOD[at + drop :]
    try:
        load_literature(own(tmp_path, f"{HEADER}\n{damaged}\n"))
    except BadInput as error:
        assert "od_histograms.csv" in str(error)


def test_unknown_ids_are_named_with_the_nearest():
    literature = load_literature()
    with pytest.raises(BadInput, match="did you mean 'monkey_md_2wk'"):
        literature.select(["monkey_md_2w"])
    assert literature.select(["cat_stereo_window"]) == ("stereo_early", "stereo_late")
    assert len(set(literature.ids)) == len(literature.ids)


READ = """
import sys
from binocular.compare import load_literature
from binocular.compare.reading import shipped_folder
print(len(load_literature().histograms), shipped_folder())
assert "torch" not in sys.modules and "matplotlib" not in sys.modules
"""


def test_tables_are_found_in_an_installed_package(tmp_path: Path):
    # As the wheel lays them out: the folder `data` is the package `binocular.data`.
    where = tmp_path / "site"
    (where / "binocular").mkdir(parents=True)
    for item in (ROOT / "binocular").iterdir():
        (where / "binocular" / item.name).symlink_to(item)
    for name in ("data", "stimuli", "protocols"):
        (where / "binocular" / name).symlink_to(ROOT / name)
    paths = [str(where), *(path for path in sys.path if path.endswith("site-packages"))]
    done = subprocess.run(
        [sys.executable, "-S", "-c", READ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, folder = done.stdout.split(maxsplit=1)
    assert int(count) == 19
    assert Path(folder.strip()) == where / "binocular/data/literature"


def test_the_page_of_the_format_names_all_that_is_accepted():
    page = (Path(__file__).parents[1] / "docs" / "literature-format.md").read_text(encoding="utf-8")
    for column, names in (("treatment", TREATMENTS), ("measure", MEASURE_NAMES)):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{column}` |"))
        assert not [name for name in names if f"`{name}`" not in row]
