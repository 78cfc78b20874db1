# SPDX-License-Identifier: BSD-2-Clause
# mkdisk and ckdisk run on the host; what they write and check comes from the source that the kernel
# writes and checks it by.

DISK_TOOL_C  = $(addprefix lib/,stamp.c crc32c.c problem.c format.c parse.c)
DISK_TOOL_H  = $(addprefix lib/,stamp.h crc32c.h problem.h format.h parse.h string.h types.h bits.h)
CKDISK_C     = $(addprefix lib/,pattern.c permute.c written.c)
DISK_TOOL_CC = $(HOSTCC) -std=gnu11 -O2 -g -DONEBELL_HOST -D_GNU_SOURCE $(WARNINGS) -I.

$(B)/mkdisk: tools/mkdisk.c $(DISK_TOOL_C) $(DISK_TOOL_H) tools/mkdisk.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(DISK_TOOL_CC) $(filter %.c,$^) -o $@

$(B)/ckdisk: tools/ckdisk.c $(CKDISK_C) $(CKDISK_C:.c=.h) $(DISK_TOOL_C) $(DISK_TOOL_H) tools/mkdisk.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(DISK_TOOL_CC) $(filter %.c,$^) -o $@
