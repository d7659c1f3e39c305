# Three stages: the front end, the Python environment, and an image that holds neither Node nor build tools.
FROM node:24-slim AS front-end
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY assets assets
COPY templates templates
COPY portal/templatetags portal/templatetags
COPY scripts/build_icons.mjs scripts/build_tabler.mjs scripts/
RUN npm run build

FROM python:3.13-slim AS environment
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY requirements/base.txt requirements/
RUN uv venv /app/.venv && uv pip sync --python /app/.venv/bin/python --require-hashes requirements/base.txt

FROM python:3.13-slim
# WeasyPrint typesets letters and bills with Pango; the fonts come with the front end.
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home portal \
    && install -d -o portal -g portal /data
WORKDIR /app
COPY --from=environment /app/.venv .venv
COPY --from=front-end /build/build/static build/static
COPY . .
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data
# Memory that hashing and typesetting took goes back to the system; see MEMORY in portal/serve.py.
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=1000000
# The key serves these two commands only; the running portal takes its own from the environment.
RUN python scripts/compile_messages.py \
    && PORTAL_SECRET_KEY=only-for-building-this-image-and-never-for-serving-anything-0000 PORTAL_PROCESS=migrate \
       python manage.py collectstatic --no-input --verbosity 0
USER portal
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "portal.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", "--no-control-socket", "--preload"]
