# SPDX-License-Identifier: BSD-2-Clause
# Set-up, running, and the checks that are neither host tests nor fuzzers.

SETUP        ?= tools/setup.sh
CLANG_FORMAT ?= clang-format-19

# `make run` and `make debug`; all may be given on make's command line.
IRQ    ?= posted
CPUS   ?= 2
DISKS  ?= 4
JOB    ?= rw=randread bs=4k iodepth=32 runtime=5s verify=crc32c
APPEND ?=
WRITE  ?=
RUN     = tools/run-qemu --cpus $(CPUS) --disks $(DISKS) $(if $(WRITE),--writable) --append "irq=$(IRQ) $(JOB) $(APPEND)"

# What run-qemu needs, built by a make of its own: only after set-up are the compilers there.
RUNNABLE   = $(B)/onebell.efi $(B)/mkdisk $(B)/qemu/onebell-posted.so
PARALLEL   = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
BUILD_ALL  = $(MAKE) --no-print-directory $(PARALLEL)

.PHONY: setup run debug
setup: ## install what running and testing need and is missing (Debian 12 and later)
	@$(SETUP)

run: ## boot the image in QEMU and run the I/O job: IRQ= CPUS= DISKS= JOB= APPEND= WRITE=1
	@$(SETUP) run && $(BUILD_ALL) $(RUNNABLE)
	$(RUN) --ok-zero

debug: ## the same, waiting for a debugger on port 1234
	@$(SETUP) run && $(BUILD_ALL) $(RUNNABLE)
	$(RUN) --gdb

# Captures of COM2 to report on, in place of a run in QEMU; several are set side by side.
LOG ?=

.PHONY: report
report: ## the bench in QEMU, or the captures in LOG=, as a page of charts: build/report/index.html
	@$(SETUP) report && $(if $(LOG),true,$(BUILD_ALL) $(RUNNABLE))
	@$(PYTHON) -B tools/report $(LOG)

# An inventory, and the machines of it that are meant: docs/racks.md.
RACK     ?=
MACHINES ?=

.PHONY: fleet
fleet: ## one run on all machines of a rack by their BMCs, and one report: RACK= MACHINES= WORDS=
	@$(SETUP) fleet && $(MAKE) --no-print-directory SETUP=true iso
	tools/fleet run $(RACK) $(MACHINES)

.PHONY: test-tools test-platform test-protocol test-nvme-cli test-qemu test-racks
PYTEST = PYTHONUNBUFFERED=1 PYTHONPATH=tests/plugin $(PYTHON) -B -m pytest -q -p no:cacheprovider -p no:labgrid -p told_at_once

# Two cores are kept busy by three tests at a time: some wait, for a second of the guest's or for a person's keys.
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))

# As files, so that what a file's tests share is made once.
test-tools: $(B)/kernel.elf $(B)/ckdisk ## the scripts in tools/
	@$(PYTEST) -n $(WORKERS) --dist loadfile tests/tools

test-platform: $(MODEL_TESTS) $(B)/qemu/onebell-posted.so ## the platform model, without a guest
	@$(PYTEST) -n $(WORKERS) tests/platform

test-protocol: ## the descriptor's protocol, searched by spin
	@$(PYTEST) -n $(WORKERS) tests/model

# app=nvme's decoders against Debian's nvme-cli, which is shown a disk of our making.
NVME_CLI = $(B)/nvme-cli/disk.so $(B)/nvme-cli/decode

$(B)/nvme-cli/disk.so: tests/nvme-cli/disk.c
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) -std=gnu11 -O1 $(WARNINGS) -fPIC -shared -o $@ $< -ldl

$(B)/nvme-cli/decode: $(B)/host/tests/nvme-cli/decode.o $(B)/host/libonebell.a
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $(ASAN) $^ -o $@

test-nvme-cli: $(NVME_CLI) ## what app=nvme says of a disk, against nvme-cli
	@$(PYTEST) -n $(WORKERS) tests/nvme-cli

# A QEMU plugin that breaks devices on purpose.
$(B)/qemu/override.so: tests/qemu/override.c $(B)/qemu/qemu_abi.o
	$(call quiet,HOSTCC)$(HOSTCC) $(MODEL_CFLAGS) -fPIC -fvisibility=hidden -shared -Wl,-z,defs -o $@ $^ -ldl

test-qemu: $(RUNNABLE) $(B)/ckdisk $(B)/qemu/override.so $(B)/nvme-cli/disk.so ## whole-system tests; ONEBELL_FULL=1 for all combinations
	@$(PYTEST) -n $(WORKERS) tests/qemu

# A boot each, or a fleet's: as files, so that a file's boots are made once.
test-racks: $(RUNNABLE) ## LAVA, labgrid and tools/fleet, against machines in QEMU
	@$(PYTEST) -n $(WORKERS) --dist loadfile tests/racks

.PHONY: budget
budget: ## measure what reads cost in instructions, and write tests/perf/budget.json anew
	@$(SETUP) run && $(BUILD_ALL) $(RUNNABLE)
	@$(PYTHON) -B tests/perf/budget.py

C_DIRS    = $(KERNEL_DIRS) kernel domain boot docs/example-app tools tools/qemu tools/qemu/dsa tests/domain tests/domain/canaries tests/host tests/fuzz tests/platform tests/qemu tests/nvme-cli
C_SOURCES = $(sort $(wildcard $(addsuffix /*.[ch],$(C_DIRS))))

# Tests break rules on purpose, so cppcheck reads the rest only. Left out: what it gets wrong about
# linker symbols, functions that don't return, and expressions and macros it can't parse. What it has found of a
# file is kept in $(B)/cppcheck until the file changes.
CHECKED  = $(filter-out tests/%,$(C_SOURCES))
CPPCHECK = cppcheck --quiet --error-exitcode=1 --std=c11 --platform=unix64 --inline-suppr \
    --enable=warning,portability,performance --template='{file}:{line}: {message} [{id}]' \
    $(addprefix --suppress=,comparePointers subtractPointers nullPointerRedundantCheck ctunullpointer \
    nullPointerOutOfResources uninitvar internalAstError normalCheckLevelMaxBranches \
    syntaxError:tools/qemu/strict.h) --cppcheck-build-dir=$(B)/cppcheck -j2 -I.

STYLE = $(addprefix style-,cppcheck calls layout atomics includes warnings)

.PHONY: style format $(STYLE)
style: $(STYLE) ## formatting, order of includes and calls, atomics as compiled, warnings, static analysis

style-layout:
	@if command -v $(CLANG_FORMAT) >/dev/null; then \
	    $(CLANG_FORMAT) --dry-run -Werror $(C_SOURCES) && echo "formatting: $(words $(C_SOURCES)) files"; \
	else echo "formatting: skipped: $(CLANG_FORMAT) is not installed"; fi

style-includes:
	@tools/check-includes && echo "includes: in order"

style-calls: $(B)/kernel.elf
	@tools/check-calls && echo "calls: in order, no circle"

style-atomics: $(B)/kernel.elf
	@tools/check-atomics && echo "atomics: as the model has them"

# GCC warns of what may be unset where it has inlined what sets it, and each version inlines more. What the next one
# will say at -O2, stopping the build, this one says at -O3.
O3 = $(KERNEL_C:%.c=$(B)/o3/%.s)

$(B)/o3/%.s: %.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(KERNEL_CFLAGS) -O3 -g0 -MMD -MP -S $< -o $@

-include $(O3:.s=.d)

style-warnings: $(O3)
	@echo "warnings at -O3: none in $(words $(O3)) files"

style-cppcheck:
	@mkdir -p $(B)/cppcheck
	@$(CPPCHECK) $(CHECKED) && echo "cppcheck: $(words $(CHECKED)) files"

format: ## lays out all C sources
	$(CLANG_FORMAT) -i $(C_SOURCES)

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
