"""What users bring in a file of their own, named ``module:Class``: stimuli, deficits, objectives, probes, figures."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path
from subprocess import CompletedProcess

import jsonschema
import pytest

from binocular.networks.build import NETWORKS
from binocular.probes.registry import PROBES
from binocular.protocols import DEFICITS, OBJECTIVES, load_protocol
from binocular.protocols.figures import OWN_FIGURES
from binocular.protocols.objectives import Reconstruction
from binocular.rearing.objectives import objective_of
from binocular.rearing.objectives.own import Own
from binocular.report.describing import describe, schema_for_editors
from binocular.runs.planning import plan_study
from binocular.runs.running import run_study
from binocular.stimuli import STIMULI, user_code
from binocular.stimuli.errors import BadInput
from binocular.stimuli.user_code import allow, load_class, look_in, reference_of
from binocular.store.study import load_study
from tests.console import assert_one_sentence, binocular

MINE = '''
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from binocular.probes.base import Probe, at_checkpoint
from binocular.protocols import EyeDeficit, Objective
from binocular.report.figures.style import panels
from binocular.stimuli import StimulusConfig, StimulusSet, stream

Path("imported").touch()


class Ceiling(EyeDeficit):
    """Bright parts are cut off."""

    limit: float = 0.5

    def see(self, view, generator):
        return view.clamp(max=self.limit)


class Checks(StimulusConfig):
    """Checkerboards; the class is the size of the checks."""

    size: int = 12
    count: int = 40

    def build(self, seed, device="cpu"):
        return CheckSet(self, seed, device)


class CheckSet(StimulusSet):
    kind = "checks"

    def __init__(self, config, seed, device):
        self.shape, self.class_names, self.tasks = (1, config.size, config.size), ("small", "large"), {}
        place = torch.arange(config.size)
        boards = torch.stack([2.0 * ((place[:, None] // p + place // p) % 2) - 1 for p in (2, 4)])
        self.labels = {split: torch.arange(config.count).to(device) % 2 for split in ("train", "test")}
        self._views = {}
        for split, labels in self.labels.items():
            views = boards[labels][:, None, None].expand(-1, 2, *self.shape)
            self._views[split] = views + torch.randn(views.shape, generator=stream(seed, "stimulus/" + split))

    def views(self, split, index, generator):
        return self._views[split][index]


class Smooth(Objective):
    """Labels of which a share is spread over all classes."""

    share: float = 0.1

    def judge(self, answer, batch):
        loss = cross_entropy(answer, batch.labels, label_smoothing=self.share)
        return loss, (answer.argmax(1) == batch.labels).float().mean()


class Loudness(Probe):
    """How large the scores are."""

    name = "loudness"
    about = "mean size of the class scores"
    scope = "network"
    columns = {"loudness": at_checkpoint("", "1", "mean size of the class scores", 0)}

    n_stimuli: int = 10

    def measure(self, network, stimulus, seed, site):
        scores = network(stimulus.views("test", torch.arange(self.n_stimuli), None))
        return {"loudness": scores.abs().mean().numpy()}


def loud(study):
    """Loudness at the checkpoints."""
    figure, (ax,) = panels(1)
    record = study.reared[0].subjects[0].measures["loudness", "network"]
    ax.plot(record.epoch, record.values["loudness"])
    return figure
'''

PROTOCOL = """
title = "Mine"
seeds = 1
figures = ["mine_of_test:loud"]
stimulus = { kind = "mine_of_test:Checks", count = 32 }
network = { options = { width = 2 } }
training = { batch_size = 16 }
probes = { n_stimuli = 4, bootstrap = 0, also = ["mine_of_test:Loudness"] }

[[conditions]]
name = "normal"
phases = [{ epochs = 2 }]

[[conditions]]
name = "cut"
phases = [{ epochs = 1, deficits = [{ kind = "mine_of_test:Ceiling", limit = 0.2 }] }, { epochs = 1 }]

[[conditions]]
name = "smooth"
phases = [{ epochs = 2, objective = { kind = "mine_of_test:Smooth", share = 0.2 } }]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return a folder with a module and a protocol of a user's own, which is the working folder."""
    (tmp_path / "mine_of_test.py").write_text(MINE)
    (tmp_path / "p.toml").write_text(PROTOCOL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(user_code, "_allowed", set())
    monkeypatch.setattr(user_code, "_trusted", False)
    monkeypatch.setattr(user_code, "_beside", [])
    yield tmp_path
    sys.modules.pop("mine_of_test", None)


def said(*arguments: str, cwd: Path) -> CompletedProcess[str]:
    done = binocular(*arguments, cwd=cwd, XDG_CACHE_HOME=str(cwd / "cache"))
    assert "mine_of_test" not in sys.modules
    return done


def test_all_kinds_of_a_file_are_reared_measured_and_drawn_and_read_without_it(here):
    refused = said("run", "p.toml", "--out", "out", cwd=here)
    assert_one_sentence(refused, "p.toml: stimulus.kind names the class mine_of_test:Checks", "--trust-code")
    assert not (here / "out").exists() and not (here / "imported").exists(), "a file has no code run"
    ran = said("run", "p.toml", "--out", "out", "--trust-code", cwd=here)
    assert ran.returncode == 0, ran.stderr
    assert (here / "out" / "figures" / "loud.svg").exists()
    assert "Loudness at the checkpoints." in (here / "out" / "report.html").read_text()
    study = load_study(here / "out")
    cut, smooth = study.condition("cut").subjects[0], study.condition("smooth").subjects[0]
    assert cut.phases[0]["deficits"][0] | {"limit": 0.2} == cut.phases[0]["deficits"][0]
    assert smooth.phases[0]["objective"] == {"kind": "mine_of_test:Smooth", "share": 0.2}
    normal = study.condition("normal").subjects[0].history["train_loss"]
    assert not set(normal) & set(cut.history["train_loss"]) and not set(normal) & set(smooth.history["train_loss"])
    assert cut.measures["loudness", "network"].values["loudness"].min() > 0

    away = here / "away"
    away.mkdir()
    shutil.copy(here / "out" / "study.h5", away)
    (here / "imported").unlink()
    for arguments in (("verify",), ("export", "--csv"), ("plot",)):
        done = said(arguments[0], "study.h5", *arguments[1:], cwd=away)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "left out: figure names the function mine_of_test:loud" in done.stderr and "dominance.svg" in done.stdout
    assert (away / "export" / "measures" / "loudness.csv").exists() or list((away / "export").glob("*loudness*"))
    assert not (away / "imported").exists()


def test_code_that_changes_makes_other_subjects_and_code_that_does_not_is_taken_up(here):
    own = ["figures=[]", "probes.also=[]", "stimulus={kind='stereo-scenes', size=12, n_train=32, n_test=32}"]
    user_code.allow(user_code.references_in([PROTOCOL]))

    def reared() -> int:
        sys.modules.pop("mine_of_test", None)
        return run_study(load_protocol(here / "p.toml", own), here / "out", "cpu").reared

    assert (reared(), reared()) == (6, 0)
    (here / "mine_of_test.py").write_text(MINE.replace("max=self.limit", "max=self.limit + 0"))
    assert (reared(), reared()) == (4, 0), "what is done without the code is taken up"
    own[1] = "probes.also=['mine_of_test:Loudness']"
    assert (reared(), reared()) == (6, 0)
    (here / "mine_of_test.py").write_text(MINE)
    assert reared() == 6, "what a probe of other code found is not taken up"


WRONG = {
    "a class that is not there": (
        {"mine_of_test:Ceiling": "mine_of_test:Cieling"},
        {},
        ("conditions.cut.phases[0].deficits[0].kind", "has no 'Cieling'; did you mean 'mine_of_test:Ceiling'?"),
    ),
    "a class of another kind": (
        {"mine_of_test:Ceiling": "mine_of_test:Smooth"},
        {},
        ("deficits[0].kind", "'Smooth', which is no class of the kind Deficit", "accepted: Ceiling"),
    ),
    "a module that is not there": (
        {"mine_of_test:Checks": "nowhere_at_all:Checks"},
        {},
        ("stimulus.kind names nowhere_at_all:Checks", "no module nowhere_at_all in the working folder"),
    ),
    "a module that fails": (
        {},
        {"class Ceiling": "1 / 0\n\n\nclass Ceiling"},
        ("ZeroDivisionError: division by zero",),
    ),
    "a field that is not there": (
        {"limit = 0.2": "ceiling = 0.2"},
        {},
        ("deficits[0].ceiling is not a known key", "limit"),
    ),
    "a deficit that fails": (
        {},
        {"def see(self, view, generator)": "def see(self, view)"},
        ("phases[0].deficits[0]: the deficit 'mine_of_test:Ceiling' fails", "takes 2 positional arguments"),
    ),
    "stimuli that fail": (
        {},
        {"def build(self, seed, device=": "def build(self, device="},
        ("stimulus: mine_of_test:Checks cannot be built: NameError: name 'seed' is not defined",),
    ),
    "stimuli of one eye": (
        {},
        {"return self._views[split][index]": "return self._views[split][index, 0]"},
        ("stimulus: mine_of_test:Checks cannot be shown: its train views are (4, 1, 12, 12)", "[batch, eye, channel"),
    ),
    "stimuli that are no numbers": (
        {},
        {"return self._views[split][index]": "return self._views[split][index] * float('nan')"},
        ("stimulus: mine_of_test:Checks cannot be shown: its train views hold values that are not finite",),
    ),
    "stimuli of one class": (
        {},
        {'("small", "large")': '("small",)', "% 2 for split": "% 1 for split"},
        ("stimulus: mine_of_test:Checks has too few classes to tell apart ('small'); accepted: 2 or more",),
    ),
    "no stimuli to test with": (
        {},
        {"self._views = {}": 'self.labels["test"] = self.labels["test"][:0]\n        self._views = {}'},
        ("stimulus: mine_of_test:Checks has no test stimuli; accepted: one or more of each class",),
    ),
    "an objective that fails": (
        {},
        {"def judge(self, answer, batch)": "def judge(self, answer)"},
        ("conditions.smooth.phases[0].objective: 'mine_of_test:Smooth' fails", "TypeError"),
    ),
    "an objective of one number": (
        {},
        {
            "return loss, (answer": "return loss\n        (loss, (answer",
            ".mean()\n\n\nclass Loud": ".mean())\n\n\nclass Loud",
        },
        ("conditions.smooth.phases[0].objective", "TypeError"),
    ),
    "an objective that says nothing": (
        {},
        {"    def judge(self": "    def judged(self"},
        ("'mine_of_test:Smooth' fails", "NotImplementedError"),
    ),
    "an objective without weights": (
        {},
        {"return loss, (answer": "return loss.detach(), (answer"},
        ("the loss of 'mine_of_test:Smooth' does not depend on the weights",),
    ),
    "a probe that fails": (
        {},
        {"def measure(self, network, stimulus, seed, site)": "def measure(self, network)"},
        ("probes.also[0]: mine_of_test:Loudness cannot measure here: TypeError",),
    ),
    "a probe that gives what it does not say": (
        {},
        {'return {"loudness": scores': 'return {"volume": scores'},
        ("probes.also[0]: mine_of_test:Loudness cannot measure here", "volume is not in the schema"),
    ),
    "a probe out of its range": ({}, {".abs().mean().numpy()": ".mean().numpy() - 9"}, ("at least 0 is allowed",)),
    "a probe of a name that is taken": (
        {},
        {'name = "loudness"': 'name = "odi"'},
        ("whose name 'odi' another probe has",),
    ),
    "a probe without columns": (
        {},
        {"    columns =": "    columms ="},
        ("cannot be imported: PydanticUserError", "`columms = "),
    ),
    "a figure of other arguments": (
        {},
        {"def loud(study)": "def loud(study, site, colour)"},
        ("figures[0] names mine_of_test:loud, which takes (study, site, colour); accepted: (study) or (study, site)",),
    ),
    "a figure that is not there": (
        {"mine_of_test:loud": "mine_of_test:lout"},
        {},
        ("did you mean 'mine_of_test:loud'?",),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_in_one_sentence_before_rearing_begins(here, name):
    in_protocol, in_module, words = WRONG[name]
    for path, changes in (("p.toml", in_protocol), ("mine_of_test.py", in_module)):
        text = (here / path).read_text()
        for before, after in changes.items():
            assert before in text
            text = text.replace(before, after)
        (here / path).write_text(text)
    done = said("run", "p.toml", "--out", "out", "--trust-code", cwd=here)
    assert_one_sentence(done, *words)
    assert not (here / "out" / "nodes").exists()


def test_two_folders_with_modules_of_one_name_are_not_taken_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setattr("binocular.stimuli.user_code._beside", [])
    for folder, sides in (("a", 2), ("b", 3)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sides_of_test.py").write_text(f"SIDES = {sides}\n")
        for name in ("same_of_test", f"{folder}_of_test"):
            code = "import sides_of_test\nclass Net:\n    sides = sides_of_test.SIDES\n"
            (tmp_path / folder / f"{name}.py").write_text(code)
    names = ("same_of_test", "sides_of_test", "a_of_test", "b_of_test")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    allow(f"{name}:Net" for name in names)
    look_in(tmp_path / "a")
    assert load_class("same_of_test:Net", "network.kind", object).sides == 2
    look_in(tmp_path / "b")
    for name, other in (("same_of_test", "same_of_test"), ("b_of_test", "sides_of_test")):
        with pytest.raises(BadInput, match=rf"uses another module {other} already, .*a/{other}.py in place of .*b/"):
            load_class(f"{name}:Net", "network.kind", object)
    look_in(tmp_path / "a")
    for name in ("same_of_test", "a_of_test"):
        assert load_class(f"{name}:Net", "network.kind", object).sides == 2


def test_code_beside_another_protocol_is_not_taken_for_that_of_this_one(here):
    (here / "a").mkdir()
    (here / "a" / "mine_of_test.py").write_text(MINE)
    (here / "mine_of_test.py").unlink()
    for folder in ("a", "b"):
        (here / folder).mkdir(exist_ok=True)
        (here / folder / "p.toml").write_text(PROTOCOL)
    user_code.allow_all()
    load_protocol("a/p.toml")
    for imported in (True, False):
        with pytest.raises(BadInput, match=rf"^b/p.toml: .* names mine_of_test:.* in {here}/b or "):
            load_protocol("b/p.toml")
        if imported:
            del sys.modules["mine_of_test"]
    load_protocol("a/p.toml")


def test_a_finished_study_is_measured_and_drawn_by_what_a_person_names(here):
    (here / "plain.toml").write_text(
        PROTOCOL.replace('figures = ["mine_of_test:loud"]\n', "")
        .replace('{ kind = "mine_of_test:Checks", count = 32 }', '{ kind = "stereo-scenes", size = 12, n_train = 32 }')
        .replace(', also = ["mine_of_test:Loudness"]', "")
        .partition('[[conditions]]\nname = "cut"')[0]
    )
    assert said("run", "plain.toml", "--out", "out", "--quiet", cwd=here).returncode == 0
    assert not (here / "imported").exists()
    measured = said("measure", "out", "--probe", "mine_of_test:Loudness", "--set", "n_stimuli=4", cwd=here)
    assert measured.returncode == 0 and "loudness" in measured.stdout, measured.stderr
    drawn = said("plot", "out", "--figure", "mine_of_test:loud", cwd=here)
    assert drawn.returncode == 0 and "loud.svg" in drawn.stdout, drawn.stderr
    assert said("verify", "out", cwd=here).returncode == 0
    described = said("describe", "deficits", "mine_of_test:Ceiling", cwd=here)
    assert "Bright parts are cut off." in described.stdout and "limit" in described.stdout
    assert_one_sentence(said("describe", "deficits", "mine_of_test:Cieling", cwd=here), "mine_of_test:Ceiling")
    described = said("describe", "figures", "mine_of_test:loud", cwd=here)
    assert "Loudness at the checkpoints." in described.stdout and 'figures = ["mine_of_test:loud"]' in described.stdout


def test_an_objective_that_builds_on_one_that_ships_is_not_taken_for_it():
    class Mine(Reconstruction):
        pass

    mine = Mine()
    assert isinstance(objective_of(mine), Own) and mine.kind == reference_of(Mine) != Reconstruction().kind


def test_the_schema_for_editors_takes_classes_of_a_user(here):
    import tomllib

    jsonschema.validate(tomllib.loads(PROTOCOL), schema_for_editors())


def _as_in_another_process(path: Path, content: bytes) -> object:
    """Return what was pickled as a process finds it that has imported nothing of the user's."""
    sys.modules.pop(path.stem)
    user_code._allowed.clear()
    return pickle.loads(content)


def test_code_beside_a_protocol_is_found_from_every_folder_and_is_the_same_code(here, tmp_path_factory, monkeypatch):
    user_code.allow(user_code.references_in([PROTOCOL]))
    few = ["figures=[]"]
    assert run_study(load_protocol("p.toml", few), here / "out", "cpu").reared == 6
    away = tmp_path_factory.mktemp("away")
    monkeypatch.chdir(away)
    sys.modules.pop("mine_of_test")
    protocol = load_protocol(here / "p.toml", few)
    assert run_study(protocol, here / "out", "cpu").reared == 0, "where it is started from makes no other subjects"
    assert str(here) not in sys.path
    plan = plan_study(protocol, "cpu").plan
    sent = pickle.dumps((plan.stimulus, plan))
    user_code._beside.clear()
    stimulus, plan = _as_in_another_process(here / "mine_of_test.py", sent)  # type: ignore[misc]
    plan.check_code()
    assert Path(sys.modules[type(stimulus).__module__].__file__).parent == here  # type: ignore[arg-type]


def test_where_code_was_looked_for_is_said(here):
    (here / "deeper").mkdir()
    (here / "deeper" / "p.toml").write_text(PROTOCOL.replace("mine_of_test:Checks", "nowhere_at_all:Checks"))
    done = said("run", "deeper/p.toml", "--out", "out", "--trust-code", cwd=here)
    assert_one_sentence(done, f"no module nowhere_at_all in the working folder, in {here / 'deeper'} or among")
    (here / "mine_of_test.py").rename(here / "deeper" / "mine_of_test.py")
    (here / "imported").unlink(missing_ok=True)
    refused = said("run", "deeper/p.toml", "--out", "out", cwd=here)
    assert_one_sentence(refused, "--trust-code")
    assert not (here / "imported").exists(), "what lies beside a protocol is not run because it lies there"


def test_other_processes_find_the_code_and_refuse_it_once_it_has_changed(here):
    user_code.allow(user_code.references_in([PROTOCOL]))
    study = plan_study(load_protocol(here / "p.toml"), "cpu")
    node = next(node for node in study.tree.nodes() if "cut" in node.conditions and node.is_root)
    sent = pickle.dumps((study.plan, [node]))
    old = sys.modules["mine_of_test"]
    plan, nodes = _as_in_another_process(here / "mine_of_test.py", sent)  # type: ignore[misc]
    assert sys.modules["mine_of_test"] is not old
    assert nodes[0].epochs[0].deficits[0].limit == 0.2
    plan.check_code(nodes)
    (here / "mine_of_test.py").write_text(MINE + "# longer\n")
    plan, nodes = _as_in_another_process(here / "mine_of_test.py", sent)  # type: ignore[misc]
    with pytest.raises(BadInput, match="the code of mine_of_test:Loudness has changed since this run began"):
        plan.check_code(nodes)
    from dataclasses import replace

    plan = replace(plan, content={}, probe_code={})
    with pytest.raises(BadInput, match="the code of mine_of_test:Ceiling has changed since this run began"):
        plan.check_code(nodes)


def test_an_installed_package_makes_its_kinds_known(here, monkeypatch):
    """A distribution is what its metadata say: those of a wheel, in a folder of the path."""
    (here / "site-packages").mkdir()
    shutil.move(here / "mine_of_test.py", here / "site-packages")
    about = here / "site-packages" / "mine_of_test-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine-of-test\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[binocular.deficits]\nceiling = mine_of_test:Ceiling\n[binocular.stimuli]\nchecks = mine_of_test:Checks\n"
        "[binocular.objectives]\nsmooth = mine_of_test:Smooth\n[binocular.probes]\nloudness = mine_of_test:Loudness\n"
        "[binocular.figures]\nloud = mine_of_test:loud\n"
    )
    monkeypatch.syspath_prepend(str(here / "site-packages"))
    for kinds in (DEFICITS, STIMULI, OBJECTIVES, PROBES, NETWORKS, OWN_FIGURES):
        monkeypatch.setitem(vars(kinds), "of_packages", type(kinds).of_packages.func(kinds))
    assert DEFICITS.names()[-1] == "ceiling" and not (here / "imported").exists(), "nothing is imported to be listed"
    text = PROTOCOL
    for name, kind in (("Ceiling", "ceiling"), ("Checks", "checks"), ("Smooth", "smooth"), ("Loudness", "loudness")):
        text = text.replace(f"mine_of_test:{name}", kind)
    (here / "p.toml").write_text(text.replace("mine_of_test:loud", "loud"))
    assert describe("deficits", "ceiling")[0].about == "Bright parts are cut off."
    sys.modules.pop("mine_of_test")
    ran = said("run", "p.toml", "--out", "out", cwd=here)
    assert ran.returncode == 0, ran.stderr
    assert (here / "out" / "figures" / "loud.svg").exists()
    assert load_study(here / "out").condition("cut").subjects[0].phases[0]["deficits"][0]["kind"] == "ceiling"


def test_a_class_is_looked_for_in_its_module_by_one_thread_at_a_time(monkeypatch):
    # Python 3.11 ends in a SystemError where two threads parse at once, as those that rear did for an installed class.
    held = []
    monkeypatch.setattr(user_code.inspect, "getsource", lambda cls: held.append(user_code._PARSING.locked()) or "pass")
    user_code.code_of(type("Alone", (), {"__module__": "of_no_file"}))
    assert held == [True]
