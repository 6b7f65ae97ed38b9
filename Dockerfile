# The command gradflow in a container, for Docker, Podman and Apptainer. `make image` builds it for CPUs,
# `make image DEVICE=cuda` for NVIDIA GPUs.
#   docker run --rm -v "$PWD/outputs:/work/outputs" gradflow -m activation=sigmoid,relu blocks=1,2,4,6,8
ARG PYTHON=3.13
FROM docker.io/library/python:${PYTHON}-slim

ARG DEVICE=cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1

WORKDIR /build

# PyTorch first, as it is most of the image and changes least. PyPI's Linux wheels have CUDA in them.
COPY requirements.lock ./
RUN case "$DEVICE" in \
      cpu) set -- --index-url https://download.pytorch.org/whl/cpu --no-deps ;; \
      cuda) set -- ;; \
      *) echo "DEVICE=$DEVICE: cpu or cuda" >&2; exit 1 ;; \
    esac \
    && pip install --constraint requirements.lock "$@" torch torchvision

COPY pyproject.toml ./
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
      > dependencies.txt \
    && pip install --constraint requirements.lock --requirement dependencies.txt

COPY README.md LICENSE ./
COPY conf conf
COPY src src
RUN pip install --constraint requirements.lock --no-deps . && rm -r /build

# Apptainer runs this as whoever calls it, and Docker as any --user: nothing is written but below these two and /tmp.
RUN useradd --uid 1000 --no-create-home gradflow && mkdir --mode=1777 /data /work
ENV GRADFLOW_DATA=/data
WORKDIR /work
USER 1000
ENTRYPOINT ["gradflow"]
CMD ["--help"]
