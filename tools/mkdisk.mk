# SPDX-License-Identifier: BSD-2-Clause
# mkdisk runs on the host; the stamps it writes come from the source that the kernel checks them by.

MKDISK_C = tools/mkdisk.c $(addprefix lib/,stamp.c crc32c.c problem.c format.c parse.c)
MKDISK_H = $(addprefix lib/,stamp.h crc32c.h problem.h format.h parse.h string.h types.h bits.h)

$(B)/mkdisk: $(MKDISK_C) $(MKDISK_H) tools/mkdisk.mk
	@mkdir -p $(@D)
	$(call quiet,HOSTCC)$(HOSTCC) -std=gnu11 -O2 -g -DONEBELL_HOST -D_GNU_SOURCE $(WARNINGS) -I. \
	    $(MKDISK_C) -o $@
