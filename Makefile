# make help lists the targets.
.DEFAULT_GOAL := help
.PHONY: help install sweep status resume report advise reproductions lesson docs pictures bench bench-quick gpu-check test test-fast check format tensorboard image lock

VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS ?= dev,slurm
STUDY ?= outputs/digits_conv
STUDIES ?= outputs
PORT ?=
ARGS ?=
LAUNCHER ?=
PARTITION ?=
GPUS ?=
TORCH_INDEX ?=
LAUNCH = $(if $(LAUNCHER),hydra/launcher=$(LAUNCHER)) $(if $(PARTITION),hydra.launcher.partition=$(PARTITION)) \
  $(if $(GPUS),hydra.launcher.gpus_per_node=$(GPUS))
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
  $(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo '  ARGS="seed=0,1,2 trainer.max_epochs=5" adds overrides to the sweep; STUDY=outputs/NAME picks a study'
	@echo '  LAUNCHER=joblib runs sweep and resume on all cores of this machine; on a Slurm cluster,'
	@echo '  make sweep LAUNCHER=slurm PARTITION=gpu GPUS=1 ARGS="..." (see docs/cluster.md)'

$(VENV)/.installed: pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "gradflow needs Python 3.11 or newer: install it, or name it with make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (Debian: python3-venv)"; exit 1; }
	@echo "installing PyTorch and the other packages in $(VENV), once: a few minutes, in silence"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[$(EXTRAS)]'
	@touch $@

install: $(VENV)/.installed ## Build .venv with the pinned versions; rebuild it only when they change

sweep: install ## Train sigmoid and ReLU at five depths on the built-in digits, about two minutes on two cores
	$(BIN)/python train.py -m activation=sigmoid,relu blocks=1,2,4,6,8 $(LAUNCH) $(ARGS)

status: install ## Show the progress of STUDY: runs by state, errors, expected time left
	$(BIN)/python -m gradflow.study $(STUDY) status

resume: install ## Train what is unfinished in STUDY
	$(BIN)/python train.py resume=$(STUDY) $(LAUNCH) $(ARGS)

report: install ## Average the seeds of STUDY, compare its activations and write its report
	$(BIN)/python -m gradflow.study $(STUDY) $(ARGS)

advise: install ## Say what is wrong with the networks of STUDY, by stated rules, and what helps
	$(BIN)/python -m gradflow.advise $(STUDY) $(ARGS)

reproductions: install ## Store the measurements of finished studies in STUDIES and write docs/reproductions.md
	$(BIN)/python -m gradflow.reproductions $(wildcard $(STUDIES))

lesson: install ## Build the interactive lesson, outputs/lesson/index.html, in under three minutes
	$(BIN)/python -m gradflow.lesson $(ARGS)

docs: install ## Build the documentation as a site, build/docs/index.html
	@$(BIN)/python -c 'import material, mkdocstrings' 2>/dev/null || $(BIN)/python -m pip install --quiet \
	  --disable-pip-version-check --constraint requirements.lock --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site: build/docs/index.html"

pictures: install ## Make the pictures of README and docs again, and train what they need: ten minutes the first time
	$(BIN)/python docs/pictures.py

bench: install ## Measure seconds, memory, wrong verdicts and more, tables in outputs/bench (over an hour, idle machine)
	$(BIN)/python tests/benchmarks/speed.py $(ARGS)
	$(BIN)/python tests/benchmarks/busy_machine.py
	$(BIN)/python tests/benchmarks/growth.py
	$(BIN)/python tests/benchmarks/epochs.py
	$(BIN)/python tests/benchmarks/study_report.py
	$(BIN)/python tests/benchmarks/planning.py
	$(BIN)/python tests/benchmarks/batch_norm_samples.py
	$(BIN)/python tests/benchmarks/any_network.py
	$(BIN)/python tests/benchmarks/verdicts.py
	$(BIN)/python tests/benchmarks/intervals.py
	$(BIN)/python tests/benchmarks/lesson_engine.py

bench-quick: install ## Run the essential benchmarks, in under three minutes
	$(BIN)/python tests/benchmarks/speed.py --quick $(ARGS)

gpu-check: install ## Check and time gradflow on the first CUDA GPU, in under eight minutes (docs/gpu.md)
	$(BIN)/python tests/benchmarks/gpu_check.py $(ARGS)

test: install ## Run every test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 $(ARGS)

test-fast: install ## Run the fast tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 -m "not slow" $(ARGS)

check: install ## Check formatting, lint and types and run the fast tests: what to run before a commit
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test-fast

format: install ## Format the code and apply ruff's fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

tensorboard: install ## Average the seeds of STUDY (STUDY=outputs: of all) and open TensorBoard at the answer
	$(BIN)/python -m gradflow.tensorboard $(STUDY) $(if $(PORT),--port $(PORT)) $(ARGS)

image: ## Build the container image gradflow
	docker build --build-arg TORCH_INDEX=$(TORCH_INDEX) --tag gradflow .

lock: ## Pin the newest versions that pyproject.toml allows in requirements.lock
	$(PYTHON) -m venv --clear $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet --editable '.[dev,slurm,docs]'
	{ echo '# Exact versions of every dependency, used as pip constraints by make install. Made by make lock.'; \
	  $(VENV)-lock/bin/python -m pip freeze --all --exclude-editable | grep -v '^pip=='; } > requirements.lock
	rm -r $(VENV)-lock
