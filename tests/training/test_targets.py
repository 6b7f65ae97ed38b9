"""Data are not code: what a configuration from a run folder may build."""

import ast
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf

import gradflow
from gradflow import CONF
from gradflow.errors import ConfigError, one_line
from gradflow.training.targets import KINDS, check_trusted, named_in

FOLDER = Path("outputs/theirs/activation=relu/seed=0")
PACKAGE = Path(gradflow.__file__).parent


def check(values, *, own=(), **options):
    check_trusted(OmegaConf.create(values), where=FOLDER, own=own, remedy="trust=true", **options)


def options_of(group):
    return [file.stem for file in sorted((CONF / group).glob("*.yaml")) if file.stem != "custom"]


@pytest.mark.parametrize("group", KINDS)
def test_every_option_of_the_package_is_trusted_whoever_names_it(compose, group):
    for option in options_of(group):
        check_trusted(compose(f"{group}={option}"), where=FOLDER, own=(), remedy="")


@pytest.mark.parametrize(
    ("group", "target"),
    [
        ("activation", "torch.nn.modules.activation.ReLU"),
        ("activation", "gradflow.activations.maxout.Maxout"),
        ("optimizer", "torch.optim.adagrad.Adagrad"),
        ("schedule", "torch.optim.lr_scheduler.ReduceLROnPlateau"),
        ("callbacks", "lightning.pytorch.callbacks.early_stopping.EarlyStopping"),
        ("logger", "lightning.pytorch.loggers.CSVLogger"),
        ("trainer", "lightning.pytorch.profilers.SimpleProfiler"),
        ("trainer", "datetime.timedelta"),
    ],
)
def test_a_class_is_trusted_where_it_is_defined_and_where_its_package_offers_it(group, target):
    check({group: {"_target_": target}})
    check({group: {"part": [{"deeper": {"_target_": target}}]}})


CODE = [
    *("os.system", "subprocess.run", "builtins.open", "builtins.eval", "joblib.load", "pandas.read_pickle"),
    *("gradflow.cli.os.system", "gradflow.runs.record.os.system", "gradflow.sweep.cli.main", "gradflow.load_network"),
    *(
        "torch.hub.load",
        "torch.load",
        "torch.nn.functional.torch.load",
        "torch.nn.functional.relu",
        "torch.nn.Module.cpu",
    ),
    *(
        "torch.nn.modules.module.os.system",
        "torch.nn",
        "torch.nn.",
        "torch.nn..ReLU",
        "torch.nn.NoSuch",
        "torch.nnn.ReLU",
    ),
    *(
        "lightning.Trainer.fit",
        "lightning.pytorch.LightningModule.load_from_checkpoint",
        "lightning.pytorch.cli.os.system",
    ),
    *("gradflow.training.build.network", "gradflow.data.npz.load", "gradflow.data.sources.np.load", "", "torch\0.nn.x"),
    *("gradflow.models.mlp.nn.ReLU", "gradflow.callbacks.monitor.Callback", "_target_", "own_activations.Bent"),
]


@pytest.mark.parametrize("target", CODE)
def test_anything_else_is_refused_in_every_group_at_any_depth(target):
    for group in KINDS:
        for node in ({"_target_": target}, {"a": {"b": [{"_target_": target, "_partial_": True}]}}):
            with pytest.raises(ConfigError) as refused:
                check({group: node})
            said = str(refused.value)
            assert said.startswith(f"{FOLDER}: {group}.")
            assert f"_target_={one_line(target)} is not " in said
            assert said.endswith("use trust=true")
            assert "\n" not in said


@pytest.mark.parametrize("target", [3, True, ["torch.nn.ReLU"], {"_target_": "os.system"}])
def test_a_target_that_is_no_name_is_refused(target):
    with pytest.raises(ConfigError, match=r"activation\._target_"):
        check({"activation": {"_target_": target}})


def test_a_class_of_another_group_is_refused():
    for target in ("torch.optim.SGD", "lightning.Trainer", "gradflow.data.sources.digits", "datetime.datetime"):
        with pytest.raises(ConfigError, match=f"^{FOLDER}: activation._target_={target} is not an activation of torch"):
            check({"activation": {"_target_": target}})


def test_what_is_refused_has_not_been_imported(tmp_path, monkeypatch):
    (tmp_path / "never_imported.py").write_text("raise SystemExit(7)")
    monkeypatch.syspath_prepend(tmp_path)
    for target in ("never_imported.Thing", "gradflow.never_imported.Thing"):
        with pytest.raises(ConfigError):
            check({"model": {"_target_": target}})
    assert "never_imported" not in sys.modules


def test_what_the_user_names_is_trusted(tmp_path):
    (tmp_path / "activation").mkdir()
    (tmp_path / "activation" / "mine.yaml").write_text(
        "# _target_: commented.Out\nname: mine\n_target_: 'my.Own'  # so\n"
    )
    (tmp_path / "callbacks.yaml").write_text("a:\n  - _target_: my.Callback\n")
    own = named_in([tmp_path, tmp_path / "none"])
    assert own == {"my.Own", "my.Callback"}
    check({"activation": {"_target_": "my.Own"}, "callbacks": {"a": {"_target_": "my.Callback"}}}, own=own)
    with pytest.raises(ConfigError, match="commented"):
        check({"activation": {"_target_": "commented.Out"}}, own=own)


def test_only_what_is_going_to_be_built_is_looked_at():
    theirs = {"activation": {"_target_": "torch.nn.ReLU"}, "callbacks": {"a": {"_target_": "theirs.Monitor"}}}
    check(theirs, groups=("activation", "model"))
    with pytest.raises(ConfigError, match=r"callbacks\.a\._target_=theirs\.Monitor"):
        check(theirs)


def test_a_target_is_looked_at_after_its_references_are_followed():
    with pytest.raises(ConfigError, match=r"activation\._target_=os\.system"):
        check({"activation": {"_target_": "${name}"}, "name": "os.${what}", "what": "system"})
    check({"activation": {"_target_": "${name}"}, "name": "torch.nn.ReLU"})


@pytest.mark.parametrize(
    "text",
    [
        *("${oc.env:HOME}", "${oc.env:GRADFLOW_DATA,${oc.env:HOME}}", "a ${ oc.env : HOME }", "${oc.decode:'${x}'}"),
        *("${${x}:HOME}", "${hydra:runtime.cwd}", "${${oc.env:GRADFLOW_DATA,'oc.env'}:HOME}", "${now:%Y}"),
    ],
)
def test_nothing_is_computed_from_the_environment(text):
    with pytest.raises(ConfigError, match=r"is computed when it is read.*use trust=true$"):
        check({"logger": {"_target_": "lightning.pytorch.loggers.CSVLogger", "name": text}, "x": "oc.env"})


@pytest.mark.parametrize(
    "place",
    [
        "/etc/passwd",
        "~/.bashrc",
        "..",
        "a/../../b",
        "http://their.host/",
        "$HOME/x",
        r"C:\Windows",
        r"..\x",
        "file:///etc",
    ],
)
def test_nothing_is_written_elsewhere(place):
    for group in ("callbacks", "logger", "trainer"):
        with pytest.raises(ConfigError, match="leads out of the run folder"):
            check({group: {"one": {"dirpath": place}}})
    check({"data": {"path": place}})


def test_no_module_of_the_package_reads_pickles():
    """torch.load reads weights only, np.load no objects, YAML files hold plain values, and nothing else unpickles."""
    refused = {"pickle.load", "pickle.loads", "joblib.load", "pd.read_pickle", "pandas.read_pickle", "yaml.load"}
    wanted = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}
    seen = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in refused, f"{file}:{node.lineno}"
                if name in wanted:
                    key, value = wanted[name]
                    found = {one.arg: ast.literal_eval(one.value) for one in node.keywords if one.arg == key}
                    assert found == {key: value}, f"{file}:{node.lineno}"
                    seen.add(name)
    assert seen == set(wanted)
