# Everything starts here: `make demo` runs the portal, `make test` its tests. Nothing is installed outside this folder.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := demo
.DELETE_ON_ERROR:
CHECKS := ruff templates mypy migrations web operator locks compose catalogues
.PHONY: demo demo-reset test proof check fix bench messages lock environment $(CHECKS:%=check-%)

BIN := .venv/bin
PY := $(BIN)/python
APPS := portal staff billing numbers fax
CATALOGUES := $(wildcard locale/*/LC_MESSAGES/*.po)
# The style sheet holds the classes that these name.
ASSETS := $(shell find assets scripts/build_icons.mjs scripts/build_tabler.mjs templates portal/templatetags -type f -not -name '*.pyc' 2>/dev/null)
ENVIRONMENT := .venv/.complete
BUILD := build/.front-end
MESSAGES := build/.messages

# $(call step,what,commands): say what is done, do it, say how long it took. The shell stops at the first command that
# fails, but not within `a && b`: therefore semicolons.
step = @echo "==> $(1)"; SECONDS=0; $(2); echo "    $(1): $$SECONDS s"
# The machine's Node from 20 on, else the one of the environment.
NODE_PATH = $$(node -e 'process.exit(+(process.versions.node.split(".")[0] < 20))' 2>/dev/null && npm --version >/dev/null 2>&1 || echo "$(CURDIR)/$(BIN):")$$PATH
with_node = export PATH="$(NODE_PATH)"; node --version >/dev/null 2>&1 || { echo "No Node 20 or newer can be run; install Node or remove .venv and try again." >&2; exit 1; }
# `check --deploy` looks at settings as they are in production.
DEPLOYED = DATABASE_URL=postgresql://nobody@localhost/none PORTAL_DEMO=0 PORTAL_SECURE=1 PORTAL_HOSTS=portal.example PORTAL_SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(60))')

demo: $(ENVIRONMENT) $(BUILD) $(MESSAGES) ; @exec $(PY) -m portal.serve
demo-reset: $(ENVIRONMENT) ; @$(PY) -m portal.serve reset && echo "The demo's data is deleted; the next make demo begins anew."
test: $(ENVIRONMENT) $(BUILD) $(MESSAGES)
	$(call step,tests on both cores,$(BIN)/pytest -m "not serial and not browser" -n 3 $(spread) $(call noted,parallel) $(PYTEST_ARGS))
	$(call step,browsers on both cores,$(BIN)/pytest tests/browser -n 2 $(spread) $(call noted,browser) $(PYTEST_ARGS))
	$(call step,tests that need the machine alone,$(BIN)/pytest -m serial $(call noted,serial) $(PYTEST_ARGS))

spread = --maxschedchunk 4
noted = $(if $(PORTAL_PROOF),-o junit_logging=system-out --junitxml=build/proof-$(1).xml)
proof: export PORTAL_PROOF := 1
proof: test ; $(call step,report,$(PY) scripts/proof_report.py)
bench: $(ENVIRONMENT) $(BUILD) $(MESSAGES) ; $(call step,bench,$(PY) -m bench --write)
messages: $(ENVIRONMENT) ; $(call step,collect messages,$(PY) scripts/collect_messages.py; $(PY) scripts/compile_messages.py)

# Each by itself, so that `make -j2 check` does two at a time.
check: $(CHECKS:%=check-%)
$(CHECKS:%=check-%): | $(ENVIRONMENT)
check-ruff: ; $(call step,ruff,$(BIN)/ruff format --check .; $(BIN)/ruff check .)
check-templates: ; $(call step,templates,$(BIN)/djangofmt -q --check templates; $(BIN)/djangofmt check -q templates)
check-mypy: ; $(call step,mypy,$(BIN)/mypy $(APPS))
check-migrations: ; $(call step,migrations,$(DEPLOYED) PORTAL_PROCESS=migrate $(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run)
check-web: ; $(call step,deployment: web,$(DEPLOYED) PORTAL_PROCESS=web $(PY) manage.py check --deploy --fail-level WARNING)
check-operator: ; $(call step,deployment: operator,$(DEPLOYED) PORTAL_PROCESS=operator $(PY) manage.py check --deploy --fail-level WARNING)
check-locks: ; $(call step,lock files name no addresses,if grep -nE '"resolved"' package-lock.json || grep -nE '://|index-url|find-links' requirements/*.txt; then exit 1; fi)
check-compose: ; $(call step,compose file,$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml)
check-catalogues: ; $(call step,message catalogues,$(PY) scripts/collect_messages.py --check; $(PY) scripts/compile_messages.py)

fix: $(ENVIRONMENT) ; $(call step,fix,$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format . ; $(BIN)/djangofmt templates)

# The lock files from pyproject.toml: what is pinned stays pinned, UPGRADE=-U renews it.
compile = $$uv pip compile -q pyproject.toml --universal --generate-hashes --no-annotate --no-header $(UPGRADE)
lock: ; $(call step,lock files,$(find_python); $(find_uv); $(compile) -o requirements/base.txt; $(compile) --group dev -o requirements/dev.txt)

environment: $(ENVIRONMENT)

# uv: the machine's, else one of our own from pip. Python: 3.13 or whatever is new enough, else uv brings one. Versions
# are tried by running them, because the shims of pyenv exist for versions that do not.
$(ENVIRONMENT): requirements/dev.txt .python-version
	$(call step,Python environment,$(find_python); $(find_uv); $(make_venv); $$uv pip sync -q --python $(PY) --require-hashes requirements/dev.txt; touch $@)

new_enough = import sys; sys.exit(sys.version_info < (3, 12))
find_python = python=; for name in python3.13 python3 python3.14 python3.12 python; do for path in $$(type -ap $$name || true); do if "$$path" -c '$(new_enough)' 2>/dev/null; then python=$$path; break 2; fi; done; done
find_uv = uv=$$(command -v uv || true); [ -n "$$uv" ] && "$$uv" --version >/dev/null 2>&1 || uv=.tools/bin/uv; \
	if ! "$$uv" --version >/dev/null 2>&1; then \
	[ -n "$$python" ] || { echo "No Python 3.12 or newer and no uv was found; install one of them (Debian 13: apt-get install python3 python3-venv)." >&2; exit 1; }; \
	"$$python" -m venv --clear .tools 2>/dev/null || { echo "$$python can't make an environment; install its venv package (Debian: apt-get install python3-venv) or uv." >&2; exit 1; }; \
	.tools/bin/python -m pip install -q --disable-pip-version-check uv; fi
make_venv = $(PY) -c '$(new_enough)' 2>/dev/null || "$$uv" venv -q --clear .venv --python "$${python:-3.13}" || { echo "No Python 3.12 or newer can be had; install one (Debian 13: apt-get install python3)." >&2; exit 1; }

node_modules/.complete: package.json package-lock.json .npmrc | $(ENVIRONMENT)
	$(call step,front-end packages,$(with_node); npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; touch $@)

$(BUILD): node_modules/.complete $(ASSETS)
	$(call step,front-end build,$(with_node); npm run --silent build; PORTAL_PROCESS=migrate PORTAL_SECURE=0 $(PY) manage.py collectstatic --no-input --clear --verbosity 0; touch $@)

$(MESSAGES): $(CATALOGUES) scripts/compile_messages.py | $(ENVIRONMENT)
	$(call step,message catalogues,$(PY) scripts/compile_messages.py; mkdir -p build; touch $@)
