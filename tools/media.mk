# SPDX-License-Identifier: BSD-2-Clause
# Media to boot a machine from: a disk image for a USB stick, a hybrid ISO. tools/mkmedia makes them.

# The command line on them, with a menu that waits for 5 s and results kept on a stick, and the EFI image: build/onebell.signed.efi for Secure Boot.
WORDS ?= menu=5 results=1 app=bench bench=quick
EFI   ?= $(B)/onebell.efi

# Programs for domains, beside the command line: FOLDER/NAME.elf is what prog=NAME means.
PROGRAMS ?=

# The time of all files: the last commit's.
MEDIA_EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),315532800)
MKMEDIA     = SOURCE_DATE_EPOCH=$(MEDIA_EPOCH) $(PYTHON) -B tools/mkmedia --efi $(EFI) --words "$(WORDS)" $(PROGRAMS:%=--program %)

.PHONY: image iso sign
image: ## build/onebell.img, a disk image for a USB stick: WORDS= EFI= PROGRAMS=
	@$(SETUP) media && $(BUILD_ALL) $(B)/onebell.efi
	$(call quiet,IMAGE)$(MKMEDIA) image $(B)/onebell.img

iso: ## build/onebell.iso, for a CD-ROM, a BMC's virtual one, or a stick: WORDS= EFI= PROGRAMS=
	@$(SETUP) media && $(BUILD_ALL) $(B)/onebell.efi
	$(call quiet,ISO)$(MKMEDIA) iso $(B)/onebell.iso

# Secure Boot: with a key whose certificate is in firmware's db, or as shim's machine owner key.
KEY  ?=
CERT ?=

sign: ## build/onebell.signed.efi for Secure Boot: KEY= CERT=, both PEM
	@test -n "$(KEY)" -a -n "$(CERT)" || \
	    { echo "make sign: needs KEY=, a private key, and CERT=, its certificate, both PEM" >&2; exit 1; }
	@$(SETUP) media && $(BUILD_ALL) $(B)/onebell.efi
	$(call quiet,SBSIGN)sbsign --key $(KEY) --cert $(CERT) --output $(B)/onebell.signed.efi $(B)/onebell.efi

# What is given away: the same commit, words and tools make the same bytes (GNU tar's manual, 8.4).
DIST     = $(B)/dist/onebell
DIST_TAR = tar --format=ustar --sort=name --mtime=@$(MEDIA_EPOCH) --owner=0 --group=0 --numeric-owner \
           --mode=u=rwX,go=rX

.PHONY: dist
dist: ## build/onebell.tar.gz: image, ISO, docs, example report, checksums: WORDS= EFI= PROGRAMS=
	@$(SETUP) media && $(BUILD_ALL) $(B)/onebell.efi
	@$(MAKE) --no-print-directory SETUP=true image iso
	@rm -rf $(DIST) && mkdir -p $(DIST)
	@cp -r README.md LICENSE docs $(B)/onebell.img $(B)/onebell.iso $(DIST) && cp $(EFI) $(DIST)/onebell.efi
	@cd $(DIST) && find * -type f | LC_ALL=C sort | xargs -d '\n' sha256sum > ../SHA256SUMS
	@mv $(B)/dist/SHA256SUMS $(DIST)
	$(call quiet,TAR)$(DIST_TAR) -C $(B)/dist -cf $(B)/onebell.tar onebell && gzip -9nf $(B)/onebell.tar
