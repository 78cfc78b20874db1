// SPDX-License-Identifier: BSD-2-Clause
// Firmware's status codes as the UEFI specification spells them.
#pragma once

#include <efi.h>

// Never NULL; a code outside the list is "an unlisted EFI status".
const char *status_name(EFI_STATUS status);
