"""The floor plan holds: what a module may import, and what stands in one place only."""

import ast
import re
from pathlib import Path

import pytest

import gradflow
from gradflow.runs.metrics import METRICS

ORDER = [
    "errors",
    "invocation",
    "config_folders",
    "seeds",
    "threads",
    "garbage",
    "signals",
    "wrapping",
    "terminal",
    "screen_table",
    "command_line",
    "activations",
    "models",
    "data",
    "runs",
    "measure",
    "figures",
    "callbacks",
    "training",
    "study",
    "tensorboard",
    "advise",
    "report",
    "reproductions",
    "sweep",
    "evaluate",
    "lesson",
    "__main__",
]
PACKAGE = Path(gradflow.__file__).parent
FILES = sorted(file for file in PACKAGE.rglob("*.py") if file != PACKAGE / "__init__.py")
TOO_HEAVY_FOR_STUDIES = {"torch", "torchvision", "lightning", "hydra"}
DRAWS = {"altair", "vl_convert"}  # what a sweep, which prints its study's answer, need not wait for


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


def places(dotted_names):
    """The entries of ORDER among dotted names."""
    return {name.split(".")[1] for name in dotted_names if name.startswith("gradflow.")} - {"CONF", "__version__"}


def place(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def files_of(dotted):
    """The files that an import from gradflow runs: the module, or the one that defines the imported name."""
    parts = dotted.split(".")[1:]
    packages = [PACKAGE.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts) + 1)]
    modules = [PACKAGE.joinpath(*parts[:n]).with_suffix(".py") for n in range(1, len(parts) + 1)]
    return {file for file in (*packages, *modules) if file.exists()}


def test_every_module_has_a_place_in_the_order():
    assert {place(file) for file in FILES} == set(ORDER)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_what_is_above_it(file):
    above = ORDER[: ORDER.index(place(file))]
    allowed = {*above, place(file)} if file.parent != PACKAGE else set(above)
    if file == PACKAGE / "study" / "__main__.py":
        allowed |= {"advise", "report"}  # the command line of a study, which nothing imports
    assert places(imports(file)) <= allowed


def test_nothing_imports_the_sweeper():
    assert not [file for file in FILES if any(name.startswith("hydra_plugins") for name in imports(file))]


def test_studies_meet_training_only_through_files():
    seen = needed_by(
        {file for file in FILES if place(file) in ("study", "advise", "report")}, without=TOO_HEAVY_FOR_STUDIES
    )
    assert not {place(file) for file in seen} & {"models", "callbacks", "training", "measure", "sweep"}


def test_numbers_and_answer_of_a_study_load_nothing_that_draws():
    needed_by({file for file in FILES if place(file) == "study" and file.name != "__main__.py"}, without=DRAWS)


def needed_by(files, *, without):
    """These files and all that they import of gradflow; none of them may import one of these packages."""
    todo, seen = set(files), set()
    while todo:
        file = todo.pop()
        seen.add(file)
        imported = imports(file)
        assert not {dotted.split(".")[0] for dotted in imported} & without, file
        todo |= {found for dotted in imported if dotted.startswith("gradflow.") for found in files_of(dotted)} - seen
    return seen


def constants(file):
    """Every string constant of a file that is no docstring, the fixed parts of f-strings too."""
    tree = ast.parse(file.read_text())
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings]
    return [node.value for node in nodes if isinstance(node.value, str)]


def test_tags_are_spelled_in_one_module_only():
    spelling = PACKAGE / "runs" / "tags.py"
    quantities = sorted({metric.tag.partition("/")[0] for metric in METRICS} - {"grad_abs_mean", "best_epoch"})
    spelled = re.compile(rf"\b(?:{'|'.join(quantities)})/")
    assert spelled.search(spelling.read_text())
    found = {file: [text for text in constants(file) if spelled.search(text)] for file in FILES if file != spelling}
    assert not {str(file.relative_to(PACKAGE)): texts for file, texts in found.items() if texts}


def test_monitors_are_known_by_what_they_declare_and_not_by_their_class():
    monitors = {"GradientNorms", "UnitStatistics", "PreciseBatchNorm", "HealthWarnings", "Pictures"}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
                names = {child.id for child in ast.walk(node.args[1]) if isinstance(child, ast.Name)}
                assert not names & monitors, f"{file}:{node.lineno}"
