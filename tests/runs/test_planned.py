"""The configuration that a run folder holds."""

import errno
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from gradflow.errors import CannotWrite, ConfigError
from gradflow.runs.planned import as_text, of_seed, planned_configuration, write_planned

CONTENT = b"seed: 0\nactivation: {}\ninit: {}\ndata: {}\noptimizer: {}\ntrainer: {}\nlogger: {}\n"


def stored(folder, content: bytes):
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_bytes(content)
    return folder


def test_a_stored_configuration_is_read_with_its_references(tmp_path):
    cfg = planned_configuration(stored(tmp_path, CONTENT + b"blocks: 4\nmodel: {blocks: '${blocks}', slope: 1e-3}\n"))
    assert OmegaConf.to_container(cfg.model, resolve=True) == {"blocks": 4, "slope": 0.001}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\x00\x00", b"\xff\xfe", b"- a\n- b\n", b"text", b"blocks: [1\n", b"{}", CONTENT),
        CONTENT + b"model: ${oc.env:NO_SUCH_THING}\n",
        *(b"a: !!python/object/apply:os.getcwd []\n", b"a: 1\na: 2\n", b"[" * 5000, CONTENT + b"model: ${none}\n"),
    ],
)
def test_a_damaged_one_is_refused_in_one_line(tmp_path, content):
    with pytest.raises(ConfigError, match=r"\.hydra/config\.yaml: damaged \(.*\); give the command .* again") as it:
        planned_configuration(stored(tmp_path, content))
    assert "\n" not in str(it.value)


def test_a_missing_one_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"config\.yaml: missing; give the command"):
        planned_configuration(tmp_path)


def test_what_is_written_has_no_references_and_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("VALUE", "3")
    texts = {"a": r"\${b}", "b": r"x\\\${b}", "c": "1e-3", "d": "null", "e": "2024-01-01", "f": "ü: #", "g": "seed: 7"}
    cfg = OmegaConf.create(CONTENT.decode())
    cfg.model = texts | {"h": "${oc.env:VALUE}", "i": [0.1, 1e-8, None, "on"]}
    expected = OmegaConf.to_container(cfg, resolve=True)
    write_planned(tmp_path, of_seed(as_text(cfg), 12), ["seed=12"])
    monkeypatch.delenv("VALUE")
    found = OmegaConf.to_container(planned_configuration(tmp_path), resolve=True)
    assert found == {**expected, "seed": 12}
    assert sorted(path.name for path in (tmp_path / ".hydra").iterdir()) == ["config.yaml", "overrides.yaml"]


def test_a_full_disk_is_named_and_the_configuration_of_before_stays(tmp_path, monkeypatch):
    write_planned(tmp_path, CONTENT.decode(), ["seed=0"])

    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CannotWrite, match=r"overrides\.yaml: cannot be written \(no space left on device\)"):
        write_planned(tmp_path, "seed: 1\n", ["seed=1"])
    assert (tmp_path / ".hydra" / "config.yaml").read_bytes() == CONTENT
    assert sorted(path.name for path in (tmp_path / ".hydra").iterdir()) == ["config.yaml", "overrides.yaml"]
