# syntax=docker/dockerfile:1
# One recipe for the three services:
#   docker build --build-arg SERVICE=api .
#   docker build --build-arg SERVICE=downloader .
#   docker build --build-arg SERVICE=inference --build-arg EXTRA=cpu,torch --build-arg TORCH=cpu \
#     --build-arg PACKAGES=espeak-ng .
#   docker build --build-arg SERVICE=inference --build-arg EXTRA=gpu,torch --build-arg PACKAGES=espeak-ng .

FROM python:3.11-slim-bookworm AS build
ARG SERVICE
ARG EXTRA=""
# Which build of torch, by uv's name for it: cpu for the small one, empty for the usual one.
ARG TORCH=""
ARG UV_VERSION=0.13.9
WORKDIR /src
RUN pip install --no-cache-dir "uv==${UV_VERSION}" && uv venv /opt/sirene
COPY requirements.lock requirements-gpu.lock requirements-build.lock requirements-torch.txt ./
COPY shared shared
COPY services/${SERVICE} services/${SERVICE}
COPY web web
# The API brings the web UI, built here: its own build dependency is Node's wheel.
RUN export VIRTUAL_ENV=/opt/sirene \
    && uv pip install --no-cache ${TORCH:+--torch-backend "${TORCH}"} \
      --constraint requirements.lock --constraint requirements-gpu.lock \
      --constraint requirements-torch.txt \
      --build-constraints requirements-build.lock \
      ./shared "./services/${SERVICE}${EXTRA:+[${EXTRA}]}" \
    && if [ "${SERVICE}" = api ]; then \
      SIRENE_UI_BUILD=require uv pip install --no-cache --no-deps \
        --build-constraints requirements-build.lock ./web; \
    fi

FROM python:3.11-slim-bookworm
ARG SERVICE
ARG PACKAGES=""
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# PACKAGES is a list of Debian packages: espeak-ng for inference, nothing for the others.
# hadolint ignore=DL3008,SC2086
RUN if [ -n "${PACKAGES}" ]; then \
      apt-get update && apt-get install -y --no-install-recommends ${PACKAGES} \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
    && useradd --uid 65532 --no-create-home --shell /usr/sbin/nologin sirene \
    && install -d -o sirene -g sirene /data/models \
    && install -d -m 0700 -o sirene -g sirene /data/cache
COPY --from=build /opt/sirene /opt/sirene
COPY manifests /app/manifests
ENV PATH=/opt/sirene/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SIRENE_SERVICE=${SERVICE} \
    SIRENE_MANIFESTS_PATH=/app/manifests \
    SIRENE_MODELS_PATH=/data/models
USER 65532:65532
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["/bin/bash", "-c", "exec python -m sirene_shared.presence sirene-${SIRENE_SERVICE}"]
CMD ["/bin/bash", "-c", "exec python -m sirene_${SIRENE_SERVICE}"]
