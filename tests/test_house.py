"""The house: who may import whom, no circles, and no module too long to be one idea."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).parents[1]

FLOORS = (
    {"stimuli", "dominance", "aliases", "imports"},
    {"protocols"},
    {"store", "networks"},
    {"probes", "linear"},
    {"rearing"},
    {"report", "runs"},
    {"compare", "bench"},
    {"papers", "lab"},
    {"cli"},
)
"""Rooms from the ground up; a room imports from floors below it and from itself."""

LONGEST = 500  # lines


def modules() -> dict[str, Path]:
    """Every module of the project by the name under which it is imported."""
    found = {}
    for folder, prefix in (("stimuli", "binocular."), ("protocols", "binocular."), ("binocular", "")):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[prefix + name] = path
    return found


MODULES = modules()


def imports(name: str, path: Path) -> set[str]:
    """Modules of the project that a module imports, wherever in its text the import stands."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            named = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names]
        else:
            continue
        found |= {module for module in named if module in MODULES and module != name}
    return found


def room(name: str) -> str:
    named = name.removeprefix("binocular.").split(".")[0]
    return "cli" if named in ("__main__", "start") else named  # three modules of one room, the command line


def floor(name: str) -> int:
    return next(height for height, rooms in enumerate(FLOORS) if room(name) in rooms)


@functools.cache
def graph() -> nx.DiGraph:
    """Every import of one module by another, read when a test first asks and not while tests are collected."""
    return nx.DiGraph([(name, used) for name, path in MODULES.items() for used in imports(name, path)])


def test_every_room_has_its_floor():
    assert {room(name) for name in MODULES} - {"binocular"} == set().union(*FLOORS)


def test_imports_go_down_only():
    upwards = [
        f"{name} imports {used}"
        for name, used in graph().edges
        if name != "binocular" and used != "binocular" and room(name) != room(used) and floor(used) >= floor(name)
    ]
    assert not upwards, "\n".join(upwards)


def test_there_is_no_circle_of_imports():
    # A package's own list of public names points at its modules, which is no need of its own.
    modules = graph().subgraph(name for name in graph() if MODULES[name].name != "__init__.py")
    assert not list(nx.simple_cycles(modules))


def test_modules_are_short_enough():
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (*MODULES.values(), *sorted((ROOT / "tests").glob("*.py")))
    }
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}


def test_rooms_do_not_import_each_other_in_a_circle():
    rooms = nx.DiGraph((room(a), room(b)) for a, b in graph().edges if room(a) != room(b) and "binocular" not in (a, b))
    assert nx.is_directed_acyclic_graph(rooms)


def test_no_test_module_imports_another():
    for path in sorted((ROOT / "tests").glob("test_*.py")):
        imported = [name for node in ast.walk(ast.parse(path.read_text())) for name in _named(node)]
        assert not [name for name in imported if name.startswith("tests.test_")], path.name


def _named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


COMMANDS = ("binocular.papers.command",)
"""Commands, whose arguments say themselves what they are, for ``--help``."""


def test_public_functions_say_what_their_arguments_are():
    silent = []
    for name in MODULES.keys() - set(COMMANDS):
        tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
        listed = [node.value for node in tree.body if isinstance(node, ast.Assign) and _is_list_of_names(node)]
        public = set(ast.literal_eval(listed[0])) if listed else set()
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in public):
            arguments = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
            if len(arguments) >= 2 and not set(arguments) <= set(_parameters(ast.get_docstring(function) or "")):
                silent.append(f"{name}.{function.name}")
    assert silent == []


def _parameters(docstring: str) -> list[str]:
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", docstring, re.M | re.S)
    return re.split(r"[,\s]+", " ".join(re.findall(r"^(\w.*)$", section[1], re.M))) if section else []


def _is_list_of_names(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)


def test_all_of_it_is_in_the_wheel():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packages = {name if path.name == "__init__.py" else name.rpartition(".")[0] for name, path in MODULES.items()}
    assert packages - set(told["packages"]) == set(), "packages that pyproject.toml does not list"
    shipped = set(MODULES.values())
    for package in packages:
        folder = ROOT / package.replace(".", "/")
        folder = folder if folder.is_dir() else ROOT / package.removeprefix("binocular.").replace(".", "/")
        for pattern in [*told["package-data"]["*"], *told["package-data"].get(package, ())]:
            shipped.update(folder.glob(pattern))
    there = [path for room in ("binocular", "stimuli", "protocols") for path in (ROOT / room).rglob("*")]
    left_out = [path for path in there if path.is_file() and path.suffix != ".pyc" and path not in shipped]
    assert left_out == [], "files that no package of the wheel has"
