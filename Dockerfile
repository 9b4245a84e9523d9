FROM python:3.12-slim
WORKDIR /beleg
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock && useradd --system --uid 10001 beleg \
    && mkdir /data && chown beleg /data
COPY app.py .
COPY rag rag
COPY ingest ingest
COPY eval eval
COPY seeds seeds
USER beleg
ENV BELEG_HOST=0.0.0.0 BELEG_PORT=7860 BELEG_DATA=/data BELEG_LOG_FORMAT=json PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
EXPOSE 7860
VOLUME /data
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/healthz')"]
CMD ["python", "app.py"]
