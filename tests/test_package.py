"""What `pip install .` installs works without the checkout: the command, the options, templates and plugins."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gradflow import CONF, __version__

pytest.importorskip("setuptools")  # the build backend, which builds here without a network
pytestmark = pytest.mark.slow

ROOT = CONF.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "conf", "src")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
OFFLINE = ("--no-deps", "--no-index")


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout


def wheel_of(source, folder):
    run(*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of the sources, links kept, as a build writes beside them."""
    copy = tmp_path_factory.mktemp("sources")
    ignored = ("--exclude=__pycache__", "--exclude=*.egg-info", "--exclude=build")
    archive = subprocess.run(["tar", "-c", *ignored, *SOURCES], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x"], cwd=copy, input=archive, check=True)
    assert (copy / "src/gradflow/conf").readlink() == Path("../../conf")
    return copy


@pytest.fixture(scope="module")
def wheel(sources, tmp_path_factory):
    return wheel_of(sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """`installed(program, *arguments, cwd=...)`: what a program prints with the wheel installed, not the checkout."""
    site = tmp_path_factory.mktemp("site")
    run(*PIP, "install", *OFFLINE, "--target", site, wheel)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GRADFLOW")}
    environment |= {"PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}

    def call(program, *arguments, cwd):
        words = [site / "bin/gradflow"] if program == "gradflow" else ["-m", program]
        return run(sys.executable, *words, *arguments, cwd=cwd, env=environment)

    call.site = site
    return call


def test_the_wheel_has_every_option_template_and_plugin(wheel):
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info" not in name}
    package = ROOT / "src"
    files = [file for file in package.rglob("*") if file.is_file() and CONF not in file.resolve().parents]
    expected = {file.relative_to(package) for file in files if file.suffix not in (".pyc", "")}
    expected = {file for file in expected if not any(part.endswith(".egg-info") for part in file.parts)}
    expected |= {Path("gradflow/conf") / file.relative_to(CONF) for file in CONF.rglob("*.yaml")}
    assert names == {str(file) for file in expected}
    assert {"gradflow/py.typed", "gradflow/conf/train.yaml"} <= names


def test_the_wheel_is_not_named_like_the_other_project_of_this_name(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [archive.read(name).decode() for name in archive.namelist() if name.endswith("METADATA")]
    lines = metadata.splitlines()
    assert {"Name: gradflow-lightning", f"Version: {__version__}", "Classifier: Typing :: Typed"} <= set(lines)


def test_a_wheel_through_an_sdist_is_the_same(wheel, sources, tmp_path):
    build = f"import setuptools.build_meta as backend; backend.build_sdist({str(tmp_path)!r})"
    run(sys.executable, "-c", build, cwd=sources)
    (sdist,) = tmp_path.glob("*.tar.gz")
    through = wheel_of(sdist, tmp_path / "wheel")
    assert sorted(zipfile.ZipFile(through).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_from_any_folder_the_command_trains_and_reports(installed, tmp_path):
    (tmp_path / "conf/activation").mkdir(parents=True)
    (tmp_path / "conf/activation/mine.yaml").write_text("_target_: own_functions.Sharp\n")
    (tmp_path / "own_functions.py").write_text("from torch import nn\n\n\nclass Sharp(nn.Tanh):\n    pass\n")
    tiny = ("blocks=1", "width=4", "trainer.max_epochs=1", "trainer=cpu", "callbacks.pictures=null")
    joblib = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=1")
    trained = installed("gradflow", "-m", "activation=relu,mine", *tiny, *joblib, cwd=tmp_path)
    assert "2 runs to train in outputs/digits_conv" in trained
    assert len(list(tmp_path.glob("outputs/digits_conv/*/seed=0/run.json"))) == 2
    compared = installed("gradflow", "compare", "outputs/digits_conv", cwd=tmp_path)
    assert "  gradflow -m activation=" in compared
    assert "report: " in installed("gradflow", "report", "outputs/digits_conv", cwd=tmp_path)
    assert (tmp_path / "outputs/digits_conv/report/index.html").stat().st_size > 10_000
    page = (tmp_path / "outputs/digits_conv/report/index.html").read_text()
    assert ">gradflow experiment=digits_vanishing<" in page
    assert str(ROOT) not in page


def test_the_installed_package_is_the_one_that_runs(installed, tmp_path):
    shown = installed("gradflow", "--info", "searchpath", cwd=tmp_path)
    assert str(installed.site / "gradflow/conf") in shown
    assert str(ROOT) not in shown
