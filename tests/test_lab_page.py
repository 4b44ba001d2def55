"""The page in a real browser: a class closes an eye, scrubs, saves, loads; and strangers stay outside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from binocular.protocols import load_protocol
from binocular.runs.running import run_study
from binocular.store.sealing import seal
from tests.chromium import CHROMIUM, Page, chromium
from tests.patience import wait_until
from tests.tiny import assert_same

pytest.importorskip("starlette", reason="the extra 'lab' is not installed")
websockets = pytest.importorskip("websockets.sync.client", reason="the extra 'lab' is not installed")

ROOT = Path(__file__).parents[1]
SMALL = ["stimulus.n_train=200", "stimulus.n_test=100", "network.options.width=4", "training.batch_size=20"]
SMALL += ["stimulus.size=12", "probes.n_stimuli=12"]
CUT = ["conditions.normal.phases[0].epochs=3", "conditions.closed-early.phases[0].epochs=2"]
CUT += ["conditions.closed-early.phases[1].epochs=1"]
DRAWN = "!lab.due"  # what the page knows is on its canvases and in its charts
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")


@dataclass
class Lab:
    address: str

    @property
    def origin(self) -> str:
        return self.address.split("/?", 1)[0]

    @property
    def token(self) -> str:
        return self.address.split("token=", 1)[1]

    def get(self, path: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        """Return status and content; headers' names with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.origin}{path}", data, named)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor())
        try:
            with opener.open(request, timeout=600) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    command = [sys.executable, "-m", "binocular", "lab", "--no-browser", "--port", "0", *settings]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S{32}", first)
        assert found, first
        assert process.stdout.readline() == "Only this computer can open it.\n"
        yield Lab(found[0])
    finally:
        process.terminate()
        process.communicate(timeout=600)


@pytest.fixture(scope="module")
def tab(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("browser")) as tab:
        yield tab
        assert tab.complaints() == []
        assert {url.split("/")[2] for url in tab.requested() if url.startswith("http")} == {lab.origin[7:]}


@pytest.fixture
def page(tab: Page, lab: Lab) -> Page:
    """Load the page as it is at the start: afresh, with a litter of one newborn, whatever a test before left."""
    tab.resize(1280, 900)
    tab.go(lab.address)
    tab.wait("window.lab && lab.status")
    tab.evaluate("window.before = [lab.live.get('subject'), lab.status]; document.getElementById('seed').value = 0")
    click(tab, "#reseed")
    tab.wait(f"lab.live.get('subject') !== before[0] && lab.status !== before[1] && {DRAWN}")
    assert tab.evaluate("document.querySelectorAll('.column').length") == 1
    return tab


def click(page: Page, what: str) -> None:
    page.evaluate(f"document.querySelector('{what}').click()")


def grown(page: Page, age: int, track: str = "subject") -> None:
    page.wait(f"lab.live.get('{track}')?.frames.at(-1).age >= {age} && {DRAWN}")


def shown(page: Page, column: int = 0) -> dict:
    """Return what a column shows: its age, the bars of its histogram, and its words."""
    return page.evaluate(
        f"""(() => {{
          const column = document.querySelectorAll('.column')[{column}];
          return {{
            age: Number(column.dataset.age),
            bars: [...column.querySelectorAll('.histogram .bar')].map((bar) => Number(bar.getAttribute('height'))),
            label: column.querySelector('.histogram').getAttribute('aria-label'),
            saying: column.querySelector('.saying').textContent,
          }};
        }})()"""
    )


def groups(label: str) -> np.ndarray:
    return np.array([int(count) for count in re.findall(r"group \d: (\d+)", label)])


def lean(label: str) -> float:
    """Return the mean group, from 1 (right eye only) to 7 (left eye only)."""
    counts = groups(label)
    return float((counts * np.arange(1, 8)).sum() / counts.sum())


# ------------------------------------------------------------------ in the browser


@needs_browser
def test_closing_the_right_eye_moves_the_histogram_to_the_left_eye(page):
    newborn = shown(page)
    assert newborn["age"] == 0 and 3 < lean(newborn["label"]) < 5
    page.evaluate("document.getElementById('right-closed').focus()")
    page.press(" ")
    page.wait("lab.status.controls.right.closed")
    click(page, "#play")
    grown(page, 12)
    click(page, "#play")
    page.wait(f"!lab.status.playing && {DRAWN}")
    deprived = shown(page)
    assert lean(deprived["label"]) > lean(newborn["label"]) + 1
    assert "left eye" in deprived["saying"]
    assert deprived["bars"] != newborn["bars"]
    # Beside it stand the animals to which the same was done: nothing to the newborn, an early closure to this one.
    assert page.evaluate("document.querySelector('.animal-name').textContent").startswith(
        "Grey: macaque, closed at 2 weeks"
    )
    assert page.evaluate("document.querySelectorAll('.histogram .animal').length") == 7
    page.evaluate("area = document.getElementById('area'); area.value = 'representation'")
    page.evaluate("area.dispatchEvent(new Event('change'))")
    page.wait("document.querySelector('.saying').textContent.includes('units of the last stage')")
    assert page.evaluate("document.querySelectorAll('.histogram .animal').length") == 0


def picture_of(page: Page, eye: str) -> np.ndarray:
    """Return the picture that an eye is shown to see, as grey values around 0."""
    shades = f"[...document.getElementById('picture-{eye}').getContext('2d').getImageData(0, 0, 12, 12).data]"
    return np.array(page.evaluate(shades), dtype=float).reshape(-1, 4)[:, 0] - 128


@needs_browser
def test_a_closed_eye_is_shown_to_see_nothing_but_its_own_noise(page):
    def alike() -> float:
        left, right = picture_of(page, "left"), picture_of(page, "right")
        return float(np.corrcoef(left, right)[0, 1])

    assert alike() > 0.35  # the eyes see the same scene, displaced a little
    seen = picture_of(page, "right").std()
    click(page, "#right-closed")
    page.wait(f"lab.status.controls.right.closed && lab.status.look.text.includes('occluded') && {DRAWN}")
    noise = picture_of(page, "right")
    assert abs(noise.mean()) < 5 and 0 < noise.std() < seen / 1.5
    assert abs(alike()) < 0.2


@needs_browser
def test_scrubbing_shows_the_past_as_it_was(page):
    last = 4
    for age in range(1, last + 1):
        click(page, "#step")
        grown(page, age)
    page.evaluate("document.getElementById('age').focus()")
    for back in range(1, 4):
        page.press("ArrowLeft")
        page.wait(f"Number(document.querySelector('.column').dataset.age) === {last - back}")
        frame = page.evaluate(f"lab.live.get('subject').frames[{last - back}].areas.first_binocular.groups")
        assert groups(shown(page)["label"]).tolist() == frame
    page.evaluate("age = document.getElementById('age'); age.value = 0; age.dispatchEvent(new Event('input'))")
    page.wait("document.querySelector('.column').dataset.age === '0'")
    assert "just been born" in shown(page)["saying"]
    click(page, "#newest")
    page.wait(f"Number(document.querySelector('.column').dataset.age) === {last}")


@needs_browser
def test_a_littermate_and_what_is_saved_repeats_exactly(page, lab, tmp_path):
    click(page, "#step")
    grown(page, 1)
    click(page, "#littermate")
    page.wait("lab.live.size === 2 && lab.status.active === 'littermate'")
    page.wait("document.querySelectorAll('.column').length === 2")
    page.evaluate("prism = document.getElementById('prism'); prism.value = 3; prism.dispatchEvent(new Event('input'))")
    page.wait("lab.status.controls.prism === 3")
    click(page, "#step")
    grown(page, 1, "littermate")
    page.wait("[...document.querySelectorAll('.column')].every((column) => column.dataset.age === '1')")

    page.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    for button, name in (("#save-protocol", "lab.toml"), ("#save-study", "study.h5")):
        click(page, button)
        wait_until((tmp_path / name).is_file)
    protocol = load_protocol(tmp_path / "lab.toml")
    assert [condition.name for condition in protocol.conditions] == ["subject", "littermate"]
    command = [sys.executable, "-m", "binocular", "run", str(tmp_path / "lab.toml"), "--device", "cpu", "--quiet"]
    subprocess.run([*command, "--out", str(tmp_path / "again")], check=True, cwd=ROOT)
    assert_same(tmp_path / "study.h5", tmp_path / "again" / "study.h5")
    with h5py.File(tmp_path / "study.h5") as file:
        rsv = file["conditions/subject/0/probes/first_binocular/rsv"][-1]
    seen = page.evaluate("lab.live.get('subject').frames.at(-1).areas.first_binocular.rsv")
    np.testing.assert_allclose(seen, rsv[~np.isnan(rsv)], atol=6e-4)

    page.upload("#load", tmp_path / "study.h5")
    page.wait("lab.file")
    page.wait("!document.getElementById('file').hidden")
    assert page.evaluate("document.querySelectorAll('.column').length") == 2
    assert page.evaluate("lab.file.tracks[0].frames.length === lab.live.get('subject').frames.length")
    page.evaluate("document.getElementById('age').focus()")
    page.press("ArrowLeft")
    page.wait("lab.age !== null")
    live = page.evaluate("lab.live.get('subject').frames[lab.age].areas.first_binocular.groups")
    page.wait("Number(document.querySelector('.column').dataset.age) === lab.age")
    assert groups(shown(page)["label"]).tolist() == live
    click(page, "#file-close")
    page.wait("!lab.file")


@needs_browser
def test_a_bad_upload_is_refused_in_one_sentence_and_changes_nothing(page, tmp_path):
    bad = tmp_path / "pickle.h5"
    bad.write_bytes(b"\x80\x04cos\nsystem\n(S'touch owned'\ntR.")
    page.upload("#load", bad)
    said = page.wait("!document.getElementById('trouble').hidden && document.getElementById('trouble').textContent")
    assert said == "pickle.h5 is not an HDF5 file; expected a study.h5 written by binocular"
    assert page.evaluate("lab.file") is None
    assert page.evaluate("document.querySelectorAll('.column').length") == 1


@needs_browser
def test_every_control_has_a_label_and_the_page_fits(page):
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, a, input, select, summary, svg[role], canvas[role]')]
          .filter((e) => e.offsetParent !== null || e.ownerSVGElement === null)
          .filter((e) => !(e.labels?.length || e.textContent.trim() || e.getAttribute('aria-label')))
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    for width in (1280, 390):
        page.resize(width, 800)
        assert page.evaluate("document.documentElement.scrollWidth") == width


@needs_browser
def test_the_whole_page_can_be_reached_with_the_tab_key(page):
    click(page, "#littermate")
    page.wait("document.querySelectorAll('.column').length === 2")
    controls = "main button:not(:disabled), main input, main select, main a"
    name = "(e) => e.id || e.dataset?.name || e.value"
    wanted = set(
        page.evaluate(f"[...document.querySelectorAll('{controls}')].filter((e) => e.offsetParent).map({name})")
    )
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(len(wanted) + 30):
        page.press("Tab")
        reached.add(page.evaluate(f"({name})(document.activeElement)"))
    # Of a group of radio buttons the tab key reaches the chosen one, and arrows the others.
    assert wanted - reached <= {"subject", "littermate"}


@needs_browser
def test_an_experiment_works_the_lids_by_itself(page):
    click(page, '[data-name="both-closed"]')
    page.wait("lab.status.experiment === 'both-closed' && lab.status.controls.left.closed")
    assert page.evaluate("document.getElementById('left-closed').checked")
    grown(page, 2)
    click(page, "#play")
    page.wait("!lab.status.playing")
    assert "both eyes" in page.evaluate("lab.live.get('subject').stretches[0].text")


@needs_browser
def test_on_a_phone_the_lid_and_its_effect_are_on_one_screen(page):
    click(page, "#right-closed")
    page.wait("lab.status.controls.right.closed")
    page.resize(390, 660)
    page.go(page.evaluate("location.href"))
    page.wait(f"window.lab && lab.status && {DRAWN}")
    assert page.evaluate("document.getElementById('right-closed').checked")
    below = "document.querySelector('{}').getBoundingClientRect().bottom"
    for part in ("#play", ".eye.right .lid", ".histogram"):
        assert 0 < page.evaluate(below.format(part)) <= 660, part


@needs_browser
def test_a_verdict_does_not_flip_with_a_picture_more_or_less(page):
    def verdicts(values: list[float]) -> list[bool]:
        told = [f"(await import('./page/words.js')).held({values[: n + 1]}, 0.62, 0.7)" for n in range(len(values))]
        return [page.evaluate(f"(async () => {one})()") for one in told]

    assert verdicts([0.5, 0.55, 0.56, 0.64, 0.63]) == [False] * 5
    assert verdicts([0.5, 0.71, 0.66, 0.64, 0.69, 0.61]) == [False, True, True, True, True, False]


@needs_browser
@pytest.mark.parametrize(
    ("depth", "closed", "patched", "common"),
    [
        (2, (0, 10), (0, 0), 1),
        (1, (0, 0.5), (0, 0), 1),
        (3, (2, 17), (0, 0), 1),
        (2, (30, 40), (50, 55), 1),
        (2, (0, 10), (0, 0), 0),
    ],
)
def test_the_pathways_in_the_page_are_those_of_the_theory(page, depth, closed, patched, common):
    from binocular.linear import race

    wish = json.dumps({"depth": depth, "closed": closed, "patched": patched, "common": common})
    course = np.array(page.evaluate(f"import('./page/pathways.js').then((module) => module.grow({wish}))"))
    times = np.linspace(0, 60, len(course))

    def exact(start: np.ndarray, covered: tuple[float, float], since: float, until: float) -> np.ndarray:
        """Contributions between two times; the second pathway is the one whose eye is covered."""
        within = times[(times >= since) & (times <= until)] - since
        windows = [(covered[0] - since, covered[1] - since)] if covered[1] > covered[0] else []
        options = {"correlation": common, "silenced": True}
        return race(depth, 1.0, [start ** (1 / depth)], within, windows, **options)[:, 0]

    turn = patched[0] or 60  # from here on the left eye is the covered one
    first = exact(np.array([0.01, 0.01]), closed, 0, turn)
    assert np.abs(course[: len(first)] - first).max() < 1e-5
    if patched[0]:
        second = exact(first[-1, ::-1], patched, turn, 60)[:, ::-1]
        assert np.abs(course[len(first) - 1 :] - second).max() < 1e-5


# ------------------------------------------------------------------ outside


def test_wrong_tokens_and_strange_hosts_are_refused(lab):
    assert lab.get(f"/?token={lab.token}")[0] == 200
    for path in ("/", "/?token=wrong", "/page/lab.js", "/protocol.toml?token=", "/study.h5?token=wrong"):
        status, content = lab.get(path)
        assert status == 403 and b"token" in content and b"<" not in content
    for host in ("evil.example", "evil.example:80"):
        assert lab.get(f"/?token={lab.token}", Host=host)[0] == 403


def test_requests_that_change_something_must_come_from_the_page(lab):
    path = f"/load?token={lab.token}"
    assert lab.get(path, b"x")[0] == 403
    assert lab.get(path, b"x", Origin="http://evil.example")[0] == 403
    assert lab.get(path, b"x", Origin=lab.origin)[0] == 400
    address = f"ws{lab.origin[4:]}/live?token="
    for token, origin in (("wrong", lab.origin), (lab.token, "http://evil.example"), (lab.token, None)):
        with pytest.raises(websockets.InvalidStatus, match="403"):
            websockets.connect(address + token, origin=origin, proxy=None)


def test_wishes_that_make_no_sense_are_answered_and_change_nothing(lab):
    with websockets.connect(
        f"ws{lab.origin[4:]}/live?token={lab.token}", origin=lab.origin, proxy=None, max_size=None
    ) as s:
        before = json.loads(s.recv(timeout=600))
        assert before["type"] == "hello" and before["experiments"][0]["name"] == "normal"
        wishes = ("{", "[]", '{"do": "explode"}', '{"do": "controls"}', '{"do": "speed", "seconds": "NaN"}')
        for wish in (*wishes, '{"do": "restart", "seed": 1.5}', '{"do": "choose", "name": "cat"}'):
            s.send(wish)
            answer = json.loads(s.recv(timeout=600))
            assert answer["type"] == "trouble" and answer["text"], wish
    status, content = lab.get(f"/page/..%2Fserver.py?token={lab.token}")
    assert status == 404 and b"import" not in content


def test_uploads_are_sealed_sound_studies_or_one_sentence(lab, tmp_path):
    protocol = load_protocol("teaching-lab", [*SMALL, *CUT])
    protocol = protocol.model_copy(update={"conditions": protocol.conditions[:2]})
    good = run_study(protocol, tmp_path / "good", "cpu").study.read_bytes()

    def load(content: bytes) -> tuple[int, dict]:
        status, answer = lab.get(f"/load?token={lab.token}&name=x.h5", content, Origin=lab.origin)
        return status, json.loads(answer)

    status, answer = load(good)
    assert status == 200
    track = answer["tracks"][1]
    assert (track["label"], track["seed"]) == ("right eye closed early", 0)
    assert [frame["age"] for frame in track["frames"]] == [0, 1, 2, 3]
    assert [stretch["eye"] for stretch in track["stretches"]] == ["right", None]
    assert track["stretches"][0]["pictures"]["shape"] == [4, 2, 12, 12]
    assert track["scenes"] == ["ring near", "ring far", "cross near", "cross far"]

    altered = tmp_path / "altered.h5"
    shutil.copy(tmp_path / "good" / "study.h5", altered)
    with h5py.File(altered, "r+") as file:  # somebody changes a number and seals it again
        file["conditions/normal/0/probes/first_binocular/rsv"][0, 0] = 0.123
    seal(altered)
    for content, said in (
        (b"", "not an HDF5 file"),
        (good[: len(good) // 2], "is damaged"),
        (altered.read_bytes(), "not a sound study"),
        (next((tmp_path / "good" / "nodes").glob("*.h5")).read_bytes(), "x.h5"),
    ):
        status, answer = load(content)
        assert status == 400 and said in answer["refused"] and "\n" not in answer["refused"], said
        assert "/tmp" not in answer["refused"]
    status, answer = load(bytes(65_000_000))
    assert status == 400 and "larger than 64 MB" in answer["refused"]
