FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY requirements.lock .
RUN pip install --no-input --require-hashes -r requirements.lock

COPY . .
RUN python -m compileall -q . && useradd --system chat && install -d -o chat -m 700 /data

USER chat
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
EXPOSE 8000
VOLUME /data
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=5)"]
CMD ["python", "manage.py", "serve"]
