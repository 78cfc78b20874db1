# SPDX-License-Identifier: BSD-2-Clause
# Programs of domains: build/domain.elf has the job and sha256sum, and with `make DOMAIN=../my-app` the app of
# that folder as well. For the largest part it is the kernel's own sources, compiled again for ring 3.

DOMAIN ?=
DOMAIN_APP_C = $(if $(DOMAIN),$(or $(sort $(wildcard $(DOMAIN)/*.c)),$(error DOMAIN=$(DOMAIN): no .c file is in that folder)))

# What takes the place of the kernel's own rooms, and of these as they are; then the driver of what a domain was granted, and the apps.
DOMAIN_C = $(sort $(wildcard domain/*.c)) \
    $(filter-out lib/console_words.c lib/kept.c lib/line_ring.c lib/qr.c,$(wildcard lib/*.c)) \
    $(addprefix kernel/,base/cmdline.c base/report_warnings.c mem/nodes.c x86/time.c cpu/msg.c cpu/timer.c \
        cpu/trace.c irq/irq_config.c \
        run/allow_write.c run/app.c run/app_stop.c run/block.c run/command.c run/command_print.c run/copy.c) \
    $(addprefix drivers/nvme/,granted.c qpair.c disk.c request.c stream.c command.c scatter.c copy.c pieces.c \
        late.c prp.c status.c reset.c round.c identify_zns.c recover_plan.c) \
    $(sort $(wildcard apps/job*.c)) \
    $(addprefix apps/,arena.c bins.c copy_measure.c copy_pays.c disks.c health.c histogram.c human.c latency.c \
        live.c sha256sum.c table.c table_print.c)
DOMAIN_ASM = domain/start.asm kernel/base/stack_check.asm
DOMAIN_OBJ = $(DOMAIN_C:%.c=$(B)/ring3/%.o) $(DOMAIN_ASM:%.asm=$(B)/ring3/%.asm.o) \
    $(patsubst $(DOMAIN)/%.c,$(B)/ring3-app/%.o,$(DOMAIN_APP_C))

# The canary lies where the kernel's code model has it, at GS:40; no interrupt uses the program's stack.
DOMAIN_CFLAGS = $(filter-out -mcmodel=kernel -mno-red-zone,$(KERNEL_CFLAGS)) -mcmodel=small -DONEBELL_DOMAIN \
    -mstack-protector-guard=tls -mstack-protector-guard-reg=gs -mstack-protector-guard-offset=40

# Before GS shows a CPU its own data there is no canary.
$(B)/ring3/domain/start.o: DOMAIN_CFLAGS += -fno-stack-protector

$(B)/ring3/%.o: %.c Makefile domain/domain.mk
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(DOMAIN_CFLAGS) -MMD -MP -c $< -o $@

$(B)/ring3/%.asm.o: %.asm Makefile domain/domain.mk
	@mkdir -p $(@D)
	$(call quiet,NASM)$(NASM) -f elf64 -I./ -MD $(@:.o=.d) -MT $@ $< -o $@

# Which folder the objects in $(B)/ring3-app come from, as with APP.
$(B)/domain.from: FORCE
	@mkdir -p $(B)/ring3-app
	@echo '$(abspath $(DOMAIN))' | cmp -s - $@ || { rm -f $(B)/ring3-app/*; echo '$(abspath $(DOMAIN))' > $@; }

$(B)/ring3-app/%.o: $(DOMAIN)/%.c $(B)/domain.from Makefile domain/domain.mk
	$(call quiet,APP)$(CC) $(DOMAIN_CFLAGS) -Wno-missing-field-initializers -MMD -MP -c $< -o $@

$(B)/domain.full.elf: $(DOMAIN_OBJ) $(B)/domain.from domain/domain.ld
	$(call quiet,LD)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections --build-id=none \
	    --fatal-warnings -T domain/domain.ld -Map $(B)/domain.map -o $@ $(DOMAIN_OBJ)

$(B)/domain.elf: $(B)/domain.full.elf
	$(call quiet,OBJCOPY)$(for_image)

-include $(DOMAIN_OBJ:.o=.d)
