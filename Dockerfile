# docker build -t accsearch .
# docker run --rm --gpus all --user "$(id -u):$(id -g)" -v "$PWD:/data" -v /var/tmp/accsearch-leases:/leases accsearch run configs/sd15.yaml
FROM nvidia/cuda:13.0.1-base-ubuntu24.04

# tini reaps and forwards signals, so that `docker stop` reaches the scheduler as SIGTERM.
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3 python3-venv tini bubblewrap g++ python3-dev \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/accsearch
COPY requirements.lock ./
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps .

# Containers that share GPUs share one lease folder; see docs/configuration.md.
ENV PATH=/opt/venv/bin:$PATH ACCSEARCH_LEASES=/leases HF_HOME=/data/.cache/huggingface
RUN useradd --create-home --uid 1001 accsearch \
 && mkdir /leases /data && chmod 1777 /leases && chown accsearch /data
USER accsearch
WORKDIR /data
ENTRYPOINT ["tini", "--", "accsearch"]
CMD ["--help"]
