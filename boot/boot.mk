# SPDX-License-Identifier: BSD-2-Clause
# The loader: a GNU-EFI application with the kernel's ELF file inside, $(B)/onebell.efi.

BOOT_C   = $(sort $(wildcard boot/*.c))
BOOT_LIB = lib/console_words.c lib/crc32c.c lib/elf64.c lib/format.c lib/json.c lib/kept.c lib/parse.c lib/problem.c lib/string.c
BOOT_OBJ = $(BOOT_C:%.c=$(B)/%.o) $(BOOT_LIB:%.c=$(B)/boot/%.o) \
           $(B)/boot/jump.asm.o $(B)/boot/kernel_blob.asm.o $(B)/boot/program_blob.asm.o $(B)/boot/sbat.asm.o

# Parts without firmware calls or instructions, for host tests.
BOOT_PURE_C = boot/acpi_tables.c boot/boot_paging.c boot/bus_masters.c boot/device_path.c boot/hsti_decode.c \
              boot/kernel_elf.c boot/load_options.c boot/mcfg.c boot/memory_map.c boot/menu_choice.c boot/program_names.c \
              boot/results_files.c boot/spcr.c

# The program for domains that the image carries: domain/domain.mk.
PROGRAM_ELF = $(B)/domain.elf

# GNU-EFI's parts, wherever the distribution has put them.
EFI_INCLUDE ?= $(firstword $(wildcard /usr/include/efi /usr/local/include/efi))
EFI_LIBS    ?= $(patsubst %/,%,$(dir $(firstword $(wildcard $(addsuffix /crt0-efi-x86_64.o, \
    /usr/lib /usr/lib64 /usr/lib/x86_64-linux-gnu /usr/lib/gnuefi /usr/lib64/gnuefi \
    /usr/lib/x86_64-linux-gnu/gnuefi /usr/local/lib)))))

# -fpic and no general use of vector registers: firmware relocates the image, and its interrupts run
# on our stack. GNU_EFI_USE_MS_ABI: firmware's functions are called directly, in its own convention.
# -fshort-wchar: some versions of the headers make CHAR16 of wchar_t.
BOOT_CFLAGS = -std=gnu11 -Os -ffreestanding -fpic -mno-red-zone -mgeneral-regs-only \
    -fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables -fno-stack-protector \
    -fcf-protection=none -fvisibility=hidden \
    -ffile-prefix-map=$(CURDIR)=. -fshort-wchar -DGNU_EFI_USE_MS_ABI $(WARNINGS) -I. \
    -isystem $(or $(EFI_INCLUDE),$(error GNU-EFI is missing: run tools/setup.sh)) \
    -isystem $(EFI_INCLUDE)/x86_64

# GNU-EFI's start-up code calls efi_main() up to 3.0.15, and later _entry() of libefi, which sets
# that library up first. Nothing of it is used here, and its memcpy() would clash with ours.
BOOT_LDFLAGS = -nostdlib -shared -Bsymbolic --no-undefined -znocombreloc -z noexecstack \
    --defsym=_entry=efi_main --build-id=none -T $(EFI_LIBS)/elf_x86_64_efi.lds -L $(EFI_LIBS)

# 1 MiB. Debian 13's GCC makes 17 KiB more of the same sources than Debian 12's, which leaves it 20.
IMAGE_BYTES_MAX = $(if $(filter 12,$(shell $(CC) -dumpversion)),1028096,1048576)

# Only what firmware loads; no symbols. Which of these there are depends on GNU-EFI's version.
BOOT_SECTIONS = $(addprefix -j ,.text .sdata .data .rodata .dynamic '.rel*' '.rela*' .reloc .areloc .sbat)

$(B)/boot/%.o: boot/%.c Makefile boot/boot.mk
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BOOT_CFLAGS) -MMD -MP -c $< -o $@

$(B)/boot/lib/%.o: lib/%.c Makefile boot/boot.mk
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(BOOT_CFLAGS) -MMD -MP -c $< -o $@

$(B)/boot/%.asm.o: boot/%.asm boot/boot.mk
	@mkdir -p $(@D)
	$(call quiet,NASM)$(NASM) -f elf64 -DKERNEL_ELF='"$(B)/kernel.stripped.elf"' -DSBAT_CSV='"boot/sbat.csv"' \
	    $(if $(PROGRAM_ELF),-DPROGRAM_ELF='"$(PROGRAM_ELF)"') $< -o $@

$(B)/boot/kernel_blob.asm.o: $(B)/kernel.stripped.elf
$(B)/boot/program_blob.asm.o: $(PROGRAM_ELF)
$(B)/boot/sbat.asm.o: boot/sbat.csv

$(B)/boot/loader.so: $(BOOT_OBJ)
	$(call quiet,LD)$(LD) $(BOOT_LDFLAGS) $(EFI_LIBS)/crt0-efi-x86_64.o $(BOOT_OBJ) -lgnuefi -o $@

# SOURCE_DATE_EPOCH is what binutils puts into the PE header as the time: the same bytes always.
$(B)/onebell.efi: $(B)/boot/loader.so tools/pe-nx-compat
	$(call quiet,OBJCOPY)SOURCE_DATE_EPOCH=0 $(OBJCOPY) $(BOOT_SECTIONS) --target=efi-app-x86_64 $< $@
	@$(PYTHON) -B tools/pe-nx-compat $@
	@test $$(stat -c %s $@) -le $(IMAGE_BYTES_MAX) || \
	    { echo "$@ has more than $(IMAGE_BYTES_MAX) bytes: find out what made it grow" >&2; exit 1; }

-include $(BOOT_OBJ:.o=.d)
