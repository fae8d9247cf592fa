"""OpenAI's lists: what is installed, and the voices."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from sirene_api.catalog import Catalog
from sirene_api.link import BusLink
from sirene_api.openai import AudioModelList, OpenAIModel, OpenAIModelList, VoiceList, voices_of
from sirene_api.routes.documented import errors
from sirene_shared.errors import InvalidRequest, ModelNotFound
from sirene_shared.names import shown


def _installed(catalog: Catalog) -> list[OpenAIModel]:
    return [
        OpenAIModel.of(model, catalog.status(model.ref)) for model in catalog.models(installed=True)
    ]


@get("/v1/models", tags=["openai"], responses=errors())
async def list_openai_models(
    catalog: NamedDependency[Catalog], link: NamedDependency[BusLink]
) -> OpenAIModelList:
    """What is installed; the catalogue of what could be is `GET /api/models`."""
    await link.wait_for_state()
    return OpenAIModelList(data=_installed(catalog))


@get("/v1/models/{model_id:path}", tags=["openai"], responses=errors(404))
async def show_openai_model(
    model_id: FromPath[str], catalog: NamedDependency[Catalog], link: NamedDependency[BusLink]
) -> OpenAIModel:
    """One installed model; ids may hold `/` and `:`, encoded or not."""
    name = model_id.removeprefix("/")
    await link.wait_for_state()
    try:
        model = catalog.find_installed(name)
    except InvalidRequest:
        raise ModelNotFound(
            f"no model is named {shown(name)}",
            hint="GET /v1/models lists those installed.",
            param="model",
        ) from None
    return OpenAIModel.of(model, catalog.status(model.ref))


@get("/v1/audio/models", tags=["openai"], responses=errors())
async def list_audio_models(
    catalog: NamedDependency[Catalog], link: NamedDependency[BusLink]
) -> AudioModelList:
    """What is installed, for clients that look here."""
    await link.wait_for_state()
    models = _installed(catalog)
    return AudioModelList(data=models, models=models)


@get("/v1/audio/voices", tags=["openai"], responses=errors(404))
async def list_voices(
    catalog: NamedDependency[Catalog],
    link: NamedDependency[BusLink],
    model: FromQuery[str | None] = None,
) -> VoiceList:
    """The voices of one model, or of all that are installed."""
    if model is not None:
        return voices_of([catalog.find(model)])
    await link.wait_for_state()
    return voices_of(list(catalog.models(installed=True)))
