# SPDX-License-Identifier: BSD-2-Clause
# Onebell: `make run` boots the image under QEMU, `make test` runs every test. `make help` lists the rest.

CROSS_COMPILE ?= x86_64-linux-gnu-
CC      = $(CROSS_COMPILE)gcc
LD      = $(CROSS_COMPILE)ld
OBJCOPY = $(CROSS_COMPILE)objcopy
READELF = $(CROSS_COMPILE)readelf
NASM   ?= nasm
HOSTCC ?= gcc
CLANG  ?= clang
PYTHON ?= /usr/bin/python3
B       = build

# One short line for each step; V=1 shows the commands.
quiet = $(if $(V),,@printf '  %-7s %s\n' $(1) $@;)

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all
all: $(B)/onebell.efi

WARNINGS = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
           -Wpointer-arith -Wcast-align -Wvla -Wimplicit-fallthrough -Wno-unused-parameter

# ---- an app from outside: make APP=../my-app; docs/writing-an-app.md ----
APP     ?=
APP_C    = $(if $(APP),$(or $(sort $(wildcard $(APP)/*.c)),$(error APP=$(APP): no .c file is in that folder)))
APP_OBJ  = $(patsubst $(APP)/%.c,$(B)/app/%.o,$(APP_C))

# ---- the kernel: freestanding, no SSE, no red zone (interrupts share the stack) ----
DRIVER_DIRS = $(addprefix drivers/,vtd vtd/monitor vtd/platform vtd/posting vmd dsa nvme nvme/cli)
KERNEL_DIRS = lib $(addprefix kernel/,base mem acpi pci x86 cpu irq run domain) $(DRIVER_DIRS) apps apps/monitor init
KERNEL_C    = $(sort $(wildcard $(addsuffix /*.c,$(KERNEL_DIRS))))
KERNEL_ASM  = $(sort $(wildcard $(addsuffix /*.asm,$(KERNEL_DIRS))))
KERNEL_OBJ  = $(KERNEL_C:%.c=$(B)/%.o) $(KERNEL_ASM:%.asm=$(B)/%.asm.o) $(APP_OBJ)

KERNEL_CFLAGS = -std=gnu11 -O2 -g1 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
    -mgeneral-regs-only -mcx16 -fno-omit-frame-pointer -momit-leaf-frame-pointer -fno-strict-aliasing -fno-common \
    -fno-asynchronous-unwind-tables -fcf-protection=none -fstack-protector-strong \
    -ffunction-sections -fdata-sections \
    -fmerge-all-constants -ffile-prefix-map=$(CURDIR)=. $(WARNINGS) -I.

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/%.asm.o: %.asm Makefile
	@mkdir -p $(@D)
	$(call quiet,NASM)$(NASM) -f elf64 -I./ -I$(B)/ -MD $(@:.o=.d) -MT $@ $< -o $@

$(B)/kernel.elf: $(KERNEL_OBJ) linker.ld
	$(call quiet,LD)$(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --gc-sections --build-id=none \
	    --fatal-warnings -T linker.ld -Map $(B)/kernel.map -o $@ $(KERNEL_OBJ)

# Which folder the objects in $(B)/app come from: another one, or none, makes them and the kernel anew.
.PHONY: FORCE
$(B)/app.from: FORCE
	@mkdir -p $(B)/app
	@echo '$(abspath $(APP))' | cmp -s - $@ || { rm -f $(B)/app/*; echo '$(abspath $(APP))' > $@; }

# What later versions add to struct app may be left out.
$(B)/app/%.o: $(APP)/%.c $(B)/app.from Makefile
	$(call quiet,APP)$(CC) $(KERNEL_CFLAGS) -Wno-missing-field-initializers -MMD -MP -c $< -o $@

$(B)/kernel.elf: $(B)/app.from

# The screen's fonts come from Debian's console fonts.
$(B)/font-16.psf: /usr/share/consolefonts/Lat15-Terminus16.psf.gz
$(B)/font-24.psf: /usr/share/consolefonts/Lat15-Terminus24x12.psf.gz
$(B)/font-32.psf: /usr/share/consolefonts/Lat15-TerminusBold32x16.psf.gz
FONTS = $(addprefix $(B)/font-,16.psf 24.psf 32.psf)
$(FONTS):
	@mkdir -p $(@D)
	$(call quiet,GZIP)gzip -dc $< > $@
$(B)/kernel/base/font.asm.o: $(FONTS)

# What the image carries of an ELF file: what is loaded, and the functions' names, for backtraces.
for_image = $(READELF) -sW $< | awk '$$4 == "FUNC" { print $$8 }' > $@.functions && \
            $(OBJCOPY) --strip-all --keep-symbols=$@.functions --remove-section=.marks $< $@

$(B)/kernel.stripped.elf: $(B)/kernel.elf
	$(call quiet,OBJCOPY)$(for_image)

include domain/domain.mk
include boot/boot.mk
include tools/qemu/qemu.mk
include tests/tests.mk
include tools/mkdisk.mk
include tools/tools.mk
include tools/media.mk
include tools/linux/linux.mk

-include $(KERNEL_OBJ:.o=.d)

.PHONY: clean
clean:
	rm -rf $(B)
