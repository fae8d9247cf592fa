"""Whatever a hub does, a pull ends installed and right, or failed with the code that says why."""

from pathlib import Path

import pytest
from nats.js import JetStreamContext

from tests.faults.playing import Player
from tests.faults.scripts import INSTALLED, SCRIPTS, Script
from tests.integration.downloader.rig import REF
from tests.support.nats import NatsServer

FEWEST = 40


def test_there_are_enough_scripts_and_each_has_its_name() -> None:
    assert len({script.name for script in SCRIPTS}) == len(SCRIPTS) >= FEWEST
    assert len({script.what for script in SCRIPTS}) >= len(SCRIPTS) - 2  # the storms are alike


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
async def test_the_outcome_is_right(
    script: Script, tmp_path: Path, nats_server: NatsServer, js: JetStreamContext
) -> None:
    async with Player.on(script, tmp_path, nats_server.url, js) as player:
        played = await player.play()
        assert played.outcome == script.outcome
        assert not player.stage.unmet()
        assert player.stage.hub.resets_on_accept == 0
        assert played.sent_bytes <= script.most_bytes
        assert played.took_s >= script.at_least_s
        if script.outcome == INSTALLED:
            player.rig.check_installed(player.files)
        else:
            assert played.hint
            assert not player.rig.store.directory(REF).exists()
            if not played.is_retryable:
                assert played.staged_bytes == 0
            assert (await player.retry()).outcome == INSTALLED
            player.rig.check_installed(player.files)
        assert not any(seen.had_authorization for seen in player.stage.elsewhere.log)
        if script.token:
            assert all(seen.had_authorization for seen in player.stage.hub.log)
