# SPDX-License-Identifier: BSD-2-Clause
# Linux beside Onebell, on the same machine: a part of the top-level Makefile. Everything lies in
# $(B)/linux, where the kernel is built once.
LINUX_SOURCE = /usr/src/linux-source-6.12.tar.xz
LINUX        = $(B)/linux/bzImage $(B)/linux/initramfs.cpio

$(B)/linux/bzImage: tools/linux/build-kernel tools/linux/config $(LINUX_SOURCE)
	@mkdir -p $(@D)
	$(call quiet,LINUX)tools/linux/build-kernel $(LINUX_SOURCE) $@

$(B)/linux/initramfs.cpio: tools/linux/make-initramfs tools/linux/init $(wildcard tools/linux/jobs/*) /usr/bin/fio
	@mkdir -p $(@D)
	$(call quiet,CPIO)tools/linux/make-initramfs $@

.PHONY: compare-linux test-linux
compare-linux: ## Linux 6.12 with fio and Onebell in turns: instructions and interrupts for each read
	@$(SETUP) linux && $(BUILD_ALL) $(RUNNABLE) $(LINUX)
	@tools/linux/compare

test-linux: ## the same, and what it must show; not a part of `make test`
	@$(SETUP) linux && $(BUILD_ALL) $(RUNNABLE) $(LINUX)
	@$(PYTEST) tests/linux
