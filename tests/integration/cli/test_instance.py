"""The lock on a data directory, and the address that others find there."""

from pathlib import Path

import pytest

from sirene_cli.failures import CliError
from sirene_cli.up.instance import Instance, running_url


def test_an_address_is_found_only_while_its_instance_runs(tmp_path: Path) -> None:
    assert running_url(tmp_path) is None
    with Instance(tmp_path) as instance:
        assert running_url(tmp_path) is None
        instance.publish("url", "http://127.0.0.1:8081")
        assert running_url(tmp_path) == "http://127.0.0.1:8081"
    assert not (tmp_path / "url").exists()
    (tmp_path / "url").write_text("http://left.by.a.killed.one")
    assert running_url(tmp_path) is None


def test_a_second_instance_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    with Instance(tmp_path):
        holder = (tmp_path / "lock").read_text().strip()
        with pytest.raises(CliError, match=rf"\(process {holder}\) runs on"):
            Instance(tmp_path)
    with Instance(tmp_path):
        pass
