# syntax=docker/dockerfile:1

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# Every package as the lock pins it, hashes checked. What is installed further down comes from here.
COPY requirements.lock .
RUN pip wheel --quiet --no-deps --require-hashes --wheel-dir wheels -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY brands brands
COPY gateway gateway
COPY schema schema
RUN python -m venv tools \
    && tools/bin/pip install --quiet --no-index --find-links wheels hatchling \
    && tools/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir product . \
    && python -m venv /opt/coalition \
    && /opt/coalition/bin/pip install --quiet --no-index --find-links wheels product/*.whl

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin coalition
COPY --from=build /opt/coalition /opt/coalition
ENV PATH=/opt/coalition/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    COALITION_HOST=0.0.0.0
USER coalition
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
ENTRYPOINT ["coalition"]
CMD ["serve"]
