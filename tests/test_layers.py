"""The import order: a module imports only modules listed above it."""

import ast
from pathlib import Path

import pytest

import gradflow

ORDER = [
    "errors",
    "seeds",
    "names",
    "health",
    "slopes",
    "activation_probes",
    "activations",
    "measure",
    "steps",
    "update_count",
    "tasks",
    "passes",
    "runfile",
    "provenance",
    "screen",
    "figures",
    "models",
    "data",
    "event_rows",
    "logger",
    "module",
    "checkpoint_io",
    "callbacks",
    "process",
    "ranks",
    "build",
    "identity",
    "values",
    "training_checks",
    "checks",
    "fitting",
    "training",
    "run",
    "job",
    "study",
    "advise",
    "reproductions",
    "plan",
    "cli",
    "lesson",
]
PACKAGE = Path(gradflow.__file__).parent
FILES = sorted(file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "__init__.py")
TOO_HEAVY_FOR_STUDIES = {"torch", "torchvision", "lightning", "hydra"}


def imports(file):
    """Dotted names of everything that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own(dotted_names):
    """The gradflow modules, as they are listed, among dotted names."""
    return {name.split(".")[1] for name in dotted_names if name.startswith("gradflow.")}


def place(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_module_has_a_place_in_the_order():
    assert {place(file) for file in FILES} == set(ORDER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_what_is_above_it(file):
    above = ORDER[: ORDER.index(place(file))]
    allowed = {*above, place(file)} if file.parent != PACKAGE else set(above)
    assert own(imports(file)) <= allowed


def test_nothing_imports_the_sweeper():
    assert not [file for file in FILES if any(name.startswith("hydra_plugins") for name in imports(file))]


def test_studies_meet_training_only_through_files():
    todo, seen = {"study", "advise"}, set()
    while todo:
        name = todo.pop()
        seen.add(name)
        for file in [*PACKAGE.glob(f"{name}.py"), *PACKAGE.glob(f"{name}/*.py")]:
            outside = {dotted.split(".")[0] for dotted in imports(file)}
            assert not outside & TOO_HEAVY_FOR_STUDIES, file
            todo |= own(imports(file)) - seen
    assert not seen & {"models", "callbacks", "module", "build", "run"}
