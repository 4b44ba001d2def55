# make run: set everything up and rear the main experiment. make test: set up and run the tests.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Three on two cores, because tests wait for processes and browsers that they start.
WORKERS ?= 3
PUBLISHED ?=

# Where torch comes from: the package index in use, or another one, such as that of the CPU-only builds.
TORCH_INDEX ?=

# Compiled modules are kept whatever the environment says: the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup run test coverage slow gpu lint types labs notebooks jupyter docs clean
setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'binocular needs Python 3.11 or later')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $(STAMP)

run: $(STAMP)
	$(BIN)/binocular run monocular-deprivation
	@echo "The command is in $(BIN): '. $(BIN)/activate' makes it yours in this terminal."

test: $(STAMP)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal -m "not slow"

# The same, and which lines no test reaches; slower, and what runs in other processes is not counted.
coverage: $(STAMP)
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal -m "not slow" --cov --cov-report=term:skip-covered

slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

# The published size on a GPU, in pieces of ten minutes that go on from one another; in miniature where there is none.
gpu: $(STAMP)
	$(BIN)/python -m benchmarks.gpu

# The labs as empty notebooks for Jupyter or Colab, below build/labs, with the package as a file that Colab can install.
# PUBLISHED=OWNER/REPOSITORY/blob/BRANCH/FOLDER on GitHub gives them 'Open in Colab' badges.
notebooks: $(STAMP)
	$(BIN)/python labs/notebooks.py --published "$(PUBLISHED)"
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir build/labs .

# The same, opened in JupyterLab.
jupyter: notebooks
	$(BIN)/python -m pip install --quiet --constraint constraints.txt "jupyterlab>=4"
	$(BIN)/python -m jupyterlab build/labs

# The same carried out, every number of the teacher's keys checked: about four minutes on one core.
labs: $(STAMP)
	$(BIN)/python labs/notebooks.py --execute

# The documentation as a site in build/docs; nothing is fetched, and a warning is an error.
docs: $(STAMP)
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs build/docs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The types of what is installed: the folders at the top are packages inside of binocular there.
types: $(STAMP)
	rm -rf build/types && mkdir -p build/types && cp -r binocular build/types/ && cp -r stimuli protocols data build/types/binocular/
	$(BIN)/pyright

clean:
	rm -rf $(VENV) build dist *.egg-info
