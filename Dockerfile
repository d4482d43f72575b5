# The whole of Loreel in one image; compose.yaml runs it as web, controller and worker.
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 loreel && mkdir /app /data && chown loreel:loreel /app /data
USER loreel
WORKDIR /app

# Empty: the default index, with CUDA builds of PyTorch. An index with CPU builds makes a far smaller image.
ARG LOREEL_TORCH_INDEX=""
ENV LOREEL_TORCH_INDEX=${LOREEL_TORCH_INDEX} \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LOREEL_HOST=0.0.0.0 \
    LOREEL_PORT=3000 \
    LOREEL_DATA_DIR=/data

COPY --chown=loreel:loreel . .
RUN ./loreel setup

VOLUME /data
EXPOSE 3000
STOPSIGNAL SIGTERM
# /livez, and not /readyz: a restart brings no database back.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/livez', timeout=4)"]
CMD ["./loreel", "up"]
