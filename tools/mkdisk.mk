# SPDX-License-Identifier: BSD-2-Clause
# mkdisk runs on the host; the stamps it writes come from the same source as those the kernel checks.

MKDISK_C = tools/mkdisk.c lib/stamp.c lib/crc32c.c lib/problem.c lib/format.c lib/parse.c
MKDISK_H = lib/stamp.h lib/crc32c.h lib/problem.h lib/format.h lib/parse.h lib/string.h lib/types.h lib/bits.h

$(B)/mkdisk: $(MKDISK_C) $(MKDISK_H) tools/mkdisk.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) -std=gnu11 -O2 -g -DONEBELL_HOST -D_GNU_SOURCE $(WARNINGS) -I. $(MKDISK_C) -o $@
