# SPDX-License-Identifier: BSD-2-Clause
# `make test`, and its host part: the project's own objects, built for the host with sanitizers and
# put into one archive. A test that defines a function itself replaces the archive's object for it.

# What a host can't run: the machine's own set-up, and the string functions that its libc has.
HOST_SKIP = lib/string.c $(addprefix kernel/,apic.c desc.c exit.c ioapic.c main.c mem.c paging.c \
            report.c screen.c smp.c time.c trap.c uart.c)
HOST_C    = $(filter-out $(HOST_SKIP),$(KERNEL_C)) $(BOOT_PURE_C)

# A topic's tests share its models: tests/host/nvme_*.c go into every test_nvme_*.
shared_of = $(patsubst %.c,$(B)/host/%.o,$(wildcard tests/host/$(firstword $(subst _, ,$(1)))_*.c))

HOST_CFLAGS = -std=gnu11 -O1 -g -DONEBELL_HOST -D_GNU_SOURCE -fno-omit-frame-pointer $(WARNINGS) -I.
ASAN        = -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN        = -fsanitize=thread -O2

HOST_OBJ     = $(HOST_C:%.c=$(B)/host/%.o)
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

$(B)/host/tests/host/threads_%: tests/host/threads_%.c Makefile tests/tests.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(HOST_CFLAGS) $(TSAN) -MMD -MP $< -lcmocka -lpthread -o $@

.PRECIOUS: $(B)/host/%.o

.PHONY: test-host
test-host: $(HOST_TESTS) $(THREAD_TESTS) ## unit tests, device models and threads, with sanitizers
	@set -e; for t in $^; do $$t > $$t.log 2>&1 || { cat $$t.log; exit 1; }; \
	    sed -n 's/^\[  PASSED  \]/  &/p' $$t.log | sed "s|$$| $$(basename $$t)|"; done

-include $(HOST_OBJ:.o=.d) $(HOST_TESTS:=.d) $(THREAD_TESTS:=.d)
