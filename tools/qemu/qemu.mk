# SPDX-License-Identifier: BSD-2-Clause
# The QEMU platform model. A part of the top-level Makefile; alone, from the top directory:
# make -f tools/qemu/qemu.mk
# B is relative for all who call this: the lists of headers name the objects as they were called.
B        ?= build
HOSTCC   ?= gcc
WARNINGS ?= -Wall -Wextra -Werror

MODEL_C      = $(sort $(wildcard tools/qemu/*.c tools/qemu/dsa/*.c))
MODEL_OBJ    = $(MODEL_C:tools/qemu/%.c=$(B)/qemu/%.o)
MODEL_CFLAGS = -std=gnu11 -O2 -g -D_GNU_SOURCE $(WARNINGS) -Wno-unused-parameter -I.

.PHONY: platform-model
platform-model: $(B)/qemu/onebell-posted.so

$(B)/qemu/%.o: tools/qemu/%.c tools/qemu/qemu.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(MODEL_CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c $< -o $@

$(B)/qemu/onebell-posted.so: $(MODEL_OBJ)
	$(call quiet,HOSTCC)$(HOSTCC) -shared -Wl,-z,defs -o $@ $(MODEL_OBJ) -ldl

# For tests/platform: the decoding on its own, and programs that the plugin takes for a QEMU.
MODEL_TESTS = $(B)/qemu/test-logic $(B)/qemu/fake-qemu $(B)/qemu/fake-qemu-complete

$(B)/qemu/test-logic: tests/platform/logic.c tools/qemu/qemu.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(MODEL_CFLAGS) -MMD -MP $< -o $@ -lcmocka

$(B)/qemu/fake-qemu-complete: MODEL_DEFINE = -DCOMPLETE
$(B)/qemu/fake-qemu $(B)/qemu/fake-qemu-complete: tests/platform/fake_qemu.c tools/qemu/qemu.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) $(MODEL_CFLAGS) $(MODEL_DEFINE) -rdynamic -MMD -MP $< -o $@ -ldl

-include $(MODEL_OBJ:.o=.d) $(MODEL_TESTS:=.d)
