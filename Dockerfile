# The command gradflow in a container, for Docker, Podman and Apptainer, on CPUs and NVIDIA GPUs. `make image` builds it.
#   docker run --rm -v "$PWD/outputs:/runs/outputs" gradflow -m activation=sigmoid,relu blocks=1,2,4,6,8
ARG PYTHON=3.13
FROM python:${PYTHON}-slim

# Address of an index of PyTorch's wheels without CUDA, which make the image gigabytes smaller. PyPI's have CUDA in them.
ARG TORCH_INDEX=""
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PYTHONUNBUFFERED=1

WORKDIR /build

# PyTorch first, as it is most of the image and changes least.
COPY requirements.lock ./
RUN if [ -n "$TORCH_INDEX" ]; then set -- --index-url "$TORCH_INDEX" --no-deps; fi \
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
RUN useradd --uid 1000 --no-create-home gradflow && mkdir --mode=1777 /data /runs
ENV GRADFLOW_DATA=/data
WORKDIR /runs
USER 1000
ENTRYPOINT ["gradflow"]
CMD ["--help"]
