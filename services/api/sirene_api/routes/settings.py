"""What is in force, and the token for the hub, which is written and never read."""

from typing import Annotated

import msgspec
from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from sirene_api.preferences import Preferences
from sirene_api.routes.documented import errors
from sirene_api.settings_answers import SettingsView, TokenAnswer, TokenCleared
from sirene_shared.inquiries import MAX_TOKEN_CHARACTERS, TOKEN_PATTERN


class TokenBody(msgspec.Struct, frozen=True, kw_only=True):
    token: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_TOKEN_CHARACTERS,
            pattern=TOKEN_PATTERN,
            description="Visible ASCII without spaces.",
        ),
    ]

    def __repr__(self) -> str:
        return "TokenBody()"


@get("/api/settings", tags=["settings"], responses=errors())
async def show_settings(preferences: NamedDependency[Preferences]) -> SettingsView:
    """What is in force in every service, and which environment variable sets it."""
    return await preferences.view()


@put("/api/settings/hub-token", tags=["settings"], responses=errors(403, 413, 415))
async def keep_hub_token(
    data: JSONBody[TokenBody], preferences: NamedDependency[Preferences]
) -> TokenAnswer:
    """Use this token for the hub from now on, before the environment's, also after a restart.

    The hub is asked about it first: one that it refuses is not kept, and the one before stays.
    """
    return await preferences.keep_token(data.token)


@delete("/api/settings/hub-token", status_code=200, tags=["settings"], responses=errors(403))
async def clear_hub_token(preferences: NamedDependency[Preferences]) -> TokenCleared:
    """Forget the token that was given here; the environment's, if there is one, counts again."""
    return await preferences.clear_token()
