# SPDX-License-Identifier: BSD-2-Clause
# `make test`, and its host part: the project's own objects, built for the host with sanitizers and
# put into one archive. A test that defines a function itself replaces the archive's object for it.

# What a host can't run: the machine's own set-up, and the string functions that its libc has.
HOST_SKIP = lib/string.c $(wildcard init/*.c) $(addprefix kernel/, \
            base/cpus.c base/image.c base/report.c domain/ring.c domain/ring_check.c mem/dma.c mem/map.c mem/mem.c \
            mem/paging.c mem/what.c run/desc.c run/exit.c run/nmi.c run/smp.c run/trap.c run/trap_print.c \
            x86/ioapic.c x86/time.c x86/tsc_measure.c)
HOST_C    = $(filter-out $(HOST_SKIP),$(KERNEL_C)) $(BOOT_PURE_C)

# A topic's tests share its models: tests/host/nvme_*.c go into every test_nvme_*. Interrupts of VMDs and DSAs come
# by way of the IRQ core; behind them are NVMe controllers.
topic_of   = $(firstword $(subst _, ,$(1)))
shared_vmd = tests/host/irq_world.c
shared_dsa = tests/host/irq_world.c
shared_behind = $(shared_vmd) $(wildcard tests/host/nvme_model*.c)
shared_of  = $(patsubst %.c,$(B)/host/%.o,$(wildcard tests/host/$(topic_of)_*.c) $(shared_$(topic_of)))

HOST_CFLAGS = -std=gnu11 -O1 -g -mcx16 -DONEBELL_HOST -D_GNU_SOURCE -fno-omit-frame-pointer $(WARNINGS) -I.
ASAN        = -fsanitize=address,undefined -fno-sanitize-recover=all
# What GCC 13 and clang 15 look for by themselves.
export ASAN_OPTIONS ?= detect_stack_use_after_return=1
TSAN        = -fsanitize=thread -O2

HOST_OBJ     = $(HOST_C:%.c=$(B)/host/%.o) $(patsubst %.c,$(B)/host/%.o,$(wildcard tests/host/host_*.c)) \
               $(B)/kernel/base/font.asm.o
HOST_TESTS   = $(patsubst %.c,$(B)/host/%,$(sort $(wildcard tests/host/test_*.c)))
THREAD_TESTS = $(patsubst %.c,$(B)/host/%,$(sort $(wildcard tests/host/threads_*.c)))

$(B)/host/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $(ASAN) -MMD -MP -c $< -o $@

$(B)/host/libonebell.a: $(HOST_OBJ)
	$(call quiet,AR)rm -f $@ && ar rcs $@ $^

.SECONDEXPANSION:
$(B)/host/tests/host/test_%: $(B)/host/tests/host/test_%.o $$(call shared_of,$$*) $(B)/host/libonebell.a
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $(ASAN) $^ -lcmocka -o $@

# The DMAR tables of tests/dmar/, which iasl compiles.
$(B)/dmar/list: $(wildcard tests/dmar/*)
	$(call quiet,IASL)tests/dmar/build $(@D)

$(B)/host/tests/host/test_dmar_check.o: HOST_CFLAGS += -DDMAR_TABLES='"$(B)/dmar"'
$(B)/host/tests/host/test_dmar_check.o: $(B)/dmar/list

# Threads: the CPU's side of the descriptor, and the machine around it.
TSAN_C = $(wildcard kernel/irq/*.c) $(addprefix kernel/,cpu/msg.c cpu/timer.c cpu/trace.c run/hotplug.c run/loop.c) \
         lib/format.c lib/problem.c tests/host/irq_world.c

$(B)/tsan/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $(TSAN) -MMD -MP -c $< -o $@

$(B)/tsan/libonebell.a: $(TSAN_C:%.c=$(B)/tsan/%.o)
	$(call quiet,AR)rm -f $@ && ar rcs $@ $^

$(B)/host/tests/host/threads_%: $(B)/tsan/tests/host/threads_%.o $(B)/tsan/libonebell.a
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $(TSAN) $^ -lcmocka -lpthread -o $@

# Steps: the same objects, linked to what plays all interleavings instead (tests/host/step.h).
STEP_TESTS = $(patsubst %.c,$(B)/host/%,$(sort $(wildcard tests/host/steps_*.c)))
STEP_OBJ   = $(addprefix $(B)/steps/tests/host/,step.o step_machine.o irq_world.o)

$(B)/steps/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) -MMD -MP -c $< -o $@

$(B)/host/tests/host/steps_%: $(B)/steps/tests/host/steps_%.o $(STEP_OBJ) $(B)/tsan/libonebell.a
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $^ -lcmocka -o $@

# A domain's CPU.
DOMAIN_TSAN = $(addprefix kernel/domain/,calls.c cpu.c ring_run.c)
$(B)/host/tests/host/steps_domain: $(B)/steps/tests/host/step_ring3.o $(DOMAIN_TSAN:%.c=$(B)/tsan/%.o)

# The bottom of a domain's program in place of the kernel's.
PROGRAM_TSAN = $(addprefix domain/,apic.c cpus.c irq.c loop.c) \
               $(addprefix kernel/,cpu/msg.c cpu/timer.c irq/irq_config.c) lib/format.c
$(B)/host/tests/host/steps_program: $(B)/steps/tests/host/steps_program.o $(B)/steps/tests/host/step.o \
                                    $(PROGRAM_TSAN:%.c=$(B)/tsan/%.o)
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $^ -lcmocka -o $@

.PRECIOUS: $(B)/host/%.o $(B)/tsan/%.o $(B)/steps/%.o
.SECONDARY: $(HOST_TESTS) $(THREAD_TESTS) $(STEP_TESTS)

.PHONY: test-host
test-host: export ONEBELL_THREADS_SECONDS ?= $(if $(ONEBELL_FULL),60,3)
test-host: $(addsuffix .run,$(THREAD_TESTS) $(STEP_TESTS) $(HOST_TESTS)) ## unit tests, device models and threads, with sanitizers

# The longest come first.
$(B)/host/tests/host/%.run: $(B)/host/tests/host/%
	@$< > $<.log 2>&1 || { cat $<.log; echo "failed: $<"; exit 1; }
	@sed -n 's/^\[  PASSED  \]\|^skipped:/  &/p' $<.log | uniq | sed "s|$$| $*|"

-include $(HOST_OBJ:.o=.d) $(wildcard $(B)/host/tests/host/*.d $(B)/tsan/*/*/*.d $(B)/steps/tests/host/*.d)

# ---- fuzzers: every parser of outside data, 2 seconds each, or 60 ----
FUZZ_SECONDS ?= $(if $(ONEBELL_FULL),60,2)
FUZZ_OBJ   = $(HOST_C:%.c=$(B)/fuzz/%.o) $(B)/kernel/base/font.asm.o
FUZZERS    = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_FLAGS = $(filter-out -Wcast-align,$(HOST_CFLAGS)) -fsanitize=address,undefined -fno-sanitize-recover=all

$(B)/fuzz/%.o: %.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(call quiet,CLANG)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(B)/fuzz/libonebell.a: $(FUZZ_OBJ)
	$(call quiet,AR)rm -f $@ && ar rcs $@ $^

$(B)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(B)/fuzz/libonebell.a
	$(call quiet,CLANG)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $(filter-out %.a,$^) $(filter %.a,$^) $(FUZZ_LIBS) -o $@

# On the models of the host tests.
$(B)/fuzz/fuzz_nvme_driver: FUZZ_LIBS = -lcmocka
$(B)/fuzz/fuzz_nvme_driver: $(patsubst %.c,$(B)/fuzz/%.o,$(wildcard tests/host/nvme_*.c))
$(B)/fuzz/fuzz_qr: $(B)/fuzz/tests/host/qr_read.o
$(B)/fuzz/fuzz_dsa: FUZZ_LIBS = -lcmocka
$(B)/fuzz/fuzz_dsa: $(addprefix $(B)/fuzz/tests/host/,irq_world.o dsa_model.o dsa_model_commands.o host_dma.o host_dma_alloc.o)
$(B)/fuzz/fuzz_vmd: FUZZ_LIBS = -lcmocka
$(B)/fuzz/fuzz_vmd: $(B)/fuzz/tests/host/irq_world.o

# First what was found once, then on from where the last run ended.
$(B)/fuzz/%.run: $(B)/fuzz/%
	@mkdir -p $<.corpus && $< -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -artifact_prefix=$<- \
	    $<.corpus $(wildcard tests/fuzz/corpus/$*) > $<.log 2>&1 || { tail -40 $<.log; exit 1; }
	@printf '  %-22s %s runs\n' $* $$(sed -n 's/.*executed_units: *//p' $<.log)

.SECONDARY: $(FUZZERS)
.PHONY: fuzz
fuzz: $(FUZZERS:=.run) ## every fuzzer for FUZZ_SECONDS (2)

-include $(FUZZ_OBJ:.o=.d) $(wildcard $(B)/fuzz/tests/host/*.d)

# ---- do the tests bite? ----
.PHONY: test-mutants
test-mutants: ## changes that a test must notice, one at a time; some hours
	@$(SETUP) && tests/mutants/run

# ---- all of it ----
.PHONY: test
test: ## everything; some 15 minutes on two cores
	@$(SETUP) test && $(BUILD_ALL) test-host
	@$(MAKE) --no-print-directory $(PARALLEL) fuzz style
	@$(MAKE) --no-print-directory test-tools
	@$(MAKE) --no-print-directory test-platform
	@$(MAKE) --no-print-directory test-protocol
	@$(MAKE) --no-print-directory test-nvme-cli
	@$(MAKE) --no-print-directory test-qemu
	@$(MAKE) --no-print-directory test-racks
